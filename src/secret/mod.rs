//! Secrets, and their redaction in texts.
//!
//! A `Secret` has no `Display`, and its `Debug` hides it: code that needs the text calls `expose`,
//! so that a search for that word finds every place that does.

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;

use std::collections::{HashSet, VecDeque};
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// What stands in place of a secret.
const HIDDEN: &str = "[hidden]";

/// The shortest part of a secret, in bytes, whose display counts as a leak.
const PIECE: usize = 8;

/// A corpsecret, an `access_token`, or a URL that holds a password.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Wraps a text as a secret.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Wraps a text as a secret, with its percent-encoding decoded.
    pub(crate) fn decoded(text: &str) -> Self {
        let decoded = Unescaped {
            is_json: false,
            ..Unescaped::of(text)
        };
        let bytes: Vec<u8> = decoded.map(|(byte, ..)| byte).collect();
        Self(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns the text itself, only for the wire and for the token cache.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether bytes contain the whole secret, ignoring case.
    fn is_in_bytes(&self, bytes: &[u8]) -> bool {
        let secret = self.0.as_bytes();
        let Some(first) = secret.first() else {
            return false;
        };
        // There may be 20 MiB: nothing is copied, and only matches of the first byte are compared.
        let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|it| *it == lower || *it == upper) {
            rest = &rest[at..];
            let there = rest.get(..secret.len());
            if there.is_some_and(|there| there.eq_ignore_ascii_case(secret)) {
                return true;
            }
            rest = &rest[1..];
        }
        false
    }

    /// Returns the secret as it is, in hex, and in base64 for each offset at which it may begin.
    fn forms(&self) -> Vec<Vec<u8>> {
        let bytes = self.0.as_bytes();
        let mut forms = vec![bytes.to_vec()];
        if bytes.len() < PIECE {
            return forms;
        }
        forms.push(hex(bytes).into_bytes());
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            // The bytes before it in a group of three, and the digits that they affect.
            for (before, digits) in [(0, 0), (1, 2), (2, 3)] {
                let group = [&[0; 2][..before], bytes].concat();
                let mut form = engine.encode(&group).into_bytes().split_off(digits);
                if group.len() % 3 != 0 {
                    // The last digit depends on the byte after the secret.
                    form.pop();
                }
                forms.push(form);
            }
        }
        forms
    }
}

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
            // Eight digits of hex are in any list of digests.
            if secret.0.len() < size || form.len() < PIECE || form == hex {
                self.wholes.push(form);
                continue;
            }
            self.begins.resize(1 << 16, false);
            for piece in form.windows(PIECE) {
                self.begins[usize::from(piece[0]) << 8 | usize::from(piece[1])] = true;
                let number = piece
                    .iter()
                    .fold(0, |number, byte| number << 8 | u64::from(*byte));
                self.pieces.insert(number);
            }
        }
        self.secrets.push(secret.clone());
    }

    /// Whether the bytes of a file contain a whole secret. One shorter than eight characters may be
    /// there by chance, and does not count.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        let mut long = self.secrets.iter().filter(|secret| secret.0.len() >= PIECE);
        long.any(|secret| secret.is_in_bytes(bytes))
    }

    /// Overwrites the whole secrets in the bytes of a file.
    pub(crate) fn overwrite(&self, bytes: &mut [u8]) {
        for secret in self.secrets.iter().filter(|secret| secret.0.len() >= PIECE) {
            let secret = secret.0.as_bytes();
            for at in 0..bytes.len().saturating_sub(secret.len() - 1) {
                let there = &mut bytes[at..at + secret.len()];
                if there.eq_ignore_ascii_case(secret) {
                    there.fill(b'*');
                }
            }
        }
    }

    /// Returns the size of the longest secret, in bytes.
    pub(crate) fn longest(&self) -> usize {
        let sizes = self.secrets.iter().map(|secret| secret.0.len());
        sizes.max().unwrap_or_default()
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

/// Adds a part of a text to those found before, which it may touch.
fn mark(hidden: &mut Vec<(usize, usize)>, begin: usize, end: usize) {
    match hidden.last_mut() {
        Some(last) if (last.0..=last.1).contains(&begin) => last.1 = last.1.max(end),
        _ => hidden.push((begin, end)),
    }
}

/// The bytes of a text with the escapes of URLs and of JSON decoded, each with its begin and end.
struct Unescaped<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether the escapes of JSON count.
    is_json: bool,
}

