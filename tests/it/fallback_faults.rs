//! The fallback while things go wrong: outages, lost answers, kills, robots that refuse.

use crate::standin::{Fault, ROBOT_KEY};
use crate::support::fallback::{group, shown, trust, with_fallback};
use crate::support::{
    SEND, Time, WEBHOOK, at_once, await_count, failed, flush, names_in, refusal, texts, waiting,
};

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn an_outage_is_waited_for_five_minutes_and_then_the_robot_sends() {
    let (standin, sandbox) = with_fallback();
    let time = Time::new(&standin, &sandbox);
    standin.always(SEND, Fault::html(502));
    time.wxpush("send --timeout 1s --to lisi first").exits(75);
    for _ in 0..4 {
        time.pass(60);
        time.wxpush("outbox flush").run();
        assert_eq!(group(&standin), [""; 0]);
    }
    time.wxpush("send --timeout 1s --to lisi second").exits(75);
    time.pass(61);
    time.wxpush("outbox flush").run();
    let read = group(&standin);
    assert!(
        read.len() == 1 && read[0].contains("5 分钟") && read[0].ends_with("first"),
        "{read:?}"
    );
    // Four minutes later the other one, unless the app is back by then.
    time.pass(120);
    time.wxpush("outbox flush").run();
    assert_eq!(group(&standin).len(), 1);
    standin.mend();
    time.pass(3600);
    time.wxpush("outbox flush").exits(0);
    assert_eq!(
        (shown(&standin, "first"), shown(&standin, "second")),
        (1, 1)
    );
    assert_eq!((group(&standin).len(), waiting(&sandbox).len()), (1, 0));
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn merged_texts_that_wait_for_the_app_are_left_to_the_robot() {
    let (standin, sandbox) = with_fallback();
    let time = Time::new(&standin, &sandbox);
    for number in 0..4 {
        time.wxpush(&format!("send --queue --to lisi number-{number}-"))
            .exits(0);
    }
    standin.always(SEND, Fault::html(502));
    for _ in 0..7 {
        time.pass(60);
        time.wxpush("outbox flush").run();
    }
    for number in 0..4 {
        assert_eq!(
            shown(&standin, &format!("number-{number}-")),
            1,
            "{:?}",
            group(&standin)
        );
    }
    assert_eq!(waiting(&sandbox).len(), 0);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn what_may_have_arrived_by_the_app_stays_with_it() {
    let (standin, sandbox) = with_fallback();
    let time = Time::new(&standin, &sandbox);
    standin.always(SEND, Fault::HangProcessed);
    time.wxpush("send --timeout 1s --to lisi maybe").exits(75);
    trust(&standin, false);
    standin.mend();
    for _ in 0..8 {
        time.pass(60);
        time.wxpush("outbox flush").exits(77);
    }
    assert_eq!((group(&standin).len(), waiting(&sandbox).len()), (0, 1));
    trust(&standin, true);
    time.pass(60);
    time.wxpush("outbox flush").exits(0);
    let read = texts(&standin, "lisi");
    assert!(!read.is_empty() && group(&standin).is_empty(), "{read:?}");
}

#[test]
fn a_robot_that_fails_too_leaves_the_message_to_the_app() {
    let (standin, sandbox) = with_fallback();
    trust(&standin, false);
    standin.company().robots.get_mut(ROBOT_KEY).unwrap().enabled = false;
    let sent = sandbox.wxpush("send --to lisi fire").exits(77);
    assert!(sent.stderr.contains("93004"), "{}", sent.stderr);
    let kept = waiting(&sandbox);
    assert_eq!(kept.len(), 1);
    flush(&sandbox).exits(77);
    assert_eq!(waiting(&sandbox), kept);
    trust(&standin, true);
    flush(&sandbox).exits(0);
    assert_eq!(
        (texts(&standin, "lisi"), group(&standin)),
        (vec!["fire".to_owned()], vec![])
    );
}

#[test]
fn what_the_robot_refuses_is_not_asked_of_it_again() {
    let (standin, sandbox) = with_fallback();
    trust(&standin, false);
    standin.always(WEBHOOK, refusal(40058));
    sandbox.wxpush("send --to lisi fire").exits(77);
    flush(&sandbox).exits(77);
    flush(&sandbox).exits(77);
    assert_eq!(standin.count(WEBHOOK), 1);
    trust(&standin, true);
    flush(&sandbox).exits(0);
    assert_eq!(texts(&standin, "lisi"), ["fire"]);
}

#[test]
fn a_key_is_sent_once_by_one_of_the_two() {
    let (standin, sandbox) = with_fallback();
    trust(&standin, false);
    at_once(5, |_| sandbox.wxpush("send --to lisi --once key one"));
    trust(&standin, true);
    let again = sandbox
        .wxpush("send --json --to lisi --once key one")
        .exits(0);
    assert_eq!(again.json()["status"], "duplicate");
    flush(&sandbox).exits(0);
    assert_eq!(shown(&standin, "one"), 1);
    // An answer that is lost: it may be there, so it is not sent again by either.
    trust(&standin, false);
    standin.always(WEBHOOK, Fault::CutAfter);
    sandbox.wxpush("send --to lisi --once other two").exits(75);
    standin.mend();
    trust(&standin, true);
    flush(&sandbox);
    sandbox.wxpush("send --to lisi --once other two").exits(75);
    assert_eq!(shown(&standin, "two"), 1);
}

#[test]
fn a_lost_answer_of_the_robot_means_two_requests_at_most() {
    let (standin, sandbox) = with_fallback();
    trust(&standin, false);
    standin.always(WEBHOOK, Fault::CutAfter);
    let sent = sandbox.wxpush("send --to lisi fire").exits(75);
    assert!(
        sent.stderr.contains("may or may not have arrived"),
        "{}",
        sent.stderr
    );
    standin.mend();
    trust(&standin, true);
    for _ in 0..3 {
        flush(&sandbox);
    }
    assert_eq!(
        (standin.count(WEBHOOK), texts(&standin, "lisi").len()),
        (2, 0)
    );
    assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 1));
}

