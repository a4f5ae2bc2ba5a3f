//! Errors of calls, and the consequence of each.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::codes::{self, About, Class};
use super::diagnose::{NetworkError, NetworkTrouble, ProxyFault};

/// The shortest pause after a rate limit.
/// Source: errcode 45009 of developer.work.weixin.qq.com/document/path/90313.
const LIMITED_FOR: Duration = Duration::from_mins(1);

/// A failed call and its consequence, decided once. Contains no URL and no secret.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    pub(crate) cause: Cause,
    pub(crate) class: Class,
    pub(crate) scope: Scope,
    /// The shortest wait before the next try, if the server requests one.
    pub(crate) retry_after: Option<Duration>,
    /// The time until one process retries on behalf of all that need the same.
    pub(crate) asked_again_in: Option<Duration>,
}

/// The cause of a failed call.
#[derive(Debug, Clone)]
pub(crate) enum Cause {
    /// No complete answer was received.
    Network(Box<NetworkTrouble>),
    /// An answer with an HTTP status other than 200.
    Status(u16),
    /// An answer with status 200 that is not WeCom's.
    Unreadable(Unreadable),
    /// The data to send could not be read: the file's name, and the system's error, if known.
    File {
        name: Option<String>,
        error: Option<String>,
    },
    /// Another process was fetching the token until our deadline.
    TokenLocked,
    /// WeCom's refusal.
    Errcode(Refusal),
}

/// The reason why an answer with status 200 is not WeCom's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unreadable {
    Empty,
    WebPage,
    NotJson,
    /// JSON that does not have exactly one whole number as its `errcode`.
    NoErrcode,
    /// Longer than this many bytes.
    TooLong(usize),
    NoToken,
    NoMediaId,
    /// A file that contains a secret.
    EchoesSecret,
}

/// The effect of a failure beyond its own request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything that this sender sends: no connection, no token, the IP, the app itself.
    App,
    /// Every request of the same API call.
    Call,
    /// Only this message or its recipients.
    Message,
    /// Unknown: the next message is the probe. If it succeeds, the failure was this message's own.
    Unclear,
}

/// A refusal by WeCom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) errcode: i64,
    /// WeCom's own text, with secrets redacted. Never decides anything: WeCom may change it.
    pub(crate) errmsg: String,
    pub(crate) class: Class,
    /// Its subject, by the table.
    pub(crate) about: About,
    /// The seconds until WeCom is asked again, if this refusal is a cached one.
    pub(crate) again_in: Option<u64>,
}

impl Refusal {
    /// Classifies a refusal of `gettoken`, or of any other call.
    pub(crate) fn new(errcode: i64, errmsg: String, at_gettoken: bool) -> Self {
        let row = codes::row(errcode);
        let class = match &row {
            Some(row) => row.class(at_gettoken),
            None if at_gettoken => Class::Setup,
            None => Class::Unknown,
        };
        let about = match row.map_or(About::Message, |row| row.about()) {
            // gettoken never refuses a message.
            About::Call | About::Receiver | About::Message if at_gettoken => About::App,
            about => about,
        };
        Self {
            errcode,
            errmsg,
            class,
            about,
            again_in: None,
        }
    }

    /// Returns the caller's address as WeCom sees it (`from ip: …`). Only for display, not for
    /// decisions.
    pub(crate) fn address(&self) -> Option<&str> {
        let (_, rest) = self.errmsg.split_once("from ip: ")?;
        let end = rest.find([',', ' ', ';']).unwrap_or(rest.len());
        Some(&rest[..end]).filter(|address| !address.is_empty())
    }

    fn scope(&self) -> Scope {
        match (self.class, self.about) {
            (Class::Token | Class::Limited, _) => Scope::App,
            (Class::Busy | Class::Transient | Class::Unknown, _) => Scope::Unclear,
            (_, About::Call) => Scope::Call,
            (_, About::Corpid | About::Corpsecret | About::Agentid | About::Ip | About::App) => {
                Scope::App
            }
            (_, About::Receiver | About::Message | About::Nothing) => Scope::Message,
        }
    }
}

