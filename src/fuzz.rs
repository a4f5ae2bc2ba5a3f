//! The entry point of the fuzzer: one target for each kind of foreign bytes.
//!
//! Each target is in the module that it tests. `tests/fuzz/run` fuzzes them; `cargo test` runs them
//! on the fuzzer's seeds.

use crate::{commands, config, message, outbox, rate_limit, secret, token, wecom};

type Target = fn(&[u8]);

/// The targets, by the names that the fuzzer and its seeds use.
const TARGETS: [(&str, Target); 15] = [
    ("answer", wecom::fuzz::answer),
    ("cache", token::fuzz::cache),
    ("config", config::fuzz::config),
    ("entry", outbox::fuzz::entry),
    ("input", message::fuzz::input),
    ("html", message::fuzz::html),
    ("ledger", rate_limit::fuzz::ledger),
    ("limits", message::fuzz::limits),
    ("mail", message::fuzz::mail),
    ("plain", message::fuzz::plain_text),
    ("record", outbox::fuzz::attempts),
    ("redact", secret::fuzz::redact),
    ("request", commands::http::fuzz::request),
    ("retry", wecom::fuzz::retry),
    ("split", message::fuzz::split),
];

/// Returns the target with this name.
fn target(name: &str) -> Option<Target> {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.map(|(_, target)| *target)
}

#[cfg(fuzzing)]
static TARGET: std::sync::LazyLock<Target> = std::sync::LazyLock::new(|| {
    let name = std::env::var("WXPUSH_FUZZ").unwrap_or_default();
    target(&name).expect("WXPUSH_FUZZ names a target")
});

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_target_accepts_its_seeds_and_all_their_prefixes_and_suffixes() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds");
        let mut tried = 0;
        for dir in seeds.read_dir().expect("the seeds are there") {
            let dir = dir.unwrap().path();
            let name = dir.file_name().unwrap().to_str().unwrap();
            let target = super::target(name).expect("each folder is a target's");
            for seed in dir.read_dir().unwrap() {
                let bytes = std::fs::read(seed.unwrap().path()).unwrap();
                for end in 0..=bytes.len() {
                    target(&bytes[..end]);
                    target(&bytes[end..]);
                }
            }
            tried += 1;
        }
        assert_eq!(tried, super::TARGETS.len());
    }
}
