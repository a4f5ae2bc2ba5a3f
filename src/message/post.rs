//! A request as WeCom will read it, without what belongs to the day it is sent on: the token, the
//! agentid, the flag of a resend. This is what the outbox keeps.

use serde_json::{Value, json};

use super::{Channel, Envelope, Kind};
use crate::blob::Blob;

/// One call, and the JSON object that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Post {
    /// The path below `/cgi-bin/`, such as `message/send`.
    pub(crate) call: String,
    /// A JSON object in WeCom's fields.
    pub(crate) body: Vec<u8>,
    /// What is uploaded first; its `media_id` is then filled in.
    pub(crate) attachment: Option<Attachment>,
}

/// A file that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// WeCom's `type` of the upload, such as `image`.
    pub(crate) kind: String,
    /// As its receivers see it.
    pub(crate) name: String,
    pub(crate) bytes: Blob,
}

impl Post {
    /// How many bytes its file has.
    pub(crate) fn bytes_of_file(&self) -> u64 {
        let file = self.attachment.as_ref();
        file.map_or(0, |file| file.bytes.len())
    }

    /// By which road it goes; none if a hand made it, for no road that there is.
    pub(crate) fn channel(&self) -> Option<Channel> {
        Channel::of(&self.call)
    }

    /// The bytes that go to WeCom: the same for the same arguments, so that WeCom can compare.
    ///
    /// `window` asks WeCom to swallow it if an equal one has arrived within so many seconds, unless
    /// the message asks so anyway. Both are for messages of an app to members alone: the other calls
    /// know neither.
    pub(crate) fn wire(&self, agentid: u32, window: Option<u64>) -> Vec<u8> {
        if self.channel() != Some(Channel::App) {
            return self.body.clone();
        }
        let rest = self.body.strip_prefix(b"{").unwrap_or(&self.body);
        let mut wire = format!("{{\"agentid\":{agentid},").into_bytes();
        wire.extend(rest);
        let asks = || self.value()["enable_duplicate_check"] == 1;
        if let Some(window) = window
            && !asks()
        {
            // The object's end comes behind what is added.
            wire.truncate(
                wire.iter()
                    .rposition(|byte| *byte == b'}')
                    .unwrap_or(wire.len()),
            );
            let check =
                format!(",\"enable_duplicate_check\":1,\"duplicate_check_interval\":{window}}}");
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
        if marked.len() > kind.max(self.channel()?) {
            return None;
        }
        *content = marked.into();
        Some(self.with(&value))
    }

    /// Whether it shows what is uploaded only when it is sent.
    pub(crate) fn needs_media(&self) -> bool {
        self.value()
            .get(&*self.msgtype())
            .is_some_and(|content| content["media_id"] == "")
    }

    /// The same with the id of what has been uploaded.
    pub(crate) fn with_media(&self, media_id: &str) -> Self {
        // As we write it ourselves; within a text its quotes would be escaped.
        if let Ok(body) = std::str::from_utf8(&self.body)
            && let Some((head, tail)) = body.split_once(r#""media_id":"""#)
        {
            return Self {
                call: self.call.clone(),
                body: format!("{head}\"media_id\":{}{tail}", json!(media_id)).into_bytes(),
                attachment: None,
            };
        }
        let mut value = self.value();
        let msgtype = self.msgtype();
        if let Some(content) = value.get_mut(&msgtype).and_then(Value::as_object_mut) {
            content.insert("media_id".to_owned(), media_id.into());
        }
        self.with(&value)
    }

    /// A text of these lines alone, to the same receivers.
    pub(crate) fn note(&self, lines: &str) -> Self {
        let value = self.value();
        let mut note = json!({"msgtype": "text", "text": {"content": lines}});
        for key in ["touser", "toparty", "totag", "chatid"] {
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
            attachment: None,
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
            chatid: value["chatid"].as_str().map(str::to_owned),
        }
    }

    /// WeCom's name for its kind.
    pub(crate) fn msgtype(&self) -> String {
        let value = self.value();
        value["msgtype"].as_str().unwrap_or_default().to_owned()
    }

    /// What a person reads of it: its writing, else the name of its file, or its headline.
    pub(crate) fn text(&self) -> Option<String> {
        if let Some(attachment) = &self.attachment {
            return Some(attachment.name.clone());
        }
        let value = self.value();
        let content = value.get(&*self.msgtype())?;
        let words = [
            "/content",
            "/title",
            "/articles/0/title",
            "/main_title/title",
        ];
        let text = words
            .iter()
            .find_map(|path| content.pointer(path)?.as_str());
        text.map(str::to_owned)
    }

    /// The object; null if it is none, as only a hand could have made it.
    pub(crate) fn value(&self) -> Value {
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
            attachment: None,
        }
    }

    fn text(content: &str) -> Post {
        post(&json!({"touser": "a|b", "msgtype": "text", "text": {"content": content}}).to_string())
    }

    #[test]
    fn the_day_adds_the_agentid_and_a_resend_the_flag() {
        let plain = post(r#"{"touser":"a","msgtype":"text","text":{"content":"}"}}"#);
        let wire = |post: &Post, window| String::from_utf8(post.wire(7, window)).unwrap();
        assert_eq!(
            wire(&plain, None),
            r#"{"agentid":7,"touser":"a","msgtype":"text","text":{"content":"}"}}"#
        );
        assert_eq!(
            wire(&plain, Some(14400)),
            r#"{"agentid":7,"touser":"a","msgtype":"text","text":{"content":"}"},"enable_duplicate_check":1,"duplicate_check_interval":14400}"#
        );
        let chosen = post(r#"{"enable_duplicate_check":1,"duplicate_check_interval":60}"#);
        assert_eq!(wire(&chosen, Some(9)), wire(&chosen, None));
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
    fn what_is_uploaded_is_filled_in_where_it_belongs_and_nowhere_else() {
        let text =
            r#"{"msgtype":"video","video":{"media_id":"","description":"\"media_id\":\"\""}}"#;
        let expected = text.replacen(r#""media_id":"""#, r#""media_id":"a\"b""#, 1);
        let filled = post(text).with_media("a\"b");
        assert_eq!(String::from_utf8(filled.body).unwrap(), expected);
        let by_hand = post(r#"{"msgtype":"file", "file": {"media_id": ""}}"#);
        assert!(by_hand.needs_media() && !by_hand.with_media("m").needs_media());
        assert_eq!(by_hand.with_media("m").value()["file"]["media_id"], "m");
        assert!(!post(r#"{"msgtype":"file","file":{"media_id":"x"}}"#).needs_media());
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
