//! Qinglong's `QYWX_AM`, `QYWX_KEY` and `QYWX_ORIGIN`, where nothing else is set.

use crate::standin::{AGENTID, CORPID, ROBOT_KEY, SECRET, Standin};
use crate::support::{Run, Sandbox, set_up, texts};

fn app() -> String {
    format!("{CORPID},{SECRET},lisi|wangwu,{AGENTID}")
}

fn with(run: Run, standin: &Standin) -> Run {
    run.env("QYWX_ORIGIN", standin.base())
}

#[test]
fn who_has_qinglongs_settings_needs_no_others() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    for kind in ["", ",1", ",2COXgjH2UIfERF2zxrtUOKgQ9XklUqMdGSWLBoW"] {
        let run = with(sandbox.send("hello"), &standin);
        run.env("QYWX_AM", app() + kind).is_silent();
    }
    for user in ["lisi", "wangwu"] {
        assert_eq!(texts(&standin, user), ["hello", "hello", "hello"]);
    }
    let run = with(sandbox.wxpush("check"), &standin).env("QYWX_AM", app());
    run.exits(0);
}

#[test]
fn a_key_alone_is_the_way_of_messages_without_receivers() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let run = |args: &str| with(sandbox.wxpush(args), &standin).env("QYWX_KEY", ROBOT_KEY);
    run("send hello").is_silent();
    run("send --robot qywx hello").is_silent();
    run("run -- true").is_silent();
    assert_eq!(standin.company().robots[ROBOT_KEY].landed.len(), 3);
    // An app is stronger.
    let outcome = run("send hello").env("QYWX_AM", app()).run();
    outcome.is_silent();
    assert_eq!(texts(&standin, "lisi"), ["hello"]);
}

#[test]
fn a_config_is_stronger_and_what_is_wrong_is_named_without_its_value() {
    let (standin, sandbox) = set_up();
    let run = sandbox
        .send("hello")
        .env("QYWX_AM", "junk")
        .env("QYWX_ORIGIN", "junk");
    run.is_silent();
    assert_eq!(texts(&standin, "lisi"), ["hello"]);
    let sandbox = Sandbox::empty();
    let short = format!("{CORPID},{SECRET}");
    for (name, value) in [
        ("QYWX_AM", &*short),
        ("QYWX_ORIGIN", "junk"),
        ("QYWX_KEY", "a/b"),
    ] {
        let run = || sandbox.send("hello").env(name, value);
        run().exits(78).says(name);
        run().in_chinese().exits(78).is_chinese();
    }
    let outcome = sandbox
        .send("hello")
        .env("QYWX_AM", app())
        .env("QYWX_ORIGIN", Standin::refuse());
    outcome
        .env("WXPUSH_CORPID", "ww1")
        .exits(78)
        .says("corpsecret");
}
