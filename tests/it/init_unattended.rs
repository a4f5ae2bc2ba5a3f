//! `wxpush init` without a terminal: out of the environment, for who provisions machines.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use serde_json::json;

use crate::standin::{AGENTID, CORPID, Fault, SECRET, Standin};
use crate::support::init::{unattended, written};
use crate::support::{
    AGENT, Fields, GETTOKEN, OTHER, Sandbox, Words, flush_line, refusal, sees_no_department, set_up,
};

#[test]
fn the_environment_becomes_a_config_that_sends() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let state = sandbox.path("state").display().to_string();
    let run = unattended(&sandbox, &standin, "").env("WXPUSH_STATE_DIR", &state);
    run.env("WXPUSH_LANG", "en").is_silent();
    let config = written(&sandbox, "config.toml");
    for line in [
        format!("corpid = \"{CORPID}\"\n"),
        format!("agentid = {AGENTID}\n"),
        "touser = \"lisi\"\n".to_owned(),
        format!("state_dir = \"{state}\"\n"),
        "lang = \"en\"\n".to_owned(),
        format!("api_base = \"{}\"\n", standin.base()),
    ] {
        assert!(config.contains(&line), "no {line} in {config}");
    }
    assert!(config.contains("\n[network]\n# WeCom"), "{config}");
    assert_eq!((standin.count(GETTOKEN), standin.count(AGENT)), (1, 1));
    sandbox.send("x").is_silent();
    assert_eq!(standin.company().phone("lisi").len(), 1);
    assert!(sandbox.read("state/wxpush.log").contains("config written"));
}

#[test]
fn a_secret_of_a_file_stays_there() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    sandbox.write("secret of app", format!("{SECRET}\n"));
    let path = sandbox.path("secret of app").display().to_string();
    let run = unattended(&sandbox, &standin, "").env("WXPUSH_CORPSECRET", "");
    let run = run.env("WXPUSH_CORPSECRET_FILE", &path);
    run.is_silent();
    // Nothing of it is in the config: `written` need not be told.
    let config = sandbox.read("config.toml");
    config.shows(&format!("corpsecret_file = \"{path}\"\n"));
    sandbox.send("x").is_silent();
    let run = unattended(&sandbox, &standin, "--force").env("WXPUSH_CORPSECRET", "");
    let run = run.env("WXPUSH_CORPSECRET_FILE", "/nowhere/secret");
    run.exits(78).says("/nowhere/secret");
    assert_eq!(sandbox.read("config.toml"), config);
}

#[test]
fn what_is_missing_or_wrong_is_named_and_nothing_is_written() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let run = sandbox.wxpush("init").exits(78);
    run.says("WXPUSH_CORPID, WXPUSH_CORPSECRET, WXPUSH_AGENTID: not set");
    let run = unattended(&sandbox, &standin, "").env("WXPUSH_CORPSECRET", "");
    run.exits(78)
        .says("WXPUSH_CORPSECRET: not set")
        .says("WXPUSH_CORPSECRET_FILE");
    let run = unattended(&sandbox, &standin, "").env("WXPUSH_AGENTID", "seven");
    run.exits(78).says("WXPUSH_AGENTID (environment) must be");
    let run = unattended(&sandbox, &standin, "").env("WXPUSH_API_BASE", "http://192.0.2.7");
    run.exits(78)
        .says("WXPUSH_API_BASE (environment) is plain http");
    sandbox.wxpush("init -p ops").exits(64).says("no profile");
    let outcome = sandbox.wxpush("init --json").exits(78);
    assert_eq!(outcome.json()["exit_code"], 78);
    let outcome = sandbox.wxpush("init").env("LANG", "").exits(78);
    outcome.says("没有设置 WXPUSH_CORPID");
    assert_eq!(sandbox.names(), ["wxpush"]);
    assert_eq!(standin.requests().len(), 0);
}

#[test]
fn a_config_that_is_there_is_touched_by_force_alone() {
    let (standin, sandbox) = set_up();
    let before = sandbox.read("config.toml");
    let outcome = unattended(&sandbox, &standin, "").exits(73);
    outcome
        .says("already exists, and was not changed")
        .says("--force");
    assert_eq!(sandbox.read("config.toml"), before);
    assert_eq!(standin.requests().len(), 0, "nobody was asked");
    let outcome = unattended(&sandbox, &standin, "--force --json").exits(0);
    let result = outcome.json();
    let old = sandbox.path("config.toml.old").display().to_string();
    assert_eq!(result["replaced"], old);
    result.has(json!({"status": "written", "tested": true}));
    assert_eq!(result["app"]["name"], "告警");
    let line = flush_line(&sandbox);
    assert_eq!(result["crontab"], line);
    assert_eq!(written(&sandbox, "config.toml.old"), before);
    written(&sandbox, "config.toml");
    // Once more: the one before is the one before.
    unattended(&sandbox, &standin, "--force")
        .env("WXPUSH_TOUSER", "wangwu")
        .is_silent();
    assert!(written(&sandbox, "config.toml.old").contains("touser = \"lisi\""));
    assert!(written(&sandbox, "config.toml").contains("touser = \"wangwu\""));
}

