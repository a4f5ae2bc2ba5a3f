//! Predicts when the entries of the outboxes will be sent.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::Outboxes;
use crate::clock::Stamp;
use crate::config::State;
use crate::delivery::{Senders, audience};
use crate::error::Failure;
use crate::message::Channel;
use crate::outbox::{Attempts, Entry, SenderName};
use crate::rate_limit::{Forecast, Share};

/// When an entry will be sent.
pub(super) struct DueTime {
    pub(super) at: SystemTime,
    /// Whether quiet hours hold it.
    pub(super) is_quiet: bool,
}

/// A predictor of send times, to be queried in the order of the outbox.
pub(super) struct DueTimes<'a> {
    senders: Vec<(&'a State, Senders<'a>)>,
    forecasts: BTreeMap<(SenderName, Channel), Option<Forecast>>,
}

impl<'a> DueTimes<'a> {
    pub(super) fn new(outboxes: &'a Outboxes<'a>) -> Self {
        let of = |state| (state, Senders::of(outboxes.config, state));
        Self {
            senders: outboxes.places.iter().map(of).collect(),
            forecasts: BTreeMap::new(),
        }
    }

    /// Returns when an entry is due; `None` if the current config does not have its sender.
    ///
    /// # Errors
    /// If its profile is unusable.
    pub(super) fn of(
        &mut self,
        state: &State,
        entry: &Entry,
        attempts: &Attempts,
    ) -> Result<Option<DueTime>, Failure> {
        let senders = self.senders.iter().find(|(place, _)| place.is(state));
        let Some(sender) = senders.and_then(|(_, senders)| senders.get(&entry.sender)) else {
            return Ok(None);
        };
        let sender = sender?;
        let channel = entry.messages[0].channel;
        let forecast = self
            .forecasts
            .entry((entry.sender.clone(), channel))
            .or_insert_with(|| sender.forecast(channel));
        let quiet = sender.holds_until(entry, attempts).map(SystemTime::from);
        let held = attempts.hold.and_then(|hold| hold.left(&Stamp::now()));
        let mut due = SystemTime::now() + held.unwrap_or_default();
        due = due.max(quiet.unwrap_or(due));
        if let Some(forecast) = forecast {
            for message in entry.messages.iter().skip(attempts.sent) {
                due = forecast.next(&audience(message), Share::Backlog, due);
            }
        }
        let is_quiet = quiet.is_some();
        Ok(Some(DueTime { at: due, is_quiet }))
    }
}
