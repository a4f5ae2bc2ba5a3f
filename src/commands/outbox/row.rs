//! A row of `list` and `show`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local, SecondsFormat};
use serde::Serialize;

use super::due::{DueTime, DueTimes};
use super::{Outboxes, Place};
use crate::error::Failure;
use crate::outbox::{self, Attempts, Entry, FailureRecord, HoldScope, Id, SenderAccount, Unread};
use crate::output;
use crate::text::outbox as text;

/// An entry due sooner than this waits only for the next flush.
const SOON: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
enum EntryStatus {
    Waiting,
    Failed,
    /// Its sender is not in the config.
    OtherApp,
    #[default]
    Unreadable,
}

/// The reason why an entry is not sent now.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
enum WaitsFor {
    App,
    Call,
    /// Its own back-off.
    Entry,
    Slot,
    /// The end of quiet hours.
    Quiet,
}

/// An entry in the form for scripts.
#[derive(Debug, Default, Serialize)]
pub(super) struct EntryRow {
    id: String,
    status: EntryStatus,
    pub(super) accepted: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) corpid: Option<String>,
    pub(super) robot: Option<String>,
    pub(super) api_base: Option<String>,
    to: Option<String>,
    /// The recipients in the form for people.
    #[serde(skip)]
    recipients: Option<String>,
    msgtype: Option<String>,
    text: Option<String>,
    pub(super) parts: usize,
    /// The number of parts that WeCom has accepted.
    pub(super) sent: usize,
    tries: u32,
    /// When it will be sent, if a flush runs then.
    due: Option<String>,
    waits_for: Option<WaitsFor>,
    /// The entry that carries its text together with others.
    merged_into: Option<String>,
    /// Whether it may already have arrived.
    in_doubt: bool,
    error: Option<String>,
    pub(super) hint: Option<String>,
    errcode: Option<i64>,
    pub(super) failed_at: Option<String>,
}

/// A maker of rows, to be used in the order of the outbox.
pub(super) struct RowMaker<'a> {
    due: DueTimes<'a>,
    /// The entries, mapped to the carrier of their text.
    carriers: BTreeMap<Id, Id>,
}

impl<'a> RowMaker<'a> {
    pub(super) fn new(outboxes: &'a Outboxes<'a>) -> Self {
        Self {
            due: DueTimes::new(outboxes),
            carriers: BTreeMap::new(),
        }
    }

    /// Returns the row of an entry, and the entry if readable; `None` if it has just left.
    pub(super) fn row(&mut self, place: &Place<'_>) -> Option<(EntryRow, Option<Entry>)> {
        let why = match outbox::peek(place.holder(), &place.id) {
            Ok(None) => return None,
            Ok(Some(Ok((entry, attempts)))) => {
                return Some((self.readable(place, &entry, attempts), Some(entry)));
            }
            Ok(Some(Err(Unread::Newer))) => text::newer(),
            Ok(Some(Err(Unread::Damaged))) => text::damaged(),
            Err(error) => error.to_string(),
        };
        let row = EntryRow {
            id: place.id.to_string(),
            error: Some(why),
            ..EntryRow::default()
        };
        Some((row, None))
    }

    fn readable(&mut self, place: &Place<'_>, entry: &Entry, attempts: Attempts) -> EntryRow {
        let carried = entry.merged.iter().map(|merged| merged.id.clone());
        self.carriers
            .extend(carried.map(|id| (id, place.id.clone())));
        let next = entry
            .messages
            .get(attempts.sent)
            .unwrap_or(&entry.messages[0]);
        let mut row = EntryRow {
            id: place.id.to_string(),
            accepted: Some(time(entry.accepted.time())),
            profile: entry.sender.profile.clone(),
            api_base: Some(entry.sender.api_base.clone()),
            msgtype: Some(next.content.msgtype().to_owned()),
            text: next.headline().map(str::to_owned),
            parts: entry.messages.len(),
            sent: attempts.sent,
            tries: attempts.tries,
            merged_into: self.carriers.get(&place.id).map(Id::to_string),
            in_doubt: attempts.doubt.is_some(),
            ..EntryRow::default()
        };
        match &entry.sender.account {
            SenderAccount::App(corpid) => {
                row.corpid = Some(corpid.clone());
                row.to = Some(next.to.describe());
                row.recipients = Some(crate::text::message::recipients(&next.to));
            }
            SenderAccount::Robot(name) => {
                row.robot = Some(name.clone());
                row.to = Some(format!("robot {name}"));
                row.recipients = Some(text::robot(name));
            }
        }
        match &place.failed {
            Some(failed) => row.add_verdict(outbox::verdict(failed, &place.id)),
            None => row.add_due(self.due.of(place.state, entry, &attempts), &attempts),
        }
        row.error = row.error.or(attempts.error);
        row
    }
}

