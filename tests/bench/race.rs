//! A command line that can be run again and again: how long, how much CPU, memory and system calls.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::Result;

/// Runs whose median is the peak memory.
const PEAKS: usize = 5;

/// A program with its arguments.
pub(crate) struct Racer {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    line: Vec<OsString>,
    /// Removed before each run: it remembers more than one run would in a minute of real life.
    ledger: Option<PathBuf>,
}

/// What one run took, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    /// From before the start to after the end.
    pub(crate) wall: f64,
    /// In the program and in the kernel for it.
    pub(crate) cpu: f64,
}

/// What does not change from run to run, or hardly.
pub(crate) struct Needs {
    /// The most memory it held at once, in MiB.
    pub(crate) peak: f64,
    /// System calls and threads, if strace could count them.
    pub(crate) traced: Option<(u64, u64)>,
}

impl Racer {
    /// A program that is there, with its arguments.
    pub(crate) fn new(
        name: &'static str,
        program: PathBuf,
        args: impl IntoIterator<Item = OsString>,
    ) -> Self {
        let line = [program.into_os_string()].into_iter().chain(args).collect();
        Self {
            name,
            line,
            ledger: None,
        }
    }

    /// The same, whose ledger goes before each run.
    pub(crate) fn forgetting(mut self, ledger: PathBuf) -> Self {
        self.ledger = Some(ledger);
        self
    }

    fn forget(&self) {
        if let Some(ledger) = &self.ledger {
            // There is none before the first run.
            let _ = fs::remove_file(ledger);
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

    /// Measures memory, system calls and threads, in runs of their own.
    ///
    /// # Errors
    /// Whatever keeps it from ending well.
    pub(crate) fn needs(&self) -> Result<Needs> {
        let mut peaks = Vec::new();
        for _ in 0..PEAKS {
            peaks.push(self.peak()?);
        }
        Ok(Needs {
            peak: median(peaks),
            traced: self.trace()?,
        })
    }

    /// The peak memory of a run, in MiB, as a small process of its own sees it: a child's figure is never
    /// below what its parent held when it started it.
    fn peak(&self) -> Result<f64> {
        self.forget();
        let output = Command::new(env::current_exe()?)
            .arg("peak")
            .args(&self.line)
            .stderr(Stdio::inherit())
            .output()?;
        self.ended(Ok(output.status))?;
        let kib: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// System calls and threads of a run, if strace is there and may trace.
    fn trace(&self) -> Result<Option<(u64, u64)>> {
        let Some(strace) = find("strace") else {
            return Ok(None);
        };
        let file = env::temp_dir().join(format!("wxpush-trace-{}", std::process::id()));
        let options = ["-f", "-qq", "-e", "signal=none", "-o"];
        let mut line: Vec<OsString> = vec![strace.into()];
        line.extend(options.map(OsString::from));
        line.push(file.clone().into());
        line.extend(self.line.iter().cloned());
        self.forget();
        let status = command(&line).status()?;
        let trace = fs::read_to_string(&file).unwrap_or_default();
        // It need not be there.
        let _ = fs::remove_file(&file);
        if !status.success() {
            return Ok(None);
        }
        // "PID call(…) = …"; a call that another thread interrupted has a second line, for its rest.
        let calls = trace.lines().filter(|line| !line.contains(" resumed>"));
        let threads: BTreeSet<_> = trace
            .lines()
            .filter_map(|it| it.split(' ').next())
            .collect();
        Ok(Some((calls.count().try_into()?, threads.len().try_into()?)))
    }

    fn ended(&self, status: io::Result<ExitStatus>) -> Result<()> {
        let status = status.map_err(|error| format!("cannot run {}: {error}", self.name))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} ended with {status}, see above", self.name).into())
        }
    }
}

/// The part of `peak` that starts the child and prints what it held, in KiB.
pub(crate) fn print_peak(line: &[OsString]) -> Result<()> {
    let status = command(line).status()?;
    if !status.success() {
        return Err(status.to_string().into());
    }
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    writeln!(io::stdout(), "{peak}")?;
    Ok(())
}

/// As cron would run it, in cron's environment, and without its output.
fn command(line: &[OsString]) -> Command {
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
    if values.len().is_multiple_of(2) {
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
