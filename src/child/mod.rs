//! Runs another program transparently: its output passes through unchanged, signals reach it, and
//! its exit status is returned.
//!
//! Knows nothing of WeCom. A separate thread reads each pipe, so an output that nobody reads blocks
//! neither the other one nor us. Only the last bytes are kept.

mod destination;
mod outliving;
mod output;
pub(crate) mod poll;
mod signals;
mod tail;
mod xtrace;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal};

pub(crate) use destination::OutputMode;
pub(crate) use outliving::outlives;
use outliving::{Guard, Target};
use output::{Pipes, Relays};
use signals::Signals;
pub(crate) use signals::{is_ignored, name_of};
pub(crate) use tail::LastOutput;

use crate::message::Encoding;

/// From SIGTERM to SIGKILL. Source: the contract.
const GRACE: Duration = Duration::from_secs(10);

/// The time to end for a command that was told to, before SIGKILL to us must be expected. `timeout
/// -k 1` is the shortest in use.
const PROMPT: Duration = Duration::from_millis(500);

/// A command to run, and its conditions.
pub(crate) struct Plan<'a> {
    /// The program and its arguments; never empty.
    pub(crate) command: &'a [OsString],
    /// The time limit.
    pub(crate) limit: Option<Duration>,
    pub(crate) output: OutputMode,
    /// The encoding of the output, if it is known.
    pub(crate) encoding: Option<Encoding>,
    /// Whether output on stderr is a failure.
    pub(crate) stderr_fails: bool,
    /// Called if the command was told to end and lingers, so that we may be killed.
    pub(crate) lingers: &'a dyn Fn(&Ended),
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
    /// Exited with 0, but wrote to stderr, and that is a failure.
    Complained,
    /// Has not ended on this signal. Of use only if we are killed before it ends.
    Lingers(Signal),
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
            Self::Complained => 0,
            Self::Lingers(_) => 137,
        }
    }

    /// Whether the command succeeded.
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::Exited(0))
    }

    /// Returns a number that two ends of one kind, and they alone, have in common.
    pub(crate) fn kind(&self) -> u16 {
        let code = u16::from(self.code());
        match self {
            Self::Exited(_) => code,
            Self::Killed { .. } => 1000 + code,
            Self::PastLimit { .. } => 2000,
            Self::NotStarted(_) => 3000 + code,
            Self::OutputLost(_) => 4000,
            Self::Complained => 5000,
            Self::Lingers(_) => 6000,
        }
    }
}

/// A program that has ended.
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
    let mut end = start_and_wait(plan, begun, &mut relays).unwrap_or_else(CommandEnd::NotStarted);
    let time = begun.elapsed();
    let last = relays.as_mut().map_or_else(LastOutput::default, |relays| {
        relays.ended();
        if end.is_success() {
            if let Some(error) = relays.unwritten() {
                end = CommandEnd::OutputLost(error);
            } else if plan.stderr_fails && relays.has_complained() {
                end = CommandEnd::Complained;
            }
        }
        relays.judged(!end.is_success());
        relays.last()
    });
    Ended {
        end,
        time,
        last,
        relays,
    }
}

fn start_and_wait(
    plan: &Plan<'_>,
    begun: Instant,
    relays: &mut Option<Relays>,
) -> io::Result<CommandEnd> {
    // At a terminal the child shares our process group: it may read, and typed signals reach both.
    let shares_group = io::IsTerminal::is_terminal(&io::stdin());
    let signals = Signals::catch(shares_group)?;
    let pipes = match &plan.output {
        OutputMode::Untouched => Pipes::default(),
        output => {
            let (started, pipes) = Relays::start(output, plan.stderr_fails, plan.encoding)?;
            *relays = Some(started);
            pipes
        }
    };
    let child = start(plan, &pipes, shares_group)?;
    // Our write ends are closed: otherwise the readers would never see the end.
    drop(pipes);
    let pid = Pid::from_child(&child);
    let target = if shares_group {
        Target::Process(pid)
    } else {
        Target::Group(pid)
    };
    let mut running = Running {
        child,
        target,
        signals,
        told: Told::Nothing,
        lingers: &|signal| {
            let ended = Ended {
                end: CommandEnd::Lingers(signal),
                time: begun.elapsed(),
                last: relays.as_ref().map(Relays::last).unwrap_or_default(),
                relays: None,
            };
            (plan.lingers)(&ended);
        },
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
        .find(|path| path.is_file() && access(path, Access::EXEC_OK).is_ok())
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
struct Running<'a> {
    child: Child,
    target: Target,
    signals: Signals,
    told: Told,
    lingers: &'a dyn Fn(Signal),
}

/// Whether the program was told to end by a signal to us.
enum Told {
    Nothing,
    /// By this signal; at this time it should have ended.
    By(Signal, Instant),
    /// It should have ended, and dies with us.
    Lingers {
        _guard: Option<Guard>,
    },
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

impl Running<'_> {
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
            let prompt = self.prepared(now);
            self.signals.wait(next.into_iter().chain(prompt).min())?;
            while let Some(signal) = self.signals.next() {
                self.send(signal);
                let ends = [Signal::TERM, Signal::INT].contains(&signal);
                if ends && matches!(self.told, Told::Nothing) {
                    self.told = Told::By(signal, Instant::now() + PROMPT);
                }
                if signal == Signal::TSTP {
                    // The whole job is to stop, until SIGCONT resumes it.
                    signals::stop();
                }
            }
        }
    }

    /// Prepares for our own death by SIGKILL if the program lingers, as below `timeout -k`; returns
    /// the time at which it should have ended.
    fn prepared(&mut self, now: Instant) -> Option<Instant> {
        let Told::By(signal, due) = self.told else {
            return None;
        };
        if now < due {
            return Some(due);
        }
        let guard = Guard::over(self.target).inspect_err(|error| {
            tracing::info!(%error, "nobody ends the command if wxpush is killed");
        });
        self.told = Told::Lingers { _guard: guard.ok() };
        (self.lingers)(signal);
        None
    }

    /// Sends a signal to the child's process group, or to the child alone if it shares ours.
    fn send(&self, signal: Signal) {
        if let Err(error) = self.target.send(signal) {
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
