//! What is open where in a text, and where it had better not be cut: one pass over its lines.
//!
//! It knows the markup that WeCom obeys, and no other: in a text `<a href>`, in markdown `<font>`
//! and WeCom's own marks. Tables and fences, of which only `markdown_v2` makes something, are
//! kept whole in either markdown: there they are read as they were typed.

use super::super::TextKind;
use super::super::marks::{self, Link, Stars};

/// The share of a part that all that is open at once may take. What would take more, such as a
/// table with a huge header, is not opened again.
const OPEN_SHARE: usize = 3;

/// A place where a text may be cut. The later ones are cut only if nothing else fits into a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Joint {
    Free,
    /// In a row of a table.
    Row,
    /// In a link or a mark.
    Mark,
}

/// A part of a text that a cut within must close and open again.
#[derive(Debug)]
pub(super) struct Span<'a> {
    /// The text that opens it.
    pub(super) opener: &'a str,
    /// The text that closes it; empty if it ends with the message.
    pub(super) closer: &'a str,
    /// Whether its opener and closer stand on lines of their own.
    pub(super) has_lines: bool,
    /// The first cut that is in it, and the first one behind it; the same if it is never closed.
    start: usize,
    end: usize,
}

impl Span<'_> {
    /// Returns the most bytes that its closer takes, with the line ends around it.
    fn closing(&self) -> usize {
        self.closer.len() + 2 * usize::from(self.closes_line())
    }

    /// Whether its closer stands on a line of its own.
    pub(super) fn closes_line(&self) -> bool {
        self.has_lines && !self.closer.is_empty()
    }

    /// Returns the most bytes that its opener and closer take, within others or not.
    fn size(&self, within: bool) -> usize {
        self.opener.len() + usize::from(self.has_lines && within) + self.closing()
    }

    pub(super) fn contains(&self, cut: usize) -> bool {
        self.has_begun(cut) && cut < self.end
    }

    pub(super) fn has_begun(&self, cut: usize) -> bool {
        self.start <= cut
    }
}

/// The spans of a text, in their order, and what a cut at each byte means.
#[derive(Debug)]
pub(super) struct Outline<'a> {
    pub(super) spans: Vec<Span<'a>>,
    joints: Vec<Joint>,
    closing: Vec<usize>,
}

impl<'a> Outline<'a> {
    /// Outlines a text that is cut into parts of at most `limit` bytes.
    pub(super) fn of(kind: TextKind, text: &'a str, limit: usize) -> Self {
        let mut reader = OutlineReader::new(kind, text, limit);
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            reader.line(at, line);
            at += line.len();
        }
        let OutlineReader { spans, joints, .. } = reader;
        let spans = affordable(spans, limit / OPEN_SHARE);
        // At first, by how much it grows or shrinks.
        let mut closing = vec![0_usize; text.len() + 2];
        for span in &spans {
            let end = &mut closing[span.end.min(text.len() + 1)];
            *end = end.wrapping_sub(span.closing());
            closing[span.start] = closing[span.start].wrapping_add(span.closing());
        }
        let mut sum = 0_usize;
        for bytes in &mut closing {
            sum = sum.wrapping_add(*bytes);
            *bytes = sum;
        }
        Self {
            spans,
            joints,
            closing,
        }
    }

    pub(super) fn joint(&self, cut: usize) -> Joint {
        self.joints[cut]
    }

    /// Returns the most bytes that are added before a cut, to close what is open there.
    pub(super) fn closing(&self, cut: usize) -> usize {
        self.closing[cut]
    }
}

/// Returns the spans without those that would take more than `max` bytes with the ones around them.
fn affordable(spans: Vec<Span<'_>>, max: usize) -> Vec<Span<'_>> {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let is_affordable = |span: &Span<'_>| {
        open.retain(|(end, _)| *end > span.start);
        let sum: usize = open.iter().map(|(_, size)| size).sum();
        let size = span.size(sum > 0);
        let is_one = span.start < span.end && sum + size <= max;
        if is_one {
            open.push((span.end, size));
        }
        is_one
    };
    spans.into_iter().filter(is_affordable).collect()
}

