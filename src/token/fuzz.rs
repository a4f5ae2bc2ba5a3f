//! Arbitrary bytes as the token cache: each accepted record is sound, and stays so when written
//! again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cache::{Record, records};
use super::{COOL_DOWN, is_recent, usable_for};
use crate::wecom;

/// Tries the bytes as a whole cache.
pub(crate) fn cache(bytes: &[u8]) {
    let kept = records(bytes);
    let written = serde_json::to_vec_pretty(&kept).expect("a map of JSON is JSON");
    assert_eq!(believed(&records(&written)), believed(&kept));
    for value in kept.values() {
        let record = Record::read(value).expect("it was believed just now");
        match &record {
            Record::Token(cached) => {
                assert!(wecom::is_token(cached.token().value.expose()));
                for now in [0, cached.obtained_at, u64::MAX] {
                    assert!(usable_for(cached, now).is_none_or(|left| (1..=7000).contains(&left)));
                }
            }
            Record::Failed(failed) => {
                let left = failed.left(&failed.failed_at).unwrap_or_default();
                assert!(left <= std::time::Duration::from_mins(1));
                let _ = failed.error(left).failure();
            }
            Record::Refused(refused) => {
                for now in [0, refused.refused_at, u64::MAX] {
                    let age = now.checked_sub(refused.refused_at);
                    let recent = age.is_some_and(|age| age < COOL_DOWN);
                    assert_eq!(is_recent(refused.refused_at, now), recent);
                }
                let _ = refused.error(60).failure();
            }
        }
        let again = serde_json::to_value(&record).expect("a record is JSON");
        assert!(Record::read(&again).is_some(), "{again}");
    }
}

/// Returns each record without unknown fields: an unknown number of twenty digits may lose its last
/// ones.
fn believed(records: &BTreeMap<String, Value>) -> Vec<(&String, Value)> {
    let ours = |value| serde_json::to_value(Record::read(value)).expect("a record is JSON");
    records
        .iter()
        .map(|(key, value)| (key, ours(value)))
        .collect()
}
