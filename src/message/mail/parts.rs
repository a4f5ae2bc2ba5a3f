//! Reads the parts of a mail: its text, which is all parts to be read, and its files.

use super::super::encoding::guessed;
use super::charset::decoded;
use super::head::{MailHead, line, line_end, lines};
use super::parameters::ParameterField;
use super::{flowed, transfer, uuencode};
use crate::message::html;

/// The most multiparts within each other. A deeper one is shown as it is.
const DEPTH_MAX: usize = 32;

/// The subtypes of text that are for programs.
const FOR_PROGRAMS: [&str; 4] = ["calendar", "vcard", "x-vcard", "csv"];

/// A no-break space, with which HTML editors fill empty lines.
const NO_BREAK_SPACE: char = '\u{a0}';

/// The content of a part.
#[derive(Default)]
pub(super) struct PartContent {
    pub(super) text: String,
    pub(super) files: Vec<PartFile>,
    /// Whether it has HTML, which may rightly be without text, such as a picture alone.
    pub(super) has_html: bool,
}

/// A file within a mail.
pub(super) struct PartFile {
    pub(super) name: Option<String>,
    /// The extension for a file without a name.
    pub(super) extension: String,
    pub(super) bytes: Vec<u8>,
}

impl PartContent {
    fn text(text: String) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    fn file(file: PartFile) -> Self {
        Self {
            files: vec![file],
            ..Self::default()
        }
    }

    fn add(&mut self, other: Self) {
        self.add_text(&other.text);
        self.files.extend(other.files);
        self.has_html |= other.has_html;
    }

    fn add_text(&mut self, text: &str) {
        if !self.text.is_empty() && !text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// A mail or part of one.
pub(super) struct MailPart<'a> {
    kind: ParameterField,
    disposition: ParameterField,
    /// The `Content-Transfer-Encoding`, in lower case.
    encoding: String,
    body: &'a [u8],
    /// The number of multiparts around it.
    depth: usize,
}

impl<'a> MailPart<'a> {
    /// A mail.
    pub(super) fn whole(head: &MailHead<'_>, body: &'a [u8]) -> Self {
        Self::new(head, body, 0, "text/plain")
    }

    fn new(head: &MailHead<'_>, body: &'a [u8], depth: usize, default: &str) -> Self {
        let field = |name| head.get(name).map(|it| ParameterField::parse(&it));
        let kind = field("Content-Type");
        let encoding = field("Content-Transfer-Encoding").unwrap_or_default();
        Self {
            kind: kind.unwrap_or_else(|| ParameterField::parse(default.as_bytes())),
            disposition: field("Content-Disposition").unwrap_or_default(),
            encoding: encoding.value,
            body,
            depth,
        }
    }

    /// Reads the part, with all parts in it.
    pub(super) fn read(&self) -> PartContent {
        if let Some(content) = self.multipart() {
            return content;
        }
        if !self.is_readable() {
            return PartContent::file(self.as_file());
        }
        let (bytes, rest) = transfer::text(self.body, &self.encoding);
        let charset = self.kind.word("charset");
        let is_html = self.kind.value == "text/html";
        if is_html {
            let source = decoded(&bytes, charset.as_deref());
            let mut content = PartContent::text(without_blank_lines(&html::text(&source)));
            content.has_html = !source.trim().is_empty();
            content.add_text(&guessed(rest));
            return content;
        }
        let (bytes, files) = uuencode::files(&bytes);
        let mut text = decoded(&bytes, charset.as_deref());
        if self.has("format", "flowed") {
            text = flowed::joined(&text, self.has("delsp", "yes"));
        }
        let mut content = PartContent::text(without_blank_lines(&text));
        content.add_text(&guessed(rest));
        content.files.extend(files.into_iter().map(|file| PartFile {
            name: Some(file.name),
            extension: String::new(),
            bytes: file.bytes,
        }));
        content
    }

    fn has(&self, parameter: &str, value: &str) -> bool {
        let word = self.kind.word(parameter);
        word.is_some_and(|word| word.eq_ignore_ascii_case(value))
    }

    /// Reads a multipart; `None` if it is none, or has no parts: then its body is text.
    fn multipart(&self) -> Option<PartContent> {
        let subtype = self.kind.value.strip_prefix("multipart/")?;
        let boundary = self.kind.bytes("boundary")?;
        if self.depth == DEPTH_MAX {
            return None;
        }
        let Divided {
            preamble,
            parts,
            epilogue,
        } = divided(self.body, boundary.trim_ascii_end());
        if parts.is_empty() {
            return None;
        }
        let default = if subtype == "digest" {
            "message/rfc822"
        } else {
            "text/plain"
        };
        let parts = parts.into_iter().map(|part| {
            let (head, body) = MailHead::split(part);
            Self::new(&head, body, self.depth + 1, default)
        });
        let mut content = if subtype == "alternative" {
            chosen(parts)
        } else {
            parts.fold(PartContent::default(), |mut all, part| {
                all.add(part.read());
                all
            })
        };
        // Before the parts is a sentence for programs that know no MIME, or parts whose boundary is
        // wrong. Behind them is the footer of a mailing list.
        let is_part = |line: &[u8]| line.to_ascii_lowercase().starts_with(b"content-type:");
        if lines(preamble).any(is_part) {
            content.text.insert_str(0, &guessed(preamble));
        }
        if !epilogue.trim_ascii().is_empty() {
            content.add_text(&guessed(epilogue));
        }
        Some(content)
    }

