//! Writing an entry to the disk: under a temporary name, synced and locked, before it gets its own.

use std::fs::File;
use std::io;

use super::TEMPORARY;
use super::entry::{Entry, Id};
use crate::disk::{self, Dir};

/// Puts an entry into its directory, synced and locked; says where in it its files begin.
pub(super) fn place(dir: &Dir, id: &Id, entry: &Entry) -> io::Result<(File, Vec<u64>)> {
    let (temporary, file, files) = write(dir, id, entry)?;
    if let Err(error) = dir.publish(&temporary, dir, id.as_str()) {
        let _ = dir.remove(&temporary);
        return Err(error);
    }
    if let Err(error) = dir.sync() {
        let _ = dir.remove(id.as_str());
        return Err(error);
    }
    Ok((file, files))
}

/// Puts an entry in place of one that the caller holds.
pub(super) fn replace(dir: &Dir, id: &Id, entry: &Entry) -> io::Result<()> {
    let (temporary, _file, _) = write(dir, id, entry)?;
    dir.rename(&temporary, dir, id.as_str())?;
    dir.sync()
}

/// Writes an entry under a name that no flush looks at; synced, and locked by us.
pub(super) fn write(dir: &Dir, id: &Id, entry: &Entry) -> io::Result<(String, File, Vec<u64>)> {
    let temporary = format!("{TEMPORARY}{id}");
    let mut file = dir.create(&temporary)?;
    let written = disk::lock_now(&file)
        .and_then(|locked| locked.then_some(()).ok_or_else(disk::held_elsewhere))
        .and_then(|()| entry.write(&mut file))
        // Not a second time if it fails: the system may take for clean what it could not write.
        .and_then(|files| file.sync_all().map(|()| files));
    match written {
        Ok(files) => Ok((temporary, file, files)),
        Err(error) => {
            // Best effort: what stays is no entry, and a flush removes it.
            let _ = dir.remove(&temporary);
            Err(error)
        }
    }
}
