//! `wxpush outbox` as a person and a script use it.

use std::fs;

use serde_json::{Value, json};

use crate::standin::{AGENTID, CORPID, Standin};
use crate::support::{
    Fields, SEND, Sandbox, Words, await_count, bodies, emptied, failed, flush, keep, names_in,
    refusal, set_up, texts, waiting,
};

/// Lists the outbox for a script.
fn list(sandbox: &Sandbox) -> Vec<Value> {
    let outcome = sandbox.wxpush("outbox list --json").exits(0);
    let lines = outcome.stdout.lines().map(serde_json::from_str);
    lines.map(Result::unwrap).collect()
}

#[test]
fn what_is_refused_for_good_lies_among_the_failed_and_can_be_put_back() {
    for (code, exit) in [(44004, 65), (81013, 69), (40003, 69)] {
        let (standin, sandbox) = set_up();
        standin.script(SEND, [refusal(code)]);
        let outcome = sandbox.wxpush("send --json --to lisi x").exits(exit);
        let (result, id) = (outcome.json(), failed(&sandbox).remove(0));
        result.has(json!({"status": "failed", "outbox_id": id}));
        outcome.says(&format!("was not sent and is in outbox/failed ({id}): "));
        let why = sandbox.read(&format!("outbox/failed/{id}.why"));
        let why: Value = serde_json::from_str(&why).unwrap();
        why.has(json!({"errcode": code, "exit_code": exit}));
        assert_eq!(why["errmsg"], "what WeCom says");
        let shown = &list(&sandbox)[0];
        shown.has(json!({"status": "failed", "errcode": code}));
        flush(&sandbox).is_silent();
        assert_eq!(standin.count(SEND), 1, "it is not tried by itself");

        sandbox.wxpush("outbox retry").arg(&id[9..]).is_silent();
        assert_eq!(waiting(&sandbox).concat(), id);
        assert_eq!(failed(&sandbox), [""; 0]);
        assert_eq!(names_in(&sandbox.path("outbox/failed")), [""; 0]);
        flush(&sandbox).is_silent();
        assert_eq!(texts(&standin, "lisi"), ["x"]);
    }
}

#[test]
fn what_a_flush_has_refused_it_says_and_the_others_go() {
    let (standin, sandbox) = set_up();
    for text in ["bad", "damaged", "good"] {
        keep(&standin, &sandbox, &format!("send --to lisi {text}"));
    }
    let ids = waiting(&sandbox);
    let path = format!("outbox/{}", ids[1]);
    sandbox.write(&path, sandbox.read(&path).replace("damaged", "Damaged"));
    standin.script(SEND, [refusal(81013)]);
    let outcome = flush(&sandbox).exits(0);
    let outcome = outcome.says(&format!("{} was refused, and is in failed/ now: ", ids[0]));
    outcome.says(&format!(
        "{} is damaged: it was not sent, and is in",
        ids[1]
    ));
    assert_eq!(texts(&standin, "lisi"), ["good"]);
    assert_eq!(waiting(&sandbox), [""; 0]);
    assert_eq!(failed(&sandbox), ids[..2].to_vec());
    let outcome = sandbox.wxpush("outbox retry").arg(&ids[1]).exits(65);
    outcome.says(&ids[1]).says("wxpush outbox drop");
}

#[test]
fn the_list_and_each_message_are_shown_to_people_and_scripts() {
    let (standin, sandbox) = set_up();
    assert_eq!(list(&sandbox), [json!(null); 0]);
    sandbox.wxpush("outbox list").is_silent();
    standin.script(SEND, [refusal(81013)]);
    sandbox.send("nobody").exits(69);
    let id = keep(&standin, &sandbox, "send --to lisi -e first\\nsecond");
    let shown = list(&sandbox);
    assert_eq!(shown.len(), 2);
    shown[0].has(json!({
        "id": id, "status": "waiting", "corpid": CORPID, "profile": null, "msgtype": "text",
        "text": "first\nsecond", "parts": 1, "sent": 0, "tries": 1, "in_doubt": false,
    }));
    assert!(shown[0]["due"].is_string() && shown[0]["error"].as_str().unwrap().contains("60020"));
    shown[1].has(json!({"status": "failed", "due": null, "exit_code": null}));

    let lines = sandbox.wxpush("outbox list").exits(0).stdout;
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines[0].starts_with(&format!("{id}  waiting  due ")) && lines[0].ends_with("  first"));
    assert!(lines[1].starts_with("    ") && lines[1].contains("60020"));
    lines[2].shows("  failed  ");
    lines[3].shows("81013");

    // Any part of an ID will do that no other has.
    let run = sandbox.wxpush("outbox show").arg(&id[id.len() - 8..]).run();
    let whole = run.exits(0).stdout;
    assert!(whole.ends_with("--- part 1 of 1\nfirst\nsecond\n"));
    let run = sandbox.wxpush("outbox show --json").arg(&id).exits(0);
    let body = &run.json()["requests"][0]["body"];
    assert_eq!(body["text"]["content"], "first\nsecond");
    assert_eq!(body.get("agentid"), None, "that is the day's");
    for (part, words) in [("Z-", "2 messages"), ("zz", "wxpush outbox list")] {
        let run = sandbox.wxpush("outbox show").arg(part);
        run.exits(65).says(words);
    }
    assert_eq!(standin.count(SEND), 2, "looking sends nothing");
}

