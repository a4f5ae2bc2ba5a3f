//! Converts the HTML of a mail to text, line by line, with the addresses of its links.
//!
//! Text that is not markup is kept. Broken markup is parsed roughly as browsers do.

mod tag;

use tag::Tag;

/// The text of a horizontal rule.
const RULE: &str = "----------";

/// The elements whose content is for programs.
const UNREAD: [&str; 2] = ["script", "style"];

/// The elements whose content is text that the page does not show.
const UNSHOWN: [&str; 2] = ["title", "template"];

/// The elements on lines of their own.
const LINES: [&str; 17] = [
    "address", "article", "aside", "body", "caption", "center", "dd", "div", "dt", "footer",
    "form", "header", "li", "main", "nav", "section", "tr",
];

/// The elements with an empty line before and after them.
const BLOCKS: [&str; 12] = [
    "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul",
];

/// The most nested lists whose numbers are counted.
const DEPTH: usize = 32;

/// Whether a text has a tag in it.
pub(crate) fn has_tags(text: &str) -> bool {
    // Behind the last end, each opening would be searched for one in vain.
    let text = &text[..text.rfind('>').map_or(0, |end| end + 1)];
    let mut opens = text.match_indices('<');
    opens.any(|(at, _)| Tag::read(&text[at..], false).is_some())
}

/// Returns the text of `html`, or its source if it has none: nothing that was written is lost.
pub(crate) fn text(html: &str) -> String {
    let text = words(html);
    if text.trim().is_empty() {
        html.trim().to_owned()
    } else {
        text
    }
}

/// Returns the text of `html`; if it shows none, what text it has beside that, such as its title.
pub(crate) fn words(html: &str) -> String {
    let shown = read(html, false);
    if shown.trim().is_empty() {
        read(html, true)
    } else {
        shown
    }
}

/// Returns the text of `html`, with `all` also what the page does not show.
fn read(html: &str, all: bool) -> String {
    let mut page = Page::default();
    let mut rest = html;
    let mut drawings = 0;
    // The elements that have begun and never end: what follows is all that there is.
    let mut endless: Vec<String> = Vec::new();
    // A search never goes past the last occurrence: that would take quadratic time.
    let left = |end: &str| html.rfind(end).map_or(usize::MAX, |at| html.len() - at);
    let (tag_left, data_left) = (left(">"), left("]]>"));
    let comment_left = left("-->").min(left("--!>"));
    while let Some(at) = rest.find('<') {
        page.words(&htmlize::unescape(&rest[..at]));
        rest = &rest[at..];
        if rest.len() < tag_left {
            break;
        }
        let data = rest
            .strip_prefix("<![CDATA[")
            .filter(|_| rest.len() >= data_left);
        if let Some((data, behind)) = data.and_then(|it| it.split_once("]]>")) {
            page.words(data);
            rest = behind;
        } else if let Some(behind) = skip_comment(rest, rest.len() >= comment_left) {
            rest = behind;
        } else if let Some((tag, behind)) = Tag::read(rest, drawings > 0) {
            drawings = tag.drawings(drawings);
            rest = behind;
            let name = &&*tag.name;
            let is_unread = UNREAD.contains(name) || !all && UNSHOWN.contains(name);
            if !tag.ends && is_unread && !endless.contains(&tag.name) {
                match skip_content(&tag.name, rest) {
                    Some(behind) => rest = behind,
                    None => endless.push(tag.name),
                }
            } else {
                page.tag(&tag);
                if all && *name == "input" {
                    page.words(&tag.attribute("value").unwrap_or_default());
                }
            }
        } else {
            page.words("<");
            rest = &rest[1..];
        }
    }
    page.words(&htmlize::unescape(rest));
    page.finish()
}

/// Skips the comment or declaration at the start of `text`, if it ends.
fn skip_comment(text: &str, ends: bool) -> Option<&str> {
    let is_comment = text.starts_with("<!--");
    if is_comment && !ends || !text[1..].starts_with(['!', '?']) {
        return None;
    }
    // Source: HTML's "comment end bang state".
    let ends_it = |at: usize| text[..at].ends_with("--") || text[4..at].ends_with("--!");
    let mut closed = text.match_indices('>').map(|(at, _)| at);
    let end = closed.find(|at| !is_comment || ends_it(*at))?;
    Some(&text[end + 1..])
}

/// Skips the content of an element, which may look like tags; `None` if it never ends.
fn skip_content<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    let ends = text.match_indices("</").find(|(at, _)| {
        let found = text.as_bytes().get(at + 2..at + 2 + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    });
    ends.map(|(at, _)| &text[at..])
}

/// The text so far, and the open elements.
#[derive(Default)]
struct Page {
    out: String,
    /// The number of line ends due before the next word.
    lines: usize,
    /// Whether a space is due before the next word.
    space: bool,
    /// The number of open `pre` elements, which keep white space.
    pre: usize,
    /// The open lists, with the last number of numbered ones.
    lists: Vec<Option<u64>>,
    /// The address of the open link, and the position of its text.
    link: Option<(String, usize)>,
}

impl Page {
    fn tag(&mut self, tag: &Tag<'_>) {
        let name = &*tag.name;
        if BLOCKS.contains(&name) || name == "blockquote" {
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
            ("img", _) => self.words(&tag.attribute("alt").unwrap_or_default()),
            ("a", ends) => {
                self.end_link();
                let address = tag.attribute("href").filter(|_| !ends);
                self.link = address.map(|address| (address, self.out.len()));
            }
            _ => {}
        }
    }

    /// Ends a line, whatever follows.
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

    /// Ends a link: appends its address, unless its text is the address.
    fn end_link(&mut self) {
        let Some((address, from)) = self.link.take() else {
            return;
        };
        let lower = address.to_ascii_lowercase();
        let is_web = ["http://", "https://", "ftp://"]
            .iter()
            .any(|scheme| lower.starts_with(scheme));
        let text = self.out.get(from..).unwrap_or_default().trim();
        if text == address || !is_web {
            return;
        }
        let is_bare = text.is_empty();
        self.space = true;
        self.word(&if is_bare {
            address
        } else {
            format!("({address})")
        });
    }

    /// Appends text of the page. Outside `pre`, a run of white space becomes one space.
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
        for (at, word) in text.split(|it: char| it.is_ascii_whitespace()).enumerate() {
            self.space |= at > 0;
            self.word(word);
        }
    }

    /// Appends a word, after the white space that is due.
    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if self.out.is_empty() {
            // The text starts without white space.
        } else if self.lines > 0 {
            self.out.extend(std::iter::repeat_n('\n', self.lines));
        } else if self.space {
            self.out.push(' ');
        }
        (self.lines, self.space) = (0, false);
        self.out.push_str(word);
    }

    fn finish(mut self) -> String {
        self.end_link();
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

#[cfg(test)]
mod tests;
