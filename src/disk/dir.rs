//! A directory of ours that is held open: every name in it is looked up from there, so that
//! nobody who swaps the directory for a link leads us elsewhere.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::{Errno, retry_on_intr};

use super::{Owner, ours, worded};
use crate::lang::say;

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
    /// Opens a directory of ours; none if it is not there.
    ///
    /// # Errors
    /// Where the path is a link, or another user's.
    pub(crate) fn open(path: &Path, owner: Owner) -> io::Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(io::Error::other(say!(
                    "不是目录，或者是符号链接",
                    "is not a directory, or a symbolic link"
                )));
            }
            opened => opened?,
        };
        let file = File::from(fd);
        let meta = file.metadata()?;
        if !owner.trusts(&meta) {
            return Err(io::Error::other(say!(
                "属于别的用户",
                "belongs to another user"
            )));
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

    /// The names in any directory, whosever it is; nothing in it is touched.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn names_at(path: &Path) -> io::Result<Vec<String>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
        names(&File::from(fd))?.collect()
    }

    /// Opens a directory of ours, making it if need be; its name is not synced.
    ///
    /// # Errors
    /// As `open`, or where it cannot be made.
    pub(crate) fn make(path: &Path, owner: Owner) -> io::Result<Self> {
        if let Some(dir) = Self::open(path, owner)? {
            return Ok(dir);
        }
        match retry_on_intr(|| rustix::fs::mkdir(path, Mode::from_raw_mode(DIR_MODE))) {
            // Another process has made it just now.
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

    /// To whom new files in it belong.
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    /// Opens a directory of ours in it; none if it is not there.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn sub(&self, name: &str) -> io::Result<Option<Self>> {
        Self::open(&self.path.join(name), self.owner)
    }

    /// Makes a file that was not there, to be written and read.
    ///
    /// # Errors
    /// `AlreadyExists`, or what the disk says.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let file = self.file_at(name, flags)?;
        self.owner.take(&file, FILE_MODE)?;
        Ok(file)
    }

    /// Opens a file of ours to be read and written.
    ///
    /// # Errors
    /// `NotFound`, or why it is none of ours.
    pub(crate) fn edit(&self, name: &str) -> io::Result<(File, Metadata)> {
        let file = self.file_at(name, OFlags::RDWR | OFlags::NONBLOCK)?;
        let meta = ours(&file, self.owner)?;
        Ok((file, meta))
    }

    /// The bytes of a file of ours, `max` at the most; none if it is not there.
    ///
    /// # Errors
    /// Why it is none of ours, or cannot be read.
    pub(crate) fn read(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        let Some((file, meta)) = self.view(name)? else {
            return Ok(None);
        };
        let mut bytes = super::room_for(&meta, max);
        file.take(max).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Opens a file of ours to be read; none if it is not there.
    ///
    /// # Errors
    /// Why it is none of ours.
    pub(crate) fn view(&self, name: &str) -> io::Result<Option<(File, Metadata)>> {
        let file = match self.file_at(name, OFlags::RDONLY | OFlags::NONBLOCK) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let meta = ours(&file, self.owner)?;
        Ok(Some((file, meta)))
    }

    fn file_at(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(FILE_MODE);
        let fd: OwnedFd = retry_on_intr(|| rustix::fs::openat(&self.file, name, flags, mode))
            .map_err(|error| worded(error.into()))?;
        Ok(File::from(fd))
    }

    /// Gives a file another name, which nobody had, at once and as a whole.
    ///
    /// # Errors
    /// `AlreadyExists`, or what the disk says.
    pub(crate) fn publish(&self, from: &str, into: &Self, to: &str) -> io::Result<()> {
        let (old, new) = (&self.file, &into.file);
        let renamed =
            retry_on_intr(|| rustix::fs::renameat_with(old, from, new, to, RenameFlags::NOREPLACE));
        match renamed {
            // A file system that cannot tell: the name is random enough.
            Err(Errno::INVAL | Errno::NOSYS) => self.rename(from, into, to),
            renamed => Ok(renamed?),
        }
    }

    /// Gives a file another name, in place of what had it.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn rename(&self, from: &str, into: &Self, to: &str) -> io::Result<()> {
        retry_on_intr(|| rustix::fs::renameat(&self.file, from, &into.file, to))?;
        Ok(())
    }

    /// Removes a file; that it is gone already is fine.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match retry_on_intr(|| rustix::fs::unlinkat(&self.file, name, AtFlags::empty())) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes sure that a power cut takes none of its names back.
    ///
    /// # Errors
    /// What the disk says; then it may.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(retry_on_intr(|| rustix::fs::fsync(&self.file))?)
    }

    /// Whether a name leads to this file still.
    pub(crate) fn leads_to(&self, name: &str, held: &Metadata) -> bool {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        retry_on_intr(|| rustix::fs::statat(&self.file, name, flags))
            .is_ok_and(|now| now.st_ino == held.ino() && now.st_dev == held.dev())
    }

    /// Unix seconds of the last change of a file's bytes; none if it cannot be told.
    pub(crate) fn changed_at(&self, name: &str) -> Option<u64> {
        u64::try_from(self.stat(name)?.st_mtime).ok()
    }

    /// How many bytes a file has; none if it cannot be told.
    pub(crate) fn size(&self, name: &str) -> Option<u64> {
        u64::try_from(self.stat(name)?.st_size).ok()
    }

    fn stat(&self, name: &str) -> Option<rustix::fs::Stat> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        retry_on_intr(|| rustix::fs::statat(&self.file, name, flags)).ok()
    }

    /// Every name in it, in the disk's order; what is not UTF-8 is shown with U+FFFD.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = io::Result<String>>> {
        names(&self.file)
    }
}

fn names(dir: &File) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
    let entries = retry_on_intr(|| rustix::fs::Dir::read_from(dir))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(names.filter(|name| !matches!(name.as_deref(), Ok("." | ".."))))
}
