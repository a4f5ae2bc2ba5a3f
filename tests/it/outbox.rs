//! The outbox: what is kept, what is not, when it goes and in which order.

use std::time::Duration;

use chrono::Utc;
use serde_json::json;

use crate::standin::{AGENTID, Fault, SECRET, Standin};
use crate::support::leaks::reversed;
use crate::support::{
    Fields, GETTOKEN, SEND, Sandbox, Words, at_a_terminal, await_count, bodies, config,
    edit_attempts, emptied, failed, flush, for_each, keep, names_in, one_by_one, redirected,
    refusal, script, second_app, second_profile, set_up, texts, waiting,
};

#[test]
fn what_a_dead_network_holds_up_is_kept_and_goes_when_it_is_back() {
    // An address of its own: no other test is given the port meanwhile.
    let standin = Standin::start_at("127.0.9.1:0").unwrap();
    let (base, sandbox) = (standin.base(), Sandbox::of(&standin));
    let address = base.replace("http://", "");
    drop(standin);
    let program = sandbox.path("wxpush").display().to_string();
    let config = sandbox.path("config.toml").display().to_string();
    let named = format!("{program} -c {config} outbox flush");
    for (text, option, line) in [
        ("one", None, format!("{program} outbox flush")),
        ("two", Some(&*config), named),
    ] {
        let mut run = sandbox.wxpush("send --to lisi --timeout 1s").arg(text);
        if let Some(config) = option {
            run = run.args(&["-c", config]);
        }
        let outcome = run.exits(75);
        let id = waiting(&sandbox).pop().unwrap();
        let outcome = outcome.says(&format!("was not sent, and is kept in the outbox ({id}): "));
        let outcome = outcome.says("no need to resend");
        let outcome = outcome.says(&format!(
            "crontab line retries each minute: * * * * * {line}\n"
        ));
        assert_eq!((outcome.stderr.lines().count(), &*outcome.stdout), (2, ""));
    }
    // For cron: it was reported once.
    assert_eq!(flush(&sandbox).exits(75).stderr, "");
    assert_eq!(waiting(&sandbox).len(), 2);
    let standin = Standin::start_at(&address).unwrap();
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi"), ["one", "two"]);
    assert_eq!(emptied(&sandbox), ["failed"]);
    flush(&sandbox).is_silent();
    assert_eq!(standin.count(SEND), 2, "delivered is delivered");
}

/// What lisi reads, but for the line that says when it was accepted: what is old has been overtaken.
fn marked(standin: &Standin) -> Vec<String> {
    let mut texts = texts(standin, "lisi").into_iter();
    let new = texts.next();
    let old = texts.map(|text| {
        let (mark, text) = text.split_once('\n').expect("a mark");
        assert!(mark.starts_with("[迟到] "), "{mark}");
        text.to_owned()
    });
    new.into_iter().chain(old).collect()
}

#[test]
fn a_send_delivers_its_own_message_and_then_ten_of_the_oldest() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    let old: Vec<String> = (0..12).map(|number| format!("old{number:02}")).collect();
    for text in &old {
        keep(&standin, &sandbox, &format!("send --to lisi {text}"));
    }
    sandbox.wxpush("send --to lisi new").is_silent();
    let landed = marked(&standin);
    assert_eq!((&*landed[0], &landed[1..]), ("new", &old[..10]));
    assert_eq!(waiting(&sandbox).len(), 2);
    sandbox.wxpush("send --to wangwu newer").is_silent();
    assert_eq!(marked(&standin)[1..], old);
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn a_message_that_cannot_go_now_leaves_the_backlog_alone_and_a_bad_one_does_not() {
    for (fault, code, is_tried) in [
        (refusal(60020), 77, false),
        (refusal(45009), 75, false),
        (Fault::retry_after(503, "600"), 75, false),
        (refusal(44004), 65, true),
        (refusal(81013), 69, true),
    ] {
        let (standin, sandbox) = set_up();
        let old = keep(&standin, &sandbox, "send old");
        standin.script(SEND, [fault]);
        sandbox.send("new").exits(code);
        assert_eq!(standin.count(SEND), 2 + usize::from(is_tried), "{code}");
        assert_eq!(waiting(&sandbox).contains(&old), !is_tried, "{code}");
        assert_eq!(failed(&sandbox).len(), usize::from(is_tried), "{code}");
    }
}

#[test]
fn what_goes_out_is_kept_before_it_leaves_and_gone_when_it_has_arrived() {
    let (standin, sandbox) = set_up();
    standin.script(SEND, [Fault::Hang]);
    let mut started = sandbox.send("x").start();
    await_count(&standin, SEND, 1);
    assert_eq!(waiting(&sandbox).len(), 1);
    started.child.kill().unwrap();
    started.wait();
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi"), ["x"]);
    assert_eq!(emptied(&sandbox), ["failed"]);
    let last = &bodies(&standin)[1];
    assert_eq!(last["enable_duplicate_check"], 1, "it may have arrived");
}

