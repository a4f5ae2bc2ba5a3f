//! ntfy: `/TOPIC` with a text or a file, or JSON to `/`. Source: docs.ntfy.sh/publish.

use serde_json::{Value, json};

use super::json::shown;
use super::note::{Note, as_text};
use super::request::HttpRequest;
use super::service::{Service, ServiceReply};
use super::words;
use crate::clock::Stamp;
use crate::lang::Lang;

/// The text of an empty message, as ntfy has it.
const EMPTY: &str = "triggered";

pub(super) struct Ntfy;

impl Service for Ntfy {
    fn name(&self) -> &'static str {
        "ntfy"
    }

    fn takes(&self, request: &HttpRequest) -> bool {
        match request.segments()[..] {
            [] | [_] => request.is(&["POST", "PUT"]),
            // Where only an address can be given.
            [_, "publish" | "send" | "trigger"] => request.is(&["GET"]),
            _ => false,
        }
    }

    /// A topic that nobody guesses is a key, as in ntfy itself.
    fn key(&self, request: &HttpRequest) -> Option<String> {
        credentials(request).or_else(|| topic(request))
    }

    fn is_large(&self, request: &HttpRequest) -> bool {
        !is_json(request) && parameter(request, "filename").is_some()
    }

    fn note(&self, request: &HttpRequest, lang: Lang) -> Result<Note, String> {
        if parameter(request, "delay").is_some() {
            return Err(words::no_delay());
        }
        // In the head and in an address a line has no end: it is written as `\n` there.
        let mut text = in_json(request, "message")
            .or_else(|| Some(parameter(request, "message")?.replace("\\n", "\n")))
            .unwrap_or_default();
        let mut files = Vec::new();
        if json(request).is_none() && !request.body.is_empty() {
            let body = &request.body;
            let name = parameter(request, "filename").or_else(|| {
                let Some(body) = as_text(body) else {
                    return Some("attachment".to_owned());
                };
                if !text.is_empty() {
                    return Some("attachment.txt".to_owned());
                }
                text = body.into_owned();
                None
            });
            files.extend(name.map(|name| (name, body.clone())));
        }
        if text.trim().is_empty() && files.is_empty() {
            EMPTY.clone_into(&mut text);
        }
        let tags = parameter(request, "tags").map(|tags| words::tags(lang, tags));
        let links = ["click", "attach"];
        let links = links.into_iter().filter_map(|it| parameter(request, it));
        Ok(Note {
            title: parameter(request, "title"),
            text,
            lines: tags.into_iter().chain(links).collect(),
            is_markdown: is_markdown(request),
            is_urgent: parameter(request, "priority")
                .is_some_and(|it| ["5", "max", "urgent"].contains(&&*it.to_lowercase())),
            files,
        })
    }

    fn refusal(&self, request: &HttpRequest) -> u16 {
        credentials(request).map_or(403, |_| 401)
    }

    fn answer(&self, reply: &ServiceReply) -> Value {
        let status = reply.status;
        if !reply.is_fine() {
            let code = match status {
                400 => 40000,
                status => u32::from(status) * 100 + 1,
            };
            return json!({"code": code, "http": status, "error": reply.words});
        }
        json!({
            "id": reply.receipt,
            "time": Stamp::now().wall / 1000,
            "event": "message",
            "topic": "",
            "message": "",
        })
    }
}

/// Whether a request is published as JSON.
fn is_json(request: &HttpRequest) -> bool {
    request.segments().is_empty()
}

/// Returns the JSON of a request; `None` if its body is the message.
fn json(request: &HttpRequest) -> Option<Value> {
    is_json(request).then(|| request.json())?
}

fn topic(request: &HttpRequest) -> Option<String> {
    match request.segments().first() {
        Some(topic) => Some((*topic).to_owned()),
        None => request.json_key("topic"),
    }
}

fn credentials(request: &HttpRequest) -> Option<String> {
    let encoded = || request.encoded_authorization();
    request.authorization().or_else(encoded)
}

fn is_markdown(request: &HttpRequest) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    let named = parameter(request, "markdown").unwrap_or_default();
    kind.starts_with("text/markdown") || ["1", "yes", "true"].contains(&&*named.to_lowercase())
}

/// Returns a parameter: a field of the JSON, of the head, or of the query, by any of its names.
fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    if let Some(text) = in_json(request, name) {
        return Some(text);
    }
    let names: &[&str] = match name {
        "message" => &["x-message", "message", "m"],
        "title" => &["x-title", "title", "t"],
        "priority" => &["x-priority", "priority", "prio", "p"],
        "tags" => &["x-tags", "tags", "tag", "ta"],
        "click" => &["x-click", "click"],
        "attach" => &["x-attach", "attach", "a"],
        "filename" => &["x-filename", "filename", "file", "f"],
        "markdown" => &["x-markdown", "markdown", "md"],
        "delay" => &["x-delay", "delay", "x-at", "at", "x-in", "in"],
        _ => return None,
    };
    let in_head = names.iter().find_map(|name| request.header(name));
    in_head.or_else(|| names.iter().find_map(|name| request.query(name)))
}

/// Returns a parameter that is a field of the JSON; a list as ntfy has it in the head.
fn in_json(request: &HttpRequest, name: &str) -> Option<String> {
    match &json(request)?[name] {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(shown).collect();
            Some(items.join(",")).filter(|text| !text.is_empty())
        }
        value => shown(value),
    }
}
