//! The crontab line that delivers the outbox.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::config::SECRET_VARIABLE;
use crate::text;

/// Whether a user's crontab delivers the outbox.
pub(super) enum Crontab {
    /// It has a line that delivers it.
    HasIt,
    /// It has none; these are its bytes.
    Lacks(Vec<u8>),
    /// It cannot be read: why, in words.
    Unusable(String),
}

/// Looks into the user's crontab for the command of a line.
pub(super) fn look(command: &str) -> Crontab {
    let listed = match crontab().arg("-l").stdin(Stdio::null()).output() {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Crontab::Unusable(text::init::no_crontab());
        }
        Err(error) => return Crontab::Unusable(format!("crontab: {error}")),
    };
    if listed.status.success() {
        return if has(&listed.stdout, command) {
            Crontab::HasIt
        } else {
            Crontab::Lacks(listed.stdout)
        };
    }
    let said = String::from_utf8_lossy(&listed.stderr);
    // Vixie cron, cronie; BusyBox. Any other failure could hide lines that we would write over.
    let is_empty = said.contains("no crontab for") || said.contains("No such file or directory");
    if is_empty && listed.stdout.is_empty() {
        Crontab::Lacks(Vec::new())
    } else {
        Crontab::Unusable(format!("crontab -l: {}", first_line(&said)))
    }
}

/// Adds a line to a crontab of these bytes, which stay as they are.
///
/// # Errors
/// In words, where it was not taken.
pub(super) fn add(mut lines: Vec<u8>, line: &str) -> Result<(), String> {
    if !lines.is_empty() && !lines.ends_with(b"\n") {
        lines.push(b'\n');
    }
    lines.extend_from_slice(line.as_bytes());
    lines.push(b'\n');
    let installed = install(&lines).map_err(|error| format!("crontab -: {error}"))?;
    installed.map_err(|said| format!("crontab -: {said}"))
}

fn install(lines: &[u8]) -> io::Result<Result<(), String>> {
    let mut child = crontab()
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let written = match child.stdin.take() {
        Some(mut stdin) => stdin.write_all(lines),
        None => Ok(()),
    };
    let ended = child.wait_with_output()?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr);
        return Ok(Err(first_line(&said).to_owned()));
    }
    written.map(Ok)
}

/// The command `crontab`, with messages that can be matched.
fn crontab() -> Command {
    let mut command = Command::new("crontab");
    command.env_remove(SECRET_VARIABLE).env("LC_ALL", "C");
    command
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or("?")
}

/// Whether a line that is no comment runs the command.
fn has(crontab: &[u8], command: &str) -> bool {
    let text = String::from_utf8_lossy(crontab);
    let mut lines = text.lines().map(str::trim);
    lines.any(|line| {
        let before = line.strip_suffix(command);
        before.is_some_and(|before| !line.starts_with('#') && before.ends_with([' ', '\t']))
    })
}

/// Whether systemd runs here, whose timers do as well.
pub(super) fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn a_line_that_runs_the_command_is_seen_and_a_comment_is_none() {
        let command = "/opt/wxpush/wxpush outbox flush";
        for (crontab, there) in [
            ("* * * * * /opt/wxpush/wxpush outbox flush\n", true),
            (
                "MAILTO=\"\"\n*/5 * * * *\t/opt/wxpush/wxpush outbox flush  ",
                true,
            ),
            ("#* * * * * /opt/wxpush/wxpush outbox flush\n", false),
            ("* * * * * /srv/opt/wxpush/wxpush outbox flush\n", false),
            ("* * * * * /opt/wxpush/wxpush outbox flush --wait\n", false),
            ("", false),
        ] {
            assert_eq!(has(crontab.as_bytes(), command), there, "{crontab}");
        }
    }
}
