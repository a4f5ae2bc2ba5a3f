//! Writes a file as a whole: next to its place, then renamed. At any moment the name leads to the
//! old bytes or to the new ones.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};

use super::error::at;
use super::file::FileAt;
use super::{FileError, lock_now, read_at_most};

/// The largest file that is replaced, in bytes: it is kept as `.old`.
const OLD_MAX: u64 = 1 << 20;

/// Replaces one of our files, for the holder of the lock that guards it.
///
/// # Errors
/// If something other than one of our files is in the way, or writing fails.
pub(super) fn replace_at(to: FileAt<'_>, bytes: &[u8], mode: u32, sync: bool) -> io::Result<()> {
    to.open_if_there(OFlags::RDONLY)?;
    write_over(to, bytes, mode, sync)
}

/// Replaces any file of this name by a new one, for the holder of its lock.
pub(super) fn write_over(to: FileAt<'_>, bytes: &[u8], mode: u32, sync: bool) -> io::Result<()> {
    let name = with_suffix(to.name(), ".new");
    let new = to.named(&name);
    let (file, _) = match new.create(OFlags::WRONLY, mode) {
        // A killed process left it; under the lock nobody else is writing it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            new.remove().map_err(at(&new.path()))?;
            new.create(OFlags::WRONLY, mode)?
        }
        created => created?,
    };
    finish(file, new, to, bytes, Finish { over: true, sync })
}

/// Replaces a file, and keeps the old one next to it as `.old`; returns that name.
///
/// # Errors
/// The obstacle; the old file is then still in its place.
pub(super) fn place_over(to: FileAt<'_>, bytes: &[u8], mode: u32) -> io::Result<PathBuf> {
    let aside = with_suffix(to.name(), ".old");
    exists(to)?;
    let old = to.open_any(OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
    let meta = old.metadata()?;
    if meta.len() > OLD_MAX {
        return Err(FileError::TooLarge { max: OLD_MAX }.into());
    }
    let old = read_at_most(old, &meta, OLD_MAX)?;
    let at_aside = to.named(&aside);
    let kept = exists(at_aside).and_then(|_| install(at_aside, &old, mode, true));
    kept.map_err(at(&at_aside.path()))?;
    install(to, bytes, mode, true)?;
    Ok(aside)
}

/// Whether a file of this name exists.
///
/// # Errors
/// If it is a link, even a dangling one, or not a regular file, or if we may not look.
pub(super) fn exists(at: FileAt<'_>) -> io::Result<bool> {
    match at.stat().map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        Ok(FileType::RegularFile) => Ok(true),
        Ok(FileType::Symlink) => Err(FileError::Symlink.into()),
        Ok(_) => Err(FileError::NotRegular.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes and syncs a file that no lock guards; replaces an existing one only if `over`.
///
/// # Errors
/// `AlreadyExists`, or the obstacle.
pub(super) fn install(to: FileAt<'_>, bytes: &[u8], mode: u32, over: bool) -> io::Result<()> {
    if exists(to)? && !over {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let name = with_suffix(to.name(), ".new");
    let new = to.named(&name);
    // A file that a killed process left is reused; its lock ended with the process. Private until
    // it is locked: who can read a file can lock it.
    let (file, meta) = new
        .open_or_create(OFlags::RDWR, 0o600)
        .map_err(at(&new.path()))?;
    if !lock_now(&file).map_err(at(&new.path()))? || !new.leads_to(&meta) {
        return Err(FileError::BeingWritten.into());
    }
    file.set_len(0)?;
    to.owner.take(&file, mode)?;
    finish(file, new, to, bytes, Finish { over, sync: true })
}

/// The way in which a new file gets its name.
struct Finish {
    over: bool,
    sync: bool,
}

/// Writes the bytes of a new file and renames it; removes it on failure.
fn finish(
    mut file: File,
    new: FileAt<'_>,
    to: FileAt<'_>,
    bytes: &[u8],
    how: Finish,
) -> io::Result<()> {
    let named = file
        .write_all(bytes)
        .and_then(|()| if how.sync { file.sync_all() } else { Ok(()) })
        .and_then(|()| {
            if how.over {
                new.rename(to)
            } else {
                new.rename_new(to)
            }
        });
    if named.is_err() {
        // Best effort: the next writer removes or reuses it.
        let _ = new.remove();
    }
    named?;
    if how.sync { to.sync_dir() } else { Ok(()) }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

/// Renames one of our files that has reached `max` bytes, over any file of the new name, for the
/// holder of the lock that guards it. A process that has the file open continues to append to it.
///
/// # Errors
/// If something other than one of our files is in the way, or the renaming fails.
pub(super) fn set_aside(from: FileAt<'_>, to: FileAt<'_>, max: u64) -> io::Result<()> {
    // Gone or small if another process has just done it.
    let found = from.open_if_there(OFlags::WRONLY | OFlags::APPEND)?;
    if found.is_none_or(|(_, meta)| meta.len() < max) {
        return Ok(());
    }
    to.open_if_there(OFlags::RDONLY).map_err(at(&to.path()))?;
    from.rename(to)
}

/// Creates a directory and its ancestors with this mode, whatever the umask, and syncs their names.
/// An existing directory is fine.
///
/// # Errors
/// An I/O error.
pub(super) fn make_dirs(dir: &Path, mode: u32) -> io::Result<()> {
    let new: Vec<&Path> = dir.ancestors().take_while(|it| !it.exists()).collect();
    if new.is_empty() {
        return Ok(());
    }
    // The umask could remove even our own access, and leave others theirs further up.
    let umask = rustix::process::umask(Mode::from_raw_mode(0o777 & !mode));
    let made = fs::DirBuilder::new().recursive(true).mode(mode).create(dir);
    rustix::process::umask(umask);
    made?;
    new.into_iter().try_for_each(sync_parent)
}

/// Syncs the name of a file or directory that was just created, against a power cut.
///
/// # Errors
/// An I/O error.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}
