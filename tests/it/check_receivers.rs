//! wxpush check: the app's scope, each receiver in it or not, profiles and robots.

use crate::standin::{AGENTID, Fault, Standin};
use crate::support::check::{check, steps, to};
use crate::support::init::{unattended, written};
use crate::support::{
    Outcome, Sandbox, for_each, names_nobody, refusal, robot, sees_no_department, set_up,
    with_robot,
};

/// How each receiver went.
fn statuses(outcome: &Outcome) -> Vec<String> {
    let steps = steps(outcome, "recipient").into_iter();
    steps.map(|(status, _)| status).collect()
}

#[test]
fn each_receiver_is_in_scope_or_is_not() {
    let standin = Standin::start();
    {
        let mut company = standin.company();
        let app = company.apps.get_mut(&AGENTID).unwrap();
        app.parties = [2].into();
        company.members.get_mut("lisi").unwrap().unjoined = true;
    }
    let sandbox = Sandbox::of(&standin);
    to(
        &sandbox,
        "touser = [\"ZhangSan\", \"lisi\", \"member01\", \"none\"]\ntoparty = \"2,1\"\ntotag = \"1,2,9\"",
    );
    sandbox.append("[mail]\n\"a@*\" = { touser = \"wangwu\" }\n");
    let outcome = check(&sandbox, "").exits(67);
    outcome.went("scope", "ok", &["departments: 1 (2)"]);
    let found = steps(&outcome, "recipient");
    let wanted = [
        ("ok", "recipient ZhangSan: in scope, and active"),
        ("failed", "recipient lisi: in scope, but has neither joined"),
        ("failed", "recipient member01: not in scope"),
        ("failed", "recipient none: there is no such member"),
        ("ok", "recipient department 2: in scope"),
        (
            "failed",
            "recipient department 1: there is no such department",
        ),
        ("ok", "recipient tag 1: 2 members or departments of it"),
        ("ok", "recipient tag 2: 1 members or departments of it"),
        ("failed", "recipient tag 9: there is no such tag"),
        ("ok", "[mail] \"a@*\" wangwu: in scope, and active"),
    ];
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for ((status, said), (wanted, words)) in found.iter().zip(wanted) {
        assert!(
            status == wanted && said.starts_with(words),
            "{status} {said}: {words}"
        );
    }
}

#[test]
fn init_and_check_agree_on_whom_the_app_does_not_reach() {
    let none = "recipient lisi: there is no such member, or not in scope";
    let unseen = "recipient lisi: not in scope";
    for_each(
        [
            (40003, none),
            (46004, none),
            (60111, none),
            (301_021, none),
            (50002, unseen),
            (60011, unseen),
            (60021, unseen),
            (92000, unseen),
        ],
        |(errcode, words)| {
            let (standin, sandbox) = refusing(errcode);
            let outcome = unattended(&sandbox, &standin, "").exits(0);
            outcome.says("not among the app's Allowed users (可见范围): lisi");
            written(&sandbox, "config.toml");
            let outcome = check(&sandbox, "").exits(67);
            outcome.went("recipient", "failed", &[words]);
        },
    );
    // What is said of something else puts nobody out of reach.
    for_each([40068, 48002, 60003], |errcode| {
        let (standin, sandbox) = refusing(errcode);
        let outcome = unattended(&sandbox, &standin, "").exits(0);
        assert!(!outcome.stderr.contains("可见范围"), "{outcome:?}");
        written(&sandbox, "config.toml");
        let outcome = check(&sandbox, "").exits(0);
        let words = ["whether it is in scope cannot be asked"];
        outcome.went("recipient", "warning", &words);
    });
}

/// A company that answers every question about a member by this code.
fn refusing(errcode: i64) -> (Standin, Sandbox) {
    let standin = Standin::start();
    standin.always("/cgi-bin/user/get", refusal(errcode));
    (standin, Sandbox::empty())
}

