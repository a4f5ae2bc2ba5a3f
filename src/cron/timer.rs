//! A systemd timer that flushes the outbox, for hosts without cron.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::places;
use super::tool::{ToolError, run};
use crate::config::{self, Config};
use crate::disk::{self, Dir};

/// The unit files that are shipped, and the commands in them that are replaced.
const SERVICE: &str = include_str!("../../examples/wxpush-flush.service");
const TIMER: &str = include_str!("../../examples/wxpush-flush.timer");
const COMMAND: &str = "/opt/wxpush/wxpush outbox flush";
const ENABLE: &str = "systemctl enable --now wxpush-flush.timer";

/// The mode of unit files, which hold no secret.
const MODE: u32 = 0o644;

/// The directory of root's units.
const UNITS: &str = "/etc/systemd/system";

/// The timer of this user, for systemd's system manager if the user is root.
#[derive(Debug)]
pub(crate) struct FlushTimer {
    dir: PathBuf,
    command: String,
    is_roots: bool,
}

/// The reason why a timer could not be set up.
#[derive(Debug)]
pub(crate) enum TimerError {
    /// A unit file cannot be written.
    Unwritable(PathBuf, io::Error),
    /// A service of this name runs something else.
    Taken(PathBuf),
    /// `systemctl` did not enable what is written.
    NotEnabled(ToolError),
}

impl FlushTimer {
    /// Returns the timer for a config; `None` without systemd or a home directory.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let is_roots = disk::euid() == 0;
        let dir = if is_roots {
            Some(PathBuf::from(UNITS))
        } else {
            config::user_units()
        };
        Some(Self {
            dir: dir.filter(|_| has_systemd())?,
            command: unit_command(config),
            is_roots,
        })
    }

    /// Returns the path of the timer's unit file.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join("wxpush-flush.timer")
    }

    /// Returns the command that its service runs.
    pub(crate) fn command(&self) -> &str {
        &self.command
    }

    /// Returns the command that enables it.
    pub(crate) fn enable_command(&self) -> String {
        format!("systemctl {}", self.enabling().join(" "))
    }

    fn enabling(&self) -> &'static [&'static str] {
        if self.is_roots {
            &["enable", "--now", "wxpush-flush.timer"]
        } else {
            &["--user", "enable", "--now", "wxpush-flush.timer"]
        }
    }

    /// Whether it ends with the user's last session.
    pub(crate) fn ends_at_logout(&self) -> bool {
        let lingers = |name: String| Path::new("/var/lib/systemd/linger").join(name).exists();
        !self.is_roots && !disk::user_name(disk::euid()).is_some_and(lingers)
    }

    /// Writes the units, unless they are there, and enables the timer.
    ///
    /// `is_flush` recognises a service that flushes our outbox.
    ///
    /// # Errors
    /// If a file cannot be written, runs something else, or `systemctl` refuses.
    pub(crate) fn install(&self, is_flush: impl Fn(&[u8]) -> bool) -> Result<(), TimerError> {
        let dir = Dir::open(&self.dir, Some(0o755));
        let dir = dir.map_err(|error| TimerError::Unwritable(self.dir.clone(), error))?;
        let service = SERVICE.replace(COMMAND, &self.command);
        let timer = TIMER.replace(ENABLE, &self.enable_command());
        for (name, text) in [
            ("wxpush-flush.service", service),
            ("wxpush-flush.timer", timer),
        ] {
            match dir.place(name, text.as_bytes(), MODE) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    // A timer of this name may have been changed: it starts the same service.
                    let path = self.dir.join(name);
                    let flushes = places::read(&path).is_ok_and(|bytes| is_flush(&bytes));
                    if name.ends_with(".service") && !flushes {
                        return Err(TimerError::Taken(path));
                    }
                }
                Err(error) => return Err(TimerError::Unwritable(self.dir.join(name), error)),
            }
        }
        let enabled = run("systemctl", self.enabling(), Vec::new());
        match enabled.map_err(TimerError::NotEnabled)? {
            outcome if outcome.status.success() => Ok(()),
            outcome => Err(TimerError::NotEnabled(ToolError::refused(&outcome))),
        }
    }
}

/// Whether systemd is running, whose timers can flush as well.
pub(super) fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Returns the command that flushes the outbox of a config, for a unit file.
pub(super) fn unit_command(config: &Config) -> String {
    let word = |text: &OsStr| escaped(&text.to_string_lossy());
    let mut words = Vec::new();
    if let Some(dir) = config::state_dir_variable() {
        words.push("/usr/bin/env".to_owned());
        words.push(escaped(&format!("WXPUSH_STATE_DIR={dir}")));
    }
    words.push(word(config::program().as_os_str()));
    if let Some(path) = config.named() {
        words.push(format!("-c {}", word(path.as_os_str())));
    }
    words.push("outbox flush".to_owned());
    words.join(" ")
}

/// Quotes a text as one word of a command in a unit file, where `%` and `$` have meanings.
fn escaped(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/._-+@,:=".contains(it);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut word = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => word.extend(['\\', character]),
            '%' | '$' => word.extend([character, character]),
            '\n' => word.push_str("\\n"),
            _ => word.push(character),
        }
    }
    word.push('"');
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_survives_systemd() {
        for (text, word) in [
            ("/opt/wxpush", "/opt/wxpush"),
            ("", "\"\""),
            ("50% a", "\"50%% a\""),
            ("$x\"\\", "\"$$x\\\"\\\\\""),
        ] {
            assert_eq!(escaped(text), word, "{text}");
        }
    }

    #[test]
    fn the_shipped_units_have_what_is_replaced() {
        assert!(SERVICE.contains(&format!("ExecStart={COMMAND}\n")));
        assert!(TIMER.contains(ENABLE));
    }
}
