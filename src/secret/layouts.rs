//! Finding secrets in large files: every few bytes, a look tells whether any can be near, in one of
//! the layouts that programs write. Only there the bytes are decoded.

use std::cell::OnceCell;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::PIECE;
use super::decode::{ESCAPES, Exposure, Unescaped, escaped, find, find_plain, has_escapes};
use super::needles::{Filter, Needle, Needles, number};

/// The largest file that is decoded as a whole, in bytes.
const SMALL: usize = 64 << 10;

/// Of at most so many places in a row, one is looked at. A piece of sixteen bytes in base64, with a line
/// break in it, has more.
const STEP: usize = 4;

/// What stands around sixteen bytes in hex, at most.
const REACH: usize = 1024;

/// What stands around an escape among sixteen bytes, at most.
const ESCAPED: usize = 192;

/// In so many bytes at once, it is looked whether there are escapes.
const BLOCK: usize = 64;

/// The words of the bits for first bytes: 16 KiB.
const BEGINS: usize = 1 << 11;

/// What programs write before and behind a byte in hex.
const AROUND: [(&str, &str); 14] = [
    ("", ""),
    ("", " "),
    ("", ":"),
    ("", "-"),
    ("", ","),
    ("", "\n"),
    ("%", ""),
    ("%25", ""),
    ("\\x", ""),
    ("\\u00", ""),
    ("0x", ", "),
    ("0x", ","),
    ("0x", " "),
    ("&#x", ";"),
];

/// Texts of which a file must not hold a piece.
pub(super) struct FileNeedles {
    needles: Needles,
    texts: Vec<Vec<u8>>,
    /// Whether a text has a byte; small letters are the same as capital ones.
    said: [bool; 256],
    /// Made for the first large file.
    layouts: OnceCell<Layouts>,
}

/// Each eight bytes of each text in each layout, as a number.
struct Layouts {
    /// Of the first four bytes of each, one bit. It tells of most places that nothing is there, and fits
    /// into the nearest cache.
    begins: Box<[u64; BEGINS]>,
    filter: Filter,
    sorted: Vec<u64>,
}

impl FileNeedles {
    pub(super) fn new(needles: Vec<Needle>) -> Self {
        let texts: Vec<_> = needles.iter().map(|it| it.text.clone()).collect();
        let mut said = [false; 256];
        for byte in texts.iter().flatten() {
            said[usize::from(byte.to_ascii_lowercase())] = true;
        }
        Self {
            texts,
            said,
            needles: Needles::new(needles),
            layouts: OnceCell::new(),
        }
    }

    /// How far from each other the parts of one exposure may be, in bytes.
    pub(super) fn reach(&self) -> usize {
        self.needles.longest().max(REACH)
    }

    /// Finds all of them.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<Exposure> {
        if bytes.len() <= SMALL {
            return find(&self.needles, bytes);
        }
        let near = self.near(bytes);
        near.into_iter()
            .flat_map(|part| self.find_in(bytes, part))
            .collect()
    }

    /// Finds those that stand there as they are.
    pub(super) fn find_plain(&self, bytes: &[u8]) -> Vec<Exposure> {
        let mut found = Vec::new();
        if bytes.len() <= SMALL {
            find_plain(&self.needles, bytes, &mut found);
            return found;
        }
        for part in self.near(bytes) {
            let mut here = Vec::new();
            find_plain(&self.needles, &bytes[part.clone()], &mut here);
            found.extend(here.into_iter().map(|it| it.behind(part.start)));
        }
        found
    }

    /// Finds all of them in a file that has some, in every layout: a small piece of it, which is read as
    /// a whole, may have shown one that `find` does not know in the large file.
    pub(super) fn find_all(&self, bytes: &[u8]) -> Vec<Exposure> {
        let mut all = self.find(bytes);
        if bytes.len() > SMALL {
            let step = SMALL - self.reach().min(SMALL / 2);
            let begins = (0..bytes.len()).step_by(step);
            let pieces = begins.map(|begin| begin..bytes.len().min(begin + SMALL));
            all.extend(pieces.flat_map(|piece| self.find_in(bytes, piece)));
        }
        all
    }

    /// Finds all of them in a part of a file.
    fn find_in(&self, bytes: &[u8], part: Range<usize>) -> impl Iterator<Item = Exposure> {
        let found = find(&self.needles, &bytes[part.clone()]);
        found.into_iter().map(move |it| it.behind(part.start))
    }

    /// Returns the parts of a file in which there may be any.
    fn near(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut all = self.near_layouts(bytes);
        all.extend(self.near_escapes(bytes));
        all.sort_unstable_by_key(|part| part.start);
        let mut parts = Vec::new();
        for part in all {
            add(&mut parts, part);
        }
        parts
    }

    fn near_layouts(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let layouts = self.layouts();
        let reach = self.reach();
        let shortest = self.texts.iter().map(Vec::len).min().unwrap_or_default();
        let step = (shortest.saturating_sub(PIECE) / 2).clamp(1, STEP);
        let mut parts = Vec::new();
        for first in (0..STEP).filter(|first| first % step == 0 || step == 3) {
            let mut at = first;
            for four in bytes.get(first..).unwrap_or_default().as_chunks::<STEP>().0 {
                let (word, bit) = begin(*four);
                if layouts.begins[word] & bit != 0
                    && let Some(piece) = bytes[at..].first_chunk()
                    && layouts.has(number(*piece))
                {
                    add(&mut parts, around(at, reach, bytes));
                }
                at += STEP;
            }
        }
        parts
    }

    /// A text of which only some bytes are escaped has no layout: near escapes, it is looked what they say.
    fn near_escapes(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let layouts = self.layouts();
        let mut parts = Vec::new();
        for part in self.around_escapes(bytes) {
            let here = &bytes[part.clone()];
            let may_be_twice = here.windows(3).any(|it| it == b"%25");
            for twice in [false, true] {
                if twice && !may_be_twice {
                    continue;
                }
                let mut last = 0_u64;
                for (byte, begin, _) in Unescaped::of_all(here, twice) {
                    last = last << 8 | u64::from(byte);
                    if layouts.has(number(last.to_be_bytes())) {
                        add(&mut parts, around(part.start + begin, self.reach(), bytes));
                    }
                }
            }
        }
        parts
    }

    /// Returns the surroundings of each escape that says a byte of a text.
    fn around_escapes(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        for (block, begin) in bytes.chunks(BLOCK).zip((0..).step_by(BLOCK)) {
            if !has_escapes(block) || is_binary(block) {
                continue;
            }
            for at in (begin..).take(block.len()) {
                if ESCAPES.contains(&bytes[at])
                    && let Some(byte) = escaped(&bytes[at..])
                    && self.said[usize::from(byte.to_ascii_lowercase())]
                {
                    add(&mut parts, around(at, ESCAPED, bytes));
                }
            }
        }
        parts
    }

    fn layouts(&self) -> &Layouts {
        self.layouts.get_or_init(|| Layouts::of(&self.texts))
    }
}

