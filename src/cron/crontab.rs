//! Reads and extends this user's crontab through `crontab`.

use super::tool::{ToolError, run};

/// Reads the user's crontab; returns no bytes if there is none yet.
///
/// # Errors
/// Anything that could hide existing lines: a writer must not overwrite them.
pub(crate) fn read() -> Result<Vec<u8>, ToolError> {
    let listed = run("crontab", &["-l"], Vec::new())?;
    let said = String::from_utf8_lossy(&listed.stderr);
    // The messages of Vixie cron and cronie, and of BusyBox.
    let is_missing = said.contains("no crontab for") || said.contains("No such file or directory");
    if listed.status.success() || is_missing && listed.stdout.is_empty() {
        Ok(listed.stdout)
    } else {
        Err(ToolError::refused(&listed))
    }
}

/// Whether there is a `crontab` to add lines by.
pub(crate) fn is_installed() -> bool {
    !matches!(read(), Err(ToolError::NotInstalled))
}

/// Adds a line to the user's crontab, and keeps its existing bytes.
///
/// # Errors
/// If `crontab` failed or refused it.
pub(crate) fn add_line(mut crontab_so_far: Vec<u8>, line: &str) -> Result<(), ToolError> {
    if !crontab_so_far.is_empty() && !crontab_so_far.ends_with(b"\n") {
        crontab_so_far.push(b'\n');
    }
    crontab_so_far.extend(line.as_bytes());
    crontab_so_far.push(b'\n');
    let installed = run("crontab", &["-"], crontab_so_far)?;
    if installed.status.success() {
        Ok(())
    } else {
        Err(ToolError::refused(&installed))
    }
}
