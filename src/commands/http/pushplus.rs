//! PushPlus (推送加): `/send` with `token`, or `/send/TOKEN`. Source: pushplus.plus/doc.

use serde_json::{Value, json};

use super::note::Note;
use super::request::HttpRequest;
use super::service::{Service, ServiceReply};
use super::words;
use crate::lang::Lang;
use crate::message::html;

pub(super) struct Pushplus;

impl Service for Pushplus {
    fn name(&self) -> &'static str {
        "pushplus"
    }

    fn takes(&self, request: &HttpRequest) -> bool {
        matches!(request.segments()[..], ["send"] | ["send", _])
            && request.is(&["GET", "POST", "PUT"])
    }

    fn key(&self, request: &HttpRequest) -> Option<String> {
        match request.segments()[..] {
            [_, token] => Some(token.to_owned()),
            _ => request.key_named("token"),
        }
    }

    fn note(&self, request: &HttpRequest, _lang: Lang) -> Result<Note, String> {
        let form = request.form();
        let text = form.get(&["content"]);
        let text = text.ok_or_else(|| words::lacks("content"))?;
        let template = form.get(&["template"]);
        let template = template.as_deref().unwrap_or("html");
        let is_html = template == "html" && html::has_tags(&text);
        Ok(Note {
            title: form.get(&["title"]),
            text: if is_html { html::text(&text) } else { text },
            is_markdown: template == "markdown",
            ..Note::default()
        })
    }

    fn answer(&self, reply: &ServiceReply) -> Value {
        let code = match reply.status {
            200 => {
                return json!({"code": 200, "msg": words::pushplus_done(), "data": reply.receipt});
            }
            401 => 903,
            400..=499 => 999,
            _ => 500,
        };
        json!({"code": code, "msg": reply.words, "data": null})
    }
}
