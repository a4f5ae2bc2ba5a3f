//! Finding many secrets in one pass, whose time does not grow with their number.
//!
//! Eight bytes in a row, in lower case, are one number. A filter knows the numbers that a secret
//! has; only what passes it is compared.

use std::cell::OnceCell;
use std::cmp::Reverse;

use super::PIECE;

/// Bits of the filter for each number in it. With four of them set, less than one other number in a
/// thousand passes.
const ROOM: usize = 32;

/// The least and the most bits of the filter, as powers of two.
const SIZES: (u32, u32) = (14, 21);

/// What counts of a text that is looked for.
#[derive(Clone, Copy)]
pub(super) enum Counts {
    /// Each run of so many bytes, eight or more.
    Pieces(usize),
    /// Only the whole.
    Whole,
}

impl Counts {
    /// How many bytes of a text are compared.
    fn size(self, text: &[u8]) -> usize {
        match self {
            Self::Pieces(size) => size.min(text.len()),
            Self::Whole => text.len(),
        }
    }
}

/// Texts that are looked for, in lower case.
pub(super) struct Needles {
    texts: Vec<(Vec<u8>, Counts)>,
    filter: Filter,
    /// Texts shorter than a piece.
    short: Vec<Vec<u8>>,
    /// Every number with its place in `texts` and the end of its bytes there, sorted. Made at the first
    /// one that passes the filter.
    numbers: OnceCell<Vec<(u64, usize, usize)>>,
}

/// Texts of which a file must not hold a whole one, whatever its case.
pub(super) struct FileNeedles {
    texts: Vec<Vec<u8>>,
    filter: Filter,
    /// Of so many places in a row, one is looked at: every text begins with that many numbers.
    step: usize,
    /// These numbers with their place in `texts` and in the text, sorted. Made at the first one that
    /// passes the filter.
    numbers: OnceCell<Vec<(u64, usize, usize)>>,
}

/// A set of numbers that never forgets one, and seldom takes another for one.
struct Filter {
    words: Vec<u64>,
    /// How many words it has, as a power of two.
    size: u32,
}

impl Needles {
    pub(super) fn new(texts: Vec<(Vec<u8>, Counts)>) -> Self {
        let (texts, short): (Vec<_>, _) =
            texts.into_iter().partition(|(text, _)| text.len() >= PIECE);
        let all = texts
            .iter()
            .map(|(text, counts)| text.len() + 1 - counts.size(text));
        let mut filter = Filter::for_numbers(all.sum());
        for (text, counts) in &texts {
            numbers(text, *counts).for_each(|number| filter.add(number));
        }
        Self {
            texts,
            filter,
            short: short.into_iter().map(|(text, _)| text).collect(),
            numbers: OnceCell::new(),
        }
    }

    /// The size of the longest text.
    pub(super) fn longest(&self) -> usize {
        let long = self.texts.iter().map(|(text, _)| text.len());
        long.max().unwrap_or(PIECE)
    }

    /// How many bytes are compared at most.
    pub(super) fn compared(&self) -> usize {
        let sizes = self.texts.iter().map(|(text, counts)| counts.size(text));
        sizes.max().unwrap_or(PIECE)
    }

    /// Returns the size of the longest that ends where these bytes do; `number` is that of the last
    /// eight.
    pub(super) fn at_end(&self, bytes: &[u8], number: u64) -> Option<usize> {
        let short = self.short.iter().filter(|text| ends(bytes, text));
        let short = short.map(Vec::len).max();
        self.long_at_end(bytes, number).max(short)
    }

    /// Whether one of at least a piece may end with the bytes of this number.
    pub(super) fn may_end(&self, number: u64) -> bool {
        self.filter.has(number)
    }

    /// As `at_end`, without those shorter than a piece.
    pub(super) fn long_at_end(&self, bytes: &[u8], number: u64) -> Option<usize> {
        if bytes.len() < PIECE || !self.filter.has(number) {
            return None;
        }
        let numbers = self.numbers.get_or_init(|| self.sorted());
        let from = numbers.partition_point(|(known, ..)| *known < number);
        let equal = numbers[from..].iter();
        let equal = equal.take_while(|(known, ..)| *known == number);
        let found = equal.filter_map(|(_, place, end)| {
            let (text, counts) = &self.texts[*place];
            let size = counts.size(text);
            ends(bytes, &text[end - size..*end]).then_some(size)
        });
        found.max()
    }

