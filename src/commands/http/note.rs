//! What a request asks to send, whichever service it is meant for.

use std::borrow::Cow;

use super::words;
use crate::commands::lenient;
use crate::compose::{Body, Draft, Media};
use crate::message::input::{Input, one_line};
use crate::message::markup::inert_in_markdown;
use crate::message::media::{self, UnfitFile};
use crate::message::plain::plain;
use crate::message::{Attachment, Channel, Content, Long, MediaKind, TextKind};
use crate::text::message::unfit_file;

/// The bytes of a file that determine its format.
const HEAD: usize = 4096;

/// A message from outside.
#[derive(Debug, Default)]
pub(super) struct Note {
    pub(super) title: Option<String>,
    pub(super) text: String,
    /// What is shown below the text, as it is.
    pub(super) lines: Vec<String>,
    /// Whether the text is markdown.
    pub(super) is_markdown: bool,
    /// Whether quiet hours don't hold it.
    pub(super) is_urgent: bool,
    /// Files, with their names.
    pub(super) files: Vec<(String, Vec<u8>)>,
}

impl Note {
    /// Returns the draft of a message on this channel; `keep` as in `Draft`.
    ///
    /// # Errors
    /// Why there is nothing to send, for a person.
    pub(super) fn draft(self, channel: Channel, keep: bool) -> Result<Draft, String> {
        let title = self.title.map(|title| one_line(&title).trim().to_owned());
        let title = title.filter(|title| !title.is_empty());
        let input = Input::from_bytes(self.text.as_bytes());
        let mut text = input.text.trim_matches(['\n', ' ']).to_owned();
        // Text is shown everywhere, so that only marks make it markdown.
        let has_marks = self.is_markdown && plain(&text) != text;
        let (mut lines, mut files) = (self.lines, Vec::new());
        for (name, bytes) in self.files {
            match file(&name, bytes, channel) {
                Ok(file) => files.push(file),
                // The message matters more than what is attached to it.
                Err(instead) => lines.push(instead),
            }
        }
        for line in lines {
            let line = Input::from_bytes(line.as_bytes()).text;
            if !text.is_empty() && !line.is_empty() {
                text.push('\n');
            }
            // Only the text is the service's markdown.
            text += &if has_marks {
                inert_in_markdown(&line)
            } else {
                line.into()
            };
        }
        if title.is_none() && text.trim().is_empty() && files.is_empty() {
            return Err(words::empty());
        }
        Ok(Draft {
            channel,
            body: Body::Text {
                kind: if has_marks {
                    TextKind::Markdown
                } else {
                    TextKind::Text
                },
                title,
                text,
                byline: None,
                from_outside: true,
                incomplete: input.cut,
                mentions: Default::default(),
                files,
                name: "message",
            },
            safe: false,
            id_trans: false,
            dedupe: None,
            long: Long::Auto,
            keep,
        })
    }
}

/// Returns bytes as text; `None` if they are none.
pub(super) fn as_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    // UTF-8 with others, or what programs write to a terminal: bell, backspace, escape.
    let is_written = |it: &u8| *it >= b' ' || b"\t\n\r\x07\x08\x0c\x1b".contains(it);
    let is_text = str::from_utf8(bytes).is_ok() || bytes.iter().all(is_written);
    is_text.then(|| lenient::text(bytes))
}

/// Returns a file as a picture if it can be one, else as a file.
///
/// # Errors
/// What is shown instead, if WeCom would not take it.
fn file(name: &str, bytes: Vec<u8>, channel: Channel) -> Result<Media, String> {
    let name = media::file_name(name);
    let (size, head) = (bytes.len() as u64, &bytes[..bytes.len().min(HEAD)]);
    let is_robot = channel == Channel::Robot;
    let fits = |kind: MediaKind| media::check(kind, is_robot, size, head);
    let kind = match fits(MediaKind::Image) {
        Ok(()) if is_robot => return Ok(Content::inline(&bytes).into()),
        Ok(()) => MediaKind::Image,
        Err(_) => MediaKind::File,
    };
    fits(kind).map_err(|why| {
        let is_small = matches!(why, UnfitFile::TooSmall { .. });
        let text = as_text(&bytes).filter(|_| is_small).unwrap_or_default();
        match Input::from_bytes(text.as_bytes()).text.trim() {
            "" => unfit_file(&name, why),
            text => format!("{name}: {text}"),
        }
    })?;
    let bytes = bytes.into();
    Ok(Media {
        content: Content::media(kind, String::new()),
        attachment: Some(Attachment { kind, name, bytes }),
    })
}