#[test]
fn a_kill_at_the_robots_answer_leaves_no_more_than_one_repetition_and_nothing_for_the_app() {
    for fault in [Fault::HangProcessed, Fault::Hang] {
        let (standin, sandbox) = with_fallback();
        trust(&standin, false);
        standin.script(WEBHOOK, [fault]);
        let mut started = sandbox.wxpush("send --to lisi fire").start();
        await_count(&standin, WEBHOOK, 1);
        started.child.kill().unwrap();
        started.child.wait().unwrap();
        // It has the app's entry and the robot's.
        assert_eq!(
            waiting(&sandbox).len(),
            2,
            "{:?}",
            names_in(&sandbox.path("outbox"))
        );
        trust(&standin, true);
        flush(&sandbox).exits(0);
        assert_eq!(
            (waiting(&sandbox).len(), texts(&standin, "lisi").len()),
            (0, 0)
        );
        assert!((1..=2).contains(&shown(&standin, "fire")));
    }
}

#[test]
fn what_is_in_doubt_at_the_robot_is_not_sent_beside_its_repetition() {
    let (standin, sandbox) = with_fallback();
    trust(&standin, false);
    for text in ["first", "second"] {
        let send = format!("send --queue --to lisi {text}");
        sandbox.wxpush(&send).exits(0);
    }
    standin.script(WEBHOOK, [Fault::Hang]);
    sandbox
        .wxpush("send --timeout 1s --to lisi third")
        .exits(75);
    sandbox.wxpush("send --queue --to lisi fourth").exits(0);
    flush(&sandbox).exits(0);
    let read = group(&standin).concat();
    for text in ["first", "second", "third", "fourth"] {
        assert_eq!(read.matches(text).count(), 1, "{text} in {read}");
    }
    assert_eq!(waiting(&sandbox).len(), 0);
}
