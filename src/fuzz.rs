//! What the fuzzer calls instead of `main`: one target for each kind of foreign bytes.
//!
//! Built by `tests/fuzz/run` alone. Each target stands in the room that it tries.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

use crate::{config, message, token, wecom};

/// A secret as WeCom makes them, which no error may show a piece of.
pub(crate) const SECRET: &str = "Zy7-qP_0aBcDeFgHiJkLmNoPqRsTuVwXyZ012345678";

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("WXPUSH_FUZZ").unwrap_or_default();
    match &*name {
        "config" => config::fuzz::config,
        "answer" => wecom::fuzz::answer,
        "retry" => wecom::fuzz::retry,
        "cache" => token::fuzz::cache,
        "split" => message::fuzz::split,
        "input" => message::fuzz::input,
        _ => panic!("WXPUSH_FUZZ names no target"),
    }
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));

/// Whether a text shows eight characters of the secret that stand in a row.
pub(crate) fn shows_secret(text: &str) -> bool {
    let mut pieces = (8..=SECRET.len()).map(|end| &SECRET[end - 8..end]);
    pieces.any(|piece| text.contains(piece))
}
