//! What WeCom takes in a message: each kind's fields, their lengths and their company.
//!
//! The rows stand in `kinds` and `card`; `rows` says what a row can hold, `walk` compares a message
//! with them. A new kind or field is a new row. Files themselves are looked at elsewhere: here a
//! `media_id` must be something, whatever it is.

mod card;
mod kinds;
mod rows;
#[cfg(test)]
mod tests;
mod walk;

use serde_json::{Map, Value};

use super::channel::Channel;
use kinds::{Kind, Safe};
use rows::{NO_CODE, Need, Row};
use walk::Walk;

/// What a message breaks, or may lose; each finding is a line that names field, limit and value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// What WeCom refuses, or would cut without saying so.
    pub(crate) errors: Vec<String>,
    /// What may be refused, be shown cut, or do nothing.
    pub(crate) warnings: Vec<String>,
}

/// Compares a message with all that is known of its kind.
///
/// `body` is the whole object as WeCom will read it. Receivers may be missing from it, and how many
/// they are is the envelope's business; a `media_id` that an upload will tell may be any text but
/// an empty one. Of a kind that nobody knows yet only the object of its name is looked for.
pub(crate) fn check(channel: Channel, msgtype: &str, body: &Value) -> Findings {
    let mut walk = Walk::new(channel);
    let Some(message) = body.as_object() else {
        walk.error("the message is no JSON object".to_owned());
        return walk.findings;
    };
    match Kind::of(msgtype) {
        Some(kind) => match kind.rule(channel) {
            Some(rule) => {
                walk.object("", message, kinds::around(channel));
                walk.row("", message, &Row(msgtype, Need::Must(NO_CODE), rule));
                switches(&mut walk, kind, message);
            }
            None => walk.error(not_taken(channel, msgtype)),
        },
        None if channel == Channel::Robot => walk.error(not_taken(channel, msgtype)),
        None if !message.get(msgtype).is_some_and(Value::is_object) => walk.warn(format!(
            "the message has no object {}, as its msgtype says",
            quoted(msgtype)
        )),
        None => {}
    }
    walk.findings
}

/// Whether `safe` keeps a message of this kind from being forwarded; what nobody knows yet it may.
pub(crate) fn can_be_safe(msgtype: &str) -> bool {
    let works = |kind: &Kind| matches!(kind.safe, Safe::Works | Safe::Inside);
    Kind::of(msgtype).is_none_or(works)
}

/// What stands beside the kind's object and only works for some kinds.
fn switches(walk: &mut Walk, kind: &Kind, message: &Map<String, Value>) {
    let number = |field| message.get(field).and_then(Value::as_i64).unwrap_or(0);
    let msgtype = kind.msgtype;
    let app = walk.channel == Channel::App;
    let robot = walk.channel == Channel::Robot;
    let safe = if robot { Safe::Useless } else { kind.safe };
    match (safe, number("safe")) {
        (_, 0) => {}
        (Safe::Refused, _) => walk.error(format!(
            "a {msgtype} cannot be safe, an mpnews can (errcode 40074)"
        )),
        (Safe::Useless, _) => walk.warn(format!(
            "safe does not protect a {msgtype} of {}: it can be forwarded",
            walk.channel.call()
        )),
        (Safe::Works, 2) => walk.error(format!(
            "safe is 2, which only an mpnews can be: WeCom takes 0 or 1 for a {msgtype}"
        )),
        // 1, and what its row has told of.
        (Safe::Works | Safe::Inside, _) => {}
    }
    if number("enable_id_trans") != 0 && !(app && kind.id_trans) {
        walk.warn(format!(
            "enable_id_trans does nothing in a {msgtype} of {}",
            walk.channel.call()
        ));
    }
    if number("enable_duplicate_check") != 0 && !app {
        walk.warn(format!(
            "enable_duplicate_check does nothing in {}",
            walk.channel.call()
        ));
    }
    if robot && msgtype != "text" {
        for field in ["mentioned_list", "mentioned_mobile_list"] {
            if message
                .get(msgtype)
                .is_some_and(|it| it.get(field).is_some())
            {
                walk.error(format!(
                    "{msgtype}.{field} mentions nobody: WeCom reads it in a text only"
                ));
            }
        }
    }
    // Source: the page as WxJava copies it.
    if kind.msgtype == "miniprogram_notice" && message.get("touser") == Some(&"@all".into()) {
        walk.error("a miniprogram_notice cannot go to @all, only to members by name".to_owned());
    }
}

fn not_taken(channel: Channel, msgtype: &str) -> String {
    format!(
        "{} takes no {}, only {} (errcode 40008)",
        channel.call(),
        quoted(msgtype),
        kinds::taken(channel).collect::<Vec<_>>().join(", ")
    )
}

/// A name from outside, short and without control characters; WeCom's own as they are.
fn quoted(name: &str) -> String {
    if Kind::of(name).is_some() {
        return name.to_owned();
    }
    format!("{:?}", name.chars().take(40).collect::<String>())
}
