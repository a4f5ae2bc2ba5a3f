//! A mail's HTML as text: what it says, line by line, and where its links lead.
//!
//! Not by a library: those that keep links bring a browser's parser along, and those that don't,
//! a table of entities whose pointers are set up at each start of a program that sends a line.
//!
//! What is no markup stays, and what is broken is read as browsers do, more or less.

mod entities;

/// What a rule becomes.
const RULE: &str = "----------";

/// Elements whose content is for programs.
const UNREAD: [&str; 5] = ["script", "style", "title", "template", "noscript"];

/// Elements that stand in lines of their own.
const LINES: [&str; 24] = [
    "address",
    "article",
    "aside",
    "body",
    "caption",
    "center",
    "dd",
    "div",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "legend",
    "li",
    "main",
    "nav",
    "option",
    "section",
    "summary",
    "tbody",
    "tr",
];

/// Elements with an empty line before and behind them.
const BLOCKS: [&str; 13] = [
    "blockquote",
    "dl",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ol",
    "p",
    "pre",
    "table",
    "ul",
];

/// How many lists within one another are told apart.
const DEPTH: usize = 32;

/// How far the end of a tag is looked for past quotes, in bytes; beyond, its first `>` ends it.
const QUOTED_MAX: usize = 4096;

/// The text of `html`.
pub(super) fn text(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    // How much is left where the last of these stands: nothing is looked for that is not there.
    let left = |end: &str| html.rfind(end).map_or(usize::MAX, |at| html.len() - at);
    let (tag_left, comment_left) = (left(">"), left("-->"));
    while let Some(at) = rest.find(['<', '&']) {
        page.words(&rest[..at]);
        rest = &rest[at..];
        if let Some((meaning, length)) = entities::read(rest) {
            page.word(&meaning);
            rest = &rest[length..];
        } else if rest.len() < tag_left {
            page.words(&rest[..1]);
            rest = &rest[1..];
        } else if let Some(behind) = passed_over(rest, rest.len() >= comment_left) {
            rest = behind;
        } else if let Some((tag, behind)) = Tag::read(rest) {
            rest = behind;
            if !tag.ends && UNREAD.contains(&&*tag.name) {
                rest = behind_end_of(&tag.name, rest);
            } else {
                page.tag(&tag);
            }
        } else {
            page.words(&rest[..1]);
            rest = &rest[1..];
        }
    }
    page.words(rest);
    page.finish()
}

/// What follows the comment or declaration that `text` begins with; one that never ends is a text.
fn passed_over(text: &str, ends: bool) -> Option<&str> {
    if let Some(comment) = text.strip_prefix("<!--") {
        let end = if ends { comment.find("-->") } else { None };
        return end.map(|at| &comment[at + 3..]);
    }
    let is_one = text.starts_with("<!") || text.starts_with("<?");
    is_one
        .then(|| text.split_once('>'))?
        .map(|(_, behind)| behind)
}

/// What follows the end of an element, whose content may look like tags.
fn behind_end_of<'a>(name: &str, text: &'a str) -> &'a str {
    let ends = text.match_indices("</").find(|(at, _)| {
        let found = text.as_bytes().get(at + 2..at + 2 + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    });
    ends.map_or("", |(at, _)| &text[at..])
}

/// A tag with its name in small letters.
struct Tag<'a> {
    name: String,
    attributes: &'a str,
    ends: bool,
}

impl<'a> Tag<'a> {
    /// Reads the tag that `text` begins with; tells what follows it.
    fn read(text: &'a str) -> Option<(Self, &'a str)> {
        let inner = text.strip_prefix('<')?;
        let (ends, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        let is_in_name = |it: char| it.is_ascii_alphanumeric() || "-:".contains(it);
        let name = &inner[..inner.find(|it| !is_in_name(it))?];
        if !name.starts_with(|it: char| it.is_ascii_alphabetic()) {
            return None;
        }
        let rest = &inner[name.len()..];
        let end = quoted_end(rest).or_else(|| rest.find('>'))?;
        let tag = Self {
            name: name.to_ascii_lowercase(),
            attributes: &rest[..end],
            ends,
        };
        Some((tag, &rest[end + 1..]))
    }

    /// The value of an attribute, its entities resolved.
    fn attribute(&self, name: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|it: char| it.is_ascii_whitespace() || it == '/');
            let end = rest.find(|it: char| it.is_ascii_whitespace() || it == '=');
            let (key, behind) = rest.split_at(end.unwrap_or(rest.len()));
            let Some(value) = behind.trim_start().strip_prefix('=') else {
                if behind.is_empty() {
                    return None;
                }
                rest = behind;
                continue;
            };
            let value = value.trim_start();
            let (value, behind) = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let value = &value[1..];
                    value.split_once(quote).unwrap_or((value, ""))
                }
                _ => value.split_at(
                    value
                        .find(|it: char| it.is_ascii_whitespace())
                        .unwrap_or(value.len()),
                ),
            };
            if key.eq_ignore_ascii_case(name) {
                return Some(entities::resolved(value.trim()));
            }
            rest = behind;
        }
    }
}

