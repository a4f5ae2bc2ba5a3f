//! Clocks on the wall that were wrong and are set right, or the other way round: nothing is lost by
//! it, nothing expires, and nobody gets more than WeCom delivers.

use crate::standin::{Fault, Standin};
use crate::support::{
    MEMBERS, SEND, Sandbox, Time, all_texts, at_once, failed, flush, for_each, is_marked,
    leaves_some, markdown_to, plant, plant_bodies, read_by, reads, refusal, set_up, stepped, texts,
    waiting,
};

/// Clocks that are wrong: since the start of Unix, a battery ago, in the time to come.
const WRONG: [&str; 8] = [
    "@1970-01-01 00:05:00",
    "@2000-01-01 00:00:00",
    "-400d",
    "-5d",
    "-2h",
    "+2h",
    "+5d",
    "+400d",
];

/// Has a message kept by a program whose clock shows this.
fn keep_at(standin: &Standin, sandbox: &Sandbox, shows: &str, args: &str) {
    let before = waiting(sandbox).len();
    standin.script(SEND, [refusal(60020)]);
    stepped(sandbox, shows, args).exits(77);
    assert_eq!(waiting(sandbox).len(), before + 1, "{shows}");
}

/// Has three messages kept so.
fn keep_three(standin: &Standin, sandbox: &Sandbox, shows: &str) {
    for number in 0..3 {
        let args = format!("send --to lisi number-{number}");
        keep_at(standin, sandbox, shows, &args);
    }
}

#[test]
#[ignore = "needs faketime"]
fn what_was_kept_under_a_wrong_clock_is_delivered_once_it_is_right() {
    for_each(WRONG, |shows| {
        let (standin, sandbox) = set_up();
        keep_three(&standin, &sandbox, shows);
        let outcome = flush(&sandbox).exits(0);
        assert_eq!(outcome.stderr, "", "{shows}");
        let numbers = (0..3).map(|number| format!("number-{number}"));
        let mut numbers: Vec<String> = numbers.collect();
        if shows.starts_with('@') {
            // Each began at that very time, so that no clock knows which was the first.
            let read = read_by(&standin, "lisi");
            numbers.sort_by_key(|number| read.find(number.as_str()));
        }
        reads(&standin, "lisi", &numbers);
        assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 0));
    });
}

#[test]
#[ignore = "needs faketime"]
fn what_was_kept_under_a_right_clock_outlives_a_wrong_one() {
    for_each(WRONG, |shows| {
        let (standin, sandbox) = set_up();
        keep_three(&standin, &sandbox, "+0");
        let kept = waiting(&sandbox);
        // Nothing passes while the clock is wrong, so that all there is to do is expire.
        standin.always(SEND, refusal(60020));
        for _ in 0..3 {
            leaves_some(&stepped(&sandbox, shows, "outbox flush").run());
            stepped(&sandbox, shows, "send --no-outbox other").run();
        }
        assert_eq!(failed(&sandbox), [""; 0], "{shows}");
        // Beside them waits what is to carry all three.
        let left = waiting(&sandbox);
        assert!(kept.iter().all(|id| left.contains(id)), "{shows}: {left:?}");
        standin.mend();
        flush(&sandbox).exits(0);
        let all = read_by(&standin, "lisi");
        let numbers = (0..3).filter(|number| all.contains(&format!("number-{number}")));
        assert_eq!(numbers.count(), 3, "{shows}: {all}");
    });
}

#[test]
#[ignore = "needs faketime"]
fn what_one_flush_under_a_wrong_clock_finds_it_delivers() {
    for_each(
        ["+40d", "+80d", "+10y", "-5d", "@1970-01-01 00:05:00"],
        |shows| {
            let (standin, sandbox) = set_up();
            plant(&sandbox, &standin.base(), 26, &MEMBERS);
            stepped(&sandbox, shows, "outbox flush").exits(0);
            assert_eq!(all_texts(&standin).len(), 26, "{shows}");
            assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 0));
        },
    );
}

#[test]
#[ignore = "needs faketime"]
fn what_has_failed_stays_to_be_looked_at_though_a_clock_says_that_it_is_old() {
    for_each(["+40d", "+80d", "+10y"], |shows| {
        let (standin, sandbox) = set_up();
        for text in ["one", "two"] {
            standin.script(SEND, [refusal(44004)]);
            sandbox.wxpush("send --to lisi").arg(text).exits(65);
        }
        let lies_there = failed(&sandbox);
        assert_eq!(lies_there.len(), 2);
        for command in ["outbox flush", "send --to lisi three", "outbox list"] {
            stepped(&sandbox, shows, command).exits(0);
            assert_eq!(failed(&sandbox), lies_there, "{shows}: {command}");
        }
        flush(&sandbox).exits(0);
        assert_eq!(failed(&sandbox), lies_there, "{shows}");
        sandbox.wxpush("outbox retry --all").exits(0);
        flush(&sandbox).exits(0);
        assert_eq!(texts(&standin, "lisi").len(), 3, "{shows}");
    });
}

