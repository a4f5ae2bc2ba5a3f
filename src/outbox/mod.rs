//! The outbox: accepted messages that are not yet delivered.
//!
//! An entry is written once, is named after its time of acceptance, and is locked by the process
//! that sends it; the lock ends with its holder. The state of its delivery is kept next to it
//! (`ID.try`). Failed entries are moved to `failed/`. Why a message is delivered or not is up to
//! `delivery`.

mod accept;
mod attempts;
mod claim;
mod claimed;
mod clocks;
mod deferred;
mod entry;
mod expired;
mod failed;
mod format;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod group;
mod known;
mod last_notice;
mod not_kept;
pub(crate) mod once;
mod removals;
mod requeue;
mod size;
mod snapshot;
mod spares;
mod tidy;
mod write;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

pub(crate) use accept::PendingWrite;
pub(crate) use attempts::{Attempts, Doubt, HOLD_MAX, Hold, HoldScope};
pub(crate) use claim::{Claim, claim, claim_failed, peek};
pub(crate) use claimed::{ClaimedEntry, Syncing};
pub(crate) use clocks::{Clocks, RECENT, note_clocks, since_last_flush};
pub(crate) use deferred::Deferred;
pub(crate) use entry::{Entry, Id, MergedText, SenderAccount, SenderName};
pub(crate) use failed::FailureRecord;
pub(crate) use format::Unread;
pub(crate) use group::{GroupCommit, NewEntry};
pub(crate) use known::KnownOutbox;
pub(crate) use last_notice::{JOB_NOTICE, MAIL_NOTICE, STATE_NOTICE, are_new_notices};
pub(crate) use not_kept::NotKept;
pub(crate) use removals::Removals;
pub(crate) use snapshot::{OutboxSnapshot, look_again};
pub(crate) use spares::SpareRecords;
pub(crate) use tidy::tidy;

use crate::config::State;
use crate::disk::Dir;
use crate::message::Recipients;

/// The directory of failed entries.
const FAILED: &str = "failed";

/// The prefix of temporary names, for files that are not entries yet.
const TEMPORARY: &str = "tmp.";

/// Most entries to keep. Source: 20 a minute to one member make 86,400 in three days, so more than
/// this could never be delivered in time.
const ENTRIES_MAX: usize = 100_000;

/// Most bytes in the outbox when a message with a file is added, so as not to fill the disk.
const BYTES_MAX: u64 = 1 << 30;

/// The name of its directory.
const OUTBOX: &str = "outbox";

/// The outbox of one state directory; nothing is opened yet.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    state: Arc<Dir>,
    path: PathBuf,
}

/// The place of a message while it is being sent.
#[derive(Debug, Clone)]
pub(crate) enum Spooled {
    /// Not kept.
    Nowhere,
    /// To be kept if it cannot be delivered.
    Unkept,
    /// Being written.
    Begun(Arc<PendingWrite>),
    /// Written just before its first byte is sent.
    Deferred(Arc<Deferred>),
    Held(Arc<ClaimedEntry>),
}

impl Spooled {
    /// Returns the state of its delivery so far; empty while it is being written.
    pub(crate) fn attempts(&self) -> Attempts {
        match self {
            Self::Held(held) => held.attempts(),
            Self::Nowhere | Self::Unkept | Self::Begun(_) | Self::Deferred(_) => {
                Attempts::default()
            }
        }
    }

    /// Waits (longer than `held`) for the entry after a delivery failed. Records that `sent` parts
    /// were delivered and, if `in_doubt`, that the next one may have been.
    ///
    /// # Errors
    /// Why there is no entry, although there should be one.
    pub(crate) fn at_last(
        &self,
        sent: usize,
        in_doubt: bool,
    ) -> Result<Option<Arc<ClaimedEntry>>, NotKept> {
        let Self::Begun(accepting) = self else {
            return Ok(self.held());
        };
        let was_in_time = accepting.held().is_ok();
        let held = accepting.at_last()?;
        if !was_in_time {
            catch_up(&held, sent, in_doubt);
        }
        Ok(Some(held))
    }

