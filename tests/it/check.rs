//! wxpush check: what is well, whom the app sees, what waits, and one test message.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::standin::Fault;
use crate::support::check::{check, scheduled, to};
use crate::support::leaks::reversed;
use crate::support::{
    AGENT, Fields, GETTOKEN, Run, SEND, Words, at_a_terminal, fence_in, for_each, make, program_in,
    second_app, set_mode, set_up,
};

#[test]
fn a_set_up_that_is_well_has_a_tick_a_line_and_nothing_is_sent() {
    let (standin, sandbox) = set_up();
    to(&sandbox, "touser = \"zhangsan\"\nprefix = \"[x] \"");
    let outcome = scheduled(&sandbox, "check").exits(0);
    assert_eq!(outcome.stderr, "");
    for line in [
        "✓ program: ",
        "✓ config: ",
        "✓ app: corpid ww0123456789abcdef, agentid 1000002, secret from ",
        "config.toml:4: corpsecret",
        "✓ settings: to zhangsan, prefix [x], lang on the phone zh, show_in wecom, limits 30/min",
        "(in the program's directory), writable, ",
        "✓ log: ",
        "✓ token cache: ",
        &format!("✓ api_base: {}", standin.base()),
        "✓ proxy: none",
        "✓ HTTP: WeCom answers",
        "✓ clock: ",
        "✓ access_token: just granted",
        "✓ trusted IP: ",
        "✓ app: 告警 (agentid 1000002), switched on",
        "✓ scope (可见范围): the whole company (department 1)",
        "✓ recipient zhangsan: in scope, and active",
        "✓ outbox: ",
        "crontab -l has outbox flush",
        "✓ limits: to one member 0 of 30 in the last minute, 0 of 1000 in the last hour",
        "微信插件",
        "仅在企业微信中接收消息",
        "在微工作台中始终进入主页",
    ] {
        outcome.stdout.shows(line);
    }
    assert!(!outcome.stdout.contains('✗'), "{}", outcome.stdout);
    assert_eq!(standin.count(SEND), 0);
    assert_eq!(standin.count(GETTOKEN), 1);
    sandbox.send("y").is_silent();
    assert_eq!(standin.count(GETTOKEN), 1, "the token of the check is used");
    let again = scheduled(&sandbox, "check").exits(0).stdout;
    assert!(again.contains("1 of 30 in the last minute"), "{again}");
    assert_eq!(standin.count(GETTOKEN), 2, "a check asks at once");
}

#[test]
fn quiet_it_says_nothing_but_crosses_and_in_chinese_all_of_it_is_chinese() {
    let (_standin, sandbox) = set_up();
    scheduled(&sandbox, "-q check").is_silent();
    to(&sandbox, "touser = \"nobody\"");
    let outcome = scheduled(&sandbox, "-q check").exits(67);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", outcome.stdout);
    assert!(lines[0].starts_with("✗ recipient nobody: "), "{}", lines[0]);
    assert!(lines[1].starts_with("    check the id"), "{}", lines[1]);
    for lang in ["", "zh_CN.UTF-8"] {
        let run = scheduled(&sandbox, "check").env("LANG", lang);
        let outcome = run.exits(67);
        let lines = outcome.stdout.lines();
        for line in lines.filter(|line| !line.contains("chmod")) {
            let is_chinese = line.chars().any(|it| ('一'..='鿿').contains(&it));
            assert!(is_chinese, "{line}");
        }
        assert!(outcome.stdout.contains("✗ 收件人 nobody：没有这个成员"));
    }
}

