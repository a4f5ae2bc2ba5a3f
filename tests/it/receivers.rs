//! More receivers than one request takes, and requests whose receivers are not there.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::standin::Standin;
use crate::support::{
    Fields, SEND, UPLOAD, bodies, config, failed, flush, hire, png, refusal, set_up, take_on,
    waiting, with_robot,
};

/// As many names as one request does not take, of members who are there.
fn crowd(standin: &Standin, count: usize) -> String {
    hire(standin, count).join(",")
}

/// What stands in a list of all requests, in order.
fn named(standin: &Standin, list: &str) -> Vec<String> {
    let bodies = bodies(standin);
    let lists = bodies.iter().filter_map(|body| body[list].as_str());
    let names = lists.flat_map(|list| list.split('|'));
    names.map(str::to_owned).collect()
}

fn numbers(count: usize) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

#[test]
fn receivers_past_wecoms_limits_go_in_several_requests_with_one_result() {
    let (standin, sandbox) = set_up();
    let members = hire(&standin, 2500);
    let (parties, tags) = (numbers(250), numbers(300));
    let run = sandbox
        .wxpush("send --json hello --to")
        .arg(members.join(","));
    let run = run.args(&["--party", &parties.join(","), "--tag", &tags.join(",")]);
    let outcome = run.exits(67);
    let sent = bodies(&standin);
    assert_eq!(sent.len(), 3);
    for (list, names, most) in [
        ("touser", &members, 1000),
        ("toparty", &parties, 100),
        ("totag", &tags, 100),
    ] {
        assert_eq!(&named(&standin, list), names, "{list}: each once, in order");
        let lists = sent.iter().filter_map(|body| body[list].as_str());
        let most_named = lists.map(|it| it.split('|').count()).max();
        assert!(most_named <= Some(most), "{list}: {most_named:?}");
    }
    let result = outcome.json();
    // The company has three parties and two tags: the others are reported, once each.
    let unreached =
        |list: &str| -> Vec<String> { serde_json::from_value(result[list].clone()).unwrap() };
    result.has(json!({"status": "partial", "parts": 3}));
    assert_eq!(result["msgids"].as_array().unwrap().len(), 3);
    let strange: Vec<String> = unreached("invalidparty");
    assert_eq!(strange.iter().collect::<BTreeSet<_>>().len(), strange.len());
    assert!(strange.contains(&"250".to_owned()) && !strange.contains(&"1".to_owned()));
    assert!(unreached("invaliduser").is_empty());
    for member in [&members[0], &members[999], &members[1000], &members[2499]] {
        assert!(!standin.company().phone(member).is_empty(), "{member}");
    }
    assert_eq!(waiting(&sandbox).len() + failed(&sandbox).len(), 0);
}

#[test]
fn a_file_for_a_crowd_is_uploaded_once_and_each_gets_caption_and_file_once() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    sandbox.write("a.png", png());
    let names = crowd(&standin, 2500);
    let run = sandbox.wxpush("send words --json --to").arg(&names);
    let run = run.arg("--image").arg(sandbox.path("a.png"));
    standin.script(SEND, [refusal(60020)]);
    run.exits(77);
    let entry = fs::read(sandbox.path(&format!("outbox/{}", waiting(&sandbox)[0]))).unwrap();
    let entry = String::from_utf8_lossy(&entry);
    assert_eq!(entry.matches("FILE image").count(), 1, "for all of them");
    sandbox.wxpush("outbox drop --all").exits(0);
    let run = sandbox.wxpush("send words --json --to").arg(&names);
    let run = run.arg("--image").arg(sandbox.path("a.png"));
    let result = run.exits(0).json();
    result.has(json!({"status": "sent", "parts": 6}));
    assert_eq!(standin.count(UPLOAD), 1);
    for member in names.split(',') {
        let company = standin.company();
        let phone = company.phone(member);
        let texts: Vec<_> = phone.iter().map(|it| &*it.text).collect();
        assert_eq!(texts, ["words", "[图片]"], "{member}");
    }
}

