//! A file that a person means to have at a path: whole and synced, and nothing lost that was there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, RenameFlags};
use rustix::io::{Errno, retry_on_intr};

use super::{Owner, lock_now, open_or_make, read_named, sync_parent};
use crate::lang::say;

/// Largest file that gives way to a new one, in bytes: it is kept.
const OLD_MAX: u64 = 1 << 20;

/// Whether something of this name is there, even a link that leads nowhere.
///
/// # Errors
/// It is a link, or something else than a file; or nobody lets us look.
pub(crate) fn stands(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => Ok(true),
        Ok(meta) if meta.is_symlink() => {
            Err(io::Error::other(say!("是符号链接", "is a symbolic link")))
        }
        Ok(_) => Err(io::Error::other(say!(
            "不是普通文件",
            "is not a regular file"
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a file that was not there.
///
/// # Errors
/// `AlreadyExists`, or what stands in the way.
pub(crate) fn place(path: &Path, bytes: &[u8], mode: u32, owner: Owner) -> io::Result<()> {
    written(path, bytes, mode, owner, false)
}

/// Writes a file in place of the one that is there, which is kept beside it as `.old`, and tells
/// where. At any moment one of the two has the name.
///
/// # Errors
/// What stands in the way; then the old one is where it was.
pub(crate) fn place_over(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    owner: Owner,
) -> io::Result<PathBuf> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".old");
    let aside = PathBuf::from(aside);
    stands(path)?;
    let (old, _) = read_named(path, OLD_MAX)?;
    let kept = stands(&aside).and_then(|_| written(&aside, &old, mode, owner, true));
    kept.map_err(|error| super::at(&aside, &error))?;
    written(path, bytes, mode, owner, true)?;
    Ok(aside)
}

/// Writes beside the path, syncs, and renames: over what is there only where that is meant.
fn written(path: &Path, bytes: &[u8], mode: u32, owner: Owner, over: bool) -> io::Result<()> {
    if stands(path)? && !over {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    let at_new = |error: io::Error| super::at(new, &error);
    // What a killed process left is taken over; its lock went with it.
    let mut options = OpenOptions::new();
    let (mut file, _) =
        open_or_make(new, options.read(true).write(true), mode, owner).map_err(at_new)?;
    if !lock_now(&file).map_err(at_new)? || !super::leads_to(new, &file.metadata()?) {
        return Err(io::Error::other(say!(
            "另一个 wxpush 正在写它",
            "another wxpush is writing it"
        )));
    }
    let named = file
        .set_len(0)
        .and_then(|()| owner.take(&file, mode))
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| renamed(new, path, over));
    if named.is_err() {
        // Best effort: it is ours alone, and the next one takes it over.
        let _ = fs::remove_file(new);
    }
    named?;
    sync_parent(path)
}

fn renamed(from: &Path, to: &Path, over: bool) -> io::Result<()> {
    if over {
        return fs::rename(from, to);
    }
    match retry_on_intr(|| rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)) {
        // A file system that cannot tell: it was not there a moment ago.
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

/// Makes a directory and those above it, with this mode whatever the umask says, and so that a power
/// cut takes back none of them. That it is there already is fine.
///
/// # Errors
/// What the disk says.
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
