//! A directory into which every user may put files, and which only its owner reads: mode 1733.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags, StatxFlags};
use rustix::io::{Errno, retry_on_intr};

use super::file::FileAt;
use super::walk::{find_parent, open_dir, sync_names};
use super::{FileError, Owner, Writers, lock_now};

/// The mode: all may write and search, nobody but the owner may list, and nobody may remove the
/// files of others.
const MODE: u32 = 0o1733;

/// The bits that decide: the owner's may differ.
const MODE_MASK: u32 = 0o1077;
const MODE_BITS: u32 = MODE & MODE_MASK;

/// The mode of a file that `put` has put there. One of another mode may belong to a user who did not
/// put it there: those who may rename a file of his can move it.
const FILE_MODE: u32 = 0o600;

/// The start of the name of a file that is being written.
const TEMPORARY: &str = "tmp.";

/// The start of the name of root's directory for files that are being removed.
const ASIDE: &str = "removed.";

/// A directory to put files into, or to take them from.
#[derive(Debug)]
pub(crate) struct DropDir {
    dir: File,
    /// Where files go to be removed, made when the first one does: its name, and itself.
    aside: OnceCell<Option<(String, Box<Self>)>>,
}

/// A file in it, by its name alone: it may be anything.
#[derive(Debug)]
pub(crate) struct DroppedFile {
    pub(crate) name: OsString,
    pub(crate) uid: u32,
    /// In bytes; none of what `put` has not put there.
    pub(crate) size: u64,
    /// The bytes that it takes on the disk.
    pub(crate) allocated: u64,
    /// Unix seconds of its last change: of its contents, and of its state, which no user can set.
    pub(crate) changed: [u64; 2],
}

impl DroppedFile {
    /// Whether it is still being written, by its name.
    pub(crate) fn is_temporary(&self) -> bool {
        self.name.as_bytes().starts_with(TEMPORARY.as_bytes())
    }
}

impl Drop for DropDir {
    fn drop(&mut self) {
        if let Some(Some((name, _))) = self.aside.get() {
            // Fails if something stays there: the next flush looks at it.
            let _ = self.rmdir(name.as_ref());
        }
    }
}

impl DropDir {
    fn of(dir: File) -> Self {
        let aside = OnceCell::new();
        Self { dir, aside }
    }

