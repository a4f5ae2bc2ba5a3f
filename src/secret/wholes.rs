//! Finding texts that count only as a whole, with whatever white space in them: tokens of other servers.

use std::collections::VecDeque;

use super::needles::{BYTES, Filter, SPACES, low};

/// Texts of sixteen bytes or more.
pub(super) struct Wholes {
    texts: Vec<Vec<u8>>,
    /// How each of them ends, as a number, sorted.
    ends: Vec<u128>,
    filter: Filter,
    longest: usize,
}

/// What was read last, without its white space.
pub(super) struct WholeStream<'a> {
    wholes: &'a Wholes,
    bits: u128,
    /// As many bytes as the longest text has, each with its begin.
    read: VecDeque<(u8, usize)>,
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
        }
    }

    /// Adds a byte that begins there; returns where a text begins that it ends.
    pub(super) fn push(&mut self, byte: u8, begin: usize) -> Option<usize> {
        if byte.is_ascii_whitespace() {
            return None;
        }
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
                token.replace('/', "\\/").replace("XbV", "X bV"),
            ] {
                let mut text = format!("t={written}.");
                assert!(guard.hide(&mut text), "{written}");
                assert!(text.len() < 14, "{text}");
            }
        }
    }
}
