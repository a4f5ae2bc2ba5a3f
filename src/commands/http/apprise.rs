//! apprise's own JSON (`json://`): `/apprise`. Source: its `custom_json.py`.

use base64::Engine;
use serde_json::Value;

use super::json::shown;
use super::note::Note;
use super::request::{BASE64, HttpRequest};
use super::service::Service;
use super::words;
use crate::lang::Lang;
use crate::message::media::FILES_MAX;
use crate::text::sendmail::attachments_left_out;

pub(super) struct Apprise;

/// The first attachments, and how many there are.
#[derive(Default)]
struct AppriseFiles {
    first: Vec<Value>,
    all: usize,
}

impl AppriseFiles {
    fn add(&mut self, file: Value) {
        self.all += 1;
        if self.first.len() < FILES_MAX {
            self.first.push(file);
        }
    }
}

impl Service for Apprise {
    fn name(&self) -> &'static str {
        "apprise"
    }

    fn takes(&self, request: &HttpRequest) -> bool {
        request.segments() == [self.name()] && request.is(&["POST", "PUT"])
    }

    /// Its files are in the JSON.
    fn is_large(&self, _request: &HttpRequest) -> bool {
        true
    }

    fn note(&self, request: &HttpRequest, lang: Lang) -> Result<Note, String> {
        let read = request.json_with_list("attachments", AppriseFiles::add);
        let (json, attachments) = read.ok_or_else(words::no_json)?;
        let (mut files, mut lines) = (Vec::new(), Vec::new());
        for mut attachment in attachments.first {
            let name = shown(&attachment["filename"]);
            let name = name.unwrap_or_else(|| "attachment".to_owned());
            match content(&mut attachment) {
                Some(bytes) => files.push((name, bytes)),
                None => lines.push(words::no_base64(lang, name)),
            }
        }
        let more = attachments.all.saturating_sub(FILES_MAX);
        if more > 0 {
            lines.push(attachments_left_out(lang, more));
        }
        Ok(Note {
            title: shown(&json["title"]),
            text: shown(&json["message"]).unwrap_or_default(),
            lines,
            files,
            ..Note::default()
        })
    }
}

/// Takes the content of a file, which may be large.
fn content(attachment: &mut Value) -> Option<Vec<u8>> {
    let Value::String(mut base64) = attachment.get_mut("base64")?.take() else {
        return None;
    };
    // Some writers break its lines.
    base64.retain(|c| !c.is_ascii_whitespace());
    BASE64.decode(base64).ok()
}
