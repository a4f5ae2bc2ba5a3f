//! apprise's own JSON (`json://`): `/apprise`. Source: its `custom_json.py`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::note::Note;
use super::request::HttpRequest;
use super::service::Service;
use super::words;
use crate::lang::Lang;

pub(super) struct Apprise;

impl Service for Apprise {
    fn name(&self) -> &'static str {
        "apprise"
    }

    fn takes(&self, request: &HttpRequest) -> bool {
        request.segments() == [self.name()] && request.is(&["POST", "PUT"])
    }

    /// Its files are in the JSON.
    fn takes_file(&self, _request: &HttpRequest) -> bool {
        true
    }

    fn note(&self, request: &HttpRequest, _lang: Lang) -> Result<Note, String> {
        let json = request.json().ok_or_else(words::no_json)?;
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let attachments = json["attachments"].as_array().into_iter().flatten();
        let files = attachments.filter_map(attached);
        Ok(Note {
            title: Some(text("title")),
            text: text("message"),
            files: files.collect(),
            ..Note::default()
        })
    }
}

fn attached(attachment: &Value) -> Option<(String, Vec<u8>)> {
    let name = attachment["filename"].as_str()?;
    let bytes = STANDARD.decode(attachment["base64"].as_str()?).ok()?;
    Some((name.to_owned(), bytes))
}
