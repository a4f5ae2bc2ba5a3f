//! A command line that can be run again and again: how long it takes, and how much CPU.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::Result;

/// A program with its arguments.
#[derive(Clone)]
pub(crate) struct Racer {
    /// What it is called in the tables.
    pub(crate) name: String,
    pub(crate) line: Vec<OsString>,
    /// Removed before each run: they remember more than one run would in a minute of real life.
    forgotten: Vec<PathBuf>,
}

/// What one run took, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    /// From before the start to after the end.
    pub(crate) wall: f64,
    /// In the program and in the kernel for it.
    pub(crate) cpu: f64,
}

impl Racer {
    /// A program that is there, with its arguments.
    pub(crate) fn new(
        name: impl Into<String>,
        program: &Path,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        let line = [program.as_os_str().to_owned()].into_iter();
        Self {
            name: name.into(),
            line: line.chain(args.into_iter().map(Into::into)).collect(),
            forgotten: Vec::new(),
        }
    }

    /// The same, before each run of which these files go.
    pub(crate) fn forgetting(mut self, files: impl IntoIterator<Item = PathBuf>) -> Self {
        self.forgotten = files.into_iter().collect();
        self
    }

    pub(crate) fn forget(&self) {
        for file in &self.forgotten {
            // There is none before the first run.
            let _ = fs::remove_file(file);
        }
    }

    /// Runs it once.
    ///
    /// # Errors
    /// Whatever keeps it from ending well.
    pub(crate) fn run(&self) -> Result<Time> {
        let mut command = command(&self.line);
        self.forget();
        let before = cpu(&getrusage(UsageWho::RUSAGE_CHILDREN)?);
        let begun = Instant::now();
        let status = command.status();
        let wall = begun.elapsed().as_secs_f64() * 1e3;
        let after = cpu(&getrusage(UsageWho::RUSAGE_CHILDREN)?);
        self.ended(status)?;
        Ok(Time {
            wall,
            cpu: after - before,
        })
    }

    /// # Errors
    /// Where it has not ended well.
    pub(crate) fn ended(&self, status: io::Result<ExitStatus>) -> Result<()> {
        let status = status.map_err(|error| format!("cannot run {}: {error}", self.name))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} ended with {status}, see above", self.name).into())
        }
    }
}

/// The part of `usage` that starts the child and prints its peak memory in KiB and its page faults, as a
/// small process of its own sees them: a child's peak is never below what its parent held when it started it.
pub(crate) fn print_usage(line: &[OsString]) -> Result<()> {
    let status = command(line).status()?;
    if !status.success() {
        return Err(status.to_string().into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let (peak, faults) = (usage.max_rss(), usage.minor_page_faults());
    writeln!(io::stdout(), "{peak} {faults}")?;
    Ok(())
}

/// As cron would run it, in cron's environment, and without its output.
pub(crate) fn command(line: &[OsString]) -> Command {
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]);
    let inherited = env::vars_os().filter(|(name, _)| name == "HOME" || name == "LOGNAME");
    let inherited: Vec<_> = inherited.collect();
    command.env_clear().envs(inherited);
    command.env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::inherit());
    command
}

/// All CPU time of a usage, in milliseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "below 2^52 µs, four thousand years"
)]
fn cpu(usage: &Usage) -> f64 {
    let micros = usage.user_time() + usage.system_time();
    micros.num_microseconds() as f64 / 1e3
}

/// The middle of these, or halfway between the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.is_empty() {
        f64::NAN
    } else if values.len().is_multiple_of(2) {
        f64::midpoint(values[half - 1], values[half])
    } else {
        values[half]
    }
}

/// A program in `$PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).map(|place| place.join(name));
    places.find(|place| place.is_file())
}
