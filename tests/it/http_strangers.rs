//! `wxpush http`: clients without patience, without a key, or with a way of writing of their own.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::standin::{Fault, SECRET};
use crate::support::inetd::{HTTP_KEY as KEY, Inetd, answer, with_http_key};
use crate::support::{SEND, Sandbox, WEBHOOK, Words, failed, texts, waiting};

#[test]
fn a_message_that_is_kept_is_answered_before_its_client_gives_up() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    standin.always(SEND, Fault::Hang);
    let url = format!("http://HOST/{KEY}");
    // curl gives up long before the request's own thirty seconds.
    let answer = inetd.curl(&["-m", "20", "-d", "kept", &url]);
    assert_eq!(answer.status, 200);
    assert_eq!(waiting(&sandbox).len(), 1);
}

#[test]
fn what_may_have_arrived_at_a_group_is_not_asked_for_again() {
    let (standin, sandbox) = with_http_key();
    sandbox.append(&format!(
        "[http.keys.group]\nkey = \"{KEY}-group\"\nrobot = \"ops\"\n"
    ));
    let inetd = Inetd::start(&sandbox, "--timeout 2s");
    standin.always(WEBHOOK, Fault::Hang);
    let send = || inetd.curl(&["-d", "once", &format!("http://HOST/{KEY}-group")]);
    let answer = send();
    assert_eq!(answer.status, 200, "{answer:?}");
    // In doubt: it waits for a second try, or has had it.
    let kept = [waiting(&sandbox), failed(&sandbox)].concat();
    assert_eq!(kept.len(), 1);
    assert_eq!(answer.json()["id"], kept[0]);
    sandbox.append("[outbox]\nenabled = false\n");
    let answer = send();
    assert_eq!(answer.status, 503);
    answer.body.lacks("没有送达");
    answer.body.lacks("neither");
}

#[test]
fn a_secret_in_a_request_is_neither_on_the_phone_nor_in_the_log_and_no_guess_is_told() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    for secret in [SECRET, KEY] {
        let name = format!("Filename: {secret}.txt");
        let url = format!("http://HOST/{KEY}");
        let answer = inetd.curl(&["-H", &name, "-H", "Title: t", "-d", "x", &url]);
        assert_eq!(answer.status, 200);
    }
    inetd.ends();
    sandbox.read("wxpush.log").lacks(SECRET);
    let texts = texts(&standin, "lisi");
    texts[0].shows("[hidden].txt: x");
    // A key that a person may have chosen: its hiding would tell who guesses it.
    texts[1].shows(&format!("{KEY}.txt: x"));
}

