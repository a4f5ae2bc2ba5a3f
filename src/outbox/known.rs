//! An outbox as a process knows it that keeps many messages: looked at now and then only, since a look
//! takes as long as there are entries.

use std::time::{Duration, Instant};

use super::entry::{Entry, Id};
use super::{NotKept, Outbox, OutboxSnapshot};
use crate::config::State;

/// How long a look counts: other processes add and remove entries, too.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// How long a look counts that found no room.
const LOOK_AGAIN_WHEN_FULL: Duration = Duration::from_secs(1);

/// An outbox, and what was in it at the last look.
pub(crate) struct KnownOutbox {
    outbox: Outbox,
    snapshot: OutboxSnapshot,
    looked: Option<Instant>,
}

impl KnownOutbox {
    /// Returns the outbox of a state directory, not looked at yet.
    pub(crate) fn of(state: &State) -> Self {
        Self {
            outbox: Outbox::of(state),
            snapshot: OutboxSnapshot::default(),
            looked: None,
        }
    }

    /// Returns the outbox.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns what was in it at the last look.
    pub(crate) fn snapshot(&self) -> &OutboxSnapshot {
        &self.snapshot
    }

    /// Returns the name of a new entry, which sorts after all others.
    ///
    /// # Errors
    /// There is no room for it, or the outbox cannot be read.
    pub(crate) fn place(&mut self, entry: &Entry) -> Result<Id, NotKept> {
        // Before the first entry there is no directory to look at.
        let longest = self.snapshot.dir.as_ref().map(|_| LOOK_AGAIN);
        self.look(longest.unwrap_or_default())?;
        if self.outbox.room(&self.snapshot, entry).is_err() {
            self.look(LOOK_AGAIN_WHEN_FULL)?;
            self.outbox.room(&self.snapshot, entry)?;
        }
        let now = entry.accepted.time();
        let id = match &self.snapshot.latest {
            Some(latest) => latest.following(now),
            None => Id::new(now),
        };
        self.snapshot.add(&id);
        Ok(id)
    }

    /// Notes that an entry was delivered.
    pub(crate) fn delivered(&mut self) {
        self.snapshot.entries = self.snapshot.entries.saturating_sub(1);
    }

    /// Whether an entry still waits.
    pub(crate) fn has(&self, id: &Id) -> bool {
        let dir = self.outbox.open().ok().flatten();
        dir.is_some_and(|dir| dir.size(id.as_str()).is_some())
    }

    /// Looks again, unless the last look is younger than `longest`.
    fn look(&mut self, longest: Duration) -> Result<(), NotKept> {
        if self.looked.is_some_and(|at| at.elapsed() < longest) {
            return Ok(());
        }
        let latest = self.snapshot.latest.take();
        let snapshot = self.outbox.snapshot();
        self.snapshot = snapshot.map_err(|error| self.outbox.disk(error))?;
        // Those on their way into it are not seen yet.
        self.snapshot.latest = self.snapshot.latest.take().max(latest);
        self.looked = Some(Instant::now());
        Ok(())
    }
}
