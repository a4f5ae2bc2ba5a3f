//! `wxpush http`: with a right key, what can be read is sent, however it was written.

use serde_json::{Value, json};

use crate::standin::{ROBOT_KEY, SECRET, Standin};
use crate::support::inetd::{HTTP_KEY as KEY, HttpAnswer, Inetd, with_http_key};
use crate::support::leaks::conceal;
use crate::support::{Words, last, texts};

/// Says a request with a body.
fn say(inetd: &Inetd, method: &str, path: &str, fields: &str, body: &[u8]) -> HttpAnswer {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\n{fields}Content-Length: {length}\r\n\r\n");
    inetd.say([head.as_bytes(), body].concat())
}

/// Posts a body, and holds that it is taken; returns what lisi reads.
#[track_caller]
fn read(inetd: &Inetd, standin: &Standin, path: &str, fields: &str, body: &[u8]) -> String {
    let before = standin.company().phone("lisi").len();
    let path = path.replace("KEY", KEY);
    let answer = say(inetd, "POST", &path, fields, body);
    assert_eq!(answer.status, 200, "{}: {answer:?}", body.escape_ascii());
    let phone = standin.company().phone("lisi");
    assert!(phone.len() > before, "{}", body.escape_ascii());
    phone[before].text.clone()
}

#[test]
fn a_text_in_any_charset_is_sent_as_text_and_a_file_that_is_too_small_is_shown() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    let gbk = b"\xb4\xc5\xc5\xcc";
    let long = [&gbk.repeat(300)[..], b" 91%"].concat();
    let form = [b"title=x&desp=", &gbk[..]].concat();
    let part = "--b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n";
    let part = [part.as_bytes(), gbk, b"\r\n--b--\r\n"].concat();
    let multipart = "Content-Type: multipart/form-data; boundary=b\r\n";
    let json = [b"{\"desp\":\"", &gbk[..], b"\"}"].concat();
    for (path, fields, body, text) in [
        ("/KEY", "", &gbk[..], "磁盘"),
        ("/KEY", "", b"caf\xe9", "café"),
        ("/KEY", "Title: t\r\n", gbk, "t\n磁盘"),
        ("/KEY", "", &long, &("磁盘".repeat(300) + " 91%")),
        (
            "/KEY",
            "",
            "磁盘满了".as_bytes().split_at(11).0,
            "磁盘满\u{fffd}",
        ),
        (
            "/KEY",
            "Filename: status.txt\r\n",
            b"DOWN",
            "status.txt: DOWN",
        ),
        (
            "/KEY",
            "Filename: a.txt\r\nTitle: t\r\n",
            gbk,
            "t\na.txt: 磁盘",
        ),
        ("/KEY.send", "", &form, "x\n磁盘"),
        ("/KEY.send", "", &json, "磁盘"),
        ("/message?token=KEY", multipart, &part, "磁盘"),
    ] {
        let read = read(&inetd, &standin, path, fields, body);
        assert_eq!(read, text, "{path} {}", body.escape_ascii());
    }
    // One character that was cut.
    assert!(!read(&inetd, &standin, "/KEY", "", b"\xe7\xa3").is_empty());
    for bytes in [&b"\x00\x01\xff"[..], b""] {
        let fields = "Filename: small.bin\r\nMessage: m\r\n";
        let text = read(&inetd, &standin, "/KEY", fields, bytes);
        text.begins("m");
        assert!(bytes.is_empty() || text.contains("small.bin"), "{text}");
    }
    read(&inetd, &standin, "/KEY", "", b"\x00\x01\xff").shows("attachment");
    let binary = b"\x7fELF\x02\x01\x01\x00\xff\xfe";
    let status = say(&inetd, "PUT", &format!("/{KEY}"), "", binary).status;
    assert_eq!(
        (status, &last(&standin).media[0].bytes[..]),
        (200, &binary[..])
    );
}

