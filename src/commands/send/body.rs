//! Builds the body of a message from words, stdin and files.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;

use serde_json::{Map, Value};

use super::intent::Intent;
use crate::cli::Send;
use crate::commands::option_text::{option_text, warn_of_replaced};
use crate::commands::recipients;
use crate::commands::source::{self, Source};
use crate::compose::{Body, Media};
use crate::error::{Exit, Failure};
use crate::message::content::{Article, News, Textcard, Video};
use crate::message::input::{INPUT_MAX, Input, one_line, unescape};
use crate::message::{Channel, Content, MediaKind, TextKind};
use crate::text::message::the_input;
use crate::text::send as words;

/// An example of a message in WeCom's own JSON.
const RAW_EXAMPLE: &str = r#"{"msgtype":"text","text":{"content":"…"}}"#;

/// Reads everything to be sent; returns `None` if that is empty and may be.
///
/// # Errors
/// If any input is unreadable, empty, or larger than WeCom accepts.
pub(super) fn read(args: &Send, intent: Intent<'_>) -> Result<Option<Body>, Failure> {
    let title = args.title.as_deref();
    let title = title.map(|title| one_line(&option_text("--title", title, args.encoding)));
    let reading = Reading {
        args,
        title: title.filter(|title| !title.trim().is_empty()),
    };
    match intent {
        Intent::Text(kind) => {
            let input = reading.input()?;
            if input.is_blank() && reading.may_be_empty(reading.title.is_some())? {
                return Ok(None);
            }
            Ok(Some(reading.text(kind, input, Vec::new())))
        }
        Intent::Media(kind, paths) => reading.media(intent, kind, paths),
        Intent::Textcard => reading.textcard(),
        Intent::News => reading.news(),
        Intent::Raw(path) => raw(path).map(Body::Raw).map(Some),
    }
}

struct Reading<'a> {
    args: &'a Send,
    /// The title, on one line and not blank.
    title: Option<String>,
}

impl Reading<'_> {
    /// Whether an empty body is a success; always with a title.
    fn may_be_empty(&self, has_title: bool) -> Result<bool, Failure> {
        if !self.args.skip_empty && !has_title {
            return Err(words::empty());
        }
        Ok(self.args.skip_empty)
    }

    fn text(&self, kind: TextKind, input: Input, files: Vec<Media>) -> Body {
        let is_blank = input.is_blank();
        Body::Text {
            kind,
            title: self.title.clone(),
            text: if is_blank { String::new() } else { input.text },
            from_outside: false,
            incomplete: input.cut,
            mentions: [
                self.args.to.mention.clone(),
                self.args.to.mention_mobile.clone(),
            ],
            files,
            name: "message",
        }
    }

    /// Reads files, and the text before or below them.
    fn media(
        &self,
        intent: Intent<'_>,
        kind: MediaKind,
        paths: &[OsString],
    ) -> Result<Option<Body>, Failure> {
        let further = intent.files_in_words(self.args);
        let input = if self.args.message.is_empty() || !further.is_empty() {
            Input::default()
        } else {
            self.input()?
        };
        let mut files = Vec::new();
        for path in paths.iter().chain(further) {
            files.extend(self.file(kind, path)?);
        }
        if files.is_empty() {
            return Ok(None);
        }
        let video = |media: &Media| matches!(media.content, Content::Video(_));
        let Some(media) = files.pop_if(|media| video(media)) else {
            return Ok(Some(self.text(TextKind::Text, input, files)));
        };
        let content = match media.content {
            Content::Video(video) => Content::Video(Video {
                title: self.title.clone(),
                description: input.text,
                ..video
            }),
            other => other,
        };
        Ok(Some(Body::Ready(Media { content, ..media })))
    }

    /// Reads a file; `None` if it is empty and may be.
    fn file(&self, kind: MediaKind, path: &OsStr) -> Result<Option<Media>, Failure> {
        if let Some(id) = Intent::media_id(path)? {
            return Ok(Some(Content::media(kind, id.to_owned()).into()));
        }
        let name = self.args.details.name.as_deref();
        let name = name.map(|name| option_text("--name", name, self.args.encoding));
        if kind == MediaKind::File && !source::has_name(path) && name.is_none() {
            return Err(words::file_without_name());
        }
        let source = source::open(path, name.as_deref())?;
        if source.is_empty() && self.args.skip_empty {
            return Ok(None);
        }
        media(source, kind, recipients::channel(&self.args.to)).map(Some)
    }

    fn textcard(&self) -> Result<Option<Body>, Failure> {
        let input = self.input()?;
        if input.is_blank() {
            let may_be_empty = self.args.skip_empty;
            let nothing = || words::card_without_text();
            return may_be_empty.then_some(None).ok_or_else(nothing);
        }
        let button = self.args.details.button.as_deref();
        let card = Content::Textcard(Textcard {
            title: self.title.clone().unwrap_or_default(),
            description: input.text,
            url: self.args.details.url.clone().unwrap_or_default(),
            btntxt: button.map(|it| option_text("--button", it, self.args.encoding)),
        });
        Ok(Some(Body::Ready(card.into())))
    }

    fn news(&self) -> Result<Option<Body>, Failure> {
        let input = if self.args.message.is_empty() && io::stdin().is_terminal() {
            Input::default()
        } else {
            self.input()?
        };
        if input.is_blank() && self.may_be_empty(true)? {
            return Ok(None);
        }
        let article = Article {
            title: self.title.clone().unwrap_or_default(),
            description: input.text,
            url: self.args.details.url.clone().unwrap_or_default(),
            picurl: self.args.details.picture.clone(),
        };
        let news = Content::News(News {
            articles: [article],
        });
        Ok(Some(Body::Ready(news.into())))
    }

    /// Reads the body: the words, or stdin. With words stdin is never read.
    fn input(&self) -> Result<Input, Failure> {
        let args = self.args;
        let input = if args.message.is_empty() || args.message == ["-"] {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                return Err(words::no_message());
            }
            Input::decoded(stdin.lock(), args.encoding).map_err(words::stdin_unreadable)?
        } else {
            let words = args.message.join(&OsString::from(" "));
            let bytes: Cow<'_, [u8]> = if args.escapes {
                unescape(words.as_bytes()).into()
            } else {
                words.as_bytes().into()
            };
            Input::decoded(&*bytes, args.encoding).expect("words are in memory")
        };
        warn_of_replaced(&the_input(), &input, args.encoding);
        if input.cut {
            tracing::warn!("{}", words::input_cut(INPUT_MAX >> 20));
        }
        Ok(input)
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
fn raw(path: &OsStr) -> Result<Map<String, Value>, Failure> {
    let bytes = source::open(path, None)?.into_bytes();
    let bytes = bytes.read().map_err(words::message_unreadable)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let message = serde_json::from_slice(bytes);
    let message = message.map_err(|error| words::raw_no_json(error, RAW_EXAMPLE))?;
    let Value::Object(message) = message else {
        return Err(words::raw_no_object(RAW_EXAMPLE));
    };
    if !message.get("msgtype").is_some_and(Value::is_string) {
        return Err(words::raw_no_msgtype(RAW_EXAMPLE));
    }
    Ok(message)
}
