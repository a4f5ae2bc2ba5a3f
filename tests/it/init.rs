//! `wxpush init` at a terminal: every question answered rightly and wrongly, or not at all.

use std::fs;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};

use crate::standin::{AGENTID, CORPID, SECRET, Standin};
use crate::support::init::{
    ASKED, answer, answer_rightly, answer_rightly_from, init, with_crontab, written,
};
use crate::support::{Pty, Run, Sandbox, Words, flush_line, set_up};

#[test]
fn five_answers_make_a_config_that_sends() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let mut pty = Pty::start(init(&sandbox, &standin, ""));
    pty.shows("wework_admin");
    answer_rightly(&mut pty, 2);
    pty.shows("✓ WeCom accepts");
    answer_rightly_from(&mut pty, 2);
    // Yes is the default.
    pty.shows("every minute?").shows("[Y/n] ").types("");
    pty.shows("✓ added to your crontab").shows("send \"hello\"");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(0), "{shown}");
    let asked = shown.matches("\r\n> ").count() + shown.matches("[Y/n]").count();
    assert_eq!(asked, 5);
    shown.lacks("warning");
    let config = written(&sandbox, "config.toml");
    config.shows("touser = \"lisi\"\n");
    // That of the dialogue.
    config.shows("lang = \"en\"\n");
    assert_eq!(sandbox.read("installed"), flush_line(&sandbox) + "\n");
    sandbox.send("x").is_silent();
    assert_eq!(standin.company().phone("lisi").len(), 1);
    assert_eq!(standin.company().phone("zhangsan").len(), 0);
    assert!(sandbox.read("wxpush.log").contains("config written"));
}

#[test]
fn what_is_pasted_with_spaces_quotes_or_wide_letters_is_taken_as_meant() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let mut pty = Pty::start(init(&sandbox, &standin, ""));
    let wide: String = CORPID
        .chars()
        .map(|it| char::from_u32(u32::from(it) + 0xfee0).unwrap())
        .collect();
    let answers = [
        &*format!("  “{wide}” "),
        &*format!("\u{feff}\"{SECRET}\"\t"),
        &*format!(" {AGENTID} "),
        "lisi，zhangsan",
    ];
    answer(&mut pty, &answers);
    pty.shows("[Y/n] ").types("ｎ");
    assert_eq!(pty.end().0, Some(0));
    let config = written(&sandbox, "config.toml");
    assert!(config.contains("touser = \"lisi,zhangsan\"\n"), "{config}");
    assert!(!sandbox.path("installed").exists(), "the answer was no");
    sandbox.send("x").is_silent();
}

#[test]
fn a_wrong_answer_is_asked_again_with_the_reason_and_three_end_it() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let mut pty = Pty::start(init(&sandbox, &standin, ""));
    pty.shows("corpid: ").shows("> ").types("");
    pty.shows("✗ corpid is empty").shows("> ").types("<corpid>");
    pty.shows("✗ corpid is still a placeholder").shows("> ");
    pty.types(CORPID);
    pty.shows("corpsecret: ").shows("> ").types(SECRET);
    pty.shows("agentid: ").shows("> ").types("seven");
    pty.shows("✗ agentid must be").shows("> ").types("0");
    pty.shows("> ").types("");
    pty.shows("3 answers for agentid were wrong");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(78), "{shown}");
    assert!(!sandbox.path("config.toml").exists());
}

#[test]
fn at_each_question_the_end_of_the_input_or_a_signal_leaves_nothing_behind() {
    let standin = Standin::start();
    for (answered, asked) in ASKED.iter().enumerate() {
        let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];
        for signal in [None].into_iter().chain(signals.map(Some)) {
            let sandbox = Sandbox::empty();
            let mut pty = Pty::start(init(&sandbox, &standin, ""));
            answer_rightly(&mut pty, answered);
            pty.shows(asked).shows("> ");
            assert_eq!(pty.echoes(), answered != 1);
            match signal {
                Some(signal) => kill(pty.pid(), signal).unwrap(),
                None => drop(pty.presses("\u{4}")),
            }
            let (code, shown) = pty.end();
            let wanted = if signal.is_some() { None } else { Some(64) };
            assert_eq!(code, wanted, "{answered} {signal:?}: {shown}");
            assert_eq!(sandbox.names(), ["programs", "wxpush"]);
        }
    }
}

