//! apprise's own JSON (`json://`): `/apprise`. Source: its `custom_json.py`.

use base64::Engine;
use serde::Deserialize;

use super::note::Note;
use super::request::{BASE64, HttpRequest};
use super::service::Service;
use super::words;
use crate::lang::Lang;
use crate::message::media::FILES_MAX;
use crate::text::sendmail::attachments_left_out;

pub(super) struct Apprise;

/// The JSON: typed, since it may be large.
#[derive(Deserialize)]
struct AppriseMessage {
    title: Option<String>,
    message: Option<String>,
    attachments: Option<Vec<AppriseFile>>,
}

#[derive(Deserialize)]
struct AppriseFile {
    filename: Option<String>,
    base64: Option<String>,
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
        let json: AppriseMessage = request.json().ok_or_else(words::no_json)?;
        let mut files = json.attachments.unwrap_or_default();
        let mut text = json.message.unwrap_or_default();
        if let Some(more) = files.len().checked_sub(FILES_MAX).filter(|more| *more > 0) {
            files.truncate(FILES_MAX);
            text = format!("{text}\n{}", attachments_left_out(lang, more));
        }
        Ok(Note {
            title: json.title,
            text,
            files: files.into_iter().map(attached).collect::<Result<_, _>>()?,
            ..Note::default()
        })
    }
}

/// Returns the name and the content of a file.
fn attached(file: AppriseFile) -> Result<(String, Vec<u8>), String> {
    let name = file.filename.unwrap_or_else(|| "attachment".to_owned());
    let mut text = file.base64.ok_or_else(|| words::lacks("base64"))?;
    // Some writers break its lines.
    text.retain(|c| !c.is_ascii_whitespace());
    let bytes = BASE64.decode(text).map_err(|_| words::no_base64())?;
    Ok((name, bytes))
}
