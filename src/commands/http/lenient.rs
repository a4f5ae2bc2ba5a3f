//! JSON whose texts are no Unicode: a client that cuts a text in two, or writes another encoding.

/// How many bytes `\uXXXX` has.
const ESCAPE: usize = 6;

/// Returns a JSON in which U+FFFD stands for what is no Unicode.
pub(super) fn unicode(json: &[u8]) -> String {
    let json = String::from_utf8_lossy(json);
    let mut mended = String::with_capacity(json.len());
    let mut rest = &*json;
    while let Some(at) = rest.find('\\') {
        mended += &rest[..at];
        rest = &rest[at..];
        let unit = unit(rest);
        let pair = unit.zip(rest.get(ESCAPE..).and_then(self::unit));
        let length = match (unit, pair) {
            (_, Some((0xd800..=0xdbff, 0xdc00..=0xdfff))) => 2 * ESCAPE,
            (Some(0xd800..=0xdfff), _) => {
                mended.push('\u{fffd}');
                rest = &rest[ESCAPE..];
                continue;
            }
            (Some(_), _) => ESCAPE,
            // A backslash and what it escapes.
            (None, _) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        mended += &rest[..length];
        rest = &rest[length..];
    }
    mended + rest
}

/// Returns the UTF-16 unit that a text begins with, if that is an escape.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..ESCAPE - 2)?;
    u16::from_str_radix(digits, 16).ok()
}
