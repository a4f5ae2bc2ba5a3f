//! The options of `wxpush check`.

use std::time::Duration;

use clap::Args;

use crate::config::value;

/// `wxpush check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Sends one test message to this member at the end
    #[arg(long, value_name = "USER")]
    pub(crate) send: Option<String>,
    /// Time for the network steps, and as much again for --send
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::duration)]
    pub(crate) timeout: Duration,
}
