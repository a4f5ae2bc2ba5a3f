//! Calls to a company without a server, for the tests of its rules.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::time::SystemTime;

use serde_json::{Value, json};

use super::company::{AGENTID, CORPID, Call, Company, Reply, SECRET};

pub(super) const START: SystemTime = SystemTime::UNIX_EPOCH;
pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a plot";
pub(super) const JPG: &[u8] = b"\xff\xd8\xff\xe0 a plot";
pub(super) const MP4: &[u8] = b"\0\0\0\x18ftypisom a film";
pub(super) const FORM: &str = "multipart/form-data; boundary=B";

/// A voice of so many frames of silence.
pub(super) fn voice(frames: usize) -> Vec<u8> {
    [&b"#!AMR\n"[..], &b"\x44\0\0\0\0\0".repeat(frames)].concat()
}

pub(super) fn ask(
    company: &mut Company,
    now: SystemTime,
    path: &str,
    content_type: &str,
    body: Option<&[u8]>,
) -> Reply {
    let (endpoint, query) = path.split_once('?').unwrap();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    let query = pairs
        .map(|(key, value)| (key.into(), value.into()))
        .collect();
    let call = Call {
        now,
        ip: IpAddr::from([127, 0, 0, 1]),
        method: if body.is_some() { "POST" } else { "GET" },
        endpoint,
        query: &query,
        content_type,
        chunked: content_type.ends_with("; chunked"),
        body: body.unwrap_or_default(),
    };
    company.answer(&call).unwrap()
}

/// A call with this body, a GET if it is `null`.
pub(super) fn json_call(company: &mut Company, path: &str, now: SystemTime, body: &Value) -> Value {
    let text = body.to_string();
    let text = (!body.is_null()).then_some(text.as_bytes());
    json_of(ask(company, now, path, "application/json", text))
}

pub(super) fn json_of(reply: Reply) -> Value {
    match reply {
        Reply::Json(answer) => answer,
        Reply::File { .. } => panic!("a file: {reply:?}"),
    }
}

pub(super) fn token(company: &mut Company) -> String {
    let path = format!("/cgi-bin/gettoken?corpid={CORPID}&corpsecret={SECRET}");
    let answer = json_call(company, &path, START, &Value::Null);
    answer["access_token"].as_str().unwrap().to_owned()
}

/// A call with a new token; what belongs to the query beside it comes after the `?`.
pub(super) fn with_token(
    company: &mut Company,
    path: &str,
    now: SystemTime,
    body: &Value,
) -> Value {
    let path = tokened(company, path);
    json_call(company, &path, now, body)
}

pub(super) fn tokened(company: &mut Company, path: &str) -> String {
    // A token lives two hours, and the clock of a test may be days ahead, or the real one.
    company.tokens.life = std::time::Duration::from_hours(1_000_000);
    let token = token(company);
    let (path, query) = path.split_once('?').unwrap_or((path, "of=none"));
    format!("/cgi-bin/{path}?{query}&access_token={token}")
}

/// A text to zhangsan with these changes.
pub(super) fn send_text(company: &mut Company, now: SystemTime, changes: &Value) -> Value {
    let mut body = json!({"touser": "zhangsan", "msgtype": "text", "agentid": AGENTID, "text": {"content": "x"}});
    let fields = body.as_object_mut().unwrap();
    fields.extend(changes.as_object().unwrap().clone());
    with_token(company, "message/send", now, &body)
}

/// A message of this kind to zhangsan.
pub(super) fn send_kind(company: &mut Company, msgtype: &str, inner: &Value) -> Value {
    send_text(company, START, &json!({"msgtype": msgtype, msgtype: inner}))
}

/// A form of one file; the disposition comes after `form-data; `.
pub(super) fn form(disposition: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--B\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n--B--\r\n"].concat()
}

/// The answer to an upload at START.
pub(super) fn upload(company: &mut Company, kind: &str, name: &str, bytes: &[u8]) -> Value {
    let path = tokened(company, &format!("media/upload?type={kind}"));
    let form = form(&format!("name=\"media\"; filename=\"{name}\""), bytes);
    json_of(ask(company, START, &path, FORM, Some(&form)))
}

#[test]
fn twenty_five_megabytes_arrive_whole_and_a_file_comes_back_over_the_wire() {
    use super::Standin;

    let standin = Standin::start();
    let path = tokened(&mut standin.company(), "media/upload?type=file");
    let file = vec![b'x'; 20 << 20];
    let exchange = |head: String, body: &[u8]| {
        let mut wire = TcpStream::connect(standin.base().trim_start_matches("http://")).unwrap();
        wire.write_all(head.as_bytes()).unwrap();
        wire.write_all(body).unwrap();
        let mut answer = Vec::new();
        wire.read_to_end(&mut answer).unwrap();
        answer
    };
    let upload = |framing: &str, body: &[u8]| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {FORM}\r\n{framing}\r\n\r\n"
        );
        let answer = exchange(head, body);
        let json = answer.iter().position(|byte| *byte == b'{');
        let json = json.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&answer)));
        serde_json::from_slice::<Value>(&answer[json..]).unwrap()
    };
    let body = form(r#"name="media"; filename="f""#, &file);
    let answer = upload(&format!("content-length: {}", body.len()), &body);
    let media_id = answer["media_id"].as_str().unwrap();
    let get = path
        .replace("media/upload", "media/get")
        .replace("type=file", &format!("media_id={media_id}"));
    let got = exchange(
        format!("GET {get} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        b"",
    );
    let head = String::from_utf8_lossy(&got[..got.len() - file.len()]);
    assert!(
        head.contains("content-disposition: attachment; filename=\"f\""),
        "{head}"
    );
    assert_eq!(got[got.len() - file.len()..], file);

    let large = form(r#"name="media"; filename="f""#, &vec![0; (25 << 20) - 200]);
    let answer = upload(&format!("content-length: {}", large.len()), &large);
    assert_eq!(answer["errcode"], 45001);
    let body = form(r#"name="media"; filename="f""#, b"123456");
    let chunk = [
        format!("{:x}\r\n", body.len()).as_bytes(),
        &body,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    assert_eq!(
        upload("transfer-encoding: chunked", &chunk)["errcode"],
        44001
    );
}
