//! Decodes bytes to text. The bytes count for more than the name of their charset: it is often
//! wrong. cron in an empty environment labels all its output US-ASCII.

use encoding_rs::{Encoding, UTF_16BE};

use super::super::encoding::{self, utf8};
use super::super::input::INPUT_MAX;
use super::transfer::base64;

/// The charsets without bytes above 127: such bytes show that the label is wrong.
const SEVEN_BITS: [&str; 6] = [
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "646",
    "unknown-8bit",
    "iso646-us",
];

/// Decodes bytes of an unknown charset.
pub(super) fn guessed(bytes: &[u8]) -> String {
    bounded(encoding::guessed(bytes))
}

/// Cuts a text one byte past the most that is kept of any: the charset of a hostile one makes it thrice
/// as long as its bytes.
fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(INPUT_MAX + 1));
    text.shrink_to_fit();
    text
}

/// Adds to a text what has room in it.
pub(super) fn append(text: &mut String, more: &str) {
    let room = (INPUT_MAX + 1).saturating_sub(text.len());
    text.push_str(&more[..more.floor_char_boundary(room)]);
}

/// Decodes bytes with the label of their charset.
pub(super) fn decoded(bytes: &[u8], label: Option<&str>) -> String {
    if let Some(text) = utf8(bytes).filter(|text| !text.is_ascii()) {
        return text.to_owned();
    }
    let label = label.filter(|it| !SEVEN_BITS.contains(&&*it.to_ascii_lowercase()));
    if label.is_some_and(|it| it.eq_ignore_ascii_case("utf-7")) {
        return utf7(bytes);
    }
    let encoding = label.and_then(|it| Encoding::for_label_no_replacement(it.as_bytes()));
    encoding
        .map(|it| {
            if it.is_ascii_compatible() {
                return it.decode_with_bom_removal(bytes);
            }
            // The mark at its start tells the order of the bytes.
            let (text, _, has_errors) = it.decode(bytes);
            (text, has_errors)
        })
        .filter(|(_, has_errors)| !has_errors)
        .map_or_else(|| guessed(bytes), |(text, _)| bounded(text.into_owned()))
}

/// Decodes UTF-7: what is not ASCII stands in base64 between `+` and `-`. Source: RFC 2152.
fn utf7(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = &*String::from_utf8_lossy(bytes);
    while let Some((before, code)) = rest.split_once('+') {
        text += before;
        let is_code = |it: char| it.is_ascii_alphanumeric() || "+/".contains(it);
        let end = code.find(|it| !is_code(it)).unwrap_or(code.len());
        let (code, behind) = code.split_at(end);
        let units = base64(code.as_bytes());
        let (decoded, _) = UTF_16BE.decode_without_bom_handling(&units);
        text += if code.is_empty() { "+" } else { &decoded };
        rest = behind.strip_prefix('-').unwrap_or(behind);
    }
    text + rest
}
