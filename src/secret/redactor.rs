//! Hiding secrets in texts, in time and memory that do not grow faster than the text.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::needles::{Counts, FileNeedles, Needles, next};
use super::{PIECE, Secret, hex};

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "[hidden]";

/// Decoded bytes that are kept at once, besides those that a secret may have begun in.
const DECODED: usize = 4096;

/// Most bytes of a text for one byte in hex that are looked at, with what stands around it.
const HEX_WIDTH: usize = 32;

/// Hides secrets in texts: plain, and encoded as URLs, JSON, base64 and hex do.
///
/// What it looks for is made at the first text that is long enough to hold a secret: most have
/// none, and making it takes longer than looking.
#[derive(Default)]
pub(crate) struct Redactor {
    /// Each with the size of its pieces, which count as well; a shorter one counts as a whole.
    secrets: BTreeMap<Secret, usize>,
    /// Those of them that a server has chosen.
    granted: BTreeSet<Secret>,
    in_texts: OnceCell<Needles>,
    in_files: OnceCell<FileNeedles>,
}

impl Redactor {
    /// Adds a secret that a server was sent: every run of eight characters of it is hidden, a shorter
    /// one as a whole.
    pub(crate) fn add(&mut self, secret: &Secret) {
        self.add_whole_below(secret, PIECE);
    }

    /// Adds a secret that must not be in a message. What has fewer than eight characters may be there
    /// by chance. Pieces have sixteen: those of eight could be guessed, since who reads a message sees
    /// what is hidden in it.
    pub(crate) fn add_for_messages(&mut self, secret: &Secret) {
        if secret.0.len() >= PIECE {
            self.add_whole_below(secret, 2 * PIECE);
        }
    }

    /// Adds a token that must not be in a message.
    pub(crate) fn add_granted(&mut self, token: &Secret) {
        self.add_for_messages(token);
        self.granted.insert(token.clone());
    }

    /// Adds a password that must not be in a message. Pieces of it may be ordinary words.
    pub(crate) fn add_password(&mut self, password: &Secret) {
        if password.0.len() >= PIECE {
            self.add_whole_below(password, usize::MAX);
        }
    }

    fn add_whole_below(&mut self, secret: &Secret, size: usize) {
        if secret.0.is_empty() || self.secrets.contains_key(secret) {
            return;
        }
        self.secrets.insert(secret.clone(), size);
        self.in_texts.take();
        self.in_files.take();
    }

