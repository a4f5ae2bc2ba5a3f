//! The options of `wxpush api`.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use crate::config::value;

/// `wxpush api`.
#[derive(Debug, Args)]
pub(crate) struct Api {
    /// How it is called
    #[arg(ignore_case = true)]
    pub(crate) method: Method,
    /// The path below /cgi-bin/, with its query
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    /// The JSON that goes with a POST: a text, @FILE, or - for stdin
    #[arg(
        short,
        long,
        value_name = "JSON",
        allow_hyphen_values = true,
        conflicts_with = "field"
    )]
    pub(crate) data: Option<OsString>,
    /// A field of a form: NAME=VALUE, or NAME=@FILE
    #[arg(short = 'F', long = "field", value_name = "FIELD=@FILE")]
    pub(crate) field: Vec<OsString>,
    /// Time for it
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::duration)]
    pub(crate) timeout: Duration,
}

/// How a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Method {
    #[value(name = "GET")]
    Get,
    #[value(name = "POST")]
    Post,
}
