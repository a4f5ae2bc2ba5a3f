//! Secrets, and their redaction in texts.
//!
//! A `Secret` has no `Display`, and its `Debug` hides it: code that needs the text calls `expose`,
//! so that a search for that word finds every place that does.

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod needles;
mod redactor;

pub(crate) use redactor::Redactor;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use redactor::Unescaped;

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
        let decoded = Unescaped::of_url(text);
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

    /// Returns the secret as it is, and in base64 for each offset at which it may begin.
    fn forms(&self) -> Vec<Vec<u8>> {
        let bytes = self.0.as_bytes();
        let mut forms = vec![bytes.to_vec()];
        if bytes.len() < PIECE {
            return forms;
        }
        // The bytes before it in a group of three, and the digits that they affect.
        for (before, digits) in [(0, 0), (1, 2), (2, 3)] {
            let group = [&[0; 2][..before], bytes].concat();
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let mut form = engine.encode(&group).into_bytes().split_off(digits);
                if group.len() % 3 != 0 {
                    // The last digit depends on the byte after the secret.
                    form.pop();
                }
                forms.push(form);
            }
        }
        // Few secrets have digits in which the alphabets differ.
        forms.dedup();
        forms
    }
}

/// Compares in a time that does not depend on where two texts differ.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differing) == 0
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
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::redactor::HIDDEN;
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
    fn what_a_server_chose_as_its_token_is_no_secret_of_ours() {
        let mut guard = Redactor::default();
        guard.add_for_messages(&Secret::new("own-secret-0123456789"));
        for (granted, own) in [("zhangsan", false), ("own-secret-0123456789", true)] {
            guard.add_granted(&Secret::new("zhangsan"));
            assert!(guard.is_in(granted.as_bytes()), "{granted}");
            assert_eq!(guard.has_own_in(granted.as_bytes()), own, "{granted}");
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
    fn a_message_hides_sixteen_characters_in_a_row_which_nobody_guesses() {
        let mut guard = Redactor::default();
        guard.add_for_messages(&Secret::new("abcdefghijklmnopqrstuvwx"));
        guard.add_for_messages(&Secret::new("0123456789"));
        for (text, shown) in [
            ("a bcdefghijklmnop z", "a bcdefghijklmnop z"),
            ("a bcdefghijklmnopq z", "a [hidden] z"),
            ("xabcdefghijklmnopqrstuvwxx", "x[hidden]x"),
            ("012345678 0123456789", "012345678 [hidden]"),
        ] {
            let mut text = text.to_owned();
            guard.hide(&mut text);
            assert_eq!(text, shown);
        }
    }

    #[test]
    fn hides_hex_in_columns_and_lines() {
        let secret = "abcdefghijklmnopqrstuvwx";
        let hex = hex(secret.as_bytes());
        let (pairs, words): (Vec<_>, Vec<_>) = (
            hex.as_bytes()
                .chunks(2)
                .map(String::from_utf8_lossy)
                .collect(),
            hex.as_bytes()
                .chunks(4)
                .map(String::from_utf8_lossy)
                .collect(),
        );
        for (text, shown) in [
            (format!("x {hex}."), "x [hidden]."),
            (format!("x=f{hex}0"), "x=f[hidden]0"),
            (hex.to_uppercase(), "[hidden]"),
            (format!("{}\n{}\n", &hex[..29], &hex[29..]), "[hidden]\n"),
            (pairs.join(" "), "[hidden]"),
            (format!("\\x{}", pairs.join("\\x")), "\\x[hidden]"),
            (format!("{{0x{}}}", pairs.join(", 0x")), "{0x[hidden]}"),
            (format!("&#x{};", pairs.join(";&#x")), "&#x[hidden];"),
            (
                format!(
                    "00000000: {}  abc\n00000010: {}  |xyz|",
                    words[..8].join(" "),
                    words[8..].join(" ")
                ),
                "00000000: [hidden]  abc\n00000010: [hidden]  |xyz|",
            ),
            (hex[..14].to_owned(), &hex[..14]),
            (format!("{}!{}", &hex[..14], &hex[14..28]), "[hidden]"),
            (format!("['{}']", pairs.join("', '")), "['[hidden]']"),
            (format!("{}00", pairs.join("00 ")), "[hidden]00"),
            (
                "0000000 6261 6463 6665 6867 6a69 6c6b 6e6d 706f".to_owned(),
                "0000000 [hidden]",
            ),
        ] {
            assert_eq!(hidden(secret, &text), shown, "{text}");
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
    fn in_a_file_a_whole_secret_is_overwritten_in_each_form_and_no_piece_of_it() {
        let secret = Secret::new("~~~~????~~~~????");
        let mut guard = Redactor::default();
        guard.add(&secret);
        guard.add(&Secret::new("short"));
        let hex = hex(secret.0.as_bytes());
        for (form, left) in [
            ("~~~~????~~~~????", ""),
            ("fn5+fj8/Pz9+fn5+Pz8/Pw==", "w=="),
            ("eH5-fn4_Pz8_fn5-fj8_Pz8=", "eH8="),
            (&*hex, ""),
        ] {
            for (before, behind) in [("", ""), ("~~", "~ short"), ("\u{0}中", "\n")] {
                let mut file = format!("{before}{form}{behind}").into_bytes();
                assert!(guard.is_in(&file), "{form}");
                guard.overwrite(&mut file);
                let shown = String::from_utf8(file).unwrap();
                assert_eq!(
                    shown.chars().filter(|c| *c == '*').count(),
                    form.len() - left.len()
                );
                assert_eq!(
                    shown.replace('*', "").len(),
                    before.len() + left.len() + behind.len()
                );
            }
        }
        assert!(!guard.is_in(b"~~~~????~~~~??? short") && !guard.is_in(b"~"));
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
