//! What became of an entry so far: how far it got, what it waits for, whether it may have arrived.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, Id};

use crate::clock::Stamp;
use crate::disk::{Dir, record};
use crate::uploads::UploadedMedia;

/// What became of an entry so far. Stands in `ID.try` beside it, since the entry is written once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attempts {
    /// Parts that WeCom has accepted.
    pub(crate) sent: usize,
    /// Requests that left.
    pub(crate) tries: u32,
    /// Whether the part that is next may have arrived already.
    pub(crate) doubt: Option<Doubt>,
    /// The record was damaged: every part that is left may have arrived already.
    pub(crate) lost: bool,
    /// Whether what goes before that part as a message of its own has been delivered.
    pub(crate) noted: bool,
    /// What its file has been uploaded as.
    pub(crate) media: Option<UploadedMedia>,
    /// What it waits for before it is tried again.
    pub(crate) hold: Option<Hold>,
    /// What the trouble concerned that keeps it here.
    pub(crate) blocked_by: Option<HoldScope>,
    /// Whether it was refused together with all else, so that nobody knows whose trouble that was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) suspected: bool,
    /// The entry that carries its text, if that one is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) carried_by: Option<String>,
    /// How often it was refused while other messages went.
    pub(crate) passed_over: u32,
    /// When that began.
    pub(crate) passed_since: Option<Stamp>,
    /// Whether a flush has reported that it is held up for long.
    pub(crate) reported: bool,
    /// How often WeCom refused it with a code that nobody knows.
    pub(crate) unknown_codes: u32,
    /// Why it is still here, for people.
    pub(crate) error: Option<String>,
}

impl Attempts {
    /// Whether something of it has arrived, or may have.
    pub(crate) fn may_have_arrived(&self) -> bool {
        self.sent > 0 || self.doubt.is_some()
    }

    /// Whether a request was lost on its way, so that nobody knows what became of it.
    pub(crate) fn is_in_the_dark(&self) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| !doubt.answered)
    }
}

/// A time before which an entry is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    pub(crate) until: Stamp,
    pub(crate) on: HoldScope,
}

/// What a hold holds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HoldScope {
    /// Everything of its sender.
    App,
    /// Every request of the same call.
    Call,
    /// This entry alone: what is for the same recipients goes ahead.
    Entry,
}

/// Longest time that an entry is not tried again, whatever a server asks for.
pub(crate) const HOLD_MAX: Duration = Duration::from_hours(1);

impl Hold {
    /// A hold of this length from now on.
    pub(crate) fn for_time(time: Duration, on: HoldScope, now: &Stamp) -> Self {
        let until = now.later(time.min(HOLD_MAX));
        Self { until, on }
    }

    /// How long it still lasts; none if it is over. After a jump of the clock across a reboot nothing
    /// waits longer than any hold may last.
    pub(crate) fn left(&self, now: &Stamp) -> Option<Duration> {
        now.age(&self.until)
            .filter(|left| !left.is_zero() && *left <= HOLD_MAX)
    }
}

/// Requests that may have been processed although no answer came: a resend must be the same to the
/// byte for WeCom to swallow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Doubt {
    /// When the first of them left.
    pub(crate) since: Stamp,
    /// How long before the first an equal message went, in seconds, as far as that is known.
    #[serde(default)]
    pub(crate) apart: Option<u64>,
    /// The lines that stood before its text.
    pub(crate) marks: String,
    /// The window of WeCom's duplicate check that the resends ask for, in seconds.
    #[serde(default)]
    pub(crate) window: Option<u64>,
    /// When the first request with this window left.
    #[serde(default)]
    pub(crate) formed: Option<Stamp>,
    /// Whether each of them was answered, if not by WeCom: they were hardly passed on.
    #[serde(default)]
    pub(crate) answered: bool,
    /// How many different forms of it, that WeCom may not take for the same, may have arrived.
    #[serde(default = "one")]
    pub(crate) forms: u32,
}

fn one() -> u32 {
    1
}

impl Doubt {
    /// A first request that leaves at this moment.
    pub(crate) fn new(now: Stamp, marks: String) -> Self {
        Self {
            since: now,
            apart: None,
            marks,
            window: None,
            formed: None,
            answered: false,
            forms: 1,
        }
    }
}

/// The name of what stands beside an entry.
pub(super) fn record_name(id: &Id) -> String {
    format!("{id}.try")
}

/// Reads what stands beside an entry. If that is damaged, every part may have arrived.
pub(super) fn read(dir: &Dir, id: &Id, entry: &Entry) -> Attempts {
    let attempts = match record::read(dir, &record_name(id)) {
        record::Read::Nothing => Attempts::default(),
        record::Read::Record(attempts) => attempts,
        record::Read::Unreadable => Attempts {
            doubt: Some(Doubt::new(entry.accepted, String::new())),
            lost: true,
            ..Attempts::default()
        },
    };
    Attempts {
        sent: attempts.sent.min(entry.messages.len()),
        ..attempts
    }
}
