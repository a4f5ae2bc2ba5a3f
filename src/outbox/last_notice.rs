//! The last notice of a flush, so that cron does not mail the same one every minute.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Stamp;
use crate::disk::{Dir, record};
use crate::secret::sha256;

/// The file of what holds at each flush, such as an entry that nobody can send.
pub(crate) const STATE_NOTICE: &str = "told";

/// The file of what became of mails from the maildrop.
pub(crate) const MAIL_NOTICE: &str = "told-mail";

/// The file of alarms of jobs that cannot be sent.
pub(crate) const JOB_NOTICE: &str = "told-jobs";

/// How long the same notice is not repeated.
const DAY: Duration = Duration::from_hours(24);

#[derive(Serialize, Deserialize)]
struct LastNotice {
    at: Stamp,
    digest: String,
}

/// Whether a notice differs from the last one in its file, or the last one is a day old; if so, records it.
pub(crate) fn is_new_notice(dir: &Dir, name: &str, text: &str) -> bool {
    let now = Stamp::now();
    let digest = sha256(text.as_bytes());
    let known = match record::read::<LastNotice>(dir, name) {
        record::Read::Record(last) => {
            last.digest == digest && last.at.age(&now).is_some_and(|age| age < DAY)
        }
        record::Read::Nothing => text.is_empty(),
        record::Read::Unreadable => false,
    };
    if !known {
        let last = LastNotice { at: now, digest };
        // If it cannot be written, the notice is repeated.
        let _ = record::set(dir, name, &last);
    }
    !known && !text.is_empty()
}
