//! `-bs`: a minimal SMTP server on stdin and stdout, for callers that speak no other way. Source:
//! RFC 5321; RFC 1870 (SIZE).

use std::io::{self, BufRead, Read};

use super::route::MailRoute;
use crate::config;
use crate::error::{Exit, Failure};
use crate::maildrop::{Envelope, MAIL_MAX};
use crate::output;
use crate::text::sendmail as words;

/// The longest command, in bytes: RFC 5321 requires 512, and extensions need more.
const LINE_MAX: u64 = 4096;

/// The most recipients of one mail. RFC 5321 requires 100.
const RECIPIENTS_MAX: usize = 1000;

/// The longest text of a reply, in bytes: RFC 5321 allows a line of 512.
const REPLY_MAX: usize = 400;

const TOO_LARGE: &str = "5.3.4 a mail of more than 25 MiB cannot be sent";

/// A reply, whose text may have several lines.
struct SmtpReply(u16, String);

impl SmtpReply {
    fn new(code: u16, text: &str) -> Self {
        Self(code, text.to_owned())
    }

    /// Says how accepting a mail ended.
    fn to_mail(accepted: anyhow::Result<Option<Failure>>) -> anyhow::Result<Self> {
        let failure = match accepted {
            Ok(None) => return Ok(Self::new(250, "2.0.0 accepted")),
            Ok(Some(failure)) => failure,
            Err(error) => error.downcast::<Failure>()?,
        };
        let (code, class) = match failure.exit {
            // The others have it: a caller that sent it again would send it to them twice.
            Exit::Partial => (250, "2.0.0"),
            Exit::Usage | Exit::Data | Exit::Refused => (554, "5.6.0"),
            _ => (451, "4.3.0"),
        };
        Ok(Self(code, format!("{class} {}", failure.what)))
    }

    fn send(&self) -> Result<(), Failure> {
        let last = self.1.lines().count().saturating_sub(1);
        let lines = self.1.lines().enumerate().map(|(at, line)| {
            let line = line.replace(|it: char| !(' '..='~').contains(&it), "?");
            let more = if at < last { '-' } else { ' ' };
            format!("{}{more}{line:.REPLY_MAX$}\r\n", self.0)
        });
        output::bytes(lines.collect::<String>().as_bytes())
    }
}

/// The state of a dialogue.
#[derive(Default)]
struct SmtpDialogue {
    /// Whether a mail has begun.
    has_sender: bool,
    addresses: Vec<String>,
}

/// Accepts the mails of a dialogue until its end.
///
/// # Errors
/// `Exit::Io` if stdin or stdout fails, `Exit::Data` if the input ends within a mail.
pub(super) fn converse(mut reader: impl BufRead, route: &MailRoute<'_>) -> anyhow::Result<()> {
    let host = config::hostname();
    SmtpReply(220, format!("{host} ESMTP wxpush")).send()?;
    let mut dialogue = SmtpDialogue::default();
    while let Some(line) = command(&mut reader).map_err(words::unreadable)? {
        let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
        let line = line.trim_end();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let reply = match &*verb.to_ascii_uppercase() {
            "DATA" if dialogue.addresses.is_empty() => {
                SmtpReply::new(503, "5.5.1 no recipient yet: RCPT comes first")
            }
            "DATA" => {
                SmtpReply::new(354, "end with a line of one dot").send()?;
                let Some(mail) = mail(&mut reader, end.as_bytes()).map_err(words::unreadable)?
                else {
                    SmtpReply::new(451, "4.3.0 the mail has no end: it is not sent").send()?;
                    return Err(words::without_end().into());
                };
                dialogue.mail(mail, route)?
            }
            "QUIT" => {
                SmtpReply::new(221, "2.0.0 bye").send()?;
                return Ok(());
            }
            verb => dialogue.reply(verb, rest, &host, route),
        };
        reply.send()?;
    }
    Ok(())
}