    /// Whether the message stays in the outbox if it is not delivered now.
    pub(crate) fn is_safe(&self) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Begun(accepting) => accepting.held().is_ok(),
            Self::Unkept | Self::Deferred(_) | Self::Held(_) => true,
        }
    }

    /// Makes sure that the first byte may be sent.
    ///
    /// # Errors
    /// The error of the disk, if the entry must be written first and cannot be.
    pub(crate) fn may_go(&self) -> io::Result<()> {
        match self {
            Self::Deferred(deferred) => deferred.held().map(drop),
            Self::Nowhere | Self::Unkept | Self::Begun(_) | Self::Held(_) => Ok(()),
        }
    }

    /// Waits like `at_last`, but at most for `time`; pending while the entry is being written.
    pub(crate) fn within(
        &self,
        time: Duration,
        sent: usize,
        in_doubt: bool,
    ) -> Poll<Option<Arc<ClaimedEntry>>> {
        let Self::Begun(accepting) = self else {
            return Poll::Ready(self.held());
        };
        match accepting.within(time) {
            None => Poll::Pending,
            Some(Err(_)) => Poll::Ready(None),
            Some(Ok((held, was_in_time))) => {
                if !was_in_time {
                    catch_up(&held, sent, in_doubt);
                }
                Poll::Ready(Some(held))
            }
        }
    }

    /// Returns its entry after it is accepted; `None` if it is not kept.
    pub(crate) fn held(&self) -> Option<Arc<ClaimedEntry>> {
        match self {
            Self::Nowhere | Self::Unkept => None,
            Self::Begun(accepting) => accepting.held().ok(),
            Self::Deferred(deferred) => deferred.held().ok(),
            Self::Held(held) => Some(Arc::clone(held)),
        }
    }
}

/// Records the delivery's progress from before the entry existed.
fn catch_up(held: &ClaimedEntry, sent: usize, in_doubt: bool) {
    held.note(|attempts| {
        attempts.sent = sent;
        attempts.doubt = in_doubt.then(|| Doubt::new(held.entry().accepted, String::new()));
    });
}

impl Outbox {
    /// Returns the outbox of a state directory.
    pub(crate) fn of(state: &State) -> Self {
        Self {
            state: Arc::clone(state.dir()),
            path: state.file(OUTBOX),
        }
    }

    /// Returns its path, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the directory of the state that it belongs to.
    pub(crate) fn state(&self) -> &Arc<Dir> {
        &self.state
    }

    /// Opens it; `None` if it does not exist.
    ///
    /// # Errors
    /// An I/O error, also if something else has its name.
    pub(crate) fn open(&self) -> io::Result<Option<Arc<Dir>>> {
        Ok(self.state.sub(OUTBOX)?.map(Arc::new))
    }

    /// Whether a flush still finds an entry: neither the entry nor the outbox itself was removed.
    pub(crate) fn has(&self, held: &ClaimedEntry) -> bool {
        match self.open() {
            Ok(Some(dir)) => held.is_there(Some(&dir)),
            Ok(None) => false,
            // Unknown: rely on the directory of the entry.
            Err(_) => held.is_there(None),
        }
    }

