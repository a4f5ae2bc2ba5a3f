//! The keys of group robots: missing, mistyped, and never shown.

use crate::standin::{Fault, ROBOT_KEY, Standin};
use crate::support::{Sandbox, WEBHOOK, alone, for_each, robot, waiting, with_robot};

#[test]
fn a_robot_that_is_not_there_or_has_no_key_is_told_with_what_to_write() {
    let url = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={ROBOT_KEY}");
    let (own, typed) = (robot(), format!("key = \"{url}\""));
    let base = Standin::refuse();
    let (none, gone) = (String::new(), "key_file = \"gone\"");
    let ops = |line: &str| format!("[robots.ops]\n{line}\n");
    let not_there = "there is no [robots.";
    let no_key = "[robots.ops] has neither key nor key_file";
    for_each(
        [
            (own.clone(), "ops1", "no [robots.ops1]", "did you mean ops?"),
            (own.clone(), "alerts", "no [robots.alerts]", "robots: ops"),
            (none, "ops", "no [robots.ops]", "key= in the webhook URL"),
            (own.clone(), ROBOT_KEY, not_there, "known robots: ops"),
            (own, &*url, not_there, "known robots: ops"),
            (ops(""), "ops", no_key, "key= in"),
            (ops("key = \"\""), "ops", "key", "empty"),
            (ops("key = \"…\""), "ops", "key", "placeholder"),
            (ops(&typed), "ops", "is not a robot's key", "key= in"),
            (ops(gone), "ops", "gone", "No such file"),
        ],
        |(lines, name, what, how)| {
            let sandbox = Sandbox::empty();
            sandbox.write("config.toml", alone(&base, &lines));
            let run = sandbox.wxpush("send hello --robot").arg(name);
            run.exits(78).says(what).says(how);
        },
    );
}

/// Every output, file and name is looked through by the sandbox itself; here it has to be hard.
#[test]
fn the_key_shows_nowhere_even_if_wecom_says_it() {
    let echo = |text: &str| Fault::Errcode(93000, format!("no robot has {text}, hint: [1]"));
    let url = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={ROBOT_KEY}");
    let encoded = ROBOT_KEY.replace('-', "%2D");
    for_each(
        [
            (echo(ROBOT_KEY), 77),
            (echo(&url), 77),
            (echo(&encoded), 77),
            (Fault::Status(502, vec![], format!("<p>{url}</p>")), 75),
            (Fault::redirect(302, &url), 75),
            (Fault::Body(format!("{{\"errmsg\":\"{ROBOT_KEY}\"}}")), 75),
        ],
        |(fault, code)| {
            let standin = Standin::start();
            let sandbox = with_robot(&standin);
            sandbox.configure("log.level = \"trace\"");
            standin.always(WEBHOOK, fault.clone());
            for options in ["-vvv", "--json", ""] {
                let send = format!("send --robot ops --timeout 4s {options} hello");
                sandbox.wxpush(&send).exits(code);
            }
            sandbox.wxpush("outbox flush -vvv").run();
            let id = waiting(&sandbox).remove(0);
            sandbox.wxpush("outbox show --json").arg(&id).exits(0);
            sandbox.wxpush("outbox list").exits(0);
            assert!(
                sandbox.read("wxpush.log").contains("webhook/send"),
                "{fault:?}"
            );
        },
    );
}

#[test]
fn the_key_goes_into_no_message_and_no_dry_run() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    for (args, stdin) in [
        ("send --robot ops", ROBOT_KEY.to_owned()),
        ("send --robot ops --markdown", format!("?key={ROBOT_KEY}")),
        (
            &*format!("send --robot ops x --mention {ROBOT_KEY}"),
            String::new(),
        ),
        (
            &*format!("send --robot ops --file - --name {ROBOT_KEY}.txt"),
            "a file".to_owned(),
        ),
        (
            "send --robot ops --file - --name a.txt",
            format!("key: {ROBOT_KEY}\n"),
        ),
    ] {
        let run = sandbox.wxpush(args).stdin(stdin);
        run.exits(0).says("replaced by [hidden]");
    }
    let file = standin
        .company()
        .media
        .uploads
        .last()
        .unwrap()
        .bytes
        .clone();
    let hidden = format!("key: {}\n", "*".repeat(ROBOT_KEY.len()));
    assert_eq!(&file[..], hidden.as_bytes());
    let before = standin.requests().len();
    let outcome = sandbox.wxpush("send --robot ops --dry-run hello").exits(0);
    let url = format!(
        "POST {}/cgi-bin/webhook/send?key=REDACTED\n",
        standin.base()
    );
    assert_eq!(
        outcome.stdout,
        url + "{\"msgtype\":\"text\",\"text\":{\"content\":\"hello\"}}\n"
    );
    assert_eq!(standin.requests().len(), before);
}
