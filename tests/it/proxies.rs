//! Proxies of every kind, from the config and from the environment, that work or don't.

use crate::standin::tls::{Kind, Tls};
use crate::standin::{Fault, Standin};
use crate::support::chinese::{in_both, tells_why_there_is_no_token};
use crate::support::{Manner, PASSWORD, Proxy, Run, SEND, Sandbox, Words, config, for_each};

/// A sandbox whose config leads to a TLS stand-in; `more` goes into `[network]`.
fn sandbox(standin: &Standin, more_ca: &str, more: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write("ca.pem", format!("{}{more_ca}", standin.ca_pem()));
    sandbox.write(
        "config.toml",
        format!("{}ca_file = \"ca.pem\"\n{more}\n", config(&standin.base())),
    );
    sandbox
}

/// Holds that a run at its most talkative, and its log, show nothing of the password.
fn delivers_discreetly(sandbox: &Sandbox, run: Run) {
    let outcome = run.arg("-vvv").exits(0);
    for text in [outcome.stdout, outcome.stderr, sandbox.read("wxpush.log")] {
        assert!(!text.contains("hunter2h"), "{text}");
    }
}

#[test]
fn every_kind_of_proxy_serves_from_the_config_and_from_the_environment() {
    for_each(["http", "https", "socks5", "socks5h"], |scheme| {
        let standin = Standin::start_tls(Kind::Good);
        let tls = (scheme == "https").then(|| Tls::new(Kind::Good));
        let proxy = Proxy::start(Manner::Forward, tls);
        let url = proxy.url(scheme);

        let line = format!("proxy = \"{url}\"");
        let configured = sandbox(&standin, &proxy.ca_pem, &line);
        delivers_discreetly(&configured, configured.send("x"));
        assert_eq!(
            proxy.seen().len(),
            1,
            "{scheme}: one way for token and message"
        );

        for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            let before = proxy.seen().len();
            let bare = sandbox(&standin, &proxy.ca_pem, "");
            delivers_discreetly(&bare, bare.send("x").env(name, &url));
            assert_eq!(proxy.seen().len(), before + 1, "{scheme} by {name}");
        }
        let host = standin.base().replace("https://", "");
        for seen in proxy.seen() {
            // "user:hunter2hunter2" in Base64, as Basic has it.
            let login = if scheme.starts_with("http") {
                "Basic dXNlcjpodW50ZXIyaHVudGVyMg=="
            } else {
                "user:hunter2hunter2"
            };
            assert!(seen.contains(&host) && seen.contains(login), "{seen}");
        }
    });
}

#[test]
fn no_proxy_is_heeded_and_the_config_has_the_last_word() {
    let standin = Standin::start_tls(Kind::Good);
    let (wanted, other) = (
        Proxy::start(Manner::Forward, None),
        Proxy::start(Manner::Forward, None),
    );
    let bare = sandbox(&standin, "", "");
    let run = bare.send("x").env("https_proxy", other.url("http"));
    run.env("no_proxy", "127.0.0.1").is_silent();
    let line = format!("proxy = \"{}\"", wanted.url("http"));
    let configured = sandbox(&standin, "", &line);
    let run = configured.send("x").env("https_proxy", other.url("http"));
    run.is_silent();
    assert_eq!((wanted.seen().len(), other.seen().len()), (1, 0));
}

#[test]
fn a_proxy_that_fails_is_named_without_its_password() {
    let refused = Standin::refuse().replace("http://", "");
    let wants = "wants a user and a password";
    let forbids = "does not allow connections to 127.0.0.1";
    let table = [
        ("http", None, 75, "refuses the connection"),
        ("socks5", None, 75, "cannot be reached"),
        ("http", Some(Manner::Refuse(407)), 77, wants),
        ("socks5", Some(Manner::Unknown), 77, wants),
        ("http", Some(Manner::Refuse(403)), 75, forbids),
        ("http", Some(Manner::Refuse(502)), 75, forbids),
        ("http", Some(Manner::Silent), 75, "in time"),
        ("https", Some(Manner::Forward), 75, "does not speak TLS"),
        ("socks5", Some(Manner::Forbid), 75, "cannot connect to 127"),
        ("socks5h", Some(Manner::Silent), 75, "in time"),
    ];
    for_each(table, |(scheme, manner, code, words)| {
        let standin = Standin::start_tls(Kind::Good);
        let proxy = manner.map(|manner| Proxy::start(manner, None));
        let (url, address) = match &proxy {
            Some(proxy) => (proxy.url(scheme), proxy.address.to_string()),
            None => (
                format!("{scheme}://user:{PASSWORD}@{refused}"),
                refused.clone(),
            ),
        };
        let bare = sandbox(&standin, "", "");
        let configured = sandbox(&standin, "", &format!("proxy = \"{url}\""));
        for run in [
            bare.wxpush("send --timeout 1s -vvv x")
                .env("https_proxy", &url),
            configured.wxpush("send --timeout 1s -vvv x"),
        ] {
            let outcome = run.exits(code);
            let lines = || outcome.stderr.lines();
            let error = lines().find(|line| line.contains("error: ")).unwrap();
            assert!(error.contains(words), "{error}");
            assert!(
                code == 77 || error.contains(&format!("the proxy {address}")),
                "{error}"
            );
            let hint = lines().last().unwrap();
            assert!(hint.contains("hint: ") && hint.contains("proxy"), "{hint}");
            assert!(!outcome.stderr.contains("hunter2h"), "{}", outcome.stderr);
        }
        tells_why_there_is_no_token(code, configured.wxpush(""));
        assert_eq!(standin.connections(), 0);
    });
}

