//! Why a message is not in the outbox, although it should be.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a message is not in the outbox, although it should be.
#[derive(Debug, Clone)]
pub(crate) enum NotKept {
    /// `[outbox] enabled = false`.
    SwitchedOff,
    /// There is no state directory; in words, why.
    NoState(String),
    /// So many messages wait there.
    Full { path: PathBuf, entries: usize },
    /// With this file there would be more than so many bytes.
    FullOfFiles { path: PathBuf, bytes_max: u64 },
    /// The disk refuses.
    Disk {
        path: PathBuf,
        error: Arc<io::Error>,
    },
    /// The disk does not answer.
    DiskSilent { path: PathBuf },
    /// Another process is sending the message of the same `--once` key.
    KeyTaken,
}
