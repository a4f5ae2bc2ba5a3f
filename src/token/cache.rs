//! `token_cache.json`: a map from an app's digest to its token, or to the failure to get one.
//!
//! A damaged record counts as absent and is replaced at the next write.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AccessToken;
use super::failed::Failed;
use crate::config::State;
use crate::disk::{Dir, Lock};
use crate::notice::{self, Notice};
use crate::secret::{Secret, digest};
use crate::wecom::{self, Error, Refusal};

/// The names of the file, and of the lock file next to it.
pub(crate) const NAME: &str = "token_cache.json";
const LOCK: &str = "token_cache.lock";

/// Largest cache to read, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// Most apps to keep a record of.
const RECORDS_MAX: usize = 256;

/// How long a look at the cache counts for one more question: a send hides the tokens in its message,
/// and then uses one.
const LOOK_COUNTS: Duration = Duration::from_secs(1);

/// The last look at a cache that has answered one question, and its place.
static LOOK: Mutex<Option<(Instant, PathBuf, Vec<u8>)>> = Mutex::new(None);

/// Valid lifetimes of a token, in seconds.
const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=7200;

/// The record of one app.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Record {
    Token(CachedToken),
    Refused(Refused),
    Failed(Failed),
}

impl Record {
    fn at(&self) -> u64 {
        match self {
            Self::Token(cached) => cached.obtained_at,
            Self::Refused(refused) => refused.refused_at,
            Self::Failed(failed) => failed.failed_at.wall / 1000,
        }
    }

    /// Parses a record; `None` if it is damaged.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let record = Self::deserialize(value).ok()?;
        match &record {
            Self::Token(cached) if !cached.is_sound() => None,
            // An additional field may be `check` itself with a damaged name.
            Self::Token(CachedToken { check: None, .. }) if value.as_object()?.len() > 3 => None,
            _ => Some(record),
        }
    }
}

/// A token with its times.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct CachedToken {
    pub(super) access_token: String,
    /// Unix seconds.
    pub(super) obtained_at: u64,
    /// Seconds.
    pub(super) expires_in: u64,
    /// A digest of the token. WeCom would refuse a token with one flipped bit, and a token this
    /// young is not replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<String>,
    /// A digest of the server that granted it. Earlier versions wrote none.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

impl CachedToken {
    pub(super) fn new(grant: &wecom::Grant, now: u64, server: &str) -> Self {
        let access_token = grant.access_token.expose().to_owned();
        Self {
            check: Some(checksum(&access_token)),
            access_token,
            obtained_at: now,
            expires_in: grant.expires_in,
            server: Some(server.to_owned()),
        }
    }

    pub(super) fn token(&self) -> AccessToken {
        AccessToken {
            value: Secret::new(&*self.access_token),
            obtained_at: self.obtained_at,
        }
    }

    fn is_sound(&self) -> bool {
        wecom::is_token(&self.access_token)
            && LIFETIMES.contains(&self.expires_in)
            && self
                .check
                .as_ref()
                .is_none_or(|check| *check == checksum(&self.access_token))
    }

    #[cfg(test)]
    pub(super) fn test(obtained_at: u64, expires_in: u64) -> Self {
        Self {
            access_token: "t".to_owned(),
            obtained_at,
            expires_in,
            check: None,
            server: None,
        }
    }
}

impl std::fmt::Debug for CachedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedToken")
            .field("obtained_at", &self.obtained_at)
            .finish_non_exhaustive()
    }
}

/// A refusal of `gettoken`, kept so that no process asks again at once.
#[expect(clippy::struct_field_names, reason = "the names stand in the file")]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Refused {
    /// Unix seconds.
    pub(super) refused_at: u64,
    pub(super) errcode: i64,
    errmsg: String,
}

impl Refused {
    pub(super) fn new(refusal: &Refusal, now: u64) -> Self {
        Self {
            refused_at: now,
            errcode: refusal.errcode,
            errmsg: refusal.errmsg.clone(),
        }
    }

    /// Returns the refusal as an error that is asked about again in `again_in` seconds.
    pub(super) fn error(&self, again_in: u64) -> Error {
        Error::refused(Refusal {
            again_in: Some(again_in),
            ..Refusal::new(self.errcode, self.errmsg.clone(), true)
        })
        .of_gettoken()
    }
}

/// The cache file, and the lock file next to it, which is never renamed.
pub(super) struct Cache {
    dir: Arc<Dir>,
    warned: Cell<bool>,
}

impl Cache {
    pub(super) fn new(state: &State) -> Self {
        Self {
            dir: Arc::clone(state.dir()),
            warned: Cell::new(false),
        }
    }

    /// Reads an app's record.
    pub(super) fn get(&self, key: &str) -> Option<Record> {
        let look = LOOK.lock().unwrap_or_else(PoisonError::into_inner).take();
        let counts = |(at, path, _): &(Instant, PathBuf, _)| {
            at.elapsed() < LOOK_COUNTS && path == self.dir.path()
        };
        let bytes = look.filter(counts).map(|(.., bytes)| bytes);
        Record::read(map(&bytes.unwrap_or_else(|| self.bytes())).get(key)?)
    }