    /// Creates the directory if it does not exist; returns whether it was created.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn make(path: &Path) -> io::Result<bool> {
        let (parent, name) = find_parent(path, Writers::Owner)?;
        match rustix::fs::mkdirat(&parent, &name, Mode::RWXU) {
            Err(Errno::EXIST) => return Ok(false),
            made => made?,
        }
        let mode = Mode::from_raw_mode(MODE);
        rustix::fs::chmodat(&parent, &name, mode, AtFlags::empty())?;
        sync_names(&parent)?;
        Ok(true)
    }

    /// Opens the directory to put files into it; returns `None` if it does not exist.
    ///
    /// # Errors
    /// If it is not root's directory of this mode, or an I/O error.
    pub(crate) fn to_put(path: &Path) -> io::Result<Option<Self>> {
        open(path, OFlags::PATH)
    }

    /// Opens the directory to take files from it; returns `None` if it does not exist.
    ///
    /// # Errors
    /// As `to_put`.
    pub(crate) fn to_take(path: &Path) -> io::Result<Option<Self>> {
        open(path, OFlags::RDONLY)
    }

    /// Keeps others from taking files until it is dropped; returns false if another process does so.
    ///
    /// # Errors
    /// If the file system has no locks.
    pub(crate) fn lock(&self) -> io::Result<bool> {
        lock_now(&self.dir)
    }

    fn at<'a>(&'a self, name: &'a (impl AsRef<OsStr> + ?Sized)) -> FileAt<'a> {
        // Our own files only: what others have put there is opened by `take`.
        let dir = self.dir.as_fd();
        FileAt::within(dir, Path::new(""), Path::new(name), Owner(None))
    }

    /// Puts a private file there, synced, under a name that must be free.
    ///
    /// # Errors
    /// An I/O error; nothing stays then.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = format!("{TEMPORARY}{name}");
        let from = self.at(&temporary);
        let (mut file, _) = from.create(OFlags::WRONLY, FILE_MODE)?;
        let mut put = || {
            file.write_all(bytes)?;
            from.rename_new(self.at(name))?;
            // We cannot sync a directory that we cannot read. Syncing the renamed file writes its
            // name, too, on the file systems with a journal.
            file.sync_all()
        };
        put().inspect_err(|_| {
            // Best effort: the owner of the directory removes what is left.
            let _ = from.remove();
            let _ = self.at(name).remove();
        })
    }

    /// Looks at all files, in no order, whatever their names are; `None` for one that can't be looked at
    /// now, or has gone meanwhile.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn files(
        &self,
    ) -> io::Result<impl Iterator<Item = io::Result<Option<DroppedFile>>>> {
        let entries = retry_on_intr(|| rustix::fs::Dir::read_from(&self.dir))?;
        let names = entries.map(|entry| {
            let entry = entry?;
            Ok(OsStr::from_bytes(entry.file_name().to_bytes()).to_owned())
        });
        let is_listed = |name: &io::Result<OsString>| {
            let name = name.as_deref().unwrap_or_default();
            let aside = self.aside.get().and_then(Option::as_ref);
            name != "." && name != ".." && aside.is_none_or(|(aside, _)| **aside != *name)
        };
        Ok(names.filter(is_listed).map(|name| Ok(self.look(name?))))
    }

    fn look(&self, name: OsString) -> Option<DroppedFile> {
        let meta = self.reach(&name, OFlags::PATH);
        match meta.and_then(|file| file.metadata()) {
            Ok(meta) => {
                let seconds = |it: i64| u64::try_from(it).unwrap_or_default();
                let is_put = meta.nlink() == 1 && is_put(meta.mode(), meta.uid());
                Some(DroppedFile {
                    name,
                    uid: meta.uid(),
                    size: meta.size() * u64::from(is_put),
                    allocated: meta.blocks() * 512,
                    changed: [meta.mtime(), meta.ctime()].map(seconds),
                })
            }
            // A link, or what a user has mounted there.
            Err(error) if FileError::of(&error).is_some() => Some(DroppedFile {
                name,
                uid: u32::MAX,
                size: 0,
                allocated: 0,
                changed: [0; 2],
            }),
            Err(error) => {
                tracing::debug!(%error, "a file in the maildrop can't be looked at");
                None
            }
        }
    }

    /// Whether there is something of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        let found = self.reach(name.as_ref(), OFlags::PATH);
        !found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Reads a file of any user; returns its owner and its bytes.
    ///
    /// # Errors
    /// `WouldBlock` while its owner keeps others from it by a lease; if it is not a regular file of
    /// one name, is larger than `max` bytes, or an I/O error.
    pub(crate) fn take(&self, name: &str, max: u64) -> io::Result<(u32, Vec<u8>)> {
        let file = self.reach(name.as_ref(), OFlags::RDONLY | OFlags::NONBLOCK)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(FileError::NotRegular.into());
        }
        // A second name may lead to another user's file.
        if meta.nlink() > 1 {
            return Err(FileError::HardLinked.into());
        }
        if !is_put(meta.mode(), meta.uid()) {
            return Err(FileError::OtherOwner.into());
        }
        let mut bytes = Vec::new();
        file.take(max + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > max {
            return Err(FileError::TooLarge { max }.into());
        }
        Ok((meta.uid(), bytes))
    }

    /// Opens what has this name, unless something is mounted on it: a user's own file system may say
    /// anything of its files, such as another owner, or never answer.
    fn reach(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let only = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
        let open = || rustix::fs::openat2(&self.dir, name, flags, Mode::empty(), only);
        match retry_on_intr(open) {
            Ok(fd) => Ok(File::from(fd)),
            Err(Errno::LOOP) => Err(FileError::Symlink.into()),
            // A FIFO without a reader, a socket, a missing device, or what is mounted.
            Err(Errno::NXIO | Errno::XDEV) => Err(FileError::NotRegular.into()),
            // Before Linux 5.6, or kept from us by a container.
            Err(Errno::NOSYS | Errno::PERM) => self.reach_by_device(name, flags),
            Err(error) => Err(error.into()),
        }
    }

    /// As `reach`, by asking which device it is on: without an answer of a user's file system.
    fn reach_by_device(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        let handle = self.at(name).open_any(OFlags::PATH, Mode::empty())?;
        let device = |file: &File| {
            let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
            let stat = rustix::fs::statx(file, "", flags, StatxFlags::TYPE)?;
            let kind = FileType::from_raw_mode(stat.stx_mode.into());
            io::Result::Ok((stat.stx_dev_major, stat.stx_dev_minor, kind))
        };
        let (ours, its) = (device(&self.dir)?, device(&handle)?);
        if its.2 == FileType::Symlink {
            return Err(FileError::Symlink.into());
        }
        if (ours.0, ours.1) != (its.0, its.1) {
            return Err(FileError::NotRegular.into());
        }
        if flags.contains(OFlags::PATH) {
            return Ok(handle);
        }
        // Not by its name, on which something may be mounted by now.
        let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
        let flags = flags - OFlags::NOFOLLOW;
        let fd = retry_on_intr(|| rustix::fs::openat(CWD, &path, flags, Mode::empty()))?;
        Ok(File::from(fd))
    }

    /// Removes whatever has this name, but for a directory with something in it, and what takes more
    /// than `max` bytes on the disk. It is looked at where its owner can no longer put something else
    /// in its place.
    ///
    /// # Errors
    /// `TooLarge`, or an I/O error: then it keeps its name, or stays aside if that is taken.
    pub(crate) fn remove(&self, name: &OsStr, max: u64) -> io::Result<()> {
        // Without room for a directory, another name has to do: nobody else can list them.
        let place = self.aside().unwrap_or(self);
        let moved = random_name(if is_aside(name) { ASIDE } else { "" });
        match self.at(name).rename(place.at(&moved)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed?,
        }
        place.remove_small(moved.as_ref(), max).inspect_err(|_| {
            // Not `rename_new`: what has this name by now must not be replaced, which removes it.
            let flags = RenameFlags::NOREPLACE;
            let _ = rustix::fs::renameat_with(&place.dir, &moved, &self.dir, name, flags);
        })
    }

    /// Removes what takes no more than `max` bytes on the disk; of a killed flush's directory, what is in it.
    fn remove_small(&self, name: &OsStr, max: u64) -> io::Result<()> {
        let file = self.look(name.to_owned()).ok_or(io::ErrorKind::NotFound)?;
        if file.allocated > max {
            return Err(FileError::TooLarge { max }.into());
        }
        let removed = self.at(name).remove();
        if !removed.as_ref().is_err_and(FileError::is_foreign) {
            return removed;
        }
        if is_aside(name) && file.uid == 0 {
            let dir = self.reach(name, OFlags::RDONLY | OFlags::DIRECTORY)?;
            let meta = dir.metadata()?;
            // One of root's that users may write to could have been moved here by them, with what is in it.
            let is_roots = meta.uid() == 0 && meta.mode() & 0o777 == 0o700;
            let dir = Self::of(dir);
            for file in dir.files()?.flatten().flatten().filter(|_| is_roots) {
                // What stays keeps the directory.
                let _ = dir.remove_small(&file.name, max);
            }
        }
        self.rmdir(name)
    }

    fn rmdir(&self, name: &OsStr) -> io::Result<()> {
        let flags = AtFlags::REMOVEDIR;
        Ok(retry_on_intr(|| {
            rustix::fs::unlinkat(&self.dir, name, flags)
        })?)
    }

    /// Returns a directory that only root may enter; `None` if it can't be made.
    fn aside(&self) -> Option<&Self> {
        let make = || {
            let name = random_name(ASIDE);
            rustix::fs::mkdirat(&self.dir, &name, Mode::RWXU).ok()?;
            let dir = self.reach(name.as_ref(), OFlags::RDONLY | OFlags::DIRECTORY);
            Some((name, Box::new(Self::of(dir.ok()?))))
        };
        let (_, dir) = self.aside.get_or_init(make).as_ref()?;
        Some(dir)
    }
}

/// Whether it may be such a directory of root's, by its name.
fn is_aside(name: &OsStr) -> bool {
    name.as_bytes().starts_with(ASIDE.as_bytes())
}

/// Returns a name that nobody can guess.
fn random_name(start: &str) -> String {
    // std seeds it from the operating system's randomness.
    format!("{start}{:016x}", RandomState::new().build_hasher().finish())
}

/// Whether a file is as `put` leaves it. Root puts none there: it sends by itself.
fn is_put(mode: u32, uid: u32) -> bool {
    let is_file = FileType::from_raw_mode(mode) == FileType::RegularFile;
    is_file && mode & 0o7777 == FILE_MODE && uid != 0
}

fn open(path: &Path, flags: OFlags) -> io::Result<Option<DropDir>> {
    let (file, meta) = match open_dir(path, None, Writers::Owner, flags) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if meta.mode() & MODE_MASK != MODE_BITS {
        return Err(FileError::NotDropDir.into());
    }
    // Its owner could remove what is in it.
    if meta.uid() != 0 {
        return Err(FileError::OtherOwner.into());
    }
    Ok(Some(DropDir::of(file)))
}
