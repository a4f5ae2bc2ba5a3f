//! The files of a directory, by their names.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;

use super::super::atomic::{exists, install, place_over, replace_at, set_aside};
use super::super::file::FileAt;
use super::super::{Owner, read_at_most};
use super::{Dir, FILE_MODE};

impl Dir {
    /// Creates a new file for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists`, or an I/O error.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        Ok(self.at(name).create(OFlags::RDWR, FILE_MODE)?.0)
    }

    /// Opens one of our files for reading and writing.
    ///
    /// # Errors
    /// `NotFound`, or the reason why the file is not ours.
    pub(crate) fn edit(&self, name: &str) -> io::Result<(File, Metadata)> {
        self.at(name).open(OFlags::RDWR)
    }

    /// Opens one of our files for appending, creating it if needed.
    ///
    /// # Errors
    /// If the name is not one of our regular files, or cannot be opened.
    pub(crate) fn append(&self, name: &str, mode: u32) -> io::Result<(File, Metadata)> {
        let flags = OFlags::WRONLY | OFlags::APPEND;
        self.at(name).open_or_create(flags, mode)
    }

    /// Replaces one of our files, not synced. Only for the holder of the lock that guards it: damage
    /// by a power cut is detected, and the file is made anew.
    ///
    /// # Errors
    /// If something other than one of our files is in the way, or writing fails.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.replace_with_mode(name, bytes, FILE_MODE)
    }

    /// Does as `replace`, for a file of this mode.
    ///
    /// # Errors
    /// Those of `replace`.
    pub(crate) fn replace_with_mode(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        replace_at(self.at(name), bytes, mode, false)
    }

    /// Whether a file of this name exists.
    ///
    /// # Errors
    /// If it is a link, even a dangling one, or not a regular file, or if we may not look.
    pub(crate) fn has_file(&self, name: &str) -> io::Result<bool> {
        exists(self.at(name))
    }

    /// Installs a synced file that does not exist yet.
    ///
    /// # Errors
    /// `AlreadyExists`, or the obstacle.
    pub(crate) fn place(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        install(self.at(name), bytes, mode, false)
    }

    /// Replaces a file, and keeps the old one next to it as `.old`; returns that path. Both get this
    /// owner.
    ///
    /// # Errors
    /// The obstacle; the old file is then still in its place.
    pub(crate) fn place_over(
        &self,
        name: &str,
        bytes: &[u8],
        mode: u32,
        owner: Owner,
    ) -> io::Result<PathBuf> {
        let at = FileAt::within(self.file.as_fd(), &self.path, Path::new(name), owner);
        let aside = place_over(at, bytes, mode)?;
        Ok(self.path.join(aside))
    }

    /// Renames one of our files that has reached `max` bytes, over any file of the new name; see
    /// [`set_aside`]. One process does so, by a lock beside the file: others may read the file
    /// itself, and who can read a file can lock it.
    ///
    /// # Errors
    /// Those of [`set_aside`] and `try_lock`.
    pub(crate) fn set_aside(self: &Arc<Self>, name: &str, aside: &str, max: u64) -> io::Result<()> {
        let Some(_lock) = self.try_lock_temporary(&format!("{name}.lock"))? else {
            return Ok(());
        };
        set_aside(self.at(name), self.at(aside), max)
    }

    /// Reads one of our small files. Returns `None` if it does not exist, and no bytes if it is larger
    /// than `max` bytes or others may have written it.
    ///
    /// # Errors
    /// If the name is not one of our regular files, or cannot be read.
    pub(crate) fn read_private(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        let Some((file, meta)) = self.view(name)? else {
            return Ok(None);
        };
        if meta.mode() & 0o022 != 0 || meta.len() > max {
            return Ok(Some(Vec::new()));
        }
        read_at_most(file, &meta, max).map(Some)
    }

    /// Reads at most `max` bytes of one of our files; returns `None` if it does not exist.
    ///
    /// # Errors
    /// The reason why the file is not ours, or an I/O error.
    pub(crate) fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        let read = |(file, meta)| read_at_most(file, &meta, max);
        self.view(name)?.map(read).transpose()
    }

    /// Opens one of our files for reading; returns `None` if it does not exist.
    ///
    /// # Errors
    /// The reason why the file is not ours.
    pub(crate) fn view(&self, name: &str) -> io::Result<Option<(File, Metadata)>> {
        self.at(name).open_if_there(OFlags::RDONLY)
    }

    /// Renames a file atomically to a name that must be free.
    ///
    /// # Errors
    /// `AlreadyExists`, or an I/O error.
    pub(crate) fn publish(&self, from: &str, into: &Self, to: &str) -> io::Result<()> {
        self.at(from).rename_new(into.at(to))
    }

    /// Renames a file, replacing any file of the new name.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn rename(&self, from: &str, into: &Self, to: &str) -> io::Result<()> {
        self.at(from).rename(into.at(to))
    }

    /// Removes a file, if it still exists.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        self.at(name).remove()
    }

    /// Whether a name still leads to this open file.
    pub(crate) fn leads_to(&self, name: &str, open: &Metadata) -> bool {
        self.at(name).leads_to(open)
    }

    /// Returns the time of a file's last modification in Unix seconds, if known.
    pub(crate) fn changed_at(&self, name: &str) -> Option<u64> {
        u64::try_from(self.at(name).stat().ok()?.st_mtime).ok()
    }

    /// Returns the size of a file in bytes, if known.
    pub(crate) fn size(&self, name: &str) -> Option<u64> {
        u64::try_from(self.at(name).stat().ok()?.st_size).ok()
    }
}
