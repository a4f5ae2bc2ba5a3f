//! `wxpush recall`: what it takes back, and from whom it does not.

use std::time::Duration;

use serde_json::json;

use crate::standin::Fault;
use crate::support::{Fields, Sandbox, edit_token, second_app, second_profile, set_up, texts};

/// Sends, and says what WeCom calls the messages.
fn send(sandbox: &Sandbox, message: &str) -> Vec<String> {
    let send = sandbox.wxpush("--json send --to lisi,wangwu").arg(message);
    let sent = send.exits(0).json();
    let msgids = sent["msgids"].as_array().unwrap().iter();
    msgids
        .map(|msgid| msgid.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_message_vanishes_from_every_phone_and_no_other_does() {
    let (standin, sandbox) = set_up();
    send(&sandbox, "before");
    let msgid = send(&sandbox, "not this").remove(0);
    send(&sandbox, "behind");
    sandbox.wxpush("recall").arg(&msgid).is_silent();
    for member in ["lisi", "wangwu"] {
        assert_eq!(texts(&standin, member), ["before", "behind"]);
    }
    let request = standin.requests().pop().unwrap();
    assert_eq!(request.json(), serde_json::json!({"msgid": msgid}));
    // A long one is as many messages as it has parts.
    let parts = send(&sandbox, &"0123456789 ".repeat(400));
    assert_eq!(parts.len(), 3);
    for (number, msgid) in parts.iter().enumerate() {
        sandbox.wxpush("recall").arg(msgid).is_silent();
        assert_eq!(texts(&standin, "lisi").len(), 4 - number);
    }
}

#[test]
fn what_a_recall_does_not_reach_is_said_to_who_asks() {
    let (standin, sandbox) = set_up();
    let recall = |options: &str| {
        let msgid = send(&sandbox, "not this").remove(0);
        let run = sandbox
            .wxpush(&format!("{options} recall"))
            .arg(&msgid)
            .run();
        (msgid, run.exits(0))
    };
    let (_, outcome) = recall("-v");
    assert!(outcome.stdout.contains("微信插件"), "{}", outcome.stdout);
    let (msgid, outcome) = recall("--json");
    let shown = outcome.json();
    shown.has(json!({"status": "recalled", "msgid": msgid}));
    assert!(shown["note"].as_str().unwrap().contains("WeChat"));
    assert!(texts(&standin, "lisi").is_empty());
}

#[test]
fn what_is_not_the_apps_own_message_of_today_stays() {
    let (standin, sandbox) = set_up();
    let other = second_profile("p");
    sandbox.append(&other);
    second_app(&standin);
    let msgid = send(&sandbox, "stays").remove(0);
    let of_other = sandbox.wxpush("-p p recall").arg(&msgid).exits(65);
    of_other
        .says("errcode 40058")
        .says("a recall must use the app that sent the message");
    let unknown = sandbox.wxpush("recall no-such-msgid").exits(65);
    unknown.says("errcode 40058");
    standin.advance(Duration::from_hours(25));
    edit_token(&sandbox, |record| {
        record["obtained_at"] = (record["obtained_at"].as_u64().unwrap() - 7200).into();
    });
    let late = sandbox.wxpush("--json recall").arg(&msgid).exits(65);
    assert_eq!(late.json()["exit_code"], 65);
    late.says("errcode 42052").says("24");
    assert_eq!(texts(&standin, "lisi"), ["stays"]);
}

#[test]
fn what_cannot_be_a_msgid_is_refused_before_anything_leaves() {
    let (standin, sandbox) = set_up();
    for msgid in ["", "a b", "消息", "a\nb"] {
        let outcome = sandbox.wxpush("recall").arg(msgid).exits(64);
        outcome.says("msgid");
    }
    sandbox.wxpush("recall").exits(64);
    assert!(standin.requests().is_empty());
    // One may begin as an option does.
    sandbox
        .wxpush("recall -abc")
        .exits(65)
        .says("errcode 40058");
    standin.script("/cgi-bin/message/recall", [Fault::Body("words".to_owned())]);
    sandbox.wxpush("recall abc").exits(75).says("not WeCom's");
}
