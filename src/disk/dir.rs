//! One of our directories, held open: all names are resolved from there, so nobody can redirect us
//! by swapping the directory for a link.

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

/// The mode of the directories.
const DIR_MODE: u32 = 0o700;

/// The mode of the files in them.
const FILE_MODE: u32 = 0o600;

/// A private directory.
#[derive(Debug)]
pub(crate) struct Dir {
    file: File,
    path: PathBuf,
    owner: Owner,
}

impl Dir {
    /// Opens one of our directories; returns `None` if it does not exist.
    ///
    /// # Errors
    /// If the path is a link, or belongs to another user.
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

    /// Reads the names in any user's directory, without changing anything in it.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn names_at(path: &Path) -> io::Result<Vec<String>> {
        names(&open(path)?)?.collect()
    }

    /// Opens one of our directories, creating it if needed; does not sync its name.
    ///
    /// # Errors
    /// As `open`, or if it cannot be created.
    pub(crate) fn make(path: &Path, owner: Owner) -> io::Result<Self> {
        if let Some(dir) = Self::open(path, owner)? {
            return Ok(dir);
        }
        match retry_on_intr(|| rustix::fs::mkdir(path, Mode::from_raw_mode(DIR_MODE))) {
            // Another process has just created it.
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let dir = Self::open(path, owner)?.ok_or_else(gone)?;
        owner.take(&dir.file, DIR_MODE)?;
        Ok(dir)
    }

    /// Returns its path, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the owner of new files in it.
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    /// Opens one of our subdirectories; returns `None` if it does not exist.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn sub(&self, name: &str) -> io::Result<Option<Self>> {
        Self::open(&self.path.join(name), self.owner)
    }

    fn at<'a>(&'a self, name: &'a str) -> FileAt<'a> {
        FileAt::within(self.file.as_fd(), Path::new(name), self.owner)
    }

    /// Creates a new file for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists`, or an I/O error.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        self.at(name).create(OFlags::RDWR, FILE_MODE)
    }

    /// Opens one of our files for reading and writing.
    ///
    /// # Errors
    /// `NotFound`, or the reason why the file is not ours.
    pub(crate) fn edit(&self, name: &str) -> io::Result<(File, Metadata)> {
        self.at(name).open(OFlags::RDWR)
    }

    /// Opens one of our files, creating it if needed, and waits for its lock. Its writes are
    /// synced.
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

    /// Syncs all names in it, against a power cut.
    ///
    /// # Errors
    /// An I/O error; names may then be lost in a power cut.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(retry_on_intr(|| rustix::fs::fsync(&self.file))?)
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

    /// Reads all names in directory order, with U+FFFD for invalid UTF-8.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = io::Result<String>>> {
        names(&self.file)
    }
}

fn open(path: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())).map(File::from)
}

/// Reads all names in a directory.
pub(super) fn names(dir: &File) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
    let entries = retry_on_intr(|| rustix::fs::Dir::read_from(dir))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(names.filter(|name| !matches!(name.as_deref(), Ok("." | ".."))))
}
