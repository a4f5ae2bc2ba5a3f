//! Claiming an entry: only the process that has locked it sends it.

use std::io;
use std::sync::Arc;

use super::attempts::{self, Attempts};
use super::claimed::ClaimedEntry;
use super::entry::{Entry, Id};
use super::failed::{self, FailureRecord};
use super::format::Unread;
use super::spares::SpareRecords;
use crate::clock::Stamp;
use crate::disk::{self, Dir, FileError};
use crate::file_slice::FileSlice;

/// The result of claiming an entry.
pub(crate) enum Claim {
    Held(Arc<ClaimedEntry>),
    /// Claimed by another process.
    Busy,
    /// Delivered or removed meanwhile.
    Gone,
    /// Written by a newer wxpush, and left alone.
    Newer,
    /// Damaged, and moved to `failed/`.
    Damaged,
    /// Not a file of wxpush, and left alone.
    Foreign(io::Error),
    /// Possibly an entry, but it cannot be opened, locked or read now.
    Unusable(io::Error),
}

/// Claims an entry; a damaged one is moved to `failed/`. Its record is one of these, if there are some.
pub(crate) fn claim(dir: &Arc<Dir>, id: &Id, spares: Option<&Arc<SpareRecords>>) -> Claim {
    let damaged = || {
        let verdict = FailureRecord {
            at: Some(Stamp::now()),
            exit_code: 65,
            ..FailureRecord::default()
        };
        failed::fail(dir, id, &verdict)
    };
    claimed(hold(dir, id, spares, damaged))
}

/// Claims a failed entry; a damaged one stays.
pub(crate) fn claim_failed(failed: &Arc<Dir>, id: &Id) -> Claim {
    claimed(hold(failed, id, None, || Ok(())))
}

fn claimed(held: io::Result<Claim>) -> Claim {
    match held {
        Ok(claim) => claim,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Claim::Gone,
        Err(error) if FileError::is_foreign(&error) => Claim::Foreign(error),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Claim::Foreign(error),
        Err(error) => Claim::Unusable(error),
    }
}

fn hold(
    dir: &Arc<Dir>,
    id: &Id,
    spares: Option<&Arc<SpareRecords>>,
    damaged: impl FnOnce() -> io::Result<()>,
) -> io::Result<Claim> {
    let (file, meta) = dir.edit(id.as_str())?;
    if !disk::lock_now(&file)? {
        return Ok(Claim::Busy);
    }
    // The previous holder of the lock may have delivered it.
    if !dir.leads_to(id.as_str(), &meta) {
        return Ok(Claim::Gone);
    }
    let file = Arc::new(file);
    match Entry::read(&FileSlice::of_file(Arc::clone(&file))?)? {
        Ok(entry) => {
            let mut held = ClaimedEntry::new(Arc::clone(dir), id.clone(), entry, file);
            if let Some(spares) = spares {
                held = held.sharing(spares);
            }
            Ok(Claim::Held(Arc::new(held.remembered())))
        }
        Err(Unread::Newer) => Ok(Claim::Newer),
        Err(Unread::Damaged) => {
            damaged()?;
            Ok(Claim::Damaged)
        }
    }
}

/// Reads an entry and its record without claiming it.
///
/// # Errors
/// An I/O error, or a file that is not wxpush's; the inner error if it is not a readable entry.
pub(crate) fn peek(dir: &Dir, id: &Id) -> io::Result<Option<Result<(Entry, Attempts), Unread>>> {
    let Some((file, _)) = dir.view(id.as_str())? else {
        return Ok(None);
    };
    Ok(Some(
        Entry::read(&FileSlice::of_file(Arc::new(file))?)?.map(|entry| {
            let attempts = attempts::read(dir, id, &entry);
            (entry, attempts)
        }),
    ))
}