#[test]
fn a_wrong_key_is_one_whatever_else_is_wrong_and_two_names_have_two_keys() {
    let (_standin, sandbox) = with_http_key();
    let config = sandbox.read("config.toml");
    sandbox.append("[http.keys.other]\nkey_file = \"missing\"\n");
    let inetd = Inetd::start(&sandbox, "");
    let send = |key: &str| inetd.curl(&["-d", "x", &format!("http://HOST/{key}")]);
    assert_eq!(send(KEY).status, 200);
    assert_eq!(send("wrong-key-wrong-key").status, 403);
    // Its owner is told of the other.
    assert_eq!(inetd.ends(), [Some(0), Some(78)]);
    let twin = format!("[http.keys.twin]\nkey = \"{KEY}\"\n");
    sandbox.write("config.toml", config + &twin);
    assert_eq!(send("wrong-key-wrong-key").status, 403);
    let request = format!("POST /{KEY} HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
    let outcome = sandbox.wxpush("http").stdin(&*request).exits(78);
    outcome.stdout.shows("HTTP/1.1 500 ");
    outcome.says("[http.keys.scripts]").says("[http.keys.twin]");
    sandbox.wxpush("check").exits(78);
}

#[test]
fn who_has_no_key_is_not_waited_for_and_takes_little_memory() {
    let (_standin, sandbox) = with_http_key();
    let inetd = Inetd::of(&sandbox, |run| run.arg("--timeout").arg("1h"));
    let body = format!("Content-Length: {}\r\n\r\n", 1 << 20);
    let begun = ["", "POST /", &format!("POST /send HTTP/1.1\r\n{body}")];
    let silent = begun.map(|begun| {
        let mut stream = inetd.connect();
        stream.write_all(begun.as_bytes()).unwrap();
        stream
    });
    for mut stream in silent {
        assert_eq!(answer(&mut stream).status, 408);
    }
    let list = format!("{{\"a\":[{}0]}}", "{\"\":0},".repeat(110_000));
    let form = "&".repeat(900_000);
    for body in [list, form] {
        for path in ["/send", "/"] {
            let head = format!(
                "POST {path} HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let answer = in_memory(&sandbox, 40_000, &(head + &body));
            let status = if path == "/" { "403" } else { "401" };
            answer.shows(&format!("HTTP/1.1 {status} "));
        }
    }
}

/// Says a request to a program that may take so many KiB of memory; returns the answer.
fn in_memory(sandbox: &Sandbox, most: usize, request: &str) -> String {
    let small = Command::new("sh")
        .args(["-c", &format!("ulimit -d {most}; exec ./wxpush http")])
        .current_dir(sandbox.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut small = small.unwrap();
    let mut stdin = small.stdin.take().unwrap();
    stdin.write_all(request.as_bytes()).unwrap();
    let output = small.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_json_of_millions_of_values_takes_little_more_memory_than_its_text() {
    let (standin, sandbox) = with_http_key();
    let many = |one: &str, bytes: usize| format!("[{}0]", one.repeat(bytes / one.len()));
    let alert = many("{\"\":0},", 900_000);
    let alerts = format!("{{\"alerts\":[{alert}{}]}}", format!(",{alert}").repeat(19));
    let files = many("{},", 20_000_000);
    let files = format!("{{\"message\":\"m\",\"attachments\":{files}}}");
    for (path, body) in [("/alertmanager", alerts), ("/apprise", files)] {
        assert!(body.len() < 20 << 20);
        let head = format!(
            "POST {path}?key={KEY} HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        in_memory(&sandbox, 100_000, &(head + &body)).shows("HTTP/1.1 200 ");
    }
    assert!(standin.company().phone("lisi").len() >= 2);
}

#[test]
fn what_clients_write_in_their_own_way_is_taken_as_it_is_meant() {
    let (standin, sandbox) = with_http_key();
    sandbox.configure("quiet = \"00:00-12:00,12:00-00:00\"");
    let inetd = Inetd::start(&sandbox, "");
    let urgent = [
        (
            json!({"topic": KEY, "message": "C:\\new", "priority": 5}),
            "http://HOST/",
            "C:\\new",
        ),
        (
            json!({"message": "float", "priority": 8.0}),
            "http://HOST//message?token=KEY",
            "float",
        ),
    ];
    for (body, url, text) in urgent {
        let answer = inetd.asked(&["-d", &body.to_string(), url], KEY);
        assert_eq!(answer.status, 200);
        assert_eq!(texts(&standin, "lisi").pop().as_deref(), Some(text));
    }
    // Nothing is repeated to the client.
    let long = "长".repeat(30_000);
    let answer = inetd.asked(&["-H", "Priority: 5", "-d", &long, "http://HOST/KEY"], KEY);
    assert_eq!(answer.status, 200);
    assert!(answer.body.len() < 4096);
}

#[test]
fn a_title_alone_is_sent_and_what_is_no_element_of_html_is_text() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    for (path, body, text) in [
        ("grafana?key=KEY", r#"{"title":"down","alerts":[]}"#, "down"),
        ("alertmanager?key=KEY", r#"{"title":"down"}"#, "down"),
        (
            "alertmanager?key=KEY",
            r#"{"alerts":[],"commonAnnotations":{"summary":"disk","description":"full"}}"#,
            "disk\nfull",
        ),
        ("message?token=KEY", r#"{"title":"down"}"#, "down"),
        (
            "send/KEY",
            r#"{"content":"panic: <nil> map[</nil>]<br>b"}"#,
            "panic: <nil> map[</nil>]\nb",
        ),
        ("send/KEY", r#"{"content":"<nil>\n<nil>"}"#, "<nil>\n<nil>"),
    ] {
        let url = format!("http://HOST/{path}").replace("KEY", KEY);
        let answer = inetd.curl(&["-H", "Content-Type: application/json", "-d", body, &url]);
        assert_eq!(answer.status, 200, "{body}");
        assert_eq!(texts(&standin, "lisi").pop().unwrap(), text);
    }
    for path in ["grafana?key=KEY", "message?token=KEY"] {
        let url = format!("http://HOST/{path}").replace("KEY", KEY);
        let answer = inetd.curl(&["-H", "Content-Type: application/json", "-d", "{}", &url]);
        assert_eq!(answer.status, 400, "{path}");
    }
}
