//! What is in the outbox as a message is accepted, and whether a send has looked in vain for others
//! that are due: the next sends need not look again then.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{Id, SenderName};
use super::expired::{self, PendingNotices};
use crate::clock::Stamp;
use crate::disk::{Dir, record};
use crate::message::Recipients;

/// The file of the last look in vain.
pub(super) const LOOKED: &str = "looked";

/// How long such a look counts at most.
const LONGEST: Duration = Duration::from_mins(1);

/// A snapshot of the outbox.
#[derive(Debug, Default)]
pub(crate) struct OutboxSnapshot {
    /// `None` if there is no outbox yet.
    pub(crate) dir: Option<Arc<Dir>>,
    pub(super) has_failed: bool,
    /// The number of entries.
    pub(crate) entries: usize,
    /// The name of the latest entry.
    pub(super) latest: Option<Id>,
    /// The names of the files that count expired messages.
    pub(super) expired: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct LookInVain {
    until: Stamp,
    /// The latest entry then: a later one may be due.
    latest: String,
}

impl OutboxSnapshot {
    /// Returns the notices that a message to these recipients has to carry.
    pub(crate) fn pending_notices(&self, sender: &SenderName, to: &Recipients) -> PendingNotices {
        match &self.dir {
            Some(dir) if !self.expired.is_empty() => {
                expired::pending(dir, &self.expired, sender, to)
            }
            _ => PendingNotices::default(),
        }
    }

    /// Subtracts delivered notices.
    pub(crate) fn notices_delivered(&self, pending: &PendingNotices) {
        if let Some(dir) = &self.dir
            && let Err(error) = expired::delivered(dir, pending)
        {
            tracing::info!(%error, "the count of reported expired messages cannot be recorded");
        }
    }

    /// Adds an entry that is about to be accepted.
    pub(super) fn add(&mut self, id: &Id) {
        self.entries += 1;
        self.latest = Some(id.clone());
    }

    /// Whether a message is in it that may be due.
    pub(crate) fn may_be_due(&self) -> bool {
        let (Some(dir), Some(latest)) = (&self.dir, &self.latest) else {
            return false;
        };
        let Some(look) = record::read::<LookInVain>(dir, LOOKED).record() else {
            return true;
        };
        let left = Stamp::now().age(&look.until);
        look.latest != latest.as_str() || left.is_none_or(|left| left.is_zero() || left > LONGEST)
    }

    /// Notes that none of its messages is due for this time, or for one that is not known.
    pub(crate) fn none_is_due(&self, time: Option<Duration>) {
        let (Some(dir), Some(latest)) = (&self.dir, &self.latest) else {
            return;
        };
        let time = time.unwrap_or(LONGEST).min(LONGEST);
        let look = LookInVain {
            until: Stamp::now().later(time),
            latest: latest.as_str().to_owned(),
        };
        // If it cannot be written, the next send looks again.
        let _ = record::set(dir, LOOKED, &look);
    }
}

/// Makes the next send look again.
pub(crate) fn look_again(dir: &Dir) {
    // Best effort: a flush looks anyway.
    let _ = dir.remove(LOOKED);
}
