//! HTML that never exceeds its limit: what no longer fits is left out, and what is open is closed.
//!
//! Everything but our own tags is escaped.

use super::Hide;

/// The most elements within each other; what is deeper has no elements of its own.
const DEPTH_MAX: usize = 32;

/// A page so far.
pub(super) struct ArticlePage<'a> {
    out: String,
    /// Bytes of the page without its note.
    max: usize,
    /// The ends of the open elements; empty for one that is too deep.
    ends: Vec<&'static str>,
    /// Their bytes.
    ends_len: usize,
    is_full: bool,
    note: &'a str,
    hide: Hide<'a>,
}

impl<'a> ArticlePage<'a> {
    /// Returns an empty page of at most `max` bytes. `note` stands at its end if it is not whole.
    pub(super) fn new(max: usize, note: &'a str, hide: Hide<'a>) -> Self {
        Self {
            out: String::new(),
            max: max - "<p></p>".len() - escaped(note).len(),
            ends: Vec::new(),
            ends_len: 0,
            is_full: false,
            note,
            hide,
        }
    }

    /// Whether nothing more is taken.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Returns the bytes so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether the page ends with this text, which began at `start`.
    pub(super) fn shows(&self, start: usize, text: &str) -> bool {
        self.out[start..] == escaped(text)
    }

    /// Begins an element.
    pub(super) fn open(&mut self, tag: &str, end: &'static str) {
        let is_taken = self.ends.len() < DEPTH_MAX && self.fits(tag.len() + end.len());
        self.ends.push(if is_taken { end } else { "" });
        if is_taken {
            self.ends_len += end.len();
            self.out.push_str(tag);
        } else {
            self.is_full |= self.ends.len() <= DEPTH_MAX;
        }
    }

    /// Ends the last element.
    pub(super) fn close(&mut self) {
        let end = self.ends.pop().unwrap_or_default();
        self.ends_len -= end.len();
        self.out.push_str(end);
    }

    /// Adds a tag without content.
    pub(super) fn tag(&mut self, tag: &str) {
        if self.fits(tag.len()) {
            self.out.push_str(tag);
        } else {
            self.is_full = true;
        }
    }

    /// Adds a text, whose white space is shown as HTML does.
    pub(super) fn text(&mut self, text: &str) {
        let mut text = text.to_owned();
        (self.hide)(&mut text);
        for character in text.chars() {
            let mut buffer = [0; 4];
            let piece = match character {
                it if it.is_control() && !matches!(it, '\n' | '\t') => continue,
                it => entity(it).unwrap_or(it.encode_utf8(&mut buffer)),
            };
            if !self.fits(piece.len()) {
                self.is_full = true;
                return;
            }
            self.out.push_str(piece);
        }
    }

    /// Adds a text whose line ends and runs of spaces stay.
    pub(super) fn lines(&mut self, text: &str) {
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.tag("<br>");
            }
            self.text(&with_spaces(line));
        }
    }

    /// Adds a plain text.
    pub(super) fn paragraphs(&mut self, text: &str) {
        let all = text.split("\n\n").map(|it| it.trim_matches('\n'));
        for paragraph in all.filter(|it| !it.is_empty()) {
            if self.is_full {
                return;
            }
            self.open("<p>", "</p>");
            self.lines(paragraph);
            self.close();
        }
    }

    /// Returns an attribute of a tag.
    pub(super) fn attribute(&self, name: &str, value: &str) -> String {
        let mut value = value.replace(char::is_control, "");
        (self.hide)(&mut value);
        format!(" {name}=\"{}\"", escaped(&value))
    }

    /// Returns the page, and whether it is whole: not if it is full, or was cut before.
    pub(super) fn finish(mut self, was_cut: bool) -> (String, bool) {
        while !self.ends.is_empty() {
            self.close();
        }
        let is_whole = !was_cut && !self.is_full;
        if !is_whole {
            let note = escaped(self.note);
            self.out.extend(["<p>", &note, "</p>"]);
        }
        (self.out, is_whole)
    }

    fn fits(&self, more: usize) -> bool {
        !self.is_full && self.out.len() + self.ends_len + more <= self.max
    }
}

/// Returns what stands for a character that HTML would take for its own.
fn entity(character: char) -> Option<&'static str> {
    Some(match character {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&#39;",
        _ => return None,
    })
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match entity(character) {
            Some(entity) => out.push_str(entity),
            None => out.push(character),
        }
    }
    out
}

/// Returns a line whose runs of spaces, which HTML would show as one, are spaces that it keeps.
fn with_spaces(line: &str) -> String {
    const KEPT: char = '\u{a0}';
    let mut out = String::with_capacity(line.len());
    let mut last = ' ';
    for character in line.chars() {
        match character {
            ' ' if last == ' ' => out.push(KEPT),
            '\t' => out.extend([KEPT; 4]),
            it => out.push(it),
        }
        last = if character == '\t' { ' ' } else { character };
    }
    out
}
