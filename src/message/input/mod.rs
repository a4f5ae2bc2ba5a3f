//! Cleans input to UTF-8 without escape sequences and control characters.
//!
//! Works on a stream, so that an input of any size is in memory only once, and clean. Control
//! characters must be removed before WeCom sees them: JSON would encode them as `\u00XX`, which
//! WeCom refuses (errcode 40033).

pub(crate) mod terminal;

use std::io::{self, Read};

use super::encoding::Encoding;

/// The most bytes of clean text that are kept: the size of WeCom's largest file.
/// Source: developer.work.weixin.qq.com/document/path/90253.
pub(crate) const INPUT_MAX: usize = 20 << 20;

/// The most memory, in bytes, that is kept free for sending a long text.
const SPARE: usize = 6 << 20;

/// The longest control string, in bytes; a longer one is treated as text.
const SEQUENCE_MAX: usize = 4096;

/// Clean input, and the losses of cleaning.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// The text, without one trailing newline.
    pub(crate) text: String,
    /// The number of invalid sequences that became U+FFFD.
    pub(crate) replaced: usize,
    /// Whether the input was longer than `INPUT_MAX`.
    pub(crate) cut: bool,
}

impl Input {
    /// Cleans a text in memory.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self::from_reader(bytes).expect("a slice can always be read")
    }

    /// Reads and cleans input to its end, or to `INPUT_MAX`.
    ///
    /// # Errors
    /// Any error of the reader except `Interrupted`, or `OutOfMemory`.
    pub(crate) fn from_reader(mut reader: impl Read) -> io::Result<Self> {
        let mut cleaner = Cleaner::default();
        // Most input is short, and a larger buffer would be cleared in vain.
        let mut buffer = vec![0; 1 << 10];
        let mut pending = 0;
        while !cleaner.input.cut {
            let read = match reader.read(&mut buffer[pending..]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let filled = pending + read;
            // An invalid byte becomes three bytes.
            make_room(&mut cleaner.input.text, 3 * filled)?;
            let used = cleaner.decode(&buffer[..filled], read == 0);
            if read == 0 {
                break;
            }
            buffer.copy_within(used..filled, 0);
            pending = filled - used;
            if filled == buffer.len() {
                buffer.resize(64 << 10, 0);
            }
        }
        cleaner.release();
        if cleaner.input.is_blank() {
            cleaner.reveal();
        }
        Ok(cleaner.finish())
    }

    /// Reads and cleans input in an encoding, UTF-8 if none is given.
    ///
    /// # Errors
    /// As `from_reader`.
    pub(crate) fn decoded(reader: impl Read, encoding: Option<Encoding>) -> io::Result<Self> {
        let Some(encoding) = encoding else {
            return Self::from_reader(reader);
        };
        let mut reader = encoding.reader(reader);
        let input = Self::from_reader(&mut reader)?;
        Ok(Self {
            replaced: reader.replaced(),
            ..input
        })
    }

    /// Whether nothing in it is visible.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// Reserves `more` bytes. A text that grows by itself would abort if memory runs out.
fn make_room(text: &mut String, more: usize) -> io::Result<()> {
    if text.capacity() - text.len() >= more {
        return Ok(());
    }
    let made = text.try_reserve(more);
    let made = made.or_else(|_| text.try_reserve_exact(more));
    // Enough memory must be left for sending the text.
    let mut spare = Vec::<u8>::new();
    let made = made.and_then(|()| spare.try_reserve_exact(text.len().min(SPARE)));
    std::hint::black_box(&spare);
    made.map_err(|_| io::ErrorKind::OutOfMemory.into())
}

/// Interprets `\n`, `\t` and `\\`. Other backslashes are kept.
pub(crate) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter().copied().peekable();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let meant = match (byte, bytes.peek()) {
            (b'\\', Some(b'n')) => Some(b'\n'),
            (b'\\', Some(b't')) => Some(b'\t'),
            (b'\\', Some(b'\\')) => Some(b'\\'),
            _ => None,
        };
        if meant.is_some() {
            bytes.next();
        }
        out.push(meant.unwrap_or(byte));
    }
    out
}

/// Cleans a title or prefix, and joins its lines.
pub(crate) fn one_line(text: &str) -> String {
    Input::from_bytes(text.as_bytes()).text.replace('\n', " ")
}

