//! Shared by the sending commands: composes, submits, warns.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::watcher::TerminalWatcher;
use crate::compose::{self, Composed, Draft};
use crate::config::{Config, Settings, State};
use crate::cron;
pub(super) use crate::delivery::TIME;
use crate::delivery::{End, Outcome, Patience, Sender, Submission, Watcher, upload_time};
use crate::error::{Exit, Failure};
use crate::message::Message;
use crate::outbox::ClaimedEntry;
use crate::output::{self, Output};
use crate::secret;
use crate::secret::{Redactor, Secret};
use crate::text;
use crate::token;

/// Returns what hides the secrets in messages: those of the config, and the cached tokens.
pub(super) fn guard(config: &Config, settings: &Settings, state: Option<&State>) -> Redactor {
    let [secrets, passwords] = config.secrets();
    let proxy = settings.network.proxy.as_ref().map(Secret::expose);
    let tokens = state.map(|state| token::cached(state, &settings.network));
    let own = settings.account.secret().clone();
    let mut guard = Redactor::default();
    for secret in secrets.into_iter().chain([own]) {
        guard.add_for_messages(&secret);
    }
    for (token, is_of_receiver) in tokens.unwrap_or_default() {
        guard.add_granted(&token, is_of_receiver);
    }
    let proxy = proxy.map(secret::passwords).unwrap_or_default();
    for password in passwords.into_iter().chain(proxy) {
        guard.add_password(&password);
    }
    guard
}

/// Composes a draft, and warns of differences from the user's intent.
pub(super) fn composed(
    draft: Draft,
    settings: &Settings,
    guard: &Redactor,
) -> Result<Composed, Failure> {
    let composed = compose::compose(draft, settings, guard, text::compose::cut_notes)?;
    for warning in &composed.warnings {
        tracing::warn!("{}", text::compose::warning(warning));
    }
    Ok(composed)
}

/// Returns the timeout of messages without `--timeout`.
pub(super) fn time_for(messages: &[Message]) -> Duration {
    TIME + upload_time(messages.iter().map(Message::bytes_of_file).sum())
}

/// The parameters of a submission.
pub(super) struct Submitting<'a> {
    pub(super) config: &'a Config,
    pub(super) settings: Settings,
    pub(super) state: Result<&'a State, String>,
    pub(super) time: Duration,
    /// Whether a message that cannot be delivered now is kept.
    pub(super) keep: bool,
    /// Whether keeping the message counts as a success.
    pub(super) kept_ok: bool,
    /// Whether quiet hours don't hold the message.
    pub(super) urgent: bool,
    /// The output, if a person may be waiting.
    pub(super) output: Option<Output>,
}

impl Submitting<'_> {
    /// Submits a message through `how`, and warns if it was sent without being spooled.
    pub(super) fn submit(
        self,
        how: impl FnOnce(Submission<'_>) -> Outcome,
    ) -> Result<Outcome, Failure> {
        let config = self.config;
        let watcher = self
            .output
            .and_then(|output| TerminalWatcher::new(output, || cron::flush_command(config)));
        let watcher = watcher.as_ref().map(|watcher| watcher as &dyn Watcher);
        let outcome = how(self.submission(watcher)?);
        if let End::Instead { robot, reason } = &outcome.end {
            let why = text::delivery::reason(reason).what;
            tracing::warn!("{}", text::delivery::sent_instead(robot, why));
        }
        if let Some(why) = &outcome.unkept {
            tracing::warn!("{}", text::delivery::sent_unkept(why));
        }
        Ok(outcome)
    }

    /// Keeps a message that goes out only if we die.
    pub(super) fn reserve(self, messages: Vec<Message>) -> Result<Arc<ClaimedEntry>, Failure> {
        let submission = self.submission(None)?;
        let reserved = submission.reserve(messages);
        reserved.map_err(|why| Failure::new(Exit::State, why.to_string()))
    }

    fn submission<'s>(self, watcher: Option<&'s dyn Watcher>) -> Result<Submission<'s>, Failure>
    where
        Self: 's,
    {
        let sender = Sender::new(self.settings, self.state.as_ref().ok().copied());
        let sender = Rc::new(sender.map_err(Failure::of)?);
        // Left to the end of the process, which is near: it closes all that is open at once.
        std::mem::forget(Rc::clone(&sender));
        Ok(Submission {
            config: self.config,
            state: self.state,
            sender,
            deadline: Instant::now() + self.time,
            patience: Patience::Slots,
            backlog: true,
            keep: self.keep,
            keep_for_setup: self.kept_ok || !output::stderr_is_terminal(),
            urgent: self.urgent,
            watcher,
            wording: text::delivery::WORDING,
        })
    }
}
