//! Group robots: what a config needs for one, its pace, its backlog, its refusals.

use serde_json::{Value, json};

use crate::standin::{Fault, ROBOT_KEY, Request, Robot, Standin};
use crate::support::leaks::conceal;
use crate::support::{
    Fields, GETTOKEN, Sandbox, WEBHOOK, Words, alone, at_once, config, edit_attempts, failed,
    flush, for_each, padded, pdf, png, refusal, robot, waiting, with_robot,
};

/// The texts in the robot's group.
fn group(standin: &Standin) -> Vec<String> {
    let company = standin.company();
    let landed = company.group(ROBOT_KEY).iter();
    landed.map(|landed| landed.text.clone()).collect()
}

#[test]
fn a_robot_needs_nothing_but_its_key() {
    let standin = Standin::start();
    let base = standin.base();
    let in_file = "[robots.ops]\nkey_file = \"robot.key\"\n";
    let profile = format!("{}[profiles.night]\nprefix = \"[night] \"\n", robot());
    for (lines, args, landed) in [
        (robot(), "send --robot ops hello", "hello"),
        (in_file.to_owned(), "send --robot ops hello", "hello"),
        (profile, "send -p night --robot ops hello", "[night] hello"),
    ] {
        let sandbox = Sandbox::empty();
        sandbox.write("robot.key", format!("{ROBOT_KEY}\n"));
        sandbox.write("config.toml", alone(&base, &lines));
        sandbox.wxpush(args).is_silent();
        assert_eq!(group(&standin).pop().unwrap(), landed);
        let result = sandbox.wxpush(args).arg("--json").exits(0).json();
        let rest = json!({"status": "sent", "errcode": 0, "errmsg": "ok", "parts": 1, "msgids": result["msgids"],
            "invaliduser": [], "invalidparty": [], "invalidtag": [], "unlicenseduser": [], "outbox_id": null});
        assert_eq!(result, rest);
    }
    assert_eq!(standin.count(GETTOKEN), 0);
    let webhooks = standin.requests();
    let is_bare = |it: &Request| it.query["key"] == ROBOT_KEY && it.query.len() == 1;
    assert!(webhooks.iter().all(is_bare));
}

#[test]
fn twenty_a_minute_go_and_what_is_more_waits_in_the_outbox() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    // Two names of one robot have one minute.
    let config = sandbox.read("config.toml");
    let twin = robot().replace("ops", "twin");
    sandbox.write("config.toml", format!("{config}{twin}"));
    for number in 0..20 {
        let name = ["ops", "twin"][number % 2];
        // What a robot refuses counts as well.
        let fault = [Fault::Delay(Default::default()), refusal(40058)];
        standin.script(WEBHOOK, [fault[usize::from(number < 4)].clone()]);
        let send = format!("send --robot {name} number {number}");
        sandbox.wxpush(&send).exits(if number < 4 { 65 } else { 0 });
    }
    assert_eq!(group(&standin).len(), 16);
    let send = "send --timeout 5s --robot ops more";
    let outcome = sandbox.wxpush(send).exits(75);
    outcome.says("kept in the outbox");
    // Nothing is asked that would be refused.
    assert_eq!(standin.count(WEBHOOK), 20);
    assert_eq!(waiting(&sandbox).len(), 1);
    let listed = sandbox.wxpush("outbox list --json").exits(0).stdout;
    let shown = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let shown: Vec<_> = shown.filter(|it| it["status"] == "waiting").collect();
    let due = chrono::DateTime::parse_from_rfc3339(shown[0]["due"].as_str().unwrap());
    let seconds = (due.unwrap().to_utc() - chrono::Utc::now()).num_seconds();
    assert!((1..=61).contains(&seconds), "{seconds}");
    // An app's messages have a minute of their own.
    sandbox.wxpush("send --to lisi hello").is_silent();
}

#[test]
fn thirty_at_once_are_never_more_than_wecom_takes() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let outcomes = at_once(30, |number| {
        sandbox.wxpush(&format!("send --robot ops number {number}"))
    });
    let went = outcomes.iter().filter(|it| it.code == Some(0)).count();
    let kept = outcomes.iter().filter(|it| it.code == Some(75)).count();
    assert_eq!((went, kept), (20, 10));
    let mut landed = group(&standin);
    // None was refused with 45009.
    assert_eq!(standin.count(WEBHOOK), landed.len());
    landed.sort();
    landed.dedup();
    assert_eq!((landed.len(), waiting(&sandbox).len()), (20, 10));
}

