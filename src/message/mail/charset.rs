//! Decodes bytes to text. The bytes count for more than the name of their charset: it is often
//! wrong. cron in an empty environment labels all its output US-ASCII.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_16BE, WINDOWS_1252};

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
        .and_then(|it| it.decode_without_bom_handling_and_without_replacement(bytes))
        .map_or_else(|| guessed(bytes), Cow::into_owned)
}

/// Decodes bytes of an unknown charset. Where most bytes above 127 are single, the text is a Western
/// one, else UTF-8 or GB18030, whichever has fewer errors.
pub(super) fn guessed(bytes: &[u8]) -> String {
    if let Some(text) = certain(bytes) {
        return text.into_owned();
    }
    if is_western(bytes) {
        let (western, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        return western.into_owned();
    }
    let utf8 = String::from_utf8_lossy(bytes);
    let (gb18030, _) = GB18030.decode_without_bom_handling(bytes);
    let errors = |text: &str| text.matches(char::REPLACEMENT_CHARACTER).count();
    let is_gb18030 = errors(&gb18030) < errors(&utf8);
    if is_gb18030 { gb18030 } else { utf8 }.into_owned()
}

/// Decodes bytes that can hardly be anything but UTF-8, or GB18030, which is common among WeCom's
/// users.
pub(super) fn certain(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(text) = utf8(bytes) {
        return Some(text.into());
    }
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    text.filter(|_| !is_western(bytes))
}

/// Whether more bytes above 127 are single than in pairs, as those of Chinese characters are.
fn is_western(bytes: &[u8]) -> bool {
    let runs = bytes.split(u8::is_ascii).map(<[u8]>::len);
    let (single, pairs) = runs.fold((0, 0), |(single, pairs), run| {
        (single + run % 2, pairs + run / 2)
    });
    single > pairs
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
