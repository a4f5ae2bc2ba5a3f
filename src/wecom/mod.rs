//! A client of WeCom's API: typed calls, and typed errors with their consequences.
//!
//! Knows no config file and no cache, and contains no user-visible text: see `text::network`.

mod answer;
mod body;
pub(crate) mod callback;
mod calls;
mod client;
pub(crate) mod codes;
mod diagnose;
mod directory;
mod error;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod head;
mod http;
mod moving;
mod request;
mod retry_after;
mod tls;
mod waiter;

use crate::config::ApiBase;
use crate::secret::Secret;
pub(crate) use answer::{ApiAnswer, Grant, Sent, Unreached};
pub(crate) use body::{FormField, Leaving};
pub(crate) use calls::{ApiBody, ApiCall, is_token};
pub(crate) use client::{Client, Credential};
pub(crate) use codes::{About, Class, ErrcodeRow};
pub(crate) use diagnose::{
    CertificateFault, NetworkError, NetworkTrouble, Phase, ProxyFault, TlsFault,
};
pub(crate) use directory::{Agent, MemberStatus};
pub(crate) use error::{CaFault, Cause, ClientError, Error, Refusal, Scope, Unreadable};
pub(crate) use http::LANES;
pub(crate) use moving::SPEED;
pub(crate) use waiter::Waiter;

/// Returns the URL of a call for display; `pass` is the name of the credential's parameter.
pub(crate) fn shown_url(base: &ApiBase, name: &str, pass: &str) -> String {
    let mark = if name.contains('?') { '&' } else { '?' };
    format!("{}/cgi-bin/{name}{mark}{pass}=REDACTED", base.shown())
}

/// Returns the URL of a proxy for display, without user and password.
pub(crate) fn shown_proxy(proxy: &Secret) -> Option<String> {
    let url = reqwest::Url::parse(proxy.expose()).ok()?;
    let (scheme, host) = (url.scheme(), url.host_str()?);
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    Some(format!("{scheme}://{host}{port}"))
}
