//! The command line: every option and its help text. No logic.

#![allow(
    clippy::doc_markdown,
    reason = "doc comments here are help texts, and a terminal shows backticks"
)]

mod api;
mod batch;
mod callback;
mod check;
pub(crate) mod chinese;
mod http;
mod init;
mod run;
mod send;
mod sendmail;

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand};

use crate::config::value;
use crate::lang::{Lang, spoken};
use crate::message::MediaKind;
use crate::output::Color;
use crate::text::help;
pub(crate) use api::{Api, Method};
pub(crate) use batch::Batch;
pub(crate) use callback::Callback;
pub(crate) use check::Check;
pub(crate) use http::HttpCommand;
pub(crate) use init::Init;
pub(crate) use run::{ReportOn, Run};
pub(crate) use send::{Kinds, Send, To};
use sendmail::first_command;
pub(crate) use sendmail::{Sendmail, words};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    version,
    about = help::about(),
    long_about = None,
    after_help = help::below(),
    // Without a terminal clap would take a hundred columns.
    max_term_width = 80,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Reads this config instead of searching for one
    #[arg(short, long, global = true, value_name = "FILE", display_order = 900)]
    pub(crate) config: Option<PathBuf>,
    /// Uses the keys below [profiles.NAME] of the config
    #[arg(short, long, global = true, value_name = "NAME", display_order = 901)]
    pub(crate) profile: Option<String>,
    /// Shows errors only
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        display_order = 902
    )]
    pub(crate) quiet: bool,
    /// Shows on stderr what is done; again for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 903)]
    pub(crate) verbose: u8,
    /// Writes the result to stdout as one JSON object
    #[arg(long, global = true, display_order = 904)]
    pub(crate) json: bool,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 905
    )]
    pub(crate) color: Color,
}

/// The commands by name, each with its description and the text below its help.
///
/// The options of a command are built only when it is used: building all of them takes longer than
/// sending a message.
macro_rules! commands {
    ($($name:literal $variant:ident($args:ty) $about:ident $below:ident;)+) => {
        /// The commands.
        #[derive(Debug)]
        pub(crate) enum Command {
            $($variant($args),)+
        }

        impl Command {
            /// Returns the command of this name, if there is one; in Chinese, its options are not to be
            /// parsed for their values.
            fn named(name: &str, lang: Lang) -> Option<clap::Command> {
                type Text = fn() -> &'static str;
                type Options = fn(clap::Command) -> clap::Command;
                let (below, zh, en): (Text, Options, Options) = match name {
                    $($name => (
                        help::$below,
                        chinese::with_options::<$args>,
                        with_options::<$args>,
                    ),)+
                    _ => return None,
                };
                Some(Self::listed(name)?.after_help(below()).defer(lang.of(zh, en)))
            }

            /// Returns the command of this name without its options, as a list shows it.
            fn listed(name: &str) -> Option<clap::Command> {
                Some(match name {
                    $($name => clap::Command::new($name).about(help::$about()),)+
                    _ => return None,
                })
            }
        }

        impl Subcommand for Command {
            fn augment_subcommands(cli: clap::Command) -> clap::Command {
                let all = [$($name),+].into_iter();
                cli.subcommands(all.filter_map(|name| Self::named(name, Lang::En)))
            }

            fn augment_subcommands_for_update(cli: clap::Command) -> clap::Command {
                Self::augment_subcommands(cli)
            }

            fn has_subcommand(name: &str) -> bool {
                [$($name),+].contains(&name)
            }
        }

        impl FromArgMatches for Command {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Self::from_arg_matches_mut(&mut matches.clone())
            }

            fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
                let (name, mut matches) = matches.remove_subcommand().unwrap_or_default();
                match &*name {
                    $($name => <$args>::from_arg_matches_mut(&mut matches).map(Self::$variant),)+
                    _ => Err(clap::Error::new(ErrorKind::MissingSubcommand)),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

/// Parses a command line.
///
/// The command that is named is built alone; all of them are built to say what is wrong. The error is in
/// English, unless it is the help that was asked for.
pub(crate) fn parse(words: &[OsString]) -> Result<Cli, clap::Error> {
    let name = words.get(first_command(words)).and_then(|it| it.to_str());
    if let Some(command) = name.and_then(|name| Command::named(name, Lang::En)) {
        let cli = clap::Command::new(env!("CARGO_PKG_NAME")).subcommand(command);
        // Left to the end of the process, which is near: to take it apart takes time.
        let mut cli = ManuallyDrop::new(Global::augment_args(cli));
        let matches = cli.try_get_matches_from_mut(words);
        let parsed = matches.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
        if parsed.is_ok() {
            return parsed;
        }
    }
    if spoken() == Lang::Zh
        && let Some(help) = chinese::help(words, name)
    {
        return Err(help);
    }
    Cli::try_parse_from(words)
}

/// Returns a wrong command line of `run` with the `--` that its command lacks, if that makes it right.
pub(crate) fn with_dashes(words: &[OsString]) -> Option<Vec<OsString>> {
    let run = words.iter().position(|word| word == "run")?;
    if words.iter().any(|word| word == "--") {
        return None;
    }
    (run + 1..words.len()).find_map(|at| {
        let is_option = words[at].as_encoded_bytes().starts_with(b"-");
        let mut words = words.to_vec();
        words.insert(at, "--".into());
        (!is_option && Cli::try_parse_from(&words).is_ok()).then_some(words)
    })
}

/// Adds the options of a command, and keeps its description.
fn with_options<T: Args>(command: clap::Command) -> clap::Command {
    let about = command.get_about().cloned().unwrap_or_default();
    T::augment_args(command).about(about)
}

commands! {
    "send" Send(Box<Send>) send send_below;
    "batch" Batch(Batch) batch batch_below;
    "run" Run(Box<Run>) run run_below;
    "runs" Runs(Runs) runs runs_below;
    "sendmail" Sendmail(Sendmail) sendmail sendmail_below;
    "outbox" Outbox(OutboxArgs) outbox outbox_below;
    "upload" Upload(Upload) upload nothing_below;
    "recall" Recall(Recall) recall nothing_below;
    "token" Token(Token) token nothing_below;
    "api" Api(Api) api api_below;
    "check" Check(Check) check check_below;
    "init" Init(Init) init init_below;
    "callback" Callback(Callback) callback callback_below;
    "http" Http(HttpCommand) http http_below;
    "explain" Explain(Explain) explain nothing_below;
    "crontab" Crontab(Crontab) crontab crontab_below;
    "completions" Completions(Completions) completions completions_below;
    "man" Man(Man) man man_below;
}

/// `wxpush upload`.
#[derive(Debug, Args)]
pub(crate) struct Upload {
    /// A path, or - for stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: OsString,
    /// The media type [default: by the file's format]
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<MediaKind>,
    /// The file name that recipients see
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<OsString>,
    /// For messages of this robot alone
    #[arg(long, value_name = "NAME")]
    pub(crate) robot: Option<String>,
    /// Time for it [default: 30s, and more for a large file]
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) timeout: Option<Duration>,
}

/// `wxpush recall`.
#[derive(Debug, Args)]
pub(crate) struct Recall {
    /// A msgid that `wxpush send --json` has shown
    #[arg(value_name = "MSGID", allow_hyphen_values = true)]
    pub(crate) msgid: String,
    /// Time for it
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::duration)]
    pub(crate) timeout: Duration,
}

