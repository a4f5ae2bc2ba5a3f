//! Finding secrets in what bytes say in each encoding that counts: as they are, in the escapes of URLs,
//! JSON and HTML, in base64, in hex, in dumps. Each is read once, without being kept.

use super::PIECE;
use super::needles::{Needles, Stretch};
use super::units::find_in_units;

/// Digits whose places are known: sixteen bytes in hex.
const DIGITS: usize = 32;

/// The fewest hexadecimal digits of an address in a dump.
const ADDRESS: usize = 4;

/// The entities that HTML and XML need, without the ampersand.
const ENTITIES: [(&[u8], u8); 5] = [
    (b"amp;", b'&'),
    (b"lt;", b'<'),
    (b"gt;", b'>'),
    (b"quot;", b'"'),
    (b"apos;", b'\''),
];

/// A part of some bytes that says a secret. They are sorted by where they begin.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exposure {
    pub(super) begin: usize,
    pub(super) end: usize,
    /// Whether only the digits in it say it, in base64 or hex, and what stands around them does not.
    pub(super) in_digits: bool,
}

impl Exposure {
    /// Returns it with so many more bytes before it.
    pub(super) fn behind(self, bytes: usize) -> Self {
        Self {
            begin: bytes + self.begin,
            end: bytes + self.end,
            ..self
        }
    }
}

/// Finds all secrets in some bytes.
pub(super) fn find(needles: &Needles, bytes: &[u8]) -> Vec<Exposure> {
    let mut found = Vec::new();
    find_plain(needles, bytes, &mut found);
    let is_escaped = has_escapes(bytes);
    find_escaped(needles, bytes, u8::from(is_escaped), &mut found);
    if is_escaped && bytes.windows(3).any(|it| it == b"%25") {
        find_escaped(needles, bytes, 2, &mut found);
    }
    find_in_hex(needles, bytes, &mut found);
    find_in_units(needles, bytes, &mut found);
    find_in_dump(needles, bytes, &mut found);
    found.sort_unstable();
    found
}

/// The signs with which escapes begin.
pub(super) const ESCAPES: [u8; 3] = *b"%\\&";

/// Whether there are any signs with which escapes begin. Looks at eight bytes at once.
pub(super) fn has_escapes(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    // A byte's highest bit is set if it is zero, and perhaps in those behind one that is.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let [one, two, three] = ESCAPES.map(|sign| ONES * u64::from(sign));
    let (words, rest) = bytes.as_chunks();
    let is_there = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        (zeros(word ^ one) | zeros(word ^ two) | zeros(word ^ three)) & (ONES << 7) != 0
    };
    words.iter().any(is_there) || rest.iter().any(|byte| ESCAPES.contains(byte))
}

/// Returns the byte that an escape at the begin of these bytes says.
pub(super) fn escaped(bytes: &[u8]) -> Option<u8> {
    let (byte, _, end) = Unescaped::of_all(bytes, true).next()?;
    // Behind a backslash alone, only signs stand for themselves.
    let is_sign = byte.is_ascii_punctuation() || byte == b' ';
    (end > 2 || end == 2 && is_sign).then_some(byte)
}

/// The last sixteen bytes of what is decoded, and where each digit of them stands: `BITS` of a byte.
pub(super) struct DecodedStream<'a, const BITS: u32> {
    needles: &'a Needles,
    bits: u128,
    places: [usize; DIGITS],
    count: usize,
    /// The place of the stretch that was found last.
    last: usize,
}

impl<'a, const BITS: u32> DecodedStream<'a, BITS> {
    pub(super) fn of(needles: &'a Needles) -> Self {
        Self {
            needles,
            bits: 0,
            places: [0; DIGITS],
            count: 0,
            last: 0,
        }
    }

    /// Adds a digit; returns the stretch that ends in it, with its begin.
    pub(super) fn push(&mut self, digit: u8, place: usize) -> Option<(Stretch, usize)> {
        let before = self.bits >> (u128::BITS - BITS);
        self.bits = self.bits << BITS | u128::from(digit);
        self.places[self.count % DIGITS] = place;
        self.count += 1;
        // A byte ends within a digit of base64.
        let behind: &[u32] = if BITS == 6 { &[0, 2, 4] } else { &[0] };
        behind.iter().find_map(|behind| {
            let bits = match behind {
                0 => self.bits,
                _ => self.bits >> behind | before << (u128::BITS - behind),
            };
            // Before the first digit there are no spaces.
            let read = (self.count * BITS as usize - *behind as usize) / 8;
            let found = self.needles.at_end(bits, read, &mut self.last);
            let found = match found {
                None if BITS == 8 => self.needles.short_at_end(bits, read)?,
                found => found?,
            };
            let digits = (8 * found.size + *behind as usize).div_ceil(BITS as usize);
            Some((found, self.places[(self.count - digits) % DIGITS]))
        })
    }
}

