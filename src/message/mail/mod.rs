//! Parses a mail as programs pass it to `sendmail`: its subject, text, files and recipients.
//!
//! `mail-parser` parses the MIME. Two things it cannot know: where a head without an empty line
//! ends, and the charset of bytes without one or with a wrong one. cron in an empty environment
//! labels all its output US-ASCII.

use encoding_rs::GB18030;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::html;

/// The charsets without bytes above 127: such bytes show that the label is wrong.
const SEVEN_BITS: [&str; 6] = [
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "646",
    "unknown-8bit",
    "iso646-us",
];

/// The most nested mails and multiparts. A mail with more is shown unparsed.
const DEPTH_MAX: usize = 1000;

/// The starts of a nested mail or multipart.
const LEVELS: [&[u8]; 3] = [b"message/rfc822", b"message/global", b"boundary="];

/// A parsed mail.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// The subject before cleaning, perhaps with several lines.
    pub(crate) subject: String,
    /// The readable text before cleaning.
    pub(crate) text: String,
    pub(crate) files: Vec<Enclosed>,
    /// The addresses in To, Cc and Bcc.
    pub(crate) recipients: Vec<String>,
}

/// A file attached to a mail.
#[derive(Debug)]
pub(crate) struct Enclosed {
    /// The name in the mail, not sanitized yet.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Mail {
    /// Parses a mail. Any bytes are a mail, in the worst case of plain text only.
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
            recipients: recipients(&message),
        }
    }
}

/// Splits a mail into its head and its body, without the empty line between them.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut rest = bytes;
    // The separator line of a mailbox.
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

/// Whether the body may be nested so deeply that the parser would run out of stack or memory.
fn is_too_deep(body: &[u8]) -> bool {
    LEVELS.iter().any(|level| {
        let starts = body.windows(level.len());
        let starts = starts.filter(|it| it.eq_ignore_ascii_case(level));
        starts.take(DEPTH_MAX + 1).count() > DEPTH_MAX
    })
}

/// Returns the first line, including its end.
fn line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    &bytes[..end.map_or(bytes.len(), |end| end + 1)]
}

/// Whether a line is a header field.
fn is_field(line: &[u8]) -> bool {
    let end = line.iter().position(|byte| *byte == b':');
    end.is_some_and(|end| end > 0 && line[..end].iter().all(u8::is_ascii_graphic))
}

/// Decodes bytes of an unknown charset: UTF-8, else GB18030, which is common among WeCom's users.
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

/// Returns the readable text: the plain parts, or the HTML ones if all plain ones are blank.
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

/// Decodes the text of a part.
fn decoded(part: &MessagePart<'_>, raw: &[u8]) -> String {
    let charset = part
        .content_type()
        .and_then(|kind| kind.attribute("charset"));
    let has_charset = charset.is_some_and(|it| !SEVEN_BITS.contains(&&*it.to_ascii_lowercase()));
    let range = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
    match raw.get(range) {
        Some(bytes) if !has_charset && part.encoding == Encoding::None => guessed(bytes),
        _ => part.text_contents().unwrap_or_default().to_owned(),
    }
}

/// Returns the files: attachments, and pictures within the text.
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

/// Returns the extension for a file without a name.
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

/// Returns the addresses in To, Cc and Bcc.
fn recipients(message: &Message<'_>) -> Vec<String> {
    let fields = message
        .all_to()
        .chain(message.all_cc())
        .chain(message.all_bcc());
    let addresses = fields.flat_map(|field| field.iter());
    addresses
        // The parser treats a single word, such as root, as a name.
        .filter_map(|it| it.address().or(it.name()))
        .map(|address| address.trim().to_owned())
        .filter(|address| !address.is_empty() && !address.contains(char::is_whitespace))
        .collect()
}

#[cfg(test)]
mod tests;
