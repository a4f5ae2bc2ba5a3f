//! Parses fields with parameters: `text/plain; charset=utf-8`. Source: RFC 2045 and 2231.

use std::borrow::Cow;

use super::super::encoding::certain;
use super::charset::decoded;
use super::transfer::hexadecimal;
use super::words;

/// The most parameters of a field, so that memory use stays flat: those behind do not count.
const PARAMETERS_MAX: usize = 250_000;

/// A field with parameters.
#[derive(Debug, Default)]
pub(super) struct ParameterField {
    /// What stands before the parameters, in lower case.
    pub(super) value: String,
    parameters: Vec<FieldParameter>,
}

#[derive(Debug)]
struct FieldParameter {
    /// The name in lower case, without any `*`.
    name: Vec<u8>,
    /// The place among the pieces of a divided value: `name*0`, `name*1`.
    piece: Option<u32>,
    /// Whether it is encoded in RFC 2231's way, which ends the name by a `*`.
    is_extended: bool,
    value: Vec<u8>,
}

impl ParameterField {
    pub(super) fn parse(field: &[u8]) -> Self {
        let (value, rest) = until(field, b";");
        // A comment may stand behind it.
        let (value, _) = until(value, b"(");
        let is_utf8 = std::str::from_utf8(rest).is_ok();
        let mut parameters = Vec::new();
        let mut rest = next(rest);
        while !rest.is_empty() && parameters.len() < PARAMETERS_MAX {
            let (name, mut behind) = until(rest, b"=;");
            if let Some(text) = behind.strip_prefix(b"=") {
                let (value, end) = value_of(text.trim_ascii_start(), is_utf8);
                parameters.push(FieldParameter::new(name, value));
                behind = end;
            }
            rest = next(behind);
        }
        let value = String::from_utf8_lossy(value.trim_ascii());
        Self {
            value: value.to_ascii_lowercase(),
            parameters,
        }
    }

    /// Returns the bytes of a parameter.
    pub(super) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let pieces = self.pieces(name);
        (!pieces.is_empty()).then(|| pieces.iter().flat_map(|it| it.value.clone()).collect())
    }

    /// Returns a parameter that is a word, such as a charset.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        let bytes = self.bytes(name)?;
        let text = String::from_utf8_lossy(&bytes);
        let word = text.split_whitespace().next()?;
        Some(word.trim_matches('\'').to_owned())
    }

    /// Returns a parameter that is a text, such as the name of a file, whatever its encoding.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let pieces = self.pieces(name);
        let first = pieces.first()?;
        if !first.is_extended {
            return Some(plain_text(&self.bytes(name)?));
        }
        let mut parts = first.value.splitn(3, |it| *it == b'\'');
        let (charset, start) = match [parts.next(), parts.next(), parts.next()] {
            [Some(charset), Some(_), Some(start)] => (charset, start),
            _ => (&b""[..], &*first.value),
        };
        let mut bytes = hexadecimal(start, b'%');
        for piece in &pieces[1..] {
            bytes.extend(if piece.is_extended {
                hexadecimal(&piece.value, b'%')
            } else {
                piece.value.clone()
            });
        }
        Some(decoded(&bytes, Some(&String::from_utf8_lossy(charset))))
    }

    /// Returns the pieces of a value in their order. An extended value wins over a plain one.
    fn pieces(&self, name: &str) -> Vec<&FieldParameter> {
        let named = self.parameters.iter();
        let named = named.filter(|it| it.name == name.as_bytes());
        let whole = |is_extended| {
            let is_it = |it: &&FieldParameter| it.piece.is_none() && it.is_extended == is_extended;
            named.clone().find(is_it).into_iter().collect::<Vec<_>>()
        };
        let mut divided: Vec<_> = named.clone().filter(|it| it.piece.is_some()).collect();
        divided.sort_by_key(|it| it.piece);
        divided.dedup_by_key(|it| it.piece);
        let found = [whole(true), divided, whole(false)];
        let found = found.into_iter().find(|it| !it.is_empty());
        found.unwrap_or_default()
    }
}

impl FieldParameter {
    fn new(name: &[u8], value: Vec<u8>) -> Self {
        let name = name.trim_ascii().to_ascii_lowercase();
        let mut parts = name.split(|it| *it == b'*');
        let base = parts.next().unwrap_or_default().to_vec();
        let piece = parts
            .next()
            .and_then(|it| std::str::from_utf8(it).ok()?.parse().ok());
        Self {
            is_extended: name.ends_with(b"*"),
            name: base,
            piece,
            value,
        }
    }
}

/// Splits before the first of these bytes.
fn until<'a>(text: &'a [u8], ends: &[u8]) -> (&'a [u8], &'a [u8]) {
    let end = text.iter().position(|byte| ends.contains(byte));
    text.split_at(end.unwrap_or(text.len()))
}

/// Skips to the next parameter.
fn next(rest: &[u8]) -> &[u8] {
    let is_gap = |byte: &u8| *byte == b';' || byte.is_ascii_whitespace();
    let at = rest.iter().position(|byte| !is_gap(byte));
    at.map_or(b"", |at| &rest[at..])
}

/// Parses a value; returns it with what stands behind it. `is_utf8` is said of the whole field.
fn value_of(text: &[u8], is_utf8: bool) -> (Vec<u8>, &[u8]) {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let (value, rest) = until(text, b";");
        return (value.trim_ascii_end().to_vec(), rest);
    };
    let mut value = Vec::new();
    let mut at = 0;
    while let Some(byte) = quoted.get(at).filter(|it| **it != b'"') {
        let pair = match quoted.get(at + 1) {
            // Only these are escaped: programs of Windows write paths.
            Some(second @ (b'"' | b'\\')) if *byte == b'\\' => &[*second][..],
            // A character of GBK may have a backslash as its second byte.
            Some(second) if !is_utf8 && *byte > 0x80 => &[*byte, *second][..],
            _ => {
                value.push(*byte);
                at += 1;
                continue;
            }
        };
        value.extend_from_slice(pair);
        at += 2;
    }
    (value, quoted.get(at + 1..).unwrap_or_default())
}

/// Decodes a text in no way of RFC 2231: raw, in encoded words, or with `%XX`, if that gives more
/// than ASCII.
fn plain_text(bytes: &[u8]) -> String {
    let decoded = hexadecimal(bytes, b'%');
    let is_percent = bytes.is_ascii() && !decoded.is_ascii();
    let meant = certain(&decoded).filter(|_| is_percent);
    meant.map_or_else(|| words::text(bytes), Cow::into_owned)
}
