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
mod words;

use serde_json::{Map, Value};

use super::channel::Channel;
use crate::lang::{say, spoken};
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
        let what = spoken().of("消息不是 JSON 对象", "the message is no JSON object");
        walk.error(what.to_owned());
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
        None if !message.get(msgtype).is_some_and(Value::is_object) => {
            let name = quoted(msgtype);
            walk.warn(say!(
                "消息的 msgtype 是 {name}，里面却没有这个对象",
                "the message has no object {name}, as its msgtype says"
            ));
        }
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
    let call = walk.channel.call();
    let safe = if robot { Safe::Useless } else { kind.safe };
    match (safe, number("safe")) {
        (_, 0) => {}
        (Safe::Refused, _) => walk.error(say!(
            "{msgtype} 不能保密（safe），mpnews 可以（errcode 40074）",
            "a {msgtype} cannot be safe, an mpnews can (errcode 40074)"
        )),
        (Safe::Useless, _) => walk.warn(say!(
            "safe 对 {call} 的 {msgtype} 不起作用：它可以被转发",
            "safe does not protect a {msgtype} of {call}: it can be forwarded"
        )),
        (Safe::Works, 2) => walk.error(say!(
            "safe 是 2，只有 mpnews 可以：企业微信对 {msgtype} 只接受 0 或 1",
            "safe is 2, which only an mpnews can be: WeCom takes 0 or 1 for a {msgtype}"
        )),
        // 1, and what its row has told of.
        (Safe::Works | Safe::Inside, _) => {}
    }
    if number("enable_id_trans") != 0 && !(app && kind.id_trans) {
        walk.warn(say!(
            "enable_id_trans 在 {call} 的 {msgtype} 里不起作用",
            "enable_id_trans does nothing in a {msgtype} of {call}"
        ));
    }
    if number("enable_duplicate_check") != 0 && !app {
        walk.warn(say!(
            "enable_duplicate_check 在 {call} 里不起作用",
            "enable_duplicate_check does nothing in {call}"
        ));
    }
    if robot && msgtype != "text" {
        for field in ["mentioned_list", "mentioned_mobile_list"] {
            if message
                .get(msgtype)
                .is_some_and(|it| it.get(field).is_some())
            {
                walk.error(say!(
                    "{msgtype}.{field} 提醒不到任何人：企业微信只在 text 里读它",
                    "{msgtype}.{field} mentions nobody: WeCom reads it in a text only"
                ));
            }
        }
    }
    // Source: the page as WxJava copies it.
    if kind.msgtype == "miniprogram_notice" && message.get("touser") == Some(&"@all".into()) {
        let what = spoken().of(
            "miniprogram_notice 不能发给 @all，只能发给指定的成员",
            "a miniprogram_notice cannot go to @all, only to members by name",
        );
        walk.error(what.to_owned());
    }
}

fn not_taken(channel: Channel, msgtype: &str) -> String {
    let (call, name) = (channel.call(), quoted(msgtype));
    let taken: Vec<_> = kinds::taken(channel).collect();
    let taken = taken.join(spoken().of("、", ", "));
    say!(
        "{call} 不接受 {name}，只接受 {taken}（errcode 40008）",
        "{call} takes no {name}, only {taken} (errcode 40008)"
    )
}

/// A name from outside, short and without control characters; WeCom's own as they are.
fn quoted(name: &str) -> String {
    if Kind::of(name).is_some() {
        return name.to_owned();
    }
    format!("{:?}", name.chars().take(40).collect::<String>())
}
