//! The content of a message: one variant a kind, in WeCom's own fields. `limits` has their lengths.

mod fields;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Channel, MediaKind, html};
pub(crate) use fields::*;

/// The longest text, in bytes of UTF-8. WeCom cuts a longer one from an app silently, and refuses
/// it from a robot. Source: developer.work.weixin.qq.com/document/path/90236 and 91770.
pub(super) const TEXT_MAX: usize = 2048;

/// The longest markdown from an app, in bytes of UTF-8; the treatment of more is not documented.
/// Source: developer.work.weixin.qq.com/document/path/90236.
pub(super) const MARKDOWN_MAX: usize = 2048;

/// The longest markdown of either subset from a robot, in bytes of UTF-8; more is refused.
/// Source: developer.work.weixin.qq.com/document/path/91770.
pub(super) const ROBOT_MARKDOWN_MAX: usize = 4096;

/// The longest `media_id` that is accepted, in bytes. WeCom documents no length; real ones have
/// fewer than a hundred.
const MEDIA_ID_MAX: usize = 512;

/// Whether a text can be a `media_id`: visible ASCII.
pub(crate) fn is_media_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MEDIA_ID_MAX && text.bytes().all(|it| it.is_ascii_graphic())
}

/// A kind of message that consists of one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// Plain text.
    Text,
    /// WeCom's subset of markdown.
    Markdown,
    /// Its larger subset, only from robots.
    MarkdownV2,
}

impl TextKind {
    /// Returns WeCom's name for the kind, the `msgtype`.
    pub(crate) fn msgtype(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::MarkdownV2 => "markdown_v2",
        }
    }

    /// Returns the maximum bytes of UTF-8 in one message of this kind.
    pub(crate) fn max(self, channel: Channel) -> usize {
        match (self, channel) {
            (Self::Text, _) => TEXT_MAX,
            (_, Channel::Robot) => ROBOT_MARKDOWN_MAX,
            _ => MARKDOWN_MAX,
        }
    }

    /// Joins prefix, title and body in the format of this kind.
    ///
    /// In place, since the body may be as large as WeCom's largest file.
    pub(crate) fn compose(self, prefix: &str, title: Option<&str>, mut body: String) -> String {
        let heading = match self {
            Self::Markdown | Self::MarkdownV2 if title.is_some() => "# ",
            _ => "",
        };
        let gap = if title.is_none() || body.is_empty() {
            ""
        } else {
            "\n"
        };
        let title = title.unwrap_or_default();
        body.insert_str(0, &format!("{heading}{prefix}{title}{gap}"));
        body
    }

    /// Returns the content of a message of this kind.
    pub(crate) fn content(self, content: String) -> Content {
        match self {
            Self::Text => Content::Text(Text {
                content,
                ..Text::default()
            }),
            Self::Markdown => Content::Markdown(Markdown { content }),
            Self::MarkdownV2 => Content::MarkdownV2(Markdown { content }),
        }
    }
}

/// The object under the key that is named like the `msgtype`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    /// Plain text, shown everywhere.
    Text(Text),
    /// Shown in WeCom only; ordinary WeChat shows a stub.
    Markdown(Markdown),
    /// Only from robots; clients below 4.1.36 show it as plain text.
    MarkdownV2(Markdown),
    /// A picture.
    Image(Picture),
    /// A recording.
    Voice(Uploaded),
    /// A video, with the text below it.
    Video(Video),
    /// Any file.
    File(Uploaded),
    /// A card with a button that opens a page.
    Textcard(Textcard),
    /// A picture with a headline that opens a page.
    News(News),
    /// An article that WeCom keeps, opened by a tap.
    Mpnews(Mpnews),
    /// WeCom's own JSON, with fields or of a kind that the variants above do not cover.
    #[serde(skip)]
    Raw(RawContent),
}

impl Content {
    /// Returns the content that shows a file; `media_id` is empty before the upload.
    pub(crate) fn media(kind: MediaKind, media_id: String) -> Self {
        match kind {
            MediaKind::Image => Self::Image(Picture::Uploaded(Uploaded { media_id })),
            MediaKind::Voice => Self::Voice(Uploaded { media_id }),
            MediaKind::File => Self::File(Uploaded { media_id }),
            MediaKind::Video => Self::Video(Video {
                media_id,
                ..Video::default()
            }),
        }
    }

    /// Returns a picture inline in the message, as robots send it.
    pub(crate) fn inline(picture: &[u8]) -> Self {
        use base64::Engine;
        Self::Image(Picture::Inline {
            base64: base64::engine::general_purpose::STANDARD.encode(picture),
            md5: format!("{:x}", md5::compute(picture)),
        })
    }

    /// Returns the bytes of a picture that it holds itself.
    pub(crate) fn inline_picture(&self) -> Option<Vec<u8>> {
        use base64::Engine;
        let Self::Image(Picture::Inline { base64, .. }) = self else {
            return None;
        };
        base64::engine::general_purpose::STANDARD
            .decode(base64)
            .ok()
    }

    /// Parses the content from a message's other fields; typed if a variant covers all of them.
    pub(super) fn read(msgtype: String, mut fields: Map<String, Value>) -> Self {
        if fields.len() == 1
            && let Some(object) = fields.remove(&msgtype)
        {
            let tagged = Map::from_iter([(msgtype.clone(), object)]);
            if let Ok(content) = Self::deserialize(&Value::Object(tagged.clone())) {
                return content;
            }
            fields = tagged;
        }
        Self::Raw(RawContent { msgtype, fields })
    }

