//! Decodes the words of fields: `=?charset?B?…?=`. Source: RFC 2047.

use super::charset::{append, decoded, guessed};
use super::transfer::{base64, hexadecimal};

/// An encoded word.
struct EncodedWord<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
}

/// Decodes a field. Adjacent encoded words are joined first: they may have been split within a
/// character.
pub(super) fn text(field: &[u8]) -> String {
    let mut text = String::new();
    let mut pending: Option<EncodedWord<'_>> = None;
    let mut rest = field;
    // A search never goes past the last end: that would take quadratic time.
    let last = find(field, *b"?=", true).map_or(usize::MAX, |at| field.len() - at);
    while let Some(at) = find(rest, *b"=?", false).filter(|at| rest.len() - at > last) {
        let (before, word) = rest.split_at(at);
        let Some((word, behind)) = EncodedWord::read(word) else {
            flush(&mut pending, &mut text);
            text += &guessed(&rest[..at + 2]);
            rest = &rest[at + 2..];
            continue;
        };
        rest = behind;
        match &mut pending {
            Some(open) if before.trim_ascii().is_empty() && open.is_like(&word) => {
                open.bytes.extend(word.bytes);
            }
            _ => {
                let is_adjacent = pending.is_some() && before.trim_ascii().is_empty();
                flush(&mut pending, &mut text);
                if !is_adjacent {
                    text += &guessed(before);
                }
                pending = Some(word);
            }
        }
    }
    flush(&mut pending, &mut text);
    append(&mut text, &guessed(rest));
    text
}

fn flush(word: &mut Option<EncodedWord<'_>>, text: &mut String) {
    if let Some(word) = word.take() {
        let charset = String::from_utf8_lossy(word.charset);
        *text += &decoded(&word.bytes, Some(&charset));
    }
}

impl<'a> EncodedWord<'a> {
    /// Parses the word at the start of `text`; returns it with the rest.
    fn read(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let text = text.strip_prefix(b"=?")?;
        let end = text
            .iter()
            .position(|it| !it.is_ascii_graphic() || *it == b'?')?;
        let (charset, text) = text.split_at(end);
        // A language may follow the charset.
        let charset = charset.split(|it| *it == b'*').next().unwrap_or_default();
        let (encoding, text) = text.strip_prefix(b"?")?.split_at_checked(2)?;
        let decode = match encoding {
            b"B?" | b"b?" => base64,
            b"Q?" | b"q?" => quoted,
            _ => return None,
        };
        let end = find(text, *b"?=", false)?;
        let bytes = decode(&text[..end]);
        Some((Self { charset, bytes }, &text[end + 2..]))
    }

    fn is_like(&self, other: &Self) -> bool {
        self.charset.eq_ignore_ascii_case(other.charset)
    }
}

fn quoted(encoded: &[u8]) -> Vec<u8> {
    let blank = |byte: &u8| if *byte == b'_' { b' ' } else { *byte };
    hexadecimal(&encoded.iter().map(blank).collect::<Vec<u8>>(), b'=')
}

/// Finds two bytes, the first or the last time.
fn find(text: &[u8], two: [u8; 2], last: bool) -> Option<usize> {
    let mut found = text.windows(2);
    if last {
        found.rposition(|it| it == two)
    } else {
        found.position(|it| it == two)
    }
}