impl Error {
    /// Returns the error for an incomplete answer.
    pub(crate) fn network(trouble: NetworkTrouble) -> Self {
        if trouble.error == NetworkError::Proxy(ProxyFault::WantsLogin) {
            return Self::status(407, None);
        }
        let scope = if trouble.maybe_sent {
            Scope::Unclear
        } else {
            Scope::App
        };
        Self::new(Cause::Network(Box::new(trouble)), Class::Transient, scope)
    }

    /// Returns the error for an HTTP status other than 200.
    pub(crate) fn status(status: u16, retry_after: Option<Duration>) -> Self {
        let class = match status {
            408 | 429 => Class::Transient,
            400..500 => Class::Setup,
            _ => Class::Transient,
        };
        let scope = match status {
            // A login page or a proxy blocks all requests.
            300..=399 | 401 | 407 => Scope::App,
            // A server that rejects one body as too large still accepts smaller ones.
            413 => Scope::Message,
            _ => Scope::Unclear,
        };
        Self {
            retry_after,
            ..Self::new(Cause::Status(status), class, scope)
        }
    }

    /// Returns the error for an answer with status 200 that is not WeCom's.
    pub(crate) fn unreadable(why: Unreadable) -> Self {
        Self::new(Cause::Unreadable(why), Class::Transient, Scope::Unclear)
    }

    /// Returns the error for data that could not be read.
    pub(crate) fn file(name: Option<String>, error: Option<String>) -> Self {
        let cause = Cause::File { name, error };
        Self::new(cause, Class::Transient, Scope::Message)
    }

    /// Returns the error for a token lock that another process held until our deadline.
    pub(crate) fn token_locked() -> Self {
        Self::new(Cause::TokenLocked, Class::Transient, Scope::App)
    }

    /// Returns the error for WeCom's refusal.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        let (class, scope) = (refusal.class, refusal.scope());
        Self {
            retry_after: (class == Class::Limited).then_some(LIMITED_FOR),
            ..Self::new(Cause::Errcode(refusal), class, scope)
        }
    }

    fn new(cause: Cause, class: Class, scope: Scope) -> Self {
        Self {
            cause,
            class,
            scope,
            retry_after: None,
            asked_again_in: None,
        }
    }

    /// Returns the same error for `gettoken`: without a token nothing can be sent.
    pub(crate) fn of_gettoken(self) -> Self {
        Self {
            scope: Scope::App,
            ..self
        }
    }

    /// Whether WeCom may have processed the request although its answer is lost.
    pub(crate) fn outcome_unknown(&self) -> bool {
        match &self.cause {
            Cause::Network(trouble) => trouble.maybe_sent,
            Cause::Status(status) => *status >= 500 || *status == 408,
            Cause::Unreadable(_) => true,
            Cause::Errcode(_) | Cause::File { .. } | Cause::TokenLocked => false,
        }
    }

    /// Whether WeCom cannot have counted the message: it was never sent, or was refused
    /// permanently.
    pub(crate) fn was_not_counted(&self) -> bool {
        let refused = matches!(self.cause, Cause::Errcode(_)) && !self.class.may_be_counted();
        refused || self.never_left()
    }

    /// Whether the request was never sent.
    pub(crate) fn never_left(&self) -> bool {
        match &self.cause {
            Cause::Network(trouble) => !trouble.maybe_sent,
            Cause::File { .. } | Cause::TokenLocked => true,
            Cause::Status(_) | Cause::Unreadable(_) | Cause::Errcode(_) => false,
        }
    }

    /// Returns WeCom's refusal, if it is one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &self.cause {
            Cause::Errcode(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// The reason why a client cannot be made.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// The CA file cannot be used.
    CaFile(PathBuf, CaFault),
    /// The proxy's URL cannot be used.
    Proxy,
    /// The library rejects the settings.
    Settings(String),
    /// The system has no resources for a connection.
    Runtime(io::Error),
}

/// The reason why a CA file cannot be used.
#[derive(Debug)]
pub(crate) enum CaFault {
    Unread(io::Error),
    NotAFile,
    TooLarge(u64),
    /// A certificate in it is invalid, with the library's text.
    Bad(String),
    Empty,
}

#[cfg(test)]
mod tests;
