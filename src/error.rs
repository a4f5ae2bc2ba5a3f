//! The exit codes of the contract, defined only here, and the failure that carries one up to `main`
//! with its cause and a hint.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// The result of the program. The numbers are those of sysexits, and scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Accepted by WeCom for all recipients.
    Sent,
    /// The command line is wrong.
    Usage,
    /// The message or its input is invalid.
    Data,
    /// An input file cannot be read.
    NoInput,
    /// Accepted, but WeCom could not reach some recipients.
    Partial,
    /// Refused by WeCom.
    Refused,
    /// A bug in wxpush.
    Bug,
    /// State cannot be kept.
    State,
    /// Reading or writing failed.
    Io,
    /// Not delivered now, but possibly later.
    NotNow,
    /// Refused because of the set-up: IP, permission, secret.
    Setup,
    /// The configuration is wrong.
    Config,
    /// The exit code of the command that `run` ran.
    Command(u8),
}

impl Exit {
    /// Returns the exit code.
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

/// The exit code after a panic.
static AT_BUG: AtomicU8 = AtomicU8::new(70);

/// Returns the result of the program after a panic.
pub(crate) fn bug_ends_as() -> Exit {
    match AT_BUG.load(Ordering::Relaxed) {
        70 => Exit::Bug,
        code => Exit::Command(code),
    }
}

/// Makes a panic exit with the given code, so that it does not lose the exit code of a command.
pub(crate) fn let_bugs_end_as(code: u8) {
    AT_BUG.store(code, Ordering::Relaxed);
}

/// An error for the user, with a hint what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit code of the error.
    pub(crate) exit: Exit,
    /// The error and its cause, on one line.
    pub(crate) what: String,
    /// The next step for the user, on one line.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// Returns a failure without a hint.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            hint: None,
        }
    }

    /// Adds a hint.
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
    fn the_pages_name_every_exit_code() {
        let pages = [
            include_str!("../docs/en/exit-codes.md"),
            include_str!("../docs/zh/exit-codes.md"),
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
            let has_row = pages.iter().all(|page| page.contains(&row));
            assert!(has_row, "a page has no row for {exit:?}");
        }
    }
}
