//! What the pages for users promise, done: every command of README and docs/.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::standin::{AGENTID, CORPID, Landed, ROBOT_KEY, SECRET, Standin};
use crate::support::documents::{self, Page, page, pages, pair};
use crate::support::init::{with_crontab, written};
use crate::support::shell::{cron_command, described, shell};
use crate::support::{Pty, Sandbox, for_each, png, samples, set_up};

/// What builds, installs or changes a machine: a user does it, or a test of its own.
const ON_A_MACHINE: [&str; 17] = [
    "cargo",
    "install",
    "apt",
    "apt-get",
    "curl",
    "git",
    "dpkg",
    "sh",
    "tar",
    "ansible-playbook",
    "loginctl",
    "systemctl",
    "chgrp",
    "mkdir",
    "cp",
    "ln",
    "docker",
];

/// Programs that the examples call: here each says that it is done, and has nothing to do.
const STAND_INS: [&str; 14] = [
    "apt-get",
    "backup",
    "borg",
    "certbot",
    "chronic",
    "journalctl",
    "main.py",
    "make",
    "pg_dump",
    "ping",
    "python3",
    "restic",
    "rsync",
    "smartctl",
];

/// A sandbox with all that the lines of the pages speak of: files, a robot, a profile, programs.
fn furnished(standin: &Standin) -> Sandbox {
    let sandbox = samples::with_robot(standin);
    let config = sandbox.read("config.toml");
    let config = config.replace("[robots.ops]", "[robots.alerts]");
    sandbox.write(
        "config.toml",
        config + "\n[profiles.ops]\ntouser = \"lisi\"\n",
    );
    let log = b"last night: fine\n".repeat(100);
    let card = json!({"msgtype": "template_card", "template_card": {
        "card_type": "text_notice", "main_title": {"title": "Build 7"},
        "card_action": {"type": 1, "url": "https://ci.example/7"},
    }});
    let message = json!({"touser": "lisi", "agentid": AGENTID, "msgtype": "text", "text": {"content": "by api"}});
    for (name, bytes) in [
        ("plot.png", png()),
        ("note.amr", samples::amr(2)),
        ("clip.mp4", samples::mp4()),
        ("report.pdf", samples::pdf()),
        ("报告.pdf", samples::pdf()),
        ("backup.log", log),
        ("card.json", card.to_string().into_bytes()),
        ("message.json", message.to_string().into_bytes()),
        (
            "mail.eml",
            b"To: root\nSubject: Disk\n\n91% full\n".to_vec(),
        ),
        (
            "messages.jsonl",
            b"{\"to\":\"lisi\",\"text\":\"1\"}\n{\"to\":\"wangwu\",\"text\":\"2\"}\n".to_vec(),
        ),
        ("report.md", b"# Report\n\n- fine\n".repeat(200)),
        ("export.csv", b"\xd0\xd5\xc3\xfb,1\n".to_vec()),
    ] {
        sandbox.write(name, bytes);
    }
    let dir = sandbox.path("programs");
    fs::create_dir_all(&dir).unwrap();
    for name in STAND_INS {
        sandbox.write(
            &format!("programs/{name}"),
            "#!/bin/sh\necho \"${0##*/}: done\"\n",
        );
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    sandbox
}

/// Runs the commands of a page, in their order, in one sandbox.
fn run(page: &Page, standin: &Standin) -> Sandbox {
    let sandbox = furnished(standin);
    for line in page.code("sh") {
        let line = line.strip_prefix("sudo ").unwrap_or(line);
        let program = line.split_whitespace().next().unwrap_or_default();
        // Capitals stand for something of the reader's.
        let is_pattern = line.split_whitespace().any(|it| it == "ID");
        if is_pattern || ON_A_MACHINE.contains(&program) && !line.contains("| wxpush ") {
            continue;
        }
        let place = &page.path;
        assert!(
            line.contains("wxpush "),
            "{place}: nobody runs this: {line}"
        );
        let code = documents::exit(line);
        let outcome = shell(&sandbox, line).exits(code);
        // Programs have a say of their own, and so have warnings that a line is about.
        let speaks = [" run ", " -v", "check", "# !"]
            .iter()
            .any(|it| line.contains(it));
        assert!(
            code != 0 || speaks || outcome.stderr.is_empty(),
            "{place}: {line}: {outcome:?}"
        );
    }
    for line in page.code("crontab") {
        let count = standin.company().phone("lisi").len();
        let sends = line.contains(" send ") && !line.contains("--skip-empty");
        let reports = line.contains(" run ") && !line.contains(" --on ");
        let sent = usize::from(sends || reports);
        shell(&sandbox, &cron_command(line)).exits(0);
        let landed = standin.company().phone("lisi").len();
        assert_eq!(landed, count + sent, "{}: {line}", page.path);
    }
    sandbox
}

#[test]
fn every_command_of_the_pages_does_what_it_says() {
    // A few at a time: each is many runs.
    for some in pages().chunks(8) {
        for_each(some, |page| drop(run(page, &Standin::start())));
    }
    let commands: usize = pages().iter().map(|page| page.code("sh").len()).sum();
    assert!(commands > 150, "{commands} commands were found");
}

#[test]
fn every_piece_of_a_config_is_one_that_the_program_takes() {
    let mut pieces = 0;
    for page in pages() {
        for block in page.blocks("toml") {
            let sandbox = Sandbox::empty();
            let app = format!("corpid = \"{CORPID}\"\nagentid = {AGENTID}\n");
            let app = app + &format!("corpsecret = \"{SECRET}\"\n");
            let block = if block.contains("corpid") {
                block.replace("\"…\"", &format!("\"{SECRET}\""))
            } else {
                app + &block.replace("\"…\"", &format!("\"{ROBOT_KEY}\""))
            };
            sandbox.write("config.toml", block);
            let dry = sandbox.wxpush("send --dry-run hello").run();
            assert!(dry.code == Some(0), "{}: {dry:?}", page.path);
            pieces += 1;
        }
    }
    assert!(pieces > 10, "{pieces} pieces were found");
}

#[test]
fn every_kind_and_every_receiver_of_the_pages_is_sent() {
    for_each([0, 1], |language| {
        let standin = Standin::start();
        for name in ["kinds", "receivers"] {
            run(&pair(name)[language], &standin);
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
    });
}

#[test]
fn the_config_of_a_newcomer_is_written_as_the_pages_show_it() {
    let readmes = ["README.md", "README.zh-CN.md"].map(page);
    let pages = pair("setup").into_iter().chain(readmes);
    for_each(pages, the_config_of_a_newcomer_is_written);
}

fn the_config_of_a_newcomer_is_written(page: Page) {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let lines = page.code("sh init");
    let (at_a_terminal, unattended) = (lines[0], lines.get(1));
    // A crontab of its own: nobody's here is touched.
    with_crontab(&sandbox, "echo 'no crontab for me' >&2; exit 1");
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        sandbox.path("programs").display(),
        sandbox.path("").display()
    );
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
    if let Some(line) = unattended {
        fs::remove_file(sandbox.path("config.toml")).unwrap();
        sandbox.write("secret", SECRET);
        let secret = sandbox.path("secret").display().to_string();
        let line = line.replace("/run/secrets/wecom", &secret);
        let run = described(&sandbox, &line).env("WXPUSH_API_BASE", standin.base());
        run.is_silent();
    }
    shell(&sandbox, "wxpush send hello").is_silent();
    assert_eq!(standin.company().phone("zhangsan").len(), 1);
}

#[test]
#[ignore = "needs root: no network, by unshare"]
fn the_network_off_and_on_again_as_the_pages_show_it() {
    let pages: Vec<Page> = pages()
        .into_iter()
        .filter(|it| !it.code("sh root").is_empty())
        .collect();
    assert!(pages.len() > 1);
    for_each(pages, the_network_off_and_on_again);
}

fn the_network_off_and_on_again(page: Page) {
    let (standin, sandbox) = set_up();
    let lines = page.code("sh root");
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

/// Every command whose options the pages have to name.
const COMMANDS: [&str; 14] = [
    "send",
    "batch",
    "run",
    "check",
    "init",
    "upload",
    "recall",
    "api",
    "outbox list",
    "outbox show",
    "outbox flush",
    "outbox retry",
    "man",
    "token status",
];

#[test]
fn the_pages_name_every_option_in_both_languages() {
    let sandbox = Sandbox::empty();
    let mut options = BTreeSet::new();
    for command in COMMANDS {
        let help = sandbox.wxpush(&format!("{command} --help")).exits(0).stdout;
        let words = help
            .split_whitespace()
            .map(|word| word.trim_end_matches([',', '.', ';']));
        let words = words.filter(|word| word.starts_with("--") && word.len() > 2);
        options.extend(words.map(str::to_owned));
    }
    assert!(options.len() > 45, "{options:?}");
    for language in ["docs/en/", "docs/zh/"] {
        let pages: Vec<Page> = pages()
            .into_iter()
            .filter(|it| it.path.starts_with(language))
            .collect();
        let is_named =
            |option: &&String| pages.iter().any(|page| page.text.contains(option.as_str()));
        let missing: Vec<&String> = options.iter().filter(|it| !is_named(it)).collect();
        assert_eq!(missing, [""; 0], "{language}");
    }
}