    /// Whether the bytes of a file contain a whole secret: raw, in hex or in base64. One shorter than
    /// eight characters may be there by chance, and does not count.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        let fits = |secret: &Secret| (PIECE..=bytes.len()).contains(&secret.0.len());
        self.secrets.keys().any(fits) && self.in_files().first(bytes).is_some()
    }

    /// Whether bytes contain a whole secret, as for `is_in`, that no server has chosen.
    pub(crate) fn has_own_in(&self, bytes: &[u8]) -> bool {
        if !self.is_in(bytes) {
            return false;
        }
        let mut own = Self::default();
        for (secret, size) in &self.secrets {
            if !self.granted.contains(secret) {
                own.add_whole_below(secret, *size);
            }
        }
        own.is_in(bytes)
    }

    /// Overwrites the whole secrets in the bytes of a file.
    pub(crate) fn overwrite(&self, bytes: &mut [u8]) {
        let mut from = 0;
        while let Some((begin, size)) = self.in_files().first(&bytes[from..]) {
            from += begin;
            bytes[from..from + size].fill(b'*');
        }
    }

    fn in_files(&self) -> &FileNeedles {
        self.in_files.get_or_init(|| {
            let long = self.secrets.keys().filter(|secret| secret.0.len() >= PIECE);
            let forms = |secret: &Secret| {
                let hex = hex(secret.0.as_bytes()).into_bytes();
                secret.forms().into_iter().chain([hex])
            };
            FileNeedles::new(long.flat_map(forms))
        })
    }

    /// Returns the size of the longest that `is_in` finds, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.in_files().longest()
    }

    /// Hides all secrets in a text; returns whether there were any.
    pub(crate) fn hide(&self, text: &mut String) -> bool {
        let mut secrets = self.secrets.iter();
        if secrets.all(|(secret, size)| text.len() < secret.0.len().min(*size)) {
            return false;
        }
        let needles = self.in_texts.get_or_init(|| self.needles());
        let mut hidden = Vec::new();
        let mut number = 0;
        for (at, byte) in text.bytes().enumerate() {
            number = next(number, byte);
            if let Some(size) = needles.at_end(&text.as_bytes()[..=at], number) {
                mark(&mut hidden, at + 1 - size, at + 1);
            }
        }
        if text.contains(['%', '\\']) {
            let mut decoded = DecodedText::of(needles);
            for (byte, begin, end) in Unescaped::of(text) {
                decoded.add(byte, begin, end, &mut hidden);
            }
        }
        find_in_hex(needles, text, &mut hidden);
        if hidden.is_empty() {
            return false;
        }
        hidden.sort_unstable();
        *text = without(text, &hidden);
        true
    }

    /// Returns the forms in which secrets may be in a text.
    fn needles(&self) -> Needles {
        let mut texts = Vec::new();
        for (secret, size) in &self.secrets {
            // Hex is decoded where it stands: eight of its digits are in any list of digests.
            for mut form in secret.forms().into_iter().chain(in_words(secret)) {
                // Names of hosts and members are returned in lower case.
                form.make_ascii_lowercase();
                let is_whole = secret.0.len() < *size || form.len() < *size;
                let counts = if is_whole {
                    Counts::Whole
                } else {
                    Counts::Pieces(*size)
                };
                texts.push((form, counts));
            }
        }
        Needles::new(texts)
    }

    /// Hides all secrets in the texts of a JSON value, and in the names of its fields; returns whether
    /// there were any.
    pub(crate) fn hide_in_json(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => self.hide(text),
            Value::Array(items) => {
                let hidden = items.iter_mut().map(|item| self.hide_in_json(item));
                hidden.fold(false, |any, it| any | it)
            }
            Value::Object(fields) => {
                let mut any = false;
                for value in fields.values_mut() {
                    any |= self.hide_in_json(value);
                }
                let is_told = |name: &String| self.hide(&mut name.clone());
                if fields.keys().any(is_told) {
                    let renamed = std::mem::take(fields).into_iter().map(|(mut name, value)| {
                        self.hide(&mut name);
                        (name, value)
                    });
                    *fields = renamed.collect();
                    any = true;
                }
                any
            }
            _ => false,
        }
    }
}

/// What a part of a text says once it is decoded, as far as a secret may have begun in it.
struct DecodedText<'a> {
    needles: &'a Needles,
    /// How many bytes the longest secret has.
    longest: usize,
    bytes: Vec<u8>,
    /// Where each of them begins in the text.
    begins: Vec<usize>,
    number: u64,
}

impl<'a> DecodedText<'a> {
    fn of(needles: &'a Needles) -> Self {
        Self {
            needles,
            longest: needles.longest(),
            bytes: Vec::new(),
            begins: Vec::new(),
            number: 0,
        }
    }

    /// Adds a byte with its begin and end in the text, and what ends with it to those found before.
    fn add(&mut self, byte: u8, begin: usize, end: usize, hidden: &mut Vec<(usize, usize)>) {
        // The last bytes, so that memory use does not depend on the text.
        if self.bytes.len() == self.longest + DECODED {
            self.bytes.drain(..DECODED);
            self.begins.drain(..DECODED);
        }
        self.bytes.push(byte);
        self.begins.push(begin);
        self.number = next(self.number, byte);
        if let Some(size) = self.needles.at_end(&self.bytes, self.number) {
            mark(hidden, self.begins[self.begins.len() - size], end);
        }
    }
}

/// Returns a secret as the words of a dump spell it: of two bytes, the second one first.
fn in_words(secret: &Secret) -> impl Iterator<Item = Vec<u8>> {
    [0, 1].into_iter().map(|first| {
        let mut bytes = secret.0.as_bytes().to_vec();
        bytes[first..]
            .chunks_exact_mut(2)
            .for_each(|word| word.swap(0, 1));
        bytes
    })
}

