//! The options of `wxpush callback`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use crate::config::value;

/// `wxpush callback`.
#[derive(Debug, Args)]
pub(crate) struct Callback {
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:8080", value_parser = value::listen)]
    pub(crate) listen: SocketAddr,
    /// How long to wait for WeCom's check
    #[arg(long = "for", value_name = "DURATION", default_value = "10m", value_parser = value::duration)]
    pub(crate) time: Duration,
}
