//! A message as WeCom accepts it, without the values known only when it is sent: token, agentid,
//! the flag of a resend.
//!
//! It is typed from the command line to the wire. The outbox stores it as the JSON that WeCom
//! reads, and parses that once.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::content::{RawContent, TextKind};
use super::{Channel, Content, MediaKind, Recipients};
use crate::file_slice::FileSlice;

/// The longest interval, in seconds, over which WeCom compares messages: 4 hours.
/// Source: developer.work.weixin.qq.com/document/path/90236.
pub(crate) const DUPLICATE_CHECK_MAX: u64 = 4 * 3600;

/// One message to recipients that fit into one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) channel: Channel,
    pub(crate) to: Recipients,
    pub(crate) content: Content,
    pub(crate) options: MessageOptions,
    /// The file to upload first; its `media_id` is then filled in.
    pub(crate) attachment: Option<Attachment>,
}

/// A file sent with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) kind: MediaKind,
    /// The name that its recipients see.
    pub(crate) name: String,
    pub(crate) bytes: FileSlice,
}

/// WeCom's options for a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageOptions {
    /// 1: cannot be forwarded, and is shown with a watermark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) safe: Option<u8>,
    /// 1: userids and party ids in the text are shown as names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enable_id_trans: Option<u8>,
    /// 1: WeCom drops the message if it received an identical one within the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enable_duplicate_check: Option<u8>,
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) duplicate_check_interval: Option<u64>,
}

/// The recipients in WeCom's form: names joined by `|`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct RecipientFields {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    touser: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    toparty: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    totag: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chatid: Option<String>,
}

/// The JSON object, with WeCom's own names.
#[derive(Serialize)]
struct JsonBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    agentid: Option<u32>,
    #[serde(flatten)]
    recipients: RecipientFields,
    #[serde(flatten)]
    fields: Fields<'a>,
    #[serde(flatten)]
    options: MessageOptions,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    Typed {
        msgtype: &'a str,
        #[serde(flatten)]
        content: &'a Content,
    },
    Raw {
        msgtype: &'a str,
        #[serde(flatten)]
        fields: &'a Map<String, Value>,
    },
}

impl Message {
    /// Parses a message in WeCom's own JSON; returns `None` if it has no `msgtype`.
    pub(crate) fn read(channel: Channel, mut fields: Map<String, Value>) -> Option<Self> {
        let Some(Value::String(msgtype)) = fields.remove("msgtype") else {
            return None;
        };
        let recipients: RecipientFields = taken(&mut fields, channel.recipient_fields());
        let options = taken(
            &mut fields,
            &[
                "safe",
                "enable_id_trans",
                "enable_duplicate_check",
                "duplicate_check_interval",
            ],
        );
        Some(Self {
            channel,
            to: recipients.recipients(),
            content: Content::read(msgtype, fields),
            options,
            attachment: None,
        })
    }

