//! The services whose requests are taken: one file and one row each.

use serde_json::{Value, json};

use super::note::Note;
use super::request::HttpRequest;
use super::{alerts, apprise, gotify, ntfy, pushplus, serverchan, uptime_kuma};
use crate::lang::Lang;

/// The services, the most specific path first: ntfy takes any.
static SERVICES: [&(dyn Service + Sync); 8] = [
    &serverchan::Serverchan,
    &pushplus::Pushplus,
    &gotify::Gotify,
    &alerts::Alerts("alertmanager"),
    &alerts::Alerts("grafana"),
    &uptime_kuma::UptimeKuma,
    &apprise::Apprise,
    &ntfy::Ntfy,
];

/// A service: what its clients ask, and the answers that they expect.
pub(super) trait Service {
    /// Returns its name, for the log.
    fn name(&self) -> &'static str;

    /// Whether a request is for it.
    fn takes(&self, request: &HttpRequest) -> bool;

    /// Returns the key of a request. Called before its body is there, and, if it then has none,
    /// once more.
    fn key(&self, request: &HttpRequest) -> Option<String> {
        request.authorization().or_else(|| request.query("key"))
    }

    /// Whether the body may be as large as a file.
    fn is_large(&self, _request: &HttpRequest) -> bool {
        false
    }

    /// Returns the message of a request, in the phone's language.
    ///
    /// # Errors
    /// What the request lacks, for a person.
    fn note(&self, request: &HttpRequest, lang: Lang) -> Result<Note, String>;

    /// Returns the status for a wrong key.
    fn refusal(&self, _request: &HttpRequest) -> u16 {
        401
    }

    /// Returns the answer in the form that its clients expect. It repeats nothing of the request: what
    /// is hidden in it would tell of the secrets of others.
    fn answer(&self, reply: &ServiceReply) -> Value {
        reply.as_json()
    }
}

/// What there is to answer.
#[derive(Debug)]
pub(super) struct ServiceReply {
    /// 200 if the message is delivered or kept.
    pub(super) status: u16,
    /// What is wrong, for a person.
    pub(super) words: String,
    /// What the message is known by here.
    pub(super) receipt: String,
}

impl ServiceReply {
    /// Returns an answer of this status, and why.
    pub(super) fn new(status: u16, words: String) -> Self {
        Self {
            status,
            words,
            receipt: String::new(),
        }
    }

    /// Whether the message is delivered or kept.
    pub(super) fn is_fine(&self) -> bool {
        self.status == 200
    }

    /// Returns the answer where no form is expected.
    pub(super) fn as_json(&self) -> Value {
        if self.is_fine() {
            json!({"status": "ok", "id": self.receipt})
        } else {
            json!({"status": "error", "error": self.words})
        }
    }
}

/// Returns the service that a request is for.
pub(super) fn of(request: &HttpRequest) -> Option<&'static (dyn Service + Sync)> {
    SERVICES.into_iter().find(|service| service.takes(request))
}
