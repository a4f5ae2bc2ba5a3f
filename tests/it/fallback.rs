//! The fallback: what an app cannot send goes by a robot, marked, once, and by one of the two.

use std::time::Duration;

use serde_json::{Value, json};

use crate::standin::{Fault, Standin};
use crate::support::chinese::in_both;
use crate::support::fallback::{group, trust, unlimited, with_fallback};
use crate::support::{
    Fields, Run, SEND, all_texts, at_a_terminal, at_once, failed, flush, furnished, here, refusal,
    texts, waiting,
};

#[test]
fn what_the_set_up_forbids_goes_by_the_robot_at_once_marked_and_once() {
    let (standin, sandbox) = with_fallback();
    trust(&standin, false);
    let sent = sandbox.wxpush("send --to lisi fire").exits(0);
    assert!(sent.stderr.contains("60020") && sent.stderr.contains("ops"));
    let read = group(&standin);
    assert!(read[0].starts_with("[代发] ") && read[0].contains("60020"));
    assert!(read.len() == 1 && read[0].ends_with("\nfire"), "{read:?}");
    let sent = sandbox.wxpush("send --json --to lisi water").exits(0);
    sent.json()
        .has(json!({"status": "sent", "errcode": 0, "outbox_id": null}));
    assert_eq!(sent.json()["fallback"]["robot"], "ops");
    assert_eq!(sent.json()["fallback"]["errcode"], 60020);
    assert_eq!(waiting(&sandbox), [""; 0]);
    // The app's trouble is still told of.
    let check = sandbox.wxpush("check --send lisi").run();
    assert!(
        check.code == Some(77) && check.stdout.contains("60020"),
        "{check:?}"
    );
    trust(&standin, true);
    flush(&sandbox).exits(0);
    sandbox.wxpush("send --to lisi peace").is_silent();
    assert_eq!(
        (texts(&standin, "lisi"), group(&standin).len()),
        (vec!["peace".to_owned()], 2)
    );
}

#[test]
fn a_wrong_secret_and_a_terminal_do_the_same_and_without_an_outbox_it_goes_too() {
    let (standin, sandbox) = with_fallback();
    trust(&standin, false);
    sandbox.wxpush("send --no-outbox --to lisi bare").exits(0);
    at_a_terminal(&sandbox, "send --to lisi typed").exits(0);
    trust(&standin, true);
    let wrong = sandbox
        .wxpush("send --to lisi unknown")
        .env("WXPUSH_CORPSECRET", "wrong");
    wrong
        .env("WXPUSH_STATE_DIR", sandbox.path("other"))
        .exits(0);
    let read = group(&standin);
    let ends: Vec<&str> = read.iter().filter_map(|it| it.lines().last()).collect();
    assert_eq!(ends, ["bare", "typed", "unknown"]);
    assert!(!sandbox.path("outbox").exists() || waiting(&sandbox).is_empty());
}

#[test]
fn a_hundred_changes_of_the_trusted_address_lose_nothing_and_double_nothing() {
    let (standin, sandbox) = with_fallback();
    unlimited(&standin);
    let mut longest = Duration::ZERO;
    for number in 0..100 {
        trust(&standin, number % 2 == 1);
        let begun = std::time::Instant::now();
        sandbox
            .wxpush(&format!(
                "send --to member{:02} at-{number}-",
                number / 10 + 1
            ))
            .run();
        longest = longest.max(begun.elapsed());
        if number % 20 == 19 {
            flush(&sandbox);
        }
        // By the robot's own ledger, which has 20 a minute.
        if number % 40 == 38 {
            std::fs::remove_file(sandbox.path("ledger")).unwrap();
        }
    }
    flush(&sandbox).exits(0);
    let mut all = group(&standin);
    assert_eq!(all.len(), 50, "half of them by each");
    all.extend(all_texts(&standin));
    let all = all.concat();
    for number in 0..100 {
        assert_eq!(all.matches(&format!("at-{number}-")).count(), 1, "{number}");
    }
    assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 0));
    assert!(longest < Duration::from_secs(30), "{longest:?}");
}

#[test]
fn changes_amid_fifty_at_once_lose_nothing_and_double_nothing() {
    let (standin, sandbox) = with_fallback();
    unlimited(&standin);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut is_trusted = false;
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                trust(&standin, is_trusted);
                is_trusted = !is_trusted;
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        at_once(50, |number| {
            let member = format!("member{:02}", number % 10 + 1);
            sandbox.wxpush(&format!("send --to {member} at-{number}-"))
        });
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    trust(&standin, true);
    flush(&sandbox).exits(0);
    let mut all = group(&standin);
    all.extend(all_texts(&standin));
    let all = all.concat();
    for number in 0..50 {
        assert_eq!(all.matches(&format!("at-{number}-")).count(), 1, "{number}");
    }
    assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 0));
}

