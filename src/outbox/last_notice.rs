//! The notices that flushes have given, so that cron does not mail the same ones every minute.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Stamp;
use crate::disk::Dir;
use crate::disk::record::{self, digest};

/// The file of what holds at each flush, such as an entry that nobody can send, in the outbox.
pub(crate) const STATE_NOTICE: &str = "told";

/// The file of what became of mails from the maildrop, in the state directory.
pub(crate) const MAIL_NOTICE: &str = "told-mail";

/// The file of alarms of jobs that cannot be sent, in the state directory.
pub(crate) const JOB_NOTICE: &str = "told-jobs";

/// How long the same notice is not repeated.
const DAY: Duration = Duration::from_hours(24);

/// The most notices that are remembered: their record has two kilobytes.
const KNOWN_MAX: usize = 20;

/// The number of hexadecimal digits of a notice's digest.
const DIGITS: usize = 16;

/// A notice that was given.
#[derive(Serialize, Deserialize)]
struct GivenNotice {
    at: Stamp,
    digest: String,
}

/// Returns which of these notices were not given within the last day, and records them as given.
pub(crate) fn are_new_notices(dir: &Dir, name: &str, notices: &[String]) -> Vec<bool> {
    if notices.is_empty() {
        return Vec::new();
    }
    let now = Stamp::now();
    let given: Option<Vec<GivenNotice>> = record::read(dir, name).record();
    let mut given = given.unwrap_or_default();
    given.retain(|it| it.at.age(&now).is_some_and(|age| age < DAY));
    let is_new = |notice: &String| {
        let digest = digest(notice.as_bytes(), DIGITS);
        let is_new = !given.iter().any(|it| it.digest == digest);
        if is_new {
            given.push(GivenNotice { at: now, digest });
        }
        is_new
    };
    let are_new: Vec<bool> = notices.iter().map(is_new).collect();
    if are_new.contains(&true) {
        let oldest = given.len().saturating_sub(KNOWN_MAX);
        // If it cannot be written, the notices are repeated.
        let _ = record::set(dir, name, &given.split_off(oldest));
    }
    are_new
}
