//! wxpush, the `sendmail` of 企业微信 (WeCom): make the process safe, dispatch, show the error, exit
//! status.
//!
//! The rooms, each importing only from those below it:
//!
//! ```text
//! main, cli        what was typed
//! commands         arguments -> the rooms below -> a result to print
//!   text           every sentence that a person reads
//!   delivery       the policy: token, file, slot, send, a new token once, retries, the backlog
//!     token        the access_token: one gettoken for many processes
//!       wecom      the API; the only room that sees a URL with a secret
//!     outbox       what is accepted and not yet delivered
//!     ledger       the slots under WeCom's limits: shared by many processes, too
//!     uploads      what WeCom has of our files: shared by many processes, too
//!     child        another program, as if nobody stood between
//!     runs         how often a command has failed in a row
//!     cron         crontab lines: written, found, added
//!   config  log    what was meant; where files live; one line an event
//!     disk  output files that must be ours; the only room that prints
//!       message        what is sent, in which limits
//!         blob  secret  error  lang  clock  duration  backoff  notice
//! ```
//!
//! Only `main` ends the process, by returning, or where a fault of ours is shown. `fuzz` is the
//! fuzzer's way in, no room.

#![cfg_attr(fuzzing, no_main)]

mod backoff;
mod blob;
mod child;
mod cli;
mod clock;
mod commands;
mod compose;
mod config;
mod cron;
mod delivery;
mod disk;
mod duration;
mod error;
#[cfg(any(fuzzing, test))]
mod fuzz;
mod lang;
mod ledger;
mod log;
mod message;
mod notice;
mod outbox;
mod output;
mod runs;
mod secret;
mod text;
mod token;
mod uploads;
mod wecom;

use std::panic;
use std::process::{self, ExitCode};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use signal_hook::consts::SIGXFSZ;

use config::value;
use error::{Exit, Failure};
use lang::say;
use output::Output;

fn main() -> ExitCode {
    let begun = Instant::now();
    panic::set_hook(Box::new(end_of_bug));
    hide_memory();
    notice::install(text::notice::warn);
    lang::speak(config::environment_lang());
    let words = || cli::words(std::env::args_os());
    let exit = match cli::Cli::try_parse_from(words()) {
        Ok(cli) => run(&cli, begun),
        Err(error) => usage(&error),
    };
    ExitCode::from(exit.code())
}

/// Keeps the secret out of core dumps, and out of reach of the user's other processes, which could
/// otherwise trace this one or read its memory and environment.
fn hide_memory() {
    // Where it cannot be done, things are as with any other program.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

fn run(cli: &cli::Cli, begun: Instant) -> Exit {
    outlive_file_limit(&cli.command);
    let global = &cli.global;
    let output = Output {
        quiet: global.quiet,
        verbose: global.verbose,
        json: global.json,
        color: global.color,
    };
    let ms = || u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match commands::run(cli, output) {
        Ok(exit) => {
            tracing::info!(exit = exit.code(), ms = ms(), "end");
            exit
        }
        Err(error) => {
            let failure = Failure::of(error);
            tracing::error!(
                exit = failure.exit.code(),
                ms = ms(),
                error = failure.what,
                "end"
            );
            output.failure(&failure);
            failure.exit
        }
    }
}

/// Lets a write past a limit on file sizes (`ulimit -f`) fail, where the kernel's signal for it
/// would end us: a log or a cache at its limit costs a warning, not the message.
fn outlive_file_limit(command: &cli::Command) {
    // Caught rather than ignored: what is ignored would be so in that command, too.
    static NOTICED: AtomicBool = AtomicBool::new(false);
    // What is ignored already ends nobody, and is to stay so in the command that `run` runs.
    if matches!(command, cli::Command::Run(_)) && child::is_ignored(SIGXFSZ) {
        return;
    }
    // Where it cannot be caught, it is as it was.
    let _ = signal_hook::flag::register(SIGXFSZ, &NOTICED);
}

/// Whether the result is wanted as JSON, where no command line could be read that says so.
fn wants_json() -> bool {
    let mut args = std::env::args_os().take_while(|arg| arg != "--");
    args.any(|arg| arg == "--json")
}

/// Shows help or a usage error. Without any arguments the help is one.
fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // That it cannot be shown is nothing that could be told, here and below.
        let _ = error.print();
        return Exit::Sent;
    }
    let failure = names_a_secret(error).map_or_else(
        || Failure::new(Exit::Usage, as_shown(error)),
        |failure| {
            Output::default().failure(&failure);
            failure
        },
    );
    if wants_json() {
        commands::report_unsent(failure, Output::default());
    }
    Exit::Usage
}

/// Shows a usage error as clap words it, but for what could be a secret; returns its first line.
fn as_shown(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let hidden = value::shown(&text);
    if hidden == text {
        let _ = error.print();
    } else {
        output::diagnostic(hidden.trim_end());
    }
    let first = hidden.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned()
}

/// What to say of an option that wants to be given a secret; clap would take it for a message.
fn names_a_secret(error: &clap::Error) -> Option<Failure> {
    let ContextValue::String(option) = error.get(ContextKind::InvalidArg)? else {
        return None;
    };
    let names = ["secret", "token", "password"];
    let is_one = error.kind() == ErrorKind::UnknownArgument
        && option.starts_with("--")
        && names.iter().any(|name| option.contains(name));
    is_one.then(|| {
        let option = value::shown(option);
        let what = say!(
            "没有 {option} 这个选项：任何选项都不接受 Secret",
            "there is no {option}: no option takes a secret"
        );
        Failure::new(Exit::Usage, what).hint(say!(
            "把 corpsecret 写进配置文件，或写进一个文件并把路径放进 WXPUSH_CORPSECRET_FILE：命令行谁都看得到",
            "put corpsecret into the config, or into a file and its path into WXPUSH_CORPSECRET_FILE: everybody sees a command line"
        ))
    })
}

/// Ends what a fault of ours breaks off as everything ends: said on stderr, in the log and as JSON.
///
/// Here and not once it is unwound: a release unwinds nothing, which makes it a tenth smaller.
fn end_of_bug(info: &panic::PanicHookInfo<'_>) {
    // Where it was; the panic's text could hold the secret that it stumbled over.
    let place = info.location().map_or("?".to_owned(), |at| {
        // Without the directories of the machine that built it.
        let file = at.file().rsplit('/').next().unwrap_or_default();
        format!("{file}:{}", at.line())
    });
    let what = say!(
        "wxpush 自身的错误，位置 {place}",
        "a fault of wxpush at {place}"
    );
    let failure = Failure::new(Exit::Bug, what).hint_to_report();
    Output::default().failure(&failure);
    let exit = error::bug_ends_as();
    tracing::error!(exit = exit.code(), error = failure.what, "end");
    if wants_json() {
        commands::report_unsent(failure, Output::default());
    }
    process::exit(exit.code().into());
}
