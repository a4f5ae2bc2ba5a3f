//! Notices: reports from modules below the commands that do not stop the work.
//!
//! A module has no texts of its own. It sends a typed notice, and the program puts it into words
//! for stderr and the log.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

/// An event to report to a person that does not stop the current work.
pub(crate) enum Notice<'a> {
    /// The log cannot be opened or written, so it is missing or incomplete.
    LogUnusable {
        path: &'a Path,
        error: &'a io::Error,
    },
    /// The log has reached its size limit and cannot be rotated, so it grows further.
    LogFull {
        path: &'a Path,
        error: &'a io::Error,
    },
    /// The output of a command cannot be held back until the command fails, in this directory if it
    /// is known. It is shown at once.
    OutputNotHeld {
        dir: Option<&'a Path>,
        error: &'a io::Error,
    },
    /// So many bytes between begin and end of a command's output were not held back.
    OutputMissing { bytes: u64 },
    /// The held-back output of a failed command cannot be shown.
    HeldOutputUnshown { error: &'a io::Error },
    /// The output of a command cannot be passed on to our stdout or stderr.
    OutputNotPassedOn {
        stream: &'static str,
        error: &'a io::Error,
    },
    /// Nobody can be made to read the output of what a command has left behind.
    OutputUnread { error: &'a io::Error },
    /// The token cache cannot be read or written, so each process fetches its own token.
    TokenCacheUnusable {
        path: &'a Path,
        error: &'a io::Error,
    },
    /// An entry was damaged and moved to `failed/`.
    EntryDamaged { id: &'a dyn Display },
    /// An entry was delivered, but cannot be removed from the outbox.
    DeliveredEntryStays {
        id: &'a dyn Display,
        error: &'a io::Error,
    },
    /// An entry was refused, but cannot be removed from the outbox.
    EntryStays {
        id: &'a dyn Display,
        error: &'a io::Error,
    },
    /// An entry was delivered, but WeCom could not reach some of its recipients.
    NotReached {
        id: &'a dyn Display,
        unreached: &'a str,
    },
    /// An entry has been held up for over an hour.
    HeldUp { id: &'a dyn Display, why: &'a str },
    /// An entry was given up and moved to `failed/`.
    GivenUp {
        id: &'a dyn Display,
        in_doubt: bool,
        why: &'a str,
    },
    /// A user's mail was given up and not kept; he may have no account here.
    MailGivenUp { user: Option<&'a str>, why: &'a str },
    /// An entry was too old and moved to `failed/`.
    Expired { id: &'a dyn Display, why: &'a str },
    /// The robot that an app falls back on could not send its message either.
    FallbackFailed { robot: &'a str, why: &'a str },
    /// An entry cannot be moved to `failed/`.
    CannotFail {
        id: &'a dyn Display,
        error: &'a io::Error,
    },
}

/// The function that puts notices into words; not set in unit tests.
static SINK: OnceLock<fn(&Notice<'_>)> = OnceLock::new();

/// Installs the sink of notices, once for the whole process.
pub(crate) fn install(sink: fn(&Notice<'_>)) {
    // A second call has no effect: there is one program.
    let _ = SINK.set(sink);
}

/// Sends a notice to the installed sink.
pub(crate) fn notify(notice: &Notice<'_>) {
    if let Some(sink) = SINK.get() {
        sink(notice);
    }
}
