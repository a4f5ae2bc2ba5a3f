//! `wxpush batch`: what is kept, in which order, and keys.

use std::time::Duration;

use serde_json::json;

use crate::standin::{Fault, Standin};
use crate::support::{
    GETTOKEN, MEMBERS, SEND, WEBHOOK, answers, batch, failed, flush, for_each, json_lines, keyed,
    numbered, refusal, set_up, statuses, texts, waiting, with_robot,
};

/// The default of `--window`.
const WINDOW: usize = 100;

#[test]
fn accept_only_keeps_in_order_what_a_flush_then_delivers() {
    let (standin, sandbox) = set_up();
    sandbox.configure("outbox.merge = false");
    let outcome = batch(&sandbox, "--accept-only", numbered(250, &MEMBERS)).exits(0);
    assert_eq!(statuses(&outcome), vec!["queued"; 250]);
    assert_eq!(standin.requests().len(), 0);
    let ids: Vec<String> = answers(&outcome)
        .iter()
        .map(|answer| answer["outbox_id"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.is_sorted(), "names sort in the order of the lines");
    assert_eq!(waiting(&sandbox), ids);
    flush(&sandbox).is_silent();
    for (at, member) in MEMBERS.iter().enumerate() {
        let numbers = (at..250).step_by(MEMBERS.len());
        let numbers: Vec<String> = numbers.map(|it| format!("number {it:03}")).collect();
        assert_eq!(texts(&standin, member), numbers, "{member}");
    }
    // One line among others may ask for the same.
    let input = [
        json!({"to": "lisi", "text": "now"}),
        json!({"to": "wangwu", "text": "later", "queue": true}),
    ];
    let outcome = batch(&sandbox, "", json_lines(input)).exits(0);
    assert_eq!(statuses(&outcome), ["sent", "queued"]);
}

#[test]
fn what_cannot_be_sent_is_kept_and_nothing_overtakes_it() {
    let faults = [refusal(60020), Fault::html(502), Fault::CutBefore];
    for_each(faults, |fault| {
        let (standin, sandbox) = set_up();
        sandbox.configure("outbox.merge = false");
        let given = fault.clone();
        standin.judge(move |request| (request.endpoint() == SEND).then(|| given.clone()));
        let input = numbered(60, &MEMBERS[..4]);
        let outcome = batch(&sandbox, "--timeout 1s", input.clone()).exits(0);
        assert_eq!(statuses(&outcome), vec!["queued"; 60], "{fault:?}");
        assert!(
            answers(&outcome)
                .iter()
                .all(|answer| answer["exit_code"] == 0)
        );
        assert!(
            answers(&outcome)[0]["error"].is_string(),
            "{}",
            outcome.stdout
        );
        assert_eq!(waiting(&sandbox).len(), 60);
        assert!(
            standin.count(SEND) < 20,
            "{fault:?}: {}",
            standin.count(SEND)
        );
        standin.mend();
        sandbox.wxpush("outbox flush --wait").exits(0);
        for (at, member) in MEMBERS[..4].iter().enumerate() {
            let numbers: Vec<String> = (at..60)
                .step_by(4)
                .map(|it| format!("number {it:03}"))
                .collect();
            assert_eq!(texts(&standin, member), numbers, "{member} {fault:?}");
        }
        // With nowhere to keep them, they are refused.
        standin.always(SEND, fault.clone());
        let outcome = batch(&sandbox, "--timeout 1s --no-outbox", numbered(20, &MEMBERS));
        assert_eq!(statuses(&outcome), vec!["refused"; 20], "{fault:?}");
        assert!(matches!(outcome.code, Some(75 | 77)), "{outcome:?}");
    });
}

#[test]
fn a_line_whose_answer_is_lost_is_kept_and_arrives_once() {
    for_each(
        [Fault::CutAfter, Fault::Truncated, Fault::HangProcessed],
        |fault| {
            let (standin, sandbox) = set_up();
            standin.company().phones.match_unflagged = true;
            let given = fault.clone();
            standin.judge(move |request| {
                let is_lost = String::from_utf8_lossy(&request.body).contains("lost");
                (request.endpoint() == SEND && is_lost).then(|| given.clone())
            });
            let line = |to: &str, text: &str| json!({"to": to, "text": text});
            let input = [line("lisi", "a"), line("wangwu", "lost"), line("lisi", "b")];
            let outcome = batch(&sandbox, "--timeout 2s", json_lines(input)).exits(0);
            assert_eq!(
                statuses(&outcome),
                ["sent", "queued", "sent"],
                "{outcome:?}"
            );
            standin.mend();
            sandbox.wxpush("outbox flush --wait").exits(0);
            assert_eq!(texts(&standin, "wangwu"), ["lost"], "{fault:?}");
            assert!(waiting(&sandbox).is_empty());
        },
    );
}

#[test]
fn what_is_kept_of_one_member_keeps_the_order_of_the_lines_with_keys_or_without() {
    let (_standin, sandbox) = set_up();
    let input = json_lines((0..50).map(|number| {
        let text = format!("number {number:03}");
        match number % 5 {
            0 => json!({"to": "lisi", "once": text, "text": text}),
            _ => json!({"to": "lisi", "text": text}),
        }
    }));
    let outcome = batch(&sandbox, "", input).exits(0);
    let ids = answers(&outcome)
        .iter()
        .filter_map(|answer| answer["outbox_id"].as_str().map(str::to_owned))
        .collect::<Vec<_>>();
    assert_eq!(ids.len(), 20);
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn past_the_rate_limit_lines_are_kept_and_others_are_not_held_up() {
    let (standin, sandbox) = set_up();
    let input = json_lines((0..100).map(|number| {
        let to = if number % 2 == 0 {
            "lisi"
        } else {
            MEMBERS[3 + number % 10]
        };
        json!({"to": to, "text": format!("{number:03}")})
    }));
    let outcome = batch(&sandbox, "", input).exits(0);
    let answers = answers(&outcome);
    let queued = answers.iter().filter(|answer| answer["status"] == "queued");
    assert_eq!(queued.count(), 20, "of fifty to lisi thirty go out");
    assert!(outcome.time < Duration::from_secs(25), "{outcome:?}");
    let read = texts(&standin, "lisi");
    assert_eq!(read.len(), 30);
    assert!(read.is_sorted(), "{read:?}");
}

#[test]
fn a_key_is_sent_once_within_a_batch_and_across_batches() {
    let (standin, sandbox) = set_up();
    standin.company().phones.match_unflagged = true;
    let line = |text: &str| json!({"to": "lisi", "once": "the key", "text": text});
    let input = json_lines([line("x"), line("x"), line("y")]);
    let outcome = batch(&sandbox, "", input.clone()).exits(0);
    assert_eq!(statuses(&outcome), ["sent", "duplicate", "duplicate"]);
    let outcome = batch(&sandbox, "", input.clone()).exits(0);
    assert_eq!(statuses(&outcome), ["duplicate"; 3]);
    let outcome = batch(&sandbox, "--accept-only", input).exits(0);
    assert_eq!(statuses(&outcome), ["duplicate"; 3]);
    sandbox
        .wxpush("send --once")
        .args(&["the key", "--to", "lisi", "z"])
        .is_silent();
    assert_eq!(texts(&standin, "lisi"), ["x"]);
    let kept = batch(&sandbox, "--accept-only", keyed(40, &MEMBERS)).exits(0);
    assert_eq!(statuses(&kept), vec!["queued"; 40]);
    // What is only kept is sent when it is asked for again, and not twice.
    let sent = batch(&sandbox, "", keyed(40, &MEMBERS)).exits(0);
    assert_eq!(statuses(&sent), vec!["sent"; 40]);
    assert!(waiting(&sandbox).is_empty());
    assert_eq!(standin.count(SEND), 41);
}

#[test]
fn quiet_hours_hold_lines_that_are_not_urgent() {
    let (standin, sandbox) = set_up();
    sandbox.configure("quiet = \"00:00-23:59\"");
    let line = |text: &str, urgent: bool| json!({"to": "lisi", "text": text, "urgent": urgent});
    let input = json_lines([line("quiet", false), line("urgent", true)]);
    let outcome = batch(&sandbox, "", input).exits(0);
    let minute = chrono::Local::now().format("%H:%M").to_string();
    if minute != "23:59" {
        assert_eq!(statuses(&outcome)[0], "queued");
        assert!(answers(&outcome)[0]["until"].is_string());
        assert_eq!(texts(&standin, "lisi").last().unwrap(), "urgent");
    }
}

#[test]
fn a_batch_asks_for_one_token_whatever_it_keeps() {
    let (standin, sandbox) = set_up();
    let outcome = batch(&sandbox, "", numbered(3 * WINDOW, &MEMBERS)).exits(0);
    assert_eq!(statuses(&outcome).len(), 3 * WINDOW);
    assert_eq!(standin.count(GETTOKEN), 1);
    assert!(standin.connections() <= 3);
}

#[test]
fn a_key_that_is_only_kept_is_a_duplicate_only_once_it_is_sent() {
    let (standin, sandbox) = set_up();
    let line = json!({"to": "lisi", "once": "the key", "text": "x"});
    let input = json_lines([line.clone(), line]);
    for _ in 0..2 {
        let outcome = batch(&sandbox, "--accept-only", input.clone()).exits(0);
        assert_eq!(statuses(&outcome), ["queued"; 2]);
        let kept = waiting(&sandbox);
        assert_eq!(kept.len(), 1);
        for answer in answers(&outcome) {
            assert_eq!(answer["outbox_id"], kept[0]);
        }
    }
    flush(&sandbox).is_silent();
    let outcome = batch(&sandbox, "--accept-only", input).exits(0);
    assert_eq!(statuses(&outcome), ["duplicate"; 2]);
    assert_eq!(texts(&standin, "lisi"), ["x"]);
}

#[test]
fn a_key_without_an_outbox_is_wrong_and_nothing_is_sent() {
    let (standin, sandbox) = set_up();
    let outcome = batch(&sandbox, "--no-outbox", keyed(2, &MEMBERS));
    assert_eq!(statuses(&outcome), ["invalid"; 2]);
    assert_eq!(standin.count(SEND), 0);
}

#[test]
fn two_profiles_of_one_app_keep_the_order_of_the_lines() {
    let (standin, sandbox) = set_up();
    sandbox.append("[profiles.other]\ntouser = \"wangwu\"\n");
    standin.judge(|request| {
        let is_first = request.endpoint() == SEND && request.json()["text"]["content"] == "first";
        is_first.then_some(Fault::Delay(Duration::from_millis(300)))
    });
    let input = json_lines([
        json!({"to": "member05", "text": "warm"}),
        json!({"to": "member06", "text": "warm", "profile": "other"}),
        json!({"to": "lisi", "text": "first"}),
        json!({"to": "lisi", "text": "second", "profile": "other"}),
    ]);
    let outcome = batch(&sandbox, "", input).exits(0);
    assert_eq!(statuses(&outcome), ["sent"; 4]);
    assert_eq!(texts(&standin, "lisi"), ["first", "second"]);
}

#[test]
fn a_key_that_may_have_arrived_is_refused_for_good() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    standin.always(WEBHOOK, Fault::CutAfter);
    let input = json_lines([json!({"robot": "ops", "once": "the key", "text": "x"})]);
    for _ in 0..4 {
        batch(&sandbox, "--timeout 1s", input.clone());
        sandbox.wxpush("outbox flush --wait --timeout 2s").run();
        if !failed(&sandbox).is_empty() {
            break;
        }
    }
    for args in ["", "--accept-only"] {
        let outcome = batch(&sandbox, args, input.clone()).exits(69);
        assert_eq!(statuses(&outcome), ["refused"], "{outcome:?}");
        let error = answers(&outcome)[0]["error"].to_string();
        assert!(
            error.contains("arrived") || error.contains("送达"),
            "{error}"
        );
    }
    assert_eq!(standin.count(WEBHOOK), 1);
}
