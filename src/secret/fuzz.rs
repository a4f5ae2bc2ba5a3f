//! The check of the fuzz targets for all output, and the target of the redactor.

use super::redactor::HIDDEN;
use super::{Redactor, Secret};

/// A secret in WeCom's format, of which no error may show a piece. It has no eight digits in a row:
/// an errcode is shown, and could match them.
pub(crate) const SECRET: &str = "Zy7-qP_0aBcDeFgHiJkLmNoPqRsTuVwXyZ01x23y45z";

/// Whether a text shows eight consecutive characters of the secret.
pub(crate) fn shows_secret(text: &str) -> bool {
    let mut pieces = (8..=SECRET.len()).map(|end| &SECRET[end - 8..end]);
    pieces.any(|piece| text.contains(piece))
}

/// Hides a secret, whose size the first byte says, in the text behind it. None of it stays, and the size
/// of a file does.
pub(crate) fn redact(bytes: &[u8]) {
    let Some((size, rest)) = bytes.split_first() else {
        return;
    };
    let (secret, text) = rest.split_at(rest.len().min(usize::from(*size)));
    let secret = String::from_utf8_lossy(secret);
    let mut guards = [(); 3].map(|()| Redactor::default());
    guards[0].add(&Secret::new(&*secret));
    guards[1].add_for_messages(&Secret::new(&*secret));
    guards[2].add_password(&Secret::new(&*secret));
    for guard in guards {
        let mut file = text.to_vec();
        guard.overwrite(&mut file);
        assert_eq!(file.len(), text.len());
        let mut shown = String::from_utf8_lossy(text).into_owned();
        guard.hide(&mut shown);
        // What stands around a mark may look like a secret with it.
        if secret.len() >= 8 && !secret.contains(|it| HIDDEN.contains(it)) {
            assert!(!shown.contains(&*secret), "{shown}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::proptest;

    proptest! {
        #[test]
        fn a_secret_of_what_is_written_in_its_place_neither_stays_nor_keeps_us_busy(
            secret in "[*hiden%A0=+\\[\\]]{0,40}|[*]{0,40}|[%A0]{8,20}",
            text in "[*hiden%A0=+\\[\\] ]{0,80}",
            times in 0..4_usize,
        ) {
            let size = [u8::try_from(secret.len()).unwrap()];
            let text = [&*secret, &text, &secret.repeat(times), &text].concat();
            super::redact(&[&size, text.as_bytes()].concat());
        }
    }
}
