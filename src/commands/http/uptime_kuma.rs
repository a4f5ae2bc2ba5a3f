//! The webhook of Uptime Kuma: JSON, JSON in a form, or a GET. Source: its
//! server/notification-providers/webhook.js.

use reqwest::Url;
use serde_json::{Map, Value};

use super::json::{object, shown};
use super::note::Note;
use super::request::HttpRequest;
use super::service::Service;
use super::words;
use crate::lang::Lang;

pub(super) struct UptimeKuma;

impl Service for UptimeKuma {
    fn name(&self) -> &'static str {
        "uptime-kuma"
    }

    fn takes(&self, request: &HttpRequest) -> bool {
        request.segments() == [self.name()] && request.is(&["GET", "POST", "PUT"])
    }

    fn note(&self, request: &HttpRequest, lang: Lang) -> Result<Note, String> {
        let hook = hook(request);
        let msg = shown(&hook["msg"]);
        // A monitor has passwords in it: only what is named here is shown.
        let (monitor, beat) = (&hook["monitor"], &hook["heartbeat"]);
        let Some(name) = monitor["name"].as_str() else {
            // A test, a certificate that expires, or a body of the user's.
            return Ok(Note {
                text: msg.ok_or_else(|| words::lacks("msg"))?,
                ..Note::default()
            });
        };
        let title = match beat["status"].as_u64() {
            Some(0) => words::down(lang, name),
            Some(1) => words::up(lang, name),
            Some(2) => words::pending(lang, name),
            Some(3) => words::maintenance(lang, name),
            _ => name.to_owned(),
        };
        let why = beat["msg"].as_str().filter(|it| !it.is_empty());
        let why = why.or(msg.as_deref());
        let time = ["localDateTime", "time"];
        let time = time.iter().find_map(|name| beat[*name].as_str());
        let url = monitor["url"].as_str();
        let url = url.filter(|url| url.len() > "https://".len());
        let place = url.and_then(without_login);
        let place = place.or_else(|| monitor["hostname"].as_str().map(str::to_owned));
        let lines = [why, time, place.as_deref()].into_iter().flatten();
        Ok(Note {
            title: Some(title),
            text: lines.collect::<Vec<_>>().join("\n"),
            ..Note::default()
        })
    }
}

/// Returns a URL without a user and a password; `None` if they cannot be told apart from the rest.
fn without_login(url: &str) -> Option<String> {
    let Ok(mut parsed) = Url::parse(url) else {
        return (!url.contains('@')).then(|| url.to_owned());
    };
    if parsed.username().is_empty() && parsed.password().is_none() {
        return Some(url.to_owned());
    }
    parsed.set_username("").ok()?;
    parsed.set_password(None).ok()?;
    Some(parsed.into())
}

/// Returns the object of a webhook, whichever way it comes.
fn hook(request: &HttpRequest) -> Value {
    if let Some(hook) = request.json() {
        return hook;
    }
    let form = request.form();
    let parsed = |name: &str| object(form.get(&[name])?.as_bytes());
    if let Some(hook) = parsed("data") {
        return hook;
    }
    let mut hook = Map::new();
    for name in ["heartbeat", "monitor"] {
        hook.insert(name.to_owned(), parsed(name).unwrap_or_default());
    }
    hook.insert("msg".to_owned(), form.get(&["msg"]).into());
    hook.into()
}
