//! Hiding secrets in texts, in time and memory that do not grow faster than the text.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use serde_json::Value;

use super::{PIECE, Secret, hex};

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "[hidden]";

/// Hides secrets in texts: plain, and encoded as URLs, JSON, base64 and hex do.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    secrets: Vec<Secret>,
    /// Every eight bytes in a row of a long form, in lower case.
    pieces: HashSet<u64>,
    /// The forms that count only as a whole, in lower case.
    wholes: Vec<Vec<u8>>,
    /// By two bytes: whether a piece begins with them.
    begins: Vec<bool>,
    /// All forms of the secrets that are not short, in lower case.
    long: Vec<Vec<u8>>,
    /// By two bytes: whether one of these begins with them.
    begins_long: Vec<bool>,
}

impl Redactor {
    /// Adds a secret that a server was sent: every run of eight characters of it is hidden, a shorter
    /// one as a whole.
    pub(crate) fn add(&mut self, secret: &Secret) {
        self.add_whole_below(secret, PIECE);
    }

    /// Adds a secret that must not be in a message. What has fewer than eight characters may be there
    /// by chance.
    pub(crate) fn add_for_messages(&mut self, secret: &Secret) {
        if secret.0.len() >= PIECE {
            self.add_whole_below(secret, 2 * PIECE);
        }
    }

    /// Adds a password that must not be in a message. Pieces of it may be ordinary words.
    pub(crate) fn add_password(&mut self, password: &Secret) {
        if password.0.len() >= PIECE {
            self.add_whole_below(password, usize::MAX);
        }
    }

    fn add_whole_below(&mut self, secret: &Secret, size: usize) {
        if secret.0.is_empty() || self.secrets.contains(secret) {
            return;
        }
        let hex = hex(secret.0.as_bytes()).into_bytes();
        for mut form in secret.forms() {
            // Names of hosts and members are returned in lower case.
            form.make_ascii_lowercase();
            if secret.0.len() >= PIECE {
                self.begins_long.resize(1 << 16, false);
                self.begins_long[pair(&form)] = true;
                self.long.push(form.clone());
            }
            // Eight digits of hex are in any list of digests.
            if secret.0.len() < size || form.len() < PIECE || form == hex {
                self.wholes.push(form);
                continue;
            }
            self.begins.resize(1 << 16, false);
            for piece in form.windows(PIECE) {
                self.begins[pair(piece)] = true;
                let number = piece
                    .iter()
                    .fold(0, |number, byte| number << 8 | u64::from(*byte));
                self.pieces.insert(number);
            }
        }
        self.secrets.push(secret.clone());
    }

    /// Whether the bytes of a file contain a whole secret, raw, in hex or in base64. One shorter than
    /// eight characters may be there by chance, and does not count.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        self.places(bytes).next().is_some()
    }

    /// Overwrites the whole secrets in the bytes of a file.
    pub(crate) fn overwrite(&self, bytes: &mut [u8]) {
        let places: Vec<_> = self.places(bytes).collect();
        for place in places {
            bytes[place].fill(b'*');
        }
    }

    /// Finds the whole secrets in the bytes of a file, in one pass: there may be 20 MiB.
    fn places<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        let begins = |two: &[u8]| self.begins_long.get(pair(two)) == Some(&true);
        let found = bytes.windows(2).enumerate();
        let found = found.filter(move |(_, two)| begins(two));
        found.filter_map(|(at, _)| {
            let is_there = |form: &&Vec<u8>| {
                let there = bytes.get(at..at + form.len());
                there.is_some_and(|there| there.eq_ignore_ascii_case(form))
            };
            let size = self.long.iter().filter(is_there).map(Vec::len).max()?;
            Some(at..at + size)
        })
    }

    /// Returns the size of the longest form that `is_in` finds, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.long.iter().map(Vec::len).max().unwrap_or_default()
    }

    /// Hides all secrets in a text; returns whether there were any.
    pub(crate) fn hide(&self, text: &mut String) -> bool {
        if self.secrets.is_empty() {
            return false;
        }
        let mut hidden = Vec::new();
        let raw = text
            .bytes()
            .enumerate()
            .map(|(at, byte)| (byte, at, at + 1));
        self.find(raw, &mut hidden);
        if text.contains(['%', '\\']) {
            self.find(Unescaped::of(text), &mut hidden);
        }
        if hidden.is_empty() {
            return false;
        }
        hidden.sort_unstable();
        *text = without(text, &hidden);
        true
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

    /// Finds the secrets among bytes, each with its begin and end in the text.
    fn find(
        &self,
        bytes: impl Iterator<Item = (u8, usize, usize)>,
        hidden: &mut Vec<(usize, usize)>,
    ) {
        let longest = self.wholes.iter().map(Vec::len).max();
        // The last bytes, so that memory use does not depend on the text.
        let keep = longest.unwrap_or_default().max(PIECE);
        let mut last = VecDeque::with_capacity(keep + 1);
        let mut piece = 0_u64;
        for (byte, begin, end) in bytes {
            let byte = byte.to_ascii_lowercase();
            piece = piece << 8 | u64::from(byte);
            last.push_back((byte, begin));
            if last.len() > keep {
                last.pop_front();
            }
            let is_piece = last.len() >= PIECE
                && self.begins.get(usize::from((piece >> 48) as u16)) == Some(&true)
                && self.pieces.contains(&piece);
            if is_piece {
                mark(hidden, last[last.len() - PIECE].1, end);
            }
            for whole in &self.wholes {
                let is_last = whole.last() == Some(&byte) && last.len() >= whole.len();
                let from = last.len().saturating_sub(whole.len());
                if is_last && last.range(from..).map(|(byte, _)| byte).eq(whole) {
                    mark(hidden, last[from].1, end);
                }
            }
        }
    }
}

/// Returns the first two bytes as a number, in lower case.
fn pair(bytes: &[u8]) -> usize {
    let [first, second] = [bytes[0], bytes[1]].map(|byte| usize::from(byte.to_ascii_lowercase()));
    first << 8 | second
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
