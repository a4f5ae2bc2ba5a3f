//! The options of `wxpush batch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config::value;

/// `wxpush batch`.
#[derive(Debug, Args)]
pub(crate) struct Batch {
    /// A file of messages, one JSON object a line; none, or -, for stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Keeps the messages and sends nothing: the next flush delivers them
    #[arg(long, conflicts_with = "no_outbox")]
    pub(crate) accept_only: bool,
    /// Reads on only while fewer lines than this have no answer
    #[arg(long, value_name = "LINES", default_value = "100", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) window: u16,
    /// Refuses what cannot be sent now rather than keep it
    #[arg(long)]
    pub(crate) no_outbox: bool,
    /// Time for each message, retries included [default: 30s, and more for a file]
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) timeout: Option<Duration>,
}
