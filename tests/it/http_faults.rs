//! `wxpush http`: requests that are broken, huge or slow, many at once, and keys and their receivers.

use std::io::Write;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::standin::{Fault, ROBOT_KEY};
use crate::support::inetd::{HTTP_KEY as KEY, Inetd, answer, with_http_key};
use crate::support::leaks::conceal;
use crate::support::{GETTOKEN, SEND, Words, last, refusal, set_up, texts, waiting};

#[test]
fn what_is_malformed_huge_slow_or_for_nobody_ends_with_its_status() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    let post = |fields: &str, body: &str| format!("POST /{KEY} HTTP/1.1\r\n{fields}\r\n{body}");
    let huge = format!("Content-Length: {}\r\n", 2 << 20);
    let many = "X: y\r\n".repeat(200);
    let long = format!("X: {}\r\n", "y".repeat(20 << 10));
    let file = format!("Filename: a\r\nContent-Length: {}\r\n", 21 << 20);
    for (request, status) in [
        (post("Content-Length: 5\r\n", "hello"), 200),
        (
            post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            200,
        ),
        // Of two requests on one connection the first is answered.
        (post("Content-Length: 5\r\n", "hello").repeat(2), 200),
        (post("Content-Length: 5\r\n", "hel"), 400),
        (
            post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
            400,
        ),
        (
            post(
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                "0\r\n\r\n",
            ),
            400,
        ),
        (post("Transfer-Encoding: chunked\r\n", "zz\r\n"), 400),
        (post("Transfer-Encoding: gzip\r\n", ""), 501),
        (
            post("Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x"),
            415,
        ),
        (
            post("Expect: coffee\r\nContent-Length: 5\r\n", "hello"),
            417,
        ),
        (post(&huge, "x"), 413),
        (post(&file, "x"), 413),
        (post("Transfer-Encoding: chunked\r\n", "fffffff\r\n"), 413),
        (post(&many, ""), 431),
        (post(&long, ""), 431),
        ("hello\r\n\r\n".to_owned(), 400),
        ("\u{16}\u{3}\u{1}\u{2}".to_owned(), 400),
        ("GET /".to_owned(), 400),
        ("GET /favicon.ico HTTP/1.1\r\n\r\n".to_owned(), 404),
        (format!("DELETE /{KEY} HTTP/1.1\r\n\r\n"), 404),
        (format!("HEAD /{KEY}.send?title=x HTTP/1.1\r\n\r\n"), 200),
        (format!("OPTIONS /{KEY} HTTP/1.1\r\n\r\n"), 204),
        (
            format!("POST /alertmanager?key={KEY} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{]"),
            400,
        ),
        (format!("GET /{KEY}.send HTTP/1.1\r\n\r\n"), 400),
        (format!("GET /send?token={KEY} HTTP/1.1\r\n\r\n"), 400),
        (format!("POST /message?token={KEY} HTTP/1.1\r\n\r\n"), 400),
        (
            format!("POST /{KEY} HTTP/1.1\r\nDelay: 1h\r\nContent-Length: 1\r\n\r\nx"),
            400,
        ),
    ] {
        let answer = inetd.say(&request);
        assert_eq!(answer.status, status, "{request:.100}: {answer:?}");
        answer.head.shows("Connection: close");
    }
    assert_eq!(texts(&standin, "lisi"), ["hello"; 3]);
    // Who says nothing is answered nothing.
    assert_eq!(inetd.say("").status, 0);
    assert!(inetd.ends().iter().all(|code| *code == Some(0)));
    let inetd = Inetd::start(&sandbox, "--timeout 1s");
    for begun in ["", "POST", &*post("Content-Length: 5\r\n", "hel")] {
        let mut stream = inetd.connect();
        stream.write_all(begun.as_bytes()).unwrap();
        assert_eq!(answer(&mut stream).status, 408, "{begun}");
    }
}

#[test]
fn a_large_upload_waits_for_leave_and_is_told_at_once_that_its_key_is_wrong() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    sandbox.write("large", b"x".repeat(5 << 20));
    let path = sandbox.path("large").display().to_string();
    let line = [
        "-T",
        &path,
        "-H",
        "Expect: 100-continue",
        "-H",
        "Filename: a.txt",
        "http://HOST/KEY",
    ];
    assert_eq!(inetd.asked(&line, KEY).status, 200);
    assert_eq!(last(&standin).media[0].bytes.len(), 5 << 20);
    assert_eq!(inetd.asked(&line, "wrong").status, 403);
    // Also where it asks for no leave, and sends on.
    let line = [
        "-T",
        &path,
        "-H",
        "Expect:",
        "-H",
        "Filename: a.txt",
        "http://HOST/KEY",
    ];
    assert_eq!(inetd.asked(&line, "wrong").status, 403);
}

#[test]
fn two_hundred_at_once_are_all_answered_and_none_is_lost() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    thread::scope(|scope| {
        for number in 0..200 {
            let inetd = &inetd;
            scope.spawn(move || {
                let body = format!("number {number}.");
                let request = format!(
                    "POST /{KEY} HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let answer = inetd.say(request);
                assert_eq!(answer.status, 200, "{answer:?}");
            });
        }
    });
    let phone = texts(&standin, "lisi").concat();
    let kept = waiting(&sandbox);
    let on_phone = (0..200).filter(|number| phone.contains(&format!("number {number}.")));
    // One whose answer was late is on the phone, and kept to be asked for again.
    assert!(on_phone.count() + kept.len() >= 200);
    assert_eq!(standin.count(GETTOKEN), 1);
}

