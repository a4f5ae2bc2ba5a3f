//! Makes a draft of a message: reads its files, and adds its texts.

use std::ffi::OsStr;

use serde_json::{Map, Value};

use super::{Intent, IntentKind, media_id};
use crate::commands::option_text::option_text;
use crate::commands::source::{self, Source};
use crate::compose::{Body, Draft, Media};
use crate::error::{Exit, Failure};
use crate::message::content::{Article, News, Textcard, Video};
use crate::message::input::{Input, one_line};
use crate::message::{Channel, Content, MediaKind, TextKind};
use crate::text::send as words;

/// An example of a message in WeCom's own JSON.
const RAW_EXAMPLE: &str = r#"{"msgtype":"text","text":{"content":"…"}}"#;

impl Intent {
    /// Returns the draft of the message with this text, to be kept in the outbox if `keep`; `None`
    /// if it is empty and may be.
    ///
    /// # Errors
    /// If a file is unreadable, or anything is empty, or larger than WeCom accepts.
    pub(in crate::commands) fn draft(
        mut self,
        input: Input,
        keep: bool,
    ) -> Result<Option<Draft>, Failure> {
        let title = self.title.as_deref();
        let title = title.map(|title| one_line(&option_text("--title", title, self.encoding)));
        let reading = Reading {
            title: title.filter(|title| !title.trim().is_empty()),
            input,
            mentions: std::mem::take(&mut self.mentions),
            intent: &self,
        };
        let Some(body) = reading.body()? else {
            return Ok(None);
        };
        Ok(Some(Draft {
            channel: self.channel,
            body,
            safe: self.safe,
            id_trans: self.id_trans,
            dedupe: self.dedupe.map(|time| time.as_secs()),
            long: self.long,
            keep,
        }))
    }
}

struct Reading<'a> {
    intent: &'a Intent,
    /// The title, on one line and not blank.
    title: Option<String>,
    input: Input,
    mentions: [Vec<String>; 2],
}

impl Reading<'_> {
    fn body(self) -> Result<Option<Body>, Failure> {
        match &self.intent.kind {
            IntentKind::Text(kind) => {
                if self.input.is_blank() && self.may_be_empty(self.title.is_some())? {
                    return Ok(None);
                }
                Ok(Some(self.text(*kind, Vec::new())))
            }
            IntentKind::Media(kind, paths) => {
                let mut files = Vec::new();
                for path in paths {
                    files.extend(self.file(*kind, path)?);
                }
                Ok(self.media(files))
            }
            IntentKind::Textcard => self.textcard(),
            IntentKind::News => self.news(),
            IntentKind::RawFile(path) => raw(raw_of(path)?),
            IntentKind::Raw(message) => raw(message.clone()),
        }
    }

    /// Whether an empty body is a success; always with a title.
    fn may_be_empty(&self, has_title: bool) -> Result<bool, Failure> {
        if !self.intent.skip_empty && !has_title {
            return Err(words::empty());
        }
        Ok(self.intent.skip_empty)
    }

    fn text(self, kind: TextKind, files: Vec<Media>) -> Body {
        let is_blank = self.input.is_blank();
        Body::Text {
            kind,
            title: self.title,
            text: if is_blank {
                String::new()
            } else {
                self.input.text
            },
            byline: None,
            from_outside: false,
            incomplete: self.input.cut,
            mentions: self.mentions,
            files,
            name: "message",
        }
    }

    /// Returns the body of files, and the text before or below them.
    fn media(self, mut files: Vec<Media>) -> Option<Body> {
        if files.is_empty() {
            return None;
        }
        let video = |media: &mut Media| matches!(media.content, Content::Video(_));
        let Some(media) = files.pop_if(video) else {
            return Some(self.text(TextKind::Text, files));
        };
        let content = match media.content {
            Content::Video(video) => Content::Video(Video {
                title: self.title,
                description: self.input.text,
                ..video
            }),
            other => other,
        };
        Some(Body::Ready(Media { content, ..media }))
    }

    /// Reads a file; `None` if it is empty and may be.
    fn file(&self, kind: MediaKind, path: &OsStr) -> Result<Option<Media>, Failure> {
        if let Some(id) = media_id(path)? {
            return Ok(Some(Content::media(kind, id.to_owned()).into()));
        }
        let name = self.intent.file_name.as_deref();
        let name = name.map(|name| option_text("--name", name, self.intent.encoding));
        if kind == MediaKind::File && !source::has_name(path) && name.is_none() {
            return Err(words::file_without_name());
        }
        let source = source::open(path, name.as_deref())?;
        if source.is_empty() && self.intent.skip_empty {
            return Ok(None);
        }
        media(source, kind, self.intent.channel).map(Some)
    }

    fn textcard(self) -> Result<Option<Body>, Failure> {
        if self.input.is_blank() {
            let may_be_empty = self.intent.skip_empty;
            let nothing = || words::card_without_text();
            return may_be_empty.then_some(None).ok_or_else(nothing);
        }
        let button = self.intent.button.as_deref();
        let card = Content::Textcard(Textcard {
            title: self.title.unwrap_or_default(),
            description: self.input.text,
            url: self.intent.url.clone().unwrap_or_default(),
            btntxt: button.map(|it| option_text("--button", it, self.intent.encoding)),
        });
        Ok(Some(Body::Ready(card.into())))
    }

    fn news(self) -> Result<Option<Body>, Failure> {
        if self.input.is_blank() && self.may_be_empty(true)? {
            return Ok(None);
        }
        let article = Article {
            title: self.title.unwrap_or_default(),
            description: self.input.text,
            url: self.intent.url.clone().unwrap_or_default(),
            picurl: self.intent.picture.clone(),
        };
        let news = Content::News(News {
            articles: [article],
        });
        Ok(Some(Body::Ready(news.into())))
    }
}

/// Returns a file in the channel's form: a robot's pictures are inline.
fn media(source: Source, kind: MediaKind, channel: Channel) -> Result<Media, Failure> {
    let robot = channel == Channel::Robot;
    let attachment = source.attachment(kind, robot)?;
    if robot && kind == MediaKind::Image {
        let picture = attachment
            .bytes
            .read()
            .map_err(|error| source::unreadable(Exit::Io, &attachment.name, &error))?;
        return Ok(Content::inline(&picture).into());
    }
    Ok(Media {
        content: Content::media(kind, String::new()),
        attachment: Some(attachment),
    })
}

/// Reads a message in WeCom's own JSON.
///
/// # Errors
/// `Exit::NoInput` if the file is missing, `Exit::Data` if it is not a message.
fn raw_of(path: &OsStr) -> Result<Map<String, Value>, Failure> {
    let bytes = source::open(path, None)?.into_bytes();
    let bytes = bytes.read().map_err(words::message_unreadable)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let message = serde_json::from_slice(bytes);
    let message = message.map_err(|error| words::raw_no_json(error, RAW_EXAMPLE))?;
    let Value::Object(message) = message else {
        return Err(words::raw_no_object(RAW_EXAMPLE));
    };
    Ok(message)
}

fn raw(message: Map<String, Value>) -> Result<Option<Body>, Failure> {
    if !message.get("msgtype").is_some_and(Value::is_string) {
        return Err(words::raw_no_msgtype(RAW_EXAMPLE));
    }
    Ok(Some(Body::Raw(message)))
}
