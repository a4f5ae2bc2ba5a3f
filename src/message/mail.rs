//! A mail as programs hand it to `sendmail`: its subject, its text, its files and its receivers.
//!
//! The parser takes the MIME apart. What it cannot know is done here: where a head ends that has no
//! empty line, and what bytes are that no charset is told for, or a wrong one: cron in an empty
//! environment calls all that it sends US-ASCII.

use encoding_rs::GB18030;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::html;

/// Charsets that say nothing of bytes past 127.
const SEVEN_BITS: [&str; 6] = [
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "646",
    "unknown-8bit",
    "iso646-us",
];

/// Most mails, and parts of parts, that may be in one; with more it is shown as it is.
const DEPTH_MAX: usize = 1000;

/// What begins another level.
const LEVELS: [&[u8]; 3] = [b"message/rfc822", b"message/global", b"boundary="];

/// A mail, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// Its subject, as it was written; may be of several lines.
    pub(crate) subject: String,
    /// What there is to read, not yet cleaned.
    pub(crate) text: String,
    pub(crate) files: Vec<Enclosed>,
    /// The addresses of To, Cc and Bcc.
    pub(crate) receivers: Vec<String>,
}

/// A file in a mail.
#[derive(Debug)]
pub(crate) struct Enclosed {
    /// As the mail has it; not yet one that is safe.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Mail {
    /// Takes a mail apart. Whatever comes is a mail, of text alone at the worst.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let (head, body) = halves(bytes);
        if head.is_empty() {
            return Self {
                text: guessed(body),
                ..Self::default()
            };
        }
        if is_too_deep(body) {
            return Self {
                text: guessed(body),
                ..Self::parse(head)
            };
        }
        let raw = [guessed(head).as_bytes(), b"\n", body].concat();
        let Some(message) = MessageParser::default().parse(&raw) else {
            return Self {
                text: guessed(body),
                ..Self::default()
            };
        };
        Self {
            subject: message.subject().unwrap_or_default().to_owned(),
            text: text(&message, &raw),
            files: files(&message),
            receivers: receivers(&message),
        }
    }
}

/// The head of a mail, each line with its end, and what follows it.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut rest = bytes;
    // The line before a mail in a mailbox.
    if rest.starts_with(b"From ") {
        rest = &rest[line(rest).len()..];
    }
    let mut at = 0;
    loop {
        let line = line(&rest[at..]);
        let is_folded = at > 0 && line.starts_with(b" ") || line.starts_with(b"\t");
        if line.is_empty() || !(is_folded || is_field(line)) {
            let end = usize::from(line == b"\n") + 2 * usize::from(line == b"\r\n");
            return (&rest[..at], &rest[at + end..]);
        }
        at += line.len();
    }
}

/// Whether so much may be within one another that the parser's stack, or memory, would not do.
fn is_too_deep(body: &[u8]) -> bool {
    LEVELS.iter().any(|level| {
        let starts = body.windows(level.len());
        let starts = starts.filter(|it| it.eq_ignore_ascii_case(level));
        starts.take(DEPTH_MAX + 1).count() > DEPTH_MAX
    })
}

/// The first line, with its end.
fn line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    &bytes[..end.map_or(bytes.len(), |end| end + 1)]
}

/// Whether a line is one of a head.
fn is_field(line: &[u8]) -> bool {
    let end = line.iter().position(|byte| *byte == b':');
    end.is_some_and(|end| end > 0 && line[..end].iter().all(u8::is_ascii_graphic))
}

/// Bytes that nothing is told of: UTF-8, or what else is common where WeCom is.
fn guessed(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    GB18030
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map_or_else(
            || String::from_utf8_lossy(bytes).into_owned(),
            std::borrow::Cow::into_owned,
        )
}

/// What there is to read: the parts of plain text, or of HTML where none says anything.
fn text(message: &Message<'_>, raw: &[u8]) -> String {
    let parts = |ids: &[u32], is_html: bool| {
        let parts = ids.iter().filter_map(|id| message.parts.get(*id as usize));
        let wanted = parts.filter(|part| match part.body {
            PartType::Text(_) => !is_html,
            PartType::Html(_) => is_html,
            _ => false,
        });
        let texts = wanted.map(|part| {
            let text = decoded(part, raw);
            if is_html { html::text(&text) } else { text }
        });
        texts.collect::<Vec<_>>().join("\n")
    };
    let plain = parts(&message.text_body, false);
    if plain.trim().is_empty() {
        return parts(&message.html_body, true);
    }
    plain
}

/// The text of a part.
fn decoded(part: &MessagePart<'_>, raw: &[u8]) -> String {
    let charset = part
        .content_type()
        .and_then(|kind| kind.attribute("charset"));
    let is_told = charset.is_some_and(|it| !SEVEN_BITS.contains(&&*it.to_ascii_lowercase()));
    let range = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
    match raw.get(range) {
        Some(bytes) if !is_told && part.encoding == Encoding::None => guessed(bytes),
        _ => part.text_contents().unwrap_or_default().to_owned(),
    }
}

/// The files: what is attached, and pictures within the text.
fn files(message: &Message<'_>) -> Vec<Enclosed> {
    let attached = message.attachments.iter();
    let parts = attached.filter_map(|id| message.parts.get(*id as usize));
    let files = parts.enumerate().map(|(at, part)| {
        let name = part.attachment_name().map(str::to_owned);
        Enclosed {
            name: name.unwrap_or_else(|| format!("attachment-{}.{}", at + 1, extension(part))),
            bytes: part.contents().to_vec(),
        }
    });
    files.collect()
}

/// The end of the name of a file that came without one.
fn extension(part: &MessagePart<'_>) -> String {
    let subtype = part.content_type().and_then(|kind| kind.subtype());
    match (&part.body, subtype) {
        (PartType::Message(_), _) => "eml".to_owned(),
        (PartType::Html(_), _) => "html".to_owned(),
        (PartType::Text(_), _) => "txt".to_owned(),
        (_, Some(subtype)) if subtype.len() <= 5 => subtype.to_ascii_lowercase(),
        _ => "bin".to_owned(),
    }
}

/// The addresses of To, Cc and Bcc.
fn receivers(message: &Message<'_>) -> Vec<String> {
    let fields = message
        .all_to()
        .chain(message.all_cc())
        .chain(message.all_bcc());
    let addresses = fields.flat_map(|field| field.iter());
    addresses
        // A word alone, such as root, is a name to the parser.
        .filter_map(|it| it.address().or(it.name()))
        .map(|address| address.trim().to_owned())
        .filter(|address| !address.is_empty() && !address.contains(char::is_whitespace))
        .collect()
}

#[cfg(test)]
mod tests;
