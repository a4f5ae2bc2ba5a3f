//! The outbox: messages that are accepted and not yet delivered.
//!
//! An entry is written once, under the name of its acceptance, and is locked by the process that sends it; a
//! lock ends with its holder. Beside it stands what became of its tries (`ID.try`). What is given
//! up goes to `failed/`. Nothing here knows why a message is delivered or not: that is `delivery`'s.

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
mod last_notice;
mod not_kept;
pub(crate) mod once;
mod requeue;
mod size;
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
pub(crate) use claimed::ClaimedEntry;
pub(crate) use clocks::{Clocks, note_clocks, since_last_flush};
pub(crate) use deferred::Deferred;
pub(crate) use entry::{Entry, Id, MergedText, SenderAccount, SenderName};
pub(crate) use expired::PendingNotices;
pub(crate) use failed::FailureRecord;
pub(crate) use format::Unread;
pub(crate) use last_notice::is_new_notice;
pub(crate) use not_kept::NotKept;
pub(crate) use tidy::tidy;

use crate::config::State;
use crate::disk::{Dir, Owner};
use crate::message::Recipients;

/// Where what is given up lies.
const FAILED: &str = "failed";

/// What the names of files begin with that are no entries yet.
const TEMPORARY: &str = "tmp.";

/// Most entries that are kept. Source: 20 a minute to one member make 86,400 in three days, so more
/// than this could never be delivered in time.
const ENTRIES_MAX: usize = 100_000;

/// Most bytes that entries have, where another one comes with a file: nobody's disk is filled.
const BYTES_MAX: u64 = 1 << 30;

/// The directory of one state directory's outbox; nothing is opened yet.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    path: PathBuf,
    owner: Owner,
}

/// One look into the outbox.
#[derive(Debug, Default)]
pub(crate) struct OutboxSnapshot {
    /// None where there is no outbox yet.
    pub(crate) dir: Option<Arc<Dir>>,
    has_failed: bool,
    /// How many entries there are.
    pub(crate) entries: usize,
    /// The name of the latest.
    latest: Option<Id>,
    /// Counts of what has expired, by the names of their files.
    expired: Vec<String>,
}

/// Where a message is kept while it is being sent.
#[derive(Debug, Clone)]
pub(crate) enum Spooled {
    /// Nowhere: it is on its own.
    Nowhere,
    /// It is being accepted.
    Begun(Arc<PendingWrite>),
    /// It is written down only when its first byte is about to go.
    Deferred(Arc<Deferred>),
    Held(Arc<ClaimedEntry>),
}

impl Spooled {
    /// What became of it so far; nothing where it is only just being accepted.
    pub(crate) fn attempts(&self) -> Attempts {
        match self {
            Self::Held(held) => held.attempts(),
            Self::Begun(_) | Self::Deferred(_) | Self::Nowhere => Attempts::default(),
        }
    }

    /// Its entry where the message has got nowhere, the disk being waited for longer; `sent` parts
    /// were, and the next may have been if `in_doubt`.
    ///
    /// # Errors
    /// Why there is none, if there should be one.
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

    /// Whether it waits in the outbox should it not be delivered now.
    pub(crate) fn is_safe(&self) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Begun(accepting) => accepting.held().is_ok(),
            Self::Deferred(_) | Self::Held(_) => true,
        }
    }

    /// Whether its first byte may go.
    ///
    /// # Errors
    /// It cannot be written down, and must not go without.
    pub(crate) fn may_go(&self) -> io::Result<()> {
        match self {
            Self::Deferred(deferred) => deferred.held().map(drop),
            Self::Nowhere | Self::Begun(_) | Self::Held(_) => Ok(()),
        }
    }

    /// The same as `at_last` where it has to be known within that time; pending while it is being
    /// written.
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

    /// Its entry, once it is accepted; none if it is kept nowhere.
    pub(crate) fn held(&self) -> Option<Arc<ClaimedEntry>> {
        match self {
            Self::Nowhere => None,
            Self::Begun(accepting) => accepting.held().ok(),
            Self::Deferred(deferred) => deferred.held().ok(),
            Self::Held(held) => Some(Arc::clone(held)),
        }
    }
}

/// Writes down what became of a message while its entry was not there.
fn catch_up(held: &ClaimedEntry, sent: usize, in_doubt: bool) {
    held.note(|attempts| {
        attempts.sent = sent;
        attempts.doubt = in_doubt.then(|| Doubt::new(held.entry().accepted, String::new()));
    });
}

impl Outbox {
    /// The outbox of a state directory.
    pub(crate) fn of(state: &State) -> Self {
        Self {
            path: state.file("outbox"),
            owner: state.owner(),
        }
    }

    /// Its path, for people.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it; none where there is none.
    ///
    /// # Errors
    /// Where something else stands in its place.
    pub(crate) fn open(&self) -> io::Result<Option<Arc<Dir>>> {
        Ok(Dir::open(&self.path, self.owner)?.map(Arc::new))
    }