impl EntryRow {
    fn add_verdict(&mut self, verdict: FailureRecord) {
        self.status = EntryStatus::Failed;
        // A damaged entry is moved without an error text.
        self.error = Some(match &*verdict.error {
            "" => text::damaged(),
            error => error.to_owned(),
        });
        self.hint = verdict.hint;
        self.errcode = verdict.errcode;
        self.failed_at = verdict.at.map(|at| time(at.time()));
    }

    fn add_due(&mut self, due: Result<Option<DueTime>, Failure>, attempts: &Attempts) {
        self.status = EntryStatus::Waiting;
        match due {
            Ok(Some(due)) => {
                self.due = Some(time(due.at));
                self.waits_for = waits_for(attempts, &due);
            }
            Ok(None) => self.status = EntryStatus::OtherApp,
            // Its profile is unusable; the other entries are shown anyway.
            Err(failure) => self.error = Some(failure.what),
        }
    }

    /// Prints a line for a person, and one below it after a failure.
    pub(super) fn print(&self) -> Result<(), Failure> {
        let (part, parts) = ((self.sent + 1).min(self.parts), self.parts);
        let first_line = self.text.as_deref().map(|text| {
            let first = text.lines().next().unwrap_or_default();
            first.chars().take(60).collect()
        });
        let words = [
            Some(self.id.clone()),
            Some(self.status.words()),
            self.due.as_ref().map(text::due),
            self.waits_for.map(WaitsFor::words),
            self.merged_into.as_ref().map(text::merged_into),
            self.recipients.as_ref().map(text::to),
            (parts > 1).then(|| text::part(part, parts)),
            (self.tries > 0).then(|| text::tries(self.tries)),
            first_line,
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        output::result(&words.join("  "))?;
        let trouble = match (self.in_doubt, &self.error) {
            (true, Some(error)) => text::may_have_arrived_but(error),
            (true, None) => text::may_have_arrived(),
            (false, Some(error)) => error.clone(),
            (false, None) => return Ok(()),
        };
        output::result(&format!("    {trouble}"))
    }
}

impl EntryStatus {
    fn words(self) -> String {
        match self {
            Self::Waiting => text::waiting(),
            Self::Failed => text::failed(),
            Self::OtherApp => text::other_app(),
            Self::Unreadable => text::unreadable(),
        }
    }
}

impl WaitsFor {
    fn words(self) -> String {
        match self {
            Self::App => text::waits_for_app(),
            Self::Call => text::waits_for_call(),
            Self::Entry => text::waits_for_retry(),
            Self::Slot => text::waits_for_slot(),
            Self::Quiet => text::waits_for_morning(),
        }
    }
}

fn waits_for(attempts: &Attempts, due: &DueTime) -> Option<WaitsFor> {
    let held = attempts.hold.map(|hold| hold.on);
    match held.or(attempts.blocked_by) {
        Some(HoldScope::App) => Some(WaitsFor::App),
        Some(HoldScope::Call) => Some(WaitsFor::Call),
        Some(HoldScope::Entry) => Some(WaitsFor::Entry),
        None if due.is_quiet => Some(WaitsFor::Quiet),
        None => (due.at > SystemTime::now() + SOON).then_some(WaitsFor::Slot),
    }
}

/// Formats a time for people and scripts: local time with its offset.
fn time(at: SystemTime) -> String {
    DateTime::<Local>::from(at).to_rfc3339_opts(SecondsFormat::Secs, false)
}