#[test]
#[ignore = "needs script, of util-linux"]
fn what_the_set_up_forbids_is_kept_unless_its_sender_sits_there() {
    let (standin, sandbox) = set_up();
    standin.always(SEND, refusal(60020));
    let shown = at_a_terminal(&sandbox, "send x").exits(77).stdout;
    shown.shows("the message was not sent and is not kept: ");
    assert!(waiting(&sandbox).is_empty() && failed(&sandbox).is_empty());
    standin.always(SEND, refusal(45009));
    let outcome = at_a_terminal(&sandbox, "send x").exits(75);
    assert!(outcome.stdout.contains(", and is kept in the outbox ("));
    assert_eq!(waiting(&sandbox).len(), 1);
}

#[test]
fn a_mended_set_up_mends_what_was_kept_under_the_wrong_one() {
    let agentid = AGENTID.to_string();
    for (right, wrong) in [(&*agentid, "7"), (SECRET, &reversed())] {
        let (standin, sandbox) = set_up();
        let config = sandbox.read("config.toml");
        sandbox.write("config.toml", config.replace(right, wrong));
        let outcome = sandbox.send("x").exits(77);
        outcome.says("no need to resend, it goes out when that is corrected");
        assert_eq!(flush(&sandbox).exits(77).stderr, "");
        let outcome = sandbox.wxpush("outbox flush -v").exits(77);
        outcome.says("1 stay in the outbox: ");
        sandbox.write("config.toml", &config);
        flush(&sandbox).is_silent();
        assert_eq!(texts(&standin, "lisi"), ["x"]);
        let last = bodies(&standin).pop().unwrap();
        assert_eq!(last["agentid"], AGENTID, "of the day it goes on");
    }
}

#[test]
fn a_flush_serves_every_profile_of_its_config() {
    let (standin, sandbox) = set_up();
    second_app(&standin);
    sandbox.append(&second_profile("ops"));
    keep(&standin, &sandbox, "send of-the-first");
    keep(&standin, &sandbox, "send -p ops of-the-second");
    flush(&sandbox).is_silent();
    let landed = standin.company().phone("lisi");
    let landed: Vec<_> = landed.iter().map(|it| (it.agentid, &*it.text)).collect();
    assert_eq!(landed, [(AGENTID, "of-the-first"), (7, "of-the-second")]);
}

#[test]
fn who_wants_nothing_kept_keeps_nothing() {
    for (option, line) in [("--no-outbox", ""), ("-q", "outbox.enabled = false")] {
        let (standin, sandbox) = set_up();
        sandbox.configure(line);
        for (code, exit) in [(45009, 75), (60020, 77), (44004, 65)] {
            standin.script(SEND, [refusal(code)]);
            let run = sandbox.wxpush("send --json x").arg(option);
            let outcome = run.exits(exit);
            let result = outcome.json();
            result.has(json!({"status": "failed", "outbox_id": null}));
            if exit != 65 {
                outcome.says("the message was not sent and is not kept: ");
            }
        }
        assert!(!sandbox.path("outbox").exists(), "{option} {line}");
        flush(&sandbox).is_silent();
    }
}