    fn sorted(&self) -> Vec<(u64, usize, usize)> {
        let places = self.texts.iter().enumerate();
        let all = places.flat_map(|(place, (text, counts))| {
            let ends = counts.size(text)..=text.len();
            ends.zip(numbers(text, *counts))
                .map(move |(end, number)| (number, place, end))
        });
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    }
}

impl FileNeedles {
    /// Each has at least eight bytes.
    pub(super) fn new(texts: impl Iterator<Item = Vec<u8>>) -> Self {
        let texts: Vec<_> = texts.collect();
        let shortest = texts.iter().map(Vec::len).min().unwrap_or(PIECE);
        let step = shortest.saturating_sub(PIECE) + 1;
        let mut filter = Filter::for_numbers(texts.len() * step);
        for text in &texts {
            let first = numbers(text, Counts::Pieces(PIECE)).take(step);
            first.for_each(|number| filter.add(number));
        }
        Self {
            texts,
            filter,
            step,
            numbers: OnceCell::new(),
        }
    }

    /// The size of the longest text.
    pub(super) fn longest(&self) -> usize {
        self.texts.iter().map(Vec::len).max().unwrap_or_default()
    }

    /// Returns where the first one begins in these bytes, and its size.
    pub(super) fn first(&self, bytes: &[u8]) -> Option<(usize, usize)> {
        if self.texts.is_empty() {
            return None;
        }
        let ends = (PIECE..=bytes.len()).step_by(self.step);
        ends.filter(|end| self.filter.has(number(&bytes[end - PIECE..*end])))
            .find_map(|end| self.around(bytes, end - PIECE))
    }

    /// Finds one whose first numbers include the one at `at`: the first to begin, and of these the
    /// longest.
    fn around(&self, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        let number = number(&bytes[at..at + PIECE]);
        let numbers = self.numbers.get_or_init(|| self.sorted());
        let from = numbers.partition_point(|(known, ..)| *known < number);
        let equal = numbers[from..].iter();
        let equal = equal.take_while(|(known, ..)| *known == number);
        let there = equal.filter_map(|(_, place, offset)| {
            let (begin, text) = (at.checked_sub(*offset)?, &self.texts[*place]);
            let there = bytes.get(begin..begin + text.len())?;
            let is_there = there.eq_ignore_ascii_case(text);
            is_there.then_some((begin, text.len()))
        });
        there.min_by_key(|(begin, size)| (*begin, Reverse(*size)))
    }

    fn sorted(&self) -> Vec<(u64, usize, usize)> {
        let places = self.texts.iter().enumerate();
        let all = places.flat_map(|(place, text)| {
            let first = numbers(text, Counts::Pieces(PIECE))
                .take(self.step)
                .enumerate();
            first.map(move |(offset, number)| (number, place, offset))
        });
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    }
}

impl Filter {
    fn for_numbers(count: usize) -> Self {
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

    fn add(&mut self, number: u64) {
        let (word, bits) = self.place(number);
        self.words[word] |= bits;
    }

    fn has(&self, number: u64) -> bool {
        let (word, bits) = self.place(number);
        self.words[word] & bits == bits
    }
}

/// The numbers by which a text of at least eight bytes is found.
fn numbers(text: &[u8], counts: Counts) -> impl Iterator<Item = u64> {
    let all = text.iter().scan(0, |number, byte| {
        *number = next(*number, *byte);
        Some(*number)
    });
    all.skip(counts.size(text) - 1)
}

/// The number of eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| next(number, *byte))
}

/// The number of the last eight bytes, after that of those before the last one.
pub(super) fn next(number: u64, byte: u8) -> u64 {
    number << 8 | u64::from(byte.to_ascii_lowercase())
}

/// Whether bytes end with a text, ignoring case.
fn ends(bytes: &[u8], text: &[u8]) -> bool {
    let from = bytes.len().checked_sub(text.len());
    from.is_some_and(|from| bytes[from..].eq_ignore_ascii_case(text))
}