impl SmtpDialogue {
    /// Returns the reply to a command that needs no more input.
    fn reply(&mut self, verb: &str, rest: &str, host: &str, route: &MailRoute<'_>) -> SmtpReply {
        match verb {
            "EHLO" => {
                *self = Self::default();
                SmtpReply(
                    250,
                    format!("{host}\n8BITMIME\nPIPELINING\nSIZE {MAIL_MAX}"),
                )
            }
            "HELO" => {
                *self = Self::default();
                SmtpReply::new(250, host)
            }
            "MAIL" => self.sender(rest),
            "RCPT" => self.recipient(rest, route),
            "RSET" => {
                *self = Self::default();
                SmtpReply::new(250, "2.0.0 ok")
            }
            "NOOP" => SmtpReply::new(250, "2.0.0 ok"),
            "VRFY" => SmtpReply::new(252, "2.1.5 send a mail and see"),
            "HELP" => SmtpReply::new(214, "2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP QUIT"),
            "EXPN" | "AUTH" | "STARTTLS" | "BDAT" => SmtpReply::new(502, "5.5.1 not offered"),
            _ => SmtpReply::new(500, "5.5.2 unknown command"),
        }
    }

    fn sender(&mut self, rest: &str) -> SmtpReply {
        if self.has_sender {
            return SmtpReply::new(503, "5.5.1 a mail has begun: RSET ends it");
        }
        if path(rest, "FROM:").is_none() {
            return SmtpReply::new(501, "5.5.4 write MAIL FROM:<address>");
        }
        if size(rest) > MAIL_MAX {
            return SmtpReply::new(552, TOO_LARGE);
        }
        *self = Self {
            has_sender: true,
            ..Self::default()
        };
        SmtpReply::new(250, "2.1.0 ok")
    }

    fn recipient(&mut self, rest: &str, route: &MailRoute<'_>) -> SmtpReply {
        let is_address = |it: &&str| !it.is_empty() && !it.contains(char::is_control);
        let Some(address) = path(rest, "TO:").filter(is_address) else {
            return SmtpReply::new(501, "5.5.4 write RCPT TO:<address>");
        };
        if !self.has_sender {
            return SmtpReply::new(503, "5.5.1 MAIL comes first");
        }
        if self.addresses.len() >= RECIPIENTS_MAX {
            return SmtpReply::new(452, "4.5.3 too many recipients");
        }
        if !route.accepts(address) {
            return SmtpReply::new(
                550,
                "5.1.1 nobody is known by this address: see [mail] of the config",
            );
        }
        self.addresses.push(address.to_owned());
        SmtpReply::new(250, "2.1.5 ok")
    }

    /// Accepts a mail; the next one begins anew.
    fn mail(&mut self, mail: Vec<u8>, route: &MailRoute<'_>) -> anyhow::Result<SmtpReply> {
        let envelope = Envelope {
            addresses: std::mem::take(self).addresses,
            ..Envelope::default()
        };
        if mail.len() as u64 > MAIL_MAX {
            return Ok(SmtpReply::new(552, TOO_LARGE));
        }
        SmtpReply::to_mail(route.accept(&envelope, mail))
    }
}

/// Reads a piece of a line, with its end if that is within the limit; empty at the end of the input.
fn piece(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut piece = Vec::new();
    reader.take(LINE_MAX).read_until(b'\n', &mut piece)?;
    Ok(piece)
}

