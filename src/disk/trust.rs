//! Whose files and directories root uses: its own and those of the user whom it trusts, where nobody else
//! may write.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use super::groups::group_has_others;
use super::{FileError, euid};

/// The user besides root whose files root uses.
static TRUSTED: OnceLock<u32> = OnceLock::new();

/// Lets root use the files of a user; for the whole process.
pub(crate) fn trust_owner(uid: u32) {
    // A second call would have the same value.
    let _ = TRUSTED.set(uid);
}

/// Whether root trusts a user.
pub(super) fn is_trusted(uid: u32) -> bool {
    uid == 0 || TRUSTED.get() == Some(&uid)
}

/// Who may be able to write to a directory on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Writers {
    /// Only its owner.
    Owner,
    /// Also its group, as in Ubuntu's `/var/log`: for a log, whose file is checked itself.
    Group,
}

/// Checks that nobody else can rename what is in a directory. In one with the sticky bit, what belongs
/// to others can't be.
///
/// # Errors
/// If others can.
pub(super) fn check_dir(meta: &Metadata, path: &Path, writers: Writers) -> io::Result<()> {
    let is_open = match meta.mode() & 0o1022 {
        0 | 0o1000..=0o1777 => false,
        0o020 => writers == Writers::Owner && others_by_group(meta, path),
        _ => true,
    };
    if is_open && euid() == 0 {
        let path = path.to_owned();
        return Err(FileError::OthersWrite { path }.into());
    }
    Ok(())
}

/// Whether nobody but root and the user whom root trusts could have written a file.
///
/// # Errors
/// Who could.
pub(super) fn check_file(meta: &Metadata, path: &Path) -> io::Result<()> {
    if euid() != 0 {
        return Ok(());
    }
    let path = path.to_owned();
    if !is_trusted(meta.uid()) {
        let uid = meta.uid();
        return Err(FileError::Foreign { path, uid }.into());
    }
    let by_group = meta.mode() & 0o020 != 0 && others_by_group(meta, &path);
    if meta.mode() & 0o002 != 0 || by_group {
        return Err(FileError::OthersWrite { path }.into());
    }
    Ok(())
}

/// Whether the rights of a group give others than its owner what they allow. The bits of a group are
/// also those of an access list, which may name anybody.
pub(crate) fn others_by_group(meta: &Metadata, path: &Path) -> bool {
    let list = rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0_u8; 0]);
    list.is_ok() || group_has_others(meta.uid(), meta.gid())
}

/// Whether something is mounted in a directory where others put files: a user can mount files of his
/// own that tell any owner.
pub(super) fn is_mounted(meta: &Metadata, dir: &Metadata) -> bool {
    dir.mode() & 0o002 != 0 && meta.dev() != dir.dev()
}

pub(super) fn check_link(meta: &Metadata, path: &Path) -> io::Result<()> {
    let (uid, path) = (meta.uid(), path.to_owned());
    if euid() == 0 && !is_trusted(uid) {
        return Err(FileError::Foreign { path, uid }.into());
    }
    Ok(())
}
