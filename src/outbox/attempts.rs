//! The record of an entry: the parts sent so far, the hold before the next try, the requests in
//! doubt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, Id};

use crate::clock::Stamp;
use crate::disk::{Dir, record};
use crate::uploads::UploadedMedia;

/// The state of an entry's delivery so far. Kept in `ID.try` next to the entry, which is written
/// only once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attempts {
    /// Number of parts that WeCom has accepted.
    pub(crate) sent: usize,
    /// Number of requests sent.
    pub(crate) tries: u32,
    /// The doubt whether the next part has arrived already.
    pub(crate) doubt: Option<Doubt>,
    /// Whether the record was damaged: every remaining part may have arrived already.
    pub(crate) lost: bool,
    /// Whether the lines before the next part have been delivered as a separate message.
    pub(crate) noted: bool,
    /// The upload of its file.
    pub(crate) media: Option<UploadedMedia>,
    /// The hold before it is tried again.
    pub(crate) hold: Option<Hold>,
    /// The scope of the trouble that keeps it here.
    pub(crate) blocked_by: Option<HoldScope>,
    /// Whether it was refused together with everything else, so that the cause is unknown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) suspected: bool,
    /// The entry that carries its text, if that entry exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) carried_by: Option<String>,
    /// Whether it goes out only if the process that keeps it dies, so that no message waits for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) reserved: bool,
    /// Since when its app has failed to send it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stuck_since: Option<Stamp>,
    /// Whether the fallback of its app has refused it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) not_by_robot: bool,
    /// Number of times it was refused while other messages were accepted.
    pub(crate) passed_over: u32,
    /// The first of these times.
    pub(crate) passed_since: Option<Stamp>,
    /// Whether a flush has reported that it is held up for long.
    pub(crate) reported: bool,
    /// Number of times WeCom refused it with an unknown code.
    pub(crate) unknown_codes: u32,
    /// Why it is still here, for people.
    pub(crate) error: Option<String>,
}

impl Attempts {
    /// Whether a part of it has arrived, or may have.
    pub(crate) fn may_have_arrived(&self) -> bool {
        self.sent > 0 || self.doubt.is_some()
    }

    /// Whether something of it is on the phone, or may be.
    pub(crate) fn is_begun(&self) -> bool {
        self.sent > 0 || self.doubt.is_some()
    }

    /// Whether a request got no answer at all, so that its outcome is unknown.
    pub(crate) fn is_in_the_dark(&self) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| !doubt.answered)
    }
}

/// A time before which an entry is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    pub(crate) until: Stamp,
    pub(crate) on: HoldScope,
    /// When it began, if it ends as soon as a message goes out after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Stamp>,
}

/// The scope of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HoldScope {
    /// Every message of its sender.
    App,
    /// Every request of the same call.
    Call,
    /// This entry only: messages to the same recipients may overtake it.
    Entry,
}

/// Longest hold, whatever a server asks for.
pub(crate) const HOLD_MAX: Duration = Duration::from_hours(1);

impl Hold {
    /// Returns a hold of this length from `now` on.
    pub(crate) fn for_time(time: Duration, on: HoldScope, now: &Stamp) -> Self {
        let until = now.later(time.min(HOLD_MAX));
        Self {
            until,
            on,
            since: None,
        }
    }

    /// Returns it as one that ends as soon as a message goes out.
    pub(crate) fn or_until_success(self, now: &Stamp) -> Self {
        Self {
            since: Some(*now),
            ..self
        }
    }

    /// Returns the time left, if any. If the clock jumped across a reboot, no hold lasts longer
    /// than `HOLD_MAX`.
    pub(crate) fn left(&self, now: &Stamp) -> Option<Duration> {
        now.age(&self.until)
            .filter(|left| !left.is_zero() && *left <= HOLD_MAX)
    }
}

/// Requests that may have been processed although no answer came. WeCom drops a resend only if it
/// is equal to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Doubt {
    /// The time of the first of them.
    pub(crate) since: Stamp,
    /// Seconds between the last equal message and the first of them, if known.
    #[serde(default)]
    pub(crate) apart: Option<u64>,
    /// The lines before its text.
    pub(crate) marks: String,
    /// The window of WeCom's duplicate check in the resends, in seconds.
    #[serde(default)]
    pub(crate) window: Option<u64>,
    /// The time of the first request with this window.
    #[serde(default)]
    pub(crate) formed: Option<Stamp>,
    /// Whether every request was answered, but not by WeCom: they were probably not passed on.
    #[serde(default)]
    pub(crate) answered: bool,
    /// Number of different forms that may have arrived, which WeCom may not see as duplicates.
    #[serde(default = "one")]
    pub(crate) forms: u32,
}

fn one() -> u32 {
    1
}

impl Doubt {
    /// Returns the doubt of a first request sent at `now`.
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

/// Returns the name of an entry's record.
pub(super) fn record_name(id: &Id) -> String {
    format!("{id}.try")
}

/// Reads an entry's record. If it is damaged, every part is in doubt.
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