#[test]
fn the_parts_that_are_left_go_in_their_order_and_none_twice() {
    let (standin, sandbox) = set_up();
    let none = Fault::Delay(Duration::ZERO);
    standin.script(SEND, [none.clone(), none.clone(), refusal(60020)]);
    let run = sandbox.wxpush("send --json --long split --to lisi");
    let outcome = run.stdin("x".repeat(5 * 2000)).exits(77);
    let (result, id) = (outcome.json(), waiting(&sandbox).remove(0));
    result.has(json!({"status": "queued", "outbox_id": id}));
    assert_eq!(result["msgids"].as_array().unwrap().len(), 2);
    outcome.says("parts 3 to 5 of 5 were not sent (parts 1 to 2 were), and are kept in");
    // A flush is held up in its turn, and another one is killed while part 4 is on its way.
    standin.script(SEND, [none, Fault::Hang]);
    let mut started = sandbox.wxpush("outbox flush").start();
    await_count(&standin, SEND, 5);
    started.child.kill().unwrap();
    started.wait();
    flush(&sandbox).is_silent();
    let landed = texts(&standin, "lisi");
    let marks: Vec<&str> = landed.iter().map(|text| &text[..5]).collect();
    assert_eq!(marks, ["(1/5)", "(2/5)", "(3/5)", "(4/5)", "(5/5)"]);
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn who_asks_for_patience_gets_it() {
    let minute = 60_000;
    for (fault, least, most) in [
        (refusal(45009), minute, minute),
        (Fault::retry_after(503, "120"), 2 * minute, 2 * minute),
        (Fault::retry_after(429, "1000000000"), minute, 60 * minute),
    ] {
        let (standin, sandbox) = set_up();
        standin.script(SEND, [fault.clone()]);
        let before = Utc::now().timestamp_millis();
        sandbox.send("x").exits(75);
        let after = Utc::now().timestamp_millis();
        assert_eq!(flush(&sandbox).exits(75).stderr, "");
        assert_eq!(standin.count(SEND), 1, "{fault:?}");
        edit_attempts(&sandbox, &waiting(&sandbox)[0], |attempts| {
            let until = attempts["hold"]["until"].as_str().unwrap();
            let at = until.split('@').next().unwrap().parse().unwrap();
            assert!((before + least..=after + most).contains(&at), "{fault:?}");
            attempts["hold"] = json!({"until": before - 1, "on": "app"});
        });
        flush(&sandbox).is_silent();
        assert_eq!(texts(&standin, "lisi"), ["x"]);
    }
}

#[test]
fn output_that_goes_nowhere_costs_no_message() {
    for redirection in ">/dev/full;| true;2>/dev/full;2>&1 | true;>&- 2>&-".split(';') {
        let (standin, sandbox) = set_up();
        standin.script(SEND, [refusal(60020)]);
        let send = "--json send --to lisi words";
        redirected(&sandbox, send, redirection).exits(77);
        assert_eq!(waiting(&sandbox).len(), 1, "{redirection}");
        let code = if redirection == ">/dev/full" { 74 } else { 0 };
        let flush = "-vv --json outbox flush";
        redirected(&sandbox, flush, redirection).exits(code);
        assert_eq!(texts(&standin, "lisi"), ["words"], "{redirection}");
        assert_eq!(emptied(&sandbox), ["failed"], "{redirection}");
    }
}

#[test]
fn where_nothing_can_be_kept_the_message_goes_or_is_said_to_be_lost() {
    let (standin, sandbox) = set_up();
    sandbox.write("outbox", "in the way");
    let outcome = sandbox.send("x").exits(0);
    outcome.says("the outbox cannot be used, the message was sent without it");
    standin.always(GETTOKEN, refusal(60020));
    standin.always(SEND, refusal(45009));
    let outcome = sandbox.send("y").exits(73);
    outcome.says("the message was not sent and is LOST, since nothing can be kept either (");
    // Nobody knows whether it is lost.
    standin.always(SEND, Fault::HangProcessed);
    let run = || sandbox.wxpush("send --to lisi --timeout 1s z");
    let english = run().exits(73).says("may or may not have arrived");
    english.stderr.lacks("LOST");
    let chinese = run().in_chinese().exits(73);
    chinese.says("可能已送达，也可能没有").stderr.lacks("丢失");
    standin.mend();
    let config = config(&standin.base());
    sandbox.write("config.toml", config);
    let outcome = script(&sandbox, &[], "exec \"$0\" outbox flush").run();
    outcome.exits(73).says("the outbox ");
}

#[test]
fn what_is_said_to_be_kept_is_there_though_the_outbox_was_removed_meanwhile() {
    // What is done to the outbox while a message is under way, and the exit code after it.
    let removals = [
        ("rm -r outbox", 75),
        ("rm outbox/2*", 75),
        ("mv outbox elsewhere", 75),
        ("rm -r outbox; echo > outbox", 73),
        ("true", 75),
    ];
    for_each(removals, |(removal, code)| {
        let standin = Standin::start();
        standin.company().phones.match_unflagged = true;
        let sandbox = Sandbox::of(&standin);
        sandbox.write("report.txt", "bytes of a file");
        let file = sandbox.path("report.txt").display().to_string();
        standin.always(SEND, Fault::HangProcessed);
        let run = sandbox.wxpush("--json send --to lisi --timeout 4s --file");
        let started = run.args(&[&file, "words"]).start();
        await_count(&standin, SEND, 1);
        script(&sandbox, &[], &format!("cd \"$1\" && {removal}")).exits(0);
        let outcome = started.wait().exits(code);
        let json = outcome.json();
        if code == 75 {
            let ids = waiting(&sandbox);
            assert_eq!(ids.len(), 1, "{removal}");
            assert_eq!(json["outbox_id"], ids[0].as_str(), "{removal}");
            assert!(outcome.stderr.contains(&ids[0]), "{removal}");
            standin.mend();
            flush(&sandbox).is_silent();
            assert_eq!(texts(&standin, "lisi").len(), 2, "{removal}: once");
            assert_eq!(standin.company().media.uploads.len(), 1, "{removal}");
        } else {
            assert!(json["outbox_id"].is_null(), "{removal}");
        }
        // Nothing is left to go out a second time.
        if removal.starts_with("mv") {
            assert_eq!(names_in(&sandbox.path("elsewhere")), ["failed"]);
        }
    });
}
