//! The options of `wxpush run`.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::To;
use crate::config::value;
use crate::message::Encoding;
use crate::text;

/// `wxpush run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The command and its arguments
    #[arg(value_name = "CMD", last = true, required = true)]
    pub(crate) command: Vec<OsString>,
    /// When to report
    #[arg(long, value_name = "WHEN", default_value = "always")]
    pub(crate) on: ReportOn,
    /// Reports a failure only from the Nth in a row on
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value::times)]
    pub(crate) after: u64,
    /// Expects the next run within this time of this one's start; outbox flush reports a missing one
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) every: Option<Duration>,
    /// How much later than that the alarm comes [default: a tenth of --every, 1m to 1h]
    #[arg(long, value_name = "DURATION", value_parser = value::duration, requires = "every")]
    pub(crate) grace: Option<Duration>,
    /// Reports again after this time, while it fails or doesn't run
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) remind: Option<Duration>,
    /// Reports at once, even in quiet hours
    #[arg(long)]
    pub(crate) urgent: bool,
    /// The name in the report, also for counting failures [default: the command's name]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) title: Option<OsString>,
    /// Reads the output in this encoding instead of guessing, and a title that isn't UTF-8: gbk,
    /// gb18030, big5 … (as in web pages)
    #[arg(long, value_name = "LABEL", value_parser = text::message::encoding)]
    pub(crate) encoding: Option<Encoding>,
    /// The most lines of output in the report
    #[arg(long, value_name = "LINES", default_value_t = 20, value_parser = value::lines)]
    pub(crate) tail: usize,
    /// Ends the command after this time: SIGTERM, and SIGKILL 10s later
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) limit: Option<Duration>,
    /// Prints the command's output only if it fails
    #[arg(long)]
    pub(crate) only_errors: bool,
    /// Treats output on stderr as a failure, except what set -x prints; the exit code stays
    #[arg(long)]
    pub(crate) stderr_fails: bool,
    /// Keeps the output out of the report
    #[arg(long)]
    pub(crate) no_output: bool,
    #[command(flatten)]
    pub(crate) to: To,
    /// Time for delivering the report, once the command has ended
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::duration)]
    pub(crate) timeout: Duration,
}

/// When a report is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReportOn {
    /// Whatever happens.
    Always,
    /// If the command fails.
    Failure,
    /// If it succeeds.
    Success,
    /// If it says anything, as cron does.
    Output,
    /// At the first failure, when it fails in another way, then at the recovery.
    Change,
}