    /// Takes a snapshot of the outbox.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn snapshot(&self) -> io::Result<OutboxSnapshot> {
        let mut look = OutboxSnapshot {
            dir: self.open()?,
            ..OutboxSnapshot::default()
        };
        if let Some(dir) = &look.dir {
            for name in dir.names()? {
                let name = name?;
                look.has_failed |= name == FAILED;
                if let Some(id) = Id::parse(&name) {
                    look.entries += 1;
                    look.latest = look.latest.max(Some(id));
                } else if name.starts_with(expired::PREFIX) {
                    look.expired.push(name);
                }
            }
        }
        Ok(look)
    }

    /// Takes a snapshot; an empty one if that fails.
    pub(crate) fn snapshot_or_empty(&self) -> OutboxSnapshot {
        self.snapshot().unwrap_or_default()
    }

    /// Checks whether there is room for an entry.
    ///
    /// # Errors
    /// The outbox is full or cannot be read.
    pub(crate) fn room(&self, look: &OutboxSnapshot, entry: &Entry) -> Result<(), NotKept> {
        let path = || self.path.clone();
        if look.entries >= ENTRIES_MAX {
            return Err(NotKept::Full {
                path: path(),
                entries: look.entries,
            });
        }
        if entry.bytes_of_files() > 0
            && let Some(dir) = &look.dir
        {
            let names = dir.names().map_err(|error| self.disk(error))?;
            let sizes = names.flatten().filter_map(|name| dir.size(&name));
            // A sparse file may have any size.
            let bytes = sizes.fold(entry.bytes_of_files(), u64::saturating_add);
            if bytes > BYTES_MAX {
                return Err(NotKept::FullOfFiles {
                    path: path(),
                    bytes_max: BYTES_MAX,
                });
            }
        }
        Ok(())
    }

    /// Returns the error for an I/O error of the outbox's disk.
    pub(crate) fn disk(&self, error: io::Error) -> NotKept {
        NotKept::Disk {
            path: self.path.clone(),
            error: Arc::new(error),
        }
    }

    /// Starts to accept a message; `PendingWrite::held` returns the result.
    pub(crate) fn accept(
        &self,
        look: &OutboxSnapshot,
        entry: Entry,
        deadline: Instant,
    ) -> Arc<PendingWrite> {
        PendingWrite::begin(self, look, entry, deadline)
    }

    /// Accepts a message that is not sent meanwhile.
    ///
    /// # Errors
    /// Why it was not accepted by `deadline`: the disk failed or did not answer.
    pub(crate) fn accept_by(
        &self,
        look: &OutboxSnapshot,
        entry: Entry,
        deadline: Instant,
    ) -> Result<Arc<ClaimedEntry>, NotKept> {
        let writing = PendingWrite::begin_for(self, look, entry, deadline, deadline);
        let held = writing.at_last();
        writing.let_go();
        held
    }
}

/// Returns the oldest entries after a given one, oldest first, at most `max`.
///
/// # Errors
/// The error of the disk.
pub(crate) fn oldest(dir: &Dir, after: Option<&Id>, max: usize) -> io::Result<BTreeSet<Id>> {
    // Drops the largest name for each smaller one beyond `max`, so that memory use stays flat.
    let mut oldest = BTreeSet::new();
    for name in dir.names()? {
        let Some(id) = Id::parse(&name?) else {
            continue;
        };
        if after.is_none_or(|after| id > *after) {
            oldest.insert(id);
            if oldest.len() > max {
                oldest.pop_last();
            }
        }
    }
    Ok(oldest)
}

/// Counts an expired message, for the notice to its recipients.
pub(crate) fn count_expired(dir: &Dir, sender: &SenderName, to: &Recipients) {
    if let Err(error) = expired::add(dir, sender, to) {
        tracing::info!(%error, "expired messages cannot be counted");
    }
}

/// Opens the directory of failed entries; `None` if it does not exist.
///
/// # Errors
/// An I/O error, also if something else has its name.
pub(crate) fn failed(dir: &Dir) -> io::Result<Option<Dir>> {
    dir.sub(FAILED)
}

pub(crate) use failed::{forget, verdict};
pub(crate) use requeue::{Requeued, requeue};

/// Returns the names in the outbox that are not wxpush's.
///
/// # Errors
/// The error of the disk.
pub(crate) fn junk(dir: &Dir) -> io::Result<Vec<String>> {
    let is_ours = |name: &str| {
        // What a killed process was about to put in the place of a file.
        let name = name.strip_suffix(".new").unwrap_or(name);
        let bare = name.strip_suffix(".try").unwrap_or(name);
        let bare = bare.strip_prefix(TEMPORARY).unwrap_or(bare);
        Id::parse(bare).is_some()
            || [
                FAILED,
                STATE_NOTICE,
                once::NAME,
                clocks::NAME,
                snapshot::LOOKED,
            ]
            .contains(&name)
            || name.starts_with(expired::PREFIX)
    };
    let names = dir.names()?.collect::<io::Result<Vec<String>>>()?;
    Ok(names.into_iter().filter(|name| !is_ours(name)).collect())
}

/// Replaces an entry that the caller has claimed with the same message for another app.
///
/// # Errors
/// The error of the disk; the entry stays unchanged.
pub(crate) fn readdress(dir: &Dir, held: &ClaimedEntry, entry: &Entry) -> io::Result<()> {
    // Left by a killed process: only the holder of the entry's lock writes it.
    dir.remove(&format!("{TEMPORARY}{}", held.id()))?;
    held.readdress(entry)
}