#[test]
fn what_wecom_refuses_is_written_all_the_same_and_the_exit_code_tells() {
    for (path, fault, code, says) in [
        (GETTOKEN, refusal(40001), 77, "errcode 40001"),
        (GETTOKEN, refusal(40013), 77, "errcode 40013"),
        (AGENT, refusal(60020), 77, "errcode 60020"),
        (AGENT, refusal(301_002), 77, "errcode 301002"),
        (AGENT, refusal(48002), 77, "errcode 48002"),
    ] {
        let standin = Standin::start();
        let sandbox = Sandbox::empty();
        standin.always(path, fault);
        let outcome = unattended(&sandbox, &standin, "--json").exits(code);
        assert_eq!(outcome.json()["exit_code"], code);
        assert_eq!(outcome.json()["tested"], false);
        outcome.says(says).says("is written, but does not work yet");
        written(&sandbox, "config.toml");
        // It is mended without another file.
        standin.mend();
        sandbox.send("x").is_silent();
    }
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    standin.company().apps.get_mut(&AGENTID).unwrap().users = ["wangwu".to_owned()].into();
    sees_no_department(&standin);
    let outcome = unattended(&sandbox, &standin, "").exits(0);
    outcome.says("not among the app's Allowed users (可见范围): lisi");
    let outcome = unattended(&sandbox, &standin, "--force")
        .env("WXPUSH_TOUSER", "")
        .exits(0);
    outcome.says("messages go to everyone");
    written(&sandbox, "config.toml.old");
    assert!(written(&sandbox, "config.toml").contains("#touser = \"@all\"\n"));
}

#[test]
fn a_network_that_is_not_there_yet_is_waited_for_and_offline_asks_nobody() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    standin.script(GETTOKEN, [Fault::html(503), refusal(-1)]);
    unattended(&sandbox, &standin, "").is_silent();
    assert_eq!(standin.count(GETTOKEN), 3);
    let run = unattended(&sandbox, &standin, "--force --offline --json");
    let outcome = run.env("WXPUSH_API_BASE", Standin::refuse()).exits(0);
    assert_eq!(outcome.json()["tested"], false);
    written(&sandbox, "config.toml");
    written(&sandbox, "config.toml.old");
}

#[test]
fn the_same_values_again_change_nothing() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    unattended(&sandbox, &standin, "").is_silent();
    // A person has gone on from there.
    let config =
        written(&sandbox, "config.toml").replace("agentid = ", "prefix = \"x\"\nagentid = ");
    sandbox.write("config.toml", &config);
    let stands = || {
        assert_eq!(sandbox.read("config.toml"), config);
        assert!(!sandbox.path("config.toml.old").exists());
    };
    let outcome = unattended(&sandbox, &standin, "--json").exits(0);
    let result = outcome.json();
    assert_eq!(result["status"], "unchanged");
    assert_eq!(result["replaced"], serde_json::Value::Null);
    assert_eq!(result["tested"], true);
    stands();
    // They are tested as at first.
    standin.always(AGENT, refusal(60020));
    let outcome = unattended(&sandbox, &standin, "").exits(77);
    outcome.says("errcode 60020");
    stands();
    standin.mend();
    // Another value is another config.
    let run = unattended(&sandbox, &standin, "").env("WXPUSH_TOUSER", "wangwu");
    run.exits(73);
    let run = unattended(&sandbox, &standin, "").env("WXPUSH_STATE_DIR", "/nowhere");
    run.exits(73);
    stands();
    // By force it is written as it would be, and then that changes nothing.
    unattended(&sandbox, &standin, "--force").is_silent();
    assert!(!written(&sandbox, "config.toml").contains("prefix"));
    assert_eq!(written(&sandbox, "config.toml.old"), config);
    let outcome = unattended(&sandbox, &standin, "--force --json").exits(0);
    assert_eq!(outcome.json()["status"], "unchanged");
    assert_eq!(written(&sandbox, "config.toml.old"), config);
}

#[test]
fn a_config_that_is_replaced_keeps_its_mode_unless_all_can_read_it() {
    let (standin, sandbox) = set_up();
    let file = |name: &str| fs::metadata(sandbox.path(name)).unwrap();
    for (before, after) in [(0o640, 0o640), (0o600, 0o600), (0o644, 0o600)] {
        let lines = format!("# {before:o}\n");
        sandbox.write("config.toml", lines);
        let mode = fs::Permissions::from_mode(before);
        fs::set_permissions(sandbox.path("config.toml"), mode).unwrap();
        unattended(&sandbox, &standin, "--force").is_silent();
        for name in ["config.toml", "config.toml.old"] {
            assert_eq!(file(name).mode() & 0o7777, after, "{name}");
            let text = sandbox.read(name).into_bytes();
            sandbox.written().insert(text);
        }
    }
}

#[test]
#[ignore = "needs root: a group of others"]
fn a_config_that_is_replaced_keeps_its_group() {
    let (standin, sandbox) = set_up();
    let config = sandbox.path("config.toml");
    // As a package brings it, given to a group.
    sandbox.write("config.toml", include_str!("../../config.example.toml"));
    chown(&config, None, Some(OTHER)).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o640)).unwrap();
    unattended(&sandbox, &standin, "").is_silent();
    let meta = fs::metadata(&config).unwrap();
    assert_eq!(meta.uid(), 0);
    assert_eq!(meta.gid(), OTHER);
    assert_eq!(meta.mode() & 0o7777, 0o640);
    sandbox
        .written()
        .insert(sandbox.read("config.toml").into_bytes());
    sandbox.send("x").is_silent();
}
