//! Temporary failures of `gettoken`: one process retries for all, and the others wait with it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::backoff::{backoff, random};
use crate::clock::Stamp;
use crate::wecom::{Cause, Class, Error, NetworkTrouble, Refusal, Unreadable};

/// Longest time that a failure keeps other processes from asking.
const RETRY_MAX: Duration = Duration::from_mins(1);

/// Failures further apart than this do not count as consecutive.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(5);

/// A failure of `gettoken` that may pass.
#[expect(clippy::struct_field_names, reason = "the names are those of the file")]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) failed_at: Stamp,
    /// The number of consecutive failures.
    pub(super) failures: u32,
    /// Milliseconds until one process asks again.
    pub(super) retry_in: u64,
    /// Whether the server asked for that wait.
    #[serde(default)]
    told: bool,
    cause: FailedCause,
}

/// The cause of a failure, as written in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FailedCause {
    Network(NetworkTrouble),
    Status(u16),
    Unreadable(Unreadable),
    Busy { errcode: i64, errmsg: String },
}

impl FailedCause {
    fn of(cause: &Cause) -> Option<Self> {
        Some(match cause {
            Cause::Network(trouble) => Self::Network((**trouble).clone()),
            Cause::Status(status) => Self::Status(*status),
            Cause::Unreadable(why) => Self::Unreadable(*why),
            Cause::Errcode(refusal) => Self::Busy {
                errcode: refusal.errcode,
                errmsg: refusal.errmsg.clone(),
            },
            // `gettoken` returns neither.
            Cause::File { .. } | Cause::TokenLocked => return None,
        })
    }
}

impl Failed {
    /// Returns the record of a failure after `before` consecutive ones; `None` if it means nothing
    /// to other processes.
    pub(super) fn new(error: &Error, before: u32, deadline: Instant) -> Option<Self> {
        let left = deadline.saturating_duration_since(Instant::now());
        let wait = match error.retry_after {
            Some(wait) => wait.min(RETRY_MAX),
            // Leaves time for a second try before any deadline.
            None if before == 0 => random(backoff(0).min(left / 2)),
            None => random(backoff(before)),
        };
        Some(Self {
            failed_at: Stamp::now(),
            failures: before.saturating_add(1),
            retry_in: u64::try_from(wait.as_millis()).unwrap_or_default(),
            told: error.retry_after.is_some(),
            cause: FailedCause::of(&error.cause)?,
        })
    }

    /// Returns the time until one process asks again; `None` if that time has come. Also `None` for
    /// a process that started after the failure, since it may have passed, unless the server asked
    /// for the wait.
    pub(super) fn left(&self, begun: &Stamp) -> Option<Duration> {
        if !self.told {
            begun.age(&self.failed_at)?;
        }
        let age = self.failed_at.age(&Stamp::now())?;
        let wait = Duration::from_millis(self.retry_in).min(RETRY_MAX);
        wait.checked_sub(age).filter(|left| !left.is_zero())
    }

    /// Returns the number of consecutive failures, if the last one is recent.
    pub(super) fn failures(&self) -> u32 {
        let age = self.failed_at.age(&Stamp::now());
        age.filter(|age| *age < FORGOTTEN_AFTER)
            .map_or(0, |_| self.failures)
    }

    /// Returns the failure as an error that is asked about again after `left`.
    pub(super) fn error(&self, left: Duration) -> Error {
        let error = match &self.cause {
            FailedCause::Network(trouble) => Error::network(trouble.clone()),
            FailedCause::Status(status) => Error::status(*status, None),
            FailedCause::Unreadable(why) => Error::unreadable(*why),
            FailedCause::Busy { errcode, errmsg } => Error {
                // WeCom was not asked this time, so this is not one of the three tries while it is
                // busy.
                class: Class::Transient,
                ..Error::refused(Refusal::new(*errcode, errmsg.clone(), true))
            },
        };
        let (retry_after, asked_again_in) = if self.told {
            (Some(left), None)
        } else {
            (None, Some(left))
        };
        Error {
            retry_after,
            asked_again_in,
            ..error.of_gettoken()
        }
    }
}
