//! What a request asks to send, whichever service it is meant for.

use super::words;
use crate::compose::{Body, Draft, Media};
use crate::message::input::{Input, one_line};
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
        if title.is_none() && text.trim().is_empty() && self.files.is_empty() {
            return Err(words::empty());
        }
        // Text is shown everywhere, so that only marks make it markdown.
        let has_marks = self.is_markdown && plain(&text) != text;
        let is_alone = title.is_none() && text.is_empty();
        let mut files = Vec::new();
        for (name, bytes) in self.files {
            match file(&name, bytes, channel) {
                Ok(file) => files.push(file),
                Err(why) if is_alone => return Err(why),
                // The message matters more than what is attached to it.
                Err(why) => {
                    text.push('\n');
                    text.push_str(&why);
                }
            }
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

/// Returns a file as a picture if it can be one, else as a file.
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
    fits(kind).map_err(|why: UnfitFile| unfit_file(&name, why))?;
    let bytes = bytes.into();
    Ok(Media {
        content: Content::media(kind, String::new()),
        attachment: Some(Attachment { kind, name, bytes }),
    })
}
