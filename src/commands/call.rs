//! API calls that send no message: shared by `api`, `upload`, `recall` and `token`.

use std::time::{Duration, Instant};

use super::submit::guard;
use super::{begin, recipients};
use crate::compose::{self, Warning};
use crate::config::{Config, NoPlace, Settings, State};
use crate::delivery::{Delivery, NotDelivered, Patience, Sender};
use crate::error::{Exit, Failure};
use crate::message::Attachment;
use crate::output::{self, Output};
use crate::rate_limit::Share;
use crate::text::api as text;
use crate::text::compose::warning;
use crate::text::delivery;

/// A sender that makes calls, each with its own timeout.
pub(super) struct Caller {
    sender: Sender,
    state: Option<State>,
    output: Output,
}

impl Caller {
    /// Prepares the calls of a command, which the log names.
    ///
    /// # Errors
    /// `Exit::Config` if the agentid is missing or a network setting is unusable.
    pub(super) fn new(settings: Settings, command: &str, output: Output) -> anyhow::Result<Self> {
        let settings = recipients::complete(settings)?;
        let state = or_uncached(begin(&settings.base, output));
        tracing::info!(command, "start");
        let sender = Sender::new(settings, state.as_ref())?;
        Ok(Self {
            sender,
            state,
            output,
        })
    }

    /// Hides the secrets in a file to upload, with a warning if there are any.
    pub(super) fn hide_in(&self, file: &mut Attachment, config: &Config) {
        let guard = guard(config, &self.sender.settings, self.state.as_ref());
        if compose::hide_in_upload(file, &guard) {
            tracing::warn!("{}", warning(&Warning::SecretHidden));
        }
    }

    /// Makes a call; errors name the operation.
    ///
    /// # Errors
    /// The reason why WeCom did not confirm the operation.
    pub(super) fn call<T>(
        &self,
        time: Duration,
        operation: &str,
        call: impl FnOnce(&Delivery<'_>) -> Result<T, NotDelivered>,
    ) -> Result<T, Failure> {
        let delivery = Delivery {
            sender: &self.sender,
            deadline: Instant::now() + time,
            share: Share::New,
            patience: Patience::Slots,
            resends: false,
            watching: output::watching(self.output),
        };
        call(&delivery).map_err(|undelivered| not_done(undelivered, operation))
    }
}

/// Warns if there is no directory for the token cache; a call works without it.
pub(super) fn or_uncached(state: Result<State, NoPlace>) -> Option<State> {
    state
        .inspect_err(|place| tracing::warn!("{}", text::no_token_cache(place)))
        .ok()
}

/// Returns the failure of an operation, with a note if WeCom may have performed it anyway.
fn not_done(undelivered: NotDelivered, operation: &str) -> Failure {
    let (NotDelivered::Deferred(reason) | NotDelivered::Rejected(reason)) = undelivered;
    let failure = delivery::reason(&reason);
    if reason.outcome_unknown {
        let what = text::outcome_unknown(operation, &failure);
        Failure::new(failure.exit, what).hint(text::check_before_repeating())
    } else if failure.exit == Exit::NotNow {
        let what = text::not_done(operation, &failure);
        Failure { what, ..failure }
    } else {
        failure
    }
}