/// A block whose end is not read yet.
struct Block<'a> {
    /// The index of its span.
    span: usize,
    /// The marks of a fence.
    marks: &'a str,
    /// The depth of the quote around it.
    depth: usize,
}

struct OutlineReader<'a> {
    text: &'a str,
    limit: usize,
    is_markdown: bool,
    /// The name of the tag that is obeyed, its end tag, and that end tag's name.
    tag: Option<[&'static str; 3]>,
    spans: Vec<Span<'a>>,
    joints: Vec<Joint>,
    /// The indices of the open tags' spans.
    tags: Vec<usize>,
    fence: Option<Block<'a>>,
    table: Option<Block<'a>>,
    /// The start of the last line, if it can be the header of a table, and the depth of its quote.
    header: Option<(usize, usize)>,
}

impl<'a> OutlineReader<'a> {
    fn new(kind: TextKind, text: &'a str, limit: usize) -> Self {
        Self {
            text,
            limit,
            is_markdown: kind != TextKind::Text,
            tag: match kind {
                TextKind::Text => Some(["a", "</a>", "/a"]),
                TextKind::Markdown => Some(["font", "</font>", "/font"]),
                TextKind::MarkdownV2 => None,
            },
            spans: Vec::new(),
            joints: vec![Joint::Free; text.len() + 1],
            tags: Vec::new(),
            fence: None,
            table: None,
            header: None,
        }
    }

    /// Keeps the text between two cuts whole, unless it is larger than a part.
    fn hold(&mut self, joint: Joint, start: usize, end: usize) {
        if end - start <= self.limit && start < end {
            for held in &mut self.joints[start + 1..end] {
                *held = joint.max(*held);
            }
        }
    }

    /// Keeps a mark with what is behind it.
    fn opens(&mut self, start: usize, end: usize) {
        self.hold(Joint::Mark, start, (end + 1).min(self.text.len()));
    }

    /// Keeps a mark with what is before it.
    fn closes(&mut self, start: usize, end: usize) {
        self.hold(Joint::Mark, start.saturating_sub(1), end);
    }

    /// Opens a span that is never closed so far; returns its index.
    fn push(&mut self, opener: &'a str, closer: &'a str, has_lines: bool, start: usize) -> usize {
        self.spans.push(Span {
            opener,
            closer,
            has_lines,
            start,
            end: start,
        });
        self.spans.len() - 1
    }

    fn line(&mut self, at: usize, whole: &'a str) {
        if !self.is_markdown {
            return self.inline(at, whole);
        }
        let line = whole.trim_end_matches(['\r', '\n']);
        let (quote, rest) = marks::split_quote(line);
        let depth = quote.matches('>').count();
        if depth > 0 && self.fence.as_ref().is_none_or(|fence| fence.depth > 0) {
            let start = at + quote.len();
            self.opens(at, start);
            let span = self.push(quote, "", true, start);
            self.spans[span].end = at + line.len();
        }
        if self.is_in_fence(at, whole, rest, depth) {
            return;
        }
        let end = at + whole.len();
        if let Some((marks, _)) = marks::fence(rest) {
            (self.table, self.header) = (None, None);
            self.opens(at, end);
            let indent = line.len() - rest.trim_start().len();
            let closer = &line[..indent + marks.len()];
            let span = self.push(whole, closer, true, end);
            self.spans[span].end = usize::MAX;
            self.fence = Some(Block { span, marks, depth });
            return;
        }
        self.row(at, whole, rest, depth);
        self.inline(at + quote.len(), rest);
    }

    /// Whether a line is in a block of code, or its end.
    fn is_in_fence(&mut self, at: usize, whole: &str, rest: &str, depth: usize) -> bool {
        let Some(fence) = self.fence.take() else {
            return false;
        };
        if depth < fence.depth {
            // The end of a quote ends what is in it.
            self.spans[fence.span].end = at;
            return false;
        }
        if depth == fence.depth && marks::ends_fence(fence.marks, rest) {
            self.closes(at, at + whole.len());
            self.spans[fence.span].end = at + 1;
        } else {
            self.fence = Some(fence);
        }
        true
    }

