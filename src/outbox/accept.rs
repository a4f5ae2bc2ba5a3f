//! Accepting a message: once its entry and its name are synced, neither a kill nor a power cut
//! loses it. This runs on a thread while the connection is made, so that it costs no time.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::claimed::ClaimedEntry;
use super::entry::{Entry, Id};
use super::write::{publish, write};
use super::{FAILED, NotKept, OUTBOX, Outbox, OutboxSnapshot, once};
use crate::disk::Dir;

/// Longest wait of a message for the disk; a hanging disk must not hold up an alert.
const DISK_MAX: Duration = Duration::from_secs(5);

/// Slowest disk speed to allow for, in bytes per second: a message with files may wait longer.
const DISK_SPEED: u64 = 4 << 20;

/// An entry that is being written.
#[derive(Debug)]
pub(crate) struct PendingWrite {
    outbox: Outbox,
    /// When the message stops waiting for the disk and is sent without an entry.
    until: Instant,
    /// When the wait ends if the message could not be delivered without an entry.
    at_last: Instant,
    state: Mutex<WriteState>,
    changed: Condvar,
}

#[derive(Debug)]
struct WriteState {
    stage: Stage,
    /// Whether the message was sent without waiting: the entry no longer decides anything.
    late: bool,
    /// Whether somebody waits for the next stage, and not only for the last.
    is_watched: bool,
}

#[derive(Debug)]
enum Stage {
    /// Written under a temporary name, which no flush looks at.
    Writing,
    /// Being renamed: whether the entry exists is unknown for this moment.
    Naming,
    /// Renamed, but not synced yet.
    Named(Arc<Dir>, Id),
    Accepted(Arc<ClaimedEntry>),
    Failed(NotKept),
    /// No longer wanted.
    Abandoned,
}

impl PendingWrite {
    /// Starts to write the entry of a message that is to be delivered by `deadline`.
    pub(super) fn begin(
        outbox: &Outbox,
        look: &OutboxSnapshot,
        entry: Entry,
        deadline: Instant,
    ) -> Arc<Self> {
        let now = Instant::now();
        // Leaves time to deliver the message without an entry.
        let longest = DISK_MAX + Duration::from_secs(entry.bytes_of_files() / DISK_SPEED);
        let wait = longest.min(deadline.saturating_duration_since(now) / 2);
        Self::begin_for(outbox, look, entry, now + wait, now + longest)
    }

    /// Starts to write an entry, with explicit deadlines for the two waits.
    pub(super) fn begin_for(
        outbox: &Outbox,
        look: &OutboxSnapshot,
        entry: Entry,
        until: Instant,
        at_last: Instant,
    ) -> Arc<Self> {
        let id = Id::after(look.latest.as_ref(), entry.accepted.time());
        let accepting = Arc::new(Self {
            outbox: outbox.clone(),
            until,
            at_last,
            state: Mutex::new(WriteState {
                stage: Stage::Writing,
                late: false,
                is_watched: false,
            }),
            changed: Condvar::new(),
        });
        let writing = {
            let accepting = Arc::clone(&accepting);
            let dir = look.dir.clone().filter(|_| look.has_failed);
            move || accepting.write(dir, id, entry)
        };
        let writing = Arc::new(Mutex::new(Some(writing)));
        let write = move || {
            let writing = writing
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(writing) = writing {
                writing();
            }
        };
        // If no thread can be started, the connection waits.
        if std::thread::Builder::new().spawn(write.clone()).is_err() {
            write();
        }
        accepting
    }

    /// Waits until the message is accepted.
    ///
    /// # Errors
    /// Why it is not accepted, so that it is sent without an entry.
    pub(crate) fn held(&self) -> Result<Arc<ClaimedEntry>, NotKept> {
        let mut state = self.locked();
        loop {
            match &state.stage {
                _ if state.late => return Err(self.too_slow()),
                Stage::Accepted(held) => return Ok(Arc::clone(held)),
                Stage::Failed(why) => return Err(why.clone()),
                Stage::Abandoned => return Err(self.too_slow()),
                Stage::Writing | Stage::Naming | Stage::Named(..) => {}
            }
            if Instant::now() >= self.until {
                state.late = true;
                continue;
            }
            state = self.waited(state, self.until);
        }
    }

    /// Waits longer for the entry, after the message could not be delivered without it.
    ///
    /// # Errors
    /// Why it is not accepted; then it never will be.
    pub(crate) fn at_last(&self) -> Result<Arc<ClaimedEntry>, NotKept> {
        let mut state = self.locked();
        loop {
            match &state.stage {
                Stage::Accepted(held) => return Ok(Arc::clone(held)),
                Stage::Failed(why) => return Err(why.clone()),
                Stage::Abandoned => return Err(self.too_slow()),
                Stage::Writing | Stage::Naming | Stage::Named(..) => {}
            }
            if Instant::now() >= self.at_last {
                drop(state);
                self.abandon();
                return Err(self.too_slow());
            }
            state = self.waited(state, self.at_last);
        }
    }

    /// Returns the entry and whether the message waited for it, or why there is none; `None` if it
    /// is still being written after `time`.
    pub(crate) fn within(
        &self,
        time: Duration,
    ) -> Option<Result<(Arc<ClaimedEntry>, bool), NotKept>> {
        let until = Instant::now() + time;
        let mut state = self.locked();
        loop {
            match &state.stage {
                Stage::Accepted(held) => return Some(Ok((Arc::clone(held), !state.late))),
                Stage::Failed(why) => return Some(Err(why.clone())),
                Stage::Abandoned => return Some(Err(self.too_slow())),
                Stage::Writing | Stage::Naming | Stage::Named(..) => {}
            }
            if Instant::now() >= until {
                return None;
            }
            state = self.waited(state, until);
        }
    }