#[test]
fn what_cannot_be_delivered_is_kept_and_fine_and_what_cannot_be_kept_is_not() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "--timeout 5s");
    let send = || inetd.curl(&["-d", "kept", &format!("http://HOST/{KEY}")]);
    standin.always(SEND, refusal(60020));
    assert_eq!(send().status, 200);
    assert_eq!(waiting(&sandbox).len(), 1);
    sandbox.append("[outbox]\nenabled = false\n");
    let answer = send();
    assert_eq!(answer.status, 500, "{answer:?}");
    answer.body.lacks("60020");
    standin.mend();
    standin.always(SEND, Fault::Hang);
    assert_eq!(send().status, 503);
    standin.mend();
    standin.always(SEND, refusal(44004));
    assert_eq!(send().status, 400);
    assert_eq!(inetd.ends(), [Some(0), Some(77), Some(75), Some(0)]);
}

#[test]
fn quiet_hours_hold_all_but_what_is_urgent() {
    let (standin, sandbox) = with_http_key();
    sandbox.configure("quiet = \"00:00-12:00,12:00-00:00\"");
    let inetd = Inetd::start(&sandbox, "");
    let send = |fields: &[&str]| {
        let url = format!("http://HOST/{KEY}");
        assert_eq!(
            inetd.curl(&[fields, &["-d", "x", &url]].concat()).status,
            200
        );
    };
    send(&[]);
    assert_eq!(texts(&standin, "lisi"), [""; 0]);
    send(&["-H", "X-Priority: 5"]);
    assert_eq!(texts(&standin, "lisi"), ["x"]);
}

#[test]
fn each_key_has_its_receivers() {
    let (standin, sandbox) = with_http_key();
    let key = |number: u8| {
        let key = format!("{KEY}-{number}");
        conceal(&key);
        key
    };
    sandbox.write("key", format!("{}\n", key(1)));
    sandbox.append(&format!(
        "[profiles.night]\ntouser = \"zhangsan\"\nprefix = \"[night] \"\n\
         [http.keys.one]\nkey_file = \"key\"\nprofile = \"night\"\n\
         [http.keys.two]\nkey = \"{}\"\nrobot = \"ops\"\n\
         [http.keys.three]\nkey = \"{}\"\nprofile = \"night\"\ntouser = \"wangwu\"\n\
         [http.keys.four]\nkey = \"{}\"\n",
        key(2),
        key(3),
        key(4)
    ));
    let inetd = Inetd::start(&sandbox, "");
    for number in 1..=4 {
        let url = format!("http://HOST/{}", key(number));
        assert_eq!(inetd.curl(&["-d", "x", &url]).status, 200);
    }
    assert_eq!(texts(&standin, "zhangsan"), ["[night] x", "x"]);
    assert_eq!(texts(&standin, "wangwu"), ["[night] x", "x"]);
    assert_eq!(standin.company().group(ROBOT_KEY)[0].text, "x");
    let check = sandbox.wxpush("check").run();
    for line in [
        "scripts sends to lisi",
        "one sends to zhangsan",
        "two sends to robot ops",
    ] {
        check.stdout.shows(line);
    }
    // A secret in a message is hidden, and a key is one.
    sandbox.send(&format!("see {}", key(3))).exits(0);
    texts(&standin, "lisi").pop().unwrap().shows("see [hidden]");
}

#[test]
fn a_config_that_is_wrong_is_told_to_its_owner_and_not_to_the_client() {
    let (standin, sandbox) = set_up();
    let request = format!("POST /{KEY} HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
    let config = sandbox.read("config.toml");
    for (lines, says) in [
        ("", "[http.keys.NAME]"),
        ("[http.keys.a]\nkey = \"short\"\n", "12 to 128"),
        (
            "[http.keys.a]\nkey = \"has a space in it\"\n",
            "http.keys.a.key",
        ),
        (
            "[http.keys.a]\nkey = \"abcdefghijkl\"\nkey_file = \"x\"\n",
            "keep one of",
        ),
        (
            "[http.keys.a]\nkey = \"abcdefghijkl\"\nrobot = \"ops\"\nchat = \"x\"\n",
            "one recipient too many",
        ),
        (
            "[http.keys.a]\nkey = \"abcdefghijkl\"\ntousers = \"ops\"\n",
            "did you mean touser?",
        ),
        (
            "[http.keys.a]\ntouser = \"lisi\"\n",
            "neither key nor key_file",
        ),
        ("[http.keys.a]\nkey_file = \"missing\"\n", "missing"),
        ("[http]\nport = 1\n", "known here: keys"),
        (
            &format!("[http.keys.a]\nkey = \"{KEY}\"\nrobot = \"none\"\n"),
            "no [robots.none]",
        ),
        (
            &format!("[http.keys.a]\nkey = \"{KEY}\"\nprofile = \"none\"\n"),
            "no [profiles.none]",
        ),
    ] {
        sandbox.write("config.toml", format!("{config}{lines}"));
        let outcome = sandbox.wxpush("http").stdin(&*request).exits(78);
        outcome
            .stdout
            .shows("HTTP/1.1 500 Internal Server Error\r\n");
        outcome.stdout.lacks(says);
        outcome.says(says);
        let inetd = Inetd::start(&sandbox, "");
        let answer = inetd.say(&request);
        assert_eq!((answer.status, &answer.json()["http"]), (500, &json!(500)));
    }
    assert_eq!(standin.requests().len(), 0);
}

#[test]
fn a_client_that_leaves_takes_nothing_with_it() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    let request = format!("POST /{KEY} HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
    standin.script(SEND, [Fault::Delay(Duration::from_millis(300))]);
    let mut stream = inetd.connect();
    stream.write_all(request.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(100));
    drop(stream);
    // Until it is there, and has an end.
    while standin.count(SEND) == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    inetd.ends();
    assert_eq!(texts(&standin, "lisi"), ["x"]);
}
