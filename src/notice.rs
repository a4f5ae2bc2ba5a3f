//! Notices: what a room below the commands has to tell although it goes on.
//!
//! A room has no words. It sends a typed notice, and the program words it for stderr and the log.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

/// Something that a person should know, and that does not stop what is under way.
pub(crate) enum Notice<'a> {
    /// The log cannot be opened or written: nothing is logged, or not all of it.
    LogUnusable {
        path: &'a Path,
        error: &'a io::Error,
    },
    /// The log has reached its size cap and cannot be set aside: it grows on.
    LogFull {
        path: &'a Path,
        error: &'a io::Error,
    },
    /// The output of a command cannot be held back in this directory, if it is known, until the command
    /// fails: it is shown at once.
    OutputNotHeld {
        dir: Option<&'a Path>,
        error: &'a io::Error,
    },
    /// The output of a command that failed was held back, and cannot be shown.
    HeldOutputUnshown { error: &'a io::Error },
    /// The output of a command cannot be passed on to our stdout or stderr.
    OutputNotPassedOn {
        stream: &'static str,
        error: &'a io::Error,
    },
    /// The token cache cannot be read or written: each process asks WeCom for a token of its own.
    TokenCacheUnusable {
        path: &'a Path,
        error: &'a io::Error,
    },
    /// An entry is damaged, and was moved to `failed/`.
    EntryDamaged { id: &'a dyn Display },
    /// An entry is delivered, and cannot be removed from the outbox.
    DeliveredEntryStays {
        id: &'a dyn Display,
        error: &'a io::Error,
    },
    /// An entry was refused and cannot be removed from the outbox.
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
    /// An entry was given up, and is in `failed/` now.
    GivenUp {
        id: &'a dyn Display,
        in_doubt: bool,
        why: &'a str,
    },
    /// An entry was too old, and is in `failed/` now.
    Expired { id: &'a dyn Display, why: &'a str },
    /// An entry cannot be moved to `failed/`.
    CannotFail {
        id: &'a dyn Display,
        error: &'a io::Error,
    },
}

/// Who words notices; nobody in tests of single rooms.
static SINK: OnceLock<fn(&Notice<'_>)> = OnceLock::new();

/// Installs who words notices, once for the whole process.
pub(crate) fn install(sink: fn(&Notice<'_>)) {
    // A second call changes nothing: there is one program.
    let _ = SINK.set(sink);
}

/// Sends a notice to the installed sink.
pub(crate) fn notify(notice: &Notice<'_>) {
    if let Some(sink) = SINK.get() {
        sink(notice);
    }
}
