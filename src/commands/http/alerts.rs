//! The webhooks of Alertmanager and Grafana, which have the same form: a list of alerts.
//!
//! Sources: Prometheus' page "Alerting / Configuration", `webhook_config`, and Grafana's "Configure
//! the webhook notifier".

use chrono::{DateTime, Local};
use serde_json::Value;

use super::json::shown;
use super::note::Note;
use super::request::HttpRequest;
use super::service::Service;
use super::words;
use crate::lang::Lang;

/// The most alerts that are shown of one webhook.
const SHOWN: usize = 20;

/// The first alerts, and how many there are.
#[derive(Default)]
struct AlertList {
    first: Vec<Value>,
    all: usize,
    resolved: usize,
}

impl AlertList {
    fn add(&mut self, alert: Value) {
        self.all += 1;
        self.resolved += usize::from(is_resolved(&alert));
        if self.first.len() < SHOWN {
            self.first.push(alert);
        }
    }
}

/// A webhook at the path of its name.
pub(super) struct Alerts(pub(super) &'static str);

impl Service for Alerts {
    fn name(&self) -> &'static str {
        self.0
    }

    fn takes(&self, request: &HttpRequest) -> bool {
        request.segments() == [self.0] && request.is(&["POST", "PUT"])
    }

    /// Hundreds of alerts come at once after an outage.
    fn is_large(&self, _request: &HttpRequest) -> bool {
        true
    }

    fn note(&self, request: &HttpRequest, lang: Lang) -> Result<Note, String> {
        let read = request.json_with_list("alerts", AlertList::add);
        let (hook, alerts) = read.ok_or_else(words::no_json)?;
        if alerts.all == 0 {
            return other(&hook);
        }
        let mut blocks: Vec<String> = alerts
            .first
            .iter()
            .map(|alert| block(alert, alerts.all > 1, lang))
            .collect();
        let truncated = hook["truncatedAlerts"].as_u64().unwrap_or_default();
        let more = (alerts.all.saturating_sub(SHOWN) as u64).saturating_add(truncated);
        if more > 0 {
            blocks.push(words::more_alerts(lang, more));
        }
        if alerts.first.iter().all(|alert| link(alert).is_none()) {
            blocks.extend(text_of(&hook, "externalURL"));
        }
        Ok(Note {
            title: Some(title(&hook, &alerts, lang)),
            text: blocks.join("\n\n"),
            ..Note::default()
        })
    }
}

/// Reads a webhook without alerts: of a template of the user's, or of Grafana's old form.
fn other(hook: &Value) -> Result<Note, String> {
    let notes = &hook["commonAnnotations"];
    let of_all = ["summary", "description", "message"].map(|name| text_of(notes, name));
    let of_all = of_all.into_iter().flatten().collect::<Vec<_>>().join("\n");
    let note = Note {
        title: text_of(hook, "title"),
        text: text_of(hook, "message").unwrap_or(of_all),
        ..Note::default()
    };
    if note.title.is_none() && note.text.is_empty() {
        return Err(words::lacks("alerts"));
    }
    Ok(note)
}

/// Returns what is wrong, and how often, in one line.
fn title(hook: &Value, alerts: &AlertList, lang: Lang) -> String {
    let resolved = alerts.resolved;
    let firing = alerts.all - resolved;
    let of_all = text_of(&hook["commonLabels"], "alertname");
    let name = match of_all.or_else(|| text_of(&hook["groupLabels"], "alertname")) {
        Some(name) => name,
        None => alerts.first.first().and_then(name).unwrap_or_default(),
    };
    match (firing, resolved) {
        (1, 0) => words::firing(lang, name),
        (0, 1) => words::resolved(lang, name),
        (_, 0) => words::many_firing(lang, firing, name),
        (0, _) => words::many_resolved(lang, resolved, name),
        _ => words::firing_and_resolved(lang, firing, resolved, name),
    }
}

/// Returns the lines about an alert, with its name if it is not the only one.
fn block(alert: &Value, is_named: bool, lang: Lang) -> String {
    let mut lines = Vec::new();
    if is_named {
        let name = name(alert).unwrap_or_default();
        lines.push(if is_resolved(alert) {
            words::resolved(lang, name)
        } else {
            words::firing(lang, name)
        });
    }
    if !alert.is_object() {
        lines.extend(shown(alert));
    }
    let notes = &alert["annotations"];
    lines.extend(text_of(notes, "summary"));
    lines.extend(text_of(notes, "description").or_else(|| text_of(notes, "message")));
    let labels = pairs(&alert["labels"], "=");
    lines.extend(Some(labels.join(", ")).filter(|it| !it.is_empty()));
    let values = pairs(&alert["values"], " = ");
    lines.extend(Some(values.join(", ")).filter(|it| !it.is_empty()));
    lines.extend(time(&alert["startsAt"]).map(|at| words::since(lang, at)));
    if is_resolved(alert) {
        lines.extend(time(&alert["endsAt"]).map(|at| words::until(lang, at)));
    }
    lines.extend(text_of(notes, "runbook_url"));
    lines.extend(link(alert));
    lines.join("\n")
}

fn is_resolved(alert: &Value) -> bool {
    alert["status"] == "resolved"
}

fn name(alert: &Value) -> Option<String> {
    text_of(&alert["labels"], "alertname")
}

/// Returns where the alert can be looked at.
fn link(alert: &Value) -> Option<String> {
    let names = ["panelURL", "dashboardURL", "generatorURL"];
    names.iter().find_map(|name| text_of(alert, name))
}

/// Returns the fields of an object but those with names that the title has, or of no interest.
fn pairs(object: &Value, is: &str) -> Vec<String> {
    let fields = object.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| *name != "alertname" && !name.starts_with("__"));
    fields
        .map(|(name, value)| format!("{name}{is}{}", shown(value).unwrap_or_default()))
        .collect()
}

/// Returns a time on this host's clock; `None` for the year 1, which means none.
fn time(value: &Value) -> Option<String> {
    let time = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    let is_set = time.timestamp() > 0;
    is_set.then(|| time.with_timezone(&Local).format("%F %T").to_string())
}

fn text_of(object: &Value, name: &str) -> Option<String> {
    let text = shown(&object[name])?.trim().to_owned();
    Some(text).filter(|text| !text.is_empty())
}