#[test]
fn a_config_that_is_there_is_asked_about_and_kept() {
    let (standin, sandbox) = set_up();
    let before = sandbox.read("config.toml");
    let mut pty = Pty::start(init(&sandbox, &standin, ""));
    pty.shows("config.toml already exists")
        .shows("[y/N] ")
        .types("");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(73), "{shown}");
    assert_eq!(sandbox.read("config.toml"), before);

    let mut pty = Pty::start(init(&sandbox, &standin, ""));
    pty.shows("[y/N] ").types("yes");
    answer_rightly(&mut pty, 4);
    pty.shows("[Y/n] ").types("n");
    assert_eq!(pty.end().0, Some(0));
    written(&sandbox, "config.toml");
    assert_eq!(written(&sandbox, "config.toml.old"), before);
    assert!(!sandbox.path("config.toml.new").exists());

    // The example as it comes is none.
    sandbox.write("config.toml", include_str!("../../config.example.toml"));
    let mut pty = Pty::start(init(&sandbox, &standin, ""));
    answer_rightly(&mut pty, 4);
    // The end of the input is no yes.
    pty.shows("[Y/n] ").presses("\u{4}");
    assert_eq!(pty.end().0, Some(0));
    assert!(!sandbox.path("installed").exists());
    let config = written(&sandbox, "config.toml");
    fs::remove_file(sandbox.path("config.toml.old")).unwrap();

    // The same answers change nothing.
    let mut pty = Pty::start(init(&sandbox, &standin, "--force"));
    answer_rightly(&mut pty, 4);
    pty.shows("was not changed").shows("[Y/n] ").types("n");
    assert_eq!(pty.end().0, Some(0));
    assert_eq!(written(&sandbox, "config.toml"), config);
    assert!(!sandbox.path("config.toml.old").exists());
}

#[test]
fn what_the_environment_says_is_not_asked_for_and_one_member_is_proposed() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    {
        let mut company = standin.company();
        let app = company.apps.get_mut(&AGENTID).unwrap();
        app.parties.clear();
        app.users.insert("lisi".to_owned());
    }
    let run = init(&sandbox, &standin, "--json").env("WXPUSH_CORPID", CORPID);
    let run = run.env("WXPUSH_CORPSECRET", SECRET);
    let stdout = sandbox.path("result");
    let file = fs::File::create(&stdout).unwrap();
    let mut pty = Pty::start_with(run, Some(Stdio::from(file)));
    pty.shows("corpid: from WXPUSH_CORPID")
        .shows("corpsecret: from WXPUSH_CORPSECRET");
    pty.shows("agentid: ")
        .shows("> ")
        .types(&AGENTID.to_string());
    pty.shows("Enter: lisi").shows("> ").types("wangwu");
    pty.shows("not among").shows("> ").types("");
    pty.shows("[Y/n] ").types("n");
    assert_eq!(pty.end().0, Some(0));
    let result: serde_json::Value = serde_json::from_str(&sandbox.read("result")).unwrap();
    assert_eq!(result["status"], "written");
    assert_eq!(result["app"]["users"][0], "lisi");
    assert!(written(&sandbox, "config.toml").contains("touser = \"lisi\"\n"));
}

#[test]
fn a_newcomer_without_a_locale_is_asked_in_chinese() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let run = init(&sandbox, &standin, "").env("LANG", "");
    let mut pty = Pty::start(run);
    pty.shows("Ctrl+C")
        .shows("我的企业，页面底部")
        .shows("> ")
        .types("");
    pty.shows("> ").types(CORPID);
    pty.shows("输入时不显示").shows("> ").types(SECRET);
    pty.shows("✓ 企业ID 和 Secret")
        .shows("> ")
        .types(&AGENTID.to_string());
    pty.shows("✓ 应用：告警")
        .shows("默认收件人")
        .shows("> ")
        .types("lisi");
    pty.shows("crontab").shows("[Y/n] ").types("是");
    pty.shows("已加入 crontab").shows("接下来：");
    assert_eq!(pty.end().0, Some(0));
    let config = written(&sandbox, "config.toml");
    assert!(config.contains("# 企业ID：管理后台"), "{config}");
    assert!(config.contains("lang = \"zh\"\n"), "{config}");
}

#[test]
#[ignore = "needs setsid, of util-linux"]
fn what_is_typed_to_end_or_stop_it_gives_the_terminal_back_first() {
    let standin = Standin::start();
    for stop in [false, true] {
        let sandbox = Sandbox::empty();
        with_crontab(&sandbox, "exit 1");
        let mut command = std::process::Command::new("setsid");
        command.arg("-c").arg(sandbox.path("wxpush")).arg("init");
        let run = Run::new(command).env("PATH", "/usr/bin:/bin");
        let mut pty = Pty::start(run.env("WXPUSH_API_BASE", standin.base()));
        answer_rightly(&mut pty, 1);
        pty.shows("corpsecret: ").shows("> ");
        pty.await_echo(false);
        pty.presses(if stop { "\u{1a}" } else { "\u{3}" });
        pty.await_echo(true);
        if stop {
            kill(pty.pid(), Signal::SIGCONT).unwrap();
            pty.shows("> ");
            pty.await_echo(false);
            pty.types(SECRET).shows("WeCom accepts");
            pty.shows("agentid: ").shows("> ").presses("\u{3}");
        }
        let (code, shown) = pty.end();
        assert_eq!(code, None, "{shown}");
        assert_eq!(sandbox.names(), ["programs", "wxpush"]);
    }
}
