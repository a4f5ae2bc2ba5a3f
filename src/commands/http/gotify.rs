//! gotify: `/message` with `?token=`, `X-Gotify-Key` or a bearer. Source: gotify.net/docs/pushmsg and
//! its API.

use chrono::{Local, SecondsFormat};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::json::shown;
use super::note::Note;
use super::request::HttpRequest;
use super::service::{Service, ServiceReply};
use super::words;
use crate::lang::Lang;

/// From which priority on gotify's app makes the most of a message.
const URGENT: i64 = 8;

pub(super) struct Gotify;

impl Service for Gotify {
    fn name(&self) -> &'static str {
        "gotify"
    }

    fn takes(&self, request: &HttpRequest) -> bool {
        request.segments() == ["message"] && request.is(&["POST"])
    }

    fn key(&self, request: &HttpRequest) -> Option<String> {
        let named = request.query("token");
        let named = named.or_else(|| request.header("x-gotify-key"));
        named.or_else(|| request.authorization())
    }

    fn note(&self, request: &HttpRequest, _lang: Lang) -> Result<Note, String> {
        let form = request.form();
        let title = form.get(&["title"]);
        let text = form.get(&["message"]);
        // A title says something, too.
        let text = text.or_else(|| title.as_ref().map(|_| String::new()));
        let text = text.ok_or_else(|| words::lacks("message"))?;
        let json = request.json().unwrap_or_default();
        let extras = &json["extras"];
        let url = shown(&extras["client::notification"]["click"]["url"]);
        let lines = url.into_iter().filter(|url| !text.contains(url));
        Ok(Note {
            title,
            lines: lines.collect(),
            text,
            is_markdown: extras["client::display"]["contentType"] == "text/markdown",
            is_urgent: priority(request) >= URGENT,
            ..Note::default()
        })
    }

    fn answer(&self, reply: &ServiceReply) -> Value {
        if !reply.is_fine() {
            let error = StatusCode::from_u16(reply.status).ok();
            let error = error.and_then(|it| it.canonical_reason());
            return json!({
                "error": error, "errorCode": reply.status, "errorDescription": reply.words,
            });
        }
        let now = Local::now();
        json!({
            "id": now.timestamp_millis(),
            "appid": 1,
            "title": "",
            "message": "",
            "priority": 0,
            "date": now.to_rfc3339_opts(SecondsFormat::Millis, false),
        })
    }
}

fn priority(request: &HttpRequest) -> i64 {
    let named = request.form().get(&["priority"]);
    named.and_then(|it| number(&it)).unwrap_or_default()
}

/// Returns a number without its fraction: some clients write 8.0.
fn number(text: &str) -> Option<i64> {
    let whole = || text.parse::<f64>().ok()?.trunc().to_string().parse().ok();
    text.parse().ok().or_else(whole)
}
