//! What has been told already, so that cron does not mail it every minute.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::slate;
use crate::clock::Stamp;
use crate::disk::Dir;
use crate::secret::sha256;

/// The file's name.
pub(super) const NAME: &str = "told";

/// For so long the same is no news.
const DAY: Duration = Duration::from_hours(24);

#[derive(Serialize, Deserialize)]
struct Told {
    at: Stamp,
    digest: String,
}

/// Whether a text is other than what was told last, or a day has passed; it is told then.
pub(crate) fn is_news(dir: &Dir, text: &str) -> bool {
    let now = Stamp::now();
    let digest = sha256(text.as_bytes());
    let known = match slate::read::<Told>(dir, NAME) {
        slate::Read::Record(told) => {
            told.digest == digest && told.at.age(&now).is_some_and(|age| age < DAY)
        }
        slate::Read::Nothing => text.is_empty(),
        slate::Read::Unreadable => false,
    };
    if !known {
        let told = Told { at: now, digest };
        // Where it cannot be written it is told again.
        let _ = slate::open(dir, NAME).and_then(|file| slate::write(&file, &told));
    }
    !known && !text.is_empty()
}
