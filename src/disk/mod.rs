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
mod groups;
mod journal;
mod lead;
pub(crate) mod record;
mod trust;
mod walk;

pub(crate) use dir::{Dir, Lock, TemporaryLock};
pub(crate) use drop_dir::{DropDir, DroppedFile};
pub(crate) use error::FileError;
pub(crate) use groups::user_name;
pub(crate) use journal::{LockedFile, Pause, lossy};
pub(crate) use trust::{Writers, others_by_group, trust_owner};

use std::fs::{File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags};

use atomic::make_dirs;

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

    /// Returns us, for a directory whose group may have moved files of ours there: their modes are
    /// kept.
    fn us() -> Self {
        Self(Some((euid(), rustix::process::getegid().as_raw())))
    }

    /// Returns the owner and group of a replaced file, if we may give them to the new one.
    pub(crate) fn of_file(meta: &Metadata) -> Self {
        let may = [0, meta.uid()].contains(&euid());
        Self(may.then(|| (meta.uid(), meta.gid())))
    }

    /// Gives a new file this owner, and exactly this mode.
    fn take(self, file: &File, mode: u32) -> io::Result<Metadata> {
        if let Some((uid, gid)) = self.0 {
            fchown(file, Some(uid), Some(gid))?;
        }
        let meta = file.metadata()?;
        if meta.mode() & 0o7777 == mode {
            return Ok(meta);
        }
        // The umask took some of it.
        file.set_permissions(Permissions::from_mode(mode))?;
        file.metadata()
    }

    /// Whether a file belongs to us, to root, or to the owner of its directory.
    fn trusts(self, meta: &Metadata) -> bool {
        let uid = meta.uid();
        uid == 0 || uid == euid() || self.0.is_some_and(|(owner, _)| owner == uid)
    }
}

/// Reads at most `max` bytes of a file: as many as it had when it was opened, so that no read has to
/// find the end. One in `/proc` has no size.
fn read_at_most(file: File, meta: &Metadata, max: u64) -> io::Result<Vec<u8>> {
    let size = meta.len().min(max);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    let most = if size == 0 { max } else { size };
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a regular file of at most `max` bytes that the user named. Links are fine; for root the
/// file, and the way to it, must be what nobody else can change.
///
/// # Errors
/// If it is not a regular file, is larger, cannot be read, or who could have written it.
pub(crate) fn read_named(path: &Path, max: u64) -> io::Result<(Vec<u8>, Metadata)> {
    let (file, meta) = if euid() == 0 {
        walk::open_file(path, Writers::Owner, UNBLOCKED)?
    } else {
        opened(path)?
    };
    check_regular(&meta)?;
    trust::check_file(&meta, path)?;
    Ok((read_whole(file, &meta, max)?, meta))
}

/// Opens what root is to send, without waiting for the other end of a pipe: a file, unless another user
/// leads to one that isn't his, or else what nobody else could have put there.
///
/// # Errors
/// Who could have, or an I/O error.
pub(crate) fn open_to_send(path: &Path) -> io::Result<File> {
    let led = lead::lead(path)?;
    let trusted = || {
        let (file, meta) = walk::open_file(path, Writers::Owner, UNBLOCKED)?;
        trust::check_file(&meta, path)?;
        io::Result::Ok(file)
    };
    if led.meta.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !led.meta.is_file() {
        return trusted();
    }
    if let Some(uid) = led.by.into_iter().find(|uid| *uid != led.meta.uid()) {
        let path = path.to_owned();
        return Err(FileError::Foreign { path, uid }.into());
    }
    let is_linked = led.meta.nlink() > 1 && (led.is_shared || led.is_foreign);
    let is_private = led.is_private && led.is_foreign;
    if (is_linked || is_private) && trust::is_trusted(led.meta.uid()) {
        // Another user may have linked it or moved it here.
        let path = path.to_owned();
        return Err(FileError::OthersWrite { path }.into());
    }
    let handle = led.handle.as_raw_fd();
    match File::open(format!("/proc/self/fd/{handle}")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => trusted(),
        opened => opened,
    }
}

/// Reads a regular file of at most `max` bytes that anybody may have written: only to look for something in it.
///
/// # Errors
/// If it is not a regular file, is larger, or cannot be read.
pub(crate) fn read_foreign(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let (file, meta) = opened(path)?;
    check_regular(&meta)?;
    read_whole(file, &meta, max)
}

/// Flags for a file that somebody else may have made: without NONBLOCK a FIFO would block us for ever.
const UNBLOCKED: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

fn opened(path: &Path) -> io::Result<(File, Metadata)> {
    walk::with_meta(rustix::fs::open(path, UNBLOCKED, Mode::empty())?.into())
}

fn check_regular(meta: &Metadata) -> io::Result<()> {
    if !meta.is_file() {
        return Err(FileError::NotRegular.into());
    }
    Ok(())
}

fn read_whole(file: File, meta: &Metadata, max: u64) -> io::Result<Vec<u8>> {
    let bytes = read_at_most(file, meta, max + 1)?;
    if bytes.len() as u64 > max {
        return Err(FileError::TooLarge { max }.into());
    }
    Ok(bytes)
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