#[test]
#[ignore = "needs faketime"]
fn steps_between_flushes_open_the_ledger_for_nobody() {
    let steps = [
        vec!["+0", "+70s", "+2h", "+2h", "+1d"],
        vec!["+2h", "+70s", "+0", "+2h"],
        vec!["-2h", "+0", "-2h", "+70s"],
        vec!["@1970-01-01 00:05:00", "+0", "@1970-01-01 03:05:00", "+40d"],
    ];
    for_each(steps, |steps| {
        let (standin, sandbox) = set_up();
        let bodies = (0..120).map(|number| markdown_to("lisi", &format!("old-{number}")));
        plant_bodies(&sandbox, &standin.base(), bodies);
        for step in &steps {
            let outcome = stepped(&sandbox, step, "outbox flush --timeout 2s").run();
            let dropped = standin.company().phones.dropped;
            assert_eq!(dropped, 0, "{step} of {steps:?}");
            leaves_some(&outcome);
        }
        // What is new takes no more either.
        for (number, step) in steps.iter().enumerate() {
            at_once(12, |which| {
                let send = format!("send --markdown --to lisi --timeout 1s new-{number}-{which}");
                stepped(&sandbox, step, &send)
            });
        }
        assert_eq!(standin.company().phones.dropped, 0, "{steps:?}");
        let landed = texts(&standin, "lisi").len();
        assert!((20..=30).contains(&landed), "{steps:?}: {landed}");
        let all = landed + waiting(&sandbox).len();
        assert_eq!(all, 120 + 12 * steps.len(), "{steps:?}");
        assert_eq!(failed(&sandbox), [""; 0], "{steps:?}");
    });
}

/// Has a message kept at the time that it is by now.
fn keep_then(standin: &Standin, time: &Time<'_>, args: &str) {
    standin.script(SEND, [refusal(60020)]);
    time.wxpush(args).exits(77);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn a_wrong_clock_parks_nothing() {
    for_each([5, 400, -5, -20_000], |days| {
        let (standin, sandbox) = set_up();
        let time = Time::new(&standin, &sandbox);
        let faults = [
            Fault::html(403),
            Fault::retry_after(503, "3600"),
            refusal(45009),
        ];
        for (number, fault) in faults.into_iter().enumerate() {
            keep_then(&standin, &time, &format!("send --to lisi {number}"));
            standin.script(SEND, [fault]);
            let flushed = time.stepped(days * 86_400, "outbox flush").run();
            leaves_some(&flushed);
            // An hour is the longest that anything waits.
            time.pass(3700);
            time.wxpush("outbox flush").exits(0);
            assert_eq!(texts(&standin, "lisi").len(), number + 1, "{days}");
        }
    });
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn days_that_do_pass_end_in_failed_after_a_try() {
    let (standin, sandbox) = set_up();
    let time = Time::new(&standin, &sandbox);
    keep_then(&standin, &time, "send --to lisi old");
    let old = waiting(&sandbox);
    standin.always(SEND, refusal(60020));
    time.pass(2 * 86_400);
    leaves_some(&time.wxpush("outbox flush").run());
    assert_eq!(waiting(&sandbox), old);
    time.pass(86_400 + 3600);
    // In this one or the next: nothing is given up that has not been tried once more.
    time.wxpush("outbox flush").run();
    time.wxpush("outbox flush").run();
    assert_eq!((waiting(&sandbox), failed(&sandbox)), (vec![], old.clone()));
    // Found after days of a machine without a flush it has its try, and arrives.
    standin.mend();
    keep_then(&standin, &time, "send --to lisi found");
    time.pass(4 * 86_400);
    time.wxpush("outbox flush").run();
    let landed = texts(&standin, "lisi").pop().unwrap_or_default();
    assert!(landed.ends_with("found"), "{landed}");
    assert_eq!(failed(&sandbox), old);
}

#[test]
#[ignore = "needs faketime"]
fn a_clock_that_is_set_back_keeps_the_order_and_makes_nothing_late() {
    let (standin, sandbox) = set_up();
    for (step, text) in [("+1h", "one"), ("+30m", "two"), ("+0", "three")] {
        let send = format!("send --markdown --to lisi --queue {text}");
        stepped(&sandbox, step, &send).is_silent();
    }
    flush(&sandbox).is_silent();
    let landed = texts(&standin, "lisi");
    assert_eq!(
        landed
            .iter()
            .map(|text| text.lines().last().unwrap())
            .collect::<Vec<_>>(),
        ["one", "two", "three"]
    );
    stepped(&sandbox, "+1h", "send --to wangwu ahead").is_silent();
    sandbox.wxpush("send --to wangwu right").is_silent();
    assert_eq!(texts(&standin, "wangwu"), ["ahead", "right"]);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn what_is_accepted_before_a_step_and_sent_after_it_overtakes_all_the_same() {
    for accepted in ["-5d", "+2h"] {
        let (standin, sandbox) = set_up();
        standin.script(SEND, [Fault::html(413)]);
        sandbox.wxpush("send --to lisi older").exits(77);
        stepped(&sandbox, accepted, "send --to lisi --queue newer").is_silent();
        flush(&sandbox).exits(75);
        assert_eq!(texts(&standin, "lisi"), ["newer"], "{accepted}");
        let time = Time::new(&standin, &sandbox);
        time.pass(70);
        time.wxpush("outbox flush").exits(0);
        let late = texts(&standin, "lisi").pop().unwrap();
        assert!(is_marked(&late), "{accepted}: {late}");
    }
}