    /// Returns WeCom's name for its kind.
    pub(crate) fn msgtype(&self) -> &str {
        match self {
            Self::Text(_) => TextKind::Text.msgtype(),
            Self::Markdown(_) => TextKind::Markdown.msgtype(),
            Self::MarkdownV2(_) => TextKind::MarkdownV2.msgtype(),
            Self::Image(_) => MediaKind::Image.name(),
            Self::Voice(_) => MediaKind::Voice.name(),
            Self::Video(_) => MediaKind::Video.name(),
            Self::File(_) => MediaKind::File.name(),
            Self::Textcard(_) => "textcard",
            Self::News(_) => "news",
            Self::Mpnews(_) => "mpnews",
            Self::Raw(raw) => &raw.msgtype,
        }
    }

    /// Returns the text, if the kind consists of one.
    pub(crate) fn text(&self) -> Option<(TextKind, &str)> {
        match self {
            Self::Text(text) => Some((TextKind::Text, &text.content)),
            Self::Markdown(markdown) => Some((TextKind::Markdown, &markdown.content)),
            Self::MarkdownV2(markdown) => Some((TextKind::MarkdownV2, &markdown.content)),
            Self::Raw(raw) => {
                let kinds = [TextKind::Text, TextKind::Markdown, TextKind::MarkdownV2];
                let kind = kinds.into_iter().find(|it| it.msgtype() == raw.msgtype)?;
                Some((kind, raw.string("/content")?))
            }
            _ => None,
        }
    }

    /// Returns the text for modification, if the kind consists of one.
    pub(super) fn text_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Text(text) => Some(&mut text.content),
            Self::Markdown(markdown) | Self::MarkdownV2(markdown) => Some(&mut markdown.content),
            Self::Raw(raw) => match raw.object_mut()?.get_mut("content")? {
                Value::String(content) => Some(content),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the id of the uploaded file that it shows.
    pub(crate) fn media_id(&self) -> Option<&str> {
        match self {
            Self::Image(Picture::Uploaded(uploaded))
            | Self::Voice(uploaded)
            | Self::File(uploaded) => Some(&uploaded.media_id),
            Self::Video(video) => Some(&video.media_id),
            Self::Mpnews(Mpnews { articles: [it] }) => Some(&it.thumb_media_id),
            Self::Raw(raw) => raw.string("/media_id"),
            _ => None,
        }
    }

    /// Sets the id of the uploaded file that it shows.
    pub(super) fn set_media_id(&mut self, id: &str) {
        match self {
            Self::Image(Picture::Uploaded(uploaded))
            | Self::Voice(uploaded)
            | Self::File(uploaded) => id.clone_into(&mut uploaded.media_id),
            Self::Video(video) => id.clone_into(&mut video.media_id),
            Self::Mpnews(Mpnews { articles: [it] }) => id.clone_into(&mut it.thumb_media_id),
            Self::Raw(raw) => {
                if let Some(object) = raw.object_mut() {
                    object.insert("media_id".to_owned(), id.into());
                }
            }
            _ => {}
        }
    }

    /// Returns its readable texts: title and body, if it has them.
    pub(crate) fn words(&self) -> Vec<&str> {
        match self {
            Self::Video(video) => {
                let title = video.title.as_deref().into_iter();
                title.chain([&*video.description]).collect()
            }
            Self::Textcard(card) => vec![&card.title, &card.description],
            Self::News(News { articles: [it] }) => vec![&it.title, &it.description],
            Self::Mpnews(Mpnews { articles: [it] }) => vec![&it.title, &it.digest],
            Self::Raw(raw) => [
                "/content",
                "/title",
                "/articles/0/title",
                "/main_title/title",
            ]
            .into_iter()
            .find_map(|path| raw.string(path))
            .into_iter()
            .collect(),
            _ => self.text().map(|(_, text)| text).into_iter().collect(),
        }
    }

    /// Returns what its readers read.
    pub(crate) fn readable(&self) -> String {
        match self {
            Self::Mpnews(Mpnews { articles: [it] }) => {
                format!("{}\n{}", it.title, html::text(&it.content))
            }
            _ => self.words().join("\n").trim_end().to_owned(),
        }
    }

    /// Returns all texts that a sender chooses, for modification.
    pub(crate) fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Text(text) => vec![&mut text.content],
            Self::Markdown(markdown) | Self::MarkdownV2(markdown) => vec![&mut markdown.content],
            Self::Video(video) => {
                let title = video.title.as_mut().into_iter();
                title.chain([&mut video.description]).collect()
            }
            Self::Textcard(card) => {
                let texts = [&mut card.title, &mut card.description, &mut card.url];
                texts.into_iter().chain(&mut card.btntxt).collect()
            }
            Self::News(News { articles: [it] }) => {
                let texts = [&mut it.title, &mut it.description, &mut it.url];
                texts.into_iter().chain(&mut it.picurl).collect()
            }
            Self::Mpnews(Mpnews { articles: [it] }) => {
                vec![&mut it.title, &mut it.content, &mut it.digest]
            }
            Self::Image(_) | Self::Voice(_) | Self::File(_) | Self::Raw(_) => Vec::new(),
        }
    }

    /// Inserts a prefix before its title, or before its text if it has no title.
    pub(crate) fn prefix(&mut self, prefix: &str) {
        let first = match self {
            Self::Video(video) => match &mut video.title {
                None if video.description.is_empty() => return,
                None => &mut video.description,
                Some(title) => title,
            },
            Self::Textcard(card) => &mut card.title,
            Self::News(News { articles: [it] }) => &mut it.title,
            _ => return,
        };
        first.insert_str(0, prefix);
    }
}

#[cfg(test)]
mod tests;
