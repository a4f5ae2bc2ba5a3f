//! Runs another program transparently: its output passes through unchanged, signals reach it, and
//! its exit status is returned.
//!
//! Knows nothing of WeCom. A separate thread reads each pipe, so an output that nobody reads blocks
//! neither the other one nor us. Only the last bytes are kept.

mod output;
mod poll;
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

pub(crate) use output::OutputMode;
use output::{Pipes, Relays};
use signals::Signals;
pub(crate) use signals::{is_ignored, name_of};
pub(crate) use tail::LastOutput;

/// From SIGTERM to SIGKILL. Source: the contract.
const GRACE: Duration = Duration::from_secs(10);

/// A command to run, and its conditions.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The program and its arguments; never empty.
    pub(crate) command: &'a [OsString],
    /// The time limit.
    pub(crate) limit: Option<Duration>,
    pub(crate) output: OutputMode,
    /// An environment variable that is hidden from the command.
    pub(crate) hidden: &'a str,
}

/// The end of a command.
#[derive(Debug)]
pub(crate) enum CommandEnd {
    Exited(u8),
    Killed {
        signal: i32,
        core: bool,
    },
    /// Ended by us at the time limit.
    PastLimit {
        /// Whether SIGTERM was not enough.
        killed: bool,
    },
    NotStarted(io::Error),
    /// Exited with 0, but its output could not be written to our stdout or stderr.
    OutputLost(io::Error),
}

impl CommandEnd {
    /// Returns the exit code that a shell, or `timeout`, would return.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Exited(code) => *code,
            // There are 64 signals.
            Self::Killed { signal, .. } => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            Self::PastLimit { .. } => 124,
            Self::NotStarted(error) if error.kind() == io::ErrorKind::NotFound => 127,
            Self::NotStarted(_) => 126,
            // EX_IOERR of sysexits(3).
            Self::OutputLost(_) => 74,
        }
    }

    /// Whether the command succeeded.
    pub(crate) fn is_success(&self) -> bool {
        self.code() == 0
    }
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) end: CommandEnd,
    /// The time that it ran.
    pub(crate) time: Duration,
    /// The end of its output.
    pub(crate) last: LastOutput,
    relays: Option<Relays>,
}

impl Ended {
    /// Waits until all output is written, however slow its reader is.
    pub(crate) fn finish(self) {
        if let Some(relays) = self.relays {
            relays.finish();
        }
    }
}

/// Runs the command to its end. Afterwards signals have their default action again.
pub(crate) fn run(plan: &Plan<'_>) -> Ended {
    let begun = Instant::now();
    let mut relays = None;
    let mut end = start_and_wait(plan, &mut relays).unwrap_or_else(CommandEnd::NotStarted);
    let time = begun.elapsed();
    let last = relays.as_mut().map_or_else(LastOutput::default, |relays| {
        relays.ended(!end.is_success());
        if end.is_success()
            && let Some(error) = relays.unwritten()
        {
            end = CommandEnd::OutputLost(error);
        }
        relays.last()
    });
    Ended {
        end,
        time,
        last,
        relays,
    }
}

fn start_and_wait(plan: &Plan<'_>, relays: &mut Option<Relays>) -> io::Result<CommandEnd> {
    // At a terminal the child shares our process group: it may read, and typed signals reach both.
    let shares_group = io::IsTerminal::is_terminal(&io::stdin());
    let signals = Signals::catch(shares_group)?;
    let pipes = match &plan.output {
        OutputMode::Untouched => Pipes::default(),
        output => {
            let (started, pipes) = Relays::start(output)?;
            *relays = Some(started);
            pipes
        }
    };
    let child = start(plan, &pipes, shares_group)?;
    // Our write ends are closed: otherwise the readers would never see the end.
    drop(pipes);
    let mut running = Running {
        child,
        shares_group,
        signals,
    };
    let end = running.wait(plan.limit);
    running.signals.end();
    end
}

fn start(plan: &Plan<'_>, pipes: &Pipes, shares_group: bool) -> io::Result<Child> {
    let (program, args) = plan
        .command
        .split_first()
        .ok_or(io::ErrorKind::InvalidInput)?;
    match command(plan, program, pipes, shares_group)?
        .args(args)
        .spawn()
    {
        // A script without #! is run by the shell, as by execvp(3).
        Err(error) if is_no_program(&error) => {
            command(plan, OsStr::new("/bin/sh"), pipes, shares_group)?
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

/// Finds a program in PATH; the shell would look in the working directory first.
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
    pipes: &Pipes,
    shares_group: bool,
) -> io::Result<Command> {
    let mut command = Command::new(program);
    command.stdin(Stdio::inherit()).env_remove(plan.hidden);
    if let Some([stdout, stderr]) = pipes.clones()? {
        command.stdout(stdout).stderr(stderr);
    }
    if !shares_group {
        command.process_group(0);
    }
    Ok(command)
}

/// A running program.
struct Running {
    child: Child,
    shares_group: bool,
    signals: Signals,
}

/// The enforcement of the time limit.
#[derive(Clone, Copy)]
enum Deadline {
    /// Due at this time, if there is a limit.
    Due(Option<Instant>),
    /// SIGTERM was sent; SIGKILL follows at this time.
    Ending(Instant),
    Killed,
}

impl Running {
    fn wait(&mut self, limit: Option<Duration>) -> io::Result<CommandEnd> {
        let due = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut limit = Deadline::Due(due);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(match limit {
                    Deadline::Due(_) => end_of(status),
                    Deadline::Ending(_) => CommandEnd::PastLimit { killed: false },
                    Deadline::Killed => CommandEnd::PastLimit { killed: true },
                });
            }
            let now = Instant::now();
            limit = match limit {
                Deadline::Due(Some(due)) if due <= now => {
                    self.send(Signal::TERM);
                    // A stopped process cannot exit.
                    self.send(Signal::CONT);
                    Deadline::Ending(now + GRACE)
                }
                Deadline::Ending(until) if until <= now => {
                    self.send(Signal::KILL);
                    Deadline::Killed
                }
                limit => limit,
            };
            let next = match limit {
                Deadline::Due(due) => due,
                Deadline::Ending(until) => Some(until),
                Deadline::Killed => None,
            };
            self.signals.wait(next)?;
            while let Some(signal) = self.signals.next() {
                self.send(signal);
                if signal == Signal::TSTP {
                    // The whole job is to stop, until SIGCONT resumes it.
                    signals::stop();
                }
            }
        }
    }

    /// Sends a signal to the child's process group, or to the child alone if it shares ours.
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

fn end_of(status: ExitStatus) -> CommandEnd {
    match status.signal() {
        Some(signal) => CommandEnd::Killed {
            signal,
            core: status.core_dumped(),
        },
        // An exit code has eight bits.
        None => CommandEnd::Exited(
            status
                .code()
                .and_then(|it| u8::try_from(it).ok())
                .unwrap_or(1),
        ),
    }
}
