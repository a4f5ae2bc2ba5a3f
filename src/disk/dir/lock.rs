//! Locks on files of a directory.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::super::error::at;
use super::super::{LockedFile, lock_now};
use super::{Dir, FILE_MODE};

impl Dir {
    /// Opens one of our files, creating it if needed, and waits for its lock. With `synced`, its
    /// writes survive a power cut.
    ///
    /// # Errors
    /// If the name is not one of our regular files or cannot be opened, the file system has no
    /// locks, or another process holds the lock until the timeout.
    pub(crate) fn lock_file<'a>(
        &'a self,
        name: &'a str,
        patience: Duration,
        synced: bool,
    ) -> io::Result<LockedFile<'a>> {
        LockedFile::wait(self.at(name), patience, synced)
    }

    /// Takes the lock on a file that is never renamed; returns `None` if another process holds it.
    ///
    /// # Errors
    /// If the file is not ours or cannot be created, or the file system has no locks.
    pub(crate) fn try_lock(&self, name: &str) -> io::Result<Option<Lock>> {
        let locked = || -> io::Result<Option<Lock>> {
            let (file, meta) = self.append(name, FILE_MODE)?;
            // If the name now leads elsewhere, another process may hold that file's lock.
            let is_ours = lock_now(&file)? && self.leads_to(name, &meta);
            Ok(is_ours.then_some(Lock { _file: file }))
        };
        locked().map_err(at(&self.path_of(name)))
    }

    /// Takes the lock on a file that exists only while the lock is held; returns `None` if another
    /// process holds it, or has just released it.
    ///
    /// # Errors
    /// Those of `try_lock`.
    pub(crate) fn try_lock_temporary(
        self: &Arc<Self>,
        name: &str,
    ) -> io::Result<Option<TemporaryLock>> {
        let lock = self.try_lock(name)?;
        Ok(lock.map(|lock| TemporaryLock {
            dir: Arc::clone(self),
            name: name.to_owned(),
            _lock: lock,
        }))
    }
}

/// A kernel lock on a file. It ends with the value, or with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// A lock on a file that exists only while the lock is held.
#[derive(Debug)]
pub(crate) struct TemporaryLock {
    dir: Arc<Dir>,
    name: String,
    _lock: Lock,
}

impl Drop for TemporaryLock {
    fn drop(&mut self) {
        // Removed under the lock: a process that has opened it meanwhile sees that the name leads
        // elsewhere. Best effort: a file that stays is unlocked, and can be locked again.
        let _ = self.dir.remove(&self.name);
    }
}
