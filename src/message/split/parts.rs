//! Cuts a text into parts.
//!
//! A part ends after a line, else after a word, else between graphemes, where the outline allows
//! it. What is open at its end is closed there, and opened again in the next.

use std::fmt;

use unicode_segmentation::GraphemeCursor;

use super::super::TextKind;
use super::PARTS_MAX;
use super::outline::{Joint, Outline, Span};

/// A part of a text, with what is added to it. All texts of a message, joined, are the whole.
#[derive(Debug, Default)]
pub(in super::super) struct Part<'a> {
    opening: String,
    pub(in super::super) text: &'a str,
    closing: String,
    /// The place of `closing` in `text`: before the last white space, unless it is a line itself.
    closes_at: usize,
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (inside, behind) = self.text.split_at(self.closes_at);
        write!(f, "{}{inside}{}{behind}", self.opening, self.closing)
    }
}

/// Splits `text` into parts of at most `limit` bytes, of which a third must hold a character.
/// Returns `None` if that takes more than `most` parts.
pub(in super::super) fn split(
    kind: TextKind,
    text: &str,
    limit: usize,
    most: usize,
) -> Option<Vec<Part<'_>>> {
    if text.len() > most.saturating_mul(limit) {
        return None;
    }
    let outline = Outline::of(kind, text, limit);
    let mut parts = PartCutter::of(text, limit, &outline);
    let split = parts.by_ref().take(most).collect();
    parts.next().is_none().then_some(split)
}

/// Cuts a first part of at most `limit` bytes.
pub(super) fn first(kind: TextKind, text: &str, limit: usize) -> Part<'_> {
    // What ends behind as many parts as a message may have is taken as never closed.
    let text = &text[..text.floor_char_boundary(PARTS_MAX * limit)];
    let outline = Outline::of(kind, text, limit);
    let part = PartCutter::of(text, limit, &outline).next();
    part.unwrap_or_default()
}

/// The parts of a text, in their order.
struct PartCutter<'o, 'a> {
    text: &'a str,
    limit: usize,
    outline: &'o Outline<'a>,
    /// The end of the last part.
    at: usize,
    /// The spans that are open there, and the ones behind it.
    open: Vec<&'o Span<'a>>,
    ahead: &'o [Span<'a>],
}

impl<'a> Iterator for PartCutter<'_, 'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        if self.at == self.text.len() {
            return None;
        }
        let opening = self.opening();
        let text = &self.text[self.at..self.end(self.limit - opening.len())];
        self.advance(self.at + text.len());
        let closing = self.closing(text);
        let closes_at = if self.open.iter().any(|span| span.closes_line()) {
            text.len()
        } else {
            text.trim_end().len()
        };
        Some(Part {
            opening,
            text,
            closing,
            closes_at,
        })
    }
}

impl<'o, 'a> PartCutter<'o, 'a> {
    fn of(text: &'a str, limit: usize, outline: &'o Outline<'a>) -> Self {
        Self {
            text,
            limit,
            outline,
            at: 0,
            open: Vec::new(),
            ahead: &outline.spans,
        }
    }

    fn advance(&mut self, at: usize) {
        self.at = at;
        let begun = self.ahead.iter().take_while(|span| span.has_begun(at));
        let (begun, ahead) = self.ahead.split_at(begun.count());
        self.open.extend(begun);
        self.open.retain(|span| span.contains(at));
        self.ahead = ahead;
    }

    /// Returns the text that opens what is open.
    fn opening(&self) -> String {
        let mut opening = String::new();
        for span in &self.open {
            if span.has_lines && !opening.is_empty() && !opening.ends_with('\n') {
                opening.push('\n');
            }
            opening.push_str(span.opener);
        }
        opening
    }

    /// Returns the text that closes what is open behind `text`.
    fn closing(&self, text: &str) -> String {
        let mut closing = String::new();
        let mut is_line = false;
        for span in self
            .open
            .iter()
            .rev()
            .filter(|span| !span.closer.is_empty())
        {
            // A fence stands on lines of its own, anything else behind the text.
            let follows_line = closing.is_empty() && text.ends_with('\n');
            if is_line || span.closes_line() && !follows_line {
                closing.push('\n');
            }
            closing.push_str(span.closer);
            is_line = span.closes_line();
        }
        closing
    }

    /// Finds the best end for a part of at most `room` bytes, closing included.
    fn end(&self, room: usize) -> usize {
        let rest = &self.text[self.at..];
        let fits = |end: usize| end + self.outline.closing(self.at + end) <= room;
        if rest.len() <= room && fits(rest.len()) {
            return self.text.len();
        }
        let window = &rest[..rest.floor_char_boundary(room)];
        let best = |joint| {
            let may_be = |end: &usize| fits(*end) && self.outline.joint(self.at + end) <= joint;
            best_end(rest, window, may_be)
        };
        let best = [Joint::Free, Joint::Row, Joint::Mark]
            .into_iter()
            .find_map(best);
        // A grapheme that is longer than a part is cut between its characters.
        let last = || ends(window).find(|&end| fits(end));
        self.at + best.or_else(last).unwrap_or(window.len())
    }
}

/// Returns the ends of the characters of `text`, the last first.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    let characters = text.char_indices().rev();
    characters.map(|(at, character)| at + character.len_utf8())
}

/// Finds the best one of the ends of a part in `window`, with which `rest` begins.
fn best_end(rest: &str, window: &str, may_be: impl Fn(&usize) -> bool) -> Option<usize> {
    // A line or word that ends in the first half would leave the part half empty.
    let half = window.len() / 2;
    let after = |is_it: fn(char) -> bool| {
        let found = window.rmatch_indices(is_it);
        found
            .map(|(at, it)| at + it.len())
            .take_while(|&end| end > half)
            .filter(&may_be)
    };
    let is_whole = |end: &usize| {
        let mut cursor = GraphemeCursor::new(*end, rest.len(), true);
        cursor.is_boundary(rest, 0) == Ok(true)
    };
    after(|it| it == '\n')
        .next()
        .or_else(|| after(char::is_whitespace).find(is_whole))
        .or_else(|| ends(window).filter(&may_be).find(is_whole))
}