#[test]
fn a_bad_attachment_is_named_in_the_alert_that_it_came_with() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    let good = json!({"filename": "good.txt", "base64": "aGVsbG8gd29ybGQ="});
    for (attachments, name) in [
        (json!([{"filename": "a.txt", "base64": "!!!"}]), "a.txt"),
        (json!([{"filename": "a.txt", "base64": null}]), "a.txt"),
        (json!([{"filename": "a.txt"}, good]), "a.txt"),
        (json!([{"filename": ["a", 1], "base64": 5}]), "1"),
        (json!(["x", 5, null, [], {}, good]), "attachment"),
        (json!({"filename": "a.txt", "base64": "!"}), "a.txt"),
        (json!("x"), "attachment"),
        (json!({}), ""),
        (json!(null), ""),
        (good.clone(), ""),
    ] {
        let body = json!({"title": "DISK", "message": "db1", "attachments": attachments});
        let fields = format!("Authorization: Bearer {KEY}\r\n");
        let body = body.to_string();
        let text = read(&inetd, &standin, "/apprise", &fields, body.as_bytes());
        text.begins("DISK\ndb1");
        text.shows(name);
        if body.contains("good") {
            assert_eq!(&last(&standin).media[0].bytes[..], b"hello world");
        }
    }
    let odd = [
        (json!({"title": 5, "message": {"a": 1}}), "5\n{\"a\":1}"),
        (json!({"title": null, "message": true}), "true"),
        (json!({"attachments": [{"base64": "!"}]}), "attachment"),
    ];
    for (body, text) in odd {
        let body = body.to_string();
        read(&inetd, &standin, "/apprise?key=KEY", "", body.as_bytes()).shows(text);
    }
}

#[test]
fn only_the_text_is_markdown_where_the_service_says_so() {
    let (standin, sandbox) = with_http_key();
    sandbox.append(&format!(
        "[http.keys.group]\nkey = \"{KEY}-group\"\nrobot = \"ops\"\n"
    ));
    let inetd = Inetd::start(&sandbox, "");
    let evil = "[c](http://evil.example)";
    let form = format!("title={evil} **x**&desp=**b** [ok](http://ok.example)");
    let gotify = json!({
        "title": evil, "message": "**b** [ok](http://ok.example)",
        "extras": {
            "client::display": {"contentType": "text/markdown"},
            "client::notification": {"click": {"url": evil}},
        },
    });
    let fields = format!(
        "Title: {evil}\r\nTags: {evil}\r\nClick: {evil}\r\nAttach: {evil}\r\nMarkdown: yes\r\n"
    );
    let gotify = gotify.to_string();
    for key in [KEY, &format!("{KEY}-group")] {
        for (path, fields, body) in [
            ("/KEY.send", "", &*form),
            ("/KEY", &*fields, "**b** [ok](http://ok.example)"),
            ("/message?token=KEY", "", &*gotify),
        ] {
            let path = path.replace("KEY", key);
            let answer = say(&inetd, "POST", &path, fields, body.as_bytes());
            assert_eq!(answer.status, 200);
            let company = standin.company();
            let landed = match key {
                KEY => company.phone("lisi").pop().unwrap(),
                _ => company.group(ROBOT_KEY).last().unwrap().clone(),
            };
            assert_eq!(landed.msgtype, "markdown");
            landed.text.lacks("](http://evil");
            landed.text.shows("](http://ok.example)");
            landed.text.replace('\u{200b}', "").shows(evil);
        }
    }
    // Where all is typed by one person, the title is, too.
    sandbox
        .wxpush("send")
        .args(&["--markdown", "--title", evil, "**b**"])
        .exits(0);
    last(&standin).text.shows(evil);
}

