//! TLS: whom wxpush believes to be WeCom, what it says of others, and what they never get.

use crate::standin::tls::Kind;
use crate::standin::{Fault, Standin};
use crate::support::chinese::{in_both, tells_why_there_is_no_token};
use crate::support::{GETTOKEN, SEND, Sandbox, Words, app, config, for_each, trusting};

#[test]
fn bad_tls_gets_no_byte_of_a_request_and_the_error_names_certificate_and_clock() {
    let words = |kind| match kind {
        Kind::SelfSigned => "not signed by an authority that this machine trusts",
        Kind::WrongName => "is not for 127.0.0.1",
        Kind::ForbiddenName => "has a name that its authority may not sign",
        Kind::Expired => "has expired, by this machine's clock: 20",
        Kind::NotYetValid => "is not valid yet, by this machine's clock: 20",
        Kind::UnknownCa => "not signed by an authority that this machine trusts",
        Kind::Tls10 => "does not support TLS 1.2 or 1.3",
        Kind::Good | Kind::Tls12Only | Kind::Authority => unreachable!("they are not bad"),
    };
    for_each(Kind::BAD, |kind| {
        let standin = Standin::start_tls(kind);
        let sandbox = trusting(&standin);
        let outcome = sandbox.wxpush("send --timeout 3s x").exits(75);
        let error = &outcome.stderr;
        assert!(error.contains(words(kind)), "{kind:?}: {error}");
        if kind != Kind::Tls10 {
            assert!(
                error.contains("certificate") && error.contains("clock"),
                "{kind:?}: {error}"
            );
        }
        assert_eq!(error.lines().count(), 2, "{error}");
        tells_why_there_is_no_token(75, sandbox.wxpush(""));
        assert!(standin.connections() > 0);
        assert_eq!(standin.requests().len(), 0, "{kind:?}");
    });
}

#[test]
fn who_speaks_no_tls_at_all_is_told_as_that() {
    let plain = Standin::start();
    let sandbox = Sandbox::empty();
    sandbox.write(
        "config.toml",
        config(&plain.base().replace("http:", "https:")),
    );
    let outcome = sandbox.wxpush("send --timeout 3s x").exits(75);
    outcome.stderr.shows("does not speak TLS");
    tells_why_there_is_no_token(75, sandbox.wxpush(""));
    assert_eq!(plain.requests().len(), 0);
}

#[test]
fn an_authoritys_own_certificate_is_told_as_that_in_words() {
    let standin = Standin::start_tls(Kind::Authority);
    let sandbox = trusting(&standin);
    let error = sandbox.wxpush("send --timeout 3s x").exits(75).stderr;
    error.shows("is an authority's own, or self-signed");
    error.shows("CA:FALSE");
    error.lacks("Other");
    tells_why_there_is_no_token(75, sandbox.wxpush(""));
    assert_eq!(standin.requests().len(), 0);
}

#[test]
fn the_systems_store_is_asked_once_an_issuer_is_unknown() {
    let standin = Standin::start_tls(Kind::Good);
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&standin.base()));
    sandbox.write("system.pem", standin.ca_pem());
    let store = sandbox.path("system.pem");
    let run = sandbox.send("x").env("SSL_CERT_FILE", &store);
    run.is_silent();
    assert_eq!(standin.count(SEND), 1);
    // The first connection found the issuer unknown, the second took all.
    assert_eq!(standin.connections(), 2);

    let stranger = Standin::start_tls(Kind::UnknownCa);
    sandbox.write("config.toml", config(&stranger.base()));
    let run = sandbox.wxpush("send --timeout 3s x");
    run.env("SSL_CERT_FILE", &store)
        .exits(75)
        .says("not signed by an authority");
    assert_eq!(stranger.requests().len(), 0);
}

