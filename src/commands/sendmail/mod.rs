//! `wxpush sendmail`: turns a mail into messages to the recipients of its addresses.

mod addresses;
mod argv;
mod contents;
mod hosts;
mod mailer;
pub(super) mod pickup;
mod route;
mod smtp;

use std::io::{self, BufRead, IsTerminal, Read};

use super::outbox;
use super::report::Report;
use crate::cli::{Global, OutboxAction, OutboxArgs, Sendmail};
use crate::error::{Exit, Failure};
use crate::lang::{self, Lang};
use crate::maildrop::{Envelope, MAIL_MAX};
use crate::output::Output;
use crate::text::sendmail as words;
use argv::{Asked, Mode};
use route::Loaded;

/// The most bytes of a line that are read at once.
const PIECE_MAX: u64 = 64 << 10;

/// Runs `sendmail`, and reports the result in every case.
///
/// # Errors
/// `Exit::Partial` if an address is unknown, `Exit::Data` for an empty mail, `Exit::NotNow` if the
/// mail could be neither delivered nor kept.
pub(super) fn run(args: &Sendmail, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let asked = argv::parse(&args.words);
    let action = match asked.as_ref().map_or(Mode::Deliver, |asked| asked.mode) {
        Mode::Deliver | Mode::Smtp => None,
        Mode::Aliases => return Ok(Exit::Sent),
        Mode::List => Some(OutboxAction::List),
        Mode::Flush => Some(OutboxAction::Flush {
            wait: false,
            timeout: None,
        }),
    };
    if let Some(action) = action {
        return outbox::run(&OutboxArgs { action }, global, output);
    }
    match asked
        .map_err(Into::into)
        .and_then(|asked| accept(asked, global, output))
    {
        Ok(None) => Ok(Exit::Sent),
        Ok(Some(failure)) => Err(failure.into()),
        Err(error) => {
            let report = Report::failed(error.downcast::<Failure>()?);
            report
                .show(output)
                .map_or(Ok(Exit::Sent), |failure| Err(failure.into()))
        }
    }
}

/// Accepts the mail on stdin, or those of a dialogue; returns the last failure, if any.
fn accept(asked: Asked, global: &Global, output: Output) -> anyhow::Result<Option<Failure>> {
    let output = Output {
        verbose: output.verbose + u8::from(asked.verbose),
        ..output
    };
    let loaded = Loaded::find(global)?;
    let route = loaded.route(asked.queue, output);
    if asked.mode == Mode::Smtp {
        // SMTP speaks ASCII.
        lang::speak(Lang::En);
        smtp::converse(io::stdin().lock(), &route)?;
        return Ok(None);
    }
    let (bytes, cut) = read(asked.dots)?;
    if cut {
        tracing::warn!("{}", words::mail_longer(MAIL_MAX >> 20));
    }
    let envelope = Envelope {
        cut,
        ..asked.envelope
    };
    route.accept(&envelope, bytes)
}

/// Reads the mail on stdin, up to its end or a line of a single dot; also returns whether it was
/// cut. What is past the limit is read, too: its writer should not die of SIGPIPE.
fn read(dots: bool) -> Result<(Vec<u8>, bool), Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(words::no_mail());
    }
    letter(stdin.lock(), dots, MAIL_MAX).map_err(words::unreadable)
}

fn letter(mut reader: impl BufRead, dots: bool, max: u64) -> io::Result<(Vec<u8>, bool)> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let (mut bytes, mut cut) = (Vec::new(), false);
    let (mut piece, mut begins_line) = (Vec::new(), true);
    loop {
        piece.clear();
        let mut limited = reader.by_ref().take(PIECE_MAX);
        let read = limited.read_until(b'\n', &mut piece)?;
        let is_dot = begins_line && matches!(&*piece, b".\n" | b".\r\n");
        if read == 0 || is_dot && !dots {
            return Ok((bytes, cut));
        }
        begins_line = piece.ends_with(b"\n");
        let room = max - bytes.len();
        cut |= read > room;
        bytes.extend_from_slice(&piece[..read.min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::letter;

    #[test]
    fn a_mail_ends_at_a_dot_unless_dots_are_text_and_at_the_limit() {
        for (text, dots, max, expected, cut) in [
            ("a\n.\nb\n", false, 99, "a\n", false),
            ("a\r\n.\r\nb", false, 99, "a\r\n", false),
            ("a\n.\nb\n", true, 99, "a\n.\nb\n", false),
            ("a\n..\n.b\nc.\n", false, 99, "a\n..\n.b\nc.\n", false),
            ("a\n.", false, 99, "a\n.", false),
            ("abcd", false, 4, "abcd", false),
            ("ab\ncd", false, 4, "ab\nc", true),
            ("ab\nc\n\n.\nd", false, 4, "ab\nc", true),
        ] {
            let (bytes, was_cut) = letter(text.as_bytes(), dots, max).unwrap();
            assert_eq!((&*bytes, was_cut), (expected.as_bytes(), cut), "{text:?}");
        }
        // What comes behind the dot is not read: its writer may wait for us.
        let mut reader = "ab\ncd\n.\ne".as_bytes();
        letter(&mut reader, false, 4).unwrap();
        assert_eq!(reader, b"e");
        // A long line is read in pieces, of which none is a line.
        let long = format!("{}.\nb", "a".repeat(64 << 10));
        let (bytes, _) = letter(long.as_bytes(), false, 1 << 20).unwrap();
        assert_eq!(bytes, long.as_bytes());
    }
}