    /// Whether it is text to be read.
    fn is_readable(&self) -> bool {
        let is_named = self.name().is_some() && self.depth > 0;
        if is_named || self.disposition.value == "attachment" {
            return false;
        }
        match self.kind.value.split_once('/') {
            // Without boundaries.
            Some(("multipart", _)) => true,
            Some(("text", subtype)) => !FOR_PROGRAMS.contains(&subtype),
            Some(("message", subtype)) => !["rfc822", "global"].contains(&subtype),
            Some(_) => false,
            None if self.kind.value == "text" => true,
            // The type is none: its bytes decide.
            None => !self.body.iter().any(|byte| is_binary(*byte)),
        }
    }

    /// The rank among alternatives: plain text is best.
    fn rank(&self) -> u8 {
        match &*self.kind.value {
            "text/plain" => 0,
            "text/html" => 1,
            kind if kind.starts_with("multipart/") => 1,
            _ => 2,
        }
    }

    fn name(&self) -> Option<String> {
        let name = self.disposition.text("filename");
        let name = name.or_else(|| self.kind.text("name"));
        name.filter(|name| !name.trim().is_empty())
    }

    fn as_file(&self) -> PartFile {
        let mut name = self.name();
        let mut bytes = transfer::file(self.body, &self.encoding).into_owned();
        if self.encoding.contains("uu")
            && let Some(file) = uuencode::files(self.body).1.into_iter().next()
        {
            name = name.or(Some(file.name));
            bytes = file.bytes;
        }
        PartFile {
            name,
            extension: self.extension(),
            bytes,
        }
    }

    fn extension(&self) -> String {
        match self.kind.value.split_once('/') {
            Some(("message", _)) => "eml",
            Some((_, "calendar")) => "ics",
            Some((_, "vcard" | "x-vcard")) => "vcf",
            Some((_, "csv")) => "csv",
            Some((_, "html")) => "html",
            Some(("text", _)) => "txt",
            Some((_, subtype)) if (1..=5).contains(&subtype.len()) => subtype,
            _ => "bin",
        }
        .to_owned()
    }
}

/// Reads alternatives: the text of the best one that has any, and the files of all.
fn chosen<'a>(parts: impl Iterator<Item = MailPart<'a>>) -> PartContent {
    let mut best: Option<(u8, String)> = None;
    let mut all = PartContent::default();
    for part in parts {
        let content = part.read();
        if !content.is_blank() && best.as_ref().is_none_or(|(rank, _)| part.rank() < *rank) {
            best = Some((part.rank(), content.text));
        }
        all.files.extend(content.files);
        all.has_html |= content.has_html;
    }
    all.text = best.map(|(_, text)| text).unwrap_or_default();
    all
}

/// The most parts of a multipart, so that memory use stays flat: those behind are text of the last.
const PARTS_MAX: usize = 250_000;

/// The body of a multipart.
struct Divided<'a> {
    /// What stands before the first boundary.
    preamble: &'a [u8],
    parts: Vec<&'a [u8]>,
    /// What stands behind the last boundary.
    epilogue: &'a [u8],
}

/// Divides the body of a multipart at its boundary.
fn divided<'a>(body: &'a [u8], boundary: &[u8]) -> Divided<'a> {
    let mut divided = Divided {
        preamble: body,
        parts: Vec::new(),
        epilogue: b"",
    };
    let (mut start, mut at) = (None, 0);
    while at < body.len() {
        let line = line(&body[at..]);
        let next = at + line.len();
        let is_full = divided.parts.len() >= PARTS_MAX;
        if let Some(closes) = delimiter(line, boundary).filter(|_| !is_full) {
            if let Some(start) = start {
                let part = &body[start..at];
                let part = &part[..part.len() - line_end(part).len()];
                divided.parts.push(part);
            } else {
                divided.preamble = &body[..at];
            }
            if closes {
                divided.epilogue = &body[next..];
                return divided;
            }
            start = Some(next);
        }
        at = next;
    }
    divided.parts.extend(start.map(|start| &body[start..]));
    divided
}

/// Whether a line is a boundary, and then whether it is the last one.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    match rest.trim_ascii() {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

fn is_binary(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b'\x1b')
}

/// Makes one empty line of blank lines with no-break spaces.
fn without_blank_lines(text: &str) -> String {
    if !text.contains(NO_BREAK_SPACE) {
        return text.to_owned();
    }
    let is_blank = |line: &str| line.trim().is_empty();
    let lines: Vec<&str> = text.split('\n').collect();
    let runs = lines.chunk_by(|one, other| is_blank(one) && is_blank(other));
    let runs = runs.map(|run| {
        let filled = is_blank(run[0]) && run.iter().any(|line| line.contains(NO_BREAK_SPACE));
        if filled {
            String::new()
        } else {
            run.join("\n")
        }
    });
    runs.collect::<Vec<_>>().join("\n")
}
