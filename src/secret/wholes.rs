//! Finding texts that count only as a whole, also where they are broken into lines: tokens of other servers.

use std::collections::VecDeque;

use super::needles::{BYTES, Filter, SPACES, low};

/// The fewest bytes of a line between others that goes on with a text: sentences have shorter words.
const LINE_MIN: usize = 16;

/// Texts of sixteen bytes or more.
pub(super) struct Wholes {
    texts: Vec<Vec<u8>>,
    /// How each of them ends, as a number, sorted.
    ends: Vec<u128>,
    filter: Filter,
    longest: usize,
}

/// What was read last, without its line breaks.
pub(super) struct WholeStream<'a> {
    wholes: &'a Wholes,
    bits: u128,
    /// As many bytes as the longest text has, each with its begin.
    read: VecDeque<(u8, usize)>,
    /// How many of them are of this line.
    of_line: usize,
    gap: Gap,
}

/// The white space behind what was read.
#[derive(PartialEq)]
enum Gap {
    None,
    Blank,
    /// With the indentation of the next line.
    LineBreak,
}

impl Wholes {
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Self {
        let fit = texts.filter(|text| text.len() >= BYTES);
        let texts: Vec<Vec<u8>> = fit.map(<[u8]>::to_vec).collect();
        let mut filter = Filter::for_numbers(texts.len());
        let mut ends: Vec<u128> = texts
            .iter()
            .filter_map(|text| Some(u128::from_be_bytes(*text.last_chunk()?) | SPACES))
            .inspect(|end| filter.add(low(*end)))
            .collect();
        ends.sort_unstable();
        Self {
            longest: texts.iter().map(Vec::len).max().unwrap_or_default(),
            texts,
            ends,
            filter,
        }
    }
}

impl<'a> WholeStream<'a> {
    pub(super) fn of(wholes: &'a Wholes) -> Self {
        Self {
            wholes,
            bits: 0,
            read: VecDeque::with_capacity(wholes.longest + 1),
            of_line: 0,
            gap: Gap::None,
        }
    }

    /// Adds a byte that begins there; returns where a text begins that it ends.
    pub(super) fn push(&mut self, byte: u8, begin: usize) -> Option<usize> {
        match byte {
            b'\n' | b'\r' => self.gap = Gap::LineBreak,
            b' ' | b'\t' if self.gap == Gap::None => self.gap = Gap::Blank,
            b' ' | b'\t' => {}
            _ => return self.push_visible(byte, begin),
        }
        None
    }

    fn push_visible(&mut self, byte: u8, begin: usize) -> Option<usize> {
        match std::mem::replace(&mut self.gap, Gap::None) {
            Gap::None => {}
            Gap::Blank => {
                self.read.clear();
                self.of_line = 0;
            }
            Gap::LineBreak => {
                if self.of_line < LINE_MIN {
                    // It goes on with nothing before it.
                    let before = self.read.len().saturating_sub(self.of_line);
                    self.read.drain(..before);
                }
                self.of_line = 0;
            }
        }
        self.of_line += 1;
        let Wholes {
            texts,
            ends,
            filter,
            longest,
        } = self.wholes;
        self.bits = self.bits << 8 | u128::from(byte);
        self.read.push_back((byte, begin));
        if self.read.len() > *longest {
            self.read.pop_front();
        }
        let bits = self.bits | SPACES;
        if !filter.has(low(bits)) || ends.binary_search(&bits).is_err() {
            return None;
        }
        texts.iter().find_map(|text| {
            let from = self.read.len().checked_sub(text.len())?;
            let mut pairs = self.read.range(from..).zip(text);
            let is_it = pairs.all(|((read, _), byte)| read.eq_ignore_ascii_case(byte));
            is_it.then(|| self.read[from].1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Redactor, Secret};

    #[test]
    fn tokens_that_begin_alike_are_hidden_as_wholes_however_they_are_written() {
        let head = "eyJhbGciOiJIUzI1NiIsInR5cCI6/kpXVCJ9.";
        let token = format!("{head}zQm7XbV4nR2yLc8/KdPf3Tg6Hu");
        let other = format!("{head}qWx1Zm9Tb/5Rk2Ld8Vc4Yg7Js");
        for is_own in [false, true] {
            let mut guard = Redactor::default();
            guard.add_granted(&Secret::new(&*other), is_own);
            guard.add_granted(&Secret::new(&*token), false);
            for written in [
                token.clone(),
                token.replace('/', "\\/"),
                token.replace('/', "%2F"),
                token.replace("XbV", "X\nbV"),
                token.replace('/', "\\/").replace("XbV", "X\r\n  bV"),
            ] {
                let mut text = format!("t={written}.");
                assert!(guard.hide(&mut text), "{written}");
                assert!(text.len() < 14, "{text}");
            }
        }
    }

    #[test]
    fn a_sentence_is_no_token_without_its_blanks() {
        let text = "A DegradedArray event had been detected on md device /dev/md/0.";
        let mut guard = Redactor::default();
        guard.add_granted(&Secret::new(text.replace(' ', "")), false);
        for text in [text.to_owned(), text.replace(' ', "\n")] {
            assert!(!guard.hide(&mut text.clone()), "{text}");
        }
    }

    #[test]
    fn a_whole_one_is_found_where_it_was_taken_for_utf_16() {
        let token = "zQm7XbV4nR2yLc8/KdPf3Tg6HuWx1Zm9Tb5Rk2Ld8V";
        let mut guard = Redactor::default();
        guard.add_granted(&Secret::new(token), false);
        let units = token.as_bytes().chunks_exact(2);
        let units = units.map(|it| u16::from_le_bytes([it[0], it[1]]));
        let mut text = String::from_utf16(&units.collect::<Vec<_>>()).unwrap();
        assert!(guard.hide(&mut text), "{text}");
    }
}
