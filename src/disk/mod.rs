//! Files that must be ours: opened without following links, private whatever the umask, replaced as
//! a whole, locked by the kernel.
//!
//! The only place with a rename, an fsync or a lock. Errors are the system's, or a [`FileError`]
//! within an `io::Error`.

mod atomic;
mod dir;
mod drop_dir;
mod error;
mod file;
mod journal;
pub(crate) mod record;

pub(crate) use atomic::{
    exists, make_dirs, place, place_over, replace, set_aside, sync_parent, with_suffix,
};
pub(crate) use dir::Dir;
pub(crate) use drop_dir::{DropDir, DroppedFile};
pub(crate) use error::FileError;
pub(crate) use journal::{LockedFile, Pause, lock_file, lossy};

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::OFlags;

use error::at;
use file::FileAt;

/// The typical size of an entry with a short message, in bytes.
const SAMPLE: usize = 4096;

/// Returns our effective user id, which never changes; asked once.
pub(crate) fn euid() -> u32 {
    static EUID: OnceLock<u32> = OnceLock::new();
    *EUID.get_or_init(|| rustix::process::geteuid().as_raw())
}

/// The user and group of new files in a directory, if root works in another user's directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner(Option<(u32, u32)>);

impl Owner {
    /// Returns the owner of new files in a directory: us, or its own owner if we are root.
    pub(crate) fn of_directory(meta: &Metadata) -> Self {
        let foreign = euid() == 0 && meta.uid() != 0;
        Self(foreign.then(|| (meta.uid(), meta.gid())))
    }

    /// Returns the owner and group of a replaced file, if we may give them to the new one.
    pub(crate) fn of_file(meta: &Metadata) -> Self {
        let may = [0, meta.uid()].contains(&euid());
        Self(may.then(|| (meta.uid(), meta.gid())))
    }

    /// Gives a file this owner, and exactly this mode.
    fn take(self, file: &File, mode: u32) -> io::Result<()> {
        if let Some((uid, gid)) = self.0 {
            fchown(file, Some(uid), Some(gid))?;
        }
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// Whether a file belongs to us, to root, or to the owner of its directory.
    fn trusts(self, meta: &Metadata) -> bool {
        let uid = meta.uid();
        uid == 0 || uid == euid() || self.0.is_some_and(|(owner, _)| owner == uid)
    }
}

/// Reads one of our small files. Returns `None` if it does not exist, and no bytes if it is larger
/// than `max` bytes or others may have written it.
///
/// # Errors
/// If the path is not one of our regular files, or cannot be read.
pub(crate) fn read(path: &Path, max: u64, owner: Owner) -> io::Result<Option<Vec<u8>>> {
    let Some((file, meta)) = FileAt::path(path, owner).open_if_there(OFlags::RDONLY)? else {
        return Ok(None);
    };
    if meta.mode() & 0o022 != 0 || meta.len() > max {
        return Ok(Some(Vec::new()));
    }
    read_at_most(file, &meta, max).map(Some)
}

/// Reads at most `max` bytes of a file. The buffer has one byte more, so that one read finds the
/// end.
fn read_at_most(file: File, meta: &Metadata, max: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(meta.len().min(max)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(size + 1);
    file.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a regular file of at most `max` bytes that the user named: links are fine.
///
/// # Errors
/// If it is not a regular file, is larger, or cannot be read.
pub(crate) fn read_named(path: &Path, max: u64) -> io::Result<(Vec<u8>, Metadata)> {
    // Without NONBLOCK a FIFO would block us for ever.
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblock)
        .open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(FileError::NotRegular.into());
    }
    let bytes = read_at_most(file, &meta, max + 1)?;
    if bytes.len() as u64 > max {
        return Err(FileError::TooLarge { max }.into());
    }
    Ok((bytes, meta))
}

/// Creates a nameless file for reading and writing; it ends with the process.
///
/// # Errors
/// If the directory is not writable, or its file system has no such files.
pub(crate) fn nameless(dir: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::TMPFILE.bits().cast_signed())
        .mode(0o600)
        .open(dir)
}

/// Opens one of our files for appending, creating it if needed.
///
/// # Errors
/// If the path is not one of our regular files, or cannot be opened.
pub(crate) fn append(path: &Path, mode: u32, owner: Owner) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND;
    Ok(FileAt::path(path, owner).open_or_create(flags, mode)?.0)
}

/// Returns the metadata of one of our files; `None` if it does not exist.
///
/// # Errors
/// If the path is not one of our regular files, or cannot be opened.
pub(crate) fn seen(path: &Path, owner: Owner) -> io::Result<Option<Metadata>> {
    let opened = FileAt::path(path, owner).open_if_there(OFlags::RDONLY)?;
    Ok(opened.map(|(_, meta)| meta))
}

/// Writes and syncs a sample file in a directory, and leaves nothing there.
///
/// # Errors
/// The error that an outbox entry would meet, such as a full disk.
pub(crate) fn try_writing(dir: &Path) -> io::Result<()> {
    let write = |mut file: File| {
        file.write_all(&[b'x'; SAMPLE])?;
        file.sync_all()
    };
    if let Ok(file) = nameless(dir) {
        return write(file);
    }
    // The file system has no nameless files.
    let path = dir.join(format!("check.{}", std::process::id()));
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    let written = write(made);
    fs::remove_file(&path)?;
    written
}

/// Returns the free space for us on the disk of a directory, in bytes.
///
/// # Errors
/// An I/O error.
pub(crate) fn free(dir: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// A kernel lock on a file. It ends with the value, or with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Takes the lock on a file that is never renamed; returns `None` if another process holds it.
///
/// # Errors
/// If the file is not ours or cannot be created, or the file system has no locks.
pub(crate) fn try_lock(path: &Path, owner: Owner) -> io::Result<Option<Lock>> {
    let locked = || -> io::Result<Option<Lock>> {
        let file = append(path, 0o600, owner)?;
        // If the name now leads elsewhere, another process may hold that file's lock.
        let is_ours = lock_now(&file)? && FileAt::path(path, owner).leads_to(&file.metadata()?);
        Ok(is_ours.then_some(Lock { _file: file }))
    };
    locked().map_err(at(path))
}

/// A lock on a file that exists only while the lock is held.
#[derive(Debug)]
pub(crate) struct TemporaryLock {
    path: PathBuf,
    _lock: Lock,
}

impl Drop for TemporaryLock {
    fn drop(&mut self) {
        // Removed under the lock: a process that has opened it meanwhile sees that the name leads
        // elsewhere. Best effort: a file that stays is unlocked, and can be locked again.
        let _ = fs::remove_file(&self.path);
    }
}

/// Takes the lock on a temporary file; returns `None` if another process holds it, or has just
/// released it.
///
/// # Errors
/// Those of [`try_lock`].
pub(crate) fn try_lock_temporary(path: &Path, owner: Owner) -> io::Result<Option<TemporaryLock>> {
    let lock = try_lock(path, owner)?;
    Ok(lock.map(|lock| TemporaryLock {
        path: path.to_owned(),
        _lock: lock,
    }))
}

/// Locks an open file until it is closed; returns false if another process holds the lock.
///
/// # Errors
/// If the file system has no locks.
pub(crate) fn lock_now(file: &File) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(FileError::CannotLock(error).into()),
        }
    }
}

/// Returns the error for a lock that another process held until our deadline.
pub(crate) fn held_elsewhere() -> io::Error {
    FileError::Locked.into()
}