    /// Returns the tokens of all apps, each with the server that granted it, if it is known.
    pub(super) fn tokens(&self) -> Vec<(Secret, Option<String>)> {
        // A cache that cannot be read is warned of where a token is needed.
        let Ok(Some(bytes)) = self.dir.read_private(NAME, SIZE_MAX) else {
            return Vec::new();
        };
        let records = map(&bytes);
        let look = (Instant::now(), self.dir.path().to_owned(), bytes);
        *LOOK.lock().unwrap_or_else(PoisonError::into_inner) = Some(look);
        let tokens = records
            .into_values()
            .filter_map(|value| match Record::read(&value)? {
                Record::Token(cached) => Some((cached.token().value, cached.server)),
                _ => None,
            });
        tokens.collect()
    }

    /// Takes the lock, unless another process holds it.
    pub(super) fn try_lock(&self) -> io::Result<Option<Lock>> {
        self.dir.try_lock(LOCK)
    }

    /// Writes an app's record, or removes it, and keeps those of other apps. Needs the lock.
    pub(super) fn put(&self, key: &str, record: Option<Record>) -> io::Result<()> {
        let mut records = records(&self.bytes());
        records.remove(key);
        while records.len() >= RECORDS_MAX {
            let oldest = records
                .iter()
                .min_by_key(|(_, value)| Record::read(value).map(|record| record.at()));
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            records.remove(&oldest);
        }
        if let Some(record) = record {
            records.insert(key.to_owned(), serde_json::to_value(record)?);
        }
        let mut json = serde_json::to_vec_pretty(&records)?;
        json.push(b'\n');
        self.dir.replace(NAME, &json)
    }

    /// Sends the notice that the cache is unusable, once.
    pub(super) fn warn_once(&self, error: &io::Error) {
        if !self.warned.replace(true) {
            let path = &self.dir.path_of(NAME);
            notice::notify(&Notice::TokenCacheUnusable { path, error });
        }
    }

    /// Whether a read or write has failed, so that records may not be found again.
    pub(super) fn is_unusable(&self) -> bool {
        self.warned.get()
    }

    fn bytes(&self) -> Vec<u8> {
        let bytes = self
            .dir
            .read_private(NAME, SIZE_MAX)
            .unwrap_or_else(|error| {
                self.warn_once(&error);
                None
            });
        bytes.unwrap_or_default()
    }
}

/// Parses the file's map; empty if there is none.
fn map(bytes: &[u8]) -> BTreeMap<String, Value> {
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// Returns all undamaged records, with the fields that a newer version may have added.
pub(super) fn records(bytes: &[u8]) -> BTreeMap<String, Value> {
    let mut records = map(bytes);
    records.retain(|_, value| Record::read(value).is_some());
    records
}

fn checksum(token: &str) -> String {
    digest(&["token_cache.json", token])[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn sound() -> Value {
        let token = "a-token-of-some-length".repeat(5);
        json!({"access_token": token, "obtained_at": 1000, "expires_in": 7200, "check": checksum(&token)})
    }

    #[test]
    fn a_record_with_an_invalid_field_is_rejected() {
        assert!(Record::read(&sound()).is_some());
        for (field, value) in [
            ("access_token", json!("")),
            ("access_token", json!("x".repeat(513))),
            ("access_token", json!("two words")),
            ("access_token", json!("another token")),
            ("access_token", json!(7)),
            ("obtained_at", json!(-1)),
            ("obtained_at", json!("1000")),
            ("obtained_at", json!(1e18)),
            ("expires_in", json!(59)),
            ("expires_in", json!(7201)),
            ("expires_in", json!(null)),
            ("check", json!("0")),
        ] {
            let mut record = sound();
            record[field] = value.clone();
            assert!(Record::read(&record).is_none(), "{field} = {value}");
        }
    }

    #[test]
    fn a_record_without_a_check_is_accepted() {
        let mut record = json!({"access_token": "abc", "obtained_at": 1000, "expires_in": 7200});
        assert!(matches!(Record::read(&record), Some(Record::Token(_))));
        record["chekk"] = json!("0123456789abcdef");
        assert!(Record::read(&record).is_none(), "its check is damaged");
    }

    #[test]
    fn fields_of_a_newer_version_are_accepted_and_kept() {
        let mut record = sound();
        record["host"] = json!(["a", null]);
        let cache = json!({"app": record, "damaged": {"obtained_at": 1000}});
        let records = records(cache.to_string().as_bytes());
        assert_eq!(json!(records), json!({"app": record}));
    }

    proptest! {
        #[test]
        fn no_mutation_of_a_cache_panics_or_yields_another_token(
            at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
        ) {
            let mut bytes = json!({"app": sound()}).to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            if let Some(Record::Token(cached)) = records(&bytes).get("app").and_then(Record::read) {
                let same = sound()["access_token"] == cached.access_token;
                prop_assert!(same || cached.check.is_none());
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic_as_a_cache(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = records(&bytes);
        }
    }
}
