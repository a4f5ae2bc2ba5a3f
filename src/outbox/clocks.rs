//! Clock steps and times without flushes: each flush notes both clocks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Stamp;
use crate::disk::{Dir, record};

/// The file's name.
pub(super) const NAME: &str = "clock";

/// A smaller difference between the clocks is a correction, not a step.
const STEP_MIN: Duration = Duration::from_mins(1);

/// Least time without a step of the clock to trust it: by then a network has set it.
const STEADY_FROM: Duration = Duration::from_hours(1);

/// A longer time without a flush shows that the host was off or asleep.
const AWAKE_MAX: Duration = Duration::from_hours(1);

/// A flush as recent as this shows that one is set up.
pub(crate) const RECENT: Duration = Duration::from_hours(1);

#[derive(Serialize, Deserialize)]
struct Seen {
    /// The time of the first flush since the last step.
    since: Stamp,
    last: Stamp,
}

/// The findings of the last flushes about the clocks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clocks {
    /// Whether the wall clock has had no step for an hour of this boot.
    pub(crate) steady: bool,
    /// Whether a flush has run within the last hour; otherwise the host was off or asleep, and
    /// messages that grew old meanwhile have had no chance yet.
    pub(crate) awake: bool,
}

/// Notes the clocks, and compares them with those of the last flush.
pub(crate) fn note_clocks(dir: &Dir, now: &Stamp) -> Clocks {
    let before: Option<Seen> = record::read(dir, NAME).record();
    let since = match &before {
        Some(seen) if seen.goes_on_until(now) => seen.since,
        _ => *now,
    };
    let seen = Seen { since, last: *now };
    // If it cannot be written, nothing is pruned.
    let _ = record::set(dir, NAME, &seen);
    Clocks {
        steady: since.is_same_boot(now) && since.age_or_zero(now) >= STEADY_FROM,
        awake: before.is_none_or(|seen| seen.last.age(now).is_some_and(|age| age < AWAKE_MAX)),
    }
}

/// Returns the time since the last flush; `None` if there was none, or if it is in the future.
pub(crate) fn since_last_flush(dir: &Dir, now: &Stamp) -> Option<Duration> {
    match record::read::<Seen>(dir, NAME) {
        record::Read::Record(seen) => seen.last.age(now),
        _ => None,
    }
}

impl Seen {
    fn goes_on_until(&self, now: &Stamp) -> bool {
        self.last
            .step_until(now)
            .is_some_and(|step| step < STEP_MIN)
    }
}