/// Whether a character is a control character, a line separator, or a change of writing direction.
pub(crate) fn hides(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}'
        )
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character shows nothing, not even in a text.
pub(crate) fn is_invisible(character: char) -> bool {
    let has_no_ink = matches!(
        character,
        '\u{ad}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{2060}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
    );
    let joins = matches!(character, '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    // Of mathematics, old layouts, notes and music; tags and more variants.
    let is_format = matches!(
        character,
        '\u{34f}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{2061}'..='\u{2064}'
            | '\u{206a}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    has_no_ink || is_format || joins || character.is_whitespace() || hides(character)
}

/// The position within an escape sequence (ECMA-48).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum EscapeState {
    #[default]
    Text,
    /// After ESC and any intermediate bytes.
    Escape,
    /// Within `ESC [`, up to its final byte.
    Control,
    /// Within a control string: from `ESC ]`, `ESC P`, `ESC X`, `ESC ^` or `ESC _` to BEL or
    /// `ESC \`.
    Words,
}

impl EscapeState {
    /// Returns the position after a character; `None` if it is text. Control strings end otherwise.
    fn next(self, character: char) -> Option<Self> {
        Some(match (self, character) {
            (Self::Text, '\u{1b}') => Self::Escape,
            (Self::Text, '\u{9b}') | (Self::Escape, '[') => Self::Control,
            (Self::Escape, ']' | 'P' | 'X' | '^' | '_') => Self::Words,
            (Self::Escape, ' '..='/') => Self::Escape,
            (Self::Control, ' '..='?') => Self::Control,
            (Self::Escape, '0'..='~') | (Self::Control, '@'..='~') => Self::Text,
            _ => return None,
        })
    }
}

#[derive(Default)]
struct Cleaner {
    input: Input,
    begun: bool,
    after_cr: bool,
    place: EscapeState,
    /// The control string so far. It is text if it never ends.
    held: String,
    /// The first control strings: they are the text if there is no other.
    dropped: String,
}

impl Cleaner {
    /// Takes bytes; returns the number used, since the last character may be incomplete.
    fn decode(&mut self, bytes: &[u8], last: bool) -> usize {
        let mut used = 0;
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|it| self.take(it));
            used += chunk.valid().len();
            let invalid = chunk.invalid();
            let is_end = used + invalid.len() == bytes.len();
            if invalid.is_empty() || is_end && !last && is_incomplete(invalid) {
                break;
            }
            used += invalid.len();
            self.input.replaced += 1;
            self.take(char::REPLACEMENT_CHARACTER);
        }
        used
    }

    fn take(&mut self, character: char) {
        let first = !std::mem::replace(&mut self.begun, true);
        if first && character == '\u{feff}' {
            return;
        }
        self.place = match (self.place, self.place.next(character)) {
            (EscapeState::Words, _) if ends_string(&self.held, character) => {
                self.drop_held();
                EscapeState::Text
            }
            (EscapeState::Words, _) => self.hold(character),
            (_, Some(next)) => next,
            (EscapeState::Text, None) => self.text(character),
            // Not a sequence: this is text.
            (_, None) => {
                self.place = EscapeState::Text;
                return self.take(character);
            }
        };
    }

    /// Adds a character to the control string, or ends it as text.
    fn hold(&mut self, character: char) -> EscapeState {
        self.held.push(character);
        if character != '\n' && self.held.len() < SEQUENCE_MAX {
            return EscapeState::Words;
        }
        self.release();
        EscapeState::Text
    }

    /// Drops the control string, without the number of what it is for: `0;title`.
    fn drop_held(&mut self) {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let words = match self.held.split_once(';') {
            Some((number, words)) if is_number(number) => words,
            _ => &self.held,
        };
        if self.dropped.len() + words.len() < SEQUENCE_MAX {
            self.dropped.push_str(words);
            self.dropped.push('\n');
        }
        self.held.clear();
    }

    /// Makes text of the control strings.
    fn reveal(&mut self) {
        for character in std::mem::take(&mut self.dropped).chars() {
            self.text(character);
        }
    }

    fn release(&mut self) {
        for character in std::mem::take(&mut self.held).chars() {
            self.text(character);
        }
    }

    /// Takes a character outside any sequence.
    fn text(&mut self, character: char) -> EscapeState {
        // A lone CR becomes a newline. Before a newline it is dropped.
        if std::mem::replace(&mut self.after_cr, character == '\r') && character != '\n' {
            self.push('\n');
        }
        if matches!(character, '\n' | '\t') || !character.is_control() {
            self.push(character);
        }
        EscapeState::Text
    }

    fn push(&mut self, character: char) {
        // Once a character has no room, nothing after it is added, however small.
        if self.input.cut || self.input.text.len() + character.len_utf8() > INPUT_MAX {
            self.input.cut = true;
        } else {
            self.input.text.push(character);
        }
    }

    fn finish(mut self) -> Input {
        self.release();
        if self.after_cr {
            self.push('\n');
        }
        if self.input.text.ends_with('\n') {
            self.input.text.pop();
        }
        self.input
    }
}

/// Whether bytes are the start of a character.
pub(crate) fn is_incomplete(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// Whether `character` ends the control string `held`.
fn ends_string(held: &str, character: char) -> bool {
    match character {
        '\u{7}' | '\u{9c}' => true,
        '\\' => held.ends_with('\u{1b}'),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
