//! Entities of HTML, such as `&amp;` and `&#8364;`.

use std::borrow::Cow;

/// The names and what they mean, from the HTML standard; in the order of their bytes.
const NAMED: &str = include_str!("entities.tsv");

/// Names that mean something without a `;`, as people write them.
const BARE: [&str; 6] = ["amp", "copy", "gt", "lt", "nbsp", "quot"];

/// The longest name, in bytes.
const NAME_MAX: usize = 31;

/// The entity that `text` begins with: what it means, and its length.
pub(super) fn read(text: &str) -> Option<(Cow<'static, str>, usize)> {
    let inner = text.strip_prefix('&')?;
    if let Some(number) = inner.strip_prefix('#') {
        return numbered(number).map(|(it, length)| (it.to_string().into(), length + 2));
    }
    let not_in_name = |it: char| !it.is_ascii_alphanumeric();
    let end = inner.find(not_in_name).unwrap_or(inner.len());
    let name = inner.get(..end.min(NAME_MAX + 1))?;
    let ends = inner[end..].starts_with(';');
    if !ends && !BARE.contains(&name) {
        return None;
    }
    Some((named(name)?.into(), 1 + end + usize::from(ends)))
}

/// A text with its entities resolved.
pub(super) fn resolved(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        resolved.push_str(&rest[..at]);
        let (meaning, length) = read(&rest[at..]).unwrap_or(("&".into(), 1));
        resolved.push_str(&meaning);
        rest = &rest[at + length..];
    }
    resolved + rest
}

/// The character of a number in tens, or in sixteens behind an `x`; and the length of that.
fn numbered(text: &str) -> Option<(char, usize)> {
    let (digits, radix) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let end = digits.find(|it: char| !it.is_digit(radix));
    let digits = &digits[..end.unwrap_or(digits.len())];
    if digits.is_empty() {
        return None;
    }
    let length =
        text.len() - text[..].strip_prefix(['x', 'X']).unwrap_or(text).len() + digits.len();
    let ends = usize::from(text[length..].starts_with(';'));
    let number = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    let meant = match number {
        0 => char::REPLACEMENT_CHARACTER,
        // As browsers do: these were meant in Windows' own encoding.
        0x80..=0x9f => windows_1252(number),
        _ => char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some((meant, length + ends))
}

fn windows_1252(number: u32) -> char {
    let byte = [u8::try_from(number).unwrap_or(b'?')];
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte);
    text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// What a name means.
fn named(name: &str) -> Option<&'static str> {
    let mut table = NAMED;
    while !table.is_empty() {
        let middle = table.floor_char_boundary(table.len() / 2);
        let from = table[..middle].rfind('\n').map_or(0, |end| end + 1);
        let to = table[from..]
            .find('\n')
            .map_or(table.len(), |end| from + end);
        let (known, meaning) = table[from..to].split_once('\t')?;
        match name.cmp(known) {
            std::cmp::Ordering::Equal => return Some(meaning),
            std::cmp::Ordering::Less => table = &table[..from],
            std::cmp::Ordering::Greater => table = table.get(to + 1..).unwrap_or_default(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_they_are_in_order() {
        let mut last = "";
        for line in NAMED.lines() {
            let (name, meaning) = line.split_once('\t').unwrap();
            assert!(last < name && name.len() <= NAME_MAX, "{last} {name}");
            assert_eq!(named(name), Some(meaning));
            assert_eq!(
                named(&format!("{name}x")).is_some(),
                NAMED.contains(&format!("\n{name}x\t"))
            );
            last = name;
        }
        assert_eq!(named(""), None);
    }

    #[test]
    fn entities_are_read_as_browsers_do() {
        for (text, meaning) in [
            ("&amp;&lt;b&gt;", "&<b>"),
            ("&amp &ampx &copy2", "& &ampx &copy2"),
            ("&#8364;&#x20ac;&#X20AC", "€€€"),
            ("&#128;&#150;", "€–"),
            ("&#0;&#xd800;&#99999999999;", "\u{fffd}\u{fffd}\u{fffd}"),
            ("&#;&#x;&;&nosuchname;&", "&#;&#x;&;&nosuchname;&"),
            ("&NotEqualTilde;&eacute;", "\u{2242}\u{338}é"),
            ("a=1&b=2", "a=1&b=2"),
        ] {
            assert_eq!(resolved(text), meaning, "{text}");
        }
    }
}
