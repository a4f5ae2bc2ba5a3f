//! The options of `wxpush http`.

use std::time::Duration;

use clap::Args;

use crate::config::value;

/// `wxpush http`.
#[derive(Debug, Args)]
pub(crate) struct HttpCommand {
    /// Time for a request, with the delivery of its message
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::duration)]
    pub(crate) timeout: Duration,
}