/// Finds the secrets that stand there as they are.
pub(super) fn find_plain(needles: &Needles, bytes: &[u8], found: &mut Vec<Exposure>) {
    let mut stream = DecodedStream::<8>::of(needles);
    let mut wholes = needles.wholes();
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(begin) = wholes.as_mut().and_then(|it| it.push(*byte, at)) {
            mark(found, begin, at + 1, false);
        }
        if let Some((stretch, _)) = stream.push(*byte, at) {
            let shorter = || Some(needles.counted_at_end(stream.bits, at + 1)?.size);
            let size = needles.plain_size(stretch, &bytes[..=at]).or_else(shorter);
            let counts = |size: &usize| *size >= PIECE || is_word(bytes, at + 1 - size, at + 1);
            if let Some(size) = size.filter(counts) {
                mark(found, at + 1 - size, at + 1, false);
            }
        }
    }
}

/// Whether a part of a text is no part of a longer word: in one, a short secret stands by chance.
fn is_word(bytes: &[u8], begin: usize, end: usize) -> bool {
    let mut around = bytes[..begin].last().into_iter().chain(bytes.get(end));
    !around.any(u8::is_ascii_alphanumeric)
}

/// Stretches of one needle that follow each other.
struct StretchRun {
    begin: usize,
    /// The place of the last one.
    last: usize,
    /// Whether an escape is in one of them: then all of it counts.
    is_escaped: bool,
}

/// Finds the secrets in escapes, which may be encoded so many times, and in the base64 that they say.
fn find_escaped(needles: &Needles, bytes: &[u8], times: u8, found: &mut Vec<Exposure>) {
    let (mut plain, mut base64) = (
        DecodedStream::<8>::of(needles),
        DecodedStream::<6>::of(needles.encoded()),
    );
    let mut wholes = needles.wholes().filter(|_| times > 0);
    let mut run: Option<StretchRun> = None;
    for (byte, begin, end) in Unescaped::of_all(bytes, times > 1) {
        if times > 0 {
            let before = run.take();
            run = plain.push(byte, begin).map(|(stretch, from)| {
                let goes_on = before.filter(|before| before.last + 1 == plain.last);
                let is_escaped = end - from > stretch.size;
                StretchRun {
                    begin: goes_on
                        .as_ref()
                        .map_or(from, |before| before.begin.min(from)),
                    last: plain.last,
                    is_escaped: is_escaped || goes_on.is_some_and(|before| before.is_escaped),
                }
            });
        }
        if let Some(run) = run.as_ref().filter(|run| run.is_escaped) {
            mark(found, run.begin, end, false);
        }
        if let Some(begin) = wholes.as_mut().and_then(|it| it.push(byte, begin)) {
            mark(found, begin, end, false);
        }
        if let Some(digit) = base64_digit(byte)
            && let Some((_, from)) = base64.push(digit, begin)
        {
            mark(found, from, end, true);
        }
    }
}

/// Finds the secrets in hex, in whatever columns, lines and marks.
fn find_in_hex(needles: &Needles, bytes: &[u8], found: &mut Vec<Exposure>) {
    let mut stream = DecodedStream::<4>::of(needles.encoded());
    for (at, byte) in bytes.iter().enumerate() {
        let is_prefix = *byte == b'0' && matches!(bytes.get(at + 1), Some(b'x' | b'X'));
        if let Some(digit) = hex_digit(*byte).filter(|_| !is_prefix)
            && let Some((_, from)) = stream.push(digit, at)
        {
            mark(found, from, at + 1, true);
        }
    }
}

