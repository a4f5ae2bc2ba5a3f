//! The crontab of this user: read and added to through `crontab`, which alone may write it.

use std::io::{self, Write};
use std::process::{Command, Output as Outcome, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::config;

/// How long `crontab` may take: it reads or writes one file.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why there is no crontab to be had.
#[derive(Debug)]
pub(crate) enum CrontabError {
    /// No program of this name.
    NotInstalled,
    /// The program could not be run, or took too long.
    Io(io::Error),
    /// The program refused, with this as its first line.
    Refused(String),
}

/// Reads the user's crontab; empty if there is none yet.
///
/// # Errors
/// Anything that could hide lines: who would add one must not write over them.
pub(crate) fn read() -> Result<Vec<u8>, CrontabError> {
    let listed = crontab("-l", Vec::new())?;
    let said = String::from_utf8_lossy(&listed.stderr);
    // Vixie cron, cronie; BusyBox.
    let is_missing = said.contains("no crontab for") || said.contains("No such file or directory");
    if listed.status.success() || is_missing && listed.stdout.is_empty() {
        Ok(listed.stdout)
    } else {
        Err(refused(&listed))
    }
}

/// Adds a line to the user's crontab, whose bytes so far stay as they are.
///
/// # Errors
/// It was not taken.
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

/// Runs `crontab` on a thread of its own, which nobody waits for past the time limit.
fn crontab(option: &'static str, input: Vec<u8>) -> Result<Outcome, CrontabError> {
    let (sender, recipient) = mpsc::channel();
    let work = move || sender.send(outcome(option, &input));
    thread::Builder::new()
        .spawn(work)
        .map_err(CrontabError::Io)?;
    let outcome = recipient.recv_timeout(PATIENCE);
    match outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(CrontabError::NotInstalled),
        outcome => outcome.map_err(CrontabError::Io),
    }
}

fn outcome(option: &str, input: &[u8]) -> io::Result<Outcome> {
    let mut child = Command::new("crontab")
        .arg(option)
        // What it says decides.
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
    // One that refuses need not have read all.
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
