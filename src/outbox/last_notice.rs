//! The notices that flushes have given, so that cron does not mail the same ones every minute.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Stamp;
use crate::disk::Dir;
use crate::disk::record::digest;

/// The file of what holds at each flush, such as an entry that nobody can send, in the outbox.
pub(crate) const STATE_NOTICE: &str = "told";

/// The file of what became of mails from the maildrop, in the state directory.
pub(crate) const MAIL_NOTICE: &str = "told-mail";

/// The file of alarms of jobs that cannot be sent, in the state directory.
pub(crate) const JOB_NOTICE: &str = "told-jobs";

/// How long the same notice is not repeated.
const DAY: Duration = Duration::from_hours(24);

/// The most notices that are remembered: two for each user whose mail a flush takes.
const KNOWN_MAX: usize = 2000;

/// The most bytes read of their file, in which each has a line.
const BYTES_MAX: u64 = KNOWN_MAX as u64 * 256;

/// Longest time to wait for another process that notes some.
const PATIENCE: Duration = Duration::from_secs(1);

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
    // If they cannot be read or written, the notices are repeated, but not those that users cause: the
    // log has them.
    noted(dir, name, notices).unwrap_or_else(|_| vec![name != MAIL_NOTICE; notices.len()])
}

fn noted(dir: &Dir, name: &str, notices: &[String]) -> io::Result<Vec<bool>> {
    let file = dir.lock_file(name, PATIENCE, false)?;
    let text = file.tail(BYTES_MAX)?;
    let now = Stamp::now();
    let given = text.lines().filter_map(|it| serde_json::from_str(it).ok());
    let is_recent = |it: &GivenNotice| it.at.age(&now).is_some_and(|age| age < DAY);
    let mut given: Vec<GivenNotice> = given.filter(is_recent).collect();
    let mut is_new = |notice: &String| {
        let digest = digest(notice.as_bytes(), DIGITS);
        let is_new = !given.iter().any(|it| it.digest == digest);
        if is_new {
            given.push(GivenNotice { at: now, digest });
        }
        is_new
    };
    let are_new: Vec<bool> = notices.iter().map(&mut is_new).collect();
    let count = are_new.iter().filter(|is_new| **is_new).count();
    if count > 0 {
        let oldest = given.len().saturating_sub(KNOWN_MAX);
        let known = lines_of(&given[oldest..])?;
        let new = lines_of(&given[given.len() - count..])?;
        // Without room for another file, the last block of this one may have some.
        file.replace(&known).or_else(|_| file.append(&new))?;
    }
    Ok(are_new)
}

fn lines_of(notices: &[GivenNotice]) -> io::Result<String> {
    let mut lines = String::new();
    for notice in notices {
        lines += &serde_json::to_string(notice)?;
        lines.push('\n');
    }
    Ok(lines)
}
