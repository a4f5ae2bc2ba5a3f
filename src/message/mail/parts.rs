//! Reads the parts of a mail: its text, which is all parts to be read, and its files.

use std::borrow::Cow;

use super::IsTold;
use super::boundary::{Divided, divided};
use super::charset::{append, decoded, guessed};
use super::head::{MailHead, lines};
use super::parameters::ParameterField;
use super::{flowed, transfer, uuencode};
use crate::message::html;

/// The most multiparts within each other. A deeper one is shown as it is.
const DEPTH_MAX: usize = 32;

/// The subtypes of text that are for programs.
const FOR_PROGRAMS: [&str; 4] = ["calendar", "vcard", "x-vcard", "csv"];

/// The most visible characters of a plain text that may stand for HTML, such as "View in browser" or a
/// footer.
const STUB_MAX: usize = 200;

/// How many times as many the HTML then has at least.
const STUB_TIMES: usize = 3;

/// A no-break space, with which HTML editors fill empty lines.
const NO_BREAK_SPACE: char = '\u{a0}';

/// The content of a part.
#[derive(Default)]
pub(super) struct PartContent {
    pub(super) text: String,
    pub(super) files: Vec<PartFile>,
    /// The source of HTML without text, such as a picture alone.
    pub(super) markup: String,
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
        self.markup += &other.markup;
    }

    fn add_text(&mut self, text: &str) {
        if !self.text.is_empty() && !text.is_empty() {
            self.text.push('\n');
        }
        append(&mut self.text, text);
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.is_blank() && self.files.is_empty()
    }
}

/// A mail or part of one.
pub(super) struct MailPart<'a> {
    kind: ParameterField,
    disposition: ParameterField,
    /// The `Content-Transfer-Encoding`, in lower case.
    encoding: String,
    body: Cow<'a, [u8]>,
    /// The number of multiparts around it.
    depth: usize,
    is_told: IsTold<'a>,
}

impl<'a> MailPart<'a> {
    /// A mail.
    pub(super) fn whole(head: &MailHead<'_>, body: &'a [u8], is_told: IsTold<'a>) -> Self {
        Self::new(head, body, (0, "text/plain"), is_told)
    }

    fn new(
        head: &MailHead<'_>,
        body: &'a [u8],
        (depth, default): (usize, &str),
        is_told: IsTold<'a>,
    ) -> Self {
        let field = |name| head.get(name).map(|it| ParameterField::parse(&it));
        let kind = field("Content-Type");
        let encoding = field("Content-Transfer-Encoding").unwrap_or_default();
        let text = head.text(body);
        Self {
            kind: kind.unwrap_or_else(|| ParameterField::parse(default.as_bytes())),
            disposition: field("Content-Disposition").unwrap_or_default(),
            encoding: encoding.value,
            body: if text.is_empty() {
                body.into()
            } else {
                [&text, body].concat().into()
            },
            depth,
            is_told,
        }
    }

    /// Returns how its body is encoded: not at all if it shows a secret as it is.
    fn encoding(&self) -> &str {
        let is_base64 = self.encoding == "base64" || self.encoding.contains("uu");
        if is_base64 && (self.is_told)(&self.body) {
            return "";
        }
        &self.encoding
    }

    /// Reads the part, with all parts in it.
    pub(super) fn read(&self) -> PartContent {
        if let Some(content) = self.multipart() {
            return content;
        }
        if !self.is_readable() {
            return PartContent::file(self.as_file());
        }
        let (bytes, rest) = transfer::text(&self.body, self.encoding());
        let mut content = if self.kind.value == "text/html" {
            let source = self.decoded(&bytes);
            let text = without_blank_lines(html::words(&source));
            let markup = if text.is_empty() {
                source
            } else {
                String::new()
            };
            PartContent {
                markup,
                ..PartContent::text(text)
            }
        } else {
            self.plain(&bytes)
        };
        content.add_text(&guessed(rest));
        if content.is_empty() && content.markup.trim().is_empty() {
            // Its encoding or charset may be another than it says.
            content.text = guessed(if bytes.is_empty() { &self.body } else { &bytes });
        }
        content
    }

    /// Reads a text and the files in it.
    fn plain(&self, bytes: &[u8]) -> PartContent {
        let (bytes, files) = uuencode::files(bytes, self.is_told);
        let mut text = self.decoded(&bytes);
        if self.has("format", "flowed") {
            text = flowed::joined(&text, self.has("delsp", "yes"));
        }
        let files = files.into_iter().map(|file| PartFile {
            name: Some(file.name),
            extension: String::new(),
            bytes: file.bytes,
        });
        PartContent {
            files: files.collect(),
            ..PartContent::text(without_blank_lines(text))
        }
    }

