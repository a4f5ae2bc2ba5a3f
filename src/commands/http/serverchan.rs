//! Server酱: `/KEY.send`, and `/send/KEY.send` of its third edition.
//!
//! Sources: sct.ftqq.com/sendkey, doc2.ft07.com/serverchan3/server/api.

use serde_json::{Value, json};

use super::note::Note;
use super::request::HttpRequest;
use super::service::{Service, ServiceReply};
use super::words;
use crate::lang::Lang;

pub(super) struct Serverchan;

impl Service for Serverchan {
    fn name(&self) -> &'static str {
        "serverchan"
    }

    fn takes(&self, request: &HttpRequest) -> bool {
        let is_path = match request.segments()[..] {
            [key] | ["send", key] => key.strip_suffix(".send").is_some(),
            _ => false,
        };
        is_path && request.is(&["GET", "POST"])
    }

    fn key(&self, request: &HttpRequest) -> Option<String> {
        let last = request.segments().pop()?.strip_suffix(".send")?;
        Some(last.to_owned())
    }

    fn note(&self, request: &HttpRequest, _lang: Lang) -> Result<Note, String> {
        let form = request.form();
        let title = form.get(&["title", "text"]);
        let text = form.get(&["desp", "short"]);
        if title.is_none() && text.is_none() {
            return Err(words::lacks("title"));
        }
        Ok(Note {
            title,
            text: text.unwrap_or_default(),
            is_markdown: true,
            ..Note::default()
        })
    }

    fn answer(&self, reply: &ServiceReply) -> Value {
        if reply.is_fine() {
            let data = json!({
                "pushid": reply.receipt, "readkey": "", "error": "SUCCESS", "errno": 0,
            });
            return json!({"code": 0, "message": "", "data": data});
        }
        let code = match reply.status {
            401 => 40001,
            status => u32::from(status) * 100,
        };
        let words = &reply.words;
        json!({"code": code, "message": words, "info": words, "args": [null], "scode": 461})
    }
}
