//! What a command line that asks for help, or is wrong, is answered.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use crate::cli::{self, Cli};
use crate::commands;
use crate::config::value;
use crate::cron;
use crate::error::{Exit, Failure};
use crate::lang::{Lang, spoken};
use crate::output::{self, Output};
use crate::text;

/// Shows help or a usage error; without arguments the help is an error.
pub(crate) fn answer(error: &clap::Error, words: &[OsString]) -> Exit {
    match error.kind() {
        // Write errors are ignored here and below: there is nowhere left to report them.
        ErrorKind::DisplayVersion => drop(error.print()),
        ErrorKind::DisplayHelp => drop(output::bytes(help(error).as_bytes())),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::diagnostic(help(error).trim_end());
            output::end_line();
            if is_first(words.get(1..).unwrap_or_default()) {
                output::diagnostic(text::help::begin_with());
                return refused(Failure::new(Exit::Usage, text::usage::no_command_given()));
            }
            let failure = Failure::new(Exit::Usage, text::usage::no_action_given());
            Output::default().failure(&failure);
            return refused(failure);
        }
        _ => {
            let failure = names_a_secret(error).unwrap_or_else(|| wrong(error, words));
            Output::default().failure(&failure);
            return refused(failure);
        }
    }
    Exit::Sent
}

/// Reports a wrong command line as JSON on request.
fn refused(failure: Failure) -> Exit {
    if wants_json() {
        commands::report_unsent(failure, Output::default());
    }
    Exit::Usage
}

/// Whether the result is wanted as JSON, for a command line that could not be parsed.
pub(crate) fn wants_json() -> bool {
    let mut args = std::env::args_os().take_while(|arg| arg != "--");
    args.any(|arg| arg == "--json")
}

/// Returns the help that was asked for.
fn help(error: &clap::Error) -> String {
    let help = error.render().to_string();
    match spoken() {
        Lang::Zh => cli::chinese::laid_out(&help) + "\n",
        Lang::En => help,
    }
}

/// Returns the failure for an option that asks for a secret; clap would suggest passing it as a
/// message.
fn names_a_secret(error: &clap::Error) -> Option<Failure> {
    let ContextValue::String(option) = error.get(ContextKind::InvalidArg)? else {
        return None;
    };
    let names = ["secret", "token", "password"];
    let is_one = error.kind() == ErrorKind::UnknownArgument
        && option.starts_with("--")
        && names.iter().any(|name| option.contains(name));
    is_one.then(|| text::cli::option_takes_no_secret(value::shown(option)))
}

/// Returns the failure for a wrong command line, with the right one if it can be guessed.
fn wrong(error: &clap::Error, words: &[OsString]) -> Failure {
    let what = text::usage::what(error);
    let right = cli::with_dashes(words).map(|words| text::usage::behind_dashes(shown(&words)));
    let meant = || corrected(error, words).map(|words| text::usage::meant(shown(&words)));
    let hint = right.or_else(meant).unwrap_or_else(|| {
        let mut names = words.iter().skip(1).filter_map(|word| word.to_str());
        let command = Cli::command();
        let is_one = |name: &&str| command.get_subcommands().any(|it| it.get_name() == *name);
        let named = names.find(is_one);
        text::usage::see_help(named.map(|name| format!(" {name}")).unwrap_or_default())
    });
    Failure::new(Exit::Usage, what).hint(hint)
}

/// Returns the command line with the word that was meant, or as a message if no command was.
fn corrected(error: &clap::Error, words: &[OsString]) -> Option<Vec<OsString>> {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(all)) => all.clone(),
        _ => Vec::new(),
    };
    let (wrong, right) = match error.kind() {
        ErrorKind::InvalidSubcommand => (
            named(ContextKind::InvalidSubcommand),
            named(ContextKind::SuggestedSubcommand),
        ),
        ErrorKind::InvalidValue => (
            named(ContextKind::InvalidValue),
            named(ContextKind::SuggestedValue),
        ),
        _ => (
            named(ContextKind::InvalidArg),
            named(ContextKind::SuggestedArg),
        ),
    };
    let wrong = wrong.first().filter(|word| !word.is_empty())?;
    let at = words.iter().skip(1).position(|word| {
        let rest = word.to_str().and_then(|word| word.strip_prefix(&**wrong));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })? + 1;
    let mut words = words.to_vec();
    let distance = |word: &&String| strsim::osa_distance(wrong, word);
    let nearest = right.iter().min_by_key(distance);
    // Clap finds some words similar that nobody would mistype.
    let nearest = nearest.filter(|word| 2 * distance(word) <= word.len().max(wrong.len()));
    match nearest {
        Some(right) => {
            let word = words[at].to_str()?.replacen(&**wrong, right, 1);
            words[at] = word.into();
        }
        // What else could it be than a message? Help for it was not meant.
        None if is_first(&words[1..at]) && !words.iter().any(|word| word == "--help") => {
            words.insert(at, "send".into());
            Cli::try_parse_from(&words).ok()?;
        }
        None => return None,
    }
    Some(words)
}

/// Whether no command stands before a word.
fn is_first(before: &[OsString]) -> bool {
    let mut before = before.iter();
    before.all(|word| word.as_encoded_bytes().starts_with(b"-"))
}

/// Returns a command line as it can be pasted.
fn shown(words: &[OsString]) -> String {
    let words = words.iter().map(|word| cron::quoted(word));
    let line = words.collect::<Vec<_>>().join(OsStr::new(" "));
    value::shown(&line.to_string_lossy())
}
