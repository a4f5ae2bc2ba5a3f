//! An accepted message and its name. `format` has the file format.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::clock::Stamp;
use crate::message::{Attachment, Message};

/// How many hexadecimal digits at the end of a name are random.
const RANDOM_DIGITS: usize = 8;

/// The largest step from one name to the next in one millisecond. It makes room for thousands, and is
/// large enough that two processes hardly meet.
const STEP_MAX: u32 = 1 << 18;

/// The name of an entry: its time of acceptance in UTC, and eight random digits. Names sort in the
/// order of acceptance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(String);

impl Id {
    /// Returns a unique name.
    pub(crate) fn new(now: SystemTime) -> Self {
        let time = DateTime::<Utc>::from(now).format("%Y%m%dT%H%M%S%.3fZ");
        // std seeds each RandomState from the system's own source of randomness.
        let random = RandomState::new().build_hasher().finish() >> 32;
        Self(format!("{time}-{random:08x}"))
    }

    /// Returns a name that sorts after `latest`, even if the clock was set back.
    pub(crate) fn after(latest: Option<&Self>, now: SystemTime) -> Self {
        let latest = latest.and_then(Self::accepted).filter(|it| *it >= now);
        let later = latest.map(|latest| Self::new(latest + Duration::from_millis(1)));
        // There is no name after the last day that the format can hold.
        let later = later.and_then(|later| Self::parse(later.as_str()));
        later.unwrap_or_else(|| Self::new(now))
    }

    /// Returns a name that sorts after this one: of the same millisecond, if there was none since and
    /// there is room in it.
    pub(crate) fn following(&self, now: SystemTime) -> Self {
        let next = Self::new(now);
        if next > *self {
            return next;
        }
        let step = 1 + next.random() % STEP_MAX;
        match self.random().checked_add(step) {
            Some(digits) => Self(format!("{}{digits:08x}", self.time())),
            None => Self::after(Some(self), now),
        }
    }

    /// Returns a name that sorts before this one, for the entry that carries its text.
    pub(crate) fn before(&self) -> Self {
        let accepted = self.accepted().unwrap_or_else(SystemTime::now);
        Self::new(accepted - Duration::from_millis(1))
    }

    /// Parses a file's name; `None` if it is not the name of an entry.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        const FORM: &[u8] = b"00000000T000000.000Z-xxxxxxxx";
        let fits = |(byte, form): (u8, &u8)| match form {
            b'0' => byte.is_ascii_digit(),
            b'x' => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            form => byte == *form,
        };
        let is_name = name.len() == FORM.len() && name.bytes().zip(FORM).all(fits);
        is_name.then(|| Self(name.to_owned()))
    }

    /// Returns the time of acceptance in its name.
    pub(crate) fn accepted(&self) -> Option<SystemTime> {
        let time = self.0.split_once("Z-")?.0;
        let time = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%S%.3f").ok()?;
        Some(time.and_utc().into())
    }

    /// Returns its part up to the random digits.
    fn time(&self) -> &str {
        self.0.split_at(self.0.len() - RANDOM_DIGITS).0
    }

    /// Returns its random digits.
    fn random(&self) -> u32 {
        let digits = self.0.split_at(self.0.len() - RANDOM_DIGITS).1;
        u32::from_str_radix(digits, 16).unwrap_or(u32::MAX)
    }

    /// Returns the name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The sender of a message, identified by what stays the same when a config is fixed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SenderName {
    /// The profile under which it was accepted.
    pub(crate) profile: Option<String>,
    pub(crate) account: SenderAccount,
    /// The address of the API, without any password.
    pub(crate) api_base: String,
}

/// An app, or a robot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SenderAccount {
    /// The app of the company with this corpid.
    App(String),
    /// The robot with this name in the config.
    Robot(String),
}

/// An accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The time of acceptance, to the millisecond.
    pub(crate) accepted: Stamp,
    /// The time when it was put back from `failed/`; its age counts from then.
    pub(crate) retried: Option<Stamp>,
    /// Whether quiet hours don't hold it.
    pub(crate) urgent: bool,
    /// The user whose mail it is, if it came by the maildrop.
    pub(crate) user: Option<u32>,
    /// The digest of its `--once` key.
    pub(crate) once: Option<String>,
    /// The entries whose texts it carries, in order.
    pub(crate) merged: Vec<MergedText>,
    /// If a robot sends it in place of an app: for each of its parts, the number of parts of the
    /// app's entry that are done once it has arrived.
    pub(crate) instead: Vec<usize>,
    pub(crate) sender: SenderName,
    /// Its parts, in order; at least one.
    pub(crate) messages: Vec<Message>,
}

/// An entry whose text another one carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MergedText {
    pub(crate) id: Id,
    /// The part, from zero, in which its text ends.
    pub(crate) part: usize,
}

impl Entry {
    /// Returns its age, which decides whether it expires.
    pub(crate) fn age(&self, now: &Stamp) -> Duration {
        self.retried.unwrap_or(self.accepted).age_or_zero(now)
    }

    /// Whether a robot sends it in place of an app.
    pub(crate) fn is_instead(&self) -> bool {
        !self.instead.is_empty()
    }

    /// Whether it carries the texts of several entries.
    pub(crate) fn carries_many(&self) -> bool {
        self.merged.len() > 1
    }

    /// Returns the file of a part: its own, or that of an earlier part, which is uploaded only
    /// once.
    pub(crate) fn attachment(&self, part: usize) -> Option<&Attachment> {
        let messages = self.messages.get(..=part)?;
        let needs = messages.last().is_some_and(Message::needs_media);
        let mut earlier = messages.iter().rev();
        earlier
            .find_map(|message| message.attachment.as_ref())
            .filter(|_| needs)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn names_sort_in_order_of_acceptance() {
        let at = |ms| Id::new(UNIX_EPOCH + Duration::from_millis(ms));
        let ids: Vec<Id> = [0, 999, 1000, 1_764_000_000_123, 1_764_000_000_124]
            .map(at)
            .into();
        assert!(ids.is_sorted());
        for id in &ids {
            assert_eq!(Id::parse(id.as_str()).as_ref(), Some(id));
            let again = Id::new(id.accepted().unwrap());
            assert_eq!(again.0[..20], id.0[..20]);
        }
        let (now, mut name) = (UNIX_EPOCH + Duration::from_secs(1), ids[2].clone());
        for _ in 0..100_000 {
            let next = name.following(now);
            assert!(next > name && Id::parse(next.as_str()).is_some());
            name = next;
        }
        let ahead = name.accepted().unwrap().duration_since(now).unwrap();
        assert!(ahead < Duration::from_secs(10), "{ahead:?}");
        for name in [
            "",
            "failed",
            "20261124T074123.123Z-9f3a1c7",
            "20261124T074123.123Z-9F3A1C77",
            "20261124T074123.123Z-9f3a1c77.try",
            "2026112xT074123.123Z-9f3a1c77",
            "../61124T074123.123Z-9f3a1c77",
        ] {
            assert_eq!(Id::parse(name), None, "{name}");
        }
    }
}
