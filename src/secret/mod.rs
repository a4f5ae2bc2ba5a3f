//! Secrets, and their redaction in texts.
//!
//! A `Secret` has no `Display`, and its `Debug` hides it: code that needs the text calls `expose`,
//! so that a search for that word finds every place that does.

mod decode;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod layouts;
mod needles;
mod redactor;
#[cfg(test)]
mod tests;
mod units;
mod wholes;

pub(crate) use redactor::Redactor;

use std::fmt;

use decode::Unescaped;

/// The shortest part of a secret, in bytes, whose display counts as a leak.
const PIECE: usize = 8;

/// A corpsecret, an `access_token`, or a URL that holds a password.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Secret(String);

impl Secret {
    /// Wraps a text as a secret.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Wraps a text as a secret, with its percent-encoding decoded.
    pub(crate) fn decoded(text: &str) -> Self {
        let decoded = Unescaped::of_url(text.as_bytes());
        let bytes: Vec<u8> = decoded.map(|(byte, ..)| byte).collect();
        Self(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns the text itself, only for the wire and for the token cache.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a text is the secret, in a time that tells nothing of it.
    pub(crate) fn is(&self, text: &str) -> bool {
        let [one, other] = [self.0.as_bytes(), text.as_bytes()].map(sha256);
        is_same(one.as_bytes(), other.as_bytes())
    }

    /// Whether it looks as if a machine had made it at random: of 32 characters or more, ten different ones
    /// or more, and without eight that occur again. Nobody guesses it, and no text has it by chance.
    pub(crate) fn is_machine_made(&self) -> bool {
        // As they are looked for.
        let bytes: Vec<u8> = self.0.bytes().map(|byte| byte | b' ').collect();
        let mut is_there = [false; 256];
        for byte in &bytes {
            is_there[usize::from(*byte)] = true;
        }
        let different = is_there.iter().filter(|it| **it).count();
        let pieces = bytes.windows(PIECE).filter_map(<[u8]>::first_chunk);
        let mut pieces: Vec<_> = pieces.map(|piece| u64::from_be_bytes(*piece)).collect();
        pieces.sort_unstable();
        let has_same = pieces.windows(2).any(|pair| pair[0] == pair[1]);
        bytes.len() >= 32 && different >= 10 && !has_same
    }
}

/// Compares in a time that does not depend on where two texts differ.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differing) == 0
}

/// Returns the password of a URL: as it is meant, as it stands there, and as `user:password` in Basic
/// authentication.
pub(crate) fn passwords(url: &str) -> Vec<Secret> {
    let url = reqwest::Url::parse(url).ok();
    let login = url.and_then(|url| Some((url.username().to_owned(), url.password()?.to_owned())));
    login.map_or(Vec::new(), |(user, password)| {
        let both = format!("{user}:{password}");
        let meant = [Secret::decoded(&password), Secret::decoded(&both)];
        let written = Secret::new(password);
        let differs = !meant.contains(&written);
        meant
            .into_iter()
            .chain(differs.then_some(written))
            .collect()
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
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
