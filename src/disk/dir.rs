//! A directory of ours that is held open: every name in it is looked up from there, so that
//! nobody who swaps the directory for a link leads us elsewhere.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::file::FileAt;
use super::{FileError, LockedFile, Owner, read_at_most};

/// Mode of the directories.
const DIR_MODE: u32 = 0o700;

/// Mode of the files in them.
const FILE_MODE: u32 = 0o600;

/// A private directory.
#[derive(Debug)]
pub(crate) struct Dir {
    file: File,
    path: PathBuf,
    owner: Owner,
}

impl Dir {
    /// Opens a directory of ours; `None` if it is not there.
    ///
    /// # Errors
    /// Where the path is a link, or another user's.
    pub(crate) fn open(path: &Path, owner: Owner) -> io::Result<Option<Self>> {
        let file = match open(path) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => return Err(FileError::NotDirectory.into()),
            opened => opened?,
        };
        let meta = file.metadata()?;
        if !owner.trusts(&meta) {
            return Err(FileError::OtherOwner.into());
        }
        if meta.mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(DIR_MODE))?;
        }
        Ok(Some(Self {
            file,
            path: path.to_owned(),
            owner,
        }))
    }

    /// Reads the names in any directory, whosever it is; nothing in it is touched.
    ///
    /// # Errors
    /// The disk's error.
    pub(crate) fn names_at(path: &Path) -> io::Result<Vec<String>> {
        names(&open(path)?)?.collect()
    }

    /// Opens a directory of ours, creating it if need be; its name is not synced.
    ///
    /// # Errors
    /// As `open`, or where it cannot be made.
    pub(crate) fn make(path: &Path, owner: Owner) -> io::Result<Self> {
        if let Some(dir) = Self::open(path, owner)? {
            return Ok(dir);
        }
        match retry_on_intr(|| rustix::fs::mkdir(path, Mode::from_raw_mode(DIR_MODE))) {
            // Another process has just made it.
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let dir = Self::open(path, owner)?.ok_or_else(gone)?;
        owner.take(&dir.file, DIR_MODE)?;
        Ok(dir)
    }

    /// Its path, for people.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The owner of new files in it.
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    /// Opens a directory of ours in it; `None` if it is not there.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn sub(&self, name: &str) -> io::Result<Option<Self>> {
        Self::open(&self.path.join(name), self.owner)
    }

    fn at<'a>(&'a self, name: &'a str) -> FileAt<'a> {
        FileAt::within(self.file.as_fd(), Path::new(name), self.owner)
    }

    /// Creates a file that was not there, to be written and read.
    ///
    /// # Errors
    /// `AlreadyExists`, or the disk's error.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        self.at(name).create(OFlags::RDWR, FILE_MODE)
    }

    /// Opens a file of ours to be read and written.
    ///
    /// # Errors
    /// `NotFound`, or why it is none of ours.
    pub(crate) fn edit(&self, name: &str) -> io::Result<(File, Metadata)> {
        self.at(name).open(OFlags::RDWR)
    }

    /// Opens a file of ours, creating it if need be, and waits for its lock. Lines that are
    /// written to it outlast a power cut.
    ///
    /// # Errors
    /// Those of [`super::lock_file`].
    pub(crate) fn lock_file<'a>(
        &'a self,
        name: &'a str,
        patience: Duration,
    ) -> io::Result<LockedFile<'a>> {
        LockedFile::wait(self.at(name), patience, true)
    }

    /// Reads the bytes of a file of ours, `max` at the most; `None` if it is not there.
    ///
    /// # Errors
    /// Why it is none of ours, or cannot be read.
    pub(crate) fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        let read = |(file, meta)| read_at_most(file, &meta, max);
        self.view(name)?.map(read).transpose()
    }

    /// Opens a file of ours to be read; `None` if it is not there.
    ///
    /// # Errors
    /// Why it is none of ours.
    pub(crate) fn view(&self, name: &str) -> io::Result<Option<(File, Metadata)>> {
        self.at(name).open_if_there(OFlags::RDONLY)
    }

    /// Gives a file another name, which nothing had, at once and as a whole.
    ///
    /// # Errors
    /// `AlreadyExists`, or the disk's error.
    pub(crate) fn publish(&self, from: &str, into: &Self, to: &str) -> io::Result<()> {
        self.at(from).rename_new(into.at(to))
    }

    /// Gives a file another name, in place of what had it.
    ///
    /// # Errors
    /// The disk's error.
    pub(crate) fn rename(&self, from: &str, into: &Self, to: &str) -> io::Result<()> {
        self.at(from).rename(into.at(to))
    }

    /// Removes a file, if it is still there.
    ///
    /// # Errors
    /// The disk's error.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        self.at(name).remove()
    }

    /// Makes sure that a power cut takes none of its names back.
    ///
    /// # Errors
    /// The disk's error; then it may.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(retry_on_intr(|| rustix::fs::fsync(&self.file))?)
    }

    /// Whether a name still leads to this file.
    pub(crate) fn leads_to(&self, name: &str, open: &Metadata) -> bool {
        self.at(name).leads_to(open)
    }

    /// Returns the Unix seconds of the last change of a file's bytes, if they are known.
    pub(crate) fn changed_at(&self, name: &str) -> Option<u64> {
        u64::try_from(self.at(name).stat().ok()?.st_mtime).ok()
    }

    /// Returns a file's size in bytes, if it is known.
    pub(crate) fn size(&self, name: &str) -> Option<u64> {
        u64::try_from(self.at(name).stat().ok()?.st_size).ok()
    }

    /// Reads every name in it, in the disk's order, with U+FFFD for what is not UTF-8.
    ///
    /// # Errors
    /// The disk's error.
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = io::Result<String>>> {
        names(&self.file)
    }
}

fn open(path: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())).map(File::from)
}

fn names(dir: &File) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
    let entries = retry_on_intr(|| rustix::fs::Dir::read_from(dir))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(names.filter(|name| !matches!(name.as_deref(), Ok("." | ".."))))
}
