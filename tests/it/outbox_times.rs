//! What time does to a kept message: lost answers, lateness, expiry, clocks that jump.

use std::time::Duration;

use serde_json::json;

use crate::standin::{Fault, Standin};
use crate::support::{
    SEND, Words, age, bodies, edit_attempts, failed, flush, for_each, keep, now, one_by_one,
    refusal, set_up, stamp, texts, waiting,
};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
const TEN_YEARS: i64 = 3_652 * DAY;

/// What each message was that came, to the byte.
fn sent(standin: &Standin) -> Vec<String> {
    let requests = standin.requests();
    let sends = requests.iter().filter(|request| request.endpoint() == SEND);
    sends
        .map(|request| String::from_utf8(request.body.to_vec()).unwrap())
        .collect()
}

#[test]
fn after_a_lost_answer_every_later_run_sends_the_same_bytes_flagged() {
    for_each([Fault::CutAfter, Fault::HangProcessed], |fault| {
        for matches in [true, false] {
            let (standin, sandbox) = set_up();
            standin.company().phones.match_unflagged = matches;
            standin.always(SEND, fault.clone());
            let run = sandbox.wxpush("send --to lisi --timeout 2s x").run();
            run.exits(75)
                .says("the message may or may not have arrived");
            // What is late by now must be the same all the same.
            age(&sandbox, &waiting(&sandbox)[0], 20 * MINUTE);
            let run = sandbox.wxpush("outbox flush --timeout 1s").run();
            assert_eq!(run.exits(75).stderr, "");
            standin.mend();
            flush(&sandbox).is_silent();
            let sent = sent(&standin);
            assert!(sent.len() >= 3 && !sent[0].contains("enable_duplicate_check"));
            sent[1].shows("\"enable_duplicate_check\":1");
            assert!(sent[2..].iter().all(|body| *body == sent[1]), "{sent:?}");
            let landed = standin.company().phone("lisi").len();
            assert_eq!(landed, if matches { 1 } else { 2 }, "{fault:?}");
            assert!(waiting(&sandbox).is_empty());
        }
    });
}

#[test]
fn what_was_late_when_its_answer_was_lost_stays_the_same_too() {
    let (standin, sandbox) = set_up();
    let id = keep(&standin, &sandbox, "send --to lisi x");
    age(&sandbox, &id, 11 * MINUTE);
    standin.script(SEND, [Fault::CutAfter, Fault::CutAfter]);
    for code in [75, 75, 0] {
        flush(&sandbox).exits(code);
    }
    let sent = sent(&standin).split_off(1);
    assert!(sent[0].contains("[迟到] ") && !sent[0].contains("enable_duplicate_check"));
    assert!(sent[1].contains("[迟到] ") && sent[1].contains("enable_duplicate_check"));
    assert_eq!(sent[1], sent[2]);
}

#[test]
fn a_flush_waits_for_what_may_go_within_its_time() {
    let (standin, sandbox) = set_up();
    let id = keep(&standin, &sandbox, "send --to lisi first");
    keep(&standin, &sandbox, "send --to lisi second");
    edit_attempts(&sandbox, &id, |attempts| {
        attempts["hold"] = json!({"until": stamp(2000), "on": "app"});
    });
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi"), ["first", "second"]);
}

#[test]
fn a_lost_answer_is_forgotten_when_wecom_no_longer_compares() {
    let hour = 3_600_000;
    for (age, flagged) in [
        (4 * hour - 60_000, true),
        (4 * hour + 1000, false),
        (-hour, true),
    ] {
        let (standin, sandbox) = set_up();
        let id = keep(&standin, &sandbox, "send x");
        let since = i64::try_from(now()).unwrap() * 1000 - age;
        edit_attempts(&sandbox, &id, |attempts| {
            attempts["doubt"] = json!({"since": since, "marks": ""});
        });
        flush(&sandbox).is_silent();
        let last = bodies(&standin).pop().unwrap();
        assert_eq!(
            last.get("enable_duplicate_check").is_some(),
            flagged,
            "{age}"
        );
    }
}

