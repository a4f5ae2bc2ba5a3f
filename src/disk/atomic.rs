//! Writing a file as a whole: beside its place, then renamed. At any moment the old bytes or the new
//! ones have the name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::error::at;
use super::file::FileAt;
use super::{FileError, Owner, lock_now, read_named};

/// Largest file that gives way to a new one, in bytes: it is kept.
const OLD_MAX: u64 = 1 << 20;

/// Replaces a file of ours. Only for the holder of the lock that guards the file.
///
/// Not synced: what a power cut leaves is seen to be damaged and made anew.
///
/// # Errors
/// Where something else than a file of ours is in the way, or writing fails.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32, owner: Owner) -> io::Result<()> {
    replace_at(FileAt::path(path, owner), bytes, mode, false)
}

/// Replaces a file of ours as [`replace`] does, and syncs it if asked to.
pub(super) fn replace_at(to: FileAt<'_>, bytes: &[u8], mode: u32, sync: bool) -> io::Result<()> {
    to.open_if_there(OFlags::RDONLY)?;
    write_over(to, bytes, mode, sync)
}

/// Puts a new file in the place of whatever file has the name, for the holder of its lock.
pub(super) fn write_over(to: FileAt<'_>, bytes: &[u8], mode: u32, sync: bool) -> io::Result<()> {
    let name = with_suffix(to.name(), ".new");
    let new = to.named(&name);
    let file = match new.create(OFlags::WRONLY, mode) {
        // A killed process left it; under the lock nobody else is writing it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            new.remove().map_err(at(&name))?;
            new.create(OFlags::WRONLY, mode)?
        }
        created => created?,
    };
    finish(file, new, to, bytes, Finish { over: true, sync })
}

/// Installs a file that was not there.
///
/// # Errors
/// `AlreadyExists`, or the obstacle.
pub(crate) fn place(path: &Path, bytes: &[u8], mode: u32, owner: Owner) -> io::Result<()> {
    install(path, bytes, mode, owner, false)
}

/// Installs a file in place of another, which is kept beside it as `.old`; returns that path.
///
/// # Errors
/// The obstacle; then the old one is where it was.
pub(crate) fn place_over(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    owner: Owner,
) -> io::Result<PathBuf> {
    let aside = with_suffix(path, ".old");
    stands(path)?;
    let (old, _) = read_named(path, OLD_MAX)?;
    let kept = stands(&aside).and_then(|_| install(&aside, &old, mode, owner, true));
    kept.map_err(at(&aside))?;
    install(path, bytes, mode, owner, true)?;
    Ok(aside)
}

/// Whether a file of this name is there.
///
/// # Errors
/// It is a link, even one that leads nowhere, or something else than a file; or nobody lets us look.
pub(crate) fn stands(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => Ok(true),
        Ok(meta) if meta.is_symlink() => Err(FileError::Symlink.into()),
        Ok(_) => Err(FileError::NotRegular.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a synced file that no lock guards, over one that is there only if that is meant.
fn install(path: &Path, bytes: &[u8], mode: u32, owner: Owner, over: bool) -> io::Result<()> {
    if stands(path)? && !over {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let name = with_suffix(path, ".new");
    let new = FileAt::path(&name, owner);
    // A file that a killed process left is taken over; its lock went with it.
    let (file, meta) = new.open_or_create(OFlags::RDWR, mode).map_err(at(&name))?;
    if !lock_now(&file).map_err(at(&name))? || !new.leads_to(&meta) {
        return Err(FileError::BeingWritten.into());
    }
    file.set_len(0)?;
    owner.take(&file, mode)?;
    let to = FileAt::path(path, owner);
    finish(file, new, to, bytes, Finish { over, sync: true })
}

/// How a file gets its name.
struct Finish {
    over: bool,
    sync: bool,
}

/// Writes a new file's bytes and gives it its name; removes it if that fails.
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
        // Best effort: the next writer removes it, or takes it over.
        let _ = new.remove();
    }
    named?;
    if how.sync { to.sync_dir() } else { Ok(()) }
}

/// Appends to the name of a file.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

/// Renames a file of ours that has reached `max` bytes to `aside`, over what was there.
///
/// One process does so, holding the lock on the file itself: the next one to get the lock sees that
/// the name leads elsewhere. A process that has the file open goes on to append to it.
///
/// # Errors
/// Where something else than a file of ours is in the way, the renaming fails, or the file system
/// has no locks.
pub(crate) fn set_aside(path: &Path, aside: &Path, max: u64, owner: Owner) -> io::Result<()> {
    let (from, to) = (FileAt::path(path, owner), FileAt::path(aside, owner));
    // Gone if another process has just done it.
    let Some((file, _)) = from.open_if_there(OFlags::WRONLY | OFlags::APPEND)? else {
        return Ok(());
    };
    if !lock_now(&file)? {
        return Ok(());
    }
    let locked = file.metadata()?;
    if !from.leads_to(&locked) || locked.len() < max {
        return Ok(());
    }
    to.open_if_there(OFlags::RDONLY).map_err(at(aside))?;
    from.rename(to)
}

/// Makes a directory and those above it, with this mode whatever the umask says, and so that a power
/// cut takes back none of them. One that is there already is fine.
///
/// # Errors
/// The disk's error.
pub(crate) fn make_dirs(dir: &Path, mode: u32) -> io::Result<()> {
    let new: Vec<&Path> = dir.ancestors().take_while(|it| !it.exists()).collect();
    if new.is_empty() {
        return Ok(());
    }
    // The umask may take away even our own rights, and leave others theirs further up.
    let umask = rustix::process::umask(Mode::from_raw_mode(0o777 & !mode));
    let made = fs::DirBuilder::new().recursive(true).mode(mode).create(dir);
    rustix::process::umask(umask);
    made?;
    new.into_iter().try_for_each(sync_parent)
}

/// Makes sure that a power cut does not take back the name of a file or directory just made.
///
/// # Errors
/// The disk's error.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}
