//! `wxpush crontab`: prints a line that survives cron and its shell unchanged.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::{CommandFactory, FromArgMatches};

use crate::cli::{Cli, Command, Crontab};
use crate::config;
use crate::cron::{Schedule, quoted};
use crate::error::{Exit, Failure};
use crate::output::{self, Output};
use crate::text;

/// Runs `crontab`.
pub(super) fn run(args: &Crontab, output: Output) -> anyhow::Result<Exit> {
    let bad = || text::cron::bad_schedule(config::value::shown(&args.when));
    let schedule = Schedule::parse(&args.when).ok_or_else(bad)?;
    let words = arranged(&args.args)?;
    let mut line = schedule.text().into_bytes();
    for word in std::iter::once(config::program().into_os_string()).chain(words) {
        line.push(b' ');
        line.extend(quoted(&word).into_encoded_bytes());
    }
    line.push(b'\n');
    output::bytes(&line)?;
    if let Some(calmer) = schedule.calmer() {
        output.note(&text::cron::late_minute(calmer));
    }
    Ok(Exit::Sent)
}

/// Checks the words of a wxpush command line, and inserts `--` before those of a message, which may
/// begin with a dash.
fn arranged(args: &[OsString]) -> Result<Vec<OsString>, Failure> {
    if args.iter().any(|word| word.as_bytes().contains(&b'\n')) {
        return Err(text::cron::newline());
    }
    let whole = std::iter::once(OsStr::new("wxpush")).chain(args.iter().map(OsString::as_os_str));
    let matches = Cli::command().try_get_matches_from(whole);
    let matches = matches.map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        text::cron::bad_command(first.strip_prefix("error: ").unwrap_or(first))
    })?;
    let cli = Cli::from_arg_matches(&matches).map(|cli| cli.command);
    let Some(("send", send)) = matches.subcommand() else {
        return Ok(args.to_vec());
    };
    let message = send.get_many::<OsString>("message").into_iter().flatten();
    let message: Vec<OsString> = message.cloned().collect();
    let has_dashes = args.iter().any(|word| word == "--");
    if message.is_empty() || has_dashes || !matches!(cli, Ok(Command::Send(_))) {
        return Ok(args.to_vec());
    }
    // Options may contain the same words: matched one by one, from the end.
    let mut rest = args.to_vec();
    for word in message.iter().rev() {
        if let Some(place) = rest.iter().rposition(|other| other == word) {
            rest.remove(place);
        }
    }
    rest.push(OsString::from("--"));
    rest.extend(message);
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_follows_two_dashes_and_its_options_precede_them() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (typed, arranged_words) in [
            ("send hello world", "send -- hello world"),
            ("send hello --to lisi", "send --to lisi -- hello"),
            ("send --to lisi lisi", "send --to lisi -- lisi"),
            ("send -t x -- -5 degrees", "send -t x -- -5 degrees"),
            ("-c /a/b send x -q", "-c /a/b send -q -- x"),
            ("send --file /a/b", "send --file /a/b"),
            ("outbox flush", "outbox flush"),
        ] {
            assert_eq!(arranged(&words(typed)).unwrap(), words(arranged_words));
        }
        for bad in ["sned x", "send --too x", ""] {
            assert_eq!(
                arranged(&words(bad)).unwrap_err().exit,
                Exit::Usage,
                "{bad}"
            );
        }
    }
}
