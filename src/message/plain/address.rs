//! The address of a link or an image: `(address "title")`.

use super::tag;

/// How many openings are remembered, here and in `inline`.
pub(super) const DEPTH: usize = 32;

/// The address in the brackets that `text` begins with, and where they end. A title is passed over.
pub(super) fn destination(text: &str) -> Option<(&str, usize)> {
    let spaces = [' ', '\t'];
    let inner = text.strip_prefix('(')?.trim_start_matches(spaces);
    let (address, rest) = match inner.strip_prefix('<') {
        Some(angled) => {
            let end = angled.find(['<', '>'])?;
            (&angled[..end], angled[end..].strip_prefix('>')?)
        }
        None => inner.split_at(address_end(inner)?),
    };
    let mut rest = rest.trim_start_matches(spaces);
    if let Some(quote) = rest.chars().next().filter(|quote| "\"'".contains(*quote)) {
        let title = &rest[1..];
        rest = title[title.find(quote)? + 1..].trim_start_matches(spaces);
    }
    Some((address, text.len() - rest.strip_prefix(')')?.len()))
}

/// Where an address ends that has no angle brackets around it.
///
/// Unended ones within one another each add to the depth, so no byte is read by more than `DEPTH`.
fn address_end(text: &str) -> Option<usize> {
    let (mut depth, mut escaped) = (0, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if character.is_whitespace() => return (depth == 0).then_some(at),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' if depth == DEPTH => return None,
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// An address without escapes and entities.
pub(super) fn resolved(address: &str) -> String {
    let mut resolved = String::with_capacity(address.len());
    let mut rest = address;
    while let Some(next) = rest.find(['\\', '&']) {
        resolved.push_str(&rest[..next]);
        rest = &rest[next..];
        if let Some((meaning, length)) = tag::entity(rest) {
            resolved.push_str(meaning);
            rest = &rest[length..];
            continue;
        }
        let escapes =
            rest.starts_with('\\') && rest[1..].starts_with(|c: char| c.is_ascii_punctuation());
        let kept = &rest[usize::from(escapes)..];
        resolved.push_str(&kept[..1]);
        rest = &kept[1..];
    }
    resolved + rest
}
