//! Checks the route to WeCom: a single request shows at which step it fails.

use std::time::{Duration, Instant};

use super::report::Steps;
use crate::config::Network;
use crate::secret::Secret;
use crate::text;
use crate::wecom::{Cause, Client, Error, NetworkError, Phase, ProxyFault};

/// The steps of a request; the last one represents an answer.
const STEPS: [&str; 4] = ["dns", "tcp", "tls", HTTP];
pub(super) const HTTP: &str = "http";

/// Tests the route without an app, by a request without credentials.
pub(super) fn reach(network: &Network, deadline: Instant, report: &mut Steps) {
    let client = match Client::new(network, &Secret::new("")) {
        Ok(client) => client,
        Err(error) => return report.wrong(HTTP, error.into()),
    };
    let begun = Instant::now();
    let error = client.knock(deadline).err();
    // A relay for robots need not forward this call.
    let error = error.filter(|error| !matches!(error.cause, Cause::Status(400..500)));
    answered(network, error.as_ref(), begun.elapsed(), report);
}

/// Reports how far a request got; returns whether WeCom answered it, even with a refusal.
pub(super) fn answered(
    network: &Network,
    error: Option<&Error>,
    time: Duration,
    report: &mut Steps,
) -> bool {
    let error = error.filter(|error| error.refusal().is_none());
    let (passed, failed) = match error {
        Some(error) => broken_at(error),
        None => (STEPS.len(), STEPS.len()),
    };
    let mut skipped = Vec::new();
    for (at, step) in STEPS.into_iter().enumerate() {
        match error {
            // Also in a handshake with a proxy, where WeCom's address needs none.
            Some(error) if at == failed => report.wrong(step, error.failure()),
            _ if step == "tls" && network.api_base.is_plain() => {
                report.left(&[step], text::check::no_tls());
            }
            None if step == HTTP => report.fine(step, text::check::answers(time.as_millis())),
            _ if at < passed => report.passed(step),
            _ => skipped.push(step),
        }
    }
    if !skipped.is_empty() {
        report.skip(&skipped);
    }
    error.is_none()
}

/// Returns the number of steps that certainly succeeded, and the failed one.
fn broken_at(error: &Error) -> (usize, usize) {
    let Cause::Network(trouble) = &error.cause else {
        return (3, 3);
    };
    match &trouble.error {
        NetworkError::UnknownHost { .. }
        | NetworkError::Lookup { .. }
        | NetworkError::Timeout(Phase::LookingUp) => (0, 0),
        NetworkError::Timeout(Phase::Connecting)
        | NetworkError::NotOurAddress(_)
        | NetworkError::Refused
        | NetworkError::Unreachable(_)
        | NetworkError::OutOfDescriptors(_)
        | NetworkError::Unconnected(_)
        | NetworkError::Proxy(ProxyFault::Unreachable) => (1, 1),
        NetworkError::Tls(_) | NetworkError::Timeout(Phase::Handshaking) => (2, 2),
        NetworkError::Timeout(_) | NetworkError::Proxy(_) | NetworkError::Broken(_) => (3, 3),
    }
}