    /// Reads a line as a part of a table, if it is one.
    fn row(&mut self, at: usize, whole: &str, rest: &str, depth: usize) {
        let end = at + whole.len();
        let has_cells = rest.contains('|');
        if let Some(table) = self.table.take_if(|_| has_cells)
            && table.depth == depth
        {
            self.hold(Joint::Row, at, end);
            self.spans[table.span].end = end;
            self.table = Some(table);
            return;
        }
        self.table = None;
        let header = self.header.take().filter(|(_, before)| *before == depth);
        if let Some((start, _)) = header
            && has_cells
            && is_delimiter(rest)
        {
            self.hold(Joint::Row, start, (end + 1).min(self.text.len()));
            let span = self.push(&self.text[start..end], "", true, end);
            self.table = Some(Block {
                span,
                marks: "",
                depth,
            });
        } else if has_cells {
            self.header = Some((at, depth));
        }
    }

    /// Reads what is in a line.
    fn inline(&mut self, from: usize, line: &'a str) {
        let mut bold = None;
        let mut at = 0;
        while let Some(next) = line[at..].find(['<', 'h', '`', '*', '[', '!']) {
            at += next;
            let (before, rest) = line.split_at(at);
            let place = from + at;
            let read = match rest.as_bytes()[0] {
                b'<' => self.tag(place, rest),
                b'h' => self.address(place, rest),
                _ if !self.is_markdown => None,
                b'`' => Some(self.code(place, rest)),
                b'*' => Some(self.stars(place, before, rest, &mut bold)),
                _ => Link::read(rest).map(|link| {
                    self.hold(Joint::Mark, place, place + link.len);
                    link.len
                }),
            };
            at += read.unwrap_or(1);
        }
    }

    fn tag(&mut self, at: usize, rest: &'a str) -> Option<usize> {
        let inner = marks::tag(rest)?;
        let len = inner.len() + 2;
        let name = marks::tag_name(inner)?;
        if let Some([tag, closer, end]) = self.tag {
            if name == tag && (tag != "a" || inner.contains("href")) {
                self.opens(at, at + len);
                let span = self.push(&rest[..len], closer, false, at + len);
                self.tags.push(span);
                return Some(len);
            }
            if name == end {
                self.closes(at, at + len);
                if let Some(span) = self.tags.pop() {
                    self.spans[span].end = at + 1;
                }
                return Some(len);
            }
        }
        if !marks::is_mention(inner) {
            return None;
        }
        self.hold(Joint::Mark, at, at + len);
        Some(len)
    }

    /// Reads an address that stands by itself.
    fn address(&mut self, at: usize, rest: &str) -> Option<usize> {
        if !rest.starts_with("http://") && !rest.starts_with("https://") {
            return None;
        }
        let is_in = |&(byte, next): &(u8, u8)| {
            byte.is_ascii_graphic() && !b"<>\"`|".contains(&byte) && (byte, next) != (b'*', b'*')
        };
        let following = rest.bytes().skip(1).chain([b' ']);
        let len = rest.bytes().zip(following).take_while(is_in).count();
        self.hold(Joint::Mark, at, at + len);
        Some(len)
    }

    fn code(&mut self, at: usize, rest: &'a str) -> usize {
        let (run, code) = marks::code(rest);
        let Some(code) = code else {
            return run;
        };
        let end = at + 1 + code.len();
        self.opens(at, at + 1);
        self.closes(end, end + 1);
        let span = self.push("`", "`", false, at + 1);
        self.spans[span].end = end + 1;
        code.len() + 2
    }

    /// Reads stars. Two may open bold: `open` is then the index of its span.
    fn stars(&mut self, at: usize, before: &str, rest: &str, open: &mut Option<usize>) -> usize {
        let stars = Stars::read(before, rest);
        if let Some(span) = open.take_if(|_| stars.close) {
            self.closes(at, at + stars.run);
            self.spans[span].end = at + 1;
        } else if stars.open {
            self.opens(at, at + stars.run);
            *open = Some(self.push("**", "**", false, at + stars.run));
        }
        stars.run
    }
}

/// Whether a line divides the header of a table from its rows: `|---|:-:|`.
fn is_delimiter(line: &str) -> bool {
    line.contains('-') && line.chars().all(|it| "|-: \t".contains(it))
}