#[test]
fn a_message_that_is_late_says_so() {
    for (line, minutes, mark) in [
        ("", 9, ""),
        ("", 11, "[迟到] 这条消息发于 20"),
        ("", 2 * 24 * 60, "[迟到] 这条消息发于 20"),
        ("lang = \"en\"", 11, "[late] accepted 20"),
    ] {
        let (standin, sandbox) = set_up();
        sandbox.configure(line);
        let id = keep(&standin, &sandbox, "send x");
        age(&sandbox, &id, minutes * MINUTE);
        flush(&sandbox).is_silent();
        let landed = texts(&standin, "lisi").remove(0);
        let (first, text) = landed.rsplit_once('\n').unwrap_or(("", &landed));
        assert_eq!((first.starts_with(mark), text), (true, "x"), "{landed}");
        assert_eq!(first.is_empty(), mark.is_empty(), "{landed}");
    }
}

#[test]
fn where_a_text_has_no_room_its_lateness_is_told_before_it_and_once() {
    let (standin, sandbox) = set_up();
    let text = "x".repeat(2048);
    let id = keep(&standin, &sandbox, &format!("send --to lisi {text}"));
    age(&sandbox, &id, 11 * MINUTE);
    standin.script(SEND, [Fault::Delay(Duration::ZERO), refusal(60020)]);
    flush(&sandbox).exits(77);
    flush(&sandbox).is_silent();
    let landed = texts(&standin, "lisi");
    assert_eq!(landed.len(), 2, "{landed:?}");
    assert!(landed[0].starts_with("[迟到] ") && !landed[0].contains('\n'));
    assert_eq!(landed[1], text);
}

#[test]
fn what_is_too_old_is_given_up_and_its_receivers_are_told_once() {
    let passes = || Fault::Delay(Duration::ZERO);
    for (command, faults, code) in [
        ("outbox flush", vec![refusal(60020)], 77),
        ("send --to wangwu other", vec![passes(), refusal(60020)], 0),
    ] {
        let (standin, sandbox) = set_up();
        for text in ["one", "two"] {
            let id = keep(&standin, &sandbox, &format!("send --to lisi {text}"));
            age(&sandbox, &id, 3 * DAY + MINUTE);
        }
        let old = waiting(&sandbox);
        standin.script(SEND, faults);
        let outcome = sandbox.wxpush(command).exits(code);
        for id in &old {
            let line = format!("{id} has expired, and is in failed/ now: it could not");
            let lines = outcome.stderr.lines();
            assert_eq!(lines.filter(|it| it.contains(&line)).count(), 1, "{id}");
        }
        assert!(outcome.stderr.contains("within 3d (max_age): "));
        assert_eq!((waiting(&sandbox), failed(&sandbox)), (vec![], old.clone()));
        flush(&sandbox).is_silent();
        let count = bodies(&standin).len();
        for to in ["wangwu", "wangwu,lisi", "lisi"] {
            sandbox.wxpush("send hello --to").arg(to).is_silent();
        }
        let told = "[过期] 另有 2 条消息因过期未送达\nhello";
        let texts = bodies(&standin).split_off(count);
        let texts: Vec<_> = texts.iter().map(|it| &it["text"]["content"]).collect();
        assert_eq!(texts, ["hello", told, "hello"]);
        // A person may want it all the same.
        sandbox.wxpush("outbox retry").arg(&old[0]).is_silent();
        flush(&sandbox).is_silent();
        let last = bodies(&standin).pop().unwrap();
        let last = last["text"]["content"].as_str().unwrap();
        last.begins("[迟到] ");
        last.ends("\none");
        assert_eq!(failed(&sandbox), old[1..]);
    }
}

#[test]
fn who_could_not_be_told_of_what_expired_is_told_later() {
    let (standin, sandbox) = set_up();
    let expired = keep(&standin, &sandbox, "send --to lisi expired");
    let doubtful = keep(&standin, &sandbox, "send --to lisi doubtful");
    age(&sandbox, &expired, 4 * DAY);
    let since = now() * 1000;
    edit_attempts(&sandbox, &doubtful, |attempts| {
        attempts["doubt"] = json!({"since": since, "marks": ""});
    });
    standin.script(SEND, [refusal(98765)]);
    flush(&sandbox).exits(0).says("has expired");
    sandbox.wxpush("send --to lisi next").is_silent();
    sandbox.wxpush("send --to lisi last").is_silent();
    // What may have arrived already goes as it was.
    let told = "[过期] 另有 1 条消息因过期未送达\nnext";
    assert_eq!(texts(&standin, "lisi"), ["doubtful", told, "last"]);
}

