//! Every file of examples/ and the example config, used as they say.

use std::fs;
use std::process::Command;

use crate::standin::{AGENTID, CORPID, SECRET, Standin};
use crate::support::shell::{cron_command, shell};
use crate::support::{Run, Sandbox, Words, set_up, texts};

/// What the job of the crontab stumbles over: some shells' `echo` ends at `\c`.
const BROKEN: &str = "/a\\cb";

#[test]
fn the_example_config_is_refused_as_it_is_and_works_filled_in_and_complete() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let example = include_str!("../../config.example.toml");
    sandbox.write("config.toml", example);
    let outcome = sandbox.send("x").exits(78);
    outcome.says("config.toml:").says("placeholder");
    let mut filled = String::new();
    for line in example.lines() {
        let key = line.split('=').next().unwrap_or_default().trim();
        let text = match key {
            "corpid" => format!("corpid = \"{CORPID}\""),
            "corpsecret" => format!("corpsecret = \"{SECRET}\""),
            "agentid" => format!("agentid = {AGENTID}"),
            _ => line.to_owned(),
        };
        filled.push_str(&(text + "\n"));
    }
    sandbox.write("config.toml", filled);
    let run = sandbox.send("x").env("WXPUSH_API_BASE", standin.base());
    run.exits(0);
    assert_eq!(standin.company().phone("lisi").len(), 1);
}

#[test]
fn the_lines_of_the_example_crontab_run() {
    let (standin, sandbox) = set_up();
    let crontab = include_str!("../../examples/crontab");
    let lines = crontab
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/disk-space.sh");
        let job = format!("ls '{BROKEN}'");
        let command = cron_command(line).replace("/usr/local/bin/backup", &job);
        let command = command.replace("/opt/wxpush/disk-space.sh", script);
        // The job's own exit code is that of `run`.
        let is_backup = line.contains("backup");
        shell(&sandbox, &command).exits(if is_backup { 2 } else { 0 });
    }
    let texts = texts(&standin, "lisi");
    assert!(texts[0].starts_with("Good morning\nIt is 2"), "{texts:?}");
    texts[1].shows("backup");
    texts[1].shows(&format!("{BROKEN}': No such file"));
}

#[test]
fn a_unit_that_failed_is_told_and_what_others_wrote_into_its_journal_is_no_link() {
    let (standin, sandbox) = set_up();
    let unit = include_str!("../../examples/wxpush-failure@.service");
    let line = unit
        .lines()
        .find(|line| line.starts_with("ExecStart="))
        .unwrap();
    let (_, script) = line.split_once("-c '").unwrap();
    let (script, _) = script.rsplit_once("' sh %i").unwrap();
    let script = script
        .replace("$$", "$")
        .replace("%%", "%")
        .replace("\\\\", "\\");
    let script = script.replace(
        "/opt/wxpush/wxpush",
        &sandbox.path("wxpush").display().to_string(),
    );
    let journal = "printf '<a href=\"https://evil.cn\">click</a>\\n'; :";
    let script = script.replace("systemctl", journal);
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh", "backup.service"]);
    Run::new(command).env("PATH", "/usr/bin:/bin").exits(0);
    let text = texts(&standin, "lisi").pop().unwrap();
    assert!(text.starts_with("❌ backup.service failed on "), "{text}");
    assert!(
        text.contains("click") && !text.contains("<a href="),
        "{text}"
    );
}

#[test]
fn the_example_scripts_run() {
    let (_standin, sandbox) = set_up();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let script = |name, rest| shell(&sandbox, &format!("{examples}/{name} {rest}"));
    script("disk-space.sh", "100").is_silent();
    script("disk-space.sh", "lots").exits(64);
}

#[test]
#[ignore = "needs logrotate, and root for it to act"]
fn the_example_logrotate_turns_the_log_and_the_next_send_begins_a_new_one() {
    let (_standin, sandbox) = set_up();
    sandbox.send("x").is_silent();
    let rules = include_str!("../../examples/logrotate")
        .replace("/opt/wxpush", &sandbox.path("").display().to_string());
    sandbox.write("logrotate", rules);
    let mut command = Command::new("logrotate");
    command.args(["-f", "-s"]).arg(sandbox.path("state"));
    let run = Run::new(command).arg(sandbox.path("logrotate"));
    run.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").exits(0);
    assert!(sandbox.path("wxpush.log.1").exists());
    sandbox.send("y").is_silent();
    assert_eq!(sandbox.read("wxpush.log").lines().count(), 4);
}

#[test]
fn the_systemd_examples_name_what_exists() {
    for name in [
        "disk-space.service",
        "disk-space.timer",
        "brokers/wxpush-broker@.service",
        "wxpush-failure@.service",
        "wxpush-flush.service",
        "wxpush-flush.timer",
        "wxpush-http.socket",
        "wxpush-http@.service",
    ] {
        let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
        let text = fs::read_to_string(format!("{examples}/{name}")).unwrap();
        assert!(text.starts_with('#') && text.contains("[Unit]"), "{name}");
        if name.ends_with(".service") {
            text.shows("ExecStart=");
            text.shows(if name.starts_with("brokers/") {
                "/usr/local/lib/wxpush/%i.py"
            } else {
                "/opt/wxpush/"
            });
        }
    }
}
