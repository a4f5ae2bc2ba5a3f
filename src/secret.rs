//! What must not be seen, and what may stand in its place.
//!
//! A `Secret` has no `Display`, and its `Debug` hides: whoever wants the text writes `expose`,
//! so that a search for that word finds every place that does.

use std::collections::HashSet;
use std::fmt;

/// Shortest stretch of a secret, in bytes, that counts as showing it.
const PIECE: usize = 8;

/// A corpsecret, an `access_token`, or a URL that holds a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire and for the token's own cache only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// `text` without any stretch of eight or more characters of the secret:
    /// a server may echo what it was sent.
    pub(crate) fn hide_in(&self, text: &str) -> String {
        let size = PIECE.min(self.0.len());
        if size == 0 || text.len() < size {
            return text.to_owned();
        }
        let pieces: HashSet<&[u8]> = self.0.as_bytes().windows(size).collect();
        let mut hidden = vec![false; text.len()];
        for (at, window) in text.as_bytes().windows(size).enumerate() {
            if pieces.contains(window) {
                hidden[at..at + size].fill(true);
            }
        }
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
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// The SHA-256 of some texts, each with its length, in lower-case hex.
pub(crate) fn digest(texts: &[&str]) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for text in texts {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    context
        .finish()
        .as_ref()
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

    #[test]
    fn hides_every_stretch_of_eight_characters() {
        let secret = Secret::new("abcdefghijklmnop");
        for (text, shown) in [
            ("no secret here", "no secret here"),
            ("x abcdefghijklmnop y", "x [hidden] y"),
            ("tail cdefghij end", "tail [hidden] end"),
            ("seven bcdefgh only", "seven bcdefgh only"),
            ("中文abcdefgh中文", "中文[hidden]中文"),
            ("", ""),
        ] {
            assert_eq!(secret.hide_in(text), shown, "{text}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("abcdefgh")), "Secret(hidden)");
    }

    #[test]
    fn a_digest_tells_neighbours_apart() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["a"]).len(), 64);
    }
}
