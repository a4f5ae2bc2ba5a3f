//! Reads JSON and texts as they were meant: senders write other charsets, cut a text within a
//! character, or put an output between quotes as it is.

use std::borrow::Cow;
use std::fmt::Write;

use crate::message::encoding::guessed;

/// How many bytes `\uXXXX` has.
const ESCAPE: usize = 6;

/// How many objects and lists stand within each other; what is deeper becomes null. The parser takes
/// fewer than 128.
const DEPTH_MAX: usize = 100;

/// Parses a JSON as it is, or, if that fails, as it was probably meant.
///
/// # Errors
/// What is wrong with it as it is, or as it was meant if it is not UTF-8.
pub(super) fn parsed<T, E>(json: &[u8], parse: impl Fn(&str) -> Result<T, E>) -> Result<T, E> {
    let Ok(json) = str::from_utf8(json) else {
        return parse(&mended(&text(json)));
    };
    parse(json).or_else(|error| parse(&mended(json)).map_err(|_| error))
}

/// Decodes bytes: as UTF-8 if most characters are, else by a guess.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    let utf8 = String::from_utf8_lossy(bytes);
    let all = utf8.chars().filter(|it| !it.is_ascii()).count();
    let lost = utf8.matches(char::REPLACEMENT_CHARACTER).count();
    // A character that a client has cut makes no other charset.
    if 2 * lost <= all {
        return utf8;
    }
    drop(utf8);
    guessed(bytes).into()
}

/// Returns a JSON that parsers take: with escapes for control characters, odd quotes and odd
/// backslashes in its strings, and with strings for numbers that are none.
fn mended(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut rest, mut depth, mut deep) = (json, 0, 0);
    while let Some(first) = rest.chars().next() {
        let used = match first {
            '"' => string(rest, &mut out),
            '{' | '[' => {
                if depth == DEPTH_MAX {
                    deep = out.len();
                }
                depth += 1;
                out.push(first);
                1
            }
            '}' | ']' => {
                out.push(first);
                if depth == DEPTH_MAX + 1 {
                    out.truncate(deep);
                    out += "null";
                }
                depth = depth.saturating_sub(1);
                1
            }
            _ => other(rest, &mut out),
        };
        rest = &rest[used..];
    }
    out
}

/// Adds a string, mended; returns its bytes.
fn string(text: &str, out: &mut String) -> usize {
    let is_value = out.trim_ascii_end().ends_with(':');
    out.push('"');
    let mut at = 1;
    while let Some(next) = text[at..].chars().next() {
        let behind = &text[at + next.len_utf8()..];
        at += match next {
            '\\' => escape(&text[at..], out),
            _ => next.len_utf8(),
        };
        match next {
            '"' if is_end(behind, is_value) => {
                out.push('"');
                break;
            }
            '"' => out.push_str("\\\""),
            '\\' => {}
            '\0'..' ' => {
                // Fails never.
                let _ = write!(out, "\\u{:04x}", u32::from(next));
            }
            _ => out.push(next),
        }
    }
    at
}

/// Whether a quote before this text ends a string; `is_value` if that is the value of a field, which
/// another field may follow.
fn is_end(behind: &str, is_value: bool) -> bool {
    let next = behind.trim_ascii_start();
    match next.strip_prefix(',') {
        Some(next) if is_value => next.trim_ascii_start().starts_with('"'),
        Some(_) => true,
        None if is_value => next.is_empty() || next.starts_with('}'),
        None => next.is_empty() || next.starts_with([':', '}', ']']),
    }
}

