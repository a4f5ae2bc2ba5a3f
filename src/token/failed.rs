//! Trouble with `gettoken` that passes: one process asks for all, and the others wait with it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Look;
use crate::backoff::{backoff, random};
use crate::clock::Stamp;
use crate::error::Failure;
use crate::wecom::{Cause, Error};

/// No failure keeps others from asking for longer.
const RETRY_MAX: Duration = Duration::from_mins(1);

/// Failures that are further apart are not in a row.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(5);

/// Trouble with `gettoken` that passes, so that one process asks for all.
#[expect(clippy::struct_field_names, reason = "the names stand in the file")]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) failed_at: Stamp,
    /// How often in a row.
    pub(super) failures: u32,
    /// Milliseconds until somebody asks again.
    pub(super) retry_in: u64,
    /// Whether the server said so.
    #[serde(default)]
    told: bool,
    /// The HTTP status, if it was one.
    status: Option<u16>,
    error: String,
    hint: Option<String>,
}

impl Failed {
    /// What came of asking until a deadline, after so many failures in a row.
    pub(super) fn new(error: &Error, before: u32, deadline: Instant) -> Self {
        let status = match error.cause {
            Cause::Status(status) => Some(status),
            _ => None,
        };
        let Failure { what, hint, .. } = error.failure();
        let left = deadline.saturating_duration_since(Instant::now());
        let wait = match error.retry_after {
            Some(wait) => wait.min(RETRY_MAX),
            // However short the time is, a second try fits.
            None if before == 0 => random(backoff(0).min(left / 2)),
            None => random(backoff(before)),
        };
        Self {
            failed_at: Stamp::now(),
            failures: before.saturating_add(1),
            retry_in: u64::try_from(wait.as_millis()).unwrap_or_default(),
            told: error.retry_after.is_some(),
            status,
            error: what,
            hint,
        }
    }

    /// How long it is until somebody asks again; none if that time has come, and for a process that
    /// began only after the failure: meanwhile it may be mended.
    pub(super) fn left(&self, begun: &Stamp) -> Option<Duration> {
        if !self.told {
            begun.age(&self.failed_at)?;
        }
        let age = self.failed_at.age(&Stamp::now())?;
        let wait = Duration::from_millis(self.retry_in).min(RETRY_MAX);
        wait.checked_sub(age).filter(|left| !left.is_zero())
    }

    /// How often it has failed in a row, if that is not long ago.
    pub(super) fn failures(&self) -> u32 {
        let age = self.failed_at.age(&Stamp::now());
        age.filter(|age| *age < FORGOTTEN_AFTER)
            .map_or(0, |_| self.failures)
    }

    /// The trouble as it came, to be asked about again after this time.
    pub(super) fn error(&self, left: Duration) -> Error {
        let error = match self.status {
            Some(status) => Error::status(status, None),
            None => Error::network(self.error.clone(), self.hint.clone(), false),
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

    /// Before that time callers wait; then one of them asks.
    pub(super) fn look<T>(&self, begun: &Stamp) -> Look<Result<T, Error>> {
        match self.left(begun) {
            Some(left) => Look::Done(Err(self.error(left))),
            None => Look::Ask,
        }
    }
}