impl<'a> Unescaped<'a> {
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

/// Returns the password of a URL.
pub(crate) fn password(url: &str) -> Option<Secret> {
    passwords(url).into_iter().next()
}

/// Returns the password of a URL, alone and as `user:password` in Basic authentication.
pub(crate) fn passwords(url: &str) -> Vec<Secret> {
    let url = reqwest::Url::parse(url).ok();
    let login = url.and_then(|url| Some((url.username().to_owned(), url.password()?.to_owned())));
    login.map_or(Vec::new(), |(user, password)| {
        let both = format!("{user}:{password}");
        vec![Secret::decoded(&password), Secret::decoded(&both)]
    })
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// Returns the SHA-256 of some texts, each with its length, in lower-case hex.
pub(crate) fn digest(texts: &[&str]) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for text in texts {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    hex(context.finish().as_ref())
}

/// Returns the SHA-256 of bytes as `sha256sum` prints it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// A SHA-256 of bytes that arrive in pieces.
pub(crate) struct Sha256(ring::digest::Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(ring::digest::Context::new(&ring::digest::SHA256))
    }
}

impl Sha256 {
    /// Adds further bytes.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all bytes, in hexadecimal.
    pub(crate) fn hex(self) -> String {
        hex(self.0.finish().as_ref())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            use fmt::Write;
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(secret: &str, text: &str) -> String {
        let (mut veil, mut text) = (Redactor::default(), text.to_owned());
        veil.add(&Secret::new(secret));
        veil.hide(&mut text);
        text
    }

    #[test]
    fn hides_every_stretch_of_eight_characters() {
        let hide = |text: &str| hidden("abcdefghijklmnop", text);
        for (text, shown) in [
            ("no secret here", "no secret here"),
            ("x abcdefghijklmnop y", "x [hidden] y"),
            ("tail cdefghij end", "tail [hidden] end"),
            ("in capitals ABCDEFGH", "in capitals [hidden]"),
            ("seven bcdefgh only", "seven bcdefgh only"),
            ("中文abcdefgh中文", "中文[hidden]中文"),
            ("", ""),
        ] {
            assert_eq!(hide(text), shown, "{text}");
        }
    }

    #[test]
    fn hides_encoded_secrets() {
        let secret = "ab-cd_efgh/ijk?lmnop";
        for (text, shown) in [
            ("x ab-cd_efgh%2Fijk%3Flmnop y", "x [hidden] y"),
            ("x ab%2Dcd%5Fefgh%2Fijk%3Flmnop y", "x [hidden] y"),
            ("x b%2dcd%5fefg y", "x [hidden] y"),
            ("YWItY2RfZWZnaC9pams/bG1ub3A=", "[hidden]A="),
        ] {
            assert_eq!(hidden(secret, text), shown, "{text}");
        }
        // A secret may contain text that looks percent-encoded.
        assert_eq!(hidden("100%41%42%43", "x 100%41%42%43 y"), "x [hidden] y");
        assert_eq!(hidden("100%41%42%43", "100%2541%2542%2543"), "[hidden]");
        // At each offset within a group of three bytes, in both alphabets.
        for text in [
            "fn5+fj8/Pz9+fn5+Pz8/Pw==",
            "eH5-fn4_Pz8_fn5-fj8_Pz8=",
            "eHh+fn5+Pz8/P35+fn4/Pz8/",
        ] {
            let shown = hidden("~~~~????~~~~????", text);
            assert!(shown.contains("[hidden]") && shown.len() < 15, "{shown}");
        }
    }

    #[test]
    fn hides_all_secrets_in_all_texts_and_short_ones_whole() {
        let mut veil = Redactor::default();
        for secret in ["", "abcdefghij", "pass"] {
            veil.add(&Secret::new(secret));
        }
        let mut texts = ["xabcdefghijx", "a password", "harmless"].map(str::to_owned);
        for text in &mut texts {
            assert_eq!(veil.hide(text), text.contains(HIDDEN), "{text}");
        }
        assert_eq!(texts, ["x[hidden]x", "a [hidden]word", "harmless"]);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("abcdefgh")), "Secret(hidden)");
    }

    #[test]
    fn a_digest_depends_on_the_boundaries_of_the_texts() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["a"]).len(), 64);
    }
}
