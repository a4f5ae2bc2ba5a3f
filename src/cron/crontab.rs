//! Reads and extends this user's crontab through `crontab`, the only program that may write it.

use std::io::{self, Write};
use std::process::{Command, Output as Outcome, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::config;

/// The timeout of `crontab`, which reads or writes one file.
const PATIENCE: Duration = Duration::from_secs(3);

/// The reason why the crontab cannot be read or written.
#[derive(Debug)]
pub(crate) enum CrontabError {
    /// There is no such program.
    NotInstalled,
    /// The program could not be run, or timed out.
    Io(io::Error),
    /// The program refused, with this first line of output.
    Refused(String),
}

/// Reads the user's crontab; returns no bytes if there is none yet.
///
/// # Errors
/// Anything that could hide existing lines: a writer must not overwrite them.
pub(crate) fn read() -> Result<Vec<u8>, CrontabError> {
    let listed = crontab("-l", Vec::new())?;
    let said = String::from_utf8_lossy(&listed.stderr);
    // The messages of Vixie cron and cronie, and of BusyBox.
    let is_missing = said.contains("no crontab for") || said.contains("No such file or directory");
    if listed.status.success() || is_missing && listed.stdout.is_empty() {
        Ok(listed.stdout)
    } else {
        Err(refused(&listed))
    }
}

/// Adds a line to the user's crontab, and keeps its existing bytes.
///
/// # Errors
/// If `crontab` failed or refused it.
pub(crate) fn add_line(mut crontab_so_far: Vec<u8>, line: &str) -> Result<(), CrontabError> {
    if !crontab_so_far.is_empty() && !crontab_so_far.ends_with(b"\n") {
        crontab_so_far.push(b'\n');
    }
    crontab_so_far.extend(line.as_bytes());
    crontab_so_far.push(b'\n');
    let installed = crontab("-", crontab_so_far)?;
    if installed.status.success() {
        Ok(())
    } else {
        Err(refused(&installed))
    }
}

/// Runs `crontab` on a separate thread, which is abandoned at the timeout.
fn crontab(option: &'static str, input: Vec<u8>) -> Result<Outcome, CrontabError> {
    let (sender, receiver) = mpsc::channel();
    let work = move || sender.send(outcome(option, &input));
    thread::Builder::new()
        .spawn(work)
        .map_err(CrontabError::Io)?;
    let outcome = receiver.recv_timeout(PATIENCE);
    match outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(CrontabError::NotInstalled),
        outcome => outcome.map_err(CrontabError::Io),
    }
}

fn outcome(option: &str, input: &[u8]) -> io::Result<Outcome> {
    let mut child = Command::new("crontab")
        .arg(option)
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

fn refused(outcome: &Outcome) -> CrontabError {
    let said = String::from_utf8_lossy(&outcome.stderr);
    let first = said.trim().lines().next().unwrap_or("?");
    CrontabError::Refused(first.to_owned())
}
