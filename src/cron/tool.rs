//! Runs `crontab` and `systemctl`, the only programs that may change what they hold.

use std::io::{self, Write};
use std::process::{Command, Output as Outcome, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::config;

/// The timeout: each of them reads or writes a few small files.
const PATIENCE: Duration = Duration::from_secs(5);

/// The reason why a program of the system did not do its work.
#[derive(Debug)]
pub(crate) enum ToolError {
    /// There is no such program.
    NotInstalled,
    /// The program could not be run, or timed out.
    Io(io::Error),
    /// The program refused, with this first line of output.
    Refused(String),
}

impl ToolError {
    /// Returns the error of a program that has refused.
    pub(super) fn refused(outcome: &Outcome) -> Self {
        let said = String::from_utf8_lossy(&outcome.stderr);
        let first = said.trim().lines().next().unwrap_or("?");
        Self::Refused(first.to_owned())
    }
}

/// Runs a program on a separate thread, which is abandoned at the timeout.
///
/// # Errors
/// If it is not installed, cannot be run, or timed out.
pub(super) fn run(
    program: &'static str,
    args: &'static [&'static str],
    input: Vec<u8>,
) -> Result<Outcome, ToolError> {
    let (sender, receiver) = mpsc::channel();
    let work = move || sender.send(outcome(program, args, &input));
    thread::Builder::new().spawn(work).map_err(ToolError::Io)?;
    let outcome = receiver.recv_timeout(PATIENCE);
    match outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ToolError::NotInstalled),
        outcome => outcome.map_err(ToolError::Io),
    }
}

fn outcome(program: &str, args: &[&str], input: &[u8]) -> io::Result<Outcome> {
    let mut child = Command::new(program)
        .args(args)
        // Its messages are compared.
        .env("LC_ALL", "C")
        .env_remove(config::SECRET_VARIABLE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let written = match child.stdin.take() {
        Some(mut stdin) => stdin.write_all(input),
        None => Ok(()),
    };
    let outcome = child.wait_with_output()?;
    // A program that refuses need not have read everything.
    if outcome.status.success() {
        written?;
    }
    Ok(outcome)
}
