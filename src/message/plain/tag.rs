//! What stands in angle brackets: tags of HTML, mentions, addresses; and entities.

use super::RULE;

/// What `<…>` means.
pub(super) enum Tag<'a> {
    /// It becomes this text.
    Text(&'a str),
    /// A link begins, to this address.
    Anchor(&'a str),
    /// A link ends.
    AnchorEnd,
    /// Description and address.
    Image(&'a str, &'a str),
    /// It goes if its partner stands in the same line, for it might be a placeholder: `<code>`.
    Paired(&'static str),
    /// The partner.
    PairedEnd(&'static str),
}

/// Names that mean a tag wherever they stand, and what becomes of tag and end tag.
const SURE: [(&str, &str, &str); 21] = [
    ("blockquote", "", ""),
    ("br", "\n", ""),
    ("center", "", ""),
    ("details", "", ""),
    ("div", "", ""),
    ("em", "", ""),
    ("font", "", ""),
    ("hr", RULE, ""),
    ("li", "• ", ""),
    ("ol", "", ""),
    ("span", "", ""),
    ("strong", "", ""),
    ("sub", "", ""),
    ("summary", "", ""),
    ("sup", "", ""),
    ("tbody", "", ""),
    ("td", "", " "),
    ("th", "", " "),
    ("thead", "", ""),
    ("tr", "", ""),
    ("ul", "", ""),
];

/// Names that may be placeholders too.
const PAIRED: [&str; 22] = [
    "b", "big", "code", "del", "h1", "h2", "h3", "h4", "h5", "h6", "i", "ins", "kbd", "mark", "p",
    "pre", "q", "s", "small", "strike", "table", "u",
];

/// Whether a tag strikes text out, which must not read as if it still held.
pub(super) fn strikes(name: &str) -> bool {
    matches!(name, "del" | "s" | "strike")
}

/// Reads what stands between `<` and `>`.
pub(super) fn read(inner: &str) -> Option<Tag<'_>> {
    let userid = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if let Some(user) = inner.strip_prefix('@') {
        return (!user.is_empty() && user.chars().all(userid)).then_some(Tag::Text(inner));
    }
    if inner.starts_with("http://") || inner.starts_with("https://") {
        return (!inner.contains(char::is_whitespace)).then_some(Tag::Text(inner));
    }
    if inner.len() >= 5 && inner.starts_with("!--") && inner.ends_with("--") {
        return Some(Tag::Text(""));
    }
    let (end, rest) = match inner.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, inner),
    };
    let length = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric());
    let (name, rest) = rest.split_at(length.unwrap_or(rest.len()));
    if !(rest.is_empty() || rest == "/" || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if let Some((_, begin, close)) = SURE.iter().find(|(known, ..)| is(known)) {
        return Some(Tag::Text(if end { close } else { begin }));
    }
    if let Some(name) = PAIRED.into_iter().find(|known| is(known)) {
        return Some(if end {
            Tag::PairedEnd(name)
        } else {
            Tag::Paired(name)
        });
    }
    match (is("a"), is("img"), end) {
        (true, _, true) => Some(Tag::AnchorEnd),
        (true, _, false) => attribute(rest, "href").map(Tag::Anchor),
        (_, true, false) => {
            let address = attribute(rest, "src")?;
            Some(Tag::Image(attribute(rest, "alt").unwrap_or(""), address))
        }
        _ => None,
    }
}

/// The value of an attribute, in quotes or not.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let at = tag
        .to_ascii_lowercase()
        .replace('\t', " ")
        .find(&format!(" {name}="))?;
    let value = &tag[at + name.len() + 2..];
    match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next(),
        _ => value.split_whitespace().next(),
    }
}

/// The entity that `text` begins with: what it means, and its length.
pub(super) fn entity(text: &str) -> Option<(&'static str, usize)> {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&nbsp;", " "),
    ]
    .into_iter()
    .find(|(entity, _)| text.starts_with(entity))
    .map(|(entity, meaning)| (meaning, entity.len()))
}