/// Reads a command and its end; `None` at the end of the input. One that is too long is read to its
/// end, and returned without a word.
fn command(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = piece(reader)?;
    if line.is_empty() {
        return Ok(None);
    }
    if !line.ends_with(b"\n") && line.len() as u64 == LINE_MAX {
        while !(line.is_empty() || line.ends_with(b"\n")) {
            line = piece(reader)?;
        }
        return Ok(Some(String::new()));
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

/// Reads a mail up to its line of a single dot, and takes the first dot off all other lines. `end` is
/// how the dialogue ends its lines. In one with CRLF a dot with another end is text, or a caller's
/// caller could hide commands in a mail; a caller that ends lines with LF finds each such dot and
/// doubles it, so both ends count. A mail past the limit is read to its end, and returned one byte too
/// long. `None` if the input ends first.
fn mail(reader: &mut impl BufRead, end: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut mail = Vec::new();
    // Whether the last piece ended a line, or with the first byte of an end.
    let (mut begins, mut after_cr) = (true, false);
    let is_end = |dot: &[u8]| dot == end || dot == b"\r\n";
    loop {
        let line = piece(reader)?;
        if line.is_empty() {
            return Ok(None);
        }
        if begins && line.strip_prefix(b".").is_some_and(is_end) {
            return Ok(Some(mail));
        }
        let stuffed = begins && line.starts_with(b".");
        begins = line.ends_with(end) || after_cr && line == b"\n" && end == b"\r\n";
        after_cr = line.ends_with(b"\r");
        mail.extend_from_slice(&line[usize::from(stuffed)..]);
        let max = usize::try_from(MAIL_MAX).unwrap_or(usize::MAX);
        mail.truncate(max.saturating_add(1));
    }
}

/// Returns the address of a command's argument, such as `TO:<root>`, without its angle brackets.
fn path<'a>(argument: &'a str, label: &str) -> Option<&'a str> {
    let begin = argument.get(..label.len())?;
    if !begin.eq_ignore_ascii_case(label) {
        return None;
    }
    let rest = argument[label.len()..].trim_start();
    match rest.strip_prefix('<') {
        Some(rest) => rest.split_once('>').map(|(address, _)| address),
        None => rest.split(' ').next(),
    }
}

/// Returns the size in bytes that a MAIL command announces, or 0.
fn size(argument: &str) -> u64 {
    let mut words = argument.split(' ');
    let size = words.find_map(|word| {
        let (name, size) = word.split_once('=')?;
        name.eq_ignore_ascii_case("SIZE")
            .then(|| size.parse().ok())?
    });
    size.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_ends_at_its_dot_and_loses_the_dots_that_were_added() {
        for (input, mail_of, rest) in [
            ("a\r\n.\r\nQUIT", Some("a\r\n"), "QUIT"),
            ("..\r\n.b\r\n.\r\n", Some(".\r\nb\r\n"), ""),
            ("a\n.\nMAIL\r\n.\r\n", Some("a\n.\nMAIL\r\n"), ""),
            ("a\n.\r\nb\r\n.\r\n", Some("a\n.\r\nb\r\n"), ""),
            ("a\n.\nMAIL\n", None, ""),
        ] {
            let mut reader = input.as_bytes();
            let found = mail(&mut reader, b"\r\n").unwrap();
            assert_eq!(found.as_deref(), mail_of.map(str::as_bytes), "{input:?}");
            assert_eq!(reader, rest.as_bytes(), "{input:?}");
        }
        for dot in [".\n", ".\r\n"] {
            let input = format!("a\r\nb\n..\r\n{dot}QUIT");
            let mut reader = input.as_bytes();
            let found = mail(&mut reader, b"\n").unwrap();
            assert_eq!(
                (found.as_deref(), reader),
                (Some(&b"a\r\nb\n.\r\n"[..]), &b"QUIT"[..])
            );
        }
        // However long the line before it is.
        let max = usize::try_from(LINE_MAX).unwrap();
        for size in (max - 3..max + 3).chain(2 * max - 3..2 * max + 3) {
            let line = "x".repeat(size) + "\r\n";
            let input = format!("{line}..\r\n.\r\nQUIT");
            let mut reader = input.as_bytes();
            let found = mail(&mut reader, b"\r\n").unwrap().unwrap();
            assert_eq!(found, format!("{line}.\r\n").as_bytes(), "{size}");
            assert_eq!(reader, b"QUIT", "{size}");
        }
        // No dot within a long line counts.
        let long = format!("{}.\r\n.\r\n", "x".repeat(max));
        let found = mail(&mut long.as_bytes(), b"\r\n").unwrap().unwrap();
        assert_eq!(found.len(), max + 3);
    }

    #[test]
    fn arguments_are_parsed_as_callers_write_them() {
        for (argument, address) in [
            ("TO:<root@web1>", Some("root@web1")),
            ("to: <root> NOTIFY=NEVER", Some("root")),
            ("TO:root", Some("root")),
            ("TO:<root", None),
            ("FROM:<root>", None),
            ("T", None),
            ("中文", None),
        ] {
            assert_eq!(path(argument, "TO:"), address, "{argument}");
        }
        assert_eq!(size("FROM:<> BODY=8BITMIME size=123"), 123);
        assert_eq!(size("FROM:<a>"), 0);
    }
}
