//! Divides multiparts. Source: RFC 2046.

use super::head::{line, line_end};

/// The most parts of a multipart, so that memory use stays flat: those behind are text of the last.
const PARTS_MAX: usize = 250_000;

/// The body of a multipart.
pub(super) struct Divided<'a> {
    /// What stands before the first boundary.
    pub(super) preamble: &'a [u8],
    pub(super) parts: Vec<&'a [u8]>,
    /// What stands behind the last boundary.
    pub(super) epilogue: &'a [u8],
}

/// Divides the body of a multipart at its boundary.
pub(super) fn divided<'a>(body: &'a [u8], boundary: &[u8]) -> Divided<'a> {
    let mut divided = Divided {
        preamble: body,
        parts: Vec::new(),
        epilogue: b"",
    };
    let (mut start, mut at) = (None, 0);
    while at < body.len() {
        let line = line(&body[at..]);
        let next = at + line.len();
        let is_full = divided.parts.len() >= PARTS_MAX;
        if let Some(closes) = delimiter(line, boundary).filter(|_| !is_full) {
            if let Some(start) = start {
                let part = &body[start..at];
                let part = &part[..part.len() - line_end(part).len()];
                divided.parts.push(part);
            } else {
                divided.preamble = &body[..at];
            }
            if closes {
                divided.epilogue = &body[next..];
                return divided;
            }
            start = Some(next);
        }
        at = next;
    }
    divided.parts.extend(start.map(|start| &body[start..]));
    divided
}

/// Whether a line is a boundary, and then whether it is the last one.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    match rest.trim_ascii() {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}
