//! What a terminal shows of an output whose lines are written over, in memory that doesn't grow with it.
//!
//! Works on bytes, in any encoding in which a control character is one byte.

use super::{Cleaner, EscapeState, INPUT_MAX, Input, SEQUENCE_MAX, is_incomplete, is_invisible};

/// The bytes before the end of a line that a cursor moves back over.
const BACK_MAX: usize = 4096;

impl Input {
    /// Cleans a text as a terminal shows it at the end; all of it if all was erased.
    pub(crate) fn at_terminal(text: &[u8]) -> Self {
        let mut cleaner = Cleaner::default();
        cleaner.input.text.reserve_exact(text.len().min(INPUT_MAX));
        let mut line = TerminalLine::new(usize::MAX / 2);
        let mut ended = |line: &[u8]| {
            cleaner.decode(line, true);
            cleaner.take('\n');
        };
        line.take(text, &mut ended);
        line.take(b"\n", &mut ended);
        if !cleaner.input.cut {
            cleaner.input.text.pop();
        }
        drop(line);
        let shown = cleaner.finish();
        if shown.is_blank() {
            Self::from_bytes(text)
        } else {
            shown
        }
    }
}

/// The line that an output is writing.
#[derive(Debug)]
pub(crate) struct TerminalLine {
    /// The bytes that are kept of a line, up to thrice as many for a moment.
    max: usize,
    /// What it shows until something visible is written over it.
    before: Vec<u8>,
    /// What was written since the last return to its start.
    line: Vec<u8>,
    /// Where in `line` the next character goes.
    cursor: usize,
    place: EscapeState,
    /// The escape sequence so far.
    sequence: Vec<u8>,
    /// What was erased last, or the first control string: it is the text if there is no other.
    pub(crate) hidden: Vec<u8>,
    /// Whether the beginning of a line was dropped.
    pub(crate) cut: bool,
}

