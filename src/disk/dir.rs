//! One of our directories, held open: all names are resolved from there, so nobody can redirect us
//! by swapping the directory for a link.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{Access, AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::atomic::{exists, install, place_over, replace_at, set_aside};
use super::error::at;
use super::file::FileAt;
use super::walk::{Writers, check_dir, open_dir};
use super::{FileError, LockedFile, Owner, euid, lock_now, read_at_most};

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
            let file = self.append(name, FILE_MODE)?;
            // If the name now leads elsewhere, another process may hold that file's lock.
            let is_ours = lock_now(&file)? && self.leads_to(name, &file.metadata()?);
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

    /// Opens one of our files for appending, creating it if needed.
    ///
    /// # Errors
    /// If the name is not one of our regular files, or cannot be opened.
    pub(crate) fn append(&self, name: &str, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::APPEND;
        Ok(self.at(name).open_or_create(flags, mode)?.0)
    }

    /// Replaces one of our files, not synced. Only for the holder of the lock that guards it: damage
    /// by a power cut is detected, and the file is made anew.
    ///
    /// # Errors
    /// If something other than one of our files is in the way, or writing fails.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        replace_at(self.at(name), bytes, FILE_MODE, false)
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

fn open(dir: impl AsFd, name: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(&dir, name, flags, Mode::empty())).map(File::from)
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

/// Reads all names in a directory.
fn names(dir: &File) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
    let entries = retry_on_intr(|| rustix::fs::Dir::read_from(dir))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(names.filter(|name| !matches!(name.as_deref(), Ok("." | ".."))))
}
