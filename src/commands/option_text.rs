//! Texts for people, from options and input, in any encoding.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::message::Encoding;
use crate::message::input::Input;
use crate::text::message as words;

/// Decodes the text of an option: UTF-8, else in the encoding of the input. Warns of characters
/// that are neither, and replaces them.
pub(super) fn option_text(option: &str, given: &OsStr, encoding: Option<Encoding>) -> String {
    if let Some(text) = given.to_str() {
        return text.to_owned();
    }
    let input = Input::decoded(given.as_bytes(), encoding).expect("an option is in memory");
    warn_of_replaced(option, &input, encoding);
    input.text
}

/// Warns of characters of a text that could not be decoded.
pub(super) fn warn_of_replaced(what: &str, input: &Input, encoding: Option<Encoding>) {
    match (input.replaced, encoding) {
        (0, _) => {}
        (count, Some(_)) => tracing::warn!("{}", words::not_in_encoding(what, count)),
        (count, None) => tracing::warn!("{}", words::not_utf8(what, count)),
    }
}
