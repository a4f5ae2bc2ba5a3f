//! Finds the text of a mail: which of its parts are to be read, in which charset.

use std::borrow::Cow;
use std::collections::BTreeSet;

use encoding_rs::Encoding;
use mail_parser::{ContentType, Message, MessagePart, MimeHeaders, PartType};

use super::{bytes, guessed, utf8};
use crate::message::html;

/// The charsets without bytes above 127: such bytes show that the label is wrong.
const SEVEN_BITS: [&str; 6] = [
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "646",
    "unknown-8bit",
    "iso646-us",
];

/// The subtypes of text that are for programs.
const FOR_PROGRAMS: [&str; 4] = ["calendar", "vcard", "x-vcard", "csv"];

/// The readable text of a mail, and the parts that it is made of.
pub(super) struct Readable {
    pub(super) text: String,
    pub(super) shown: BTreeSet<u32>,
}

impl Readable {
    /// Reads all parts in their order; of alternatives only one, plain text if it is not blank.
    pub(super) fn of(message: &Message<'_>, raw: &[u8]) -> Self {
        let mut shown = BTreeSet::new();
        let text = text(message, raw, 0, &mut shown);
        Self { text, shown }
    }
}

fn text(message: &Message<'_>, raw: &[u8], id: u32, shown: &mut BTreeSet<u32>) -> String {
    let Some(part) = message.parts.get(id as usize) else {
        return String::new();
    };
    if let PartType::Multipart(ids) = &part.body {
        let is_plain = |id: &u32| {
            let part = message.parts.get(*id as usize);
            part.is_some_and(|part| matches!(part.body, PartType::Text(_)))
        };
        if is_alternative(part) {
            let (plain, other): (Vec<u32>, Vec<u32>) = ids.iter().partition(|id| is_plain(id));
            let mut choices = plain.into_iter().chain(other);
            let found = choices.find_map(|id| {
                let text = text(message, raw, id, shown);
                Some(text).filter(|text| !text.trim().is_empty())
            });
            return found.unwrap_or_default();
        }
        let texts = ids.iter().map(|id| text(message, raw, *id, shown));
        let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
        return texts.join("\n");
    }
    // The parser lists them in ascending order. A mail may have a million.
    let is_attached = message.attachments.binary_search(&id).is_ok();
    if !is_readable(part, is_attached) {
        return String::new();
    }
    shown.insert(id);
    let text = decoded(part, raw);
    match part.body {
        PartType::Html(_) => html::text(&text),
        _ => text,
    }
}

fn is_alternative(part: &MessagePart<'_>) -> bool {
    let subtype = part.content_type().and_then(|kind| kind.subtype());
    subtype.is_some_and(|it| it.eq_ignore_ascii_case("alternative"))
}

/// Whether a part is text to be read. The parser attaches each text of a type that it does not
/// know.
fn is_readable(part: &MessagePart<'_>, is_attached: bool) -> bool {
    let is_text = matches!(part.body, PartType::Text(_) | PartType::Html(_));
    if !is_attached {
        return is_text;
    }
    let disposition = part.content_disposition();
    if part.attachment_name().is_some() || disposition.is_some_and(ContentType::is_attachment) {
        return false;
    }
    match part.content_type().map(ContentType::subtype) {
        Some(Some(subtype)) => is_text && !FOR_PROGRAMS.contains(&&*subtype.to_ascii_lowercase()),
        // The type is none: its bytes decide.
        Some(None) => part.contents().iter().all(|byte| !is_binary(*byte)),
        None => is_text,
    }
}

fn is_binary(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b'\x1b')
}

/// Decodes the text of a part. Its bytes count for more than its charset: labels are often wrong.
fn decoded(part: &MessagePart<'_>, raw: &[u8]) -> String {
    let bytes = bytes(part, raw);
    if let Some(text) = utf8(&bytes).filter(|text| !text.is_ascii()) {
        return text.to_owned();
    }
    let kind = part.content_type();
    let charset = kind.and_then(|kind| kind.attribute("charset"));
    let charset = charset.filter(|it| !SEVEN_BITS.contains(&&*it.to_ascii_lowercase()));
    let Some(charset) = charset else {
        return guessed(&bytes);
    };
    let Some(encoding) = Encoding::for_label_no_replacement(charset.as_bytes()) else {
        return part
            .text_contents()
            .map_or_else(|| guessed(&bytes), str::to_owned);
    };
    encoding
        .decode_without_bom_handling_and_without_replacement(&bytes)
        .map_or_else(|| guessed(&bytes), Cow::into_owned)
}
