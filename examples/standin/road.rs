//! The three roads that lead to a phone, and which kinds of message each of them takes.

use super::fields::{Fields, string};
use super::refusal::Refusal;

/// By which call a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// `message/send`
    App,
    /// `appchat/send`
    Chat,
    /// `webhook/send`
    Robot,
}

impl Road {
    fn msgtypes(self) -> &'static [&'static str] {
        match self {
            Self::App => &[
                "text",
                "image",
                "voice",
                "video",
                "file",
                "textcard",
                "news",
                "mpnews",
                "markdown",
                "miniprogram_notice",
                "template_card",
            ],
            Self::Chat => &[
                "text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown",
            ],
            Self::Robot => &[
                "text",
                "markdown",
                "markdown_v2",
                "image",
                "news",
                "file",
                "voice",
                "template_card",
            ],
        }
    }

    /// The kind of a message, if it is one of this road's.
    pub fn msgtype(self, fields: &Fields) -> Result<&'static str, Refusal> {
        let named = string(fields, "msgtype")?;
        let known = self.msgtypes().iter().find(|msgtype| **msgtype == named);
        known.copied().ok_or_else(|| Refusal::of(40008))
    }
}
