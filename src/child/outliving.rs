//! A process of ours that may outlive us: it reads a pipe to its end, and then may kill a command.
//!
//! For the output of a daemon, whose next write would end it without a reader, and for a command
//! that does not end when we are about to be killed. It holds nothing else of ours.

use std::env;
use std::io::{self, PipeReader, PipeWriter};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::config;
use crate::notice::{Notice, notify};

/// Its name: it is our own program, which knows its task by this, as people do by `ps`.
const NAME: &str = "wxpush-until-end";

/// The receiver of a signal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Process(Pid),
    Group(Pid),
}

impl Target {
    /// Sends a signal.
    ///
    /// # Errors
    /// If there is nobody to receive it.
    pub(super) fn send(self, signal: Signal) -> rustix::io::Result<()> {
        match self {
            Self::Process(pid) => kill_process(pid, signal),
            Self::Group(pid) => kill_process_group(pid, signal),
        }
    }

    /// Returns the target that `to_word` wrote.
    fn parse(word: &str) -> Option<Self> {
        let number: i32 = word.parse().ok()?;
        let pid = Pid::from_raw(number.checked_abs()?)?;
        Some(if number < 0 {
            Self::Group(pid)
        } else {
            Self::Process(pid)
        })
    }

    /// Returns it as `kill` takes it: a group has a minus.
    fn to_word(self) -> String {
        match self {
            Self::Process(pid) => pid.to_string(),
            Self::Group(pid) => format!("-{pid}"),
        }
    }
}

/// Does its task and returns true, if this process is one.
pub(crate) fn outlives() -> bool {
    let mut args = env::args_os();
    let is_one = args.next().is_some_and(|name| name == NAME);
    if is_one {
        // There is nobody to report an error to.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let target = args.next().and_then(|word| Target::parse(word.to_str()?));
        let _ = target.map(|target| target.send(Signal::KILL));
    }
    is_one
}

fn start(pipe: PipeReader, target: Option<Target>) -> io::Result<Child> {
    Command::new(config::same_program())
        .arg0(NAME)
        .args(target.map(Target::to_word))
        .env_clear()
        .current_dir("/")
        // What is sent to our group is not for it.
        .process_group(0)
        .stdin(pipe)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Has an output read to its end, after us.
pub(super) fn drain(output: PipeReader) {
    if let Err(error) = start(output, None) {
        notify(&Notice::OutputUnread { error: &error });
    }
}

/// Kills a command if we are killed.
pub(super) struct Guard {
    process: Child,
    /// At its end once we are gone.
    _alive: PipeWriter,
}

impl Guard {
    /// Starts to guard a command.
    ///
    /// # Errors
    /// If there are no descriptors or processes left.
    pub(super) fn over(target: Target) -> io::Result<Self> {
        let (pipe, alive) = io::pipe()?;
        Ok(Self {
            process: start(pipe, Some(target))?,
            _alive: alive,
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // It ends before the pipe does.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