/// Whether these bytes are of no text: nothing in them is escaped, and signs stand there by chance.
fn is_binary(block: &[u8]) -> bool {
    let is_control = |byte: &&u8| byte.is_ascii_control() && !b"\t\n\r\x1b".contains(byte);
    block.iter().filter(is_control).count() > 1
}

/// Returns what is so near to a place.
fn around(at: usize, reach: usize, bytes: &[u8]) -> Range<usize> {
    at.saturating_sub(reach)..bytes.len().min(at + reach)
}

/// Adds a part, or joins it with the last one.
fn add(parts: &mut Vec<Range<usize>>, part: Range<usize>) {
    match parts.last_mut() {
        Some(last) if (last.start..=last.end).contains(&part.start) => {
            *last = last.start.min(part.start)..last.end.max(part.end);
        }
        _ => parts.push(part),
    }
}

impl Layouts {
    fn of(texts: &[Vec<u8>]) -> Self {
        let mut sorted = Vec::new();
        for layout in texts.iter().flat_map(|text| laid_out(text)) {
            let pieces = layout.windows(PIECE).filter_map(<[u8]>::first_chunk);
            sorted.extend(pieces.map(|piece| number(*piece)));
        }
        sorted.sort_unstable();
        sorted.dedup();
        let mut filter = Filter::for_numbers(sorted.len());
        let mut begins = Box::new([0; BEGINS]);
        for number in &sorted {
            filter.add(*number);
            let [one, two, three, four, ..] = number.to_be_bytes();
            let (word, bit) = begin([one, two, three, four]);
            begins[word] |= bit;
        }
        Self {
            begins,
            filter,
            sorted,
        }
    }

    fn has(&self, number: u64) -> bool {
        self.filter.has(number) && self.sorted.binary_search(&number).is_ok()
    }
}

/// The place of four bytes, with which a number begins: a word, and its bit there.
fn begin(four: [u8; STEP]) -> (usize, u64) {
    let mixed = (u32::from_le_bytes(four) | 0x2020_2020).wrapping_mul(0x9e37_79b9);
    let place = mixed >> 15;
    ((place >> 6) as usize, 1 << (place & 63))
}

/// Returns a text as programs write it.
fn laid_out(text: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![text.to_vec()];
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        // The bytes before it in a group of three, and the digits that they affect.
        for (before, digits) in [(0, 0), (1, 2), (2, 3)] {
            let group = [&[0; 2][..before], text].concat();
            all.push(engine.encode(group).into_bytes().split_off(digits));
        }
    }
    let mut joined = |write: &dyn Fn(usize, u8) -> String| {
        let written = text.iter().enumerate();
        let written = written.map(|(at, byte)| write(at, *byte));
        all.push(written.collect::<String>().into_bytes());
    };
    for (before, behind) in AROUND {
        joined(&|_, byte| format!("{before}{byte:02x}{behind}"));
    }
    for odd in [0, 1] {
        joined(&|at, byte| format!("{byte:02x}{}", if at % 2 == odd { " " } else { "" }));
    }
    joined(&|_, byte| format!("&#{byte};"));
    all
}
