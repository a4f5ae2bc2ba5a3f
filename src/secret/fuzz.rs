//! The check of the fuzz targets for all output.

/// A secret in WeCom's format, of which no error may show a piece. It has no eight digits in a row:
/// an errcode is shown, and could match them.
pub(crate) const SECRET: &str = "Zy7-qP_0aBcDeFgHiJkLmNoPqRsTuVwXyZ01x23y45z";

/// Whether a text shows eight consecutive characters of the secret.
pub(crate) fn shows_secret(text: &str) -> bool {
    let mut pieces = (8..=SECRET.len()).map(|end| &SECRET[end - 8..end]);
    pieces.any(|piece| text.contains(piece))
}
