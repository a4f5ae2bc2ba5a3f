//! What killed processes left in an outbox, and what failed long ago: it goes with the next flush.

use std::io;

use super::entry::Id;
use super::{TEMPORARY, failed, once};
use crate::clock::Stamp;
use crate::disk::{self, Dir, FileError};

/// Seconds after which what a killed process left is removed.
const LEFT_OVER: u64 = 60;

/// Puts away what killed processes left, and what failed long ago; across boots only by a wall clock
/// that is `steady`.
pub(crate) fn tidy(dir: &Dir, now: &Stamp, steady: bool) {
    let done = tidied(dir, now, steady);
    if let Err(error) = done {
        tracing::info!(%error, "the outbox cannot be tidied");
    }
}

fn tidied(dir: &Dir, now: &Stamp, steady: bool) -> io::Result<()> {
    let failed = super::failed(dir)?;
    let has = |dir: &Dir, id: &Id| dir.size(id.as_str()).is_some();
    // An entry goes from the one to the other by one renaming, and so it comes back: a second look
    // at the first misses none.
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

/// Whether a file is no entry, and belongs to none.
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

/// Whether nobody has written a file for a while, by a clock that may have been set meanwhile.
fn is_old(dir: &Dir, name: &str, now_s: u64) -> bool {
    let changed = dir.changed_at(name);
    changed.is_some_and(|at| at.abs_diff(now_s) > LEFT_OVER)
}

/// Removes what is left over, unless its writer lives: that one has it locked.
fn put_away(dir: &Dir, name: &str) {
    let removed = match dir.edit(name) {
        Ok((file, _)) => match disk::lock_now(&file) {
            Ok(true) => dir.remove(name),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        },
        // None of ours, which nobody writes.
        Err(error)
            if FileError::is_foreign(&error) || error.kind() == io::ErrorKind::PermissionDenied =>
        {
            dir.remove(name)
        }
        Err(error) => Err(error),
    };
    if let Err(error) = removed {
        tracing::info!(name, %error, "what is left over cannot be removed");
    }
}