#[test]
fn of_several_requests_one_whose_receivers_are_not_there_holds_up_no_other() {
    let nobody: Vec<String> = (0..1000).map(|it| format!("nobody{it}")).collect();
    for place in 0..3 {
        let (standin, sandbox) = set_up();
        let members = hire(&standin, 2000);
        let mut lists: Vec<Vec<String>> = members.chunks(1000).map(<[_]>::to_vec).collect();
        lists.insert(place, nobody.clone());
        // The last request has fewer than it takes.
        lists.last_mut().unwrap().truncate(500);
        let strange = lists[place].clone();
        let run = sandbox.wxpush("send hello --json --to");
        let outcome = run.arg(lists.concat().join(",")).exits(67);
        let result = outcome.json();
        assert_eq!(result["status"], "partial", "{place}");
        assert_eq!(result["invaliduser"], json!(strange), "{place}");
        assert_eq!((&result["parts"], standin.count(SEND)), (&json!(3), 3));
        let msgids = result["msgids"].as_array().unwrap();
        assert_eq!(msgids.len(), 2, "of what WeCom accepted: {msgids:?}");
        for member in lists.concat().iter().filter(|it| !strange.contains(it)) {
            assert_eq!(standin.company().phone(member).len(), 1, "{member}");
        }
        assert_eq!(waiting(&sandbox).len() + failed(&sandbox).len(), 0);
    }
}

#[test]
fn where_nobody_at_all_is_there_nothing_was_sent_and_nothing_is_in_doubt() {
    let (standin, sandbox) = set_up();
    let names: Vec<String> = (0..2500).map(|number| format!("nobody{number}")).collect();
    let run = sandbox.wxpush("send hello --json --to");
    let outcome = run.arg(names.join(",")).exits(69);
    let result = outcome.json();
    result.has(json!({"status": "failed", "errcode": 81013, "msgids": []}));
    assert!(!outcome.stderr.contains("were)"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("may"), "{}", outcome.stderr);
    assert!(waiting(&sandbox).is_empty());
    let shown = sandbox.wxpush("outbox list --json").exits(0).json();
    shown.has(json!({"in_doubt": false, "sent": 0}));
    // They are taken on, and it goes to all of them.
    take_on(&standin, &names);
    sandbox.wxpush("outbox retry --all").exits(0);
    flush(&sandbox).exits(0);
    for name in &names {
        assert_eq!(standin.company().phone(name).len(), 1, "{name}");
    }
}

#[test]
fn everyone_is_meant_only_where_everyone_is_named() {
    let (standin, sandbox) = set_up();
    let last = || bodies(&standin).pop().unwrap();
    for (lines, args, touser, toparty) in [
        ("", "", Some("@all"), None),
        ("touser = \"@all\"", "", Some("@all"), None),
        ("touser = \"lisi\"", "", Some("lisi"), None),
        ("toparty = \"2\"", "", None, Some("2")),
        ("", "--to lisi", Some("lisi"), None),
        ("", "--party 2", None, Some("2")),
        ("touser = \"@all\"", "--party 2", None, Some("2")),
        ("touser = \"lisi\"", "--to @all", Some("@all"), None),
        ("", "--to lisi,@all --party 2", Some("@all"), None),
    ] {
        let rest = config(&standin.base());
        sandbox.write("config.toml", format!("{lines}\n{rest}"));
        sandbox.wxpush(&format!("send {args} x")).exits(0);
        let named = |list: &str| last().get(list).and_then(Value::as_str).map(str::to_owned);
        assert_eq!(named("touser").as_deref(), touser, "{lines} {args}");
        assert_eq!(named("toparty").as_deref(), toparty, "{lines} {args}");
        assert!(last().get("totag").is_none() && last().get("chatid").is_none());
    }
    let run = sandbox.wxpush("send --to ,, --party").args(&["", "x"]);
    run.exits(64).says("name nobody");
    sandbox.wxpush("send x --to").arg("").exits(64);
}
