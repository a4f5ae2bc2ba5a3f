//! Splits a long text into parts within WeCom's limit.
//!
//! `outline` reads what a cut would tear, `parts` cuts.

mod outline;
mod parts;

use super::TextKind;
pub(super) use parts::split;
use parts::{Part, first};

/// The most parts of one message.
pub(crate) const PARTS_MAX: usize = 99;

/// The most parts of one message with `--long auto`. A longer text becomes a file.
const AUTO_PARTS_MAX: usize = 5;

/// The bytes reserved in each part for its mark: at most `(99/99)` and a newline.
const MARK_MAX: usize = 8;

/// The treatment of a text past WeCom's limit (`--long`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Long {
    /// Split up to 5 parts; beyond, as file.
    Auto,
    /// Split into up to 99 parts, marked (1/3).
    Split,
    /// The first part, and the whole as an attached .txt.
    File,
    /// One article that a tap opens, headings, lists and tables included.
    Article,
    /// The first part, marked as cut.
    Truncate,
    /// Send nothing.
    Reject,
}

/// The reason why a text cannot be sent as `--long` demands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TooLong {
    /// It is past the limit, and `--long` is `reject`.
    Rejected,
    /// It needs more than `PARTS_MAX` parts.
    Parts,
}

/// A text divided into messages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fitted {
    /// The messages, each within the limit.
    pub(crate) parts: Vec<String>,
    /// The rest of the text, which is in none of the messages.
    pub(crate) rest: Rest,
}

/// The treatment of the rest of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// There is no rest.
    Nothing,
    /// The whole text is sent as a file.
    File,
    /// It is left out.
    Cut,
}

/// The notes at the end of a first part that is not the whole text.
pub(crate) struct Notes<'a> {
    /// The rest is left out.
    pub(crate) cut: &'a str,
    /// The whole text is attached.
    pub(crate) file: &'a str,
}

/// Splits `text` into messages of at most `max` bytes. `incomplete`: the input was longer than
/// `text`.
///
/// # Errors
/// If `long` allows no way to send it.
pub(crate) fn fit(
    kind: TextKind,
    max: usize,
    text: &str,
    incomplete: bool,
    long: Long,
    notes: &Notes<'_>,
) -> Result<Fitted, TooLong> {
    if text.len() <= max && !incomplete {
        return Ok(Fitted {
            parts: vec![text.to_owned()],
            rest: Rest::Nothing,
        });
    }
    let first = |note: &str, rest| {
        let first = first(kind, text, max - note.len()).to_string();
        Fitted {
            parts: vec![first + note],
            rest,
        }
    };
    let file = || first(notes.file, Rest::File);
    let split = |most| {
        if incomplete {
            return None;
        }
        let parts = split(kind, text, max - MARK_MAX, most)?;
        let count = parts.len();
        let marked = |(at, part): (usize, &Part<'_>)| format!("({}/{count})\n{part}", at + 1);
        Some(Fitted {
            parts: parts.iter().enumerate().map(marked).collect(),
            rest: Rest::Nothing,
        })
    };
    match long {
        Long::Reject => Err(TooLong::Rejected),
        Long::File => Ok(file()),
        Long::Truncate => Ok(first(notes.cut, Rest::Cut)),
        Long::Split => split(PARTS_MAX).ok_or(TooLong::Parts),
        // An article is none of these: what comes here is by a robot, which has none.
        Long::Auto | Long::Article => Ok(split(AUTO_PARTS_MAX).unwrap_or_else(file)),
    }
}

#[cfg(test)]
mod tests;
