//! What is in the outbox of a sandbox: what waits, what has failed, how old it is.

use std::fs;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::standin::Standin;
use crate::support::{Outcome, SEND, Sandbox, here, names_in, pdf, refusal};

/// The length of an entry's name.
pub(crate) const ID_LENGTH: usize = "20261124T074123.123Z-9f3a1c77".len();

/// The names in the outbox, but for what each flush notes of the clocks, and a look in vain.
pub(crate) fn emptied(sandbox: &Sandbox) -> Vec<String> {
    let mut names = names_in(&sandbox.path("outbox"));
    names.retain(|name| !["clock", "looked"].contains(&name.as_str()));
    names
}

/// The entries in a directory of the sandbox, oldest first.
pub(crate) fn ids_in(sandbox: &Sandbox, dir: &str) -> Vec<String> {
    let dir = sandbox.path(dir);
    let names = if dir.exists() { names_in(&dir) } else { vec![] };
    let ids = names.into_iter().filter(|name| name.len() == ID_LENGTH);
    ids.collect()
}

/// What waits, oldest first.
pub(crate) fn waiting(sandbox: &Sandbox) -> Vec<String> {
    ids_in(sandbox, "outbox")
}

/// What has been given up, oldest first.
pub(crate) fn failed(sandbox: &Sandbox) -> Vec<String> {
    ids_in(sandbox, "outbox/failed")
}

/// Reads what stands beside an entry: JSON, and its digest on the next line.
pub(crate) fn attempts(sandbox: &Sandbox, id: &str) -> Value {
    let text = sandbox.read(&format!("outbox/{id}.try"));
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

/// Changes what stands beside an entry, as an earlier version wrote it: without a digest.
pub(crate) fn edit_attempts(sandbox: &Sandbox, id: &str, change: impl Fn(&mut Value)) {
    let mut attempts = attempts(sandbox, id);
    change(&mut attempts);
    let path = sandbox.path(&format!("outbox/{id}.try"));
    fs::write(path, attempts.to_string()).unwrap();
}

/// The moment so many milliseconds from now, as the wall clock alone has it.
pub(crate) fn stamp(ms: i64) -> String {
    (Utc::now().timestamp_millis() + ms).to_string()
}

/// Makes a waiting entry older by so many seconds, or younger, and says what it is called then.
pub(crate) fn age(sandbox: &Sandbox, id: &str, seconds: i64) -> String {
    let text = sandbox.read(&format!("outbox/{id}"));
    let line = text.lines().nth(1).unwrap();
    let accepted = line.strip_prefix("accepted: ").unwrap();
    let accepted = DateTime::parse_from_rfc3339(accepted).unwrap().to_utc();
    let accepted: DateTime<Utc> = accepted - chrono::TimeDelta::seconds(seconds);
    let shown = accepted.to_rfc3339_opts(SecondsFormat::Millis, true);
    let text = text.replacen(line, &format!("accepted: {shown}"), 1);
    // By the wall clock alone, as after a reboot.
    let kept = text.split_inclusive('\n').enumerate();
    let text: String = kept
        .filter(|(at, line)| *at > 5 || !line.starts_with("boot: "))
        .map(|(_, line)| line)
        .collect();
    let text = &text[..text.rfind("END ").unwrap()];
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hash: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let new = accepted.format("%Y%m%dT%H%M%S%.3fZ").to_string() + &id[id.len() - 9..];
    fs::remove_file(sandbox.path(&format!("outbox/{id}"))).unwrap();
    sandbox.write(&format!("outbox/{new}"), format!("{text}END {hash}\n"));
    let attempts = |id: &str| sandbox.path(&format!("outbox/{id}.try"));
    fs::rename(attempts(id), attempts(&new)).unwrap();
    new
}

/// Sends what the set-up forbids for now, so that it is kept and nothing is in doubt.
pub(crate) fn keep(standin: &Standin, sandbox: &Sandbox, args: &str) -> String {
    let before = waiting(sandbox);
    standin.script(SEND, [refusal(60020)]);
    sandbox.wxpush(args).exits(77);
    let mut new = waiting(sandbox);
    new.retain(|id| !before.contains(id));
    assert_eq!(new.len(), 1, "one is kept");
    new.remove(0)
}

pub(crate) fn flush(sandbox: &Sandbox) -> Outcome {
    sandbox.wxpush("outbox flush").run()
}

/// Holds that a flush has left something, and says so by its exit code alone.
#[track_caller]
pub(crate) fn leaves_some(outcome: &Outcome) {
    assert!(matches!(outcome.code, Some(75 | 77)), "{outcome:?}");
}

/// Has the poisoned message kept.
pub(crate) fn keep_poison(standin: &Standin, sandbox: &Sandbox, args: &str, at: &str) {
    sandbox.write("poison.pdf", pdf());
    standin.script(at, [refusal(60020)]);
    here(sandbox, args).exits(77);
    assert_eq!(waiting(sandbox).len(), 1, "{args}");
}