#[test]
fn json_that_parsers_refuse_is_read_as_it_was_meant() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    let deep = format!("{}1{}", "[".repeat(130), "]".repeat(130));
    for (path, body, text) in [
        (
            "/alertmanager?key=KEY",
            r#"{"title":"a","title":"b","message":"m"}"#.to_owned(),
            "b\nm",
        ),
        (
            "/grafana?key=KEY",
            r#"{"alerts":[{"labels":{"alertname":"n","alertname":"Down"}}],"alerts":null}"#
                .to_owned(),
            "🔥 告警：Down",
        ),
        (
            "/",
            format!(r#"{{"topic":"x","topic":"{KEY}","message":"m"}}"#),
            "m",
        ),
        (
            "/",
            format!(r#"{{"topic":"{KEY}","message":{{"disk":91}}}}"#),
            r#"{"disk":91}"#,
        ),
        (
            "/",
            format!(r#"{{"topic":"{KEY}","message":["a",5]}}"#),
            "a,5",
        ),
        (
            "/KEY.send",
            "{\"desp\":\"two\nlines\tand \"quotes\" of C:\\dir\"}".to_owned(),
            "two\nlines\tand \"quotes\" of C:\\dir",
        ),
        (
            "/message?token=KEY",
            "{\"message\":\"m\",\"priority\":1e999}".to_owned(),
            "m",
        ),
        (
            "/message?token=KEY",
            format!("{{\"extras\":{deep},\"message\":\"m\"}}"),
            "m",
        ),
        (
            "/send",
            format!("{{\"token\":\"{KEY}\",\"content\":\"a\nb\",\"x\":NaN}}"),
            "a\nb",
        ),
        (
            "/apprise?key=KEY",
            format!("{{\"x\":{deep},\"message\":\"m\",\"message\":\"n\"}}"),
            "n",
        ),
        (
            "/uptime-kuma?key=KEY",
            format!("{{\"x\":{deep},\"msg\":\"m\n\"}}"),
            "m",
        ),
    ] {
        assert_eq!(
            read(&inetd, &standin, path, "", body.as_bytes()),
            text,
            "{body}"
        );
    }
    // What is no JSON at all is still a text, where a login has the key.
    let fields = format!("Authorization: Bearer {KEY}\r\n");
    assert_eq!(
        read(&inetd, &standin, "/", &fields, b"[not] json"),
        "[not] json"
    );
    // A wrong key is one in any JSON.
    let wrong = b"{\"topic\":\"wrong-key-wrong\",\"message\":\"a\nb\"}";
    assert_eq!(say(&inetd, "POST", "/", "", wrong).status, 403);
}

#[test]
fn an_answer_does_not_tell_whether_a_request_holds_a_piece_of_a_secret_of_others() {
    let (standin, sandbox) = with_http_key();
    let other = "Jw7Qn4Hd1Yc9Pk5G";
    conceal(other);
    sandbox.append(&format!("[http.keys.other]\nkey = \"{other}\"\n"));
    let inetd = Inetd::start(&sandbox, "");
    let ids = ["id", "time", "date"];
    let told = |guess: &str, path: &str, fields: &str, body: &str| {
        let [path, fields, body] = [path, fields, body].map(|it| it.replace("GUESS", guess));
        let answer = say(
            &inetd,
            "POST",
            &path.replace("KEY", KEY),
            &fields,
            body.as_bytes(),
        );
        let mut answer: Value = serde_json::from_str(&answer.body).unwrap();
        for id in ids {
            answer[id].take();
        }
        answer
    };
    let bearer = format!("Authorization: Bearer {KEY}\r\n");
    let titled = format!("{bearer}Title: GUESS\r\nFilename: GUESS\r\n");
    for (path, fields, body) in [
        ("/GUESS", &*bearer, "GUESS"),
        ("/x", &titled, "GUESS"),
        ("/", &bearer, "{\"topic\":\"GUESS\",\"message\":\"GUESS\"}"),
        (
            "/message?token=KEY",
            "",
            "{\"title\":\"GUESS\",\"message\":\"GUESS\"}",
        ),
    ] {
        let of_nothing = told("aaaaaaaa", path, fields, body);
        for secret in [other, SECRET, ROBOT_KEY, KEY] {
            assert_eq!(
                told(&secret[secret.len() - 16..], path, fields, body),
                of_nothing,
                "{path}"
            );
        }
    }
    let hidden = texts(&standin, "lisi");
    assert!(hidden.iter().any(|text| text.contains("[hidden]")));
}
