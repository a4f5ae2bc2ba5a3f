//! What the documents promise, done: every command of README, every file of examples/.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::json;

use crate::standin::{AGENTID, CORPID, Landed, ROBOT_KEY, SECRET, Standin};
use crate::support::init::{with_crontab, written};
use crate::support::readmes::{READMES, Readme};
use crate::support::{
    Outcome, Pty, Run, Sandbox, Words, for_each, readmes, samples, set_up, texts,
};

/// Runs a line in a shell, the sandbox's program standing for the installed one.
fn shell(sandbox: &Sandbox, line: &str) -> Outcome {
    described(sandbox, line).run()
}

fn described(sandbox: &Sandbox, line: &str) -> Run {
    let program = sandbox.path("wxpush").display().to_string();
    let config = sandbox.path("config.toml").display().to_string();
    let line = line
        .replace("/opt/wxpush/wxpush", &program)
        .replace("/opt/wxpush/config.toml", &config);
    let mut command = Command::new("sh");
    command.args(["-c", &line]);
    let path = format!("{}:/usr/bin:/bin", sandbox.path("").display());
    Run::new(command)
        .env("PATH", path)
        .env("WXPUSH", program)
        .cwd(sandbox.path(""))
}

/// What the job of the crontabs stumbles over: some shells' `echo` ends at `\c`.
const BROKEN: &str = "/a\\cb";

/// What cron runs of a line: without its five fields, cut at the first bare `%`.
fn cron_command(line: &str) -> String {
    let mut rest = line;
    for _ in 0..5 {
        rest = rest.trim_start().split_once(' ').expect("five fields").1;
    }
    let mut command = String::new();
    let mut characters = rest.trim_start().chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some('%')) => command.extend(characters.next()),
            ('%', _) => break,
            _ => command.push(character),
        }
    }
    command.replace("/usr/local/bin/backup", &format!("ls '{BROKEN}'"))
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    for_each(READMES, every_command_does_what_it_says);
}

fn every_command_does_what_it_says(readme: Readme) {
    let (standin, sandbox) = set_up();
    sandbox.append("[profiles.ops]\ntouser = \"lisi\"\n");
    let mut run = 0;
    for line in readme.blocks("sh") {
        // These build or install, which .ci/run and a user do; no test can in itself.
        let builds = ["cargo ", "install ", "apt-get "];
        if builds.iter().any(|it| line.starts_with(it)) {
            continue;
        }
        assert!(line.contains("wxpush "), "nobody runs this: {line}");
        shell(&sandbox, line).exits(readmes::exit(line));
        run += 1;
    }
    assert!(run > 20, "{run} commands were found");
    for line in readme.blocks("crontab") {
        let count = standin.company().phone("lisi").len();
        let sent = usize::from(line.contains(" send "));
        shell(&sandbox, &cron_command(line)).exits(0);
        let landed = standin.company().phone("lisi").len();
        assert_eq!(landed, count + sent, "{line}");
    }
    let failed = texts(&standin, "lisi").pop().unwrap();
    failed.shows(&format!("{BROKEN}': No such file"));
}

/// The files and the robot that the lines about kinds speak of.
fn with_files(standin: &Standin) -> Sandbox {
    let sandbox = samples::with_robot(standin);
    let config = sandbox.read("config.toml");
    let config = config.replace("[robots.ops]", "[robots.alerts]");
    sandbox.write("config.toml", config);
    let log = b"last night: fine\n".repeat(100);
    let card = json!({"msgtype": "template_card", "template_card": {
        "card_type": "text_notice", "main_title": {"title": "Build 7"},
        "card_action": {"type": 1, "url": "https://ci.example/7"},
    }});
    let message = json!({"touser": "lisi", "agentid": AGENTID, "msgtype": "text", "text": {"content": "by api"}});
    for (name, bytes) in [
        ("plot.png", samples::png()),
        ("note.amr", samples::amr(2)),
        ("clip.mp4", samples::mp4()),
        ("报告.pdf", samples::pdf()),
        ("backup.log", log),
        ("card.json", card.to_string().into_bytes()),
        ("message.json", message.to_string().into_bytes()),
    ] {
        sandbox.write(name, bytes);
    }
    sandbox
}

#[test]
fn every_kind_and_every_receiver_of_the_readme_is_sent() {
    for_each(READMES, every_kind_and_every_receiver_is_sent);
}

fn every_kind_and_every_receiver_is_sent(readme: Readme) {
    let standin = Standin::start();
    let sandbox = with_files(&standin);
    let lines = readme.blocks("sh kinds");
    for line in &lines {
        let outcome = shell(&sandbox, line).exits(0);
        assert_eq!(outcome.stderr, "", "{line}");
    }
    let company = standin.company();
    let kinds = |landed: Vec<Landed>| {
        let kinds = landed.into_iter().map(|landed| landed.msgtype);
        kinds.collect::<BTreeSet<_>>()
    };
    let phone = kinds(company.phone("lisi"));
    let wanted = "markdown text image file voice video textcard news template_card";
    for kind in wanted.split(' ') {
        assert!(phone.contains(kind), "no {kind} of {phone:?}");
    }
    let group = kinds(company.group(ROBOT_KEY).to_vec());
    let group: Vec<String> = group.into_iter().collect();
    assert_eq!(group, ["image", "markdown_v2", "text"]);
    assert!(lines.len() > 20, "{} lines", lines.len());
}