/// Where the tag ends that `text` is in, if it does so soon: not by a `>` within quotes.
fn quoted_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut begins_value = false;
    for (at, byte) in text.bytes().take(QUOTED_MAX).enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') if begins_value => quote = Some(byte),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            begins_value = byte == b'=';
        }
    }
    None
}

/// The text so far, and what is open.
#[derive(Default)]
struct Page {
    out: String,
    /// How many line ends, and whether a space, are due before the next word.
    lines: usize,
    space: bool,
    /// How many `pre` are open: there, white space is as it is.
    pre: usize,
    /// The open lists: the number of the item before, where they are numbered.
    lists: Vec<Option<u64>>,
    /// Where the open link leads, and where its text begins.
    link: Option<(String, usize)>,
}

impl Page {
    fn tag(&mut self, tag: &Tag<'_>) {
        let name = &*tag.name;
        if BLOCKS.contains(&name) {
            self.lines = self.lines.max(2);
        } else if LINES.contains(&name) {
            self.lines = self.lines.max(1);
        }
        match (name, tag.ends) {
            ("br", _) => self.line(),
            ("hr", _) => {
                self.lines = self.lines.max(1);
                self.word(RULE);
                self.lines = 1;
            }
            ("td" | "th", true) => self.space = true,
            ("pre", false) => self.pre += 1,
            ("pre", true) => self.pre = self.pre.saturating_sub(1),
            ("ul" | "ol", false) if self.lists.len() < DEPTH => {
                self.lists.push((name == "ol").then_some(0));
            }
            ("ul" | "ol", true) => drop(self.lists.pop()),
            ("li", false) => self.item(),
            ("img", _) => {
                if let Some(alt) = tag.attribute("alt").filter(|alt| !alt.is_empty()) {
                    self.words(&alt);
                }
            }
            ("a", ends) => {
                self.leave();
                let address = tag.attribute("href").filter(|_| !ends);
                self.link = address.map(|address| (address, self.out.len()));
            }
            _ => {}
        }
    }

    /// The end of a line, which stands whatever follows.
    fn line(&mut self) {
        if !self.out.is_empty() {
            self.lines += 1;
        }
    }

    fn item(&mut self) {
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{number}.")
            }
            _ => "•".to_owned(),
        };
        self.word(&mark);
        self.space = true;
    }

    /// The end of a link: where it leads, unless its text says so.
    fn leave(&mut self) {
        let Some((address, from)) = self.link.take() else {
            return;
        };
        let leads = ["http://", "https://", "ftp://"];
        let lower = address.to_ascii_lowercase();
        let said = self.out.get(from..).unwrap_or_default().trim();
        if said == address || !leads.iter().any(|it| lower.starts_with(it)) {
            return;
        }
        let bare = said.is_empty();
        self.space = true;
        self.word(&if bare {
            address
        } else {
            format!("({address})")
        });
    }

    /// A text of the page: white space in it is one space, but in `pre`.
    fn words(&mut self, text: &str) {
        if self.pre > 0 {
            for (at, line) in text.split('\n').enumerate() {
                if at > 0 {
                    self.line();
                }
                self.word(line.trim_end_matches('\r'));
            }
            return;
        }
        let blank = |it: char| it.is_ascii_whitespace();
        for (at, word) in text.split(blank).enumerate() {
            self.space |= at > 0;
            self.word(word);
        }
    }

    /// What stands as it is, behind the white space that is due.
    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if self.out.is_empty() || self.lines > 0 {
            let lines = if self.out.is_empty() { 0 } else { self.lines };
            self.out.extend(std::iter::repeat_n('\n', lines));
        } else if self.space {
            self.out.push(' ');
        }
        (self.lines, self.space) = (0, false);
        self.out.push_str(word);
    }

    fn finish(mut self) -> String {
        self.leave();
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

#[cfg(test)]
mod tests;
