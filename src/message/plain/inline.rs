//! The marks within a line: emphasis, code, links, tags, entities and escapes.
//!
//! One pass. It is linear, since whatever is read ahead ends where the next of its kind would
//! begin: a tag at a `<`, a title at its quote, code at ticks that are known to be there, an
//! address after `DEPTH` brackets; and of what waits for its end the last `DEPTH` are remembered.

use std::collections::HashMap;

use super::address::{DEPTH, destination, resolved};
use super::tag::{self, Tag};

/// What a byte that is to go becomes until the end; it is none of UTF-8.
pub(super) const CUT: u8 = 0xff;

/// Longest name in double underscores (`__init__`) that is looked for, in bytes.
const NAME_MAX: usize = 64;

/// Appends `text`, a line or a cell, without its marks.
pub(super) fn inline(text: &str, out: &mut Vec<u8>) {
    let mut line = Line {
        text,
        at: 0,
        out,
        stars: Vec::new(),
        lows: Vec::new(),
        brackets: Vec::new(),
        pairs: Vec::new(),
        anchor: None,
        ticks: None,
    };
    let marks = ['\\', '`', '*', '_', '[', ']', '!', '<', '&', 'h'];
    while let Some(next) = line.rest().find(marks) {
        line.copy(next);
        line.mark();
    }
    line.copy(line.rest().len());
    line.anchor_end();
}

struct Line<'a> {
    text: &'a str,
    /// Up to here it is dealt with.
    at: usize,
    out: &'a mut Vec<u8>,
    stars: Vec<Run>,
    lows: Vec<Run>,
    /// `[` and `![`: where in `out`, and the length.
    brackets: Vec<(usize, usize)>,
    /// Tags that wait for their partners: name, where in `out`, and the length.
    pairs: Vec<(&'static str, usize, usize)>,
    /// The link that `<a>` began: where in `out`, and its address.
    anchor: Option<(usize, &'a str)>,
    /// Where the last row of so many backticks stands.
    ticks: Option<HashMap<usize, usize>>,
}

/// `*` or `_` that may begin emphasis.
struct Run {
    /// Where in the output.
    at: usize,
    length: usize,
    /// Where in the text what follows it begins.
    after: usize,
}

impl<'a> Line<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Takes the next bytes as they are.
    fn copy(&mut self, length: usize) {
        let text = &self.rest()[..length];
        self.push(text);
        self.at += length;
    }

    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn cut(&mut self, at: usize, length: usize) {
        self.out[at..at + length].fill(CUT);
    }

    fn before(&self) -> Option<char> {
        self.text[..self.at].chars().next_back()
    }

    fn mark(&mut self) {
        let rest = self.rest();
        match rest.as_bytes()[0] {
            b'\\' => self.escape(),
            b'`' => self.code(),
            b'*' => self.emphasis('*'),
            b'_' => self.emphasis('_'),
            b'[' => self.bracket(1),
            b'!' if rest.starts_with("![") => self.bracket(2),
            b']' => self.link(),
            b'<' => self.tag(),
            b'&' => self.entity(),
            b'h' if self.before().is_none_or(|c| !c.is_ascii_alphanumeric())
                && (rest.starts_with("http://") || rest.starts_with("https://")) =>
            {
                self.address();
            }
            _ => self.copy(1),
        }
    }

    fn escape(&mut self) {
        match self.rest().as_bytes().get(1) {
            Some(next) if next.is_ascii_punctuation() => {
                self.at += 1;
                self.copy(1);
            }
            _ => self.copy(1),
        }
    }

    fn entity(&mut self) {
        match tag::entity(self.rest()) {
            Some((meaning, length)) => {
                self.push(meaning);
                self.at += length;
            }
            None => self.copy(1),
        }
    }

    /// A bare address, whose `_` and `~` are its own.
    fn address(&mut self) {
        let end = |c: char| c.is_whitespace() || !c.is_ascii() || "<>\"`[]()*\\&|".contains(c);
        loop {
            let rest = self.rest();
            self.copy(rest.find(end).unwrap_or(rest.len()));
            if !self.rest().starts_with('&') {
                return;
            }
            self.entity();
        }
    }

    fn code(&mut self) {
        let text = self.text;
        let length = run(self.rest(), '`');
        let from = self.at + length;
        let last = self.ticks.get_or_insert_with(|| ticks(text)).get(&length);
        if last.is_none_or(|&last| last < from) {
            return self.copy(length);
        }
        let mut at = from;
        loop {
            at += text[at..].find('`').unwrap_or(0);
            let found = run(&text[at..], '`');
            if found == length {
                break;
            }
            at += found;
        }
        let code = &text[from..at];
        let inner = code.strip_prefix(' ').and_then(|it| it.strip_suffix(' '));
        self.push(inner.filter(|it| !it.trim().is_empty()).unwrap_or(code));
        self.at = at + length;
    }

    fn emphasis(&mut self, mark: char) {
        let length = run(self.rest(), mark);
        let before = self.before();
        let after = self.rest()[length..].chars().next();
        let (opens, closes) = flanks(mark, length, before, after);
        let (start, from) = (self.out.len(), self.at);
        self.copy(length);
        let mut left = length;
        while closes && left > 0 {
            let runs = if mark == '*' {
                &mut self.stars
            } else {
                &mut self.lows
            };
            let Some(open) = runs.pop() else { break };
            let pair = left.min(open.length);
            if mark == '_' && pair == 2 && is_name(&self.text[open.after..from]) {
                break;
            }
            self.cut(open.at + open.length - pair, pair);
            self.cut(start + length - left, pair);
            left -= pair;
            if open.length > pair {
                self.runs(mark).push(Run {
                    length: open.length - pair,
                    ..open
                });
            }
        }
        if opens && left > 0 {
            let (at, after) = (start + length - left, self.at);
            remember(
                self.runs(mark),
                Run {
                    at,
                    length: left,
                    after,
                },
            );
        }
    }

    fn runs(&mut self, mark: char) -> &mut Vec<Run> {
        if mark == '*' {
            &mut self.stars
        } else {
            &mut self.lows
        }
    }

    fn bracket(&mut self, length: usize) {
        remember(&mut self.brackets, (self.out.len(), length));
        self.copy(length);
    }

    fn link(&mut self) {
        let Some((at, length)) = self.brackets.pop() else {
            return self.copy(1);
        };
        let Some((address, end)) = destination(&self.rest()[1..]) else {
            return self.copy(1);
        };
        self.at += 1 + end;
        // An image may stand in a link, a link in nothing.
        if length == 1 {
            self.brackets.clear();
        }
        self.cut(at, length);
        self.finish_link(at + length, address);
    }

    /// Puts the address after its label, which begins at `from` in the output.
    fn finish_link(&mut self, from: usize, address: &str) {
        let address = resolved(address);
        // An image that is written out in the text.
        if address.is_empty() || address.starts_with("data:") {
            return;
        }
        let label = &self.out[from..];
        let shown = || label.iter().copied().filter(|&byte| byte != CUT);
        let mail = address.strip_prefix("mailto:").unwrap_or(&address);
        if shown().eq(address.bytes()) || shown().eq(mail.bytes()) {
            return;
        }
        if shown().all(|byte| byte.is_ascii_whitespace()) {
            self.push(&address);
        } else {
            self.push(" (");
            self.push(&address);
            self.push(")");
        }
    }

    fn anchor_end(&mut self) {
        if let Some((from, address)) = self.anchor.take() {
            self.finish_link(from, address);
        }
    }

    fn tag(&mut self) {
        let rest = &self.rest()[1..];
        let end = rest
            .find(['<', '>'])
            .filter(|&end| rest[end..].starts_with('>'));
        let Some((inner, tag)) = end.and_then(|end| Some((&rest[..end], tag::read(&rest[..end])?)))
        else {
            return self.copy(1);
        };
        let length = inner.len() + 2;
        match tag {
            Tag::Text(text) => self.push(text),
            Tag::Anchor(address) => {
                self.anchor_end();
                self.anchor = Some((self.out.len(), address));
            }
            Tag::AnchorEnd if self.anchor.is_some() => self.anchor_end(),
            Tag::AnchorEnd => return self.copy(length),
            Tag::Image(description, address) => {
                let from = self.out.len();
                self.push(description);
                self.finish_link(from, address);
            }
            Tag::Paired(name) => {
                remember(&mut self.pairs, (name, self.out.len(), length));
                return self.copy(length);
            }
            Tag::PairedEnd(name) => {
                let Some(open) = self.pairs.iter().rposition(|&(open, ..)| open == name) else {
                    return self.copy(length);
                };
                let (_, at, open) = self.pairs.remove(open);
                self.cut(at, open);
                if tag::strikes(name) {
                    self.out[at..at + 2].copy_from_slice(b"~~");
                    self.push("~~");
                }
            }
        }
        self.at += length;
    }
}

