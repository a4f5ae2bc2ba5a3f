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

    /// `text` without any stretch of eight or more characters of the secret, as it is or encoded:
    /// a server may echo what it was sent, and a relay log what it decoded.
    pub(crate) fn hide_in(&self, text: &str) -> String {
        let size = PIECE.min(self.0.len());
        if size == 0 || text.len() < size {
            return text.to_owned();
        }
        let windows: HashSet<&[u8]> = text.as_bytes().windows(size).collect();
        let forms = self.forms();
        let pieces: HashSet<&[u8]> = forms
            .iter()
            .flat_map(|form| form.windows(size))
            .filter(|piece| windows.contains(piece))
            .collect();
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

    /// The secret as it is, percent-encoded, and in base64 for each place that it may begin at.
    fn forms(&self) -> Vec<Vec<u8>> {
        let bytes = self.0.as_bytes();
        let mut forms = vec![bytes.to_vec()];
        if bytes.len() >= PIECE {
            forms.push(percent(bytes, |byte| format!("%{byte:02X}")));
            forms.push(percent(bytes, |byte| format!("%{byte:02x}")));
            for marks in [*b"+/", *b"-_"] {
                forms.extend([0, 2, 4].map(|bit| base64(bytes, bit, marks)));
            }
        }
        forms
    }
}

/// All but letters and digits as `%` and two digits.
fn percent(bytes: &[u8], encode: impl Fn(u8) -> String) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() {
            encoded.push(byte);
        } else {
            encoded.extend(encode(byte).bytes());
        }
    }
    encoded
}

/// The digits of base64 that begin at this bit and at every sixth after it, and end within.
fn base64(bytes: &[u8], bit: usize, marks: [u8; 2]) -> Vec<u8> {
    let digit = |bit: usize| {
        let next = bytes.get(bit / 8 + 1).copied().unwrap_or_default();
        let both = u16::from_be_bytes([bytes[bit / 8], next]);
        // Six of sixteen bits.
        match u8::try_from((both >> (10 - bit % 8)) & 63).unwrap_or_default() {
            value @ 0..=25 => b'A' + value,
            value @ 26..=51 => b'a' + (value - 26),
            value @ 52..=61 => b'0' + (value - 52),
            value => marks[usize::from(value) - 62],
        }
    };
    let end = (bytes.len() * 8).saturating_sub(5);
    (bit..end).step_by(6).map(digit).collect()
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
    fn hides_what_is_encoded() {
        let secret = Secret::new("ab-cd_efgh/ijk?lmnop");
        for (text, shown) in [
            ("x ab%2Dcd%5Fefgh%2Fijk%3Flmnop y", "x [hidden] y"),
            ("x b%2dcd%5fe y", "x [hidden] y"),
            ("YWItY2RfZWZnaC9pams/bG1ub3A=", "[hidden]A="),
        ] {
            assert_eq!(secret.hide_in(text), shown, "{text}");
        }
        // From the first, second and third of three bytes on, in both alphabets.
        let secret = Secret::new("~~~~????~~~~????");
        for text in [
            "fn5+fj8/Pz9+fn5+Pz8/Pw==",
            "eH5-fn4_Pz8_fn5-fj8_Pz8=",
            "eHh+fn5+Pz8/P35+fn4/Pz8/",
        ] {
            let shown = secret.hide_in(text);
            assert!(shown.contains("[hidden]") && shown.len() < 15, "{shown}");
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
