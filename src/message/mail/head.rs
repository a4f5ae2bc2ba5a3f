//! The head of a mail or part: its fields.

/// The fields of which a head has at least one. Source: RFC 5322.
const NAMES: [&str; 12] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "date",
    "subject",
    "message-id",
    "received",
    "return-path",
    "mime-version",
];

/// The starts of more such fields.
const PREFIXES: [&str; 3] = ["content-", "resent-", "x-"];

/// The starts of the names of fields that programs add to a mail or a file. With NAMES and PREFIXES
/// but for `x-`, which is any program's. Source: IANA's Message Headers.
const ADDED: [&str; 33] = [
    "accept-language",
    "apparently-to",
    "arc-",
    "authentication-results",
    "auto-",
    "autocrypt",
    "autoforwarded",
    "autosubmitted",
    "bounces-to",
    "comments",
    "delivered-to",
    "delivery-date",
    "disposition-",
    "dkim-",
    "domainkey-",
    "envelope-",
    "errors-to",
    "feedback-id",
    "importance",
    "in-reply-to",
    "keywords",
    "list-",
    "mail-",
    "mt-",
    "organization",
    "precedence",
    "priority",
    "received-spf",
    "references",
    "return-receipt-to",
    "sensitivity",
    "thread-",
    "user-agent",
];

/// More names without a hyphen that programs give to fields.
const UNHYPHENATED: [&str; 19] = [
    "acceptlanguage",
    "approved",
    "distribution",
    "encoding",
    "encrypted",
    "expires",
    "face",
    "lines",
    "msip_labels",
    "newsgroups",
    "nodisclaimer",
    "openpgp",
    "organisation",
    "path",
    "spamdiagnosticmetadata",
    "spamdiagnosticoutput",
    "suggested_attachment_session_id",
    "supersedes",
    "xref",
];

/// The most fields of a head, so that memory use stays flat: the lines behind are shown as text.
const FIELDS_MAX: usize = 100_000;

/// The fields of a head, in their order.
#[derive(Debug)]
pub(super) struct MailHead<'a> {
    fields: Vec<HeadField<'a>>,
    /// Whether an empty line ends it.
    ends: bool,
}

#[derive(Debug)]
struct HeadField<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> MailHead<'a> {
    /// Splits a mail or part into its head and its body, without the empty line between them. A line
    /// that is no field belongs to the body.
    pub(super) fn split(bytes: &'a [u8]) -> (Self, &'a [u8]) {
        let mut fields: Vec<HeadField<'a>> = Vec::new();
        let of = |fields, ends| Self { fields, ends };
        let mut at = 0;
        loop {
            let line = line(&bytes[at..]);
            let next = at + line.len();
            if fields.len() == FIELDS_MAX {
                return (of(fields, false), &bytes[at..]);
            }
            if let Some(field) = HeadField::of(line) {
                fields.push(field);
            } else if line.starts_with(b" ") || line.starts_with(b"\t") {
                if let Some(folded) = fields.last_mut() {
                    folded.value = &bytes[at - folded.value.len()..next];
                } else if !line.trim_ascii().is_empty() {
                    return (of(fields, false), bytes);
                }
            } else {
                let is_empty = line == b"\n" || line == b"\r\n";
                let body = if is_empty { next } else { at };
                return (of(fields, is_empty), &bytes[body..]);
            }
            at = next;
        }
    }

    /// Whether it is the head of a mail, and not a text such as `Error: disk full`.
    pub(super) fn is_of_mail(&self) -> bool {
        self.fields
            .iter()
            .any(|field| field.is_named(&NAMES) || field.starts_with(&PREFIXES))
    }

    /// Returns the lines in it that are a text, `Error: disk full`, of a mail or part whose writer has
    /// left out the empty line, or has nothing below it.
    pub(super) fn text(&self, body: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        if self.ends && !body.trim_ascii().is_empty() {
            return text;
        }
        // With what it is called, a mail or a file says something: it may rightly be empty.
        let called = ["Subject", "Content-Disposition"];
        let mut called = called.iter().filter_map(|it| self.get(it));
        let is_called = called.any(|it| !it.is_empty());
        for field in &self.fields {
            let is_of_mail = field.is_named(&NAMES)
                || field.starts_with(&PREFIXES[..2])
                || is_called
                    && (field.starts_with(&PREFIXES)
                        || field.starts_with(&ADDED)
                        || field.is_named(&UNHYPHENATED)
                        || field.name.contains(&b'-'));
            if !is_of_mail {
                text.extend(field.line());
            }
        }
        text
    }

    /// Returns the lines in it that are a text although there is another below: nearly all names of
    /// fields have a hyphen, and the others are known.
    pub(super) fn text_above(&self, body: &[u8]) -> Vec<u8> {
        let is_text = |field: &&HeadField<'_>| {
            // A mailbox notes there that the mail was read; `Status: failed` is a text.
            let is_flags = |value: &[u8]| value.trim_ascii().iter().all(|it| b"RONU".contains(it));
            let is_status = field.is_named(&["status"]) && is_flags(field.value);
            let is_known = is_status || field.is_named(&NAMES) || field.is_named(&UNHYPHENATED);
            !is_known && !field.starts_with(&ADDED) && !field.name.contains(&b'-')
        };
        if !self.ends || body.trim_ascii().is_empty() {
            return Vec::new();
        }
        let lines = self.fields.iter().filter(is_text).map(HeadField::line);
        lines.collect::<Vec<_>>().concat()
    }

    /// Returns the first value of a field, unfolded.
    pub(super) fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.all(name).next()
    }

    /// Returns all values of a field, unfolded.
    pub(super) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = Vec<u8>> + use<'a, 'b> {
        let named = |field: &&HeadField<'_>| field.name.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(named).map(HeadField::unfolded)
    }
}

impl<'a> HeadField<'a> {
    /// Parses a line; blanks may stand before the colon.
    fn of(line: &'a [u8]) -> Option<Self> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = line[..colon].trim_ascii_end();
        // A field's name could have angle brackets, but what has them is HTML.
        let is_part = |byte: &u8| byte.is_ascii_graphic() && !b"<>".contains(byte);
        let is_field = !name.is_empty() && name.iter().all(is_part);
        let value = &line[colon + 1..];
        is_field.then_some(Self { name, value })
    }

    fn is_named(&self, names: &[&str]) -> bool {
        let is_it = |it: &&str| self.name.eq_ignore_ascii_case(it.as_bytes());
        names.iter().any(is_it)
    }

    fn starts_with(&self, starts: &[&str]) -> bool {
        let start = |size| self.name.get(..size).unwrap_or_default();
        let is_it = |it: &&str| start(it.len()).eq_ignore_ascii_case(it.as_bytes());
        starts.iter().any(is_it)
    }

    fn line(&self) -> Vec<u8> {
        [self.name, b":", self.value].concat()
    }

    fn unfolded(&self) -> Vec<u8> {
        let bytes = self.value.trim_ascii().iter();
        bytes.copied().filter(|it| !b"\r\n".contains(it)).collect()
    }
}

/// Returns the first line, including its end.
pub(super) fn line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    &bytes[..end.map_or(bytes.len(), |end| end + 1)]
}

/// Returns the lines, including their ends.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// Returns what ends a line.
pub(super) fn line_end(line: &[u8]) -> &[u8] {
    let size = usize::from(line.ends_with(b"\n")) + usize::from(line.ends_with(b"\r\n"));
    &line[line.len() - size..]
}
