//! Messages that are given up: kept for a month with the reason, to be looked at or put back.

use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attempts::{self, Attempts, Doubt, record_name};
use super::claimed::ClaimedEntry;
use super::entry::{Entry, Id};
use super::{FAILED, TEMPORARY};
use crate::clock::Stamp;
use crate::disk::{self, Dir, FileError, record};
use crate::message::{Channel, DUPLICATE_CHECK_MAX};

/// How long they are kept. Source: the contract with users.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Longest reason that is read, in bytes.
const REASON_MAX: u64 = 16 << 10;

/// The same of what is known of its tries.
const RECORD_MAX: u64 = 16 << 10;

/// Why a message was given up, as it stands in `failed/ID.why`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct FailureRecord {
    /// When.
    pub(crate) at: Option<Stamp>,
    /// The exit status that `send` would have had.
    pub(crate) exit_code: u8,
    pub(crate) errcode: Option<i64>,
    pub(crate) errmsg: Option<String>,
    /// For people; empty where the entry is damaged.
    pub(crate) error: String,
    /// What to do, for people.
    pub(crate) hint: Option<String>,
}

/// Moves an entry, whose lock the caller holds, among the failed.
pub(super) fn fail(dir: &Dir, id: &Id, verdict: &FailureRecord) -> io::Result<()> {
    let failed = Dir::make(&dir.path().join(FAILED), dir.owner())?;
    let why = why_name(id);
    // Of a try that a crash cut short.
    failed.remove(&why)?;
    let mut file = failed.create(&why)?;
    let mut text = serde_json::to_vec_pretty(verdict)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_all()?;
    dir.rename(id.as_str(), &failed, id.as_str())?;
    let record = record_name(id);
    // What was tried is of interest, not of need.
    let _ = dir.rename(&record, &failed, &record);
    failed.sync()
}

/// Why an entry failed; nothing known where the reason is lost.
pub(crate) fn verdict(failed: &Dir, id: &Id) -> FailureRecord {
    let bytes = failed.read(&why_name(id), REASON_MAX);
    let bytes = bytes.ok().flatten().unwrap_or_default();
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    // Each by itself: a number that cannot be one takes none of the others along.
    let exit_code = value["exit_code"].as_u64().map(u8::try_from);
    FailureRecord {
        at: Stamp::deserialize(&value["at"]).ok(),
        exit_code: exit_code.and_then(Result::ok).unwrap_or_default(),
        errcode: value["errcode"].as_i64(),
        errmsg: text("errmsg"),
        error: text("error").unwrap_or_default(),
        hint: text("hint"),
    }
}

/// What comes of putting an entry back.
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
    super::accept::replace(failed, id, entry)?;
    // It is another file now. Whoever sends it is kept off until nothing of it is left here.
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

/// Removes a failed entry and all that belongs to it.
pub(crate) fn forget(failed: &Dir, id: &Id) -> io::Result<()> {
    failed.remove(id.as_str())?;
    failed.remove(&record_name(id))?;
    failed.remove(&why_name(id))?;
    failed.sync()
}

/// Removes what has been there for a month by a clock that can be trusted.
///
/// Within one boot that is the boot clock. Across boots it is the wall clock: only where it has
/// gone on `steady`, without a step, for a while.
pub(super) fn prune(failed: &Dir, now: &Stamp, steady: bool) -> io::Result<()> {
    let ids = failed.names()?.filter_map(|name| Id::parse(&name.ok()?));
    let limit = Id::new(now.time().checked_sub(KEPT).unwrap_or(UNIX_EPOCH));
    // A failed entry is no younger than its name says.
    let old: Vec<Id> = ids.filter(|id| *id < limit).take(1000).collect();
    for id in old {
        let at = verdict(failed, &id).at.unwrap_or(Stamp::of_wall(0));
        let is_certain = at.is_same_boot(now) || steady;
        if is_certain && at.age_or_zero(now) >= KEPT {
            forget(failed, &id)?;
            tracing::info!(%id, "failed a month ago, removed");
        }
    }
    Ok(())
}

fn why_name(id: &Id) -> String {
    format!("{id}.why")
}
