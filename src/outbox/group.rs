//! Accepting many messages at once: first their entries are written, and made durable by one sync of
//! the file system, then they get their names, which one sync of the directory makes durable. So a
//! few syncs are enough for any number.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::accept::prepared;
use super::attempts::{Attempts, record_name};
use super::claimed::ClaimedEntry;
use super::entry::{Entry, Id};
use super::write::{publish, write};
use super::{NotKept, Outbox, once};
use crate::disk::{Dir, record};

/// From so many entries on, one sync of the whole file system takes the place of one for each.
const TOGETHER_FROM: usize = 3;

/// Accepts messages in groups.
pub(crate) struct GroupCommit(Outbox);

/// A message to accept under a name.
pub(crate) struct NewEntry {
    pub(crate) id: Id,
    pub(crate) entry: Entry,
    /// The state of its delivery, if it has been tried: on the disk before the entry is.
    pub(crate) attempts: Option<Attempts>,
}

/// An entry that has no name yet.
struct Unnamed {
    id: Id,
    entry: Entry,
    temporary: String,
    file: File,
    /// The byte offsets of its files.
    files: Vec<u64>,
    /// Whether its record is there.
    has_record: bool,
}

impl Unnamed {
    fn remove(&self, dir: &Dir) {
        let _ = dir.remove(&self.temporary);
        if self.has_record {
            let _ = dir.remove(&record_name(&self.id));
        }
    }
}

impl GroupCommit {
    /// Returns that of an outbox.
    pub(crate) fn new(outbox: Outbox) -> Self {
        Self(outbox)
    }

    /// Accepts messages; returns the entries in the same order, or why there are none.
    pub(crate) fn accept(&self, entries: Vec<NewEntry>) -> Vec<Result<Arc<ClaimedEntry>, NotKept>> {
        let count = entries.len();
        self.accept_in_order(entries)
            .unwrap_or_else(|why| vec![Err(why); count])
    }

    /// # Errors
    /// Why none of them is accepted.
    fn accept_in_order(
        &self,
        entries: Vec<NewEntry>,
    ) -> Result<Vec<Result<Arc<ClaimedEntry>, NotKept>>, NotKept> {
        // Opened for each group: it may have been moved away.
        let dir = Arc::new(prepared(&self.0).map_err(|error| self.0.disk(error))?);
        let is_group = entries.len() >= TOGETHER_FROM;
        let mut unnamed: Vec<Result<Unnamed, NotKept>> = entries
            .into_iter()
            .map(|new| self.unnamed(&dir, new, !is_group))
            .collect();
        let synced = if is_group {
            dir.sync_file_system()
        } else {
            Ok(())
        };
        let ready = synced
            .map_err(|error| self.0.disk(error))
            .and_then(|()| self.claim_keys(&dir, &mut unnamed));
        if let Err(why) = ready {
            for unnamed in unnamed.into_iter().flatten() {
                unnamed.remove(&dir);
            }
            return Err(why);
        }
        let named: Vec<Result<Unnamed, NotKept>> = unnamed
            .into_iter()
            .map(|unnamed| self.named(&dir, unnamed?))
            .collect();
        if let Err(error) = dir.sync() {
            // They are reported as not kept, so they must not stay.
            for named in named.into_iter().flatten() {
                let _ = dir.remove(named.id.as_str());
                named.remove(&dir);
            }
            return Err(self.0.disk(error));
        }
        let claimed = |named: Unnamed| claimed(&dir, named).map_err(|error| self.0.disk(error));
        Ok(named.into_iter().map(|named| claimed(named?)).collect())
    }

    fn unnamed(&self, dir: &Dir, new: NewEntry, synced: bool) -> Result<Unnamed, NotKept> {
        let disk = |error| self.0.disk(error);
        let NewEntry {
            id,
            entry,
            attempts,
        } = new;
        let (temporary, file, files) = write(dir, &id, &entry, synced).map_err(disk)?;
        let unnamed = Unnamed {
            id,
            entry,
            temporary,
            file,
            files,
            has_record: attempts.is_some(),
        };
        if let Some(attempts) = attempts
            && let Err(error) = noted(dir, &unnamed.id, &attempts, synced)
        {
            unnamed.remove(dir);
            return Err(disk(error));
        }
        Ok(unnamed)
    }

    /// Records, synced, the `--once` keys of entries; drops those whose keys are taken.
    fn claim_keys(
        &self,
        dir: &Dir,
        entries: &mut [Result<Unnamed, NotKept>],
    ) -> Result<(), NotKept> {
        let keyed = entries
            .iter()
            .flatten()
            .filter_map(|it| Some((it.entry.once.as_deref()?, &it.id)));
        let keys: Vec<_> = keyed.collect();
        if keys.is_empty() {
            return Ok(());
        }
        let known = once::begin(dir, &keys).map_err(|error| self.0.disk(error))?;
        let has_key = |it: &&mut Result<Unnamed, NotKept>| {
            it.as_ref().is_ok_and(|it| it.entry.once.is_some())
        };
        for (entry, known) in entries.iter_mut().filter(has_key).zip(known) {
            if let (Ok(unnamed), false) = (&entry, known == once::Known::Nothing) {
                unnamed.remove(dir);
                *entry = Err(NotKept::KeyTaken);
            }
        }
        Ok(())
    }

    fn named(&self, dir: &Dir, unnamed: Unnamed) -> Result<Unnamed, NotKept> {
        let (id, temporary) = (&unnamed.id, unnamed.temporary.clone());
        let written = (temporary, unnamed.file, unnamed.files);
        match publish(dir, id, &unnamed.entry, written) {
            Ok((file, files)) => Ok(Unnamed {
                file,
                files,
                ..unnamed
            }),
            Err(error) => {
                if unnamed.has_record {
                    let _ = dir.remove(&record_name(id));
                }
                Err(self.0.disk(error))
            }
        }
    }
}

/// Writes the record of an entry that is not there yet.
fn noted(dir: &Dir, id: &Id, attempts: &Attempts, synced: bool) -> io::Result<()> {
    let file = record::open(dir, &record_name(id))?;
    record::write(&file, attempts)?;
    if synced { file.sync_all() } else { Ok(()) }
}

fn claimed(dir: &Arc<Dir>, named: Unnamed) -> io::Result<Arc<ClaimedEntry>> {
    let file = Arc::new(named.file);
    let entry = named.entry.placed(&file, &named.files);
    let entry = entry.inspect_err(|_| {
        let _ = dir.remove(named.id.as_str());
    })?;
    let held = ClaimedEntry::new(Arc::clone(dir), named.id, entry, file);
    Ok(Arc::new(if named.has_record {
        held.remembered()
    } else {
        held
    }))
}
