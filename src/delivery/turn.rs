//! The turn of one app in a flush: which errors hold up which messages.
//!
//! An error of the app ends the turn. An error of one call stops only that call. If the scope is
//! unclear, the next message is the probe: if it is accepted, the error was the message's own.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fallback::AppTrouble;
use super::reason::Reason;
use crate::outbox::ClaimedEntry;

/// Refused requests in a row that end a turn. Source: the contract with users.
const REFUSED_MAX: u32 = 3;

/// The findings of a flush about one app.
#[derive(Default)]
pub(super) struct Turn {
    stop: Option<Stop>,
    /// Calls that are no longer made.
    calls: HashSet<String>,
    refused_in_a_row: u32,
    /// Whether a message of this app was accepted.
    works: bool,
    /// Messages refused for a reason that may be the app's or their own.
    suspects: Vec<Suspect>,
    /// The trouble of its set-up, if that is what stopped it.
    setup: Option<AppTrouble>,
    /// The time of the last slot of the app, once that was looked up.
    last_slot: OnceCell<Option<Instant>>,
}

/// The reason why a turn sends nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// It is too early for another try; the next pass checks again.
    Early,
    /// Too many requests in a row were refused.
    InARow,
    /// An error of the whole app; `answered` if it came from WeCom itself.
    App { answered: bool },
}

/// A refused message, and why.
pub(super) struct Suspect {
    pub(super) held: Arc<ClaimedEntry>,
    pub(super) reason: Reason,
}

impl Turn {
    /// Returns the turn of an app that has just delivered a message.
    pub(super) fn working() -> Self {
        Self {
            works: true,
            ..Self::default()
        }
    }

    /// Takes over what another turn of the app has found.
    pub(super) fn follow(&mut self, other: &Self) {
        self.works |= other.works;
        self.calls.extend(other.calls.iter().cloned());
        if other.is_stopped() {
            (self.stop, self.setup) = (other.stop, other.setup);
        }
    }

    /// Whether a message of it was accepted.
    pub(super) fn works(&self) -> bool {
        self.works
    }

    /// Records that another turn's message of the app was accepted.
    pub(super) fn hear_of_success(&mut self) {
        self.works = true;
        if self.stop.is_none() {
            self.refused_in_a_row = 0;
        }
    }

    /// Whether the last request passed and nothing is suspicious, so that no probe is needed.
    pub(super) fn passes(&self) -> bool {
        self.works
            && self.stop.is_none()
            && self.refused_in_a_row == 0
            && self.suspects.is_empty()
            && self.calls.is_empty()
    }

    /// Whether the turn sends nothing more.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some()
    }

    /// Returns whether WeCom answered, if the app itself was tried in vain in this flush.
    pub(super) fn in_vain(&self) -> Option<bool> {
        match self.stop {
            Some(Stop::App { answered }) => Some(answered),
            _ => None,
        }
    }

    /// Ends the turn: the error is the app's, not a message's own.
    pub(super) fn stop(&mut self, answered: bool, setup: Option<AppTrouble>) {
        self.stop = Some(Stop::App { answered });
        self.setup = setup;
        self.suspects.clear();
    }

    /// Returns the trouble of the app's set-up, if that ended the turn.
    pub(super) fn setup(&self) -> Option<AppTrouble> {
        self.setup
    }

    /// Forgets a message that has been sent by the fallback.
    pub(super) fn sent_instead(&mut self, held: &ClaimedEntry) {
        self.suspects.retain(|it| it.held.id() != held.id());
    }

    /// Ends the turn for this pass, since it is too early for another try.
    pub(super) fn hold(&mut self) {
        self.stop = Some(Stop::Early);
    }

    /// Whether a message of the app went out after this time, of this or another process: what held
    /// it up is over then. `last_taken` returns how long ago its last slot was taken; a request that
    /// failed without an answer of WeCom keeps its slot, and costs one more try.
    pub(super) fn has_sent_since(
        &self,
        since: Duration,
        last_taken: impl FnOnce() -> Option<Duration>,
    ) -> bool {
        let last = self
            .last_slot
            .get_or_init(|| Instant::now().checked_sub(last_taken()?));
        self.works || last.is_some_and(|last| last.elapsed() < since)
    }

    /// Starts another pass: a try may no longer be too early.
    pub(super) fn begin(&mut self) {
        self.last_slot.take();
        self.stop = self.stop.filter(|stop| *stop != Stop::Early);
    }

    /// Whether to skip messages that were refused together with everything else: one of them was
    /// refused again, so the next probe should be a message not tried yet.
    pub(super) fn leaves_out_suspects(&self) -> bool {
        !self.works && self.refused_in_a_row > 0
    }

    /// Gives the app another turn.
    pub(super) fn forgive(&mut self) {
        self.stop = None;
        self.setup = None;
        self.refused_in_a_row = 0;
        self.calls.clear();
    }

    /// Stops sending by this call.
    pub(super) fn stop_call(&mut self, call: &str) {
        self.calls.insert(call.to_owned());
    }

    /// Whether this call is no longer made.
    pub(super) fn is_call_stopped(&self, call: &str) -> bool {
        self.calls.contains(call)
    }

    /// Records an accepted message; returns the suspects, whose trouble was therefore their own.
    pub(super) fn passed(&mut self) -> Vec<Suspect> {
        self.works = true;
        self.refused_in_a_row = 0;
        std::mem::take(&mut self.suspects)
    }

    /// Records a refusal; returns whether it ends the turn.
    pub(super) fn refused(&mut self) -> bool {
        self.refused_in_a_row += 1;
        let ends = self.refused_in_a_row >= REFUSED_MAX;
        if ends {
            self.stop = Some(Stop::InARow);
        }
        ends
    }

    /// Keeps a refused message as a suspect until the next message shows whose trouble it was;
    /// returns the first suspect.
    pub(super) fn suspect(&mut self, held: Arc<ClaimedEntry>, reason: Reason) -> Arc<ClaimedEntry> {
        self.suspects.push(Suspect { held, reason });
        Arc::clone(&self.suspects[0].held)
    }

    /// Returns, at the end of a pass, the suspects whose trouble was their own: other messages were
    /// accepted, or no other was left to show it and WeCom refused them explicitly.
    pub(super) fn blamed(&mut self) -> Vec<Suspect> {
        let (works, is_alone) = (self.works, self.stop.is_none());
        let suspects = std::mem::take(&mut self.suspects).into_iter();
        let is_own = |it: &Suspect| works || is_alone && it.reason.is_refusal();
        suspects.filter(is_own).collect()
    }
}
