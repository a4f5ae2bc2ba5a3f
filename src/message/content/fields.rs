//! The object of each kind of message, in WeCom's own fields.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A text, and the group members that it mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    pub(crate) content: String,
    /// Userids, or `@all`; only from robots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) mentioned_list: Vec<String>,
    /// Phone numbers; only from robots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) mentioned_mobile_list: Vec<String>,
}

impl Text {
    /// Whether it mentions no group member.
    pub(crate) fn mentions_nobody(&self) -> bool {
        self.mentioned_list.is_empty() && self.mentioned_mobile_list.is_empty()
    }
}

/// Markdown of either subset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Markdown {
    pub(crate) content: String,
}

/// An uploaded file; its id is empty before the upload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Uploaded {
    pub(crate) media_id: String,
}

/// A picture: uploaded, or inline in a robot's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Picture {
    Uploaded(Uploaded),
    Inline {
        /// Without line breaks.
        base64: String,
        /// The MD5 of the bytes before base64, in lower-case hex.
        md5: String,
    },
}

/// An uploaded video.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Video {
    /// Empty before the upload.
    pub(crate) media_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
}

/// A textcard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Textcard {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) url: String,
    /// The label of the button; WeCom's default is 详情.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) btntxt: Option<String>,
}

/// A news message with one article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct News {
    pub(crate) articles: [Article; 1],
}

/// The article of a news message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Article {
    pub(crate) title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) picurl: Option<String>,
}

/// A message with one article, which WeCom keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mpnews {
    pub(crate) articles: [MpnewsArticle; 1],
}

/// An article that WeCom keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MpnewsArticle {
    pub(crate) title: String,
    /// Its cover; empty before the upload.
    pub(crate) thumb_media_id: String,
    /// In HTML.
    pub(crate) content: String,
    /// What is shown below the title before the article is opened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) digest: String,
}

/// A message in WeCom's own JSON, without its recipients and options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawContent {
    pub(crate) msgtype: String,
    /// The object of the `msgtype`, and any field that wxpush does not know.
    pub(crate) fields: Map<String, Value>,
}

impl RawContent {
    pub(super) fn string(&self, path: &str) -> Option<&str> {
        self.fields.get(&self.msgtype)?.pointer(path)?.as_str()
    }

    pub(super) fn object_mut(&mut self) -> Option<&mut Map<String, Value>> {
        self.fields.get_mut(&self.msgtype)?.as_object_mut()
    }
}
