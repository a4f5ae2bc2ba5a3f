//! How things end: the contract's exit codes, which stand nowhere else, and the failure that
//! carries one up to `main` with what happened and what to do.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// How the program ends; the numbers are sysexits', and scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Accepted by WeCom for all.
    Sent,
    /// The command line is wrong.
    Usage,
    /// The message or its input is bad.
    Data,
    /// A file that was named cannot be read.
    NoInput,
    /// Accepted, but WeCom names recipients that it could not reach.
    Partial,
    /// Refused by WeCom.
    Refused,
    /// A fault of wxpush itself.
    Bug,
    /// State cannot be kept.
    State,
    /// Reading or writing failed.
    Io,
    /// Not delivered now.
    NotNow,
    /// Refused for the set-up: IP, permission, secret.
    Setup,
    /// The configuration is wrong.
    Config,
    /// As the command that `run` ran.
    Command(u8),
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Sent => 0,
            Self::Usage => 64,
            Self::Data => 65,
            Self::NoInput => 66,
            Self::Partial => 67,
            Self::Refused => 69,
            Self::Bug => 70,
            Self::State => 73,
            Self::Io => 74,
            Self::NotNow => 75,
            Self::Setup => 77,
            Self::Config => 78,
            Self::Command(code) => code,
        }
    }
}

/// The exit code should a fault of ours end us.
static AT_BUG: AtomicU8 = AtomicU8::new(70);

/// How the program ends should a fault of ours end it.
pub(crate) fn bug_ends_as() -> Exit {
    match AT_BUG.load(Ordering::Relaxed) {
        70 => Exit::Bug,
        code => Exit::Command(code),
    }
}

/// From here on not even a fault of ours costs a command's exit code.
pub(crate) fn let_bugs_end_as(code: u8) {
    AT_BUG.store(code, Ordering::Relaxed);
}

/// What went wrong, and what the user does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit status that goes with it.
    pub(crate) exit: Exit,
    /// What happened and why, on one line.
    pub(crate) what: String,
    /// What to do next, on one line.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A failure without advice.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            hint: None,
        }
    }

    /// The same with advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_readme_names_every_exit_code() {
        let readmes = [
            include_str!("../README.md"),
            include_str!("../README.zh-CN.md"),
        ];
        for exit in [
            Exit::Sent,
            Exit::Usage,
            Exit::Data,
            Exit::NoInput,
            Exit::Partial,
            Exit::Refused,
            Exit::Bug,
            Exit::State,
            Exit::Io,
            Exit::NotNow,
            Exit::Setup,
            Exit::Config,
        ] {
            let row = format!("| {} |", exit.code());
            let has_row = readmes.iter().all(|readme| readme.contains(&row));
            assert!(has_row, "a README has no row for {exit:?}");
        }
    }
}
