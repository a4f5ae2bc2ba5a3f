//! Finding many secrets in one pass, whose time depends neither on their number nor on what they are.
//!
//! Up to sixteen bytes in a row are one number. A filter knows those that a secret has; only what passes
//! it is looked up.

use std::cell::OnceCell;

use super::PIECE;
use super::wholes::{WholeStream, Wholes};

/// The most bytes of a number.
pub(super) const BYTES: usize = 16;

/// Set in every byte: small letters are the same as capital ones, and a zero as a space.
pub(super) const SPACES: u128 = u128::from_be_bytes([b' '; BYTES]);

/// Bits of the filter for each number in it. With four of them set, one other number in four thousand
/// passes.
const ROOM: usize = 64;

/// The least and the most bits of the filter, as powers of two.
const SIZES: (u32, u32) = (14, 21);

/// A text that is looked for.
#[derive(Clone)]
pub(super) struct Needle {
    pub(super) text: Vec<u8>,
    /// Each run of so many bytes counts, at most sixteen.
    pub(super) size: usize,
    /// Whether it counts only as a whole where it is not encoded.
    pub(super) whole: bool,
    /// Whether another server chose it: one that counts as a whole does so in escapes, too, and however it
    /// is broken into lines.
    pub(super) granted: bool,
}

/// A run of bytes of a needle, which counts.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    number: u128,
    /// How many bytes it has.
    pub(super) size: usize,
    /// The place of its needle.
    needle: usize,
}

/// Texts that are looked for, but for those that another server chose.
pub(super) struct Needles {
    texts: Vec<Needle>,
    /// Where each of them would end if all stood in a row. A stretch is known by the place of its last
    /// byte in it.
    ends: Vec<usize>,
    /// The stretches shorter than a piece.
    short: Vec<Stretch>,
    filter: Filter,
    /// The sizes of the others.
    sizes: Vec<usize>,
    /// The last byte of each different stretch, sorted: one for each, so that a text that repeats itself
    /// costs no more. Made at the first number that passes the filter.
    sorted: OnceCell<Vec<usize>>,
    granted: Option<Box<Granted>>,
}

/// What other servers chose.
struct Granted {
    wholes: Wholes,
    /// These texts and the others: where they are encoded, pieces of all count.
    encoded: Needles,
}

/// A set of numbers that never forgets one, and seldom takes another for one.
pub(super) struct Filter {
    words: Vec<u64>,
    /// How many words it has, as a power of two.
    size: u32,
}

impl Needle {
    /// How many bytes of a run count.
    fn run(&self) -> usize {
        self.size.min(self.text.len()).min(BYTES)
    }
}

impl Needles {
    pub(super) fn new(texts: Vec<Needle>) -> Self {
        let is_whole = |it: &Needle| it.whole && it.granted;
        if !texts.iter().any(is_whole) {
            return Self::of(texts);
        }
        let wholes = texts.iter().filter(|it| is_whole(it));
        let wholes = Wholes::new(wholes.map(|it| &*it.text));
        let counted = texts.iter().filter(|it| !is_whole(it)).cloned();
        let counted = Self::of(counted.collect());
        let encoded = Self::of(texts);
        Self {
            granted: Some(Box::new(Granted { wholes, encoded })),
            ..counted
        }
    }

    /// Returns what is looked for in base64 and hex.
    pub(super) fn encoded(&self) -> &Self {
        self.granted.as_ref().map_or(self, |it| &it.encoded)
    }

