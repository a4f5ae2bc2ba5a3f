//! wxpush, the `sendmail` of 企业微信 (WeCom): secures the process, dispatches the command, shows its
//! error, and returns the exit status.
//!
//! The rooms, each importing only from those below it:
//!
//! ```text
//! main, cli, usage   the command line
//! commands           arguments -> the rooms below -> a result to print
//!   log  output      one line an event; printing, which no other room does
//!   text             every sentence that a person reads
//!   compose          a text, files or JSON become messages
//!   delivery         submit, deliver, retry, flush: the policy
//!     token          the access_token: one gettoken for many processes
//!       wecom        the API: requests and errors, typed; no file, no environment, no words
//!     outbox         messages accepted and not yet delivered
//!     maildrop       mails of users who may not read the config, until root flushes
//!     rate_limit     the slots under WeCom's limits, shared by many processes (the file `ledger`)
//!     uploads        what WeCom has of our files, shared by many processes
//!   streaks  jobs    how often a command has failed in a row; the jobs that must not fail to run
//!   child  cron      a program run transparently; crontab lines and systemd timers that flush
//!   config           settings, and where files are
//!     disk           files that must be ours: locks, journals, records, whole-file writes
//!       message      one message, typed, and WeCom's limits; texts, mails and files to make it of
//!         file_slice  request_head  secret  error  lang  clock  duration  backoff  notice
//! ```
//!
//! A room below `text` returns typed outcomes, or sends a `notice`; `text` puts them into words.
//! Only `main` ends the process, by returning or after a panic. `fuzz` is the entry point of the
//! fuzzer, not a room.

#![cfg_attr(fuzzing, no_main)]

mod backoff;
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
mod file_slice;
#[cfg(any(fuzzing, test))]
mod fuzz;
mod jobs;
mod lang;
mod log;
mod maildrop;
mod message;
mod notice;
mod outbox;
mod output;
mod rate_limit;
mod request_head;
mod secret;
mod streaks;
mod text;
mod token;
mod uploads;
mod usage;
mod wecom;

use std::panic;
use std::process::{self, ExitCode};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use rustix::process::{DumpableBehavior, Resource, getrlimit, set_dumpable_behavior};
use signal_hook::consts::SIGXFSZ;

use error::{Exit, Failure};
use output::Output;

/// That of a static program's C library maps and unmaps memory for each size: a send would take thirty
/// system calls more.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    let begun = Instant::now();
    if child::outlives() {
        return ExitCode::SUCCESS;
    }
    panic::set_hook(Box::new(end_of_bug));
    hide_memory();
    notice::install(text::notice::warn);
    lang::speak(config::environment_lang());
    let words = cli::words(std::env::args_os());
    let exit = match cli::parse(&words) {
        Ok(mut cli) => {
            commands::fall_back(&mut cli);
            run(&cli, begun)
        }
        Err(error) => usage::answer(&error, &words),
    };
    ExitCode::from(exit.code())
}

/// Keeps the secret out of core dumps, and out of reach of the user's other processes, which could
/// otherwise trace this one or read its memory and environment.
fn hide_memory() {
    // Best effort: without it we are no worse off than any other process.
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

/// Makes a write past a limit on file sizes (`ulimit -f`) fail. The kernel's signal would end us;
/// this way a log or a cache at its limit causes a warning, and the message is still sent.
fn outlive_file_limit(command: &cli::Command) {
    // Caught rather than ignored: the command of `run` would inherit an ignored signal.
    static NOTICED: AtomicBool = AtomicBool::new(false);
    if getrlimit(Resource::Fsize).current.is_none() {
        return;
    }
    // An ignored signal ends nobody, and has to stay ignored in the command of `run`.
    if matches!(command, cli::Command::Run(_)) && child::is_ignored(SIGXFSZ) {
        return;
    }
    // Best effort.
    let _ = signal_hook::flag::register(SIGXFSZ, &NOTICED);
}

/// Reports a panic on stderr, in the log and as JSON, and exits.
///
/// Done in the hook: a release build does not unwind, which makes it a tenth smaller.
fn end_of_bug(info: &panic::PanicHookInfo<'_>) {
    // Only the location: the text of the panic could hold a secret.
    let place = info.location().map_or("?".to_owned(), |at| {
        // Without the directories of the build machine.
        let file = at.file().rsplit('/').next().unwrap_or_default();
        format!("{file}:{}", at.line())
    });
    let failure = text::cli::own_fault(place).hint_to_report();
    Output::default().failure(&failure);
    let exit = error::bug_ends_as();
    tracing::error!(exit = exit.code(), error = failure.what, "end");
    if usage::wants_json() {
        commands::report_unsent(failure, Output::default());
    }
    process::exit(exit.code().into());
}