#[test]
fn what_is_told_in_a_message_of_its_own_is_told_once() {
    let (standin, sandbox) = set_up();
    let expired = keep(&standin, &sandbox, "send --to lisi expired");
    age(&sandbox, &expired, 4 * DAY);
    let text = "x".repeat(2048);
    keep(&standin, &sandbox, &format!("send --to lisi {text}"));
    let faults = [refusal(98765), Fault::Delay(Duration::ZERO), refusal(60020)];
    standin.script(SEND, faults);
    flush(&sandbox).exits(77).says("has expired");
    sandbox.wxpush("send --to lisi next").is_silent();
    let told = "[过期] 另有 1 条消息因过期未送达";
    assert_eq!(texts(&standin, "lisi"), [told, "next", &text]);
}

#[test]
fn a_clock_that_jumps_parks_nothing() {
    // Set back: the entry is from the future, and so is all that stands beside it.
    let (standin, sandbox) = set_up();
    for (text, seconds) in [("day", DAY), ("years", TEN_YEARS)] {
        let id = keep(&standin, &sandbox, &format!("send --to lisi {text}"));
        let id = age(&sandbox, &id, -seconds);
        let then = (i64::try_from(now()).unwrap() + seconds) * 1000;
        edit_attempts(&sandbox, &id, |attempts| {
            attempts["hold"] = json!({"until": (then + 60_000).to_string(), "on": "app"});
            attempts["doubt"] = json!({"since": then, "marks": ""});
        });
        flush(&sandbox).is_silent();
        assert!(waiting(&sandbox).is_empty() && failed(&sandbox).is_empty());
    }
    // Set forward by less than a message keeps, and by more.
    let id = keep(&standin, &sandbox, "send --to lisi forward");
    let id = age(&sandbox, &id, DAY);
    edit_attempts(&sandbox, &id, |attempts| {
        attempts["hold"] = json!({"until": "1", "on": "app"});
    });
    flush(&sandbox).is_silent();
    let landed = texts(&standin, "lisi");
    assert_eq!(landed[..2], ["day", "years"]);
    assert!(landed[2].ends_with("\nforward"), "{landed:?}");
    let id = keep(&standin, &sandbox, "send far-forward");
    let id = age(&sandbox, &id, TEN_YEARS);
    standin.script(SEND, [refusal(60020)]);
    flush(&sandbox).exits(77).says("has expired");
    assert_eq!((waiting(&sandbox), failed(&sandbox)), (vec![], vec![id]));
}

#[test]
fn the_backlog_leaves_room_for_what_is_new_and_holds_up_nobody_else() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    let old: Vec<String> = (0..23).map(|number| format!("old{number:02}")).collect();
    for text in &old {
        keep(&standin, &sandbox, &format!("send --to lisi {text}"));
    }
    keep(&standin, &sandbox, "send --to wangwu other");
    let outcome = flush(&sandbox).exits(75);
    assert_eq!(outcome.stderr, "");
    assert_eq!(texts(&standin, "lisi"), old[..20]);
    assert_eq!(texts(&standin, "wangwu"), ["other"]);
    let list = sandbox.wxpush("outbox list --json").exits(0).stdout;
    assert_eq!(list.lines().count(), 3);
    for line in list.lines() {
        let shown: serde_json::Value = serde_json::from_str(line).unwrap();
        let due = shown["due"].as_str().unwrap();
        let due = chrono::DateTime::parse_from_rfc3339(due).unwrap();
        let wait = due.timestamp() - i64::try_from(now()).unwrap();
        assert!((1..=61).contains(&wait), "{wait} s");
    }
    for number in 0..10 {
        let run = sandbox.send(&format!("new{number}"));
        run.args(&["--to", "lisi"]).is_silent();
    }
    let outcome = sandbox.wxpush("send --to lisi --timeout 1s one").run();
    outcome.exits(75).says("the next message can be sent in ");
    assert_eq!(texts(&standin, "lisi").len(), 30);
    assert_eq!(standin.company().phones.dropped, 0);
}
