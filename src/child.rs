//! Runs another program as if nobody stood between: its output passes through unchanged, signals
//! reach it, and how it ended is told.
//!
//! Knows nothing of WeCom. A pipe of each output is read by a thread of its own, so that an output
//! that nobody reads holds up neither the other nor us, and only the last bytes are kept.

mod held;
mod pump;
mod signals;
mod tail;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process, kill_process_group};

use pump::{Outlets, Pumps};
use signals::Signals;
pub(crate) use signals::{is_ignored, name_of};
pub(crate) use tail::Last;

/// From SIGTERM to SIGKILL. Source: the contract.
const GRACE: Duration = Duration::from_secs(10);

/// What is run, and how.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The program and its arguments; never empty.
    pub(crate) command: &'a [OsString],
    /// How long it may take.
    pub(crate) limit: Option<Duration>,
    pub(crate) output: Output,
    /// A variable of the environment that is ours alone.
    pub(crate) hidden: &'a str,
}

/// What becomes of the program's output.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// It has our stdout and stderr themselves, and nothing is known of what it says.
    Untouched,
    /// It passes through as it comes.
    Through,
    /// It is held back in a file without a name in this directory, and shown if the program fails.
    IfFailed(PathBuf),
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum End {
    Exited(u8),
    Killed {
        signal: i32,
        core: bool,
    },
    /// We ended it, past the limit.
    PastLimit {
        /// SIGTERM was not enough.
        killed: bool,
    },
    NotStarted(io::Error),
}

impl End {
    /// The exit code that a shell, or `timeout`, would give it.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Exited(code) => *code,
            // There are 64 signals.
            Self::Killed { signal, .. } => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            Self::PastLimit { .. } => 124,
            Self::NotStarted(error) if error.kind() == io::ErrorKind::NotFound => 127,
            Self::NotStarted(_) => 126,
        }
    }

    /// Whether all went well.
    pub(crate) fn is_success(&self) -> bool {
        self.code() == 0
    }
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) end: End,
    /// How long it ran.
    pub(crate) time: Duration,
    /// The last of what it said.
    pub(crate) last: Last,
    pumps: Option<Pumps>,
}

impl Ended {
    /// Waits until all output has reached whoever reads it, however slow he is.
    pub(crate) fn finish(self) {
        if let Some(pumps) = self.pumps {
            pumps.finish();
        }
    }
}

/// Runs it to its end. From then on a signal ends us, as it ends any program.
pub(crate) fn run(plan: &Plan<'_>) -> Ended {
    let begun = Instant::now();
    let mut pumps = None;
    let end = start_and_wait(plan, &mut pumps).unwrap_or_else(End::NotStarted);
    let time = begun.elapsed();
    let last = pumps.as_mut().map_or_else(Last::default, |pumps| {
        pumps.ended(!end.is_success());
        pumps.last()
    });
    Ended {
        end,
        time,
        last,
        pumps,
    }
}

fn start_and_wait(plan: &Plan<'_>, pumps: &mut Option<Pumps>) -> io::Result<End> {
    // At a terminal it has our group: what is typed there reaches both, and it may read.
    let shares_group = io::IsTerminal::is_terminal(&io::stdin());
    let signals = Signals::catch(shares_group)?;
    let outlets = match &plan.output {
        Output::Untouched => Outlets::default(),
        output => {
            let (started, outlets) = Pumps::start(output)?;
            *pumps = Some(started);
            outlets
        }
    };
    let child = start(plan, &outlets, shares_group)?;
    // Else a pipe would have no end while we hold its other one.
    drop(outlets);
    let mut running = Running {
        child,
        shares_group,
        signals,
    };
    let end = running.wait(plan.limit);
    running.signals.end();
    end
}

fn start(plan: &Plan<'_>, outlets: &Outlets, shares_group: bool) -> io::Result<Child> {
    let (program, args) = plan
        .command
        .split_first()
        .ok_or(io::ErrorKind::InvalidInput)?;
    match command(plan, program, outlets, shares_group)?
        .args(args)
        .spawn()
    {
        // A script without #! is for the shell, says execvp(3); what starts us does the same.
        Err(error) if is_no_program(&error) => {
            command(plan, OsStr::new("/bin/sh"), outlets, shares_group)?
                .arg(found(program))
                .args(args)
                .spawn()
        }
        started => started,
    }
}

fn is_no_program(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NOEXEC)
}

/// A program by its path; the shell would look for it in the working directory first.
fn found(program: &OsStr) -> PathBuf {
    let is_path = program.as_bytes().contains(&b'/');
    let path = std::env::var_os("PATH").filter(|_| !is_path);
    let dirs = path.iter().flat_map(std::env::split_paths);
    dirs.map(|dir| dir.join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(program))
}

fn command(
    plan: &Plan<'_>,
    program: &OsStr,
    outlets: &Outlets,
    shares_group: bool,
) -> io::Result<Command> {
    let mut command = Command::new(program);
    command.stdin(Stdio::inherit()).env_remove(plan.hidden);
    if let Some([stdout, stderr]) = outlets.clones()? {
        command.stdout(stdout).stderr(stderr);
    }
    if !shares_group {
        command.process_group(0);
    }
    Ok(command)
}

/// A program that runs.
struct Running {
    child: Child,
    shares_group: bool,
    signals: Signals,
}

/// How far the limit has been enforced.
#[derive(Clone, Copy)]
enum Limit {
    /// It is due then, if ever.
    Due(Option<Instant>),
    /// It was told to end, and has until then.
    Told(Instant),
    Killed,
}

impl Running {
    fn wait(&mut self, limit: Option<Duration>) -> io::Result<End> {
        let due = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut limit = Limit::Due(due);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(match limit {
                    Limit::Due(_) => end_of(status),
                    Limit::Told(_) => End::PastLimit { killed: false },
                    Limit::Killed => End::PastLimit { killed: true },
                });
            }
            let now = Instant::now();
            limit = match limit {
                Limit::Due(Some(due)) if due <= now => {
                    self.send(Signal::TERM);
                    // What is stopped can't end.
                    self.send(Signal::CONT);
                    Limit::Told(now + GRACE)
                }
                Limit::Told(until) if until <= now => {
                    self.send(Signal::KILL);
                    Limit::Killed
                }
                limit => limit,
            };
            let next = match limit {
                Limit::Due(due) => due,
                Limit::Told(until) => Some(until),
                Limit::Killed => None,
            };
            self.signals.wait(next)?;
            while let Some(signal) = self.signals.next() {
                self.send(signal);
                if signal == Signal::TSTP {
                    // Whoever stops it means the whole job, which SIGCONT then wakes.
                    signals::stop();
                }
            }
        }
    }

    /// To all of its group, unless that is ours.
    fn send(&self, signal: Signal) {
        let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) else {
            return;
        };
        let sent = if self.shares_group {
            kill_process(pid, signal)
        } else {
            kill_process_group(pid, signal)
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "a signal does not reach the command");
        }
    }
}

fn end_of(status: ExitStatus) -> End {
    match status.signal() {
        Some(signal) => End::Killed {
            signal,
            core: status.core_dumped(),
        },
        // An exit code has eight bits.
        None => End::Exited(
            status
                .code()
                .and_then(|it| u8::try_from(it).ok())
                .unwrap_or(1),
        ),
    }
}
