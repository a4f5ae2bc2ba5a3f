//! `wxpush sendmail`: turns a mail into messages to the recipients of its addresses.

mod addresses;
mod argv;
mod contents;
mod hosts;

use std::io::{self, BufRead, IsTerminal};
use std::time::Duration;

use super::report::Report;
use super::submit::{Submitting, composed, time_for};
use super::{begin_or_without, load, outbox, recipients};
use crate::cli::{Global, OutboxAction, OutboxArgs, Sendmail};
use crate::compose::Draft;
use crate::config::{Config, Settings};
use crate::cron;
use crate::error::{Exit, Failure};
use crate::lang::spoken;
use crate::message::{Channel, Long, Mail, Message, Recipients};
use crate::output::Output;
use crate::secret::digest;
use crate::text::sendmail as words;
use argv::{Asked, Mode};
use contents::Letter;

/// The most bytes of a mail that are read: more than WeCom's largest file, as encoded in a mail,
/// could not be sent.
const MAIL_MAX: u64 = 25 << 20;

/// The time of a flush, as `outbox flush` takes.
const FLUSH_TIME: Duration = Duration::from_secs(30);

/// Runs `sendmail`, and reports the result in every case.
///
/// # Errors
/// `Exit::Partial` if an address is unknown, `Exit::Data` for an empty mail, `Exit::NotNow` if the
/// mail could be neither delivered nor kept.
pub(super) fn run(args: &Sendmail, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let asked = argv::parse(&args.words);
    let action = match asked.as_ref().map_or(Mode::Deliver, |asked| asked.mode) {
        Mode::Deliver => None,
        Mode::Aliases => return Ok(Exit::Sent),
        Mode::List => Some(OutboxAction::List),
        Mode::Flush => Some(OutboxAction::Flush {
            wait: false,
            timeout: FLUSH_TIME,
        }),
    };
    if let Some(action) = action {
        return outbox::run(&OutboxArgs { action }, global, output);
    }
    match asked
        .map_err(Into::into)
        .and_then(|asked| deliver(&asked, global, output))
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

/// Delivers the mail on stdin; returns the last failure, if any.
fn deliver(asked: &Asked, global: &Global, output: Output) -> anyhow::Result<Option<Failure>> {
    let output = Output {
        verbose: output.verbose + u8::from(asked.verbose),
        ..output
    };
    let config = load(global)?;
    let settings = config.settings(None)?;
    let state = begin_or_without(&settings.base, output);
    let (bytes, cut) = read(asked.dots)?;
    if cut {
        tracing::warn!("{}", words::mail_longer(MAIL_MAX >> 20));
    }
    let mail = Mail::parse(&bytes);
    drop(bytes);
    let found = addresses::find(asked, &mail.recipients, &config, &hosts::names())?;
    let letter = Letter::of(mail, cut, settings.phone_lang)?;
    let mut all = Vec::new();
    for settings in different(found.to, &config)? {
        let draft = Draft {
            channel: Channel::App,
            body: letter.body(),
            safe: false,
            id_trans: false,
            dedupe: None,
            long: Long::Auto,
            keep: settings.outbox.enabled,
        };
        let composed = composed(draft, &settings)?;
        all.push((settings, composed.messages));
    }
    let mut failures = Vec::new();
    for (settings, messages) in all {
        let files: u64 = messages.iter().map(Message::bytes_of_file).sum();
        tracing::info!(
            command = "sendmail",
            to = settings.to.describe(),
            bytes = letter.text().len() as u64 + files,
            digest = &digest(&[letter.text()])[..16],
            parts = messages.len(),
            "start"
        );
        tracing::debug!(text = letter.text(), "message");
        let time = time_for(&messages);
        let submitting = Submitting {
            config: &config,
            keep: settings.outbox.enabled,
            settings,
            state: state.as_ref().map_err(Clone::clone),
            time,
            kept_ok: false,
            output: Some(output),
        };
        let outcome = submitting.submit(|submission| {
            if asked.queue {
                submission.queue_or_send(messages, time)
            } else {
                submission.send(messages)
            }
        })?;
        let report = Report::of(outcome, || cron::flush_command(&config));
        failures.extend(reported(report, output));
    }
    if !found.unknown.is_empty() {
        let names = found.unknown.join(spoken().of("、", ", "));
        failures.push(words::nobody_known(names));
    }
    let last = failures.pop();
    for failure in &failures {
        output.failure(failure);
    }
    Ok(last)
}

/// Returns the settings for each of the recipients, without duplicates.
fn different(
    recipients: Vec<Option<Recipients>>,
    config: &Config,
) -> Result<Vec<Settings>, Failure> {
    let mut all = Vec::<Settings>::new();
    for recipients in recipients {
        let settings = recipients::complete(config.settings(recipients)?)?;
        if all.iter().all(|other| other.to != settings.to) {
            all.push(settings);
        }
    }
    Ok(all)
}

/// Shows a report as callers of sendmail expect: a kept mail is a success.
fn reported(report: Report, output: Output) -> Option<Failure> {
    let is_kept = report.is_queued();
    let failure = report.show(output)?;
    if is_kept {
        output.note(&failure.what);
        return None;
    }
    let exit = match failure.exit {
        Exit::State => Exit::NotNow,
        exit => exit,
    };
    Some(Failure { exit, ..failure })
}

/// Reads the mail on stdin, up to its end or a line of a single dot; also returns whether it was
/// cut.
fn read(dots: bool) -> Result<(Vec<u8>, bool), Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(words::no_mail());
    }
    letter(stdin.lock(), dots, MAIL_MAX).map_err(words::unreadable)
}

fn letter(reader: impl BufRead, dots: bool, max: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let mut reader = reader.take(max + 1);
    loop {
        let begin = bytes.len();
        let read = reader.read_until(b'\n', &mut bytes)?;
        let is_dot = matches!(&bytes[begin..], b".\n" | b".\r\n");
        if is_dot && !dots {
            bytes.truncate(begin);
            break;
        }
        if read == 0 {
            break;
        }
    }
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let cut = bytes.len() > max;
    bytes.truncate(max);
    Ok((bytes, cut))
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
        ] {
            let (bytes, was_cut) = letter(text.as_bytes(), dots, max).unwrap();
            assert_eq!((&*bytes, was_cut), (expected.as_bytes(), cut), "{text:?}");
        }
    }
}
