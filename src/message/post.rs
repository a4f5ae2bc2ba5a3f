//! A request as WeCom will read it, without what belongs to the day it is sent on: the token, the
//! agentid, the flag of a resend. This is what the outbox keeps.

use serde_json::{Value, json};

use super::content::DUPLICATE_CHECK_MAX;
use super::{Envelope, Kind};

/// One call, and the JSON object that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Post {
    /// The path below `/cgi-bin/`, such as `message/send`.
    pub(crate) call: String,
    /// A JSON object in WeCom's fields.
    pub(crate) body: Vec<u8>,
}

impl Post {
    /// The bytes that go to WeCom: the same for the same arguments, so that WeCom can compare.
    ///
    /// `resend` asks WeCom to swallow it if an earlier one has arrived, unless the message asks so
    /// anyway.
    pub(crate) fn wire(&self, agentid: u32, resend: bool) -> Vec<u8> {
        let rest = self.body.strip_prefix(b"{").unwrap_or(&self.body);
        let mut wire = format!("{{\"agentid\":{agentid},").into_bytes();
        wire.extend(rest);
        let asks = || self.value()["enable_duplicate_check"] == 1;
        if resend && !asks() {
            // The object's end comes behind what is added.
            wire.truncate(
                wire.iter()
                    .rposition(|byte| *byte == b'}')
                    .unwrap_or(wire.len()),
            );
            let check = format!(
                ",\"enable_duplicate_check\":1,\"duplicate_check_interval\":{DUPLICATE_CHECK_MAX}}}"
            );
            wire.extend(check.as_bytes());
        }
        wire
    }

    /// The same with these lines before its text; none if it has no text, or no room in it.
    pub(crate) fn marked(&self, lines: &str) -> Option<Self> {
        let mut value = self.value();
        let kind = Kind::of(value["msgtype"].as_str()?)?;
        // No index: a hand may have made it, and put something else there.
        let content = value.get_mut(kind.msgtype())?.get_mut("content")?;
        let marked = format!("{lines}\n{}", content.as_str()?);
        if marked.len() > kind.max() {
            return None;
        }
        *content = marked.into();
        Some(self.with(&value))
    }

    /// A text of these lines alone, to the same receivers.
    pub(crate) fn note(&self, lines: &str) -> Self {
        let value = self.value();
        let mut note = json!({"msgtype": "text", "text": {"content": lines}});
        for key in ["touser", "toparty", "totag"] {
            if let Some(list) = value.get(key) {
                note[key] = list.clone();
            }
        }
        self.with(&note)
    }

    fn with(&self, value: &Value) -> Self {
        Self {
            call: self.call.clone(),
            body: value.to_string().into_bytes(),
        }
    }

    /// To whom it goes.
    pub(crate) fn envelope(&self) -> Envelope {
        let value = self.value();
        let list = |key: &str| {
            let names = value[key].as_str().unwrap_or_default().split('|');
            names
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Envelope {
            touser: list("touser"),
            toparty: list("toparty"),
            totag: list("totag"),
        }
    }

    /// WeCom's name for its kind.
    pub(crate) fn msgtype(&self) -> String {
        let value = self.value();
        value["msgtype"].as_str().unwrap_or_default().to_owned()
    }

    /// What a person reads of it; none if it is no writing.
    pub(crate) fn text(&self) -> Option<String> {
        let value = self.value();
        let content = value.get(&*self.msgtype())?.get("content")?;
        content.as_str().map(str::to_owned)
    }

    /// The object; null if it is none, as only a hand could have made it.
    fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(body: &str) -> Post {
        Post {
            call: "message/send".to_owned(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn text(content: &str) -> Post {
        post(&json!({"touser": "a|b", "msgtype": "text", "text": {"content": content}}).to_string())
    }

    #[test]
    fn the_day_adds_the_agentid_and_a_resend_the_flag() {
        let plain = post(r#"{"touser":"a","msgtype":"text","text":{"content":"}"}}"#);
        let wire = |post: &Post, resend| String::from_utf8(post.wire(7, resend)).unwrap();
        assert_eq!(
            wire(&plain, false),
            r#"{"agentid":7,"touser":"a","msgtype":"text","text":{"content":"}"}}"#
        );
        assert_eq!(
            wire(&plain, true),
            r#"{"agentid":7,"touser":"a","msgtype":"text","text":{"content":"}"},"enable_duplicate_check":1,"duplicate_check_interval":14400}"#
        );
        let chosen = post(r#"{"enable_duplicate_check":1,"duplicate_check_interval":60}"#);
        assert_eq!(wire(&chosen, true), wire(&chosen, false));
    }

    #[test]
    fn lines_go_before_the_text_while_there_is_room() {
        let marked = text("hello").marked("late").unwrap();
        assert_eq!(marked.text().unwrap(), "late\nhello");
        assert_eq!(marked.envelope(), text("").envelope());
        assert!(text(&"x".repeat(2043)).marked("late").is_some());
        assert!(text(&"x".repeat(2044)).marked("late").is_none());
        assert!(
            post(r#"{"msgtype":"image","image":{"media_id":"m"}}"#)
                .marked("late")
                .is_none()
        );
    }

    #[test]
    fn a_note_goes_to_the_same_receivers() {
        let note = text("hello").note("2 expired");
        assert_eq!(note.text().unwrap(), "2 expired");
        assert_eq!(note.envelope().touser, ["a", "b"]);
        assert_eq!(note.msgtype(), "text");
    }

    #[test]
    fn what_no_object_is_has_no_receivers_and_no_text() {
        for body in ["", "[]", "null", "{\"touser\":7}"] {
            assert!(
                post(body).envelope().is_empty() && post(body).text().is_none(),
                "{body}"
            );
        }
    }
}
