//! Markdown as text that reads well where nothing is rendered: in ordinary WeChat.
//!
//! WeCom's dialect and what people write besides: a newline ends a line and whatever was open in
//! it, there are no blocks of HTML and no indented code. What is not surely markup stays to the byte:
//! marks that are left standing are ugly, but a lost `*` or `<name>` is a wrong message.
//!
//! Not by pulldown-cmark: it adds 330 KB, and `CommonMark` joins and trims lines, takes an indented line
//! for code and `2*3*4` for emphasis, and the original text between its events is gone.
//!
//! Linear: lines are looked at once, and once more where a table might begin; see `inline` for
//! what is in them. The result is at most three times as long, which takes a table of empty cells
//! or a page of rules.

mod address;
mod inline;
mod table;
mod tag;

use inline::{CUT, inline};
use table::Table;

/// What a rule becomes.
const RULE: &str = "----------";

/// The text of `markdown` without its marks, links as `label (url)`.
pub(crate) fn plain(markdown: &str) -> String {
    let mut page = Page {
        out: Vec::with_capacity(markdown.len()),
        begun: false,
        fence: None,
        table: Table::None,
    };
    let mut lines = markdown.split('\n').peekable();
    while let Some(line) = lines.next() {
        page.line(line, lines.peek().copied());
    }
    page.out.retain(|&byte| byte != CUT);
    String::from_utf8(page.out).expect("what was cut is ASCII")
}

/// The text so far, and what the lines before have begun.
struct Page {
    out: Vec<u8>,
    begun: bool,
    fence: Option<Fence>,
    table: Table,
}

impl Page {
    fn line(&mut self, line: &str, next: Option<&str>) {
        let (line, end) = match line.strip_suffix('\r') {
            Some(line) => (line, "\r"),
            None => (line, ""),
        };
        let (quote, rest) = quoted(line);
        if let Some(fence) = &self.fence {
            if fence.quoted && quote.is_empty() {
                self.fence = None;
            } else if fence.ends(if fence.quoted { rest } else { line }) {
                self.fence = None;
                return;
            } else {
                self.begin(line);
                self.push(end);
                return;
            }
        }
        self.fence = Fence::begins(rest, !quote.is_empty());
        if self.fence.is_some() {
            self.table = Table::None;
            return;
        }
        self.table = self.table.next(rest, next.map(|next| quoted(next).1));
        let (start, begun) = (self.out.len(), self.begun);
        if self.table == Table::Separator {
            return;
        }
        self.begin(quote);
        let from = self.out.len();
        if self.table == Table::None {
            self.block(rest);
        } else {
            for (at, cell) in table::cells(rest).enumerate() {
                self.push(if at == 0 { "" } else { " | " });
                inline(cell, &mut self.out);
            }
        }
        // A line of tags alone, such as the `</font>` of a paragraph, was no line of the text.
        let blank = |byte: &u8| matches!(*byte, CUT | b' ' | b'\t');
        if rest.trim_start().starts_with('<') && self.out[from..].iter().all(blank) {
            self.out.truncate(start);
            self.begun = begun;
            return;
        }
        self.push(end);
    }

    /// A line that is neither fenced nor of a table, without its quote marks.
    fn block(&mut self, line: &str) {
        if let Some(rule) = rule(line) {
            self.push(rule);
        } else if let Some((level, title)) = heading(line) {
            // Titles of alerts often bring brackets of their own.
            let bare = level > 2 || title.is_empty() || title.contains('【');
            self.push(if bare { "" } else { "【" });
            inline(title, &mut self.out);
            self.push(if bare { "" } else { "】" });
        } else if let Some((indent, mark, item)) = bullet(line) {
            self.push(indent);
            self.push(mark);
            inline(item, &mut self.out);
        } else {
            inline(line, &mut self.out);
        }
    }

    /// A new line that begins with `text`.
    fn begin(&mut self, text: &str) {
        if self.begun {
            self.out.push(b'\n');
        }
        self.begun = true;
        self.push(text);
    }

    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// Lines between two rows of backticks or tildes: code, kept as it is.
struct Fence {
    mark: char,
    length: usize,
    /// It began in a quote, and ends with it.
    quoted: bool,
}

impl Fence {
    /// Deep in a list as well, so at any indent.
    fn begins(line: &str, quoted: bool) -> Option<Self> {
        let line = line.trim_start();
        let mark = line.chars().next().filter(|mark| "`~".contains(*mark))?;
        let info = line.trim_start_matches(mark);
        let length = line.len() - info.len();
        // With a backtick after it, it is code within the line.
        (length >= 3 && !info.contains('`')).then_some(Self {
            mark,
            length,
            quoted,
        })
    }

    fn ends(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.length && line.chars().all(|mark| mark == self.mark)
    }
}

/// A line's quote marks, which stay as they are: everybody knows `> ` from mail.
fn quoted(line: &str) -> (&str, &str) {
    let mut rest = line;
    while let Some(inner) = unindented(rest).and_then(|inner| inner.strip_prefix('>')) {
        rest = inner.strip_prefix(' ').unwrap_or(inner);
    }
    line.split_at(line.len() - rest.len())
}

/// The line without an indent of at most three spaces.
fn unindented(line: &str) -> Option<&str> {
    let inner = line.trim_start_matches(' ');
    (line.len() - inner.len() <= 3).then_some(inner)
}

/// What a line of three or more `-`, `*` or `_` becomes; a long one of dashes stays.
fn rule(line: &str) -> Option<&str> {
    let line = unindented(line)?.trim_end();
    let mark = line.chars().next().filter(|mark| "-*_".contains(*mark))?;
    let mut marks = 0;
    for character in line.chars() {
        if character == mark {
            marks += 1;
        } else if !matches!(character, ' ' | '\t') {
            return None;
        }
    }
    let dashes = mark == '-' && marks == line.len();
    if marks < 3 {
        None
    } else if dashes && marks > 3 {
        Some(line)
    } else {
        Some(RULE)
    }
}

/// Level and title of a heading.
fn heading(line: &str) -> Option<(usize, &str)> {
    let line = unindented(line)?;
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    if !(1..=6).contains(&level) || !(title.is_empty() || title.starts_with([' ', '\t'])) {
        return None;
    }
    let title = title.trim();
    let closed = title.trim_end_matches('#');
    if closed.is_empty() || closed.ends_with([' ', '\t']) {
        return Some((level, closed.trim_end()));
    }
    Some((level, title))
}

/// Indent, new mark and content of an item. Numbers, and `+` as in a diff, stay.
fn bullet(line: &str) -> Option<(&str, &str, &str)> {
    let marked = line.trim_start();
    let indent = &line[..line.len() - marked.len()];
    let item = marked.strip_prefix(['-', '*'])?;
    if !item.starts_with([' ', '\t']) {
        return None;
    }
    let item = item.trim_start();
    // `* * * * *` begins a line of a crontab.
    if item.is_empty() || marked.starts_with('*') && item.starts_with("* ") {
        return None;
    }
    for (task, mark) in [("[ ] ", "☐ "), ("[x] ", "☑ "), ("[X] ", "☑ ")] {
        if let Some(item) = item.strip_prefix(task) {
            return Some((indent, mark, item));
        }
    }
    Some((indent, "• ", item))
}

#[cfg(test)]
mod tests;
