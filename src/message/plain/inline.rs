//! Converts the marks within a line: code, bold, links, tags and entities.
//!
//! One pass in linear time: every search ends where the next one of its kind would start.

use super::super::marks::{self, Link, Stars};

/// Appends `text`, a line or a label, without its marks.
pub(super) fn inline(text: &str, out: &mut String) {
    let mut bold = None;
    let mut at = 0;
    while let Some(next) = text[at..].find(['`', '*', '[', '!', '<', '&']) {
        out.push_str(&text[at..at + next]);
        at += next;
        let (before, rest) = text.split_at(at);
        let read = match rest.as_bytes()[0] {
            b'`' => Some(push_code(rest, out)),
            b'*' => Some(push_stars(before, rest, &mut bold, out)),
            b'<' => push_tag(rest, out),
            b'&' => push_entity(rest, out),
            _ => push_link(rest, out),
        };
        at += read.unwrap_or_else(|| {
            out.push_str(&rest[..1]);
            1
        });
    }
    out.push_str(&text[at..]);
}

/// Appends the code at the start of `text`; returns the bytes read.
fn push_code(text: &str, out: &mut String) -> usize {
    let (run, code) = marks::code(text);
    let Some(code) = code else {
        out.push_str(&text[..run]);
        return run;
    };
    out.push_str(code);
    code.len() + 2
}

/// Appends the stars at the start of `text`; returns the bytes read. Two may open bold: `open` is
/// then their position in `out`. If they close it, both pairs are dropped.
fn push_stars(before: &str, text: &str, open: &mut Option<usize>, out: &mut String) -> usize {
    let stars = Stars::read(before, text);
    if let Some(start) = open.take_if(|_| stars.close) {
        out.replace_range(start..start + 2, "");
        return stars.run;
    }
    if stars.open {
        *open = Some(out.len());
    }
    out.push_str(&text[..stars.run]);
    stars.run
}

/// Appends the link or image at the start of `text`; returns the bytes read.
fn push_link(text: &str, out: &mut String) -> Option<usize> {
    let link = Link::read(text)?;
    let start = out.len();
    inline(link.label, out);
    push_address(start, link.address, out);
    Some(link.len)
}

/// Appends an address to its label, which begins at `start` in `out`, unless the label shows it.
fn push_address(start: usize, address: &str, out: &mut String) {
    let address = htmlize::unescape_attribute(address).replace(char::is_control, "");
    let label = &out[start..];
    let is_shown = label == address || Some(label) == address.strip_prefix("mailto:");
    // The data of an image may be spelled out in the text.
    if is_shown || address.is_empty() || address.starts_with("data:") {
        return;
    }
    if label.trim().is_empty() {
        out.push_str(&address);
    } else {
        out.extend([" (", &address, ")"]);
    }
}

/// Appends the meaning of the tag at the start of `text`; returns the bytes read.
fn push_tag(text: &str, out: &mut String) -> Option<usize> {
    let inner = marks::tag(text)?;
    let is_address = inner.starts_with("http://") || inner.starts_with("https://");
    let name = marks::tag_name(inner)?;
    let meaning = match name.trim_end_matches('/') {
        "font" => "",
        "br" => "\n",
        _ if inner.eq_ignore_ascii_case("/font") => "",
        _ if marks::is_mention(inner) => inner,
        _ if is_address && !inner.contains(char::is_whitespace) => inner,
        _ => return None,
    };
    out.push_str(meaning);
    Some(inner.len() + 2)
}

/// Appends the meaning of the entity at the start of `text`; returns the bytes read.
fn push_entity(text: &str, out: &mut String) -> Option<usize> {
    let end = text
        .bytes()
        .skip(1)
        .take(32)
        .position(|it| !(it.is_ascii_alphanumeric() || it == b'#'))?
        + 1;
    let entity = text.get(..=end).filter(|it| it.ends_with(';'))?;
    let meaning = htmlize::unescape(entity);
    let is_one = meaning != entity && !meaning.contains(char::is_control);
    is_one.then(|| {
        out.push_str(&meaning);
        entity.len()
    })
}