#[test]
fn a_fault_beyond_the_proxy_is_not_called_the_proxys() {
    for (kind, words) in [
        (Kind::Expired, "the certificate of 127.0.0.1"),
        (Kind::Tls10, "127.0.0.1"),
    ] {
        let standin = Standin::start_tls(kind);
        let proxy = Proxy::start(Manner::Forward, None);
        let line = format!("proxy = \"{}\"", proxy.url("http"));
        let configured = sandbox(&standin, "", &line);
        let outcome = configured.wxpush("send --timeout 1s x").exits(75);
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
        outcome.stderr.shows(" through the proxy ");
        tells_why_there_is_no_token(75, configured.wxpush(""));
    }
}

#[test]
fn a_variable_that_is_no_proxy_stops_the_send_and_does_not_let_it_go_direct() {
    let standin = Standin::start_tls(Kind::Good);
    let proxy = Proxy::start(Manner::Forward, None);
    let bare = sandbox(&standin, "", "");
    for text in [
        "http://127.0.0.1:99999",
        "ftp://127.0.0.1:1",
        "http://user:hunter2hunter2@",
        "socks4://x:1",
    ] {
        let outcome = in_both(78, || bare.send("x").env("https_proxy", text));
        outcome
            .stderr
            .shows("https_proxy (environment) must be a proxy");
        assert!(!outcome.stderr.contains("hunter2h"), "{}", outcome.stderr);
        // Where it does not count it does not matter.
        let run = bare.send("x").env("https_proxy", text);
        run.env("no_proxy", "*").is_silent();
    }
    for split in ["#", "/", "?", "\\", "@", "#x@"] {
        let text = format!("http://user:99{split}hunter2hunter2@127.0.0.1:1");
        let outcome = in_both(78, || bare.send("x").env("https_proxy", &text));
        assert!(!outcome.stderr.contains("hunter2h"), "{}", outcome.stderr);
        let checked = bare.wxpush("check").env("https_proxy", &text).exits(78);
        let shown = checked.stdout + &bare.read("wxpush.log");
        assert!(!shown.contains("hunter2h"), "{shown}");
    }
    let address = proxy.address.to_string();
    let before = proxy.seen().len();
    // An empty one is as good as none, and a scheme is not needed.
    let run = bare
        .send("x")
        .env("https_proxy", "")
        .env("HTTPS_PROXY", &address);
    run.is_silent();
    let run = bare.send("x").env("all_proxy", proxy.url("socks"));
    run.is_silent();
    assert_eq!(proxy.seen().len(), before + 2);
    let run = bare
        .wxpush("send --timeout 1s x")
        .env("https_proxy", "http://proxy.invalid:1");
    run.exits(75).says("proxy.invalid, the proxy");
    let run = bare.wxpush("").env("https_proxy", "http://proxy.invalid:1");
    tells_why_there_is_no_token(75, run);
}

#[test]
fn a_proxy_before_a_plain_http_relay_answers_in_its_own_name() {
    let relay = Standin::start();
    relay.always("/cgi-bin/gettoken", Fault::html(407));
    let sandbox = Sandbox::empty();
    let proxy = relay
        .base()
        .replace("http://", "http://user:hunter2hunter2@");
    let lines = format!("allow_plain_http = true\nproxy = \"{proxy}\"\n");
    let config = config("http://relay.example:8080");
    sandbox.write("config.toml", config + &lines);
    let outcome = sandbox.send("x").exits(77);
    outcome.stderr.shows("user and a password");
    tells_why_there_is_no_token(77, sandbox.wxpush(""));
    relay.mend();
    sandbox.send("x").is_silent();
    assert_eq!(relay.count(SEND), 2, "the first was kept");
}

#[test]
fn a_message_that_never_left_is_not_in_doubt() {
    let standin = Standin::start_tls(Kind::Good);
    let proxy = Proxy::start(Manner::Silent, None);
    let sandbox = sandbox(&standin, "", "");
    sandbox.send("so that there is a token").is_silent();
    let run = sandbox.wxpush("send --timeout 1s x");
    let outcome = run.env("https_proxy", proxy.url("http")).exits(75);
    outcome
        .says("the message was not sent, and is kept in the outbox (")
        .says("): no answer from");
}

#[test]
fn plain_http_to_this_host_goes_through_no_proxy() {
    let standin = Standin::start();
    let proxy = Standin::start();
    let sandbox = Sandbox::of(&standin);
    let names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
    let run = names
        .iter()
        .fold(sandbox.send("x"), |run, name| run.env(name, proxy.base()));
    run.is_silent();
    assert_eq!((proxy.connections(), standin.count(SEND)), (0, 1));
}
