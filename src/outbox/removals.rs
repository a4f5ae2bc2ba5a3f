//! Removing delivered entries together: a few syncs for many.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use super::claimed::{ClaimedEntry, Syncing};
use super::once;

/// Most removals of delivered entries that a power cut may undo.
const UNSYNCED_MAX: usize = 16;

/// Delivered entries whose removal is not synced yet.
#[derive(Default)]
pub(crate) struct Removals(Vec<Arc<ClaimedEntry>>);

impl Removals {
    /// Removes an entry, all of which is delivered. One with a `--once` key stays, marked as
    /// delivered, until its key is closed with others.
    pub(crate) fn add(&mut self, held: Arc<ClaimedEntry>) {
        let left = held.entry().messages.len() - held.attempts().sent;
        held.delivered(left, Syncing::Together);
        self.0.push(held);
        if self.0.len() >= UNSYNCED_MAX {
            self.sync();
        }
    }

    /// Syncs the removals.
    pub(crate) fn sync(&mut self) {
        let entries = std::mem::take(&mut self.0);
        // If the outbox is moved away, each directory has its own.
        for entries in entries.chunk_by(|one, other| place(one) == place(other)) {
            if let Err(error) = remove(entries) {
                tracing::info!(%error, "the outbox cannot be synced: after a power cut messages may be sent again");
            }
        }
    }
}

fn place(held: &ClaimedEntry) -> (u64, u64) {
    let meta = held.dir().metadata();
    (meta.dev(), meta.ino())
}

/// Closes the keys of delivered entries, removes those that are still there, and syncs that.
///
/// # Errors
/// The error of the disk; entries with a key stay if it cannot be closed, and the next flush finds
/// nothing left to send in them.
fn remove(entries: &[Arc<ClaimedEntry>]) -> io::Result<()> {
    let Some(first) = entries.first() else {
        return Ok(());
    };
    let keyed = || entries.iter().filter(|held| held.entry().once.is_some());
    let keys: Vec<_> = keyed()
        .filter_map(|held| Some((held.entry().once.as_deref()?, held.id())))
        .collect();
    if !keys.is_empty() {
        once::close(first.dir(), &keys)?;
    }
    for held in keyed() {
        held.discard()?;
    }
    first.dir().sync()
}
