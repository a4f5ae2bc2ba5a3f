//! What can be known of files and directories without changing them, and whether a disk takes more.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{Owner, nameless, open};

/// As much as an entry with a short message takes, in bytes.
const SAMPLE: usize = 4096;

/// Looks at a file of ours; none if it is not there.
///
/// # Errors
/// Where the path is not a regular file of ours, or cannot be opened.
pub(crate) fn seen(path: &Path, owner: Owner) -> io::Result<Option<Metadata>> {
    match open(path, OpenOptions::new().read(true), owner) {
        Ok((_, meta)) => Ok(Some(meta)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a little into a directory, to the disk, and leaves nothing there.
///
/// # Errors
/// What an entry of the outbox would meet, such as a full disk.
pub(crate) fn try_writing(dir: &Path) -> io::Result<()> {
    let write = |mut file: File| {
        file.write_all(&[b'x'; SAMPLE])?;
        file.sync_all()
    };
    if let Ok(file) = nameless(dir) {
        return write(file);
    }
    // A file system that has no files without a name.
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

/// How many bytes there is room for on the disk of a directory, for us.
///
/// # Errors
/// What the disk says.
pub(crate) fn free(dir: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
