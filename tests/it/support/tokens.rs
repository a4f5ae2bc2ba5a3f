//! The token cache of a sandbox.

use std::os::unix::fs::MetadataExt;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::standin::Standin;
use crate::support::Sandbox;

/// The cache as it stands.
pub(crate) fn token_cache(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.read("token_cache.json")).expect("the cache is JSON")
}

/// The cache's key for the sandbox's app.
pub(crate) fn cache_key(sandbox: &Sandbox) -> String {
    let cache = token_cache(sandbox);
    cache.as_object().unwrap().keys().next().unwrap().clone()
}

/// Holds that the record at `key` is one to be believed, with a token that was really granted.
pub(crate) fn is_sound(standin: &Standin, sandbox: &Sandbox, key: &str) {
    let record = &token_cache(sandbox)[key];
    let granted = record["access_token"].as_str().expect("a token").to_owned();
    assert!(standin.company().tokens.all().contains(&granted));
    assert!((60..=7200).contains(&record["expires_in"].as_u64().expect("seconds")));
    assert!(record["obtained_at"].as_u64().expect("seconds") <= now());
    let mode = sandbox.path("token_cache.json").metadata().unwrap().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

/// One crowd at a time: two have more descriptors open than the usual limit allows.
pub(crate) static FLOOR: Mutex<()> = Mutex::new(());

/// Unix seconds.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs()
}

/// Changes every record of the cache.
pub(crate) fn edit_token(sandbox: &Sandbox, change: impl Fn(&mut Value)) {
    let mut cache: Value = serde_json::from_str(&sandbox.read("token_cache.json")).unwrap();
    for record in cache.as_object_mut().unwrap().values_mut() {
        change(record);
    }
    sandbox.write("token_cache.json", cache.to_string());
}

/// Sends once, so that there is a token, and makes that token so many seconds old.
pub(crate) fn warmed(standin: &Standin, age: u64) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    sandbox.send("warm-up").is_silent();
    sandbox.age_token(age);
    sandbox
}

/// The cached token.
pub(crate) fn token(sandbox: &Sandbox) -> String {
    sandbox.record()["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}
