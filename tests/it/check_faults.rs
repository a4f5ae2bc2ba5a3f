//! wxpush check where networks, certificates, clocks, configs and disks are not as they should be.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::standin::tls::Kind;
use crate::standin::{CORPID, Fault, SECRET, Standin};
use crate::support::check::{check, steps};
use crate::support::leaks::conceal;
use crate::support::{
    AGENT, GETTOKEN, Manner, PASSWORD, Proxy, Sandbox, config, for_each, names_nobody, script,
    set_mode, set_up, trusting,
};

#[test]
fn a_port_that_refuses_is_a_cross_and_what_depends_on_it_none() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&Standin::refuse()));
    let outcome = check(&sandbox, "").exits(75);
    outcome.went("dns", "ok", &[]);
    outcome.went("tcp", "failed", &["TCP: ", "refuses the connection"]);
    for name in ["http", "token", "agent", "scope", "recipient"] {
        outcome.went(name, "skipped", &["another step failed"]);
    }
    outcome.went("outbox", "ok", &[]);
}

#[test]
fn a_port_that_takes_nobody_is_a_cross_at_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200));
    // Until the queue of the port is full.
    let _queued: Vec<TcpStream> = std::iter::from_fn(|| connect().ok()).collect();
    for scheme in ["http", "https"] {
        let sandbox = Sandbox::empty();
        sandbox.write("config.toml", config(&format!("{scheme}://{address}")));
        let outcome = check(&sandbox, "--timeout 1s").exits(75);
        outcome.went("dns", "ok", &[]);
        outcome.went("tcp", "failed", &["no answer from"]);
        outcome.went("http", "skipped", &[]);
    }
}

#[test]
fn a_bad_certificate_is_a_cross_before_anything_is_asked() {
    let words = |kind| match kind {
        Kind::SelfSigned | Kind::UnknownCa => "not signed by an authority that this machine trusts",
        Kind::WrongName => "is not for 127.0.0.1",
        Kind::ForbiddenName => "has a name that its authority may not sign",
        Kind::Expired => "has expired, by this machine's clock: 20",
        Kind::NotYetValid => "is not valid yet, by this machine's clock: 20",
        _ => "does not support TLS 1.2 or 1.3",
    };
    for_each(Kind::BAD, |kind| {
        let standin = Standin::start_tls(kind);
        let sandbox = trusting(&standin);
        let outcome = check(&sandbox, "").exits(75);
        outcome.went("tcp", "ok", &[]);
        outcome.went("tls", "failed", &[words(kind)]);
        outcome.went("token", "skipped", &[]);
        assert_eq!(standin.requests().len(), 0, "{kind:?}");
    });
}

#[test]
fn good_tls_is_well_and_a_ca_file_that_cannot_be_read_is_a_cross() {
    for kind in [Kind::Good, Kind::Tls12Only] {
        let standin = Standin::start_tls(kind);
        let sandbox = trusting(&standin);
        let outcome = check(&sandbox, "").exits(0);
        outcome.went("tls", "ok", &[]);
        outcome.went("api_base", "ok", &["ca_file ", "ca.pem"]);
        // Its issuer in the system's store alone.
        sandbox.write("config.toml", config(&standin.base()));
        let store = sandbox.path("ca.pem");
        let run = check(&sandbox, "").env("SSL_CERT_FILE", store);
        run.exits(0).went("tls", "ok", &[]);
    }
    let standin = Standin::start_tls(Kind::Good);
    let sandbox = trusting(&standin);
    fs::remove_file(sandbox.path("ca.pem")).unwrap();
    let outcome = check(&sandbox, "").exits(78);
    outcome.went("http", "failed", &["ca_file ", "ca.pem: "]);
}

#[test]
fn a_clock_that_is_wrong_is_a_cross() {
    let (standin, sandbox) = set_up();
    standin.advance(Duration::from_mins(4));
    check(&sandbox, "")
        .exits(0)
        .went("clock", "ok", &[" s off "]);
    standin.advance(Duration::from_secs(390));
    let outcome = check(&sandbox, "").exits(77);
    outcome.went("clock", "failed", &["10m", "behind", "timedatectl"]);
    outcome.went("recipient", "ok", &[]);
}

