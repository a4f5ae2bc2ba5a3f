//! Converts markdown to text for ordinary WeChat, which does not render it.
//!
//! Only WeCom's own marks are converted: headings, `**bold**`, links, `` `code` ``, quotes,
//! `<font>` and `<@userid>`; also fences, images, `<br>` and entities, which people write as well.
//! Everything else is kept to the byte, as WeCom shows it: a mark left in is ugly, but a lost `*`
//! or `<name>` is a wrong message.

mod inline;

use super::marks;
use inline::inline;

/// Returns the text of `markdown` without its marks, and with links as `label (url)`; as it is if it
/// consists of marks.
pub(crate) fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut fence = None;
    for whole in markdown.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\r', '\n']);
        match (fence, marks::fence(line)) {
            (Some(open), _) if marks::ends_fence(open, line) => fence = None,
            (Some(_), _) => out.push_str(whole),
            (None, Some((open, _))) => fence = Some(open),
            (None, None) => push_line(&mut out, line, &whole[line.len()..]),
        }
    }
    // The line end before a dropped last line.
    if out.ends_with('\n') && !markdown.ends_with('\n') {
        out.pop();
    }
    if out.trim().is_empty() {
        return markdown.to_owned();
    }
    out
}

/// Appends a line outside code, and its end.
fn push_line(out: &mut String, line: &str, end: &str) {
    // Quote marks are kept: everybody knows `> ` from mail.
    let (quote, rest) = marks::split_quote(line);
    let start = out.len();
    out.push_str(quote);
    match heading(rest) {
        // Titles of alerts often contain brackets of their own.
        Some((level, title)) if level <= 2 && !title.is_empty() && !title.contains('【') => {
            out.push('【');
            inline(title, out);
            out.push('】');
        }
        Some((_, title)) => inline(title, out),
        None => inline(rest, out),
    }
    // A line of tags only, such as the `</font>` of a paragraph, is dropped.
    let text = &out[start + quote.len()..];
    if rest.trim_start().starts_with('<') && text.trim_matches([' ', '\t']).is_empty() {
        out.truncate(start);
    } else {
        out.push_str(end);
    }
}

/// Parses the level and the title of a heading.
fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    let is_one = (1..=6).contains(&level) && title.starts_with([' ', '\t']);
    is_one.then(|| (level, title.trim()))
}

#[cfg(test)]
mod tests;
