//! Removing delivered entries together: a few syncs for many.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::claimed::{ClaimedEntry, Syncing};
use super::once;

/// Most entries that are removed with one sync. A power cut may undo twice as many removals: those that
/// are being synced, and those since.
const UNSYNCED_MAX: usize = 16;

/// Delivered entries whose removal is not synced yet.
#[derive(Default)]
pub(crate) struct Removals {
    unsynced: Vec<Arc<ClaimedEntry>>,
    /// Syncs the removals before these, while further messages go out.
    syncing: Option<JoinHandle<()>>,
}

impl Removals {
    /// Removes an entry, all of which is delivered. One with a `--once` key stays, marked as
    /// delivered, until its key is closed with others.
    pub(crate) fn add(&mut self, held: Arc<ClaimedEntry>) {
        let left = held.entry().messages.len() - held.attempts().sent;
        held.delivered(left, Syncing::Together);
        self.unsynced.push(held);
        if self.unsynced.len() >= UNSYNCED_MAX {
            self.sync_beside();
        }
    }

    /// Syncs the removals.
    pub(crate) fn sync(&mut self) {
        self.wait();
        sync(&close(std::mem::take(&mut self.unsynced)));
    }

    /// Starts to sync the removals.
    fn sync_beside(&mut self) {
        self.wait();
        let removed = Arc::new(close(std::mem::take(&mut self.unsynced)));
        let sync_them = {
            let removed = Arc::clone(&removed);
            move || sync(&removed)
        };
        match thread::Builder::new().spawn(sync_them) {
            Ok(thread) => self.syncing = Some(thread),
            Err(_) => sync(&removed),
        }
    }

    /// Waits for the sync that was started.
    fn wait(&mut self) {
        if let Some(thread) = self.syncing.take() {
            // It says itself what it could not sync.
            let _ = thread.join();
        }
    }
}

impl Drop for Removals {
    fn drop(&mut self) {
        self.wait();
    }
}

fn place(held: &ClaimedEntry) -> (u64, u64) {
    let meta = held.dir().metadata();
    (meta.dev(), meta.ino())
}

/// Closes the keys of delivered entries, and removes those that are still there. Those whose key can't be
/// closed stay, and the next flush finds nothing left to send in them.
fn close(entries: Vec<Arc<ClaimedEntry>>) -> Vec<Arc<ClaimedEntry>> {
    // If the outbox is moved away, each directory has its own.
    for entries in entries.chunk_by(|one, other| place(one) == place(other)) {
        if let Err(error) = close_keys(entries) {
            not_synced(&error);
        }
    }
    entries
}

/// # Errors
/// The error of the disk.
fn close_keys(entries: &[Arc<ClaimedEntry>]) -> io::Result<()> {
    let keyed = || entries.iter().filter(|held| held.entry().once.is_some());
    let keys: Vec<_> = keyed()
        .filter_map(|held| Some((held.entry().once.as_deref()?, held.id())))
        .collect();
    if let (Some(first), false) = (entries.first(), keys.is_empty()) {
        once::close(first.dir(), &keys)?;
    }
    keyed().try_for_each(|held| held.discard())
}

/// Syncs the removals of these entries.
fn sync(removed: &[Arc<ClaimedEntry>]) {
    for entries in removed.chunk_by(|one, other| place(one) == place(other)) {
        if let Some(Err(error)) = entries.first().map(|held| held.dir().sync()) {
            not_synced(&error);
        }
    }
}

fn not_synced(error: &io::Error) {
    tracing::info!(%error, "the outbox cannot be synced: after a power cut messages may be sent again");
}
