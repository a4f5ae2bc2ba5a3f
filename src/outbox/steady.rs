//! Whether the wall clock can be trusted: each flush notes both clocks, and a step shows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::slate;
use crate::clock::Stamp;
use crate::disk::Dir;

/// The file's name.
pub(super) const NAME: &str = "clock";

/// A smaller difference between the clocks is a correction, not a step.
const STEP_MIN: Duration = Duration::from_mins(1);

/// How long the clock must have gone on without a step: by then a network has set it.
const STEADY_FROM: Duration = Duration::from_hours(1);

#[derive(Serialize, Deserialize)]
struct Seen {
    /// The first look since which no step was seen.
    since: Stamp,
    last: Stamp,
}

/// Notes the clocks, and says whether the wall clock has gone on without a step for an hour of this
/// boot.
pub(crate) fn is_steady(dir: &Dir, now: &Stamp) -> bool {
    let since = match slate::read::<Seen>(dir, NAME) {
        slate::Read::Record(seen) if seen.goes_on_until(now) => seen.since,
        _ => *now,
    };
    let seen = Seen { since, last: *now };
    // Where it cannot be written, nothing is pruned.
    let _ = slate::open(dir, NAME).and_then(|file| slate::write(&file, &seen));
    since.is_same_boot(now) && since.age_or_zero(now) >= STEADY_FROM
}

impl Seen {
    fn goes_on_until(&self, now: &Stamp) -> bool {
        self.last
            .step_until(now)
            .is_some_and(|step| step < STEP_MIN)
    }
}