    fn decoded(&self, bytes: &[u8]) -> String {
        decoded(bytes, self.kind.word("charset").as_deref())
    }

    fn has(&self, parameter: &str, value: &str) -> bool {
        let word = self.kind.word(parameter);
        word.is_some_and(|word| word.eq_ignore_ascii_case(value))
    }

    /// Reads a multipart; `None` if it is none, or has no parts: then its body is text.
    fn multipart(&self) -> Option<PartContent> {
        let subtype = self.kind.value.strip_prefix("multipart/")?;
        let boundary = self.kind.bytes("boundary")?;
        let boundary = boundary.trim_ascii_end();
        if self.depth == DEPTH_MAX || boundary.is_empty() {
            return None;
        }
        let Divided {
            preamble,
            parts,
            epilogue,
        } = divided(&self.body, boundary);
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
            MailPart::new(&head, body, (self.depth + 1, default), self.is_told)
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
        // wrong, or a text whose parts are blank or files. Behind them is the footer of a mailing list.
        let is_part = |line: &[u8]| line.to_ascii_lowercase().starts_with(b"content-type:");
        let is_for_programs = !content.files.is_empty() && has(preamble, b"MIME");
        let is_all = content.is_blank() && content.markup.is_empty() && !is_for_programs;
        if is_all || lines(preamble).any(is_part) {
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
        let encoding = self.encoding();
        let mut bytes = transfer::file(&self.body, encoding).into_owned();
        if encoding.contains("uu")
            && let Some(file) = uuencode::files(&self.body, self.is_told)
                .1
                .into_iter()
                .next()
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

/// Reads alternatives: the text of the best one that has any, of equal ones the last, and the files of
/// all. What is plain text all counts: it is no form of another one.
fn chosen<'a>(parts: impl Iterator<Item = MailPart<'a>>) -> PartContent {
    let mut best: Option<(u8, String)> = None;
    let mut plain = String::new();
    let mut all = PartContent::default();
    for part in parts {
        let content = part.read();
        let rank = part.rank();
        let is_best = best.as_ref().is_none_or(|(best, _)| rank <= *best);
        if content.is_blank() {
            // Says nothing.
        } else if rank > 0 && is_best {
            best = Some((rank, content.text));
        } else if rank == 0 && !plain.split_whitespace().eq(content.text.split_whitespace()) {
            plain.push_str(if plain.is_empty() { "" } else { "\n" });
            append(&mut plain, &content.text);
        }
        all.files.extend(content.files);
        all.markup += &content.markup;
    }
    all.text = match best {
        Some((1, rich)) if is_stub(&plain, &rich) => {
            let words = |text: &str| text.split_whitespace().collect::<String>();
            if words(&rich).contains(&words(&plain)) {
                rich
            } else {
                plain.push('\n');
                append(&mut plain, &rich);
                plain
            }
        }
        Some((_, rich)) if plain.is_empty() => rich,
        _ => plain,
    };
    all
}

/// Whether a plain text has few words, and HTML many more.
fn is_stub(plain: &str, rich: &str) -> bool {
    let visible = |text: &str, max| {
        let visible = text.chars().filter(|it| !it.is_whitespace());
        visible.take(max).count()
    };
    let few = visible(plain, STUB_MAX + 1);
    few <= STUB_MAX && visible(rich, few * STUB_TIMES) == few * STUB_TIMES
}

fn has(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|it| it == word)
}

fn is_binary(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b'\x1b')
}

/// Makes one empty line of blank lines with no-break spaces.
fn without_blank_lines(text: String) -> String {
    if !text.contains(NO_BREAK_SPACE) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    // Where the last blank lines begin, and whether they have a no-break space.
    let mut run = None;
    for (at, line) in text.split('\n').enumerate() {
        out.push_str(if at > 0 { "\n" } else { "" });
        if !line.trim().is_empty() {
            run = None;
            out.push_str(line);
            continue;
        }
        let (start, was_filled) = run.unwrap_or((out.len(), false));
        let is_filled = was_filled || line.contains(NO_BREAK_SPACE);
        out.push_str(line);
        if is_filled {
            out.truncate(start);
        }
        run = Some((start, is_filled));
    }
    out
}
