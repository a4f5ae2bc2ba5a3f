//! The options of `wxpush check`.

use std::time::Duration;

use clap::Args;

use crate::config::value;

pub(super) const EXAMPLES: &str = "\
Examples:
  wxpush check                         every step, with what to do for each that fails
  wxpush check --send zhangsan         and one test message to that member
  wxpush -p ops check                  the set-up of [profiles.ops]
  wxpush -q check || echo broken       nothing but what is wrong; for a monitor
  wxpush check --json                  one object: ok, exit_code, checks

✓ is well, ✗ is wrong, ! is to be looked at or not known, - was not tried. The exit code is 0 without
a ✗, else that of the first: 78 config, 73 state, 75 network, 77 set-up, 67 recipients.";

/// `wxpush check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Sends one test message to this member at the end
    #[arg(long, value_name = "USER")]
    pub(crate) send: Option<String>,
    /// Time for all that is asked of the network, and as much for --send
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::duration)]
    pub(crate) timeout: Duration,
}
