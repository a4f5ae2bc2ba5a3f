//! One app's turn in a flush: what is held up by what.
//!
//! Trouble with everything ends the turn. Trouble with one call leaves the others going. Where it
//! cannot be told, the next message is the probe: when that passes, the trouble was the message's own.

use std::collections::HashSet;
use std::sync::Arc;

use super::reason::Reason;
use crate::outbox::ClaimedEntry;

/// So many refused requests in a row end a turn. Source: the contract with users.
const REFUSED_MAX: u32 = 3;

/// What a flush knows of one app.
#[derive(Default)]
pub(super) struct Turn {
    stop: Option<Stop>,
    /// Calls that nothing is sent by any more.
    calls: HashSet<String>,
    refused_in_a_row: u32,
    /// Whether something of this app has passed.
    works: bool,
    /// Messages that were refused for a reason that may be the app's or their own.
    suspects: Vec<Suspect>,
}

/// Why nothing more is sent in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// It is too early for another try; the next pass looks again.
    Early,
    /// Too many were refused in a row.
    InARow,
    /// Trouble with everything of the app; `answered` if WeCom itself says so.
    App { answered: bool },
}

/// A refused message, and why.
pub(super) struct Suspect {
    pub(super) held: Arc<ClaimedEntry>,
    pub(super) reason: Reason,
}

impl Turn {
    /// A turn of an app of which a message has just arrived.
    pub(super) fn working() -> Self {
        Self {
            works: true,
            ..Self::default()
        }
    }

    /// Whether nothing is sent any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether the app itself was tried in vain in this flush, and if so, whether WeCom answered.
    pub(super) fn in_vain(&self) -> Option<bool> {
        match self.stop {
            Some(Stop::App { answered }) => Some(answered),
            _ => None,
        }
    }

    /// Ends the turn: the trouble is the app's, and no message's own.
    pub(super) fn stop(&mut self, answered: bool) {
        self.stop = Some(Stop::App { answered });
        self.suspects.clear();
    }

    /// Ends the turn for this pass, since it is too early for another try.
    pub(super) fn hold(&mut self) {
        self.stop = Some(Stop::Early);
    }

    /// Begins another pass: what it was too early for may have come.
    pub(super) fn begin(&mut self) {
        self.stop = self.stop.filter(|stop| *stop != Stop::Early);
    }

    /// Whether what was refused before, with all else, is left out: one such message has been refused
    /// again, and the next probe is one that has not been tried.
    pub(super) fn leaves_out_suspects(&self) -> bool {
        !self.works && self.refused_in_a_row > 0
    }

    /// Lets the app have another turn.
    pub(super) fn forgive(&mut self) {
        self.stop = None;
        self.refused_in_a_row = 0;
        self.calls.clear();
    }

    /// Sends nothing more by this call.
    pub(super) fn stop_call(&mut self, call: &str) {
        self.calls.insert(call.to_owned());
    }

    /// Whether nothing is sent by this call any more.
    pub(super) fn is_call_stopped(&self, call: &str) -> bool {
        self.calls.contains(call)
    }

    /// Notes that a message has passed, and returns those whose trouble was therefore their own.
    pub(super) fn passed(&mut self) -> Vec<Suspect> {
        self.works = true;
        self.refused_in_a_row = 0;
        std::mem::take(&mut self.suspects)
    }

    /// Notes a refusal, and returns whether it ends the turn.
    pub(super) fn refused(&mut self) -> bool {
        self.refused_in_a_row += 1;
        let ends = self.refused_in_a_row >= REFUSED_MAX;
        if ends {
            self.stop = Some(Stop::InARow);
        }
        ends
    }

    /// Keeps a refused message in mind until the next one shows whose trouble it was, and returns the
    /// first that waits for that.
    pub(super) fn suspect(&mut self, held: Arc<ClaimedEntry>, reason: Reason) -> Arc<ClaimedEntry> {
        self.suspects.push(Suspect { held, reason });
        Arc::clone(&self.suspects[0].held)
    }

    /// Returns, at the end of a pass, the messages whose trouble was their own: others have passed, or
    /// none was left to show it and they were refused in so many words.
    pub(super) fn blamed(&mut self) -> Vec<Suspect> {
        let (works, is_alone) = (self.works, self.stop.is_none());
        let suspects = std::mem::take(&mut self.suspects).into_iter();
        let is_own = |it: &Suspect| works || is_alone && it.reason.is_refusal();
        suspects.filter(is_own).collect()
    }
}
