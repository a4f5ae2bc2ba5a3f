//! Finding secrets in large files: every few bytes, a look tells whether any can be near, in one of
//! the layouts that programs write. Only there the bytes are decoded.

use std::cell::OnceCell;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::PIECE;
use super::decode::{Exposure, find};
use super::needles::{Filter, Needle, Needles, number};

/// The largest file that is decoded as a whole, in bytes.
const SMALL: usize = 64 << 10;

/// Of at most so many places in a row, one is looked at. A piece of sixteen bytes in base64, with a line
/// break in it, has more.
const STEP: usize = 4;

/// What stands around sixteen bytes in hex, at most.
const REACH: usize = 1024;

/// What programs write before and behind a byte in hex.
const AROUND: [(&str, &str); 9] = [
    ("", ""),
    ("", " "),
    ("", ":"),
    ("%", ""),
    ("%25", ""),
    ("\\x", ""),
    ("\\u00", ""),
    ("0x", ", "),
    ("&#x", ";"),
];

/// Texts of which a file must not hold a piece.
pub(super) struct FileNeedles {
    needles: Needles,
    texts: Vec<Vec<u8>>,
    /// Made for the first large file.
    layouts: OnceCell<Layouts>,
}

/// Each eight bytes of each text in each layout, as a number.
struct Layouts {
    filter: Filter,
    sorted: Vec<u64>,
}

impl FileNeedles {
    pub(super) fn new(needles: Vec<Needle>) -> Self {
        Self {
            texts: needles.iter().map(|it| it.text.clone()).collect(),
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
        let mut all = Vec::new();
        for near in self.near(bytes) {
            let found = find(&self.needles, &bytes[near.clone()]);
            all.extend(found.into_iter().map(|it| Exposure {
                begin: near.start + it.begin,
                end: near.start + it.end,
                ..it
            }));
        }
        all
    }

    /// Returns the parts of a file in which there may be any.
    fn near(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let layouts = self.layouts.get_or_init(|| Layouts::of(&self.texts));
        let reach = self.reach();
        let shortest = self.texts.iter().map(Vec::len).min().unwrap_or_default();
        let step = (shortest.saturating_sub(PIECE) / 2).clamp(1, STEP);
        let mut parts: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        while let Some(piece) = bytes[at..].first_chunk() {
            if layouts.has(number(*piece)) {
                let end = bytes.len().min(at + reach);
                match parts.last_mut() {
                    Some(last) if last.end + reach >= at => last.end = end,
                    _ => parts.push(at.saturating_sub(reach)..end),
                }
            }
            at += step;
        }
        parts
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
        for number in &sorted {
            filter.add(*number);
        }
        Self { filter, sorted }
    }

    fn has(&self, number: u64) -> bool {
        self.filter.has(number) && self.sorted.binary_search(&number).is_ok()
    }
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