#[test]
fn another_server_in_wecoms_place_is_told_as_that() {
    let page = "<html>log in</html>".to_owned();
    for_each(
        [
            (Fault::Body(page), 75, "it is a web page"),
            (Fault::redirect(302, "http://portal/"), 75, "a redirect"),
            (Fault::html(503), 75, "503"),
            (Fault::html(403), 77, "403"),
            (Fault::CutBefore, 75, "broke"),
            (Fault::Hang, 75, "no answer from 127.0.0.1"),
        ],
        |(fault, code, words)| {
            let (standin, sandbox) = set_up();
            standin.always(GETTOKEN, fault);
            let outcome = check(&sandbox, "--timeout 2s").exits(code);
            assert!(outcome.time < Duration::from_secs(6), "{:?}", outcome.time);
            outcome.went("tcp", "ok", &[]);
            outcome.went("http", "failed", &[words]);
            outcome.went("token", "skipped", &[]);
            assert_eq!(standin.count(AGENT), 0);
        },
    );
}

#[test]
fn tls_that_hangs_is_a_cross_at_tls_also_behind_a_proxy_and_nobody_connects_twice() {
    let proxy = Proxy::start(Manner::Forward, None);
    for by in [
        String::new(),
        format!("proxy = \"{}\"\n", proxy.url("http")),
    ] {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("https://{}", silent.local_addr().unwrap());
        let sandbox = Sandbox::empty();
        sandbox.write("config.toml", config(&base) + &by);
        let outcome = check(&sandbox, "--timeout 2s").exits(75);
        outcome.went("tcp", "ok", &[]);
        outcome.went("tls", "failed", &["in time"]);
        outcome.went("http", "skipped", &[]);
        silent.set_nonblocking(true).unwrap();
        assert_eq!(silent.incoming().map_while(Result::ok).count(), 1);
    }
}

#[test]
fn a_proxy_that_hangs_in_its_handshake_is_a_cross_where_wecom_is_reached_in_plain() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let by = format!("allow_plain_http = true\nproxy = \"https://{at}\"\n");
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config("http://relay.example") + &by);
    let outcome = check(&sandbox, "--timeout 2s").exits(75);
    outcome.went("tcp", "ok", &[]);
    outcome.went("tls", "failed", &["in time"]);
    outcome.went("http", "skipped", &[]);
}

#[test]
fn a_proxy_is_named_without_its_password_and_told_apart_from_what_lies_beyond() {
    conceal(PASSWORD);
    let standin = Standin::start_tls(Kind::Good);
    let good = Proxy::start(Manner::Forward, None);
    let by_proxy = |url: &str| {
        let sandbox = trusting(&standin);
        sandbox.append(&format!("proxy = \"{url}\"\n"));
        sandbox
    };
    let sandbox = by_proxy(&good.url("http"));
    let outcome = check(&sandbox, "").exits(0);
    let shown = format!("proxy: http://{} (by [network] proxy)", good.address);
    outcome.went("proxy", "ok", &[&shown]);
    outcome.went("http", "ok", &[]);
    let bare = trusting(&standin);
    let run = check(&bare, "").env("https_proxy", good.url("socks5"));
    run.exits(0)
        .went("proxy", "ok", &["socks5://", "(by https_proxy)"]);

    let dead = Standin::refuse().replace("http://", "http://user:hunter2hunter2@");
    let outcome = check(&by_proxy(&dead), "").exits(75);
    outcome.went("tcp", "failed", &["the proxy ", "refuses"]);
    let deaf = Proxy::start(Manner::Refuse(407), None);
    let outcome = check(&by_proxy(&deaf.url("http")), "").exits(77);
    outcome.went("http", "failed", &["the proxy wants a user and a password"]);
    let closed = Proxy::start(Manner::Refuse(403), None);
    let outcome = check(&by_proxy(&closed.url("http")), "").exits(75);
    outcome.went("http", "failed", &["does not allow connections"]);
}

#[test]
fn a_broken_config_is_a_cross_and_the_way_is_looked_at_all_the_same() {
    let (standin, sandbox) = set_up();
    sandbox.configure("agentit = 7");
    let run = check(&sandbox, "").env("WXPUSH_API_BASE", standin.base());
    let outcome = run.exits(78);
    outcome.went("config", "failed", &["config.toml:1", "agentit", "agentid"]);
    outcome.went("api_base", "ok", &[&standin.base()]);
    outcome.went("http", "ok", &[]);
    for name in ["settings", "state_dir", "token", "recipient", "outbox"] {
        outcome.went(name, "skipped", &["cannot be read"]);
    }
    names_nobody(&standin);
    // No state is made by guess.
    assert!(!sandbox.path("wxpush.log").exists());
    sandbox.write("config.toml", "lang = \"fr\"\n");
    let outcome = check(&sandbox, "").env("WXPUSH_LANG", "fr").exits(78);
    assert_eq!(steps(&outcome, "config").len(), 1);
}

