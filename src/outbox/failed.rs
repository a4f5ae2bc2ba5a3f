//! Failed messages: kept for a month with the reason, to be looked at or put back.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attempts::record_name;
use super::entry::Id;
use super::{BYTES_MAX, FAILED};
use crate::clock::Stamp;
use crate::disk::Dir;

/// How long failed entries are kept. Source: the contract with users.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// The most entries and bytes that are kept; beyond them the oldest go. Source of the first: a
/// month of a failure every four minutes; of the second: the outbox's own.
const ENTRIES_MAX: usize = 10_000;

/// The most entries that one flush removes for each reason.
const PRUNED_MAX: usize = 1000;

/// Longest reason to read, in bytes.
const REASON_MAX: u64 = 16 << 10;

/// The reason why a message failed, as kept in `failed/ID.why`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct FailureRecord {
    /// The time of the failure.
    pub(crate) at: Option<Stamp>,
    /// The exit status that `send` would have had.
    pub(crate) exit_code: u8,
    pub(crate) errcode: Option<i64>,
    pub(crate) errmsg: Option<String>,
    /// The message for people; empty if the entry is damaged.
    pub(crate) error: String,
    /// The advice for people.
    pub(crate) hint: Option<String>,
}

/// Moves an entry, whose lock the caller holds, to `failed/`.
pub(super) fn fail(dir: &Dir, id: &Id, verdict: &FailureRecord) -> io::Result<()> {
    let failed = dir.make_sub(FAILED)?;
    let why = why_name(id);
    // Left by an attempt that a crash cut short.
    failed.remove(&why)?;
    let mut file = failed.create(&why)?;
    let mut text = serde_json::to_vec_pretty(verdict)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_all()?;
    dir.rename(id.as_str(), &failed, id.as_str())?;
    let record = record_name(id);
    // The record is useful, but not essential.
    let _ = dir.rename(&record, &failed, &record);
    failed.sync()
}

/// Reads why an entry failed; the default if the reason is lost.
pub(crate) fn verdict(failed: &Dir, id: &Id) -> FailureRecord {
    let bytes = failed.read(&why_name(id), REASON_MAX);
    let bytes = bytes.ok().flatten().unwrap_or_default();
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    // Each field by itself: an invalid number must not lose the others.
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

/// Removes a failed entry with its record and its reason.
pub(crate) fn forget(failed: &Dir, id: &Id) -> io::Result<()> {
    failed.remove(id.as_str())?;
    failed.remove(&record_name(id))?;
    failed.remove(&why_name(id))?;
    failed.sync()
}

/// Removes entries that failed a month ago by a clock that can be trusted, and the oldest of too many.
///
/// Within one boot this is the boot clock. Across boots it is the wall clock, but only if it has
/// been `steady`, without a step, for a while.
pub(super) fn prune(failed: &Dir, now: &Stamp, steady: bool) -> io::Result<()> {
    let ids = failed.names()?.filter_map(|name| Id::parse(&name.ok()?));
    let ids: BTreeSet<Id> = ids.collect();
    let limit = Id::new(now.time().checked_sub(KEPT).unwrap_or(UNIX_EPOCH));
    // No entry failed before the time in its name.
    for id in ids.iter().filter(|id| **id < limit).take(PRUNED_MAX) {
        let at = verdict(failed, id).at.unwrap_or(Stamp::of_wall(0));
        let is_certain = at.is_same_boot(now) || steady;
        if is_certain && at.age_or_zero(now) >= KEPT {
            forget(failed, id)?;
            tracing::info!(%id, "removed, since it failed a month ago");
        }
    }
    let (mut entries, mut bytes) = (0, 0_u64);
    let sizes = ids.iter().rev();
    let sizes = sizes.filter_map(|id| Some((id, failed.size(id.as_str())?)));
    let excess = sizes.filter(|(_, size)| {
        entries += 1;
        bytes = bytes.saturating_add(*size);
        entries > ENTRIES_MAX || bytes > BYTES_MAX
    });
    let excess: Vec<_> = excess.collect();
    for (id, _) in excess.into_iter().rev().take(PRUNED_MAX) {
        forget(failed, id)?;
        tracing::info!(%id, "removed, since too many have failed after it");
    }
    Ok(())
}

pub(super) fn why_name(id: &Id) -> String {
    format!("{id}.why")
}
