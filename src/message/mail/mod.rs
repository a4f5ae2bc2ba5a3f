//! Parses a mail as programs pass it to `sendmail`: its subject, text, files and addresses.
//!
//! Any bytes are a mail. What is not as it should be is read as it is meant, and what cannot be read
//! is shown as it is: no text is lost. A mail within a mail is a file.

mod boundary;
mod charset;
mod flowed;
mod head;
mod mailbox;
mod parameters;
mod parts;
mod transfer;
mod uuencode;
mod words;

use std::borrow::Cow;

use charset::guessed;
use head::{MailHead, line};
pub(crate) use mailbox::Mailbox;
use parts::MailPart;

/// Decodes the text of a field of a mail or of HTTP, whose words may be encoded.
pub(crate) fn header_text(field: &[u8]) -> String {
    words::text(field)
}

/// A parsed mail.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// The subject before cleaning, perhaps with several lines.
    pub(crate) subject: String,
    /// The readable text before cleaning.
    pub(crate) text: String,
    pub(crate) files: Vec<Enclosed>,
    /// The addresses in To, Cc and Bcc; in their Resent- fields, if there are any.
    pub(crate) recipients: Vec<String>,
    /// The address in From.
    pub(crate) from: Option<Mailbox>,
    /// The address in Reply-To.
    pub(crate) reply_to: Option<Mailbox>,
}

/// A file attached to a mail.
#[derive(Debug)]
pub(crate) struct Enclosed {
    /// The name in the mail, not sanitized yet.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Whether bytes show a secret as it is. What does was not encoded, whatever stands around it: decoded, it
/// would have a form that nobody looks for.
pub(crate) type IsTold<'a> = &'a dyn Fn(&[u8]) -> bool;

impl Mail {
    /// Parses a mail. Any bytes are a mail, in the worst case of plain text only.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self::parse_of(bytes, &|_| false)
    }

    /// Parses the mail of somebody who knows secrets.
    pub(crate) fn parse_of(bytes: &[u8], is_told: IsTold<'_>) -> Self {
        let bytes = &*with_line_feeds(bytes);
        // The separator line of a mailbox.
        let separator = bytes.starts_with(b"From ").then(|| line(bytes));
        let (head, body) = MailHead::split(&bytes[separator.unwrap_or_default().len()..]);
        if !head.is_of_mail() {
            // An empty line may stand for the head.
            let bytes = bytes.strip_prefix(b"\r").unwrap_or(bytes);
            return Self {
                text: guessed(bytes.strip_prefix(b"\n").unwrap_or(bytes)),
                ..Self::default()
            };
        }
        let mut content = MailPart::whole(&head, body, is_told).read();
        let above = guessed(&head.text_above(body));
        content.text.insert_str(0, &above);
        let subject = words::text(&head.get("Subject").unwrap_or_default());
        if content.is_empty() && subject.trim().is_empty() {
            content.text = std::mem::take(&mut content.markup);
        }
        let files = content.files.into_iter().enumerate();
        let files = files.map(|(at, file)| Enclosed {
            name: file
                .name
                .unwrap_or_else(|| format!("attachment-{}.{}", at + 1, file.extension)),
            bytes: file.bytes,
        });
        Self {
            subject,
            text: content.text,
            files: files.collect(),
            recipients: recipients(&head),
            from: mailbox(&head, "From"),
            reply_to: mailbox(&head, "Reply-To"),
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

/// Returns the first address in a field.
fn mailbox(head: &MailHead<'_>, name: &str) -> Option<Mailbox> {
    let field = head.get(name)?;
    mailbox::parse(&field).into_iter().next()
}

/// Returns the addresses that a mail is for. Source: sendmail's `-t`, for a mail that is resent.
fn recipients(head: &MailHead<'_>) -> Vec<String> {
    let all = |names: [&str; 3]| {
        let fields = names.into_iter().flat_map(|name| head.all(name));
        fields.collect::<Vec<Vec<u8>>>()
    };
    let mut fields = all(["Resent-To", "Resent-Cc", "Resent-Bcc"]);
    if fields.is_empty() {
        fields = all(["To", "Cc", "Bcc"]);
    }
    let mailboxes = fields.iter().flat_map(|field| mailbox::parse(field));
    mailboxes.map(|it| it.address).collect()
}

#[cfg(test)]
mod tests;
