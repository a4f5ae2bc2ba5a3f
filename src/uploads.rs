//! What WeCom has of our files: each `media_id` by what was uploaded, shared by all processes, so
//! that the same bytes are not uploaded twice within the three days that WeCom keeps them.
//!
//! The file `uploads` has a line an upload: `1764000000 <key> <media_id>`. A later line of a key
//! counts instead of an earlier one, and one without a `media_id` takes it back. What cannot be read
//! as such a line is as good as absent. Not synced: what is lost is uploaded again.
//!
//! Of those who have the same file to upload at once one does, and the others wait for what comes of
//! it: it holds the lock on `uploads.<key>.lock`, which goes with the lock.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::config::State;
use crate::disk::{self, Dir, Held, Owner, Passing, Pause};
use crate::message::Attachment;
use crate::message::content::is_media_id;
use crate::secret::digest;

/// How long an upload is used again, in seconds: WeCom keeps it three days, and a message may be an
/// hour on its way. Source: developer.work.weixin.qq.com/document/path/90253.
const LIFETIME: u64 = (3 * 24 - 1) * 3600;

/// Longest wait for the file's lock: without it the file is uploaded.
const PATIENCE: Duration = Duration::from_secs(1);

/// The name of a lock: what stands before and behind the key's first digits, and how many.
const LOCK_START: &str = "uploads.";
const LOCK_END: &str = ".lock";
const LOCK_DIGITS: usize = 16;

/// From this size on, in bytes, the file is rewritten without what no longer counts.
const TIDY_FROM: u64 = 256 << 10;

/// No more than this of its end is read.
const READ_MAX: u64 = 1 << 20;

/// A file that WeCom has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Media {
    pub(crate) media_id: String,
    /// Unix seconds.
    pub(crate) uploaded_at: u64,
}

impl Media {
    /// What has been uploaded just now.
    pub(crate) fn new(media_id: String) -> Self {
        Self {
            media_id,
            uploaded_at: now(),
        }
    }

    /// Whether WeCom still has it.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_fresh_at(now())
    }

    fn is_fresh_at(&self, now: u64) -> bool {
        let age = now.checked_sub(self.uploaded_at);
        age.is_some_and(|age| age < LIFETIME)
    }
}

/// What comes of asking for an upload.
pub(crate) enum Turn {
    /// WeCom has it already.
    Known(Media),
    /// It is ours to upload. Others wait for as long as this lives, unless there is no lock to be had.
    Ours { _lock: Option<Passing> },
}

/// The uploads of one sender.
pub(crate) struct Uploads {
    place: Option<(PathBuf, Owner)>,
    /// A digest of the sender: an app's are not a robot's.
    sender: String,
}

impl Uploads {
    /// Those of a sender, kept in `state` where there is one.
    pub(crate) fn new(state: Option<&State>, sender: String) -> Self {
        let place = state.map(|state| (state.file("uploads"), state.owner()));
        Self { place, sender }
    }

    /// What an upload is known by: its bytes, and the name that its receivers see.
    ///
    /// # Errors
    /// Where the bytes cannot be read.
    pub(crate) fn key(&self, file: &Attachment) -> io::Result<String> {
        let sum = file.bytes.sha256()?;
        let mut key = digest(&[&self.sender, file.kind.name(), &file.name, &sum]);
        key.truncate(32);
        Ok(key)
    }

    /// What WeCom has already under this key, if that is known.
    pub(crate) fn find(&self, key: &str) -> Option<Media> {
        let (path, owner) = self.place.as_ref()?;
        let text = disk::read(path, READ_MAX, *owner).ok()??;
        latest(&String::from_utf8_lossy(&text), key).filter(Media::is_fresh)
    }

    /// Finds an upload, waiting until `until` for one that another process makes.
    pub(crate) fn turn(&self, key: &str, until: Instant) -> Turn {
        let mut pause = Pause::default();
        loop {
            if let Some(media) = self.find(key) {
                return Turn::Known(media);
            }
            let lock = match self.try_lock(key) {
                Ok(Some(lock)) => Some(lock),
                Ok(None) if pause.sleep(until) => continue,
                // It takes too long, or may stand still: better twice than not in time.
                Ok(None) => None,
                Err(error) => {
                    tracing::debug!("an upload cannot be locked, others may make it too: {error}");
                    None
                }
            };
            // Who had the lock before us may have uploaded it.
            return match self.find(key) {
                Some(media) => Turn::Known(media),
                None => Turn::Ours { _lock: lock },
            };
        }
    }

    /// Where nothing is kept nothing is locked.
    fn try_lock(&self, key: &str) -> io::Result<Option<Passing>> {
        let Some((path, owner)) = &self.place else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let path = path.with_file_name(lock_name(key));
        let lock = disk::try_passing(&path, *owner)?;
        if lock.is_some() {
            tidy_locks(&path, *owner);
        }
        Ok(lock)
    }

    /// Remembers an upload.
    pub(crate) fn add(&self, key: &str, media: &Media) {
        self.note(&format!("{} {key} {}\n", media.uploaded_at, media.media_id));
    }

