//! `wxpush api` and `wxpush recall` where tokens are refused, answers lost, networks down.

use crate::standin::{CHATID, Fault, Standin};
use crate::support::{
    CHAT, GETTOKEN, NOT_KNOWN, Sandbox, USER, config, for_each, losses, refusal, set_up, warmed,
};

#[test]
fn a_refused_token_is_replaced_once() {
    for (method, path, call) in [
        ("GET", "user/get?userid=zhangsan", USER),
        ("POST", "appchat/update", CHAT),
    ] {
        for code in [40014, 42001, 41001, 40001] {
            let standin = Standin::start();
            let sandbox = warmed(&standin, 100);
            standin.script(call, [refusal(code)]);
            let data = format!("{{\"chatid\":\"{CHATID}\",\"name\":\"{code}\"}}");
            let mut run = sandbox.wxpush(&format!("api {method} {path}"));
            if method == "POST" {
                run = run.args(&["-d", &data]);
            }
            let outcome = run.exits(0);
            assert_eq!(outcome.json()["errcode"], 0);
            assert_eq!(standin.count(GETTOKEN), 2, "{code}");
            assert_eq!(standin.count(call), 2, "{code}");
        }
    }
    let standin = Standin::start();
    let sandbox = warmed(&standin, 100);
    standin.always(CHAT, refusal(40014));
    let outcome = sandbox.wxpush("api POST appchat/update").exits(75);
    outcome.says("only just granted");
    assert_eq!((standin.count(GETTOKEN), standin.count(CHAT)), (2, 2));
}

#[test]
fn a_call_whose_answer_is_lost_is_not_repeated_and_its_outcome_not_known() {
    for_each(losses(), |(what, fault)| {
        let (standin, sandbox) = set_up();
        standin.always(CHAT, fault);
        let data = format!("{{\"chatid\":\"{CHATID}\",\"name\":\"new\"}}");
        let outcome = sandbox
            .wxpush("api POST appchat/update --timeout 3s -d")
            .arg(data)
            .run();
        let outcome = outcome.exits(75).says("whether the call").says(NOT_KNOWN);
        assert_eq!((&*outcome.stdout, standin.count(CHAT)), ("", 1), "{what}");
    });
    // That gettoken's answer is lost is another matter.
    let (standin, sandbox) = set_up();
    standin.script(GETTOKEN, [Fault::CutAfter]);
    sandbox.wxpush("api GET user/get?userid=zhangsan").exits(0);
    assert_eq!((standin.count(GETTOKEN), standin.count(USER)), (2, 1));
    standin.always(GETTOKEN, Fault::html(502));
    sandbox.wxpush("token clear").exits(0);
    let outcome = sandbox
        .wxpush("api POST appchat/update --timeout 1s")
        .exits(75);
    assert!(!outcome.stderr.contains(NOT_KNOWN), "{}", outcome.stderr);
    assert_eq!(standin.count(CHAT), 0);
}

#[test]
fn a_call_that_never_left_is_tried_again_while_there_is_time() {
    let standin = Standin::start_at("127.0.9.16:0").unwrap();
    let sandbox = warmed(&standin, 100);
    let address = standin.base().replace("http://", "");
    drop(standin);
    let started = sandbox.wxpush("api POST appchat/update --timeout 80s -d");
    let started = started
        .arg(format!("{{\"chatid\":\"{CHATID}\",\"name\":\"new\"}}"))
        .start();
    while !sandbox.read("wxpush.log").contains("trying again") {
        assert!(sandbox.wxpush("--version").run().code == Some(0));
    }
    let standin = Standin::start_at(&address).unwrap();
    started.wait().exits(0);
    assert_eq!(standin.company().chats[CHATID].name, "new");
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&Standin::refuse()));
    let outcome = sandbox.wxpush("api POST appchat/update --timeout 1s").run();
    let outcome = outcome.exits(75).says("the call was not done: ");
    assert!(!outcome.stderr.contains(NOT_KNOWN), "{}", outcome.stderr);
}

const RECALL: &str = "/cgi-bin/message/recall";

#[test]
fn a_recall_whose_answer_is_lost_is_not_repeated_and_its_outcome_not_known() {
    for_each(losses(), |(what, fault)| {
        let (standin, sandbox) = set_up();
        let sent = sandbox.wxpush("send --json --to lisi words").exits(0);
        let msgid = sent.json()["msgids"][0].as_str().unwrap().to_owned();
        standin.always(RECALL, fault);
        let outcome = sandbox.wxpush("recall --timeout 3s").arg(&msgid).run();
        let outcome = outcome.exits(75).says("whether the recall").says(NOT_KNOWN);
        assert_eq!((&*outcome.stdout, standin.count(RECALL)), ("", 1), "{what}");
        standin.mend();
        sandbox.wxpush("recall").arg(&msgid).is_silent();
        assert!(standin.company().phone("lisi").is_empty(), "{what}");
    });
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&Standin::refuse()));
    let outcome = sandbox.wxpush("recall --timeout 1s abc").exits(75);
    let outcome = outcome.says("the recall was not done: ");
    assert!(!outcome.stderr.contains(NOT_KNOWN), "{}", outcome.stderr);
}

#[test]
fn a_recall_goes_with_a_new_token_where_the_old_one_is_refused() {
    let standin = Standin::start();
    let sandbox = warmed(&standin, 100);
    let msgid = standin.company().phone("lisi")[0].msgid.clone();
    standin.script(RECALL, [refusal(42001)]);
    sandbox.wxpush("recall").arg(&msgid).is_silent();
    assert_eq!((standin.count(GETTOKEN), standin.count(RECALL)), (2, 2));
    assert!(standin.company().phone("lisi").is_empty());
}
