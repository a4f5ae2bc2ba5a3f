//! The command line: every option and its help text. No logic.
#![allow(
    clippy::doc_markdown,
    reason = "doc comments here are help texts, and a terminal shows backticks"
)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::config::value;
use crate::message::Long;
use crate::output::Color;

const EXAMPLES: &str = "\
Examples:
  wxpush send \"backup done\"                   a text to the config's recipients
  df -h | wxpush send -t \"Disk report\"        the output of a command, with a title
  wxpush send --to zhangsan,lisi --markdown '**5** jobs failed'
  wxpush send --dry-run hello                 what would go to WeCom, without sending
  wxpush outbox list                          what is accepted and not yet delivered
  wxpush token                                the state of the cached access_token
  wxpush explain 60020                        what an errcode means and what to do

Crontab (absolute path, no environment needed; % must be written \\%):
  7 3 * * *  /opt/wxpush/wxpush send \"nightly backup done\"
  * * * * *  /opt/wxpush/wxpush outbox flush      what could not be delivered before

Exit codes:
   0  accepted by WeCom             73  neither delivered nor kept
  64  usage                         74  reading or writing failed
  65  bad message                   75  not delivered now: in the outbox
  67  some recipients not reached   77  set-up refused: IP, secret, permission
  69  refused                       78  configuration
  70  a bug";

const SEND_EXAMPLES: &str = "\
Examples:
  wxpush send \"backup done\"
  wxpush send -e 'disk full\\nplease look'         \\n, \\t and \\\\ are interpreted with -e
  make 2>&1 | wxpush send -t \"build of $(hostname)\" --skip-empty
  wxpush send --party 2 --tag 5 \"to a party and a tag\"
  wxpush send --markdown -t Report '> all **green**'
  journalctl -n 500 | wxpush send --long split      up to 99 numbered parts
  wxpush send --json hello | jq -r .msgids[0]
  wxpush send -- -5 degrees                         a message that begins with -";

const OUTBOX_EXAMPLES: &str = "\
Examples:
  wxpush outbox list                 what waits, when it is due, what failed and why
  wxpush outbox flush                delivers what can be delivered within 30s; for a crontab
  wxpush outbox flush --wait         until nothing is left
  wxpush outbox show 9f3a1c77        an ID, or a part of it that only one entry has
  wxpush outbox retry --all          puts back what failed";

/// Puts a message on a phone through WeCom (企业微信), from a shell, a pipe or cron.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Reads this config instead of searching for one
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub(crate) config: Option<PathBuf>,
    /// Uses the keys below [profiles.NAME] of the config
    #[arg(
        short,
        long,
        global = true,
        value_name = "NAME",
        help_heading = "Global options"
    )]
    pub(crate) profile: Option<String>,
    /// Shows errors only
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Global options"
    )]
    pub(crate) quiet: bool,
    /// Shows on stderr what is done; again for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub(crate) verbose: u8,
    /// Writes the result to stdout as one JSON object
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub(crate) color: Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends a message: a text, or markdown
    #[command(after_help = SEND_EXAMPLES)]
    Send(Send),
    /// Messages accepted but not yet delivered
    #[command(after_help = OUTBOX_EXAMPLES)]
    Outbox(Outbox),
    /// Shows or renews the cached access_token
    Token(Token),
    /// Tells what a WeCom errcode means and what to do, offline
    Explain(Explain),
}

/// `wxpush send`.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The message, words joined by a space; none, or -, for stdin
    #[arg(value_name = "MESSAGE")]
    pub(crate) message: Vec<OsString>,
    /// Interprets \n, \t and \\ in MESSAGE
    #[arg(short, long)]
    pub(crate) escapes: bool,
    /// First line of a text, heading of a markdown
    #[arg(short, long)]
    pub(crate) title: Option<String>,
    /// Sends nothing, and succeeds, if the body is empty
    #[arg(long)]
    pub(crate) skip_empty: bool,
    /// Sends WeCom's subset of markdown (ordinary WeChat cannot show it)
    #[arg(long)]
    pub(crate) markdown: bool,
    /// To these members, by userid (repeat it, or divide by commas); @all for everyone in the
    /// app's visible range
    #[arg(long, value_name = "USER", help_heading = "To")]
    pub(crate) to: Vec<String>,
    /// To the members of these parties (departments), by id
    #[arg(long, value_name = "ID", help_heading = "To")]
    pub(crate) party: Vec<String>,
    /// To the members with these tags, by id
    #[arg(long, value_name = "ID", help_heading = "To")]
    pub(crate) tag: Vec<String>,
    /// What to do with a message past WeCom's 2048 bytes
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub(crate) long: Long,
    /// Not to be forwarded, and shown with a watermark
    #[arg(long)]
    pub(crate) safe: bool,
    /// Shows userids and party ids in the text as names
    #[arg(long)]
    pub(crate) id_trans: bool,
    /// Lets WeCom swallow an identical message within this time (at most 4h)
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) dedupe: Option<Duration>,
    /// Fails rather than keep the message for later
    #[arg(long)]
    pub(crate) no_outbox: bool,
    /// Prints the requests instead of sending them; touches nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Time for delivery, retries included, from the end of the input on
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::duration)]
    pub(crate) timeout: Duration,
}

/// `wxpush outbox`.
#[derive(Debug, Args)]
pub(crate) struct Outbox {
    #[command(subcommand)]
    pub(crate) action: OutboxAction,
}

/// What to do with the outbox.
#[derive(Debug, Subcommand)]
pub(crate) enum OutboxAction {
    /// Lists what waits, and what failed in the last 30 days
    List,
    /// Shows one message
    Show {
        /// Its ID, or a part of it that no other has
        id: String,
    },
    /// Delivers what waits, oldest first
    Flush {
        /// Goes on until nothing is left
        #[arg(long)]
        wait: bool,
        /// Time for it
        #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::duration, conflicts_with = "wait")]
        timeout: Duration,
    },
    /// Removes messages, unsent
    Drop(Chosen),
    /// Puts failed messages back, and lets waiting ones be tried at once, for the app of the day
    Retry(Chosen),
}

/// Which messages.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Their IDs, or parts of them that no other has
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,
    /// All of them; for drop those that wait, and none that failed
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
}

/// `wxpush token`.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) action: Option<TokenAction>,
}

/// What to do with the token.
#[derive(Debug, Clone, Copy, Default, Subcommand)]
pub(crate) enum TokenAction {
    /// Tells how long the cached token is good for (the default)
    #[default]
    Status,
    /// Fetches a new one, whatever is cached
    Refresh,
    /// Forgets the cached one
    Clear,
    /// Prints a token that works: the only command that shows it
    Print,
}

/// `wxpush explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The errcode, such as 60020
    #[arg(value_name = "ERRCODE", allow_negative_numbers = true)]
    pub(crate) errcode: i64,
}
