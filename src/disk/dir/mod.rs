//! One of our directories, held open: all names are resolved from there, so nobody can redirect us
//! by swapping the directory for a link. `files` has what is done with the files in it, `lock` their
//! locks.

mod files;
mod lock;

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::file::FileAt;
use super::trust::{Writers, check_dir};
use super::walk::{find_dir, open_dir};
use super::{FileError, Owner, euid};
pub(crate) use lock::{Lock, TemporaryLock};

/// The mode of the directories.
const DIR_MODE: u32 = 0o700;

/// The mode of the files in them.
const FILE_MODE: u32 = 0o600;

/// The typical size of an entry with a short message, in bytes.
const SAMPLE: usize = 4096;

/// A directory with our files.
#[derive(Debug)]
pub(crate) struct Dir {
    file: File,
    meta: Metadata,
    path: PathBuf,
    owner: Owner,
}

impl Dir {
    /// Opens a directory in which our files are, whatever its mode. With `make`, creates what is
    /// missing of it with this mode.
    ///
    /// # Errors
    /// An I/O error, or for root the user who could change it.
    pub(crate) fn open(path: &Path, make: Option<u32>) -> io::Result<Self> {
        let (file, meta) = open_dir(path, make, Writers::Owner, OFlags::RDONLY)?;
        Ok(Self::of(file, meta, path))
    }

    /// Returns the metadata of a directory to open.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn metadata_at(path: &Path) -> io::Result<Metadata> {
        Ok(find_dir(path, Writers::Owner)?.1)
    }

    /// Opens the directory of a log or of a new config; returns the file's name in it, too.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn parent_of(path: &Path, writers: Writers) -> io::Result<(Self, String)> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(FileError::NotAFilePath.into());
        };
        let name = name.to_str().ok_or(FileError::NotAFilePath)?;
        let (file, meta) = open_dir(parent, None, writers, OFlags::RDONLY)?;
        check_dir(&meta, parent, writers)?;
        let mut dir = Self::of(file, meta, parent);
        if dir.meta.mode() & 0o020 != 0 && dir.meta.uid() == euid() {
            dir.owner = Owner::us();
        }
        Ok((dir, name.to_owned()))
    }

    fn of(file: File, meta: Metadata, path: &Path) -> Self {
        Self {
            owner: Owner::of_directory(&meta),
            path: path.to_owned(),
            file,
            meta,
        }
    }

    /// Returns its metadata when it was opened.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.meta
    }

    /// Whether anybody can write to it by now.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn is_shared(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.mode() & 0o002 != 0)
    }

    /// Whether we may write to it.
    ///
    /// # Errors
    /// The obstacle.
    pub(crate) fn may_write(&self) -> io::Result<()> {
        let rights = Access::WRITE_OK | Access::EXEC_OK;
        Ok(rustix::fs::accessat(
            &self.file,
            ".",
            rights,
            AtFlags::EACCESS,
        )?)
    }

    /// Writes and syncs a sample file, and leaves nothing there.
    ///
    /// # Errors
    /// The error that an outbox entry would meet, such as a full disk.
    pub(crate) fn try_writing(&self) -> io::Result<()> {
        let write = |mut file: File| {
            file.write_all(&[b'x'; SAMPLE])?;
            file.sync_all()
        };
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(FILE_MODE);
        if let Ok(file) = rustix::fs::openat(&self.file, ".", flags, mode) {
            return write(File::from(file));
        }
        // The file system has no nameless files.
        let name = format!("check.{}", std::process::id());
        let written = write(self.create(&name)?);
        self.remove(&name)?;
        written
    }

    /// Returns the free space for us on its disk, in bytes.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn free(&self) -> io::Result<u64> {
        let stat = rustix::fs::fstatvfs(&self.file)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Whether a path leads to it, under any name.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let here = (self.meta.dev(), self.meta.ino());
        fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == here)
    }

    /// Reads the names in a directory, without changing anything in it.
    ///
    /// # Errors
    /// Those of `open`.
    pub(crate) fn names_at(path: &Path) -> io::Result<Vec<String>> {
        Self::open(path, None)?.names()?.collect()
    }

    /// Returns its path, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a path that leads to it whatever its name leads to by now; its name without `/proc`.
    pub(crate) fn path_by_handle(&self) -> PathBuf {
        let by_handle = PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        if by_handle.exists() {
            by_handle
        } else {
            self.path.clone()
        }
    }

    /// Returns the path of a file in it, for messages.
    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens one of our private subdirectories; returns `None` if it does not exist.
    ///
    /// # Errors
    /// If the name is a link, or belongs to another user.
    pub(crate) fn sub(&self, name: &str) -> io::Result<Option<Self>> {
        let file = match open(&self.file, Path::new(name)) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => return Err(FileError::NotDirectory.into()),
            opened => opened?,
        };
        let meta = file.metadata()?;
        if !self.owner.trusts(&meta) {
            return Err(FileError::OtherOwner.into());
        }
        if meta.mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(DIR_MODE))?;
        }
        Ok(Some(Self {
            file,
            meta,
            path: self.path_of(name),
            owner: self.owner,
        }))
    }

    /// Opens one of our subdirectories, creating it if needed; does not sync its name.
    ///
    /// # Errors
    /// As `sub`, or if it cannot be created.
    pub(crate) fn make_sub(&self, name: &str) -> io::Result<Self> {
        if let Some(dir) = self.sub(name)? {
            return Ok(dir);
        }
        let mode = Mode::from_raw_mode(DIR_MODE);
        match retry_on_intr(|| rustix::fs::mkdirat(&self.file, name, mode)) {
            // Another process has just created it.
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let dir = self.sub(name)?.ok_or_else(gone)?;
        self.owner.take(&dir.file, DIR_MODE)?;
        Ok(dir)
    }

    fn at<'a>(&'a self, name: &'a str) -> FileAt<'a> {
        FileAt::within(self.file.as_fd(), &self.path, Path::new(name), self.owner)
    }

    /// Syncs all names in it, against a power cut.
    ///
    /// # Errors
    /// An I/O error; names may then be lost in a power cut.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(retry_on_intr(|| rustix::fs::fsync(&self.file))?)
    }

    /// Syncs the whole file system that it is in: what many files hold, at the price of one. Linux
    /// before 5.8 reports no failure to write here (syncfs(2)).
    ///
    /// # Errors
    /// An I/O error; what was written may then be lost in a power cut.
    pub(crate) fn sync_file_system(&self) -> io::Result<()> {
        Ok(retry_on_intr(|| rustix::fs::syncfs(&self.file))?)
    }

    /// Reads all names in directory order, with U+FFFD for invalid UTF-8.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = io::Result<String>>> {
        names(&self.file)
    }
}

fn open(dir: impl AsFd, name: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(&dir, name, flags, Mode::empty())).map(File::from)
}

/// Reads all names in a directory.
fn names(dir: &File) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
    let entries = rustix::fs::Dir::new(open(dir, Path::new("."))?)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(names.filter(|name| !matches!(name.as_deref(), Ok("." | ".."))))
}
