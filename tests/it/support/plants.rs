//! Entries put into an outbox as wxpush would have written them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use crate::standin::{CORPID, Standin};
use crate::support::{MEMBERS, Sandbox, now};

/// The END line of an entry.
pub(crate) fn end(text: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("END {}\n", hash.collect::<String>())
}

/// An entry as wxpush would have written it a minute ago: its name, and its bytes.
pub(crate) fn entry(base: &str, number: u64, body: &str) -> (String, String) {
    entry_of((now() - 60) * 1000 + number, base, number, body)
}

/// An entry as wxpush would have written it at this time, in Unix milliseconds.
pub(crate) fn entry_of(at: u64, base: &str, number: u64, body: &str) -> (String, String) {
    let accepted = UNIX_EPOCH + Duration::from_millis(at);
    let accepted = DateTime::<Utc>::from(accepted);
    let name = accepted.format("%Y%m%dT%H%M%S%.3fZ").to_string() + &format!("-{number:08x}");
    let accepted = accepted.to_rfc3339_opts(SecondsFormat::Millis, true);
    let length = body.len();
    let text = format!(
        "wxpush outbox 1\naccepted: {accepted}\ncorpid: {CORPID}\napi_base: {base}\nrequests: 1\n\nPOST message/send {length}\n{body}\n"
    );
    let end = end(&text);
    (name, text + &end)
}

pub(crate) fn text_to(member: &str, text: &str) -> String {
    json!({"touser": member, "msgtype": "text", "text": {"content": text}}).to_string()
}

/// Puts so many messages into the outbox, to one member after the other; says what they are called.
pub(crate) fn plant(sandbox: &Sandbox, base: &str, count: u64, members: &[&str]) -> Vec<String> {
    for dir in ["outbox", "outbox/failed"] {
        fs::create_dir_all(sandbox.path(dir)).unwrap();
        fs::set_permissions(sandbox.path(dir), Permissions::from_mode(0o700)).unwrap();
    }
    let members = members.iter().cycle();
    let planted = (0..count).zip(members).map(|(number, member)| {
        let (name, bytes) = entry(base, number, &text_to(member, &format!("number {number}")));
        put(sandbox, &name, bytes);
        name
    });
    planted.collect()
}

/// Puts these bodies into the outbox, as accepted one after the other within the last minute.
pub(crate) fn plant_bodies(
    sandbox: &Sandbox,
    base: &str,
    bodies: impl IntoIterator<Item = String>,
) -> Vec<String> {
    plant(sandbox, base, 0, &[]);
    let from = (now() - 60) * 1000;
    let planted = bodies.into_iter().zip(0..).map(|(body, number)| {
        let (name, bytes) = entry_of(from + 50 * number, base, number, &body);
        put(sandbox, &name, bytes);
        name
    });
    planted.collect()
}

/// A body that no other is sent together with.
pub(crate) fn markdown_to(member: &str, text: &str) -> String {
    json!({"touser": member, "msgtype": "markdown", "markdown": {"content": text}}).to_string()
}

/// Puts a file into the outbox, as private as an entry.
pub(crate) fn put(sandbox: &Sandbox, name: &str, bytes: impl AsRef<[u8]>) {
    let path = sandbox.path(&format!("outbox/{name}"));
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Puts so many messages among the failed, and says what they are called.
pub(crate) fn plant_failed(sandbox: &Sandbox, base: &str, count: u64) -> Vec<String> {
    let ids = plant(sandbox, base, count, &MEMBERS);
    for id in &ids {
        let from = sandbox.path(&format!("outbox/{id}"));
        fs::rename(from, sandbox.path(&format!("outbox/failed/{id}"))).unwrap();
        sandbox.write(
            &format!("outbox/failed/{id}.why"),
            "{\"at\":1764000000000,\"exit_code\":69,\"errcode\":81013,\"error\":\"why\"}",
        );
    }
    ids
}

/// Puts so many texts behind what waits, to these members in turn.
pub(crate) fn queue(
    sandbox: &Sandbox,
    standin: &Standin,
    numbers: std::ops::Range<u64>,
    members: &[&str],
) {
    plant(sandbox, &standin.base(), 0, members);
    let now = now() * 1000 + 1000;
    for (number, member) in numbers.zip(members.iter().cycle()) {
        let body = text_to(member, &other(number));
        let (name, bytes) = entry_of(now + number, &standin.base(), number, &body);
        put(sandbox, &name, bytes);
    }
}

/// What one of the others says; no other says it, though several may stand in one message.
pub(crate) fn other(number: u64) -> String {
    format!("other {number:03}.")
}