    /// Returns the JSON object that the outbox stores.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        json(&self.body(None, self.options))
    }

    /// Returns the same object as a value, for display.
    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self.body(None, self.options)).expect("strings and numbers are JSON")
    }

    /// Returns the bytes for WeCom: always the same for the same arguments, so that WeCom can
    /// compare them.
    ///
    /// `window` asks WeCom to drop the message if it received an identical one within so many
    /// seconds, unless the message itself asks for a check. Only an app's messages to members
    /// support agentid and window.
    pub(crate) fn to_wire(&self, agentid: u32, window: Option<u64>) -> Vec<u8> {
        if self.channel != Channel::App {
            return self.to_json();
        }
        let mut options = self.options;
        if let Some(window) = window.filter(|_| options.enable_duplicate_check != Some(1)) {
            options.enable_duplicate_check = Some(1);
            options.duplicate_check_interval = Some(window);
        }
        json(&self.body(Some(agentid), options))
    }

    /// Returns the message with these lines before its text; `None` if it has no text, or no room
    /// in it.
    pub(crate) fn marked(&self, lines: &str) -> Option<Self> {
        let (_, text) = self.content.text()?;
        let marked = || self.with_text(format!("{lines}\n{text}"));
        self.has_room_for(lines).then(marked)
    }

    /// Whether it has a text, and room for these lines before it.
    pub(crate) fn has_room_for(&self, lines: &str) -> bool {
        let Some((kind, text)) = self.content.text() else {
            return false;
        };
        lines.len() + 1 + text.len() <= kind.max(self.channel)
    }

    /// Returns the message with another text, if its kind has one.
    pub(crate) fn with_text(&self, text: String) -> Self {
        let mut message = self.without_attachment();
        if let Some(content) = message.content.text_mut() {
            *content = text;
        }
        message
    }

    /// Returns a text of these lines only, to the same recipients.
    pub(crate) fn note(&self, lines: String) -> Self {
        Self {
            channel: self.channel,
            to: self.to.clone(),
            content: TextKind::Text.content(lines),
            options: MessageOptions::default(),
            attachment: None,
        }
    }

    /// Whether it shows a file that is still to be uploaded.
    pub(crate) fn needs_media(&self) -> bool {
        self.content.media_id() == Some("")
    }

    /// Returns the message with the id of the uploaded file.
    pub(crate) fn with_media(&self, media_id: &str) -> Self {
        let mut message = self.without_attachment();
        message.content.set_media_id(media_id);
        message
    }

    /// Returns the size of its file in bytes.
    pub(crate) fn bytes_of_file(&self) -> u64 {
        let file = self.attachment.as_ref();
        file.map_or(0, |file| file.bytes.len())
    }

    /// Returns the line that represents it in a list: its text, its title or its file's name.
    pub(crate) fn headline(&self) -> Option<&str> {
        let words = self.content.words().into_iter().find(|it| !it.is_empty());
        words.or(self.attachment.as_ref().map(|file| &*file.name))
    }

    fn without_attachment(&self) -> Self {
        Self {
            channel: self.channel,
            to: self.to.clone(),
            content: self.content.clone(),
            options: self.options,
            attachment: None,
        }
    }

    fn body(&self, agentid: Option<u32>, options: MessageOptions) -> JsonBody<'_> {
        let msgtype = self.content.msgtype();
        JsonBody {
            agentid,
            recipients: RecipientFields::of(&self.to),
            fields: match &self.content {
                Content::Raw(RawContent { fields, .. }) => Fields::Raw { msgtype, fields },
                content => Fields::Typed { msgtype, content },
            },
            options,
        }
    }
}

/// Takes out the fields of the right type, and leaves the others.
fn taken<T: for<'a> Deserialize<'a> + Default>(
    fields: &mut Map<String, Value>,
    keys: &[&str],
) -> T {
    let known = keys.iter().filter_map(|key| fields.get_key_value(*key));
    let known: Map<String, Value> = known.map(|(key, it)| (key.clone(), it.clone())).collect();
    let Ok(read) = T::deserialize(&Value::Object(known)) else {
        return T::default();
    };
    for key in keys {
        fields.remove(*key);
    }
    read
}

fn json(body: &JsonBody<'_>) -> Vec<u8> {
    serde_json::to_vec(body).expect("strings and numbers always become JSON")
}

impl RecipientFields {
    fn of(to: &Recipients) -> Self {
        let [touser, toparty, totag] =
            [&to.touser, &to.toparty, &to.totag].map(|names| names.join("|"));
        Self {
            touser,
            toparty,
            totag,
            chatid: to.chatid.clone(),
        }
    }