/// Adds to what waits for its end, and forgets the oldest.
fn remember<T>(waiting: &mut Vec<T>, one: T) {
    if waiting.len() == DEPTH {
        waiting.remove(0);
    }
    waiting.push(one);
}

/// How many of `mark` stand at the beginning.
fn run(text: &str, mark: char) -> usize {
    text.len() - text.trim_start_matches(mark).len()
}

/// The last place of each length of a row of backticks.
fn ticks(text: &str) -> HashMap<usize, usize> {
    let mut last = HashMap::new();
    let mut at = 0;
    while let Some(next) = text[at..].find('`') {
        at += next;
        let length = run(&text[at..], '`');
        last.insert(length, at);
        at += length;
    }
    last
}

/// Whether emphasis may begin and end here.
fn flanks(mark: char, length: usize, before: Option<char>, after: Option<char>) -> (bool, bool) {
    let spaced = |side: Option<char>| side.is_none_or(char::is_whitespace);
    let worded = |side: Option<char>| side.is_some_and(char::is_alphanumeric);
    // Chinese has no spaces around its emphasis.
    let letter = |side: Option<char>| worded(side) && side.is_some_and(|c| c < '\u{2e80}');
    // `**** secret`, `2*3*4`.
    if length > 3 || letter(before) && letter(after) {
        return (false, false);
    }
    let (opens, closes) = (!spaced(after), !spaced(before));
    match mark {
        '_' => (opens && !worded(before), closes && !worded(after)),
        // `*.log`, `/tmp/*/`.
        _ if length == 1 => (
            opens && after.is_none_or(|c| !"./,;:)|".contains(c)),
            closes,
        ),
        _ => (opens, closes),
    }
}

/// Whether the text between double underscores is a name of some programming language.
fn is_name(text: &str) -> bool {
    text.len() <= NAME_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