    /// Whether an entry is in it still, where a flush finds it: nobody has removed it meanwhile, nor
    /// the outbox itself.
    pub(crate) fn has(&self, held: &ClaimedEntry) -> bool {
        match self.open() {
            Ok(Some(dir)) => held.is_there(Some(&dir)),
            Ok(None) => false,
            // It cannot be told from here.
            Err(_) => held.is_there(None),
        }
    }

    /// Looks what is there.
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
                }
                if name.starts_with(expired::PREFIX) {
                    look.expired.push(name);
                }
            }
        }
        Ok(look)
    }

    /// Looks, as far as it can, what there is to tell to recipients.
    pub(crate) fn snapshot_or_empty(&self) -> OutboxSnapshot {
        self.snapshot().unwrap_or_default()
    }

    /// Whether an entry may be put beside what a look has found.
    ///
    /// # Errors
    /// It is full, or cannot be read.
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
            // A file with holes may have any size.
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

    /// The error for a disk that refuses.
    pub(crate) fn disk(&self, error: io::Error) -> NotKept {
        NotKept::Disk {
            path: self.path.clone(),
            error: Arc::new(error),
        }
    }

    /// Begins to accept a message; `PendingWrite::held` returns whether it was.
    pub(crate) fn accept(
        &self,
        look: &OutboxSnapshot,
        entry: Entry,
        deadline: Instant,
    ) -> Arc<PendingWrite> {
        PendingWrite::begin(self, look, entry, deadline)
    }

    /// Accepts a message that nobody sends meanwhile, or says by `deadline` why it cannot.
    ///
    /// # Errors
    /// The disk refuses, or does not answer.
    pub(crate) fn accept_by(
        &self,
        look: &OutboxSnapshot,
        entry: Entry,
        deadline: Instant,
    ) -> Result<Arc<ClaimedEntry>, NotKept> {
        PendingWrite::begin_for(self, look, entry, deadline, deadline).at_last()
    }
}

impl OutboxSnapshot {
    /// What a message to these recipients has to tell them.
    pub(crate) fn untold(&self, sender: &SenderName, to: &Recipients) -> PendingNotices {
        match &self.dir {
            Some(dir) if !self.expired.is_empty() => {
                expired::untold(dir, &self.expired, sender, to)
            }
            _ => PendingNotices::default(),
        }
    }

    /// Remembers that they have been told.
    pub(crate) fn told(&self, untold: &PendingNotices) {
        if let Some(dir) = &self.dir
            && let Err(error) = expired::told(dir, untold)
        {
            tracing::info!(%error, "that receivers know what expired cannot be written down");
        }
    }
}

/// The oldest entries after a given one, oldest first, `max` at the most.
///
/// # Errors
/// What the disk says.
pub(crate) fn oldest(dir: &Dir, after: Option<&Id>, max: usize) -> io::Result<BTreeSet<Id>> {
    // The largest of those kept makes room for a smaller one, so that memory stays flat.
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

/// Counts a message that has become too old, for its recipients to be told.
pub(crate) fn count_expired(dir: &Dir, sender: &SenderName, to: &Recipients) {
    if let Err(error) = expired::add(dir, sender, to) {
        tracing::info!(%error, "what has expired cannot be counted");
    }
}

/// Where failed entries lie; none where there are none.
///
/// # Errors
/// Where something else stands in its place.
pub(crate) fn failed(dir: &Dir) -> io::Result<Option<Dir>> {
    dir.sub(FAILED)
}

pub(crate) use failed::{forget, verdict};
pub(crate) use requeue::{Requeued, requeue};

/// The names of what is in the outbox and is nothing of wxpush's.
///
/// # Errors
/// What the disk says.
pub(crate) fn junk(dir: &Dir) -> io::Result<Vec<String>> {
    let is_ours = |name: &str| {
        let bare = name.strip_suffix(".try").unwrap_or(name);
        let bare = bare.strip_prefix(TEMPORARY).unwrap_or(bare);
        Id::parse(bare).is_some()
            || [FAILED, last_notice::NAME, once::NAME, clocks::NAME].contains(&name)
            || name.starts_with(expired::PREFIX)
    };
    let names = dir.names()?.collect::<io::Result<Vec<String>>>()?;
    Ok(names.into_iter().filter(|name| !is_ours(name)).collect())
}

/// Puts the same message in place of one that the caller holds, for another app.
///
/// # Errors
/// What the disk says; then it stays as it was.
pub(crate) fn readdress(dir: &Dir, held: &ClaimedEntry, entry: &Entry) -> io::Result<()> {
    // Of one that was killed: nobody writes it without the lock that the caller has.
    dir.remove(&format!("{TEMPORARY}{}", held.id()))?;
    held.readdress(entry)
}
