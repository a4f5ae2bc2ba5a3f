//! The options of `wxpush send`.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use crate::config::value;
use crate::message::{Encoding, Long};
use crate::text;

/// `wxpush send`.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The message, words joined by a space; none, or -, for stdin
    #[arg(value_name = "MESSAGE")]
    pub(crate) message: Vec<OsString>,
    /// Interprets \n, \t and \\ in MESSAGE
    #[arg(short, long)]
    pub(crate) escapes: bool,
    /// Reads the message in this encoding instead of UTF-8, and options that aren't UTF-8: gbk,
    /// gb18030, big5 … (as in web pages)
    #[arg(long, value_name = "LABEL", value_parser = text::message::encoding)]
    pub(crate) encoding: Option<Encoding>,
    /// First line of a text, heading of a markdown, title of a card or video
    #[arg(short, long)]
    pub(crate) title: Option<OsString>,
    /// Sends nothing, and succeeds, if the body is empty
    #[arg(long)]
    pub(crate) skip_empty: bool,
    #[command(flatten)]
    pub(crate) kind: Kinds,
    #[command(flatten)]
    pub(crate) details: Details,
    #[command(flatten)]
    pub(crate) to: To,
    /// How to send a text past WeCom's 2048 bytes
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub(crate) long: Long,
    /// Forbids forwarding, and shows a watermark
    #[arg(long)]
    pub(crate) safe: bool,
    /// Shows userids and party ids in the text as names
    #[arg(long)]
    pub(crate) id_trans: bool,
    /// Lets WeCom drop an identical message within this time (at most 4h)
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) dedupe: Option<Duration>,
    /// Sends the message of this KEY only once in 24h, however often it is asked for
    #[arg(long, value_name = "KEY", conflicts_with_all = ["no_outbox", "dry_run", "queue"], value_parser = value::name)]
    pub(crate) once: Option<String>,
    /// Sends it at once, even in quiet hours
    #[arg(long)]
    pub(crate) urgent: bool,
    /// Keeps the message and returns: nothing is sent, the next flush delivers it
    #[arg(long, conflicts_with_all = ["no_outbox", "dry_run"])]
    pub(crate) queue: bool,
    /// Succeeds even if the message can't be sent now and is kept
    #[arg(long, conflicts_with = "no_outbox")]
    pub(crate) kept_ok: bool,
    /// Fails rather than keep the message for later
    #[arg(long)]
    pub(crate) no_outbox: bool,
    /// Prints the requests instead of sending them; touches nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Waits a random time up to this first, so that many hosts don't send at once
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) splay: Option<Duration>,
    /// Time for delivery, retries included, from the end of the input on [default: 30s, and more
    /// for a file]
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) timeout: Option<Duration>,
}

/// The kind of the message.
#[derive(Debug, Args)]
#[group(id = "kind", multiple = false)]
pub(crate) struct Kinds {
    /// Sends WeCom's subset of markdown (ordinary WeChat cannot show it)
    #[arg(long, help_heading = "Kind")]
    pub(crate) markdown: bool,
    /// Sends WeCom's larger subset, with tables and lists; by a robot alone
    #[arg(long, requires = "robot", help_heading = "Kind")]
    pub(crate) markdown_v2: bool,
    /// Sends a picture (JPG, PNG), MESSAGE before it: a path, - for stdin, or media_id:ID; again for more
    #[arg(long, value_name = "FILE", help_heading = "Kind")]
    pub(crate) image: Vec<OsString>,
    /// Sends a recording (AMR, up to 60s)
    #[arg(long, value_name = "FILE", help_heading = "Kind")]
    pub(crate) voice: Option<OsString>,
    /// Sends a video (MP4), MESSAGE below it
    #[arg(long, value_name = "FILE", help_heading = "Kind")]
    pub(crate) video: Option<OsString>,
    /// Sends a file, up to 20 MB, MESSAGE before it; again for more, or by a glob: --file *.log
    #[arg(long, value_name = "FILE", help_heading = "Kind")]
    pub(crate) file: Vec<OsString>,
    /// Sends a card: -t its title, MESSAGE its text, --url what it opens
    #[arg(long, requires = "url", help_heading = "Kind")]
    pub(crate) card: bool,
    /// Sends a headline with a picture: -t its title, MESSAGE below it, --url what it opens
    #[arg(long, requires = "url", help_heading = "Kind")]
    pub(crate) news: bool,
    /// Sends the message object in this file, in WeCom's own JSON, whatever its msgtype; - for stdin
    #[arg(long, value_name = "FILE", help_heading = "Kind")]
    pub(crate) raw: Option<OsString>,
}

/// Options of one kind or another.
#[derive(Debug, Args)]
pub(crate) struct Details {
    /// The file name that recipients see
    #[arg(long, value_name = "NAME", help_heading = "Kind")]
    pub(crate) name: Option<OsString>,
    /// The page that a card or a headline opens
    #[arg(long, help_heading = "Kind")]
    pub(crate) url: Option<String>,
    /// The picture of a headline
    #[arg(long, value_name = "URL", requires = "news", help_heading = "Kind")]
    pub(crate) picture: Option<String>,
    /// The text of a card's button, up to 4 characters
    #[arg(long, value_name = "TEXT", requires = "card", help_heading = "Kind")]
    pub(crate) button: Option<OsString>,
}

/// To whom a message goes.
#[derive(Debug, Args)]
pub(crate) struct To {
    /// To these members, by userid (repeat it, or divide by commas); @all for everyone in the
    /// app's visible range
    #[arg(long = "to", value_name = "USER", help_heading = "To")]
    pub(crate) user: Vec<String>,
    /// To the members of these parties (departments), by id
    #[arg(long, value_name = "ID", help_heading = "To")]
    pub(crate) party: Vec<String>,
    /// To the members with these tags, by id
    #[arg(long, value_name = "ID", help_heading = "To")]
    pub(crate) tag: Vec<String>,
    /// To this group chat of the app
    #[arg(long, value_name = "CHATID", conflicts_with_all = ["user", "party", "tag"], help_heading = "To")]
    pub(crate) chat: Option<String>,
    /// By this robot of the config, to its group
    #[arg(long, value_name = "NAME", conflicts_with_all = ["user", "party", "tag", "chat"], help_heading = "To")]
    pub(crate) robot: Option<String>,
    /// Calls this member of the group, by userid; @all for everyone
    #[arg(
        long,
        value_name = "USER",
        value_delimiter = ',',
        requires = "robot",
        help_heading = "To"
    )]
    pub(crate) mention: Vec<String>,
    /// Calls the member with this number
    #[arg(
        long,
        value_name = "NUMBER",
        value_delimiter = ',',
        requires = "robot",
        help_heading = "To"
    )]
    pub(crate) mention_mobile: Vec<String>,
}
