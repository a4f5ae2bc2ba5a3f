//! Reasons why a message is not kept, although it should be.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The reason why a message is not in the outbox, although it should be.
#[derive(Debug, Clone)]
pub(crate) enum NotKept {
    /// `[outbox] enabled = false`.
    SwitchedOff,
    /// There is no state directory, for this reason.
    NoState(String),
    /// The outbox has this many entries.
    Full { path: PathBuf, entries: usize },
    /// With its file, the outbox would exceed this many bytes.
    FullOfFiles { path: PathBuf, bytes_max: u64 },
    /// The disk returned an error.
    Disk {
        path: PathBuf,
        error: Arc<io::Error>,
    },
    /// The disk does not answer.
    DiskSilent { path: PathBuf },
    /// Another process is sending the message of the same `--once` key.
    KeyTaken,
}
