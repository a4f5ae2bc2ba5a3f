//! The uploads that WeCom has: each `media_id` by the content of its file, shared by all processes,
//! so that the same bytes are not uploaded twice within the three days that WeCom keeps them.
//!
//! The file `uploads` has a line for each upload: `1764000000 <key> <media_id>`. The last line of a
//! key counts, and one without a `media_id` cancels it. Other lines are ignored. Not synced: a lost
//! line only causes another upload.
//!
//! If several processes need the same file at once, one uploads it and the others wait for its
//! result. It holds the lock on `uploads.<key>.lock`, a file that is removed with the lock.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::clock::unix_seconds;
use crate::config::State;
use crate::disk::{self, Dir, LockedFile, Pause, TemporaryLock};
use crate::message::Attachment;
use crate::message::content::is_media_id;
use crate::secret::digest;

/// The file's name.
const NAME: &str = "uploads";

/// How long an upload is reused, in seconds: WeCom keeps it for three days, and a message may take
/// an hour to be sent. Source: developer.work.weixin.qq.com/document/path/90253.
const LIFETIME: u64 = (3 * 24 - 1) * 3600;

/// Longest wait for the file's lock; without it, the file is uploaded.
const PATIENCE: Duration = Duration::from_secs(1);

/// The parts of a lock file's name before and after the first digits of the key, and their number.
const LOCK_START: &str = "uploads.";
const LOCK_END: &str = ".lock";
const LOCK_DIGITS: usize = 16;

/// File size in bytes from which the file is rewritten without the expired lines.
const TIDY_FROM: u64 = 256 << 10;

/// Most bytes read from its end.
const READ_MAX: u64 = 1 << 20;

/// An uploaded file that WeCom has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UploadedMedia {
    pub(crate) media_id: String,
    /// Unix seconds.
    pub(crate) uploaded_at: u64,
}

impl UploadedMedia {
    /// Returns the record of a file uploaded just now.
    pub(crate) fn new(media_id: String) -> Self {
        Self {
            media_id,
            uploaded_at: unix_seconds(),
        }
    }

    /// Whether WeCom still has it.
    pub(crate) fn is_fresh(&self) -> bool {
        is_fresh(self.uploaded_at, unix_seconds())
    }
}

fn is_fresh(uploaded_at: u64, now: u64) -> bool {
    let age = now.checked_sub(uploaded_at);
    age.is_some_and(|age| age < LIFETIME)
}

/// The result of `Uploads::turn`.
pub(crate) enum UploadTurn {
    /// WeCom already has the file.
    Known(UploadedMedia),
    /// This process has to upload the file. Others wait while the lock lives, unless it could not
    /// be taken.
    Ours { _lock: Option<TemporaryLock> },
}

/// The uploads of one sender.
pub(crate) struct Uploads {
    dir: Option<Arc<Dir>>,
    /// A digest of the sender: an app's uploads are not valid for a robot.
    sender: String,
}

impl Uploads {
    /// Returns the uploads of a sender, stored in `state` if there is one.
    pub(crate) fn new(state: Option<&State>, sender: String) -> Self {
        let dir = state.map(|state| Arc::clone(state.dir()));
        Self { dir, sender }
    }

    /// Returns the key of an upload: a digest of its bytes and of the name that its recipients see.
    ///
    /// # Errors
    /// An I/O error if the bytes cannot be read.
    pub(crate) fn key(&self, file: &Attachment) -> io::Result<String> {
        Ok(self.key_of(file, &file.bytes.sha256()?))
    }

    /// Returns the key of the upload of a file whose bytes have this SHA-256.
    pub(crate) fn key_of(&self, file: &Attachment, sha256: &str) -> String {
        let mut key = digest(&[&self.sender, file.kind.name(), &file.name, sha256]);
        key.truncate(32);
        key
    }

    /// Returns the upload with this key, if there is one that WeCom still has.
    pub(crate) fn find(&self, key: &str) -> Option<UploadedMedia> {
        let text = self.dir.as_ref()?.read_private(NAME, READ_MAX).ok()??;
        latest(&disk::lossy(text), key).filter(UploadedMedia::is_fresh)
    }