#[test]
fn what_is_missing_in_a_config_is_a_cross_and_the_rest_is_checked() {
    let (_standin, sandbox) = set_up();
    let whole = sandbox.read("config.toml");
    let without = |key: &str| {
        let lines = whole.lines().filter(|line| !line.starts_with(key));
        let text: Vec<&str> = lines.collect();
        sandbox.write("config.toml", text.join("\n") + "\n");
    };
    without("corpsecret");
    let outcome = check(&sandbox, "").exits(78);
    outcome.went(
        "account",
        "failed",
        &["corpsecret is not set", "WXPUSH_CORPSECRET"],
    );
    outcome.went("state_dir", "ok", &[]);
    outcome.went("tcp", "ok", &[]);
    without("agentid");
    let outcome = check(&sandbox, "").exits(78);
    outcome.went("account", "failed", &["agentid is not set"]);
    outcome.went("token", "ok", &[]);
    outcome.went("agent", "skipped", &[]);
    let bare = Sandbox::empty();
    let outcome = check(&bare, "--timeout 1s").exits(78);
    outcome.went(
        "config",
        "ok",
        &["none", "config.toml", "/etc/wxpush/config.toml"],
    );
    outcome.went("account", "failed", &["no config was found"]);
}

#[test]
fn a_secret_where_none_belongs_is_not_shown() {
    let (_standin, sandbox) = set_up();
    let whole = sandbox.read("config.toml");
    for line in [
        format!("touser = \"{SECRET}\""),
        format!("prefix = \"[{SECRET}]\""),
        format!("totag = 1\n[mail]\nroot = {{ touser = \"{SECRET}\" }}"),
    ] {
        let (top, tables) = line.split_once('\n').unwrap_or((&line, ""));
        sandbox.write("config.toml", format!("{top}\n{whole}{tables}\n"));
        // Whatever is printed or logged is searched for it.
        let outcome = check(&sandbox, "-vv").run();
        assert!(outcome.stdout.contains("[hidden]"), "{}", outcome.stdout);
    }
    let swapped = whole
        .replace(SECRET, "x")
        .replace(CORPID, SECRET)
        .replace("\"x\"", &format!("\"{CORPID}\""));
    sandbox.write("config.toml", swapped);
    let outcome = check(&sandbox, "").exits(77);
    outcome.went("account", "ok", &["corpid (hidden)"]);
    outcome.went("token", "failed", &["40013"]);
}

#[test]
fn state_that_cannot_be_kept_is_a_cross() {
    let (standin, sandbox) = set_up();
    let run = check(&sandbox, "").env("WXPUSH_STATE_DIR", "/proc/none");
    let outcome = run.exits(73);
    outcome.went("state_dir", "failed", &["/proc/none", "state_dir"]);
    outcome.went("log", "skipped", &[]);
    outcome.went("token", "ok", &[]);
    for (name, step) in [
        ("token_cache.json", "files"),
        ("ledger", "files"),
        ("outbox", "outbox"),
        ("wxpush.log", "log"),
    ] {
        let sandbox = Sandbox::of(&standin);
        std::os::unix::fs::symlink("elsewhere", sandbox.path(name)).unwrap();
        let outcome = check(&sandbox, "").exits(73);
        let found = steps(&outcome, step);
        let failed = found.iter().find(|(status, _)| status == "failed");
        let (_, said) = failed.expect(name);
        assert_eq!(outcome.stderr, "", "it is told once");
        assert!(said.contains("symbolic link"), "{name}: {said}");
    }
    let sandbox = Sandbox::of(&standin);
    sandbox.send("x").is_silent();
    let cache = sandbox.path("token_cache.json");
    set_mode(&cache, 0o644);
    let outcome = check(&sandbox, "").exits(73);
    outcome.went("files", "failed", &["others can get at", "chmod 600 "]);
}

#[test]
#[ignore = "needs root: a disk of its own, another owner"]
fn a_full_disk_and_anothers_config_are_told() {
    let (_standin, sandbox) = set_up();
    fs::create_dir(sandbox.path("small")).unwrap();
    let mount =
        "mount -t tmpfs -o size=64k,mode=755 none $1/small && export WXPUSH_STATE_DIR=$1/small
        fill() { dd if=/dev/zero of=$1/small/zero bs=64k count=1 2>/dev/null; }
        fill $1; \"$0\" check --json";
    let run = script(&sandbox, &["unshare", "-m"], mount);
    let outcome = run.exits(73);
    outcome.went(
        "state_dir",
        "failed",
        &["small", "No space left", "make room"],
    );
    let config = sandbox.path("config.toml");
    std::os::unix::fs::chown(&config, Some(4711), Some(4711)).unwrap();
    let outcome = check(&sandbox, "").exits(78);
    outcome.went("config", "failed", &["belongs to user 4711", "chown root"]);
}