/// `wxpush outbox`.
#[derive(Debug, Args)]
pub(crate) struct OutboxArgs {
    #[command(subcommand)]
    pub(crate) action: OutboxAction,
}

/// The actions of `wxpush outbox`.
#[derive(Debug, Subcommand)]
pub(crate) enum OutboxAction {
    /// Lists what waits, and what failed in the last 30 days
    List,
    /// Shows one message
    Show {
        /// Its ID, or a part of it that no other has
        id: String,
    },
    /// Delivers what waits, oldest first
    Flush {
        /// Goes on until nothing is left
        #[arg(long)]
        wait: bool,
        /// Time for it [default: 30s]
        #[arg(long, value_name = "DURATION", value_parser = value::duration, conflicts_with = "wait")]
        timeout: Option<Duration>,
    },
    /// Removes messages, unsent
    Drop(Chosen),
    /// Puts failed messages back, and lets waiting ones be tried at once, for the app in the config
    Retry(Chosen),
}

/// Which messages.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Their IDs, or parts of them that no other has
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,
    /// All of them; for drop those that wait, and none that failed
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
}

/// `wxpush runs`.
#[derive(Debug, Args)]
pub(crate) struct Runs {
    #[command(subcommand)]
    pub(crate) action: Option<RunsAction>,
}

/// The actions of `wxpush runs`.
#[derive(Debug, Default, Subcommand)]
pub(crate) enum RunsAction {
    /// Lists the jobs (the default)
    #[default]
    List,
    /// Watches a job no longer, until it runs again
    Forget {
        /// Its name, as in the list
        name: String,
    },
}

/// `wxpush token`.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) action: Option<TokenAction>,
}

/// The actions of `wxpush token`.
#[derive(Debug, Clone, Copy, Default, Subcommand)]
pub(crate) enum TokenAction {
    /// Tells how long the cached token is good for (the default)
    #[default]
    Status,
    /// Fetches a new one, whatever is cached
    Refresh,
    /// Forgets the cached one
    Clear,
    /// Prints a token that works: the only command that shows it
    Print,
}

/// `wxpush explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// One or more errcodes, such as 60020
    #[arg(value_name = "ERRCODE", required = true, allow_negative_numbers = true, value_parser = value::errcode)]
    pub(crate) errcodes: Vec<i64>,
}

/// `wxpush crontab`.
#[derive(Debug, Args)]
pub(crate) struct Crontab {
    /// The five fields of the time as one word, or a nickname such as @daily
    #[arg(value_name = "'M H DOM MON DOW'")]
    pub(crate) when: String,
    /// The command line of wxpush, without its name
    #[arg(value_name = "ARGS", last = true, required = true)]
    pub(crate) args: Vec<OsString>,
}

/// `wxpush completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// `wxpush man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Writes wxpush.1 and a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
