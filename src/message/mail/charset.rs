//! Decodes bytes to text. The bytes count for more than the name of their charset: it is often
//! wrong. cron in an empty environment labels all its output US-ASCII.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030};

/// The charsets without bytes above 127: such bytes show that the label is wrong.
const SEVEN_BITS: [&str; 6] = [
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "646",
    "unknown-8bit",
    "iso646-us",
];

/// Decodes bytes with the label of their charset.
pub(super) fn decoded(bytes: &[u8], label: Option<&str>) -> String {
    if let Some(text) = utf8(bytes).filter(|text| !text.is_ascii()) {
        return text.to_owned();
    }
    let label = label.filter(|it| !SEVEN_BITS.contains(&&*it.to_ascii_lowercase()));
    let encoding = label.and_then(|it| Encoding::for_label_no_replacement(it.as_bytes()));
    encoding
        .and_then(|it| it.decode_without_bom_handling_and_without_replacement(bytes))
        .map_or_else(|| guessed(bytes), Cow::into_owned)
}

/// Decodes bytes of an unknown charset: UTF-8, else GB18030, which is common among WeCom's users;
/// else the one with fewer errors.
pub(super) fn guessed(bytes: &[u8]) -> String {
    if let Some(text) = utf8(bytes) {
        return text.to_owned();
    }
    let utf8 = String::from_utf8_lossy(bytes);
    let (gb18030, _) = GB18030.decode_without_bom_handling(bytes);
    let errors = |text: &str| text.matches(char::REPLACEMENT_CHARACTER).count();
    let is_gb18030 = errors(&gb18030) < errors(&utf8);
    if is_gb18030 { gb18030 } else { utf8 }.into_owned()
}

/// Returns bytes as UTF-8. A character that is cut off at the end is left out.
fn utf8(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?;
            // Two bytes after ASCII may as well be a character of GB18030.
            Some(text).filter(|text| !text.is_ascii())
        }
        Err(_) => None,
    }
}