#[test]
fn a_store_that_cannot_be_read_holds_up_nothing() {
    let standin = Standin::start_tls(Kind::Good);
    let known = trusting(&standin);
    let unknown = Sandbox::empty();
    unknown.write("config.toml", config(&standin.base()));
    let fifo = unknown.path("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    known.send("x").env("SSL_CERT_FILE", &fifo).is_silent();
    let run = unknown.wxpush("send --timeout 2s x");
    let outcome = run.env("SSL_CERT_FILE", &fifo).exits(75);
    assert!(outcome.time.as_secs() < 4, "{:?}", outcome.time);
}

#[test]
fn a_ca_file_that_cannot_be_used_is_an_error_of_the_config() {
    let standin = Standin::start_tls(Kind::Good);
    let sandbox = trusting(&standin);
    sandbox.send("x").is_silent();
    let ca = sandbox.path("ca.pem");
    std::fs::remove_file(&ca).unwrap();
    let refused = |what: &str| {
        let outcome = in_both(78, || sandbox.send("x"));
        assert!(
            outcome.stderr.contains("ca.pem: "),
            "{what}: {}",
            outcome.stderr
        );
    };
    refused("none");
    for (what, text) in [
        ("empty", ""),
        ("not PEM", "hello"),
        (
            "no certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
        ("cut", "-----BEGIN CERTIFICATE-----\nMIIB"),
    ] {
        sandbox.write("ca.pem", text);
        refused(what);
    }
    std::fs::remove_file(&ca).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&ca).status();
    assert!(made.unwrap().success());
    refused("a FIFO");
    std::fs::remove_file(&ca).unwrap();
    std::fs::create_dir(&ca).unwrap();
    refused("a directory");
    assert_eq!(standin.count(SEND), 1);
}

#[test]
fn no_redirect_leads_secret_or_message_from_tls_to_anybody() {
    let (plain, other) = (Standin::start(), Standin::start_tls(Kind::Good));
    for_each([301, 302, 303, 307, 308], |status| {
        let standin = Standin::start_tls(Kind::Good);
        for target in [plain.base(), other.base(), standin.base()] {
            for path in [GETTOKEN, SEND] {
                let sandbox = Sandbox::empty();
                sandbox.write("ca.pem", standin.ca_pem() + &other.ca_pem());
                let config = config(&standin.base()) + "ca_file = \"ca.pem\"\n";
                sandbox.write("config.toml", config);
                standin.always(
                    path,
                    Fault::redirect(status, &format!("{target}/elsewhere")),
                );
                let outcome = sandbox.wxpush("send --no-outbox --timeout 3s x");
                let outcome = outcome.exits(75);
                let error = &outcome.stderr;
                error.shows("a redirect, which is not followed");
                if path == GETTOKEN {
                    tells_why_there_is_no_token(75, sandbox.wxpush(""));
                }
                standin.mend();
            }
        }
        assert!(
            standin
                .requests()
                .iter()
                .all(|it| it.header("referer").is_none() && it.path != "/elsewhere")
        );
    });
    assert_eq!((plain.connections(), other.connections()), (0, 0));
}

#[test]
fn requests_come_from_the_address_that_the_config_names() {
    let standin = Standin::start_tls(Kind::Good);
    standin.company().trusted_ips = Some(vec!["127.0.0.9".parse().unwrap()]);
    let sandbox = trusting(&standin);
    sandbox.send("x").exits(77).says("60020");
    let config = sandbox.read("config.toml");
    sandbox.write(
        "config.toml",
        format!("{config}local_address = \"127.0.0.9\"\n"),
    );
    sandbox.send("x").is_silent();
    sandbox.write(
        "config.toml",
        format!("{config}local_address = \"192.0.2.1\"\n"),
    );
    let outcome = sandbox.wxpush("send --timeout 3s x").exits(75);
    outcome.says("local_address 192.0.2.1 is not an address of this machine");
    tells_why_there_is_no_token(75, sandbox.wxpush(""));
}

#[test]
fn the_api_is_reached_where_api_base_says() {
    let standin = Standin::start();
    let port = standin.base().rsplit(':').next().unwrap().to_owned();
    for (base, path) in [
        (standin.base(), ""),
        (standin.base() + "/", ""),
        (standin.base() + "/cgi-bin", ""),
        (standin.base() + "/cgi-bin/", ""),
        (standin.base() + "/wecom", "/wecom"),
        (standin.base() + "/a/b/", "/a/b"),
        (standin.base() + "/wecom/cgi-bin/", "/wecom"),
        (format!("HTTP://localhost:{port}//"), ""),
    ] {
        let sandbox = Sandbox::empty();
        sandbox.write("config.toml", config(&base));
        sandbox.send("x").is_silent();
        let requests = standin.requests();
        let paths: Vec<&str> = requests.iter().rev().take(2).map(|it| &*it.path).collect();
        let wanted = ["message/send", "gettoken"].map(|name| format!("{path}/cgi-bin/{name}"));
        assert_eq!(paths, wanted, "{base}");
    }
    let sandbox = Sandbox::empty();
    let allowed = "api_base = \"http://192.0.2.7\"\nallow_plain_http = true".to_owned();
    for (lines, env, code) in [
        ("api_base = \"http://192.0.2.7\"", "", 78),
        ("api_base = \"http://127.0.0.1.example.com\"", "", 78),
        ("", "http://192.0.2.7", 78),
        ("allow_plain_http = true", "http://192.0.2.7", 0),
        (&*allowed, "", 0),
        (&allowed.replace("true", "false"), "http://[::1]:1", 0),
    ] {
        sandbox.write("config.toml", format!("{}[network]\n{lines}\n", app()));
        let run = || {
            let run = sandbox.wxpush("send --dry-run x");
            run.env("WXPUSH_API_BASE", env)
        };
        if code == 78 {
            run().in_chinese().exits(code).is_chinese();
        }
        let outcome = run().exits(code);
        assert!(
            code == 0 || outcome.stderr.contains("allow_plain_http = true"),
            "{}",
            outcome.stderr
        );
    }
}
