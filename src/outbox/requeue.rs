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

/// Longest record of an entry to read, in bytes.
const RECORD_MAX: u64 = 16 << 10;

/// The result of putting an entry back.
pub(crate) enum Requeued {
    Back,
    /// Claimed by another process.
    Busy,
    /// An entry with its name is already in the outbox: both stay.
    Waits,
}

/// Puts a failed entry that the caller has claimed back into the outbox, in the form given.
///
/// At any moment exactly one of the two directories has it: it is rewritten in place, and moved by
/// one rename. Its record is in place before it.
///
/// # Errors
/// The error of the disk; then the entry is still in `failed/`, or in the outbox already.
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
    // Left by a killed process: only the holder of the entry's lock writes it.
    failed.remove(&format!("{TEMPORARY}{id}"))?;
    write::replace(failed, id, entry)?;
    // It is a new file. Its lock keeps senders away until nothing of it is left in `failed/`.
    let (file, meta) = failed.edit(id.as_str())?;
    if !disk::lock_now(&file)? || !failed.leads_to(id.as_str(), &meta) {
        return Ok(Requeued::Busy);
    }
    let name = record_name(id);
    let attempts = tried(dir, failed, id, entry)?;
    let record = record::open(dir, &name)?;
    // The user has looked at the phone: if WeCom has no duplicate check, send it afresh.
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
    // A flush removes them if this fails.
    let _ = failed.remove(&name);
    let _ = failed.remove(&why_name(id));
    Ok(Requeued::Back)
}

/// Returns the state of a failed entry's delivery.
///
/// If a crash cut short its move to `failed/`, or an earlier attempt to put it back, the latest
/// record is in the outbox.
///
/// # Errors
/// An I/O error if the record cannot be read now: ignoring it would resend delivered parts.
fn tried(dir: &Dir, failed: &Dir, id: &Id, entry: &Entry) -> io::Result<Attempts> {
    let name = record_name(id);
    let mut doubtful = None;
    for place in [dir, failed] {
        let bytes = match place.read(&name, RECORD_MAX) {
            Ok(bytes) => bytes.unwrap_or_default(),
            // Not a file of wxpush: it has no information, but its presence is suspicious.
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
    // Damaged: assume that every part is in doubt.
    Ok(doubtful.map_or_else(Attempts::default, |place| attempts::read(place, id, entry)))
}
