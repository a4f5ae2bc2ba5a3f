//! What a message holds: one variant a kind, and the request that WeCom reads. What each kind may
//! hold stands in `limits`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Attachment, Channel, Envelope, MediaKind, Post};

/// Longest text, in bytes of UTF-8; from an app WeCom cuts the rest in silence, from a robot it
/// refuses the whole. Source: developer.work.weixin.qq.com/document/path/90236 and 91770.
pub(super) const TEXT_MAX: usize = 2048;

/// Longest markdown from an app, in bytes of UTF-8; what WeCom does with more is not documented.
/// Source: developer.work.weixin.qq.com/document/path/90236.
pub(super) const MARKDOWN_MAX: usize = 2048;

/// Longest markdown of either sort from a robot, in bytes of UTF-8; longer is refused.
/// Source: developer.work.weixin.qq.com/document/path/91770.
pub(super) const ROBOT_MARKDOWN_MAX: usize = 4096;

/// Longest `media_id` that is taken, in bytes. How long they are is not documented; they are seen
/// with less than a hundred.
const MEDIA_ID_MAX: usize = 512;

/// Whether a text can be a `media_id`: visible ASCII.
pub(crate) fn is_media_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MEDIA_ID_MAX && text.bytes().all(|it| it.is_ascii_graphic())
}

/// A kind of message that is made of one piece of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Plain text.
    Text,
    /// WeCom's subset of markdown.
    Markdown,
    /// Its larger subset, from robots alone.
    MarkdownV2,
}

impl Kind {
    /// WeCom's name for it, the `msgtype`.
    pub(crate) fn msgtype(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::MarkdownV2 => "markdown_v2",
        }
    }

    /// The kind of a `msgtype`; none if it is not made of one piece of writing.
    pub(crate) fn of(msgtype: &str) -> Option<Self> {
        [Self::Text, Self::Markdown, Self::MarkdownV2]
            .into_iter()
            .find(|kind| kind.msgtype() == msgtype)
    }

    /// The most bytes of UTF-8 that one message of this kind holds.
    pub(crate) fn max(self, channel: Channel) -> usize {
        match (self, channel) {
            (Self::Text, _) => TEXT_MAX,
            (_, Channel::Robot) => ROBOT_MARKDOWN_MAX,
            _ => MARKDOWN_MAX,
        }
    }

    /// The whole writing: prefix, title and body put together as this kind does it.
    ///
    /// In place, since the body may be as large as WeCom's largest file.
    pub(crate) fn compose(self, prefix: &str, title: Option<&str>, mut body: String) -> String {
        let mark = match self {
            Self::Markdown | Self::MarkdownV2 if title.is_some() => "# ",
            _ => "",
        };
        let gap = if title.is_none() || body.is_empty() {
            ""
        } else {
            "\n"
        };
        let title = title.unwrap_or_default();
        body.insert_str(0, &format!("{mark}{prefix}{title}{gap}"));
        body
    }

    /// A message of this kind.
    pub(crate) fn content(self, content: String) -> Content {
        match self {
            Self::Text => Content::Text(Text {
                content,
                ..Text::default()
            }),
            Self::Markdown => Content::Markdown { content },
            Self::MarkdownV2 => Content::MarkdownV2 { content },
        }
    }
}

/// The object under the key of the same name as the `msgtype`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    /// Plain text, shown everywhere.
    Text(Text),
    /// Shown in WeCom only; ordinary WeChat shows a stub.
    Markdown { content: String },
    /// From robots alone; clients below 4.1.36 show it as plain text.
    MarkdownV2 { content: String },
    /// A picture.
    Image(Picture),
    /// A recording.
    Voice(Uploaded),
    /// A film, with what stands below it.
    Video(Video),
    /// Any file.
    File(Uploaded),
    /// A card with a button that opens a page.
    Textcard(Card),
    /// A picture with a headline that opens a page.
    News { articles: [Article; 1] },
}

/// A text, and in a group whom it calls.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Text {
    pub(crate) content: String,
    /// Userids, or `@all`; from robots alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) mentioned_list: Vec<String>,
    /// Numbers of phones; from robots alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) mentioned_mobile_list: Vec<String>,
}

/// What has been uploaded; an empty id is filled in once it is.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Uploaded {
    pub(crate) media_id: String,
}

/// A picture: uploaded, or from a robot within the message.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Picture {
    Uploaded(Uploaded),
    Inline {
        /// Without line breaks.
        base64: String,
        /// Of the bytes before base64, in lower-case hex.
        md5: String,
    },
}

/// A film that has been uploaded.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Video {
    #[serde(flatten)]
    pub(crate) uploaded: Uploaded,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
}

/// A textcard.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Card {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) url: String,
    /// What stands on the button, 详情 if nothing else is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) btntxt: Option<String>,
}

/// The one article of a news message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Article {
    pub(crate) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    pub(crate) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) picurl: Option<String>,
}

