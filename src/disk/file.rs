//! Opens one of our files by its name in an open directory.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::{FileError, Owner, euid};

/// The location of a file: its name in an open directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileAt<'a> {
    dir: BorrowedFd<'a>,
    /// The path of the directory, for messages.
    base: &'a Path,
    name: &'a Path,
    pub(super) owner: Owner,
}

impl<'a> FileAt<'a> {
    pub(super) fn within(
        dir: BorrowedFd<'a>,
        base: &'a Path,
        name: &'a Path,
        owner: Owner,
    ) -> Self {
        Self {
            dir,
            base,
            name,
            owner,
        }
    }

    /// Returns its path, for messages.
    pub(super) fn path(self) -> PathBuf {
        self.base.join(self.name)
    }

    /// Returns the location of this name in the same directory.
    pub(super) fn named<'b>(self, name: &'b Path) -> FileAt<'b>
    where
        'a: 'b,
    {
        FileAt { name, ..self }
    }

    pub(super) fn name(self) -> &'a Path {
        self.name
    }

    /// Opens one of our files; refuses links, other file types, and files with several hard links.
    ///
    /// # Errors
    /// `NotFound`, or the obstacle.
    pub(super) fn open(self, flags: OFlags) -> io::Result<(File, Metadata)> {
        // Without NONBLOCK a FIFO would block us until its other end is opened.
        let file = self.open_any(flags | OFlags::NONBLOCK, Mode::empty())?;
        let meta = file.metadata()?;
        let error = if !meta.is_file() {
            FileError::NotRegular
        } else if meta.nlink() > 1 {
            FileError::HardLinked
        } else if !self.owner.trusts(&meta) {
            FileError::OtherOwner
        } else {
            return Ok((file, meta));
        };
        Err(error.into())
    }

    /// Opens a file as `open` does; returns `None` if it does not exist.
    pub(super) fn open_if_there(self, flags: OFlags) -> io::Result<Option<(File, Metadata)>> {
        match self.open(flags) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Opens a file of any type except a link.
    pub(super) fn open_any(self, flags: OFlags, mode: Mode) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match retry_on_intr(|| rustix::fs::openat(self.dir, self.name, flags, mode)) {
            Ok(fd) => Ok(File::from(fd)),
            Err(Errno::LOOP) => Err(FileError::Symlink.into()),
            // A FIFO without a reader, a socket, or a missing device.
            Err(Errno::NXIO) => Err(FileError::NotRegular.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates a new file with exactly this mode.
    ///
    /// # Errors
    /// `AlreadyExists`, or an I/O error.
    pub(super) fn create(self, flags: OFlags, mode: u32) -> io::Result<(File, Metadata)> {
        let flags = flags | OFlags::CREATE | OFlags::EXCL;
        let file = self.open_any(flags, Mode::from_raw_mode(mode))?;
        let meta = self.owner.take(&file, mode)?;
        Ok((file, meta))
    }

    /// Opens one of our files, creating it if needed, and sets its mode.
    pub(super) fn open_or_create(self, flags: OFlags, mode: u32) -> io::Result<(File, Metadata)> {
        let (file, meta) = match self.open_if_there(flags)? {
            Some(opened) => opened,
            None => match self.create(flags, mode) {
                // Another process has just created it.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.open(flags)?,
                made => return made,
            },
        };
        // In a directory of others, a file of ours may have been moved there by them: its mode is
        // kept.
        let ours = self.owner.0.is_none() && meta.uid() == euid();
        if ours && meta.mode() & 0o7777 != mode {
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        Ok((file, meta))
    }

    /// Returns the metadata of the name, without following a link.
    pub(super) fn stat(self) -> io::Result<Stat> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(retry_on_intr(|| {
            rustix::fs::statat(self.dir, self.name, flags)
        })?)
    }

    /// Whether the name still leads to an open file.
    pub(super) fn leads_to(self, open: &Metadata) -> bool {
        self.stat()
            .is_ok_and(|now| now.st_ino == open.ino() && now.st_dev == open.dev())
    }

    /// Removes the file, if it still exists.
    pub(super) fn remove(self) -> io::Result<()> {
        match retry_on_intr(|| rustix::fs::unlinkat(self.dir, self.name, AtFlags::empty())) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Renames the file, replacing any file of the new name.
    pub(super) fn rename(self, to: FileAt<'_>) -> io::Result<()> {
        Ok(retry_on_intr(|| {
            rustix::fs::renameat(self.dir, self.name, to.dir, to.name)
        })?)
    }

    /// Renames the file to a name that must be free.
    ///
    /// # Errors
    /// `AlreadyExists`, or an I/O error.
    pub(super) fn rename_new(self, to: FileAt<'_>) -> io::Result<()> {
        let flags = RenameFlags::NOREPLACE;
        let renamed = retry_on_intr(|| {
            rustix::fs::renameat_with(self.dir, self.name, to.dir, to.name, flags)
        });
        match renamed {
            // Not supported by the file system. Callers have checked, or their names are random.
            Err(Errno::INVAL | Errno::NOSYS) => self.rename(to),
            renamed => Ok(renamed?),
        }
    }

    /// Syncs the directory of the name, against a power cut.
    pub(super) fn sync_dir(self) -> io::Result<()> {
        Ok(retry_on_intr(|| rustix::fs::fsync(self.dir))?)
    }
}