#[test]
fn for_a_script_it_is_one_object() {
    let (_standin, sandbox) = set_up();
    let outcome = check(&sandbox, "").exits(0);
    let object = outcome.json();
    object.has(json!({"ok": true, "exit_code": 0}));
    assert!(object["notes"].as_array().unwrap().len() > 4);
    let checks = object["checks"].as_array().unwrap().iter();
    let names: Vec<&str> = checks
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    let wanted = "program config account settings state_dir log token_cache api_base proxy dns \
                  tcp tls http clock token trusted_ip agent scope recipient outbox flush ledger";
    assert_eq!(names.join(" "), wanted);
    to(&sandbox, "touser = \"nobody\"");
    let outcome = check(&sandbox, "").exits(67);
    let object = outcome.json();
    object.has(json!({"ok": false, "exit_code": 67}));
    let checks = object["checks"].as_array().unwrap();
    let failed: Vec<&Value> = checks
        .iter()
        .filter(|it| it["status"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["exit_code"], 67);
    assert!(failed[0]["hint"].as_str().unwrap().contains("可见范围"));
    assert!(object.get("notes").is_none());
}

#[test]
fn what_the_app_may_not_do_is_told_apart() {
    let refusal = |code: i64| Fault::Errcode(code, format!("no, from ip: 192.0.2.7, {code}"));
    let closed = json!({"errcode": 0, "name": "x", "close": 1, "allow_partys": {"partyid": [1]}});
    let empty = json!({"errcode": 0, "name": "x", "close": 0});
    for_each(
        [
            (
                refusal(60020),
                "trusted_ip",
                vec!["192.0.2.7", "企业可信IP", "可信域名"],
            ),
            (
                refusal(301_002),
                "agent",
                vec!["301002", "of different apps"],
            ),
            (refusal(48002), "agent", vec!["48002", "own Secret"]),
            (refusal(40056), "agent", vec!["40056", "AgentId"]),
            (
                Fault::Body(closed.to_string()),
                "agent",
                vec!["switched off", "应用管理"],
            ),
            (
                Fault::Body(empty.to_string()),
                "scope",
                vec!["nobody can be reached", "可见范围"],
            ),
        ],
        |(fault, name, words)| {
            let (standin, sandbox) = set_up();
            standin.always(AGENT, fault);
            let outcome = check(&sandbox, "").exits(77);
            outcome.went("token", "ok", &[]);
            outcome.went(name, "failed", &words);
            if name == "trusted_ip" {
                outcome.went("scope", "skipped", &[]);
            }
        },
    );
    // And for real, by the company's own rules.
    let (standin, sandbox) = set_up();
    standin.company().trusted_ips = Some(vec![]);
    let outcome = check(&sandbox, "").exits(77);
    outcome.went("trusted_ip", "failed", &["60020", "127.0.0.1"]);
    standin.company().trusted_ips = None;
    second_app(&standin);
    let run = check(&sandbox, "").env("WXPUSH_AGENTID", "7");
    run.exits(77).went("agent", "failed", &["301002"]);
}

#[test]
fn a_wrong_secret_is_told_at_each_check_and_the_right_one_at_once() {
    let (standin, sandbox) = set_up();
    let wrong = reversed();
    for count in 1..=2 {
        let run = check(&sandbox, "").env("WXPUSH_CORPSECRET", &wrong);
        let outcome = run.exits(77);
        outcome.went("http", "ok", &[]);
        outcome.went("token", "failed", &["40001", "corpsecret"]);
        outcome.went("agent", "skipped", &[]);
        outcome.went("environment", "warning", &["WXPUSH_CORPSECRET"]);
        assert_eq!(standin.count(GETTOKEN), count);
    }
    check(&sandbox, "").exits(0);
}

#[test]
fn the_place_of_state_is_named_with_why_it_is_not_beside() {
    fence_in();
    let (_standin, sandbox) = set_up();
    let program = program_in(&sandbox, "bin");
    make(&sandbox.path("home/.config/wxpush"));
    let config = sandbox.read("config.toml");
    sandbox.write("home/.config/wxpush/config.toml", &config);
    sandbox.write("bin/config.toml", &config);
    let mut command = std::process::Command::new(&program);
    command.args(["check", "--json"]);
    let run = Run::new(command).env("HOME", sandbox.path("home"));
    let outcome = run.env("XDG_STATE_HOME", sandbox.path("xdg")).exits(0);
    outcome.went(
        "config",
        "ok",
        &["home/.config/wxpush/config.toml (mode 0600"],
    );
    outcome.went(
        "config_passed_over",
        "warning",
        &["bin/config.toml is not read", "programs"],
    );
    outcome.went(
        "state_dir",
        "ok",
        &[
            "not in the program's directory: ",
            "is a directory of programs",
        ],
    );
}

#[test]
#[ignore = "needs script, of util-linux"]
fn at_a_terminal_marks_have_colours() {
    let (_standin, sandbox) = set_up();
    to(&sandbox, "touser = \"nobody\"");
    let outcome = at_a_terminal(&sandbox, "check").exits(67);
    for mark in [
        "\u{1b}[32m✓\u{1b}[0m",
        "\u{1b}[1;31m✗\u{1b}[0m",
        "\u{1b}[33m!\u{1b}[0m",
    ] {
        assert!(outcome.stdout.contains(mark), "{}", outcome.stdout);
    }
    let outcome = at_a_terminal(&sandbox, "check --color never").exits(67);
    assert!(!outcome.stdout.contains('\u{1b}'), "{}", outcome.stdout);
}

#[test]
fn a_config_or_secret_that_others_can_read_is_a_cross() {
    let (_standin, sandbox) = set_up();
    set_mode(&sandbox.path("config.toml"), 0o644);
    let outcome = check(&sandbox, "").exits(78);
    outcome.went(
        "config_mode",
        "failed",
        &["others can read it", "chmod 600 "],
    );
    outcome.went("recipient", "ok", &[]);
    let config = sandbox.read("config.toml");
    sandbox.write("secret", crate::standin::SECRET);
    let line = format!("corpsecret = \"{}\"", crate::standin::SECRET);
    sandbox.write(
        "config.toml",
        config.replace(&line, "corpsecret_file = \"secret\""),
    );
    set_mode(&sandbox.path("config.toml"), 0o644);
    check(&sandbox, "").exits(0);
    set_mode(&sandbox.path("secret"), 0o604);
    let outcome = check(&sandbox, "").exits(78);
    outcome.went("secret_mode", "failed", &["secret", "chmod 600 "]);
    let mode = fs::metadata(sandbox.path("secret"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o604, "a check mends nothing");
}
