//! `--once` keys: messages sent at most once. The journal is the file `once`.
//!
//! ```text
//! 1764000000000@1a2b3c4d:86400000 <key> begun <entry> <digest of the line>
//! 1764000001000@1a2b3c4d:86401000 <key> done <entry> <digest of the line>
//! ```
//!
//! A key is recorded, synced, before its entry gets its name, and closed before the entry is
//! removed. So an open key without an entry belongs to a process that died before it sent anything.
//! A key stays open if its entry failed but may have arrived.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use super::TEMPORARY;
use super::attempts::{Attempts, record_name};
use super::entry::Id;
use crate::clock::Stamp;
use crate::disk::record::{self, digest};
use crate::disk::{self, Dir, LockedFile};

/// The file's name.
pub(super) const NAME: &str = "once";

/// How long a key counts. Source: the contract with users.
const KEPT: Duration = Duration::from_hours(24);

/// Longest wait for the file's lock, which is never held for long.
const PATIENCE: Duration = Duration::from_secs(5);

/// File size in bytes from which a flush removes the expired lines.
const TIDY_FROM: u64 = 64 << 10;

/// Hexadecimal digits of a line's digest.
const DIGITS: usize = 8;

/// The state of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    Nothing,
    /// Its message is being sent from this entry.
    Begun(Id),
    /// Its message was delivered.
    Done,
}

/// The place of the entry of an open key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// In the outbox; locked if a process is sending it.
    Spooled,
    /// Being written by a live process.
    Writing,
    /// In `failed/`, and may have arrived.
    Failed,
    /// Nowhere: its process died before it sent anything.
    Nowhere,
}

/// Returns the state of a key.
///
/// # Errors
/// An I/O error if the journal cannot be read.
pub(crate) fn known(dir: &Dir, key: &str) -> io::Result<Known> {
    let bytes = dir.read(NAME, u64::MAX)?.unwrap_or_default();
    Ok(latest(&disk::lossy(bytes), key, &Stamp::now()))
}

/// Records, synced, that the messages of some keys are about to be sent from their entries, unless
/// a key is open or closed already; returns the previous state of each.
///
/// # Errors
/// An I/O error if they cannot be recorded; then nothing must be sent.
pub(super) fn begin(dir: &Dir, keys: &[(&str, &Id)]) -> io::Result<Vec<Known>> {
    let journal = lock(dir)?;
    let now = Stamp::now();
    let mut states: HashMap<&str, Known> =
        keys.iter().map(|(key, _)| (*key, Known::Nothing)).collect();
    journal.each_line(|line| {
        let key = line.split(' ').nth(1).unwrap_or_default();
        if let Some(state) = states.get_mut(key)
            && let Some(known) = state_by(line, &now)
        {
            *state = known;
        }
    })?;
    let mut lines = String::new();
    let mut before = Vec::new();
    for (key, id) in keys {
        let known = states.get(key).cloned().unwrap_or(Known::Nothing);
        let is_free = match &known {
            Known::Nothing => true,
            Known::Begun(other) => whereabouts(dir, other) == Whereabouts::Nowhere,
            Known::Done => false,
        };
        before.push(if is_free { Known::Nothing } else { known });
        if is_free {
            lines += &line(key, "begun", id);
            states.insert(key, Known::Begun((*id).clone()));
        }
    }
    if !lines.is_empty() {
        journal.append(&lines)?;
    }
    Ok(before)
}

/// Records, synced, that the messages of some keys were delivered.
///
/// # Errors
/// An I/O error if it cannot be recorded; then their entries must stay.
pub(super) fn close(dir: &Dir, keys: &[(&str, &Id)]) -> io::Result<()> {
    let lines: String = keys.iter().map(|(key, id)| line(key, "done", id)).collect();
    lock(dir)?.append(&lines)
}

/// Finds the entry of a key.
pub(crate) fn whereabouts(dir: &Dir, id: &Id) -> Whereabouts {
    let is_kept = || dir.size(id.as_str()).is_some();
    if is_kept() {
        return Whereabouts::Spooled;
    }
    let temporary = format!("{TEMPORARY}{id}");
    if let Ok((file, _)) = dir.edit(&temporary)
        && disk::lock_now(&file).is_ok_and(|is_free| !is_free)
    {
        return Whereabouts::Writing;
    }
    // It may have been renamed between the two checks.
    if is_kept() {
        Whereabouts::Spooled
    } else if failed_in_doubt(dir, id) {
        Whereabouts::Failed
    } else {
        Whereabouts::Nowhere
    }
}