/// Finds the secrets in lines of an address, of words in hex, and of text that is not read.
fn find_in_dump(needles: &Needles, bytes: &[u8], found: &mut Vec<Exposure>) {
    let mut stream = DecodedStream::<4>::of(needles.encoded());
    let mut end = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut at = end;
        end += line.len() + 1;
        let mut words = line.split(|byte| *byte == b' ');
        let address = words.next().unwrap_or_default();
        at += address.len() + 1;
        let address = address.strip_suffix(b":").unwrap_or(address);
        if address.len() < ADDRESS || !address.iter().all(u8::is_ascii_hexdigit) {
            continue;
        }
        for word in words {
            if !matches!(word.len(), 0 | 2 | 4) || !word.iter().all(u8::is_ascii_hexdigit) {
                break;
            }
            for (place, digit) in word.iter().enumerate() {
                let digit = hex_digit(*digit).unwrap_or_default();
                if let Some((_, from)) = stream.push(digit, at + place) {
                    // With the text beside it.
                    mark(found, from, end - 1, false);
                }
            }
            at += word.len() + 1;
        }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' | b'A'..=b'F' => Some((byte | 0x20) - b'a' + 10),
        _ => None,
    }
}

fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Adds a part to those found before, of which it may touch the last.
pub(super) fn mark(found: &mut Vec<Exposure>, begin: usize, end: usize, in_digits: bool) {
    match found.last_mut() {
        Some(last) if last.in_digits == in_digits && (last.begin..=last.end).contains(&begin) => {
            last.end = last.end.max(end);
        }
        _ => found.push(Exposure {
            begin,
            end,
            in_digits,
        }),
    }
}

/// Bytes with their escapes decoded, each with its begin and end.
pub(super) struct Unescaped<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether the escapes of JSON and HTML count, too.
    all: bool,
    /// Whether percent signs may have been encoded themselves, as often as may be.
    twice: bool,
}

impl<'a> Unescaped<'a> {
    /// Decodes the escapes of URLs alone.
    pub(super) fn of_url(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            all: false,
            twice: false,
        }
    }

    /// Decodes the escapes of URLs, JSON and HTML.
    pub(super) fn of_all(bytes: &'a [u8], twice: bool) -> Self {
        Self {
            all: true,
            twice,
            ..Self::of_url(bytes)
        }
    }

    /// Returns the value of hexadecimal digits, if it is one byte.
    fn hex(&self, from: usize, digits: usize) -> Option<u8> {
        let digits = self.bytes.get(from..from + digits)?;
        let digit = |value: u32, byte: &u8| Some(value << 4 | u32::from(hex_digit(*byte)?));
        let value = digits.iter().try_fold(0, digit)?;
        u8::try_from(value).ok()
    }

    /// Returns what a percent sign says, and how many bytes that takes.
    fn percent(&self) -> Option<(u8, usize)> {
        let mut from = self.at + 1;
        if self.twice {
            while self.hex(from, 2) == Some(b'%') && self.hex(from + 2, 2).is_some() {
                from += 2;
            }
        }
        Some((self.hex(from, 2)?, from + 2 - self.at))
    }

    /// Returns what an entity of HTML says, and how many bytes it takes.
    fn entity(&self) -> Option<(u8, usize)> {
        let rest = &self.bytes[self.at + 1..];
        if let Some((name, byte)) = ENTITIES.iter().find(|it| rest.starts_with(it.0)) {
            return Some((*byte, 1 + name.len()));
        }
        let (from, radix) = match rest {
            [b'#', b'x' | b'X', ..] => (2, 16),
            [b'#', ..] => (1, 10),
            _ => return None,
        };
        let mut value = 0;
        for (at, byte) in rest.iter().enumerate().skip(from) {
            match char::from(*byte).to_digit(radix) {
                Some(digit) if value < 256 => value = radix * value + digit,
                None if *byte == b';' && at > from => {
                    return Some((u8::try_from(value).ok()?, at + 2));
                }
                _ => return None,
            }
        }
        None
    }
}

impl Iterator for Unescaped<'_> {
    type Item = (u8, usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let (at, byte) = (self.at, *self.bytes.get(self.at)?);
        let next = self.bytes.get(at + 1).filter(|_| self.all);
        let decoded = match (byte, next) {
            (b'%', _) => self.percent(),
            (b'&', Some(_)) => self.entity(),
            (b'\\', Some(b'u')) => self.hex(at + 2, 4).map(|it| (it, 6)),
            (b'\\', Some(b'x')) => self.hex(at + 2, 2).map(|it| (it, 4)),
            (b'\\', Some(b'n' | b'r' | b't')) => Some((b' ', 2)),
            (b'\\', Some(escaped)) => Some((*escaped, 2)),
            _ => None,
        };
        let (decoded, size) = decoded.unwrap_or((byte, 1));
        self.at = at + size;
        Some((decoded, at, self.at))
    }
}