    /// Forgets an upload that WeCom does not know any more, if it is the one that is remembered.
    pub(crate) fn forget(&self, key: &str, media_id: &str) {
        if self
            .find(key)
            .is_some_and(|known| known.media_id == media_id)
        {
            self.note(&format!("{} {key}\n", now()));
        }
    }

    /// Best effort: what cannot be noted is uploaded again.
    fn note(&self, line: &str) {
        let Some((path, owner)) = &self.place else {
            return;
        };
        let noted = disk::hold(path, *owner, PATIENCE).and_then(|held| write(&held, line));
        if let Err(error) = noted {
            let path = path.display();
            tracing::debug!("{path} cannot be written, the file may be uploaded again: {error}");
        }
    }
}

/// What is locked while a file is uploaded.
fn lock_name(key: &str) -> String {
    let key = key.get(..LOCK_DIGITS).unwrap_or(key);
    format!("{LOCK_START}{key}{LOCK_END}")
}

fn is_lock_name(name: &str) -> bool {
    let digits = name
        .strip_prefix(LOCK_START)
        .and_then(|name| name.strip_suffix(LOCK_END));
    digits.is_some_and(|digits| {
        digits.len() == LOCK_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Removes the locks that killed processes left beside ours; those that are held stay.
fn tidy_locks(ours: &Path, owner: Owner) {
    let Some(dir) = ours.parent() else {
        return;
    };
    for name in Dir::names_at(dir).unwrap_or_default() {
        let path = dir.join(&name);
        if is_lock_name(&name) && path != ours {
            // It goes with the lock, which is let go at once.
            drop(disk::try_passing(&path, owner));
        }
    }
}

fn write(held: &Held<'_>, line: &str) -> io::Result<()> {
    if held.len() > TIDY_FROM {
        let text = held.tail(READ_MAX)?;
        return held.replace((tidied(&String::from_utf8_lossy(&text), now()) + line).as_bytes());
    }
    let last = held.tail(1)?;
    // Behind what a kill may have left torn.
    let gap = if last.last().is_some_and(|last| *last != b'\n') {
        "\n"
    } else {
        ""
    };
    held.append(format!("{gap}{line}").as_bytes())
}

/// The last word on a key.
fn latest(text: &str, key: &str) -> Option<Media> {
    let line = text.lines().rev().find_map(|line| {
        let (at, rest) = line.split_once(' ')?;
        let (found, media_id) = rest.split_once(' ').unwrap_or((rest, ""));
        (found == key).then_some((at, media_id))
    });
    let (at, media_id) = line?;
    let uploaded_at = at.parse().ok()?;
    is_media_id(media_id).then(|| Media {
        media_id: media_id.to_owned(),
        uploaded_at,
    })
}

/// The lines that still count.
fn tidied(text: &str, now: u64) -> String {
    let counts = |line: &&str| {
        let at = line.split(' ').next().and_then(|at| at.parse().ok());
        at.is_some_and(|uploaded_at| {
            let media_id = String::new();
            Media {
                media_id,
                uploaded_at,
            }
            .is_fresh_at(now)
        })
    };
    let lines = text.lines().filter(counts);
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_key_counts_and_junk_does_not() {
        let text = "1 k one\n2 other two\njunk\n\n3 k three\nx k four\n";
        assert_eq!(latest(text, "other").unwrap().media_id, "two");
        assert_eq!(latest(text, "k"), None, "its last line has no time");
        let three = latest("1 k one\n3 k three\n", "k").unwrap();
        assert_eq!((three.media_id.as_str(), three.uploaded_at), ("three", 3));
        assert_eq!(latest("1 k one\n3 k\n", "k"), None, "it was taken back");
        assert_eq!(latest("1 k o ne\n", "k"), None);
        assert_eq!(latest("", "k"), None);
    }

    #[test]
    fn an_upload_is_used_until_an_hour_before_its_end_and_never_of_the_future() {
        let media = |uploaded_at| Media {
            media_id: "m".to_owned(),
            uploaded_at,
        };
        let now = 1_764_000_000;
        assert!(media(now).is_fresh_at(now) && media(now - LIFETIME + 1).is_fresh_at(now));
        assert!(!media(now - LIFETIME).is_fresh_at(now) && !media(now + 1).is_fresh_at(now));
    }

    #[test]
    fn no_file_but_a_lock_is_taken_for_one() {
        let key = "0123456789abcdef0123456789abcdef";
        assert!(is_lock_name(&lock_name(key)));
        for name in [
            "uploads",
            "uploads.lock",
            "uploads.x.lock",
            "uploads.0123456789abcdeg.lock",
        ] {
            assert!(!is_lock_name(name), "{name}");
        }
    }

    #[test]
    fn tidying_leaves_what_counts() {
        let now = 1_764_000_000;
        let old = format!("{} a old\n", now - LIFETIME);
        let young = format!("{} a young\n{} a\n", now - 5, now - 4);
        assert_eq!(tidied(&format!("{old}junk\n{young}"), now), young);
    }
}
