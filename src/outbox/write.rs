//! Writing an entry to the disk: under a temporary name, synced and locked, before it is renamed.

use std::fs::File;
use std::io;

use super::TEMPORARY;
use super::entry::{Entry, Id};
use crate::disk::{self, Dir};

/// Writes an entry into its directory, synced and locked; returns the byte offsets of its files.
pub(super) fn place(dir: &Dir, id: &Id, entry: &Entry) -> io::Result<(File, Vec<u64>)> {
    let (file, files) = publish(dir, id, entry, write(dir, id, entry, true)?)?;
    if let Err(error) = dir.sync() {
        let _ = dir.remove(id.as_str());
        return Err(error);
    }
    Ok((file, files))
}

/// An entry under a temporary name: that name, the locked file, and the byte offsets of its files.
type Written = (String, File, Vec<u64>);

/// Gives a written entry its name, which must be free.
///
/// A flush whose clock was set may have taken it for a leftover, in the moment before it was locked:
/// then it is written once more.
pub(super) fn publish(
    dir: &Dir,
    id: &Id,
    entry: &Entry,
    written: Written,
) -> io::Result<(File, Vec<u64>)> {
    let named = |(temporary, file, files): Written| match dir.publish(&temporary, dir, id.as_str())
    {
        Ok(()) => Ok((file, files)),
        Err(error) => {
            let _ = dir.remove(&temporary);
            Err(error)
        }
    };
    match named(written) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            named(write(dir, id, entry, true)?)
        }
        named => named,
    }
}

/// Replaces an entry that the caller has claimed.
pub(super) fn replace(dir: &Dir, id: &Id, entry: &Entry) -> io::Result<()> {
    let (temporary, _file, _) = write(dir, id, entry, true)?;
    dir.rename(&temporary, dir, id.as_str())?;
    dir.sync()
}

/// Writes an entry, locked and `synced` or not, under a temporary name, which no flush looks at.
pub(super) fn write(dir: &Dir, id: &Id, entry: &Entry, synced: bool) -> io::Result<Written> {
    let temporary = format!("{TEMPORARY}{id}");
    let mut file = dir.create(&temporary)?;
    let written = disk::lock_now(&file)
        .and_then(|locked| locked.then_some(()).ok_or_else(disk::held_elsewhere))
        .and_then(|()| entry.write(&mut file))
        // No second sync if it fails: the kernel may mark as clean the pages that it could not
        // write.
        .and_then(|files| if synced { file.sync_all() } else { Ok(()) }.map(|()| files));
    match written {
        Ok(files) => Ok((temporary, file, files)),
        Err(error) => {
            // Best effort: a leftover is not an entry, and a flush removes it.
            let _ = dir.remove(&temporary);
            Err(error)
        }
    }
}
