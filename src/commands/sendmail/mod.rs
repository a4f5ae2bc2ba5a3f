//! `wxpush sendmail`: a mail becomes messages, to whom its addresses lead.

mod argv;
mod contents;
mod receivers;

use std::io::{self, BufRead, IsTerminal};
use std::rc::Rc;
use std::time::Instant;

use super::post::Way;
use super::report::Report;
use super::send::TIME;
use super::send::requests::{guard, keepable};
use super::{begin_or_without, load, to};
use crate::cli::{Global, Sendmail};
use crate::config::{self, Config, Settings};
use crate::delivery::{Sender, upload_time};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::message::{Envelope, Mail, Post};
use crate::output::{self, Output};
use crate::secret::digest;
use crate::text;
use contents::{Letter, posts};

/// Most of a mail that is read, in bytes: what is past WeCom's largest file as mail writes it
/// could not be sent.
const MAIL_MAX: u64 = 25 << 20;

/// Runs `sendmail`, and reports how it ended, whichever way it did.
///
/// # Errors
/// `Exit::Partial` where nobody is known by an address, `Exit::Data` for an empty mail,
/// `Exit::NotNow` where it could be neither delivered nor kept.
pub(super) fn run(args: &Sendmail, global: &Global, output: Output) -> anyhow::Result<Exit> {
    match deliver(args, global, output) {
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

/// Delivers the mail on stdin; tells the last of what went wrong with that.
fn deliver(args: &Sendmail, global: &Global, output: Output) -> anyhow::Result<Option<Failure>> {
    let asked = argv::parse(&args.words)?;
    let output = Output {
        verbose: output.verbose + u8::from(asked.verbose),
        ..output
    };
    let config = load(global)?;
    let settings = config.settings(None)?;
    let state = begin_or_without(&settings.base, output);
    let (bytes, cut) = read(asked.dots)?;
    if cut {
        let max = MAIL_MAX >> 20;
        let text = say!(
            "邮件超过 {max} MiB：其余部分没有读取",
            "the mail is longer than {max} MiB: the rest was not read"
        );
        tracing::warn!("{text}");
    }
    let mail = Mail::parse(&bytes);
    drop(bytes);
    let host = config::hostname();
    let found = receivers::find(&asked, &mail.receivers, &config, &host)?;
    let letter = Letter::of(mail, cut, settings.phone_lang)?;
    let mut all = Vec::new();
    for settings in different(found.to, &config)? {
        let posts = posts(&letter, &settings)?;
        guard(&settings, letter.text(), &posts)?;
        if settings.outbox.enabled {
            keepable(&posts)?;
        }
        all.push((settings, posts));
    }
    let mut failures = Vec::new();
    for (settings, posts) in all {
        let files: u64 = posts.iter().map(Post::bytes_of_file).sum();
        tracing::info!(
            command = "sendmail",
            to = settings.to.describe(),
            bytes = letter.text().len() as u64 + files,
            digest = &digest(&[letter.text()])[..16],
            parts = posts.len(),
            "start"
        );
        tracing::debug!(text = letter.text(), "message");
        let time = TIME + upload_time(files);
        let way = Way {
            config: &config,
            keep: settings.outbox.enabled,
            kept_ok: false,
            sender: Rc::new(Sender::new(settings, state.as_ref().ok())?),
            state: state.as_ref().map_err(Clone::clone),
            deadline: Instant::now() + time,
            person: output.has_reader().then_some(output),
            watching: output::watching(output),
        };
        let report = if asked.queue {
            way.queue_or_send(posts, time)
        } else {
            way.send(posts)
        };
        failures.extend(told(report, output));
    }
    if !found.unknown.is_empty() {
        let names = found.unknown.join(spoken().of("、", ", "));
        let what = say!(
            "不知道 {names} 是谁：没有发给这些地址",
            "nobody is known by {names}: nothing was sent there"
        );
        let hint = spoken().of(
            "在配置文件的 [mail] 下为该地址写一行：\"root@example.com\" = { touser = \"zhangsan\" }",
            "write a line for the address below [mail] of the config: \"root@example.com\" = { touser = \"zhangsan\" }",
        );
        failures.push(Failure::new(Exit::Partial, what).hint(hint));
    }
    let last = failures.pop();
    for failure in &failures {
        output.failure(failure);
    }
    Ok(last)
}

/// The settings for each of the receivers, none of them twice.
fn different(receivers: Vec<Option<Envelope>>, config: &Config) -> Result<Vec<Settings>, Failure> {
    let mut all = Vec::<Settings>::new();
    for envelope in receivers {
        let settings = to::complete(config.settings(envelope)?)?;
        if all.iter().all(|other| other.to != settings.to) {
            all.push(settings);
        }
    }
    Ok(all)
}

/// What a caller that knows sendmail is told: what is kept is taken care of.
fn told(report: Report, output: Output) -> Option<Failure> {
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

/// The mail on stdin, up to its end or a line of one dot, and whether it went on.
fn read(dots: bool) -> Result<(Vec<u8>, bool), Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(text::sendmail::no_mail());
    }
    letter(stdin.lock(), dots, MAIL_MAX).map_err(|error| {
        let what = say!(
            "无法从 stdin 读取邮件：{error}",
            "cannot read the mail from stdin: {error}"
        );
        Failure::new(Exit::Io, what)
    })
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
