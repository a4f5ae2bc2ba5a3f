//! Records of delivered entries, used again by the next ones of a flush.
//!
//! Removing a file and making one for each message would cost more with each: ext4 looks at all that were
//! removed in the last seconds before it makes a new one.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::TEMPORARY;
use super::attempts::{Attempts, record_name};
use super::entry::Id;
use crate::disk::{Dir, record};

/// The most that are kept: as many as requests are under way, and some.
const SPARES_MAX: usize = 8;

/// The records that no entry uses. They are removed in the end; of a killed process, by a later flush.
#[derive(Debug, Default)]
pub(crate) struct SpareRecords(Mutex<Vec<SpareRecord>>);

/// A record under a name that no flush looks at.
#[derive(Debug)]
struct SpareRecord {
    dir: Arc<Dir>,
    name: String,
    file: Arc<File>,
}

impl SpareRecords {
    /// Makes one of them the record of an entry, which has this content from the first moment on; `None` if
    /// there is none, or it cannot be used.
    pub(super) fn take(&self, dir: &Arc<Dir>, id: &Id, content: &Attempts) -> Option<Arc<File>> {
        let spare = self.locked().pop()?;
        let is_here = Arc::ptr_eq(&spare.dir, dir);
        let used = is_here.then(|| {
            record::write(&spare.file, content)?;
            dir.rename(&spare.name, dir, &record_name(id))
        });
        if let Some(Ok(())) = used {
            return Some(spare.file);
        }
        let _ = spare.dir.remove(&spare.name);
        None
    }

    /// Takes the record of an entry that is gone.
    ///
    /// # Errors
    /// The error of the disk; the record stays.
    pub(super) fn keep(&self, dir: &Arc<Dir>, id: &Id, file: &Arc<File>) -> io::Result<()> {
        let mut spares = self.locked();
        if spares.len() >= SPARES_MAX {
            return dir.remove(&record_name(id));
        }
        let name = format!("{TEMPORARY}{id}");
        dir.rename(&record_name(id), dir, &name)?;
        spares.push(SpareRecord {
            dir: Arc::clone(dir),
            name,
            file: Arc::clone(file),
        });
        Ok(())
    }

    fn locked(&self) -> MutexGuard<'_, Vec<SpareRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SpareRecords {
    fn drop(&mut self) {
        for spare in self.locked().drain(..) {
            let _ = spare.dir.remove(&spare.name);
        }
    }
}
