//! What the fuzzer's targets look for in all that is said.

/// A secret as WeCom makes them, which no error may show a piece of. It has no eight digits in a
/// row: an errcode is shown, and could be those.
pub(crate) const SECRET: &str = "Zy7-qP_0aBcDeFgHiJkLmNoPqRsTuVwXyZ01x23y45z";

/// Whether a text shows eight characters of the secret that stand in a row.
pub(crate) fn shows_secret(text: &str) -> bool {
    let mut pieces = (8..=SECRET.len()).map(|end| &SECRET[end - 8..end]);
    pieces.any(|piece| text.contains(piece))
}