/// Adds an escape in a string; returns its bytes. U+FFFD stands for what is no Unicode.
fn escape(text: &str, out: &mut String) -> usize {
    let unit = unit(text);
    let pair = unit.zip(text.get(ESCAPE..).and_then(self::unit));
    let used = match (unit, pair) {
        (_, Some((0xd800..=0xdbff, 0xdc00..=0xdfff))) => 2 * ESCAPE,
        (Some(0xd800..=0xdfff), _) => {
            out.push(char::REPLACEMENT_CHARACTER);
            return ESCAPE;
        }
        (Some(_), _) => ESCAPE,
        (None, _) if text[1..].starts_with(['"', '\\', '/', 'b', 'f', 'n', 'r', 't']) => 2,
        // A path of Windows.
        (None, _) => {
            out.push_str("\\\\");
            return 1;
        }
    };
    out.push_str(&text[..used]);
    used
}

/// Returns the UTF-16 unit that a text begins with, if that is an escape.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..ESCAPE - 2)?;
    let are_digits = digits.bytes().all(|it| it.is_ascii_hexdigit());
    are_digits.then(|| u16::from_str_radix(digits, 16).ok())?
}

/// Adds what is no string; returns its bytes.
fn other(text: &str, out: &mut String) -> usize {
    let is_part = |it: char| it.is_ascii_alphanumeric() || "+-.".contains(it);
    let end = text.find(|it| !is_part(it)).unwrap_or(text.len());
    let word = &text[..end];
    if word.parse().is_ok_and(|it: f64| !it.is_finite()) {
        out.extend(["\"", word, "\""]);
        return end;
    }
    let used = end.max(text.chars().next().map_or(0, char::len_utf8));
    out.push_str(&text[..used]);
    used
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(json: &[u8]) -> Option<Value> {
        parsed(json, |text| serde_json::from_str(text)).ok()
    }

    #[test]
    fn a_json_is_read_as_it_was_meant() {
        for (written, meant) in [
            (&b"a\\\\ud800 \\u00e9 \\ud83d\\ude00"[..], "a\\ud800 é 😀"),
            (b"a\\ud83d x \\ude00", "a\u{fffd} x \u{fffd}"),
            (b"\\ud83d\\ud83d\\ude00 \\u+041", "\u{fffd}😀 \\u+041"),
            (b"a\tb\nc\r\n", "a\tb\nc\r\n"),
            (b"C:\\Users\\x \\", "C:\\Users\\x \\"),
            (b"role \"x\", or \"y\": no", "role \"x\", or \"y\": no"),
            (b"caf\xe9", "café"),
            (b"\xb4\xc5\xc5\xcc", "磁盘"),
            ("磁盘\u{fffd}".as_bytes(), "磁盘\u{fffd}"),
            (b"\xe7\xa3\x81\xe7", "磁\u{fffd}"),
        ] {
            let written = [b"{\"a\":\"", written, b" \", \"b\":1}"].concat();
            let meant = json!({"a": format!("{meant} "), "b": 1});
            assert_eq!(read(&written), Some(meant), "{}", written.escape_ascii());
        }
        let numbers = read(b"[1e999, -1e999, NaN, -Infinity, 1e9, \"1e999\"]");
        let expected = json!(["1e999", "-1e999", "NaN", "-Infinity", 1e9, "1e999"]);
        assert_eq!(numbers, Some(expected));
        let deep = format!("[{}1{},2]", "[".repeat(200), "]".repeat(200));
        assert_eq!(read(deep.as_bytes()).unwrap()[1], 2);
        for broken in [
            "", "{", "{\"a\":", "{\"a\"", "{]", "[1 2]", "{} {}", "[x]", "\\",
        ] {
            assert_eq!(read(broken.as_bytes()), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn what_is_right_stays_as_it_is(value in r#"([a"\\/\n\t\u{1} ,:}\]é]|\\u00e9|😀){0,30}"#) {
            let json = json!({&value: [&value, {}, 1.5, null]});
            prop_assert_eq!(read(mended(&json.to_string()).as_bytes()), Some(json));
        }

        #[test]
        fn whatever_is_written_is_read_to_its_end(json in r#"([a"\\{}\[\],: \n]|\\ud8|1e999){0,60}"#) {
            mended(&json);
        }
    }
}
