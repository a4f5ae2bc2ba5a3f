//! One app's turn in a flush: what is held up by what.
//!
//! Trouble with everything ends the turn. Trouble with one call leaves the others going. Where it
//! cannot be told, the next message is the probe: when that passes, the trouble was the message's own.

use std::collections::HashSet;
use std::sync::Arc;

use super::reason::Reason;
use crate::outbox::Held;

/// So many refused requests in a row end a turn. Source: the contract with users.
const REFUSED_MAX: u32 = 3;

/// What a flush knows of one app.
#[derive(Default)]
pub(super) struct Turn {
    stopped: bool,
    /// Whether it was stopped by trouble that was met in this flush.
    in_vain: bool,
    /// Calls that nothing is sent by any more.
    calls: HashSet<String>,
    refused_in_a_row: u32,
    /// Whether something of this app has passed.
    works: bool,
    /// Messages that were refused for a reason that may be the app's or their own.
    suspects: Vec<Suspect>,
}

/// A refused message, and why.
pub(super) struct Suspect {
    pub(super) held: Arc<Held>,
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
        self.stopped
    }

    /// Whether it was stopped by trouble that was met in this flush.
    pub(super) fn is_in_vain(&self) -> bool {
        self.in_vain
    }

    /// Ends the turn: the trouble is the app's, and no message's own.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        self.in_vain = true;
        self.suspects.clear();
    }

    /// Ends the turn for this pass, since it is too early for another try.
    pub(super) fn hold(&mut self) {
        self.stopped = true;
    }

    /// Begins another pass: what it was too early for may have come.
    pub(super) fn begin(&mut self) {
        self.stopped = self.in_vain;
    }

    /// Whether what was refused before, with all else, is left out: one such message has been refused
    /// again, and the next probe is one that has not been tried.
    pub(super) fn leaves_out_suspects(&self) -> bool {
        !self.works && self.refused_in_a_row > 0
    }

    /// Lets the app have another turn.
    pub(super) fn forgive(&mut self) {
        self.stopped = false;
        self.in_vain = false;
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
        if self.refused_in_a_row >= REFUSED_MAX {
            self.stop();
        }
        self.stopped
    }

    /// Keeps a refused message in mind until the next one shows whose trouble it was.
    pub(super) fn suspect(&mut self, held: Arc<Held>, reason: Reason) {
        self.suspects.push(Suspect { held, reason });
    }

    /// Returns, at the end of a pass, the messages whose trouble was their own: others have passed.
    pub(super) fn blamed(&mut self) -> Vec<Suspect> {
        let suspects = std::mem::take(&mut self.suspects);
        if self.works { suspects } else { Vec::new() }
    }
}
