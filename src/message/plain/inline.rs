//! Converts the marks within a line: code, bold, links, tags and entities.
//!
//! One pass in linear time: every search ends where the next one of its kind would start.

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
    let inner = text.trim_start_matches('`');
    let run = text.len() - inner.len();
    let code = (run == 1).then(|| inner.split_once('`')).flatten();
    let Some((code, _)) = code else {
        out.push_str(&text[..run]);
        return run;
    };
    out.push_str(code);
    code.len() + 2
}

/// Appends the stars at the start of `text`; returns the bytes read. Two may open bold: `open` is
/// then their position in `out`. If they close it, both pairs are dropped.
fn push_stars(before: &str, text: &str, open: &mut Option<usize>, out: &mut String) -> usize {
    let behind = text.trim_start_matches('*');
    let run = text.len() - behind.len();
    let (last, next) = (before.chars().next_back(), behind.chars().next());
    let is_space = |it: Option<char>| it.is_none_or(char::is_whitespace);
    // Chinese has no spaces around bold text.
    let is_letter = |it: Option<char>| it.is_some_and(|it| it.is_alphanumeric() && it < '\u{2e80}');
    // Plain stars: `**** secret`, `2**10`.
    if run == 2 && !(is_letter(last) && is_letter(next)) {
        if let Some(start) = open.take_if(|_| !is_space(last)) {
            out.replace_range(start..start + 2, "");
            return run;
        }
        if !is_space(next) {
            *open = Some(out.len());
        }
    }
    out.push_str(&text[..run]);
    run
}

/// Appends the link or image at the start of `text`; returns the bytes read.
fn push_link(text: &str, out: &mut String) -> Option<usize> {
    let inner = text.strip_prefix('!').unwrap_or(text).strip_prefix('[')?;
    let label = &inner[..inner.find(['[', ']'])?];
    let target = inner[label.len()..].strip_prefix("](")?;
    let address = &target[..address_end(target)?];
    let start = out.len();
    inline(label, out);
    push_address(start, address, out);
    Some(text.len() - target.len() + address.len() + 1)
}

/// Finds the bracket that closes an address, which may contain pairs of brackets.
fn address_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            '[' | '<' => return None,
            _ if character.is_whitespace() => return None,
            _ => {}
        }
    }
    None
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
    let inner = &text[1..];
    let end = inner.find(['<', '>'])?;
    let inner = inner[end..].starts_with('>').then(|| &inner[..end])?;
    let is_userid = |it: char| it.is_ascii_alphanumeric() || "-_.@".contains(it);
    let is_address = inner.starts_with("http://") || inner.starts_with("https://");
    let name = inner.split_ascii_whitespace().next()?.trim_end_matches('/');
    let meaning = match &*name.to_ascii_lowercase() {
        "font" => "",
        "br" => "\n",
        _ if inner.eq_ignore_ascii_case("/font") => "",
        _ if inner.len() > 1 && inner.starts_with('@') && inner.chars().all(is_userid) => inner,
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
