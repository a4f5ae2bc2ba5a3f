//! The options of `wxpush init`.

use clap::Args;

/// `wxpush init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Writes over a config that is there; it is kept as config.toml.old
    #[arg(long)]
    pub(crate) force: bool,
    /// Asks WeCom nothing: the values are not tested
    #[arg(long)]
    pub(crate) offline: bool,
}