#[test]
fn a_backlog_goes_by_the_robot_together_and_in_order_and_says_so_once_a_day() {
    let (standin, sandbox) = with_fallback();
    for number in 0..5 {
        sandbox
            .wxpush(&format!("send --queue --to lisi number-{number}"))
            .exits(0);
    }
    trust(&standin, false);
    let told = flush(&sandbox).exits(0);
    assert!(
        told.stderr.contains("robot ops sends what the app cannot")
            && told.stderr.contains("60020")
    );
    let read = group(&standin);
    assert!(
        read.len() == 1 && read[0].starts_with("[代发] "),
        "{read:?}"
    );
    let places = (0..5).map(|number| read[0].find(&format!("number-{number}")).unwrap());
    assert!(places.is_sorted(), "{read:?}");
    sandbox.wxpush("send --queue --to lisi later").exits(0);
    flush(&sandbox).is_silent();
    assert_eq!((group(&standin).len(), waiting(&sandbox).len()), (2, 0));
    assert_eq!(texts(&standin, "lisi"), [""; 0]);
}

#[test]
fn files_pictures_and_cards_are_readable_there_and_what_cannot_be_stays() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    sandbox.configure("fallback = \"robots.ops\"");
    trust(&standin, false);
    for (args, code) in [
        ("send --to lisi --image a.png", 0),
        ("send --to lisi --file 报告.pdf with-it", 0),
        ("send --to lisi --voice a.amr", 0),
        ("send --to lisi --video a.mp4 --title film", 0),
        ("send --to lisi --markdown **bold**", 0),
        (
            "send --to lisi --card --title t --url https://e.example/ d",
            0,
        ),
        ("send --to lisi --safe secret", 77),
    ] {
        here(&sandbox, args).exits(code);
    }
    let read = group(&standin).join("\n");
    for text in [
        "[图片]",
        "with-it",
        "[文件] 报告.pdf",
        "[文件] a.mp4",
        "film",
        "**bold**",
        "https://e.example/",
    ] {
        assert_eq!(read.matches(text).count(), 1, "{text}: {read}");
    }
    assert!(!read.contains("secret"));
    assert_eq!(waiting(&sandbox).len(), 1);
}

#[test]
fn a_long_text_goes_in_its_parts_and_what_the_app_has_sent_is_not_repeated() {
    let (standin, sandbox) = with_fallback();
    let long: String = (0..600).map(|line| format!("line-{line}-\n")).collect();
    trust(&standin, false);
    let send = |to: &str| sandbox.wxpush(&format!("send --long split --to {to} -"));
    send("lisi").stdin(long.clone()).exits(0);
    let whole =
        |read: &str| (0..600).all(|line| read.matches(&format!("line-{line}-")).count() == 1);
    assert!(whole(&group(&standin).concat()));
    trust(&standin, true);
    let before = group(&standin).len();
    standin.script(SEND, [Fault::Delay(Duration::ZERO), refusal(60020)]);
    send("lisi").stdin(long).exits(0);
    let rest = group(&standin).split_off(before).concat();
    assert_eq!(texts(&standin, "lisi").len(), 1);
    assert!(whole(&(texts(&standin, "lisi").concat() + &rest)));
    assert!(rest.starts_with("[代发] "));
}

#[test]
fn quiet_hours_hold_what_the_robot_would_send() {
    let (standin, sandbox) = with_fallback();
    let at = |minutes| {
        (chrono::Local::now() + chrono::TimeDelta::minutes(minutes))
            .format("%H:%M")
            .to_string()
    };
    sandbox.configure(&format!("quiet = \"{}-{}\"", at(-60), at(60)));
    trust(&standin, false);
    sandbox.wxpush("send --to lisi held").exits(0);
    flush(&sandbox).exits(0);
    assert_eq!((group(&standin).len(), waiting(&sandbox).len()), (0, 1));
    sandbox.wxpush("send --to lisi --urgent fire").exits(0);
    assert_eq!(group(&standin).len(), 1);
}

#[test]
fn a_profile_has_a_fallback_of_its_own_and_an_unknown_one_is_refused() {
    let (standin, sandbox) = with_fallback();
    sandbox.append("[profiles.none]\nfallback = \"\"\n");
    trust(&standin, false);
    sandbox.wxpush("send -p none --to lisi kept").exits(77);
    sandbox.wxpush("send --to lisi fire").exits(0);
    let env = |value: &str| -> Run {
        sandbox
            .wxpush("send --to lisi x")
            .env("WXPUSH_FALLBACK", value)
    };
    env("robots.opps").exits(78).says("opps");
    env("ops").exits(78).says("robots.ops");
    let reports = |value: Value| value["fallback"].is_null();
    let kept = sandbox
        .wxpush("send --json -p none --to lisi kept")
        .exits(77);
    assert!(reports(kept.json()) && group(&standin).len() == 1);
}

#[test]
fn all_of_it_is_told_in_either_language() {
    let (standin, sandbox) = with_fallback();
    trust(&standin, false);
    let sent = in_both(0, || sandbox.wxpush("send --to lisi fire"));
    assert!(sent.stderr.contains("sent by robot ops"));
    sandbox.wxpush("send --queue --to lisi fire").exits(0);
    let told = sandbox.wxpush("outbox flush").in_chinese().exits(0);
    told.says("由群机器人 ops 代发").is_chinese();
    standin.company().robots.clear();
    in_both(77, || sandbox.wxpush("send --to lisi fire"));
    let (standin, sandbox) = with_fallback();
    trust(&standin, false);
    sandbox.configure("lang = \"en\"");
    sandbox.wxpush("send --to lisi fire").exits(0);
    let read = group(&standin);
    assert!(
        read[0].starts_with("[fallback] sent by this robot"),
        "{read:?}"
    );
}
