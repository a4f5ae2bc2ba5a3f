use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::trial::tokened;
use super::super::{AGENTID, Standin};
use super::Fault;

/// Puts a text to lisi on the wire.
fn post(standin: &Standin, text: &str) -> TcpStream {
    let path = tokened(&mut standin.company(), "message/send");
    let body =
        json!({"touser": "lisi", "msgtype": "text", "agentid": AGENTID, "text": {"content": text}});
    let (body, host) = (body.to_string(), standin.base().replace("http://", ""));
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut wire = TcpStream::connect(host).unwrap();
    wire.write_all((head + &body).as_bytes()).unwrap();
    wire
}

/// The errcode of the answer, `null` where it is no JSON.
fn errcode(standin: &Standin, text: &str) -> Value {
    let mut answer = String::new();
    post(standin, text).read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str::<Value>(body).unwrap_or_default()["errcode"].clone()
}

#[test]
fn a_judge_decides_by_what_is_in_a_request_between_scripts_and_always() {
    let standin = Standin::start();
    let refusal = |code| Fault::Errcode(code, String::new());
    standin.judge(move |request| {
        let text = request.json()["text"]["content"].clone();
        (text == "bad").then(|| refusal(40008))
    });
    assert_eq!(errcode(&standin, "bad"), 40008);
    assert_eq!(errcode(&standin, "good"), 0);
    standin.always("/cgi-bin/message/send", refusal(45009));
    assert_eq!(errcode(&standin, "bad"), 40008);
    assert_eq!(errcode(&standin, "good"), 45009);
    standin.script("/cgi-bin/message/send", [Fault::html(502)]);
    assert_eq!(errcode(&standin, "bad"), Value::Null);
    standin.mend();
    assert_eq!(errcode(&standin, "bad"), 0);
    assert_eq!(standin.company().phone("lisi").len(), 2);
}

#[test]
fn what_is_late_is_processed_though_its_client_has_left_and_counts_from_then() {
    let standin = Standin::start();
    let wait = Duration::from_millis(300);
    standin.script(
        "/cgi-bin/message/send",
        [Fault::Late(wait), Fault::Late(wait)],
    );
    let left = standin.now();
    let begun = Instant::now();
    let wire = post(&standin, "nobody waits");
    while standin.requests().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(wire);
    while standin.company().phone("lisi").is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it was never taken"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let landed = standin.company().phone("lisi")[0].at;
    assert!(landed.duration_since(left).unwrap() >= wait);
    assert_eq!(errcode(&standin, "somebody waits"), 0);
    assert_eq!(standin.company().phone("lisi").len(), 2);
}