    /// Leaves an accepted entry, and its lock, to the caller alone: the writing thread may outlive
    /// the caller's use of it.
    pub(super) fn let_go(&self) {
        let mut state = self.locked();
        if let Stage::Accepted(_) = &state.stage {
            state.stage = Stage::Abandoned;
        }
    }

    /// Makes sure that no entry stays for a message that was sent without one. The process must not
    /// end before this is settled: a flush would send the message again.
    pub(crate) fn abandon(&self) {
        let mut state = self.locked();
        let patience = Instant::now() + DISK_MAX;
        state.is_watched = true;
        while matches!(state.stage, Stage::Naming) && Instant::now() < patience {
            state = self.waited(state, patience);
        }
        match std::mem::replace(&mut state.stage, Stage::Abandoned) {
            Stage::Named(dir, id) => {
                let _ = dir.remove(id.as_str());
            }
            Stage::Accepted(held) if state.late => {
                let _ = held.remove();
            }
            stage @ (Stage::Accepted(_) | Stage::Failed(_)) => state.stage = stage,
            Stage::Writing | Stage::Naming | Stage::Abandoned => {}
        }
    }

    /// Waits until the state may have changed, or until the deadline.
    fn waited<'a>(
        &self,
        state: MutexGuard<'a, WriteState>,
        until: Instant,
    ) -> MutexGuard<'a, WriteState> {
        let left = until.saturating_duration_since(Instant::now());
        match self.changed.wait_timeout(state, left) {
            Ok((state, _)) => state,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }

    /// Writes and syncs the entry, unless it is no longer wanted. It is locked before any process
    /// can see it.
    fn write(&self, dir: Option<Arc<Dir>>, id: Id, entry: Entry) {
        let written = self.written(dir, id, entry);
        let mut state = self.locked();
        match (&state.stage, written) {
            (Stage::Abandoned, Ok(Some(held))) => {
                let _ = held.remove();
            }
            (Stage::Abandoned, _) | (_, Ok(None)) => {}
            (_, Ok(Some(held))) => state.stage = Stage::Accepted(Arc::new(held)),
            (_, Err(why)) => state.stage = Stage::Failed(why),
        }
        self.changed.notify_all();
    }

    fn written(
        &self,
        dir: Option<Arc<Dir>>,
        id: Id,
        entry: Entry,
    ) -> Result<Option<ClaimedEntry>, NotKept> {
        let disk = |error| self.outbox.disk(error);
        let dir = match dir {
            Some(dir) => dir,
            None => Arc::new(prepared(&self.outbox).map_err(disk)?),
        };
        let (temporary, file, files) = write(&dir, &id, &entry, true).map_err(disk)?;
        if let Some(key) = &entry.once
            && let Err(why) = self.claim_key(&dir, key, &id)
        {
            let _ = dir.remove(&temporary);
            return Err(why);
        }
        if !self.advances(Stage::Naming) {
            let _ = dir.remove(&temporary);
            return Ok(None);
        }
        let named = publish(&dir, &id, &entry, (temporary, file, files));
        let (file, files) = named.map_err(disk)?;
        let named = Stage::Named(Arc::clone(&dir), id.clone());
        let synced = if self.advances(named) {
            dir.sync()
        } else {
            Err(io::ErrorKind::Interrupted.into())
        };
        let file = Arc::new(file);
        let entry = synced.and_then(|()| entry.placed(&file, &files));
        let entry = entry.map_err(|error| {
            // It is reported as not kept, so it must not stay.
            let _ = dir.remove(id.as_str());
            disk(error)
        })?;
        Ok(Some(ClaimedEntry::new(dir, id, entry, file)))
    }

    /// Records, synced, that the message of a `--once` key is about to be sent from this entry.
    fn claim_key(&self, dir: &Dir, key: &str, id: &Id) -> Result<(), NotKept> {
        let known = once::begin(dir, &[(key, id)]).map_err(|error| self.outbox.disk(error))?;
        if known == [once::Known::Nothing] {
            Ok(())
        } else {
            Err(NotKept::KeyTaken)
        }
    }

    fn too_slow(&self) -> NotKept {
        NotKept::DiskSilent {
            path: self.outbox.path.clone(),
        }
    }

    /// Moves on to the next stage, unless the entry is no longer wanted.
    fn advances(&self, next: Stage) -> bool {
        let mut state = self.locked();
        let goes_on = !matches!(state.stage, Stage::Abandoned);
        if goes_on {
            state.stage = next;
        }
        // Nobody is woken for nothing: that is two system calls.
        if state.is_watched {
            self.changed.notify_all();
        }
        goes_on
    }

    fn locked(&self) -> MutexGuard<'_, WriteState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the outbox, creating it if necessary so that a power cut loses no part of it.
///
/// `failed/` is created last: if it exists, the name of the outbox itself has been synced.
pub(super) fn prepared(outbox: &Outbox) -> io::Result<Dir> {
    let dir = outbox.state.make_sub(OUTBOX)?;
    if dir.sub(FAILED)?.is_none() {
        outbox.state.sync()?;
        dir.make_sub(FAILED)?;
    }
    Ok(dir)
}
