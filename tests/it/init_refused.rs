//! `wxpush init` at a terminal, where WeCom or the network says no.

use crate::standin::{AGENTID, CORPID, SECRET, Standin};
use crate::support::init::{answer, answer_rightly, answer_rightly_from, init, written};
use crate::support::{Pty, Sandbox, Words, leaks, refusal, second_app, set_up};

#[test]
fn what_wecom_refuses_is_asked_again() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    second_app(&standin);
    let mut pty = Pty::start(init(&sandbox, &standin, ""));
    answer(&mut pty, &["ww-another", SECRET]);
    pty.shows("errcode 40013")
        .shows("corpid: ")
        .shows("> ")
        .types(CORPID);
    pty.shows("WeCom accepts");
    pty.shows("agentid: ").shows("> ").types("7");
    pty.shows("errcode 301002")
        .shows("agentid: ")
        .shows("> ")
        .types("8");
    pty.shows("errcode 40056")
        .shows("agentid: ")
        .shows("> ")
        .types(&AGENTID.to_string());
    pty.shows("✓ the app is 告警");
    pty.shows("@all: the app's Allowed users (可见范围): members 0, departments 1, tags 0");
    pty.shows("> ").types("");
    pty.shows("✗ touser is empty").shows("> ").types("nobody");
    pty.shows("not among the app's Allowed users (可见范围): nobody")
        .shows("> ")
        .types("@all");
    pty.shows("[Y/n] ").types("n");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(written(&sandbox, "config.toml").contains("touser = \"@all\"\n"));
}

#[test]
fn a_wrong_secret_is_asked_for_again_at_once_and_three_times_at_the_most() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let wrong = leaks::reversed();
    let mut pty = Pty::start(init(&sandbox, &standin, ""));
    answer(&mut pty, &[CORPID, &wrong]);
    for _ in 0..2 {
        pty.shows("✗ WeCom refused: errcode 40001")
            .shows("corpsecret: ")
            .shows("> ");
        assert!(!pty.echoes());
        pty.types(&wrong);
    }
    let (code, shown) = pty.end();
    assert_eq!(code, Some(77), "{shown}");
    assert!(shown.contains("nothing was written"), "{shown}");
    assert_eq!(standin.count("/cgi-bin/gettoken"), 3);
    assert!(!sandbox.path("config.toml").exists());
}

#[test]
fn an_untrusted_ip_is_shown_and_can_be_entered_meanwhile_or_passed_by() {
    for goes_on in [true, false] {
        let standin = Standin::start();
        let sandbox = Sandbox::empty();
        standin.company().trusted_ips = Some(Vec::new());
        let mut pty = Pty::start(init(&sandbox, &standin, ""));
        answer_rightly(&mut pty, 3);
        pty.shows("errcode 60020")
            .shows("127.0.0.1 ")
            .shows("> ")
            .types("what");
        pty.shows("must be Enter, c or n").shows("> ");
        // If it is taken by another, that is as good.
        let _taken = std::net::TcpListener::bind("127.0.0.1:8080");
        pty.types("c").shows("8080 is in use by another program");
        pty.shows("errcode 60020")
            .shows("wxpush callback")
            .shows("> ");
        if goes_on {
            pty.types("n");
        } else {
            pty.types("").shows("errcode 60020").shows("> ");
            standin.company().trusted_ips = None;
            pty.types("").shows("✓ the app is 告警");
        }
        answer_rightly_from(&mut pty, 3);
        pty.shows("[Y/n] ").types("n");
        let (code, shown) = pty.end();
        assert_eq!(code, Some(0), "{shown}");
        written(&sandbox, "config.toml");
    }
}

#[test]
fn a_dead_network_stops_nobody_who_goes_on_and_a_proxy_may_be_named() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let run = init(&sandbox, &standin, "").env("WXPUSH_API_BASE", Standin::refuse());
    let mut pty = Pty::start(run);
    answer_rightly(&mut pty, 2);
    pty.shows("refuses the connection")
        .shows("> ")
        .types("my-proxy");
    pty.shows("✗ proxy must be a proxy")
        .shows("> ")
        .types("http://192.0.2.7:3128");
    // Nothing comes between this machine and itself: it is only written down.
    pty.shows("refuses the connection").shows("> ").types("n");
    answer_rightly_from(&mut pty, 2);
    pty.shows("* * * * * ").shows("[Y/n] ").types("n");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(0), "{shown}");
    let config = written(&sandbox, "config.toml");
    config.shows("proxy = \"http://192.0.2.7:3128\"\n");
    assert_eq!(standin.count("/cgi-bin/gettoken"), 0);
}

#[test]
fn a_stale_refusal_holds_up_nobody_after_the_mending() {
    let (standin, sandbox) = set_up();
    standin.script("/cgi-bin/gettoken", [refusal(40001)]);
    sandbox.send("x").exits(77);
    let config = sandbox.read("config.toml");
    sandbox.written().insert(config.into_bytes());
    let mut pty = Pty::start(init(&sandbox, &standin, "--force"));
    answer_rightly(&mut pty, 4);
    pty.shows("[Y/n] ").types("n");
    assert_eq!(pty.end().0, Some(0));
    written(&sandbox, "config.toml");
    written(&sandbox, "config.toml.old");
    sandbox.send("y").is_silent();
}