/// Finds the secrets in the hex of a text, in whatever columns, lines and marks.
fn find_in_hex(needles: &Needles, text: &str, hidden: &mut Vec<(usize, usize)>) {
    let text = text.as_bytes();
    // A byte may begin with any digit: what stands before may be one, too.
    let mut numbers = [0, 0];
    let mut last = 0;
    for at in 0..text.len() {
        let Some(digit) = hex_digit(text, at) else {
            continue;
        };
        let byte = last << 4 | digit;
        // Every second byte of UTF-16.
        if byte != 0 {
            numbers[0] = next(numbers[0], byte);
            if needles.may_end(numbers[0])
                && let Some((begin, end)) = decoded_before(needles, text, at)
            {
                mark(hidden, begin, end);
            }
        }
        numbers.swap(0, 1);
        last = digit;
    }
}

/// Returns the value of a hexadecimal digit, but for the zero of a prefix `0x`.
fn hex_digit(text: &[u8], at: usize) -> Option<u8> {
    match text[at] {
        b'0' if matches!(text.get(at + 1), Some(b'x' | b'X')) => None,
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ (b'a'..=b'f' | b'A'..=b'F') => Some((digit | 0x20) - b'a' + 10),
        _ => None,
    }
}

/// Returns where a secret of at least a piece begins and ends whose last digit of hex is at `at`.
fn decoded_before(needles: &Needles, text: &[u8], at: usize) -> Option<(usize, usize)> {
    let bytes_max = needles.compared();
    let before = (0..=at).rev().take(HEX_WIDTH * bytes_max);
    let mut digits = before.filter_map(|at| Some((hex_digit(text, at)?, at)));
    let (mut bytes, mut begins) = (Vec::new(), Vec::new());
    while bytes.len() < bytes_max
        && let (Some((low, _)), Some((high, begin))) = (digits.next(), digits.next())
    {
        if high | low != 0 {
            bytes.push(high << 4 | low);
            begins.push(begin);
        }
    }
    bytes.reverse();
    let number = bytes.iter().fold(0, |number, byte| next(number, *byte));
    let size = needles.long_at_end(&bytes, number)?;
    Some((begins[size - 1], at + 1))
}

/// Adds a part of a text to those found before, which it may touch.
fn mark(hidden: &mut Vec<(usize, usize)>, begin: usize, end: usize) {
    match hidden.last_mut() {
        Some(last) if (last.0..=last.1).contains(&begin) => last.1 = last.1.max(end),
        _ => hidden.push((begin, end)),
    }
}

/// The bytes of a text with the escapes of URLs and of JSON decoded, each with its begin and end.
pub(super) struct Unescaped<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether the escapes of JSON count.
    is_json: bool,
}

impl<'a> Unescaped<'a> {
    /// Decodes the escapes of URLs alone.
    pub(super) fn of_url(text: &'a str) -> Self {
        Self {
            is_json: false,
            ..Self::of(text)
        }
    }

    fn of(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
            is_json: true,
        }
    }

    /// Returns the value of hexadecimal digits, if it is one byte.
    fn hex(&self, from: usize, digits: usize) -> Option<u8> {
        let digits = self.text.get(from..from + digits)?;
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| is_hex)?;
        u8::try_from(u32::from_str_radix(digits, 16).ok()?).ok()
    }
}

impl Iterator for Unescaped<'_> {
    type Item = (u8, usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let (at, byte) = (self.at, *self.text.get(self.at)?);
        let next = self
            .text
            .get(at + 1)
            .filter(|_| self.is_json || byte == b'%');
        let (decoded, size) = match (byte, next) {
            (b'%', _) => self.hex(at + 1, 2).map_or((byte, 1), |it| (it, 3)),
            (b'\\', Some(b'u')) => self.hex(at + 2, 4).map_or((byte, 1), |it| (it, 6)),
            (b'\\', Some(escaped)) => (*escaped, 2),
            _ => (byte, 1),
        };
        self.at = at + size;
        Some((decoded, at, self.at))
    }
}

/// Returns the text with a mark in place of each hidden part; the parts are sorted.
fn without(text: &str, hidden: &[(usize, usize)]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for (begin, end) in hidden {
        let (begin, end) = (
            text.floor_char_boundary(*begin),
            text.ceil_char_boundary(*end),
        );
        if begin > at || at == 0 {
            shown.push_str(&text[at..begin]);
            shown.push_str(HIDDEN);
        }
        at = at.max(end);
    }
    shown + &text[at..]
}