    fn recipients(&self) -> Recipients {
        let [touser, toparty, totag] = [&self.touser, &self.toparty, &self.totag].map(|names| {
            let names = names.split('|').filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        });
        Recipients {
            touser,
            toparty,
            totag,
            chatid: self.chatid.clone().filter(|id| !id.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &str) -> Message {
        Message::read(Channel::App, serde_json::from_str(body).unwrap()).unwrap()
    }

    fn wire(message: &Message, window: Option<u64>) -> String {
        String::from_utf8(message.to_wire(7, window)).unwrap()
    }

    fn text(content: &str) -> Message {
        let body = json!({"touser": "a|b", "msgtype": "text", "text": {"content": content}});
        read(&body.to_string())
    }

    #[test]
    fn the_wire_adds_the_agentid_and_a_resend_the_flag() {
        let plain = read(r#"{"touser":"a","msgtype":"text","text":{"content":"}"}}"#);
        assert_eq!(
            wire(&plain, None),
            r#"{"agentid":7,"touser":"a","msgtype":"text","text":{"content":"}"}}"#
        );
        assert_eq!(
            wire(&plain, Some(14400)),
            r#"{"agentid":7,"touser":"a","msgtype":"text","text":{"content":"}"},"enable_duplicate_check":1,"duplicate_check_interval":14400}"#
        );
        let chosen = r#"{"msgtype":"x","enable_duplicate_check":1,"duplicate_check_interval":60}"#;
        assert_eq!(wire(&read(chosen), Some(9)), wire(&read(chosen), None));
    }

    #[test]
    fn a_stored_message_is_read_as_it_was_and_unknown_fields_stay() {
        for body in [
            r#"{"touser":"a|b","toparty":"1","msgtype":"text","text":{"content":"x"},"safe":1}"#,
            r#"{"msgtype":"image","image":{"base64":"YWJj","md5":"90"}}"#,
            r#"{"touser":"@all","msgtype":"video","video":{"media_id":"","title":"t"}}"#,
            r#"{"touser":"@all","msgtype":"text","text":{"content":"x","later":1}}"#,
            r#"{"chatid":"c","msgtype":"template_card","template_card":{"card_type":"x"}}"#,
            r#"{"msgtype":"text","text":{"content":"x"},"touser":7}"#,
        ] {
            let message = read(body);
            let again = String::from_utf8(message.to_json()).unwrap();
            let [was, is] = [body, &again].map(|it| serde_json::from_str::<Value>(it).unwrap());
            assert_eq!(was, is);
            assert_eq!(read(&again), message);
        }
        assert!(Message::read(Channel::App, Map::new()).is_none());
    }

    #[test]
    fn lines_go_before_the_text_while_there_is_room() {
        let marked = text("hello").marked("late").unwrap();
        assert_eq!(marked.headline(), Some("late\nhello"));
        assert_eq!(marked.to, text("").to);
        assert!(text(&"x".repeat(2043)).marked("late").is_some());
        assert!(text(&"x".repeat(2044)).marked("late").is_none());
        let image = read(r#"{"msgtype":"image","image":{"media_id":"m"}}"#);
        assert!(image.marked("late").is_none());
        let raw = read(r#"{"msgtype":"text","text":{"content":"x","later":1}}"#);
        assert_eq!(raw.marked("late").unwrap().headline(), Some("late\nx"));
    }

    #[test]
    fn an_uploaded_file_is_filled_in_where_it_belongs_and_nowhere_else() {
        let body =
            r#"{"msgtype":"video","video":{"media_id":"","description":"\"media_id\":\"\""}}"#;
        let expected = body.replacen(r#""media_id":"""#, r#""media_id":"a\"b""#, 1);
        let filled = read(body).with_media("a\"b");
        assert_eq!(String::from_utf8(filled.to_json()).unwrap(), expected);
        let raw = read(r#"{"msgtype":"file","file":{"media_id":"","x":1}}"#);
        assert!(raw.needs_media() && !raw.with_media("m").needs_media());
        assert!(!read(r#"{"msgtype":"file","file":{"media_id":"x"}}"#).needs_media());
    }

    #[test]
    fn a_note_goes_to_the_same_recipients() {
        let note = text("hello").note("2 expired".to_owned());
        assert_eq!(note.headline(), Some("2 expired"));
        assert_eq!((note.to.touser.len(), note.content.msgtype()), (2, "text"));
    }
}