#[test]
fn the_config_of_a_newcomer_is_written_as_the_readme_shows_it() {
    for_each(READMES, the_config_of_a_newcomer_is_written);
}

fn the_config_of_a_newcomer_is_written(readme: Readme) {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let lines = readme.blocks("sh init");
    let [at_a_terminal, unattended] = &lines[..] else {
        panic!("two ways: {lines:?}");
    };
    // A crontab of its own: nobody's here is touched.
    with_crontab(&sandbox, "echo 'no crontab for me' >&2; exit 1");
    let path = format!("{}:/usr/bin:/bin", sandbox.path("programs").display());
    let run = described(&sandbox, at_a_terminal).env("PATH", path);
    let mut pty = Pty::start(run.env("WXPUSH_API_BASE", standin.base()));
    let agentid = AGENTID.to_string();
    for answer in [CORPID, SECRET, &agentid, "zhangsan"] {
        pty.shows("> ").types(answer);
    }
    pty.shows("is written").shows("[Y/n] ").types("y");
    let first = sandbox.path("wxpush").display().to_string();
    pty.shows(&format!("Next:\r\n  {first} send"));
    assert_eq!(pty.end().0, Some(0));
    written(&sandbox, "config.toml");
    shell(&sandbox, &cron_command(&sandbox.read("installed"))).is_silent();
    fs::remove_file(sandbox.path("config.toml")).unwrap();
    sandbox.write("secret", SECRET);
    let secret = sandbox.path("secret").display().to_string();
    let line = unattended.replace("/run/secrets/wecom", &secret);
    let run = described(&sandbox, &line).env("WXPUSH_API_BASE", standin.base());
    run.is_silent();
    shell(&sandbox, "wxpush send hello").is_silent();
    assert_eq!(standin.company().phone("zhangsan").len(), 1);
}

#[test]
#[ignore = "needs root: no network, by unshare"]
fn the_network_off_and_on_again_as_the_readme_shows_it() {
    for_each(READMES, the_network_off_and_on_again);
}

fn the_network_off_and_on_again(readme: Readme) {
    let (standin, sandbox) = set_up();
    let lines = readme.blocks("sh root");
    let [send, list, flush] = &lines[..] else {
        panic!("three steps: {lines:?}");
    };
    shell(&sandbox, send).exits(75).says("kept in the outbox");
    let listed = shell(&sandbox, list).exits(0).stdout;
    assert!(listed.contains("hello from the dark"), "{listed}");
    assert_eq!(standin.company().phone("lisi").len(), 0);
    shell(&sandbox, flush).exits(0);
    assert_eq!(standin.company().phone("lisi").len(), 1);
}

#[test]
fn the_readme_names_every_option_of_send() {
    let help = Sandbox::empty().wxpush("send --help").exits(0).stdout;
    let words = help
        .split_whitespace()
        .map(|word| word.trim_end_matches([',', '.']));
    let options: Vec<&str> = words
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .collect();
    assert!(options.len() > 15);
    for readme in READMES {
        let mut options = options.iter();
        let missing = options.find(|option| !readme.text.contains(**option));
        assert_eq!(missing, None, "{}", readme.name);
    }
}

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
        let command = cron_command(line).replace("/opt/wxpush/disk-space.sh", script);
        shell(&sandbox, &command).exits(0);
    }
    let texts = texts(&standin, "lisi");
    assert!(texts[0].starts_with("Good morning\nIt is 2"), "{texts:?}");
    assert!(texts[1].starts_with("backup failed on "), "{texts:?}");
    texts[1].shows(&format!("{BROKEN}': No such file"));
}

#[test]
fn the_example_scripts_run() {
    let (standin, sandbox) = set_up();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let script = |name, rest| shell(&sandbox, &format!("{examples}/{name} {rest}"));
    let last = || texts(&standin, "lisi").pop().unwrap();
    assert_eq!(script("pipe.sh", "echo fine").exits(0).stdout, "fine\n");
    assert!(last().starts_with("✅ echo on ") && last().ends_with("\nfine"));
    script("pipe.sh", "sh -c 'echo broken >&2; exit 3'").exits(3);
    assert!(last().starts_with("❌ (3) sh on ") && last().ends_with("\nbroken"));
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
        "wxpush-failure@.service",
    ] {
        let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
        let text = fs::read_to_string(format!("{examples}/{name}")).unwrap();
        assert!(text.starts_with('#') && text.contains("[Unit]"), "{name}");
        if name.ends_with(".service") {
            text.shows("ExecStart=");
            text.shows("/opt/wxpush/");
        }
    }
}
