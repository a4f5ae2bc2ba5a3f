//! WeCom's check of a 接收消息服务器URL: what it signs and encrypts. Sources: paths 90930 and 90968.

use aes::Aes256;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::secret::is_same;

/// The characters of a Token at random; 32 are the most. Source: path 90930.
const TOKEN_LENGTH: usize = 20;

/// The letters and digits that Token and `EncodingAESKey` consist of, in base64's order.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The characters of an `EncodingAESKey`: base64 of 32 bytes without its `=`. Source: path 90968.
const KEY_LENGTH: usize = 43;

/// The random bytes before the length of the text. Source: path 90968.
const RANDOM: usize = 16;

/// The bytes of a block of AES.
const BLOCK: usize = 16;

/// The most bytes of padding: it fills up to a multiple of 32. Source: path 90968.
const PADDING_MAX: usize = 32;

/// Base64 as keys and texts come: a random key may end in bits that are not used.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The Token and the `EncodingAESKey` of a callback, which have no `Debug`: both are secrets.
pub(crate) struct CallbackKeys {
    token: String,
    key: String,
}

/// The query of WeCom's check.
pub(crate) struct CallbackCheck {
    pub(crate) signature: String,
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
    pub(crate) echostr: String,
}

/// Why a check is not answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CallbackFault {
    /// The signature is of another Token, or of nobody.
    Signature,
    /// The text is encrypted with another key.
    Key,
    /// The check is for the company with this id.
    Company(String),
}

impl CallbackKeys {
    /// Takes a Token and an `EncodingAESKey`, or makes one at random.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub(crate) fn new(
        token: Option<String>,
        key: Option<String>,
    ) -> Result<Self, ring::error::Unspecified> {
        let key = key.map_or_else(random_key, Ok)?;
        let token = token.map_or_else(|| random(TOKEN_LENGTH), Ok)?;
        Ok(Self { token, key })
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Returns the text that answers a check for this company.
    ///
    /// # Errors
    /// Why it deserves no answer.
    pub(crate) fn answer(
        &self,
        check: &CallbackCheck,
        corpid: &str,
    ) -> Result<Vec<u8>, CallbackFault> {
        let mut signed = [
            &*self.token,
            &*check.timestamp,
            &*check.nonce,
            &*check.echostr,
        ];
        signed.sort_unstable();
        let right = digest(&SHA1_FOR_LEGACY_USE_ONLY, signed.concat().as_bytes());
        let right: Vec<String> = right
            .as_ref()
            .iter()
            .map(|it| format!("{it:02x}"))
            .collect();
        if !is_same(right.concat().as_bytes(), check.signature.as_bytes()) {
            return Err(CallbackFault::Signature);
        }
        let text = self.decrypted(&check.echostr).ok_or(CallbackFault::Key)?;
        let (text, company) = parted(&text).ok_or(CallbackFault::Key)?;
        if company != corpid.as_bytes() {
            let company = String::from_utf8_lossy(company).into_owned();
            return Err(CallbackFault::Company(company));
        }
        Ok(text.to_vec())
    }

    /// Decrypts a text, and takes the padding off.
    fn decrypted(&self, text: &str) -> Option<Vec<u8>> {
        let key: [u8; 32] = BASE64.decode(&self.key).ok()?.try_into().ok()?;
        let mut text = BASE64.decode(text).ok()?;
        if text.len() % BLOCK != 0 {
            return None;
        }
        let iv = key.first_chunk::<BLOCK>()?;
        let mut cipher = cbc::Decryptor::<Aes256>::new((&key).into(), iv.into());
        for block in text.chunks_exact_mut(BLOCK) {
            cipher.decrypt_block(block.try_into().ok()?);
        }
        let padding = usize::from(*text.last()?);
        let end = text.len().checked_sub(padding)?;
        let is_padded = (1..=PADDING_MAX).contains(&padding);
        is_padded.then(|| {
            text.truncate(end);
            text
        })
    }
}

/// Parts a decrypted text: random bytes, a length in four bytes, the text, the company's id.
fn parted(decrypted: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = decrypted.get(RANDOM..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}

/// Makes an `EncodingAESKey`; its last character holds four bits, and zeros.
fn random_key() -> Result<String, ring::error::Unspecified> {
    let mut key = random(KEY_LENGTH)?;
    let last = key.pop().unwrap_or('A');
    let at = ALPHABET.iter().position(|it| char::from(*it) == last);
    key.push(char::from(ALPHABET[at.unwrap_or_default() & !3]));
    Ok(key)
}

/// Returns letters and digits, each as likely as the others.
fn random(length: usize) -> Result<String, ring::error::Unspecified> {
    let source = SystemRandom::new();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        source.fill(&mut bytes)?;
        let found = bytes
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
        text.extend(found.take(length - text.len()).copied().map(char::from));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the official documentation.
    fn official() -> (CallbackKeys, CallbackCheck) {
        let keys = CallbackKeys {
            token: "QDG6eK".to_owned(),
            key: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".to_owned(),
        };
        let check = CallbackCheck {
            signature: "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3".to_owned(),
            timestamp: "1409659589".to_owned(),
            nonce: "263014780".to_owned(),
            echostr: "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==".to_owned(),
        };
        (keys, check)
    }

    const COMPANY: &str = "wx5823bf96d3bd56c7";

    #[test]
    fn the_official_example_is_answered_as_the_documentation_says() {
        let (keys, check) = official();
        let answer = keys.answer(&check, COMPANY);
        assert_eq!(answer.unwrap(), b"1616140317555161061");
    }

    #[test]
    fn another_signature_another_key_and_another_company_are_told_apart() {
        let (keys, mut check) = official();
        let other = keys.answer(&check, "ww1");
        assert_eq!(other, Err(CallbackFault::Company(COMPANY.to_owned())));
        let stranger = CallbackKeys {
            key: "A".repeat(KEY_LENGTH),
            token: keys.token.clone(),
        };
        let other = stranger.answer(&check, COMPANY);
        assert_eq!(other, Err(CallbackFault::Key));
        check.signature.make_ascii_uppercase();
        let other = keys.answer(&check, COMPANY);
        assert_eq!(other, Err(CallbackFault::Signature));
        check.signature.clear();
        let other = keys.answer(&check, COMPANY);
        assert_eq!(other, Err(CallbackFault::Signature));
    }

    #[test]
    fn keys_at_random_are_of_the_documented_form_and_never_the_same() {
        let keys = CallbackKeys::new(None, None).unwrap();
        let others = CallbackKeys::new(None, None).unwrap();
        assert!(keys.token() != others.token() && keys.key() != others.key());
        for _ in 0..100 {
            let key = random_key().unwrap();
            assert_eq!(key.len(), KEY_LENGTH);
            // A strict reader takes it, too.
            let strict = base64::engine::general_purpose::STANDARD.decode(key + "=");
            assert_eq!(strict.unwrap().len(), 32);
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_decryption(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let (keys, _) = official();
            let _ = keys.decrypted(&text);
            if let Some(text) = keys.decrypted(&BASE64.encode(&bytes)) {
                let _ = parted(&text);
            }
        }
    }
}
