//! Converts markdown to text for ordinary WeChat, which does not render it.
//!
//! Only WeCom's own marks are converted: headings, `**bold**`, links, `` `code` ``, quotes,
//! `<font>` and `<@userid>`; also fences, images, `<br>` and entities, which people write as well.
//! Everything else is kept to the byte, as WeCom shows it: a mark left in is ugly, but a lost `*`
//! or `<name>` is a wrong message.

mod inline;

use inline::inline;

/// Returns the text of `markdown` without its marks, and with links as `label (url)`.
pub(crate) fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut fence = None;
    for whole in markdown.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\r', '\n']);
        match (fence, fence_mark(line)) {
            (Some(open), Some((mark, info))) if open == mark && info.is_empty() => fence = None,
            (Some(_), _) => out.push_str(whole),
            (None, Some((mark, _))) => fence = Some(mark),
            (None, None) => push_line(&mut out, line, &whole[line.len()..]),
        }
    }
    // The line end before a dropped last line.
    if out.ends_with('\n') && !markdown.ends_with('\n') {
        out.pop();
    }
    out
}

/// Parses a line that begins or ends a block of code: its first mark, and the text after the marks.
fn fence_mark(line: &str) -> Option<(char, &str)> {
    let line = line.trim();
    let mark = line.chars().next().filter(|mark| "`~".contains(*mark))?;
    let info = line.trim_start_matches(mark);
    // With a backtick after them, they enclose code within the line.
    (line.len() - info.len() >= 3 && !info.contains('`')).then_some((mark, info))
}

/// Appends a line outside code, and its end.
fn push_line(out: &mut String, line: &str, end: &str) {
    let (quote, rest) = split_quote(line);
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

/// Splits off the quote marks, which are kept: everybody knows `> ` from mail.
fn split_quote(line: &str) -> (&str, &str) {
    let rest = line.trim_start_matches(['>', ' ']);
    let marks = line.len() - rest.len();
    if line.trim_start().starts_with('>') {
        line.split_at(marks)
    } else {
        ("", line)
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
