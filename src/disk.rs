//! Files that must be ours: opened without following a link, private whatever the umask says,
//! replaced as a whole, locked by the kernel.
//!
//! The only place with a rename, an fsync or a lock.

mod dir;
mod held;
mod look;
mod placed;

pub(crate) use dir::Dir;
pub(crate) use held::{Held, Pause, hold};
pub(crate) use look::{free, seen, try_writing};
pub(crate) use placed::{make_dirs, place, place_over, stands};

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::OFlags;

use crate::lang::{say, spoken};

/// Our effective user id, which nothing here changes; asked once.
pub(crate) fn euid() -> u32 {
    static EUID: OnceLock<u32> = OnceLock::new();
    *EUID.get_or_init(|| rustix::process::geteuid().as_raw())
}

/// To whom the files of a directory belong, where root works in another user's directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner(Option<(u32, u32)>);

impl Owner {
    /// The owner of new files in a directory: us, or, if we are root, the directory's.
    pub(crate) fn of_directory(meta: &Metadata) -> Self {
        let foreign = euid() == 0 && meta.uid() != 0;
        Self(foreign.then(|| (meta.uid(), meta.gid())))
    }

    /// The owner and group of a file that is replaced, if we may give them to the new one.
    pub(crate) fn of_file(meta: &Metadata) -> Self {
        let may = [0, meta.uid()].contains(&euid());
        Self(may.then(|| (meta.uid(), meta.gid())))
    }

    /// Makes a file theirs, with exactly this mode.
    fn take(self, file: &File, mode: u32) -> io::Result<()> {
        if let Some((uid, gid)) = self.0 {
            fchown(file, Some(uid), Some(gid))?;
        }
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// Whether a file's owner is us, root, or the one whose directory it is in.
    fn trusts(self, meta: &Metadata) -> bool {
        let uid = meta.uid();
        uid == 0 || uid == euid() || self.0.is_some_and(|(owner, _)| owner == uid)
    }
}

/// Opens a file of ours; refuses a link, and anything but a regular file of one name.
///
/// # Errors
/// `NotFound`, or what stands in the way.
fn open(path: &Path, options: &mut OpenOptions, owner: Owner) -> io::Result<(File, Metadata)> {
    // Without NONBLOCK a FIFO would hold us until somebody opens its other end.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(worded)?;
    let meta = ours(&file, owner)?;
    Ok((file, meta))
}

/// An error of opening, in words where the system's own mislead.
fn worded(error: io::Error) -> io::Error {
    match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::LOOP) => io::Error::other(say!("是符号链接", "is a symbolic link")),
        // A FIFO that nobody reads, a socket, or a device that isn't there.
        Some(rustix::io::Errno::NXIO) => {
            io::Error::other(say!("不是普通文件", "is not a regular file"))
        }
        _ => error,
    }
}

/// Sees that an open file is a regular one of ours, of one name.
fn ours(file: &File, owner: Owner) -> io::Result<Metadata> {
    let meta = file.metadata()?;
    let (zh, en) = if !meta.is_file() {
        ("不是普通文件", "is not a regular file")
    } else if meta.nlink() > 1 {
        ("还有另一个名字（硬链接）", "has a second name (hard link)")
    } else if !owner.trusts(&meta) {
        ("属于别的用户", "belongs to another user")
    } else {
        return Ok(meta);
    };
    Err(io::Error::other(spoken().of(zh, en)))
}

/// Reads a small file of ours; none if it is not there, empty if it is larger than `max` bytes
/// or others may have written it.
///
/// # Errors
/// Where the path is not a regular file of ours, or cannot be read.
pub(crate) fn read(path: &Path, max: u64, owner: Owner) -> io::Result<Option<Vec<u8>>> {
    let (file, meta) = match open(path, OpenOptions::new().read(true), owner) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = room_for(&meta, max);
    if meta.mode() & 0o022 == 0 && meta.len() <= max {
        file.take(max).read_to_end(&mut bytes)?;
    }
    Ok(Some(bytes))
}

/// Room for a file's bytes and for the end behind them, so that one reading does.
fn room_for(meta: &Metadata, max: u64) -> Vec<u8> {
    let size = usize::try_from(meta.len().min(max)).unwrap_or_default();
    Vec::with_capacity(size + 1)
}

/// The bytes of a regular file of at most `max` bytes that the user named: links are fine.
///
/// # Errors
/// Where it is no regular file, is larger, or cannot be read.
pub(crate) fn read_named(path: &Path, max: u64) -> io::Result<(Vec<u8>, Metadata)> {
    // Without NONBLOCK a FIFO would hold us for ever.
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblock)
        .open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other(say!(
            "它不是普通文件",
            "it is not a regular file"
        )));
    }
    let mut bytes = room_for(&meta, max);
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(io::Error::other(say!(
            "它大于 {max} 字节",
            "it is larger than {max} bytes"
        )));
    }
    Ok((bytes, meta))
}

/// A file without a name, to be written and read; it goes with the process.
///
/// # Errors
/// Where the directory cannot be written, or its file system has no such files.
pub(crate) fn nameless(dir: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::TMPFILE.bits().cast_signed())
        .mode(0o600)
        .open(dir)
}

/// Opens a file of ours to append to it, making it if need be.
///
/// # Errors
/// Where the path is not a regular file of ours, or cannot be opened.
pub(crate) fn append(path: &Path, mode: u32, owner: Owner) -> io::Result<File> {
    Ok(open_or_make(path, OpenOptions::new().append(true), mode, owner)?.0)
}

