//! Cleaning up the outbox during a flush: leftovers of killed processes, and old failed entries.

use std::io;

use super::entry::Id;
use super::{TEMPORARY, failed, once};
use crate::clock::Stamp;
use crate::disk::{self, Dir, FileError};

/// Seconds after which a killed process's leftovers are removed.
const LEFT_OVER: u64 = 60;

/// Removes the leftovers of killed processes, and old failed entries; across boots only if the wall
/// clock is `steady`.
pub(crate) fn tidy(dir: &Dir, now: &Stamp, steady: bool) {
    let done = tidied(dir, now, steady);
    if let Err(error) = done {
        tracing::info!(%error, "the outbox cannot be cleaned up");
    }
}

fn tidied(dir: &Dir, now: &Stamp, steady: bool) -> io::Result<()> {
    let failed = super::failed(dir)?;
    let has = |dir: &Dir, id: &Id| dir.size(id.as_str()).is_some();
    // An entry moves from one directory to the other, or back, by one rename: a second look at the
    // first misses no entry.
    let is_nowhere = |id: &Id| {
        let has_failed = || failed.as_ref().is_some_and(|failed| has(failed, id));
        !has(dir, id) && !has_failed() && !has(dir, id)
    };
    let now_s = now.wall / 1000;
    for place in [Some(dir), failed.as_ref()].into_iter().flatten() {
        for name in place.names()? {
            let name = name?;
            if is_left_over(&name, is_nowhere) && is_old(place, &name, now_s) {
                put_away(place, &name);
            }
        }
    }
    once::tidy(dir)?;
    if let Some(failed) = &failed {
        failed::prune(failed, now, steady)?;
    }
    Ok(())
}

/// Whether a file is neither an entry nor belongs to one.
fn is_left_over(name: &str, is_nowhere: impl Fn(&Id) -> bool) -> bool {
    let beside = [".try", ".why"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .and_then(Id::parse);
    match beside {
        Some(id) => is_nowhere(&id),
        None => name.strip_prefix(TEMPORARY).and_then(Id::parse).is_some(),
    }
}

/// Whether a file was not written for a while, by a clock that may have been set meanwhile.
fn is_old(dir: &Dir, name: &str, now_s: u64) -> bool {
    let changed = dir.changed_at(name);
    changed.is_some_and(|at| at.abs_diff(now_s) > LEFT_OVER)
}

/// Removes a leftover, unless its writer is alive and holds its lock.
fn put_away(dir: &Dir, name: &str) {
    let removed = match dir.edit(name) {
        Ok((file, _)) => match disk::lock_now(&file) {
            Ok(true) => dir.remove(name),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        },
        // Not a file of wxpush, so no process is writing it.
        Err(error)
            if FileError::is_foreign(&error) || error.kind() == io::ErrorKind::PermissionDenied =>
        {
            dir.remove(name)
        }
        Err(error) => Err(error),
    };
    if let Err(error) = removed {
        tracing::info!(name, %error, "a leftover file cannot be removed");
    }
}
