//! What a message holds: one variant a kind, with its limit, and the request WeCom reads.

use serde::Serialize;

use super::{Envelope, Post};

/// Longest text, in bytes of UTF-8; WeCom cuts the rest in silence.
/// Source: developer.work.weixin.qq.com/document/path/90236.
const TEXT_MAX: usize = 2048;

/// Longest markdown, in bytes of UTF-8; what WeCom does with more is not documented.
/// Source: developer.work.weixin.qq.com/document/path/90236.
const MARKDOWN_MAX: usize = 2048;

/// A kind of message that is made of one piece of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Plain text.
    Text,
    /// WeCom's subset of markdown.
    Markdown,
}

impl Kind {
    /// WeCom's name for it, the `msgtype`.
    pub(crate) fn msgtype(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
        }
    }

    /// The kind of a `msgtype`; none if it is not made of one piece of writing.
    pub(crate) fn of(msgtype: &str) -> Option<Self> {
        [Self::Text, Self::Markdown]
            .into_iter()
            .find(|kind| kind.msgtype() == msgtype)
    }

    /// The most bytes of UTF-8 that one message of this kind holds.
    pub(crate) fn max(self) -> usize {
        match self {
            Self::Text => TEXT_MAX,
            Self::Markdown => MARKDOWN_MAX,
        }
    }

    /// The whole writing: prefix, title and body put together as this kind does it.
    ///
    /// In place, since the body may be as large as WeCom's largest file.
    pub(crate) fn compose(self, prefix: &str, title: Option<&str>, mut body: String) -> String {
        let mark = match self {
            Self::Markdown if title.is_some() => "# ",
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
            Self::Text => Content::Text { content },
            Self::Markdown => Content::Markdown { content },
        }
    }
}

/// The object under the key of the same name as the `msgtype`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Content {
    /// Plain text, shown everywhere.
    Text {
        /// At most 2048 bytes.
        content: String,
    },
    /// Shown in WeCom only; ordinary WeChat shows a stub.
    Markdown {
        /// At most 2048 bytes.
        content: String,
    },
}

impl Content {
    fn msgtype(&self) -> &'static str {
        match self {
            Self::Text { .. } => Kind::Text.msgtype(),
            Self::Markdown { .. } => Kind::Markdown.msgtype(),
        }
    }
}

/// One `message/send`, complete but for token and agentid.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// To whom.
    pub(crate) envelope: Envelope,
    /// What.
    pub(crate) content: Content,
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

impl Request {
    /// The request as WeCom reads it: raw UTF-8, the same for the same request.
    pub(crate) fn post(&self) -> Post {
        let list = |names: &[String]| (!names.is_empty()).then(|| names.join("|"));
        let body = Body {
            touser: list(&self.envelope.touser),
            toparty: list(&self.envelope.toparty),
            totag: list(&self.envelope.totag),
            msgtype: self.content.msgtype(),
            content: &self.content,
            safe: self.safe.then_some(1),
            enable_id_trans: self.id_trans.then_some(1),
            enable_duplicate_check: self.duplicate_check.map(|_| 1),
            duplicate_check_interval: self.duplicate_check,
        };
        Post {
            call: "message/send".to_owned(),
            body: serde_json::to_vec(&body).expect("strings and numbers always become JSON"),
        }
    }
}

/// The fields in WeCom's own names.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    touser: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    toparty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totag: Option<String>,
    msgtype: &'a str,
    #[serde(flatten)]
    content: &'a Content,
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
mod tests {
    use super::*;

    #[test]
    fn a_title_stands_where_its_kind_puts_it() {
        for (kind, prefix, title, body, whole) in [
            (Kind::Text, "", None, "b", "b"),
            (Kind::Text, "[h] ", None, "b", "[h] b"),
            (Kind::Text, "[h] ", Some("T"), "b", "[h] T\nb"),
            (Kind::Text, "", Some("T"), "", "T"),
            (Kind::Markdown, "[h] ", Some("T"), "b", "# [h] T\nb"),
            (Kind::Markdown, "[h] ", None, "b", "[h] b"),
        ] {
            assert_eq!(kind.compose(prefix, title, body.to_owned()), whole);
        }
    }

    fn request(content: Content) -> Request {
        Request {
            envelope: Envelope::all(),
            content,
            safe: false,
            id_trans: false,
            duplicate_check: None,
        }
    }

    fn json(request: &Request) -> String {
        String::from_utf8(request.post().body).unwrap()
    }

    #[test]
    fn each_kind_is_what_wecom_reads() {
        let text = Kind::Text.content("你好 <a> \"q\"\n".to_owned());
        assert_eq!(
            json(&request(text)),
            r#"{"touser":"@all","msgtype":"text","text":{"content":"你好 <a> \"q\"\n"}}"#
        );
        let markdown = Kind::Markdown.content("# h".to_owned());
        assert_eq!(
            json(&request(markdown)),
            r##"{"touser":"@all","msgtype":"markdown","markdown":{"content":"# h"}}"##
        );
    }

    #[test]
    fn options_appear_only_where_they_are_set() {
        let all = Request {
            envelope: Envelope::parse(["a,b"], ["1"], ["2,3"]).unwrap(),
            safe: true,
            id_trans: true,
            duplicate_check: Some(60),
            ..request(Kind::Text.content("x".to_owned()))
        };
        assert_eq!(
            json(&all),
            r#"{"touser":"a|b","toparty":"1","totag":"2|3","msgtype":"text","text":{"content":"x"},"safe":1,"enable_id_trans":1,"enable_duplicate_check":1,"duplicate_check_interval":60}"#
        );
    }
}
