//! An entry that is written just before its first byte is sent; until then there is no file.

use std::io;
use std::sync::{Arc, OnceLock};

use super::claimed::ClaimedEntry;
use super::entry::{Entry, Id};
use super::write::place;
use crate::disk::Dir;

/// An entry that carries the texts of others, which stay until it is delivered.
#[derive(Debug)]
pub(crate) struct Deferred {
    dir: Arc<Dir>,
    id: Id,
    entry: Entry,
    /// The entries whose texts it carries.
    originals: Vec<Arc<ClaimedEntry>>,
    held: OnceLock<Result<Arc<ClaimedEntry>, Arc<io::Error>>>,
}

impl Deferred {
    /// Returns an unwritten entry named `id` that carries the texts of others.
    pub(crate) fn new(
        dir: &Arc<Dir>,
        id: Id,
        entry: Entry,
        originals: Vec<Arc<ClaimedEntry>>,
    ) -> Self {
        Self {
            dir: Arc::clone(dir),
            id,
            entry,
            originals,
            held: OnceLock::new(),
        }
    }

    /// Returns the message.
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Returns the entry, which the first call writes and syncs.
    ///
    /// # Errors
    /// The error of the disk.
    pub(crate) fn held(&self) -> io::Result<Arc<ClaimedEntry>> {
        let held = self.held.get_or_init(|| {
            // A flush that listed the outbox earlier must not send them as well.
            for original in &self.originals {
                original.note(|attempts| attempts.carried_by = Some(self.id.to_string()));
            }
            let (file, _) = place(&self.dir, &self.id, &self.entry).map_err(Arc::new)?;
            let (dir, id) = (Arc::clone(&self.dir), self.id.clone());
            Ok(Arc::new(ClaimedEntry::new(
                dir,
                id,
                self.entry.clone(),
                Arc::new(file),
            )))
        });
        let again = |error: &Arc<io::Error>| io::Error::new(error.kind(), Arc::clone(error));
        held.as_ref().map(Arc::clone).map_err(again)
    }

    /// Returns the entry, if it has been written.
    pub(crate) fn written(&self) -> Option<Arc<ClaimedEntry>> {
        self.held.get()?.as_ref().ok().map(Arc::clone)
    }
}
