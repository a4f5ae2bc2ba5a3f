//! `outbox drop` and `outbox retry`: an entry that cannot be changed does not block the others.

use std::collections::HashSet;
use std::ptr;

use serde_json::json;

use super::{Outboxes, Place, find};
use crate::cli::Chosen;
use crate::clock::Stamp;
use crate::delivery::Sender;
use crate::error::{Exit, Failure};
use crate::outbox::{self, Claim, Entry, Requeued, SenderAccount};
use crate::output::{self, Output};
use crate::text::outbox as text;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Removes an entry; `--all` means the waiting ones.
    Drop,
    /// Puts a failed entry back, and makes a waiting one due at once, by the current config.
    Retry,
}

/// The result of a change.
#[derive(Clone, Copy)]
enum Done {
    Dropped,
    WillRetry,
    /// The entry had already left the outbox.
    Gone,
}

/// Changes each chosen entry, and reports each.
pub(super) fn run(
    outboxes: &Outboxes<'_>,
    change: Change,
    chosen: &Chosen,
    output: Output,
) -> anyhow::Result<Exit> {
    let all = outboxes.all()?;
    let wanted = wanted(&all, change, chosen);
    let count = wanted.len();
    let mut failures = Vec::new();
    for place in wanted {
        let changed = place.and_then(|place| {
            let done = match change {
                Change::Drop => drop_entry(place)?,
                Change::Retry => retry_entry(outboxes, place)?,
            };
            report(place, done, output)
        });
        if let Err(failure) = changed {
            if count > 1 {
                tracing::error!(error = failure.what, "left as it is");
                output.failure(&Failure::new(failure.exit, &failure.what));
            }
            failures.push(failure);
        }
    }
    let unchanged = failures.len();
    match failures.into_iter().next() {
        None => Ok(Exit::Sent),
        Some(failure) if count == 1 => Err(failure.into()),
        Some(first) => {
            let what = text::some_unchanged(unchanged, count);
            Err(Failure { what, ..first }.into())
        }
    }
}

/// Returns the chosen entries in order and without duplicates, or an error for an ID without entry.
fn wanted<'p, 'a>(
    all: &'p [Place<'a>],
    change: Change,
    chosen: &Chosen,
) -> Vec<Result<&'p Place<'a>, Failure>> {
    if chosen.all {
        let is_meant = |place: &&Place<'_>| change == Change::Retry || place.failed.is_none();
        return all.iter().filter(is_meant).map(Ok).collect();
    }
    let mut wanted = Vec::new();
    for text in &chosen.ids {
        match find(all, text) {
            Ok(found) => wanted.extend(found.into_iter().map(Ok)),
            Err(failure) => wanted.push(Err(failure)),
        }
    }
    let mut seen = HashSet::new();
    wanted.retain(|it| !matches!(it, Ok(place) if !seen.insert(ptr::from_ref(*place))));
    wanted
}

fn drop_entry(place: &Place<'_>) -> Result<Done, Failure> {
    let id = &place.id;
    // Held until the entry is removed.
    let claim = place.claim();
    let removed = match (&claim, &place.failed) {
        (Claim::Busy, _) => return Err(text::busy(id)),
        (Claim::Gone, _) => return Ok(Done::Gone),
        (_, Some(failed)) => outbox::forget(failed, id),
        (Claim::Held(held), None) => match held.carrier_in_doubt() {
            // The carrier can only be sent again unchanged.
            Some(carrier) => return Err(text::merged(id, carrier)),
            None => held.remove(),
        },
        // The claim has just moved it to failed/.
        (Claim::Damaged, None) => outbox::failed(&place.dir)
            .and_then(|failed| failed.map_or(Ok(()), |failed| outbox::forget(&failed, id))),
        (Claim::Newer, None) => place.dir.remove(id.as_str()),
        (Claim::Foreign(error) | Claim::Unusable(error), None) => {
            return Err(cannot_change(place, error));
        }
    };
    removed.map_err(|error| cannot_change(place, &error))?;
    tracing::info!(%id, "dropped");
    Ok(Done::Dropped)
}

fn retry_entry(outboxes: &Outboxes<'_>, place: &Place<'_>) -> Result<Done, Failure> {
    let id = &place.id;
    let held = match place.claim() {
        Claim::Held(held) => held,
        Claim::Busy => return Err(text::busy(id)),
        Claim::Gone => return Ok(Done::Gone),
        Claim::Damaged | Claim::Newer => return Err(text::undecodable(id)),
        Claim::Foreign(error) | Claim::Unusable(error) => {
            return Err(cannot_change(place, &error));
        }
    };
    let entry = by_current_config(outboxes, held.entry().clone())?;
    let changed = if let Some(failed) = &place.failed {
        match outbox::requeue(&place.dir, failed, &held, &entry) {
            Ok(Requeued::Back) => Ok(()),
            Ok(Requeued::Busy) => return Err(text::busy(id)),
            Ok(Requeued::Waits) => return Err(text::waits_already(id)),
            Err(error) => Err(error),
        }
    } else {
        held.note(|attempts| attempts.hold = None);
        if entry.sender == held.entry().sender {
            Ok(())
        } else {
            outbox::readdress(&place.dir, &held, &entry)
        }
    };
    changed.map_err(|error| cannot_change(place, &error))?;
    outbox::look_again(&place.dir);
    tracing::info!(%id, "to be tried again");
    Ok(Done::WillRetry)
}

/// Returns the same message for the sender that the current config has under its profile.
fn by_current_config(outboxes: &Outboxes<'_>, entry: Entry) -> Result<Entry, Failure> {
    let config = outboxes.config;
    let profile = entry.sender.profile.as_deref();
    let is_known = profile.is_none_or(|name| config.profiles().any(|known| known == name));
    let settings = match &entry.sender.account {
        SenderAccount::App(_) if is_known => config.settings_of(profile)?,
        SenderAccount::App(_) => config.settings(None)?,
        SenderAccount::Robot(robot) if is_known => config.robot_of(profile, robot)?,
        SenderAccount::Robot(robot) => config.robot(robot)?,
    };
    Ok(Entry {
        retried: Some(Stamp::now()),
        sender: Sender::name_of(&settings),
        ..entry
    })
}

fn cannot_change(place: &Place<'_>, error: &std::io::Error) -> Failure {
    text::cannot_change(&place.id, place.dir.path().display(), error)
}

/// Reports an entry that was changed or has left; in English for a script.
fn report(place: &Place<'_>, done: Done, output: Output) -> Result<(), Failure> {
    let id = &place.id;
    let (status, line) = match done {
        Done::Dropped => ("dropped", text::dropped(id)),
        Done::WillRetry => ("to be tried again", text::will_be_retried(id)),
        Done::Gone => ("gone", text::gone(id)),
    };
    if output.json {
        output::object(&json!({"id": id.as_str(), "status": status}))?;
    } else if output.is_talkative() {
        output::result(&line)?;
    }
    if matches!(done, Done::Gone) {
        output.note(&text::left_before(id));
    }
    Ok(())
}
