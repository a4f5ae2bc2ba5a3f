//! What a path leads root to that others could have changed: a file to send.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::trust::{Writers, check_dir, is_trusted};
use super::walk::{LINKS_MAX, names, open, root, with_meta};

/// What a path leads to, and whose links are on the way, but for those whom root trusts.
pub(super) struct Led {
    /// Only found, not opened: to be opened is enough for some devices.
    pub(super) handle: File,
    pub(super) meta: Metadata,
    pub(super) by: BTreeSet<u32>,
    /// Whether others can write to a directory on the way, and whether they can rename what is in it.
    pub(super) is_shared: bool,
    pub(super) is_foreign: bool,
    /// Whether others may not read it, or not reach it in a directory that they could have moved.
    pub(super) is_private: bool,
}

/// Finds what a path leads to, even if others could have put it there.
///
/// # Errors
/// An I/O error.
pub(super) fn lead(path: &Path) -> io::Result<Led> {
    let (mut here, mut meta) = root()?;
    let mut rest: Vec<OsString> = names(&std::path::absolute(path)?).collect();
    let (mut by, mut links) = (BTreeSet::new(), 0);
    let (mut is_shared, mut is_foreign, mut is_private) = (false, false, false);
    while let Some(name) = rest.pop() {
        is_shared |= meta.mode() & 0o022 != 0;
        // Its access list is that of the handle.
        let at = PathBuf::from(format!("/proc/self/fd/{}", here.as_raw_fd()));
        is_private |= is_foreign && is_trusted(meta.uid()) && meta.mode() & 0o001 == 0;
        is_foreign |= !is_trusted(meta.uid()) || check_dir(&meta, &at, Writers::Owner).is_err();
        let (next, of_next) = with_meta(open(&here, &name, OFlags::PATH | OFlags::NOFOLLOW)?)?;
        if !of_next.is_symlink() {
            (here, meta) = (Arc::new(next), of_next);
            continue;
        }
        links += 1;
        if links > LINKS_MAX {
            return Err(Errno::LOOP.into());
        }
        by.extend(Some(of_next.uid()).filter(|uid| !is_trusted(*uid)));
        let target = rustix::fs::readlinkat(&next, "", Vec::new())?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            (here, meta) = root()?;
        }
        rest.extend(names(&target));
    }
    is_private |= meta.mode() & 0o004 == 0;
    let handle = here.try_clone()?;
    Ok(Led {
        handle,
        meta,
        by,
        is_shared,
        is_foreign,
        is_private,
    })
}
