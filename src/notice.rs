//! Notices: what a room below the commands has to tell although it goes on.
//!
//! A room knows no words, and may be far below whoever has them: it sends a typed notice, and the
//! program words it for stderr and the log.

use std::io;
use std::path::Path;
use std::sync::OnceLock;

/// Something that a person should know, and that does not stop what is under way.
#[derive(Debug)]
pub(crate) enum Notice<'a> {
    /// The token cache cannot be read or written: each process asks WeCom for a token of its own.
    TokenCacheUnusable {
        path: &'a Path,
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

/// Sends a notice to whoever words it.
pub(crate) fn notify(notice: &Notice<'_>) {
    if let Some(sink) = SINK.get() {
        sink(notice);
    }
}
