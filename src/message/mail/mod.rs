//! Parses a mail as programs pass it to `sendmail`: its subject, text, files and recipients.
//!
//! `mail-parser` parses the MIME. Two things it cannot know: where a head without an empty line
//! ends, and the charset of bytes without one or with a wrong one. cron in an empty environment
//! labels all its output US-ASCII.

mod readable;

use std::borrow::Cow;
use std::collections::BTreeSet;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::encoding::{guessed, utf8};
use readable::Readable;

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
        let bytes = &*with_line_feeds(bytes);
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
        let Readable { mut text, shown } = Readable::of(&message, &raw);
        let files = files(&message, &raw, &shown);
        if text.trim().is_empty() && files.is_empty() && hides_text(&message, body) {
            text = guessed(body);
        } else if let Some(rest) = epilogue(&message, body) {
            text = [&*text, &guessed(rest)].join("\n");
        }
        Self {
            subject: message.subject().unwrap_or_default().to_owned(),
            text,
            files,
            recipients: recipients(&message),
        }
    }
}

/// Returns the mail with line feeds, if it ends its lines with carriage returns only.
fn with_line_feeds(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.contains(&b'\n') || !bytes.contains(&b'\r') {
        return bytes.into();
    }
    let replaced = |byte: &u8| if *byte == b'\r' { b'\n' } else { *byte };
    bytes.iter().map(replaced).collect::<Vec<u8>>().into()
}

/// Returns the text behind the last boundary, where mailing lists put their footer.
fn epilogue<'a>(message: &Message<'_>, body: &'a [u8]) -> Option<&'a [u8]> {
    let boundary = message.content_type()?.attribute("boundary")?;
    let end = format!("\n--{boundary}--");
    let mut starts = body.windows(end.len());
    let at = starts.rposition(|it| it == end.as_bytes())?;
    let rest = &body[at + end.len()..];
    Some(rest).filter(|rest| !rest.trim_ascii().is_empty())
}

/// Whether a body of which nothing readable came out has lines of text nevertheless, such as one
/// without the boundary that its head announces.
fn hides_text(message: &Message<'_>, body: &[u8]) -> bool {
    let mut parts = message.parts.iter();
    // HTML may rightly have no text, such as a picture alone.
    !parts.any(|part| matches!(&part.body, PartType::Html(html) if !html.trim().is_empty()))
        && body.split(|byte| *byte == b'\n').any(|line| {
            let is_blank = line.trim_ascii().is_empty();
            !is_blank && !line.starts_with(b"--") && !is_field(line) && line[0] != b' '
        })
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

/// Returns the bytes of a part, as they were before the mail was made.
fn bytes<'a>(part: &'a MessagePart<'_>, raw: &'a [u8]) -> Cow<'a, [u8]> {
    let range = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
    let is_text = matches!(part.body, PartType::Text(_) | PartType::Html(_));
    // The parser has decoded a text to UTF-8.
    let original = raw.get(range).filter(|_| is_text);
    let original = original.and_then(|raw| match part.encoding {
        Encoding::None => Some(raw.into()),
        Encoding::Base64 => base64_decode(raw).map(Cow::from),
        Encoding::QuotedPrintable => quoted_printable_decode(raw).map(Cow::from),
    });
    original.unwrap_or_else(|| part.contents().into())
}

/// Returns the files: attachments that are not shown, and pictures within the text.
fn files(message: &Message<'_>, raw: &[u8], shown: &BTreeSet<u32>) -> Vec<Enclosed> {
    let attached = message.attachments.iter().filter(|id| !shown.contains(id));
    let parts = attached.filter_map(|id| message.parts.get(*id as usize));
    let files = parts.enumerate().map(|(at, part)| {
        let name = part.attachment_name().map(str::to_owned);
        Enclosed {
            name: name.unwrap_or_else(|| format!("attachment-{}.{}", at + 1, extension(part))),
            bytes: bytes(part, raw).into_owned(),
        }
    });
    files.collect()
}

/// Returns the extension for a file without a name.
fn extension(part: &MessagePart<'_>) -> String {
    let subtype = part.content_type().and_then(|kind| kind.subtype());
    match (&part.body, subtype) {
        (PartType::Message(_), _) => "eml".to_owned(),
        (_, Some("calendar")) => "ics".to_owned(),
        (_, Some("vcard" | "x-vcard")) => "vcf".to_owned(),
        (_, Some("csv")) => "csv".to_owned(),
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
