//! `wxpush callback`: the trusted-IP wall, from 60020 to a message that passes.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ChildStdout;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::standin::{CallbackPage, Fault};
use crate::support::chinese::hold;
use crate::support::{AGENT, Outcome, Run, SEND, Sandbox, Started, Words, set_up, texts};

/// A `callback` that waits.
struct Callback {
    run: Started,
    stdout: BufReader<ChildStdout>,
    page: CallbackPage,
    shown: String,
}

impl Callback {
    /// Starts it at a free port.
    fn start(sandbox: &Sandbox, args: &str) -> Self {
        Self::of(sandbox.wxpush(&format!("callback --listen 127.0.0.1:0 {args}")))
    }

    /// Starts it, and reads what is to be entered.
    fn of(run: Run) -> Self {
        let mut run = run.start();
        let mut stdout = BufReader::new(run.child.stdout.take().unwrap());
        let mut shown = String::new();
        // The line after the three values ends what is shown at first.
        while !shown.contains("EncodingAESKey")
            || !shown.ends_with(".\n") && !shown.ends_with("。\n")
        {
            let count = stdout.read_line(&mut shown).unwrap();
            assert_ne!(count, 0, "it ended: {shown}: {:?}", run.child.wait());
        }
        let value = |name: &str| {
            let line = shown
                .lines()
                .find_map(|line| line.trim().strip_prefix(name));
            line.unwrap().trim().to_owned()
        };
        let url = value("URL");
        let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
        let page = CallbackPage::new(
            &format!("127.0.0.1:{port}"),
            &value("Token"),
            &value("EncodingAESKey"),
        );
        Self {
            run,
            stdout,
            page,
            shown,
        }
    }

    /// Waits for its end; returns all that it showed.
    fn ends(self) -> Outcome {
        let Self {
            run,
            mut stdout,
            shown,
            ..
        } = self;
        let mut outcome = run.wait();
        let mut rest = shown;
        while stdout.read_line(&mut rest).unwrap() > 0 {}
        outcome.stdout = rest;
        outcome
    }
}

#[test]
fn the_wall_is_taken_from_60020_to_a_message_that_passes() {
    let (standin, sandbox) = set_up();
    let here = Ipv4Addr::LOCALHOST.into();
    standin.company().trusted_ips = Some(Vec::new());
    let refused = sandbox.send("x").exits(77);
    refused.says("60020").says("wxpush callback");
    assert!(!standin.trust(here), "the console takes none before");
    let callback = Callback::start(&sandbox, "");
    assert!(callback.shown.contains("设置API接收"), "{}", callback.shown);
    assert!(standin.save(&callback.page));
    assert!(standin.save(&callback.page), "WeCom may ask twice");
    let outcome = callback.ends().exits(0);
    assert_eq!(outcome.stderr, "");
    assert!(outcome.stdout.contains("127.0.0.1"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("企业可信IP"), "{}", outcome.stdout);
    assert!(standin.trust(here));
    sandbox.wxpush("outbox retry --all").exits(0);
    sandbox.wxpush("outbox flush").exits(0);
    assert_eq!(texts(&standin, "lisi"), ["x"]);
}

#[test]
fn an_ipv6_address_is_not_to_be_entered() {
    let (standin, sandbox) = set_up();
    let refused = "not allow to access from your ip, from ip: 2001:db8::7, more info at x";
    standin.always(AGENT, Fault::Errcode(60020, refused.to_owned()));
    standin.always(SEND, Fault::Errcode(60020, refused.to_owned()));
    let outcome = sandbox.wxpush("send --no-outbox x").exits(77);
    let outcome = outcome.says("2001:db8::7").says("local_address");
    assert!(!outcome.stderr.contains("2001:db8::7 →"), "{outcome:?}");
    let callback = Callback::start(&sandbox, "--for 1s");
    assert!(standin.save(&callback.page));
    let outcome = callback.ends().exits(0);
    outcome.stdout.shows("Replace <public-IP>");
    outcome.stdout.shows("local_address");
}

#[test]
fn in_chinese_everything_is_chinese_and_what_the_environment_fixes_is_shown() {
    let (standin, sandbox) = set_up();
    let key = "A".repeat(43);
    let run = sandbox.wxpush("callback --listen 127.0.0.1:0 --for 1s");
    let run = run.env("WXPUSH_CALLBACK_TOKEN", "abc123");
    let callback = Callback::of(run.env("WXPUSH_CALLBACK_AESKEY", &key).in_chinese());
    assert_eq!(
        (&*callback.page.token, &*callback.page.key),
        ("abc123", &*key)
    );
    assert!(standin.save(&callback.page));
    let outcome = callback.ends().exits(0);
    let lines = outcome.stdout.lines();
    let values = ["  URL ", "  Token ", "  EncodingAESKey "];
    lines
        .filter(|line| !values.iter().any(|it| line.starts_with(it)))
        .for_each(hold);
    for (name, value) in [
        ("TOKEN", "a b"),
        ("TOKEN", &*"a".repeat(33)),
        ("AESKEY", &*"A".repeat(42)),
    ] {
        let name = format!("WXPUSH_CALLBACK_{name}");
        let run = sandbox
            .wxpush("callback --listen 127.0.0.1:0")
            .env(&name, value);
        let outcome = run.exits(78).says(&name);
        assert!(!outcome.stderr.contains(value));
    }
}

#[test]
fn what_is_wrong_with_a_check_is_told_and_it_gets_no_answer() {
    let (standin, sandbox) = set_up();
    let callback = Callback::start(&sandbox, "--for 3s");
    let right = callback.page.clone();
    let page = |change: fn(&mut CallbackPage)| {
        let mut page = right.clone();
        change(&mut page);
        page
    };
    assert!(!standin.save(&page(|it| it.token = "another".to_owned())));
    assert!(!standin.save(&page(|it| it.key = "B".repeat(42) + "A")));
    assert!(!standin.save(&page(|it| it.corpid = "ww99".to_owned())));
    let outcome = callback.ends().exits(75);
    let outcome = outcome.says("wrong signature").says("enter the Token");
    let outcome = outcome.says("EncodingAESKey").says("for company ww99");
    assert!(outcome.stderr.contains("no right check came within 3s"));
    assert!(!outcome.stdout.contains('✓'));
    assert!(!standin.trust(Ipv4Addr::LOCALHOST.into()));
}

#[test]
fn anything_but_a_check_is_answered_404_and_a_check_still_passes() {
    let (standin, sandbox) = set_up();
    let callback = Callback::start(&sandbox, "");
    let page = callback.page.clone();
    let check = page.check("x");
    let long = format!("GET /?{} HTTP/1.1\r\n\r\n", "x".repeat(9000));
    let headers = format!("GET {check} HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(8192));
    let posted = format!(
        "POST {check} HTTP/1.1\r\nContent-Length: 2000\r\n\r\n{}",
        "x".repeat(2000)
    );
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET /favicon.ico HTTP/1.0\r\n\r\n",
        "GET /?msg_signature=1&timestamp=2&nonce=3 HTTP/1.1\r\n\r\n",
        "HELLO\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\r\n\r\n",
        &posted,
        &long,
        &headers,
    ] {
        let (status, body) = page.say(request.as_bytes()).unwrap();
        assert_eq!((status, &*body), (404, ""), "{request:.60}");
    }
    assert!(standin.save(&page) && standin.save(&page));
    assert_eq!(callback.ends().exits(0).stderr, "");
}

#[test]
fn connections_that_are_held_open_keep_wecom_out_of_nothing() {
    let (standin, sandbox) = set_up();
    let callback = Callback::start(&sandbox, "");
    let held: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(&callback.page.host).unwrap();
            // The first of them have been closed by then.
            let _ = stream.write_all(b"GET / HT");
            stream
        })
        .collect();
    assert!(standin.save(&callback.page) && standin.save(&callback.page));
    callback.ends().exits(0);
    drop(held);
}

