//! `wxpush http`: with a right key, what can be read is sent, however it was written.

use serde_json::Value;

use crate::standin::{ROBOT_KEY, SECRET};
use crate::support::inetd::{HTTP_KEY as KEY, HttpAnswer, Inetd, with_http_key};
use crate::support::leaks::conceal;
use crate::support::texts;

/// Says a request with a body.
fn say(inetd: &Inetd, method: &str, path: &str, fields: &str, body: &[u8]) -> HttpAnswer {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\n{fields}Content-Length: {length}\r\n\r\n");
    inetd.say([head.as_bytes(), body].concat())
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
                told(&secret[3..11], path, fields, body),
                of_nothing,
                "{path}"
            );
        }
    }
    let hidden = texts(&standin, "lisi");
    assert!(hidden.iter().any(|text| text.contains("[hidden]")));
}