/// Whether an entry is in `failed/` and may have arrived.
fn failed_in_doubt(dir: &Dir, id: &Id) -> bool {
    let Ok(Some(failed)) = super::failed(dir) else {
        return false;
    };
    let attempts = record::read::<Attempts>(&failed, &record_name(id));
    failed.size(id.as_str()).is_some()
        && match attempts {
            record::Read::Record(attempts) => attempts.may_have_arrived(),
            record::Read::Unreadable => true,
            record::Read::Nothing => false,
        }
}

/// Removes the expired lines.
pub(super) fn tidy(dir: &Dir) -> io::Result<()> {
    if dir.size(NAME).is_none_or(|size| size < TIDY_FROM) {
        return Ok(());
    }
    let now = Stamp::now();
    let is_young = |line: &str| parse(line).is_some_and(|(at, ..)| counts(&at, &now));
    lock(dir)?.compact(u64::MAX, is_young, "")
}

fn lock(dir: &Dir) -> io::Result<LockedFile<'_>> {
    dir.lock_file(NAME, PATIENCE, true)
}

fn line(key: &str, what: &str, id: &Id) -> String {
    let line = format!("{} {key} {what} {id}", Stamp::now());
    format!("{line} {}\n", digest(line.as_bytes(), DIGITS))
}

/// Parses a line into time, key, state and entry; `None` if it is damaged.
fn parse(line: &str) -> Option<(Stamp, &str, &str, Id)> {
    let (line, sum) = line.rsplit_once(' ')?;
    if digest(line.as_bytes(), DIGITS) != sum {
        return None;
    }
    let mut words = line.split(' ');
    let (at, key, what, id) = (words.next()?, words.next()?, words.next()?, words.next()?);
    Some((Stamp::parse(at)?, key, what, Id::parse(id)?))
}

/// Whether a key recorded at this time still counts. A time more than a day ahead is from a wrong
/// clock: if it counted, nothing would be sent until then.
fn counts(at: &Stamp, now: &Stamp) -> bool {
    let apart = at.age(now).or_else(|| now.age(at));
    apart.is_some_and(|apart| apart < KEPT)
}

/// Returns the state that a line gives its key; `None` if it is damaged or no longer counts.
fn state_by(line: &str, now: &Stamp) -> Option<Known> {
    let (at, _, what, id) = parse(line)?;
    let state = if what == "done" {
        Known::Done
    } else {
        Known::Begun(id)
    };
    counts(&at, now).then_some(state)
}

/// Returns the state of a key, from its last line.
fn latest(text: &str, key: &str, now: &Stamp) -> Known {
    let is_of_key = |line: &&str| line.split(' ').nth(1) == Some(key);
    let mut lines = text.lines().rev().filter(is_of_key);
    let known = lines.find_map(|line| state_by(line, now));
    known.unwrap_or(Known::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn the_last_complete_line_of_a_key_counts_for_a_day() {
        let id = Id::parse("20261124T074123.123Z-9f3a1c77").unwrap();
        let now = Stamp::now();
        let later = now.later(KEPT + Duration::from_mins(1));
        let begun = line(KEY, "begun", &id);
        let done = line(KEY, "done", &id);
        let other = line(&KEY.replace('0', "f"), "done", &id);
        for (text, known) in [
            (String::new(), Known::Nothing),
            (other.clone(), Known::Nothing),
            (begun.clone(), Known::Begun(id.clone())),
            (begun.clone() + &done, Known::Done),
            (done.clone() + &other + "torn", Known::Done),
            (
                begun.clone() + &done.replace(" done", " dune"),
                Known::Begun(id.clone()),
            ),
            (
                begun.clone() + &done[..done.len() - 3],
                Known::Begun(id.clone()),
            ),
        ] {
            assert_eq!(latest(&text, KEY, &now), known, "{text}");
            assert_eq!(latest(&text, KEY, &later), Known::Nothing, "{text}");
        }
    }
}
