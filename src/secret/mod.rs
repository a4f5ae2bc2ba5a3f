//! Secrets, and their redaction in texts.
//!
//! A `Secret` has no `Display`, and its `Debug` hides it: code that needs the text calls `expose`,
//! so that a search for that word finds every place that does.

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;

use std::collections::HashSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

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
        let (bytes, _) = percent_decoded(text);
        Self(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns the text itself, only for the wire and for the token cache.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a text contains the whole secret, ignoring case.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.is_in_bytes(text.as_bytes())
    }

    /// Whether bytes contain the whole secret, ignoring case.
    pub(crate) fn is_in_bytes(&self, bytes: &[u8]) -> bool {
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

    /// Returns the secret as it is, and in base64 for each offset at which it may begin.
    fn forms(&self) -> Vec<Vec<u8>> {
        let bytes = self.0.as_bytes();
        let mut forms = vec![bytes.to_vec()];
        if bytes.len() < PIECE {
            return forms;
        }
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

/// The secrets that a server was sent, to be redacted in its answers.
#[derive(Debug, Default)]
pub(crate) struct Redactor(Vec<Secret>);

impl Redactor {
    /// Adds a secret.
    pub(crate) fn add(&mut self, secret: &Secret) {
        if !secret.0.is_empty() && !self.0.contains(secret) {
            self.0.push(secret.clone());
        }
    }

    /// Whether the bytes of a file contain a whole secret. One shorter than eight characters may be
    /// there by chance, and does not count.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        let mut long = self.0.iter().filter(|secret| secret.0.len() >= PIECE);
        long.any(|secret| secret.is_in_bytes(bytes))
    }

    /// Redacts every run of eight or more characters of the secrets in the texts, plain or encoded:
    /// a server may echo its input, and a relay the decoded form.
    pub(crate) fn hide_in(&self, texts: &mut [&mut String]) {
        let views: Vec<[View; 2]> = texts
            .iter()
            .map(|text| [View::raw(text), View::decoded(text)])
            .collect();
        // All at once: an answer may have thousands of names.
        let said: HashSet<&[u8]> = views
            .iter()
            .flatten()
            .flat_map(|view| view.bytes.windows(PIECE))
            .collect();
        let mut forms: Vec<Vec<u8>> = self.0.iter().flat_map(Secret::forms).collect();
        // Names of hosts and members are returned in lower case.
        for form in &mut forms {
            form.make_ascii_lowercase();
        }
        let (long, short): (Vec<_>, Vec<_>) = forms.iter().partition(|form| form.len() >= PIECE);
        let pieces: HashSet<&[u8]> = long
            .iter()
            .flat_map(|form| form.windows(PIECE))
            .filter(|piece| said.contains(piece))
            .collect();
        for (text, views) in texts.iter_mut().zip(&views) {
            let mut hidden = vec![false; text.len()];
            for view in views {
                view.mark(&mut hidden, PIECE, |window| pieces.contains(window));
                for form in &short {
                    view.mark(&mut hidden, form.len(), |window| window == **form);
                }
            }
            if hidden.contains(&true) {
                **text = without(text, &hidden);
            }
        }
    }
}

/// The bytes of a text, and the position of each in it.
struct View {
    bytes: Vec<u8>,
    /// One more than there are bytes: the last is the end of the text.
    starts: Vec<usize>,
}

impl View {
    fn raw(text: &str) -> Self {
        Self {
            bytes: text.to_ascii_lowercase().into_bytes(),
            starts: (0..=text.len()).collect(),
        }
    }

    /// Returns a view of the text with its percent-encoding decoded; empty if it has none.
    fn decoded(text: &str) -> Self {
        let text = if text.contains('%') { text } else { "" };
        let (mut bytes, starts) = percent_decoded(text);
        bytes.make_ascii_lowercase();
        Self { bytes, starts }
    }

    /// Marks all windows of a size in the text that belong to a secret.
    fn mark(&self, hidden: &mut [bool], size: usize, is_secret: impl Fn(&[u8]) -> bool) {
        for (at, window) in self.bytes.windows(size).enumerate() {
            if is_secret(window) {
                hidden[self.starts[at]..self.starts[at + size]].fill(true);
            }
        }
    }
}

/// Decodes percent-encoding; returns the bytes, the position of each in the text, and its end.
fn percent_decoded(text: &str) -> (Vec<u8>, Vec<usize>) {
    let text = text.as_bytes();
    let (mut bytes, mut starts, mut at) = (Vec::new(), Vec::new(), 0);
    while at < text.len() {
        starts.push(at);
        let digits = text.get(at + 1..at + 3).filter(|_| text[at] == b'%');
        let encoded = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(encoded.unwrap_or(text[at]));
        at += if encoded.is_some() { 3 } else { 1 };
    }
    starts.push(at);
    (bytes, starts)
}

/// Returns the text with a mark in place of each redacted part.
fn without(text: &str, hidden: &[bool]) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        if !hidden[at] {
            shown.push(character);
        } else if at == 0 || !hidden[at - 1] {
            shown.push_str("[hidden]");
        }
    }
    shown
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
        veil.hide_in(&mut [&mut text]);
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
        veil.hide_in(&mut texts.each_mut());
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
