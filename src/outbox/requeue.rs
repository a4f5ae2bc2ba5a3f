//! Putting a failed entry back into the outbox.

use std::io;

use super::attempts::{self, Attempts, Doubt, record_name};
use super::claimed::ClaimedEntry;
use super::entry::{Entry, Id};
use super::failed::why_name;
use super::{TEMPORARY, write};
use crate::clock::Stamp;
use crate::disk::{self, Dir, FileError, record};
use crate::message::{Channel, DUPLICATE_CHECK_MAX};

/// Longest record of an entry's tries that is read, in bytes.
const RECORD_MAX: u64 = 16 << 10;

/// The result of putting an entry back.
pub(crate) enum Requeued {
    Back,
    /// Another process has it in hand.
    Busy,
    /// One of its name waits already: both stay.
    Waits,
}

/// Puts an entry back that the caller holds, in the form given.
///
/// At any moment one of the two directories has it, and one alone: it gets its new form where it
/// lies, and moves by one renaming. What is known of its tries is there before it is.
///
/// # Errors
/// What the disk says; then it lies among the failed still, or waits already.
pub(crate) fn requeue(
    dir: &Dir,
    failed: &Dir,
    held: &ClaimedEntry,
    entry: &Entry,
) -> io::Result<Requeued> {
    let id = held.id();
    if dir.size(id.as_str()).is_some() {
        return Ok(Requeued::Waits);
    }
    // Of one that was killed: nobody writes it without the lock that the caller has.
    failed.remove(&format!("{TEMPORARY}{id}"))?;
    write::replace(failed, id, entry)?;
    // It is another file now. Its lock keeps senders off until nothing of it is left here.
    let (file, meta) = failed.edit(id.as_str())?;
    if !disk::lock_now(&file)? || !failed.leads_to(id.as_str(), &meta) {
        return Ok(Requeued::Busy);
    }
    let name = record_name(id);
    let attempts = tried(dir, failed, id, entry)?;
    let record = record::open(dir, &name)?;
    // The user has looked at the phone: where WeCom has no duplicate check, send it afresh.
    let compares = entry.messages[0].channel == Channel::App;
    let compares = |doubt: &Doubt| {
        let age = doubt.since.age_or_zero(&Stamp::now()).as_secs();
        compares && age < DUPLICATE_CHECK_MAX
    };
    let doubt = attempts.doubt.filter(compares);
    record::write(
        &record,
        &Attempts {
            lost: attempts.lost && doubt.is_some(),
            doubt: doubt.map(|doubt| Doubt { forms: 1, ..doubt }),
            suspected: false,
            carried_by: None,
            hold: None,
            passed_over: 0,
            passed_since: None,
            reported: false,
            unknown_codes: 0,
            error: None,
            ..attempts
        },
    )?;
    record.sync_all()?;
    dir.sync()?;
    match failed.publish(id.as_str(), dir, id.as_str()) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Requeued::Waits),
        moved => moved?,
    }
    dir.sync()?;
    failed.sync()?;
    // What stays of these a flush removes.
    let _ = failed.remove(&name);
    let _ = failed.remove(&why_name(id));
    Ok(Requeued::Back)
}

/// What is known of the tries of a failed entry.
///
/// Where a crash cut short its burial, or another try to put it back, the last word on them lies
/// beside the outbox's own.
///
/// # Errors
/// That it cannot be read now: to forget it would send again what has arrived.
fn tried(dir: &Dir, failed: &Dir, id: &Id, entry: &Entry) -> io::Result<Attempts> {
    let name = record_name(id);
    let mut doubtful = None;
    for place in [dir, failed] {
        let bytes = match place.read(&name, RECORD_MAX) {
            Ok(bytes) => bytes.unwrap_or_default(),
            // None of ours: it tells nothing, and that is no accident.
            Err(error) if FileError::is_foreign(&error) => b"?".to_vec(),
            Err(error) => return Err(error),
        };
        match record::parse::<Attempts>(&bytes) {
            Some(attempts) => {
                return Ok(Attempts {
                    sent: attempts.sent.min(entry.messages.len()),
                    ..attempts
                });
            }
            None if bytes.is_empty() => {}
            None => doubtful = Some(place),
        }
    }
    // Damaged: the careful view.
    Ok(doubtful.map_or_else(Attempts::default, |place| attempts::read(place, id, entry)))
}