#[test]
fn where_it_cannot_listen_or_nobody_asks_it_says_what_to_do() {
    let (_standin, sandbox) = set_up();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let outcome = sandbox.wxpush("callback --listen").arg(&address).exits(74);
    outcome.says("in use").says("--listen");
    let outcome = sandbox.wxpush("callback --listen 192.0.2.7:8080").exits(74);
    outcome.says("no address of this host");
    sandbox.wxpush("callback --listen 8080").exits(64);
    sandbox.wxpush("callback --for 0s").exits(64);
    let run = || sandbox.wxpush("callback --json --listen 127.0.0.1:0 --for 1s");
    let outcome = run().exits(75).says("security group");
    assert!(outcome.stdout.lines().all(|line| line.starts_with('{')));
    run().in_chinese().exits(75).says("安全组");
    Sandbox::empty().wxpush("callback").exits(78).says("corpid");
}

#[test]
#[ignore = "needs root: another user"]
fn a_port_of_roots_is_told_as_that() {
    let (_standin, sandbox) = set_up();
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if first.is_ok_and(|first| first.trim() == "0") {
        return;
    }
    let mut command = std::process::Command::new("setpriv");
    command.args([
        "--reuid=65534",
        "--clear-groups",
        "--bounding-set=-all",
        "--inh-caps=-all",
    ]);
    command
        .arg(env!("CARGO_BIN_EXE_wxpush"))
        .args(["callback", "--listen", "127.0.0.1:1"]);
    let run = Run::new(command)
        .env("WXPUSH_CORPID", "ww1")
        .env("PATH", "/usr/bin:/bin");
    let run = run.env("WXPUSH_CORPSECRET", "").cwd(sandbox.path(""));
    let outcome = run.exits(74);
    outcome.says("for root").says("--listen");
}

#[test]
fn it_listens_on_ipv6_too_and_ends_at_once_by_a_signal() {
    let (standin, sandbox) = set_up();
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let run = sandbox.wxpush("callback --listen [::1]:0");
    let mut callback = Callback::of(run);
    callback.page.host = callback.page.host.replace("127.0.0.1", "[::1]");
    assert!(standin.save(&callback.page));
    let pid = Pid::from_raw(i32::try_from(callback.run.child.id()).unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    assert_eq!(callback.ends().code, None);
}

#[test]
fn neither_token_nor_key_is_logged_or_kept() {
    let (standin, sandbox) = set_up();
    let callback = Callback::start(&sandbox, "-vv --for 2s");
    let page = callback.page.clone();
    assert!(standin.save(&page));
    let outcome = callback.ends().exits(0);
    for secret in [&page.token, &page.key] {
        assert!(!outcome.stderr.contains(&**secret));
        for entry in std::fs::read_dir(sandbox.path("")).unwrap().flatten() {
            let text = std::fs::read(entry.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(&**secret), "{:?}", entry.path());
        }
    }
}