    /// Returns what counts as a whole, and may have white space in it.
    pub(super) fn wholes(&self) -> Option<WholeStream<'_>> {
        let granted = self.granted.as_ref()?;
        Some(WholeStream::of(&granted.wholes))
    }

    fn of(texts: Vec<Needle>) -> Self {
        let sum = |sum: &mut usize, it: &Needle| {
            *sum += it.text.len();
            Some(*sum)
        };
        let ends: Vec<_> = texts.iter().scan(0, sum).collect();
        let mut filter = Filter::for_numbers(ends.last().copied().unwrap_or_default());
        let (mut short, mut sizes) = (Vec::new(), Vec::new());
        for (needle, it) in texts.iter().enumerate() {
            let size = it.run();
            let mut bits = 0;
            for (at, byte) in it.text.iter().enumerate() {
                bits = bits << 8 | u128::from(*byte);
                if at + 1 < size {
                    continue;
                }
                let number = last_of(bits | SPACES, size);
                if size < PIECE {
                    short.push(Stretch {
                        number,
                        size,
                        needle,
                    });
                } else {
                    filter.add(low(number));
                }
            }
            if size >= PIECE && !sizes.contains(&size) {
                sizes.push(size);
            }
        }
        sizes.sort_unstable();
        Self {
            texts,
            ends,
            short,
            filter,
            sizes,
            sorted: OnceCell::new(),
            granted: None,
        }
    }

    /// Returns the stretch whose last byte is there, if it has a piece or more.
    fn stretch(&self, last: usize) -> Option<Stretch> {
        let needle = self.ends.partition_point(|end| *end <= last);
        let it = self.texts.get(needle)?;
        let size = it.run();
        let behind = self.ends[needle] - last - 1;
        let end = it.text.len() - behind;
        if size < PIECE || end < size {
            return None;
        }
        let bits = |bits, byte: &u8| bits << 8 | u128::from(*byte);
        let bits = it.text[end - size..end].iter().fold(0, bits);
        Some(Stretch {
            number: last_of(bits | SPACES, size),
            size,
            needle,
        })
    }

    /// Returns the longest stretch that ends with these bits, of which so many bytes were read. `last` is
    /// the place of the one found before: the next one is probably this one.
    pub(super) fn at_end(&self, bits: u128, read: usize, last: &mut usize) -> Option<Stretch> {
        let bits = bits | SPACES;
        if !self.filter.has(low(bits)) {
            return None;
        }
        if let Some(next) = self.stretch(*last + 1)
            && next.size <= read
            && last_of(bits, next.size) == next.number
        {
            *last += 1;
            return Some(next);
        }
        let sorted = self.sorted.get_or_init(|| self.sorted());
        let mut fit = self.sizes.iter().rev().filter(|size| **size <= read);
        *last = fit.find_map(|size| self.known(sorted, *size, bits))?;
        self.stretch(*last)
    }

    /// Returns the longest stretch at the end of so many bytes that counts although nothing is encoded,
    /// if `at_end` has found one that doesn't.
    pub(super) fn counted_at_end(&self, bits: u128, read: usize) -> Option<Stretch> {
        let sorted = self.sorted.get_or_init(|| self.sorted());
        // Of equal ones, one that counts comes first.
        let counted = |size: &usize| {
            let last = self.known(sorted, *size, bits | SPACES)?;
            self.stretch(last).filter(|it| !self.texts[it.needle].whole)
        };
        let mut fit = self.sizes.iter().rev().filter(|size| **size <= read);
        fit.find_map(counted)
    }

    /// Returns the place of the stretch that these bits end with.
    fn known(&self, sorted: &[usize], size: usize, bits: u128) -> Option<usize> {
        let key = (size, last_of(bits, size));
        let key_at = |at: &usize| self.stretch(*at).map(|it| (it.size, it.number));
        let found = sorted.binary_search_by_key(&Some(key), key_at);
        found.ok().map(|at| sorted[at])
    }

    /// As `at_end`, of those shorter than a piece.
    pub(super) fn short_at_end(&self, bits: u128, read: usize) -> Option<Stretch> {
        let bits = bits | SPACES;
        let there = self.short.iter().copied();
        there
            .filter(|it| it.size <= read && last_of(bits, it.size) == it.number)
            .max_by_key(|it| it.size)
    }

    /// Returns how many of these bytes, with which a stretch ends, count although nothing is encoded.
    pub(super) fn plain_size(&self, stretch: Stretch, bytes: &[u8]) -> Option<usize> {
        if !self.texts[stretch.needle].whole {
            return Some(stretch.size);
        }
        // Another one may have the same stretch.
        let wholes = self.texts.iter().filter(|it| it.whole);
        let there = wholes.filter(|it| {
            let from = bytes.len().checked_sub(it.text.len());
            from.is_some_and(|from| bytes[from..].eq_ignore_ascii_case(&it.text))
        });
        there.map(|it| it.text.len()).max()
    }

    /// The size of the longest text.
    pub(super) fn longest(&self) -> usize {
        let sizes = self.encoded().texts.iter().map(|it| it.text.len());
        sizes.max().unwrap_or_default()
    }

    fn sorted(&self) -> Vec<usize> {
        let all = 0..self.ends.last().copied().unwrap_or_default();
        let mut sorted: Vec<_> = all
            .filter_map(|last| {
                let it = self.stretch(last)?;
                Some(((it.size, it.number), self.texts[it.needle].whole, last))
            })
            .collect();
        sorted.sort_unstable();
        sorted.dedup_by_key(|(key, ..)| *key);
        sorted.into_iter().map(|(.., last)| last).collect()
    }
}

impl Filter {
    pub(super) fn for_numbers(count: usize) -> Self {
        let size = (count * ROOM).next_power_of_two().trailing_zeros();
        let size = size.clamp(SIZES.0, SIZES.1) - u64::BITS.trailing_zeros();
        Self {
            words: vec![0; 1 << size],
            size,
        }
    }

    /// The place of a number: a word, and its bits there.
    fn place(&self, number: u64) -> (usize, u64) {
        // Multiplied by the golden ratio, neighbours are far from each other.
        let mixed = (number ^ number >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bit = |from: u32| 1 << (mixed >> from & 63);
        // Less than 2^15.
        let word = usize::try_from(mixed >> (u64::BITS - self.size)).unwrap_or_default();
        (word, bit(43) | bit(37) | bit(31) | bit(25))
    }

    pub(super) fn add(&mut self, number: u64) {
        let (word, bits) = self.place(number);
        self.words[word] |= bits;
    }

    pub(super) fn has(&self, number: u64) -> bool {
        let (word, bits) = self.place(number);
        self.words[word] & bits == bits
    }
}

/// The number of eight bytes in a file.
pub(super) fn number(bytes: [u8; PIECE]) -> u64 {
    u64::from_be_bytes(bytes) | low(SPACES)
}

/// The bits of so many bytes at the end, from one to sixteen.
fn last_of(bits: u128, size: usize) -> u128 {
    bits & (u128::MAX >> (8 * (BYTES - size)))
}

/// The bits of the last eight bytes.
pub(super) fn low(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_repeats_itself_has_few_different_stretches() {
        for (text, different) in [("a".repeat(512), 1), ("abc".repeat(99), 3)] {
            let needle = |size| Needle {
                text: text.clone().into_bytes(),
                size,
                whole: false,
                granted: false,
            };
            assert_eq!(Needles::new(vec![needle(8)]).sorted().len(), different);
            let both = Needles::new(vec![needle(16), needle(16), needle(8)]);
            assert_eq!(both.sorted().len(), 2 * different);
        }
    }
}