    /// Returns the upload with this key, waiting until `until` for another process to make it.
    pub(crate) fn turn(&self, key: &str, until: Instant) -> UploadTurn {
        let mut pause = Pause::default();
        loop {
            if let Some(media) = self.find(key) {
                return UploadTurn::Known(media);
            }
            let lock = match self.try_lock(key) {
                Ok(Some(lock)) => Some(lock),
                Ok(None) if pause.sleep(until) => continue,
                // The other process is slow or may hang: uploading twice is better than being late.
                Ok(None) => None,
                Err(error) => {
                    tracing::debug!(
                        "an upload cannot be locked, so others may upload the file too: {error}"
                    );
                    None
                }
            };
            // The lock's last holder may have uploaded it.
            return match self.find(key) {
                Some(media) => UploadTurn::Known(media),
                None => UploadTurn::Ours { _lock: lock },
            };
        }
    }

    /// Locks an upload; `None` if another process is making it. Fails without a state directory.
    fn try_lock(&self, key: &str) -> io::Result<Option<TemporaryLock>> {
        let Some(dir) = &self.dir else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let name = lock_name(key);
        let lock = dir.try_lock_temporary(&name)?;
        if lock.is_some() {
            tidy_locks(dir, &name);
        }
        Ok(lock)
    }

    /// Records an upload.
    pub(crate) fn add(&self, key: &str, media: &UploadedMedia) {
        self.note(&format!("{} {key} {}\n", media.uploaded_at, media.media_id));
    }

    /// Cancels an upload that WeCom has forgotten, if it is the recorded one.
    pub(crate) fn forget(&self, key: &str, media_id: &str) {
        let known = self.find(key);
        if known.is_some_and(|known| known.media_id == media_id) {
            self.note(&format!("{} {key}\n", unix_seconds()));
        }
    }

    /// Appends a line. Best effort: an unrecorded file is uploaded again.
    fn note(&self, line: &str) {
        let Some(dir) = &self.dir else {
            return;
        };
        let journal = dir.lock_file(NAME, PATIENCE, false);
        if let Err(error) = journal.and_then(|journal| write(&journal, line)) {
            let path = dir.path_of(NAME);
            let path = path.display();
            tracing::debug!("{path} cannot be written, so the file may be uploaded again: {error}");
        }
    }
}

/// Returns the name of the lock file of an upload.
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

/// Removes the lock files that killed processes left next to ours; held ones stay.
fn tidy_locks(dir: &Arc<Dir>, ours: &str) {
    for name in dir.names().into_iter().flatten().flatten() {
        if is_lock_name(&name) && name != ours {
            // The file is removed with the lock, which is released at once.
            drop(dir.try_lock_temporary(&name));
        }
    }
}

fn write(journal: &LockedFile<'_>, line: &str) -> io::Result<()> {
    if journal.len() > TIDY_FROM {
        let now = unix_seconds();
        return journal.compact(READ_MAX, |line| counts(line, now), line);
    }
    journal.append(line)
}

/// Parses the last line of a key.
fn latest(text: &str, key: &str) -> Option<UploadedMedia> {
    let (at, media_id) = text.lines().rev().find_map(|line| {
        let (at, rest) = line.split_once(' ')?;
        let (found, media_id) = rest.split_once(' ').unwrap_or((rest, ""));
        (found == key).then_some((at, media_id))
    })?;
    let uploaded_at = at.parse().ok()?;
    is_media_id(media_id).then(|| UploadedMedia {
        media_id: media_id.to_owned(),
        uploaded_at,
    })
}

/// Whether a line still counts.
fn counts(line: &str, now: u64) -> bool {
    let at = line.split(' ').next().and_then(|at| at.parse().ok());
    at.is_some_and(|uploaded_at| is_fresh(uploaded_at, now))
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
    fn an_upload_is_used_until_an_hour_before_its_end_and_not_if_it_is_from_the_future() {
        let now = 1_764_000_000;
        assert!(is_fresh(now, now) && is_fresh(now - LIFETIME + 1, now));
        assert!(!is_fresh(now - LIFETIME, now) && !is_fresh(now + 1, now));
    }

    #[test]
    fn only_lock_files_have_lock_names() {
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
    fn only_expired_lines_and_junk_are_dropped() {
        let now = 1_764_000_000;
        for (line, is_kept) in [
            (format!("{} a old", now - LIFETIME), false),
            ("junk".to_owned(), false),
            (format!("{} a young", now - 5), true),
            (format!("{} a", now - 4), true),
        ] {
            assert_eq!(counts(&line, now), is_kept, "{line}");
        }
    }
}