#[test]
fn a_dead_network_keeps_a_robots_messages_for_the_key_of_the_day() {
    let standin = Standin::start_at("127.0.9.2:0").unwrap();
    let address = standin.base().replace("http://", "");
    let sandbox = with_robot(&standin);
    drop(standin);
    sandbox.write("a.png", png());
    sandbox.write("a.pdf", pdf());
    for args in [
        "hello",
        "--markdown **hello**",
        "--image a.png",
        "--file a.pdf said before",
    ] {
        let send = sandbox.wxpush(&format!("send --robot ops --timeout 3s {args}"));
        let outcome = send.cwd(sandbox.path("")).exits(75);
        outcome.says("kept in the outbox");
    }
    let ids = waiting(&sandbox);
    assert_eq!(ids.len(), 4);
    // What was accepted is what arrives.
    sandbox.write("a.pdf", padded(pdf(), 5000));
    let listed = sandbox.wxpush("outbox list --json").exits(0).stdout;
    let kinds = ["text", "markdown", "image", "text"];
    for ((line, id), kind) in listed.lines().zip(&ids).zip(kinds) {
        let shown: Value = serde_json::from_str(line).unwrap();
        let fields = ["id", "status", "robot", "corpid", "to", "msgtype"].map(|name| &shown[name]);
        let wanted = [
            json!(id),
            json!("waiting"),
            json!("ops"),
            json!(null),
            json!("robot ops"),
            json!(kind),
        ];
        assert_eq!(fields, wanted.each_ref());
    }
    let shown = sandbox
        .wxpush("outbox show --json")
        .arg(&ids[3])
        .exits(0)
        .json();
    assert_eq!(shown["parts"], 2);
    assert_eq!(
        shown["requests"][1],
        json!({
            "call": "webhook/send",
            "body": {"msgtype": "file", "file": {"media_id": ""}},
            "file": {"name": "a.pdf", "type": "file", "bytes": pdf().len()},
        })
    );
    let shown = sandbox.wxpush("outbox show").arg(&ids[0]).exits(0);
    shown.stdout.shows("robot: ops");
    shown.stdout.shows("hello");
    // Meanwhile the group has a new robot.
    let standin = Standin::start_at(&address).unwrap();
    let key = "f7d19c24-8b36-47fa-a05e-1c92e6b8403d";
    conceal(key);
    standin.company().robots.clear();
    standin
        .company()
        .robots
        .insert(key.to_owned(), Robot::new("新"));
    let config = sandbox.read("config.toml");
    sandbox.write("config.toml", config.replace(ROBOT_KEY, key));
    flush(&sandbox).is_silent();
    let company = standin.company();
    let texts: Vec<_> = company.group(key).iter().map(|it| &*it.text).collect();
    assert_eq!(
        texts,
        [
            "hello",
            "**hello**",
            "[图片]",
            "said before",
            "[文件] a.pdf"
        ]
    );
    assert_eq!(company.group(key)[4].media[0].bytes, pdf());
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn a_robot_that_has_gone_from_the_config_is_told_of_once_and_its_messages_stay() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    standin.script(WEBHOOK, [refusal(93000)]);
    sandbox.wxpush("send --robot ops hello").exits(77);
    let with = sandbox.read("config.toml");
    sandbox.write("config.toml", config(&standin.base()));
    let words = "1 in the outbox stay unsent: they are for robot ops at ";
    flush(&sandbox).exits(75).says(words);
    assert_eq!(flush(&sandbox).exits(75).stderr, "");
    sandbox.wxpush("send --to lisi hello").is_silent();
    assert_eq!((waiting(&sandbox).len(), standin.count(WEBHOOK)), (1, 1));
    let shown = sandbox.wxpush("outbox list --json").exits(0).json();
    shown.has(json!({"status": "other-app", "robot": "ops"}));
    sandbox.write("config.toml", with);
    flush(&sandbox).is_silent();
    assert_eq!(group(&standin), ["hello"]);
}

#[test]
fn each_refusal_of_a_robot_says_what_to_do_and_nothing_is_lost() {
    for_each(
        [
            (refusal(45009), 75, 1, 0, "45009"),
            (refusal(93000), 77, 1, 0, "93000"),
            (refusal(93004), 77, 1, 0, "93004"),
            (refusal(40058), 65, 0, 1, "40058"),
            (Fault::Body("{}".to_owned()), 75, 1, 0, "not WeCom's"),
            (Fault::CutAfter, 75, 0, 1, "may or may not have arrived"),
        ],
        |(fault, code, kept, buried, words)| {
            let standin = Standin::start();
            let sandbox = with_robot(&standin);
            standin.always(WEBHOOK, fault);
            let send = sandbox.wxpush("send --robot ops --timeout 15s hello");
            send.exits(code).says(words);
            let counts = (waiting(&sandbox).len(), failed(&sandbox).len());
            assert_eq!(counts, (kept, buried), "{words}");
            if code == 75 && words == "45009" {
                let count = standin.count(WEBHOOK);
                assert_eq!(flush(&sandbox).exits(75).stderr, "");
                // Not before a minute has passed.
                assert_eq!(standin.count(WEBHOOK), count);
                edit_attempts(&sandbox, &waiting(&sandbox)[0], |it| {
                    it["hold"] = json!(null);
                });
            }
            standin.mend();
            let clear = |robot: &mut Robot| robot.landed.clear();
            clear(standin.company().robots.get_mut(ROBOT_KEY).unwrap());
            flush(&sandbox).exits(0);
            assert_eq!(group(&standin).len(), kept);
        },
    );
}

#[test]
fn the_robots_own_switches_are_told_as_they_are() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    standin.company().robots.get_mut(ROBOT_KEY).unwrap().enabled = false;
    let outcome = sandbox.wxpush("send --robot ops hello").exits(77);
    outcome.says("93004");
    standin.company().robots.clear();
    let outcome = sandbox.wxpush("send --robot ops hello").exits(77);
    outcome.says("93000");
    assert_eq!(waiting(&sandbox).len(), 2);
}
