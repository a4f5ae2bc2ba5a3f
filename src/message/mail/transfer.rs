//! Decodes what carries bytes through mails of seven bits: base64, quoted-printable, `%XX`.
//!
//! Lenient: what is not encoded stays.

use std::borrow::Cow;

use super::head::{line_end, lines};

/// Decodes the body of a file by its `Content-Transfer-Encoding`.
pub(super) fn file<'a>(body: &'a [u8], encoding: &str) -> Cow<'a, [u8]> {
    match encoding {
        "quoted-printable" => quoted_printable(body).into(),
        "base64" if lines(body).find(|it| !is_blank(it)).is_some_and(is_base64) => {
            base64(body).into()
        }
        _ => body.into(),
    }
}

/// Decodes a text; also returns what stands behind it as it is, such as the footer that a mailing
/// list puts below base64.
pub(super) fn text<'a>(body: &'a [u8], encoding: &str) -> (Cow<'a, [u8]>, &'a [u8]) {
    if encoding != "base64" {
        return (file(body, encoding), b"");
    }
    let mut end = 0;
    for line in lines(body) {
        let code = line.iter().position(|byte| !is_code(*byte));
        let code = &line[..code.unwrap_or(line.len())];
        let is_padded = code.contains(&b'=');
        if is_padded {
            end += code.len();
        }
        if is_padded || !is_base64(line) {
            break;
        }
        end += line.len();
    }
    let (encoded, rest) = body.split_at(end);
    (base64(encoded).into(), rest.trim_ascii_start())
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

fn is_base64(line: &[u8]) -> bool {
    line.trim_ascii().iter().all(|byte| is_code(*byte))
}

fn is_code(byte: u8) -> bool {
    byte == b'=' || sextet(byte).is_some()
}

/// Decodes base64. Other characters are skipped, and several encoded texts may follow each other.
pub(super) fn base64(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in encoded {
        if *byte == b'=' {
            (bits, count) = (0, 0);
        }
        let Some(sextet) = sextet(*byte) else {
            continue;
        };
        bits = bits << 6 | u32::from(sextet);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Decodes quoted-printable.
fn quoted_printable(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    for line in lines(encoded) {
        let text = line.trim_ascii_end();
        // A `=` at the end joins two lines.
        let soft = text.strip_suffix(b"=");
        bytes.extend(hexadecimal(soft.unwrap_or(text), b'='));
        if soft.is_none() {
            bytes.extend_from_slice(line_end(line));
        }
    }
    bytes
}

/// Decodes `=XX` or, with another mark, `%XX`.
pub(super) fn hexadecimal(encoded: &[u8], mark: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let digits = digits.filter(|it| *first == mark && !it.starts_with('+'));
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    bytes
}