#[test]
fn what_is_dropped_is_gone() {
    let (standin, sandbox) = set_up();
    let ids = (0..4).map(|number| keep(&standin, &sandbox, &format!("send number{number}")));
    let ids: Vec<String> = ids.collect();
    standin.script(SEND, [refusal(81013)]);
    // The first is tried, and lies among the failed now; the set-up stops the rest.
    standin.always(SEND, refusal(60020));
    let before = standin.count(SEND);
    flush(&sandbox).exits(77);
    assert_eq!(standin.count(SEND), before + 2);
    let run = sandbox
        .wxpush("outbox drop --json")
        .args(&[&ids[0], &ids[1]]);
    let dropped = json!({"id": ids[0], "status": "dropped"}).to_string();
    assert!(run.exits(0).stdout.starts_with(&dropped));
    assert!(failed(&sandbox).is_empty());
    assert_eq!(waiting(&sandbox), ids[2..]);
    sandbox.wxpush("outbox drop").exits(64);
    sandbox.wxpush("outbox drop --all").is_silent();
    assert_eq!(emptied(&sandbox), ["failed"]);
    standin.mend();
    let before = standin.count(SEND);
    flush(&sandbox).is_silent();
    assert_eq!(standin.count(SEND), before);
}

#[test]
fn what_is_for_another_app_is_told_and_left_until_a_person_decides() {
    let (standin, sandbox) = set_up();
    let right = sandbox.read("config.toml");
    let elsewhere = right.replace(&standin.base(), &Standin::refuse());
    for (wrong, code) in [
        (right.replace(CORPID, "wwfedcba9876543210"), 77),
        (elsewhere, 75),
    ] {
        sandbox.write("config.toml", wrong);
        sandbox.wxpush("send --timeout 1s x").exits(code);
    }
    sandbox.write("config.toml", right);
    let (ids, before) = (waiting(&sandbox), standin.count(SEND));
    let outcome = sandbox.wxpush("outbox flush --json").exits(75);
    outcome.json().has(json!({"others": 2, "left": 0}));
    outcome.says("corpid wwfedcba9876543210 at http");
    // Cron mails what is printed: not every minute the same.
    assert_eq!(flush(&sandbox).exits(75).stderr, "");
    assert_eq!(standin.count(SEND), before);
    assert_eq!(waiting(&sandbox), ids);
    let listed = list(&sandbox);
    assert!(listed.iter().all(|it| it["status"] == "other-app"));
    for (at, id) in ids.iter().enumerate() {
        sandbox.wxpush("outbox retry").arg(id).is_silent();
        // That fewer are left is news, too.
        flush(&sandbox).exits(if at == 0 { 75 } else { 0 });
        assert_eq!(standin.count(SEND), before + at + 1, "{id}");
    }
    assert_eq!(texts(&standin, "lisi"), ["x", "x"]);
    assert_eq!(bodies(&standin).pop().unwrap()["agentid"], AGENTID);
}

#[test]
fn a_flush_that_waits_ends_when_all_is_delivered() {
    let (standin, sandbox) = set_up();
    sandbox.wxpush("outbox flush --wait").is_silent();
    for text in ["one", "two"] {
        keep(&standin, &sandbox, &format!("send --to lisi {text}"));
    }
    // Whatever the trouble: a person waits for it to end.
    standin.script(SEND, [refusal(6000), refusal(60020)]);
    let before = standin.count(SEND);
    let started = sandbox.wxpush("outbox flush --wait").start();
    await_count(&standin, SEND, before + 1);
    started.wait().is_silent();
    assert_eq!(texts(&standin, "lisi"), ["one", "two"]);
    assert_eq!(standin.count(SEND), before + 4);
    assert_eq!(emptied(&sandbox), ["failed"]);
}

#[test]
fn a_flush_leaves_alone_what_is_none_of_ours_and_says_what_it_is() {
    let (standin, sandbox) = set_up();
    let id = keep(&standin, &sandbox, "send newer");
    let path = format!("outbox/{id}");
    let newer = sandbox.read(&path).replacen("outbox 1", "outbox 3", 1);
    sandbox.write(&path, newer);
    let (link, victim) = (format!("{}aaaaaaaa", &id[..id.len() - 8]), "outbox/notes");
    sandbox.write(victim, "mine");
    std::os::unix::fs::symlink("notes", sandbox.path(&format!("outbox/{link}"))).unwrap();
    let outcome = sandbox.wxpush("outbox flush --json -v").exits(75);
    assert_eq!(outcome.json()["strange"], 3);
    assert!(fs::symlink_metadata(sandbox.path(&format!("outbox/{link}"))).is_ok());
    assert_eq!(sandbox.read(victim), "mine");
    assert_eq!(waiting(&sandbox).len(), 2);
    let log = sandbox.read("wxpush.log");
    for what in [&*id, &link, "notes"] {
        let is_warning = |line: &str| line.contains(" WARN ") && line.contains(what);
        assert!(log.lines().any(is_warning), "{what}: {log}");
    }
}