/// Opens a file of ours, making it if need be, and sees to its mode.
fn open_or_make(
    path: &Path,
    options: &mut OpenOptions,
    mode: u32,
    owner: Owner,
) -> io::Result<(File, Metadata)> {
    let (file, meta) = match open(path, options, owner) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match open(path, options.clone().create_new(true).mode(mode), owner) {
                // Another process has made it just now.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    open(path, options, owner)?
                }
                made => {
                    let (file, meta) = made?;
                    owner.take(&file, mode)?;
                    return Ok((file, meta));
                }
            }
        }
        opened => opened?,
    };
    // In another user's directory a file of root's may be one that he moved there: it stays.
    let ours = owner.0.is_none() && meta.uid() == euid();
    if ours && meta.mode() & 0o7777 != mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok((file, meta))
}

/// Replaces a file as a whole: at any moment it has the old bytes or the new ones.
///
/// Only for the holder of the lock that guards the file. Not synced: what a power cut leaves
/// is seen to be damaged and made anew.
///
/// # Errors
/// Where something else than a file of ours is in the way, or writing fails.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32, owner: Owner) -> io::Result<()> {
    if let Err(error) = open(path, OpenOptions::new().read(true), owner)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    write_aside(path, bytes, mode, owner)
}

/// Writes a file beside the path and renames it over what is there.
fn write_aside(path: &Path, bytes: &[u8], mode: u32, owner: Owner) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".new");
    let aside = Path::new(&aside);
    // What a killed process left; under the lock nobody else is writing it.
    match fs::remove_file(aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(aside, &error)),
        _ => {}
    }
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(aside)
        .and_then(|mut file| {
            owner.take(&file, mode)?;
            file.write_all(bytes)
        })
        .and_then(|()| fs::rename(aside, path));
    if written.is_err() {
        // Best effort: what stays is removed by the next writer.
        let _ = fs::remove_file(aside);
    }
    written
}

/// An error with the path that it is about, for files that a caller doesn't name.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A kernel lock on a file; it ends with the value, or with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Takes the lock on a file that is never renamed; none if another process holds it.
///
/// # Errors
/// Where the file is not ours or cannot be made, or the file system has no locks.
pub(crate) fn try_lock(path: &Path, owner: Owner) -> io::Result<Option<Lock>> {
    let file = append(path, 0o600, owner).map_err(|error| at(path, &error))?;
    if !lock_now(&file).map_err(|error| at(path, &error))? {
        return Ok(None);
    }
    // If the name has come to point elsewhere meanwhile, somebody else may hold that file.
    let same = leads_to(path, &file.metadata()?);
    Ok(same.then_some(Lock { _file: file }))
}

/// A lock on a file that is there for as long as it is held.
#[derive(Debug)]
pub(crate) struct Passing {
    path: PathBuf,
    _lock: Lock,
}

impl Drop for Passing {
    fn drop(&mut self) {
        // Under the lock: who has opened it meanwhile sees that the name leads elsewhere. Best
        // effort: what stays is nobody's, and can be locked.
        let _ = fs::remove_file(&self.path);
    }
}

/// Takes the lock on a file that goes with it; none if another process holds it, or has just left it.
///
/// # Errors
/// Those of [`try_lock`].
pub(crate) fn try_passing(path: &Path, owner: Owner) -> io::Result<Option<Passing>> {
    let lock = try_lock(path, owner)?;
    Ok(lock.map(|lock| Passing {
        path: path.to_owned(),
        _lock: lock,
    }))
}

/// Locks an open file until it is closed; false if another process has it locked.
///
/// # Errors
/// Where the file system has no locks.
pub(crate) fn lock_now(file: &File) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => {
                let what = say!("加不了锁：{error}", "cannot be locked: {error}");
                return Err(io::Error::new(error.kind(), what));
            }
        }
    }
}

/// That a lock is with another process all the time that we can wait.
pub(crate) fn held_elsewhere() -> io::Error {
    io::Error::other(say!(
        "它的锁一直被另一个 wxpush 占着",
        "another wxpush holds its lock"
    ))
}

/// Makes sure that a power cut does not take back the name of a file or directory just made.
///
/// # Errors
/// What the disk says.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

/// Whether a name leads to an open file still.
fn leads_to(path: &Path, held: &Metadata) -> bool {
    fs::symlink_metadata(path).is_ok_and(|now| now.ino() == held.ino() && now.dev() == held.dev())
}

/// Renames a file of ours that has reached `max` bytes to `aside`; what was there goes.
///
/// One process does so, holding the lock on the file itself: who comes by the lock later sees
/// that the name leads elsewhere. Who has the file open goes on to append to it.
///
/// # Errors
/// Where something else than a file of ours is in the way, the renaming fails, or the file system
/// has no locks.
pub(crate) fn set_aside(path: &Path, aside: &Path, max: u64, owner: Owner) -> io::Result<()> {
    let file = match open(path, OpenOptions::new().append(true), owner) {
        // Another process has just done it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?.0,
    };
    if !lock_now(&file)? {
        return Ok(());
    }
    let held = file.metadata()?;
    if !leads_to(path, &held) || held.len() < max {
        return Ok(());
    }
    open(aside, OpenOptions::new().read(true), owner)
        .map(drop)
        .or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(at(aside, &error)),
        })?;
    fs::rename(path, aside)
}