#[test]
fn what_the_app_may_not_ask_is_said_not_to_be_known() {
    let standin = Standin::start();
    for path in ["user/get", "department/simplelist", "tag/get"] {
        let path = format!("/cgi-bin/{path}");
        standin.always(&path, Fault::Errcode(48002, "api forbidden".to_owned()));
    }
    standin.company().apps.get_mut(&AGENTID).unwrap().users = ["lisi".to_owned()].into();
    let sandbox = Sandbox::of(&standin);
    to(
        &sandbox,
        "touser = \"Lisi,wangwu\"\ntoparty = \"1,2\"\ntotag = 7",
    );
    let outcome = check(&sandbox, "").exits(0);
    assert_eq!(
        statuses(&outcome),
        ["ok", "warning", "ok", "warning", "warning"]
    );
    // Where the scope is a list of members, it is known all the same.
    sees_no_department(&standin);
    let outcome = check(&sandbox, "").exits(67);
    assert_eq!(
        statuses(&outcome),
        ["ok", "failed", "warning", "warning", "warning"]
    );
}

#[test]
fn everyone_is_said_to_be_whom_the_app_sees() {
    let standin = Standin::start();
    {
        let mut company = standin.company();
        let app = company.apps.get_mut(&AGENTID).unwrap();
        app.parties = [2, 3].into();
        app.users = (0..20).map(|number| format!("user{number:02}")).collect();
    }
    let sandbox = Sandbox::of(&standin);
    let words = "everyone in the app's scope, that is members: 20 (user00, user01";
    let outcome = check(&sandbox, "").exits(0);
    outcome.went(
        "recipient",
        "ok",
        &[
            "@all (the default): ",
            words,
            "departments: 2 (2, 3)",
            ", …)",
        ],
    );
    to(&sandbox, "touser = \"@all\"");
    let outcome = check(&sandbox, "").exits(0);
    outcome.went("recipient", "ok", &["recipient @all: ", words]);
}

#[test]
fn a_relay_that_forwards_only_what_a_send_takes_is_no_failure() {
    let (standin, sandbox) = set_up();
    to(&sandbox, "touser = \"lisi\"");
    for path in ["agent/get", "user/get"] {
        standin.always(&format!("/cgi-bin/{path}"), Fault::html(404));
    }
    let outcome = check(&sandbox, "--send lisi").exits(0);
    outcome.went("agent", "warning", &["relay", "404", "/cgi-bin/"]);
    outcome.went("recipient", "warning", &["cannot be asked"]);
    outcome.went("send", "ok", &["msgid"]);
}

#[test]
fn a_profile_and_the_robots_are_looked_at() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let config = sandbox.read("config.toml");
    let profile = "[profiles.ops]\ntouser = \"lisi\"\n[robots.bad]\n";
    sandbox.write("config.toml", config + profile);
    let outcome = check(&sandbox, "-p ops").exits(78);
    outcome.went("account", "ok", &["profile ops, "]);
    outcome.went("recipient", "ok", &["recipient lisi: "]);
    let robots = steps(&outcome, "robot");
    let statuses: Vec<&str> = robots.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(statuses, ["failed", "ok"]);
    assert!(
        robots[0]
            .1
            .contains("[robots.bad] has neither key nor key_file")
    );
    let outcome = check(&sandbox, "-p oops").exits(78);
    outcome.went("config", "failed", &["did you mean ops?"]);
}

#[test]
fn robots_need_no_app() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let base = standin.base();
    let robot = robot();
    sandbox.write(
        "config.toml",
        format!("{robot}[network]\napi_base = \"{base}\"\n"),
    );
    let outcome = check(&sandbox, "").exits(0);
    outcome.went("account", "skipped", &["robots only"]);
    outcome.went("http", "ok", &[]);
    outcome.went("robot", "ok", &["robot: ops"]);
    names_nobody(&standin);
}