impl TerminalLine {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            before: Vec::new(),
            line: Vec::new(),
            cursor: 0,
            place: EscapeState::Text,
            sequence: Vec::new(),
            hidden: Vec::new(),
            cut: false,
        }
    }

    /// Takes more of the output; `ended` gets each line that it ends.
    pub(crate) fn take(&mut self, mut bytes: &[u8], ended: &mut dyn FnMut(&[u8])) {
        while let Some(first) = bytes.first() {
            let is_at_end = self.place == EscapeState::Text && self.cursor == self.line.len();
            // Looked for only where all up to it is taken at once.
            let control = is_at_end.then(|| bytes.iter().position(u8::is_ascii_control));
            let (text, rest) = bytes.split_at(control.map_or(0, |it| it.unwrap_or(bytes.len())));
            if text.is_empty() {
                self.add(*first, ended);
                bytes = &bytes[1..];
            } else if self.line.is_empty() && self.before.is_empty() && rest.first() == Some(&b'\n')
            {
                ended(unless_invisible(text));
                bytes = &rest[1..];
            } else {
                self.line.extend_from_slice(text);
                self.cursor = self.line.len();
                bytes = rest;
            }
            if self.line.len() > 2 * self.max {
                self.shorten();
            }
        }
    }

    /// Returns what the line shows now, with a control string that has not ended: it may be a text.
    pub(crate) fn shown(&self) -> Vec<u8> {
        let open = match self.place {
            EscapeState::Words => &*self.sequence,
            _ => b"",
        };
        [self.seen(), open].concat()
    }

    fn seen(&self) -> &[u8] {
        match unless_invisible(&self.line) {
            b"" => &self.before,
            line => line,
        }
    }

    fn add(&mut self, byte: u8, ended: &mut dyn FnMut(&[u8])) {
        let ascii = Some(byte).filter(u8::is_ascii);
        let character = ascii.map_or(char::REPLACEMENT_CHARACTER, char::from);
        if self.place == EscapeState::Words {
            return self.add_to_string(byte, ended);
        }
        if let Some(next) = self.place.next(character) {
            if self.sequence.len() < SEQUENCE_MAX {
                self.sequence.push(byte);
            }
            self.place = next;
            if next == EscapeState::Text {
                self.obey();
            }
            return;
        }
        self.place = EscapeState::Text;
        if !self.sequence.is_empty() {
            // Not a sequence: this is text.
            self.sequence.clear();
            return self.add(byte, ended);
        }
        match byte {
            b'\n' => {
                ended(self.seen());
                self.before.clear();
                self.line.clear();
                self.cursor = 0;
            }
            b'\r' => self.return_to_start(),
            b'\x08' => _ = self.go_back(),
            b'\t' => self.write(byte),
            _ if !byte.is_ascii_control() => self.write(byte),
            _ => {}
        }
    }

    /// Adds a byte to a control string, which is a text if it has no end.
    fn add_to_string(&mut self, byte: u8, ended: &mut dyn FnMut(&[u8])) {
        let is_end = byte == b'\x07' || byte == b'\\' && self.sequence.ends_with(b"\x1b");
        if byte == b'\n' || self.sequence.len() == SEQUENCE_MAX {
            self.line.append(&mut self.sequence);
            self.cursor = self.line.len();
            self.place = EscapeState::Text;
            return self.add(byte, ended);
        }
        self.sequence.push(byte);
        if is_end {
            self.place = EscapeState::Text;
            let string = std::mem::take(&mut self.sequence);
            if self.hidden.is_empty() {
                self.hidden = string;
            }
        }
    }

    /// Obeys what moves the cursor within its line, or erases. Source: ECMA-48.
    fn obey(&mut self) {
        let sequence = std::mem::take(&mut self.sequence);
        let Some((last, [b'\x1b', b'[', number @ ..])) = sequence.split_last() else {
            return;
        };
        let number = str::from_utf8(number).unwrap_or_default();
        match (last, number) {
            (b'G', "" | "0" | "1") => self.return_to_start(),
            (b'D', _) => {
                let count = number.parse().unwrap_or(1).clamp(1, BACK_MAX);
                // It costs no more than what was written, whatever the number.
                let _ = (0..count).all(|_| self.go_back());
            }
            (b'K' | b'J', "" | "0") if self.cursor > 0 => self.line.truncate(self.cursor),
            (b'K' | b'J', _) => {
                let seen = self.seen();
                if !seen.is_empty() {
                    self.hidden = seen.to_vec();
                }
                self.before.clear();
                self.line.clear();
                self.cursor = 0;
            }
            _ => {}
        }
    }

    fn return_to_start(&mut self) {
        if !without_invisible_end(&self.line).is_empty() {
            std::mem::swap(&mut self.before, &mut self.line);
        }
        self.line.clear();
        self.cursor = 0;
    }

    /// Moves the cursor over one character, of up to four bytes in UTF-8. Returns whether it moved.
    fn go_back(&mut self) -> bool {
        if self.cursor == 0 || self.line.len() - self.cursor >= BACK_MAX {
            return false;
        }
        let last = self.line[..self.cursor].iter().rev().take(4);
        let size = last.into_iter().position(|byte| !continues(*byte));
        self.cursor = self.cursor.saturating_sub(size.unwrap_or(0) + 1);
        if self.cursor == 0 {
            self.return_to_start();
        }
        true
    }

    /// Writes a byte at the cursor. What was behind it is gone: of a secret that is written over in its
    /// middle, two parts would be left that nobody finds.
    fn write(&mut self, byte: u8) {
        self.line.truncate(self.cursor);
        self.line.push(byte);
        self.cursor += 1;
    }

    /// Shortens the line to `max` bytes, whatever it holds: it has to grow as much before the next time.
    fn shorten(&mut self) {
        let size = self.line.len();
        // The rest of a character may come next.
        let begun = (1..4).find(|it| is_incomplete(&self.line[size.saturating_sub(*it)..]));
        let whole = size - begun.unwrap_or(0);
        let end = without_invisible_end(&self.line[..whole]).len();
        if end < whole {
            self.line.splice(end..whole, [b' ']);
            if self.cursor > end {
                self.cursor = self.line.len();
            }
        }
        let over = self.line.len().saturating_sub(self.max);
        self.cut |= over > 0;
        self.line.drain(..over);
        self.cursor = self.cursor.saturating_sub(over);
    }
}

/// Whether a byte is not the first of a character in UTF-8.
fn continues(byte: u8) -> bool {
    (0x80..0xc0).contains(&byte)
}

/// Returns a line, blanks at its end included, or nothing if all of it is invisible.
fn unless_invisible(line: &[u8]) -> &[u8] {
    match without_invisible_end(line) {
        b"" => b"",
        _ => line,
    }
}

/// Returns a line without what is invisible at its end.
fn without_invisible_end(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_end();
    match line.last() {
        Some(last) if !last.is_ascii() => {
            str::from_utf8(line).map_or(line, |text| text.trim_end_matches(is_invisible).as_bytes())
        }
        _ => line,
    }
}