impl Content {
    /// A message that shows what has been, or is to be, uploaded.
    pub(crate) fn media(kind: MediaKind, media_id: String) -> Self {
        let uploaded = Uploaded { media_id };
        match kind {
            MediaKind::Image => Self::Image(Picture::Uploaded(uploaded)),
            MediaKind::Voice => Self::Voice(uploaded),
            MediaKind::File => Self::File(uploaded),
            MediaKind::Video => Self::Video(Video {
                uploaded,
                title: None,
                description: String::new(),
            }),
        }
    }

    /// A picture within the message itself, as robots send it.
    pub(crate) fn inline(picture: &[u8]) -> Self {
        use base64::Engine;
        Self::Image(Picture::Inline {
            base64: base64::engine::general_purpose::STANDARD.encode(picture),
            md5: format!("{:x}", md5::compute(picture)),
        })
    }

    fn msgtype(&self) -> &'static str {
        match self {
            Self::Text(_) => Kind::Text.msgtype(),
            Self::Markdown { .. } => Kind::Markdown.msgtype(),
            Self::MarkdownV2 { .. } => Kind::MarkdownV2.msgtype(),
            Self::Image(_) => MediaKind::Image.name(),
            Self::Voice(_) => MediaKind::Voice.name(),
            Self::Video(_) => MediaKind::Video.name(),
            Self::File(_) => MediaKind::File.name(),
            Self::Textcard(_) => "textcard",
            Self::News { .. } => "news",
        }
    }
}

/// One request, complete but for token and agentid.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) channel: Channel,
    /// To whom.
    pub(crate) envelope: &'a Envelope,
    /// Not to be forwarded, and shown with a watermark.
    pub(crate) safe: bool,
    /// Userids and party ids in the text are shown as names.
    pub(crate) id_trans: bool,
    /// Seconds within which WeCom swallows an identical request, if at all.
    pub(crate) duplicate_check: Option<u64>,
}

/// Longest time, in seconds, over which WeCom compares requests: 4 hours.
/// Source: developer.work.weixin.qq.com/document/path/90236.
pub(crate) const DUPLICATE_CHECK_MAX: u64 = 4 * 3600;

impl Request<'_> {
    /// The request as WeCom reads it: raw UTF-8, the same for the same content.
    pub(crate) fn post(&self, content: &Content, attachment: Option<Attachment>) -> Post {
        let body = Body {
            receivers: self.receivers(),
            msgtype: content.msgtype(),
            content,
            options: self.options(),
        };
        self.with(&body, attachment)
    }

    /// The request of a message that the user has written in WeCom's own JSON: what it says itself
    /// counts, and what it leaves out is filled in.
    pub(crate) fn raw(&self, mut message: Map<String, Value>) -> Post {
        let mut fill = |fields: Value| {
            for (key, value) in fields.as_object().into_iter().flatten() {
                message.entry(key).or_insert_with(|| value.clone());
            }
        };
        fill(value(&self.options()));
        if !names_receivers(self.channel, &message)
            && let Value::Object(receivers) = value(&self.receivers())
        {
            message.extend(receivers);
        }
        self.with(&message, None)
    }

    fn receivers(&self) -> Receivers {
        let list = |names: &[String]| (!names.is_empty()).then(|| names.join("|"));
        Receivers {
            touser: list(&self.envelope.touser),
            toparty: list(&self.envelope.toparty),
            totag: list(&self.envelope.totag),
            chatid: self.envelope.chatid.clone(),
        }
    }

    fn options(&self) -> Options {
        Options {
            safe: self.safe.then_some(1),
            enable_id_trans: self.id_trans.then_some(1),
            enable_duplicate_check: self.duplicate_check.map(|_| 1),
            duplicate_check_interval: self.duplicate_check,
        }
    }

    fn with(&self, body: &impl Serialize, attachment: Option<Attachment>) -> Post {
        Post {
            call: self.channel.call().to_owned(),
            body: serde_json::to_vec(body).expect("strings and numbers always become JSON"),
            attachment,
        }
    }
}

/// Whether a message in WeCom's own JSON says to whom it goes by this road; what is empty names nobody.
pub(crate) fn names_receivers(channel: Channel, message: &Map<String, Value>) -> bool {
    let keys: &[&str] = match channel {
        Channel::App => &["touser", "toparty", "totag"],
        Channel::Chat => &["chatid"],
        Channel::Robot => &[],
    };
    keys.iter()
        .any(|key| message.get(*key).is_some_and(|value| *value != ""))
}

fn value(fields: &impl Serialize) -> Value {
    serde_json::to_value(fields).expect("strings and numbers always become JSON")
}

/// The fields in WeCom's own names.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    receivers: Receivers,
    msgtype: &'a str,
    #[serde(flatten)]
    content: &'a Content,
    #[serde(flatten)]
    options: Options,
}

#[derive(Serialize)]
struct Receivers {
    #[serde(skip_serializing_if = "Option::is_none")]
    touser: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    toparty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chatid: Option<String>,
}

#[derive(Serialize)]
struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    safe: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_id_trans: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_duplicate_check: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_check_interval: Option<u64>,
}

#[cfg(test)]
mod tests;
