//! Composing: turns a draft into messages that WeCom accepts.
//!
//! Every command that sends uses this. It knows no command line and reads no files: texts and files
//! are passed in.

mod messages;
mod pieces;
mod protect;
mod raw;
mod secrets;

pub(crate) use secrets::hide_in_upload;

use messages::leave_out_largest;
use serde_json::{Map, Value};

use crate::config::{self, Settings, ShowIn};
use crate::lang::Lang;
use crate::message::limits::{self, Caveat, Violation};
use crate::message::split::TooLong;
use crate::message::{Attachment, Channel, Content, Long, Message, MessageOptions, TextKind};
use crate::outbox::Entry;
use crate::secret::Redactor;

/// A message to compose.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) channel: Channel,
    pub(crate) body: Body,
    /// Whether the user asked that it must not be forwarded.
    pub(crate) safe: bool,
    /// Whether to show userids and party ids in the text as names.
    pub(crate) id_trans: bool,
    /// The time within which WeCom drops an identical message, in seconds.
    pub(crate) dedupe: Option<u64>,
    /// How to send a text above WeCom's limit.
    pub(crate) long: Long,
    /// Whether it has to fit into the outbox.
    pub(crate) keep: bool,
}

impl Draft {
    /// Whether it is raw JSON that names recipients of its own, on whatever channel.
    pub(crate) fn names_recipients(&self) -> bool {
        let Body::Raw(fields) = &self.body else {
            return false;
        };
        let channels = [Channel::App, Channel::Chat];
        let mut channels = channels.into_iter();
        channels.any(|channel| raw::names_recipients(channel, fields))
    }
}

/// The content of a draft.
#[derive(Debug)]
pub(crate) enum Body {
    /// A text or markdown, followed by files.
    Text {
        kind: TextKind,
        title: Option<String>,
        text: String,
        /// Who wrote it, above each part but the first, whose title says so.
        byline: Option<String>,
        /// Whether title and text come from outside: WeCom must show their markup, not obey it.
        from_outside: bool,
        /// Whether the text is only the beginning of the input.
        incomplete: bool,
        /// The userids and phone numbers that a robot's message mentions.
        mentions: [Vec<String>; 2],
        files: Vec<Media>,
        /// The name of the file for a long text without a title.
        name: &'static str,
    },
    /// A content that has its own texts: a video, a card, an article.
    Ready(Media),
    /// Raw JSON of WeCom's API.
    Raw(Map<String, Value>),
}

/// A content, with its file if that is still to be uploaded.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) content: Content,
    pub(crate) attachment: Option<Attachment>,
}

/// The messages of a draft.
#[derive(Debug)]
pub(crate) struct Composed {
    /// The messages, in the order of sending.
    pub(crate) messages: Vec<Message>,
    /// The text, for the log.
    pub(crate) text: String,
    pub(crate) warnings: Vec<Warning>,
}

/// A difference between a composed message and its draft.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Warning {
    /// Only the beginning of a text of this many bytes is sent; the text is longer if `incomplete`.
    Cut { bytes: usize, incomplete: bool },
    /// The config's `safe = true` has no effect on this kind of message.
    NotProtected { msgtype: String },
    /// The config's `safe = true` has no effect on a file with this name.
    FileNotProtected { name: String },
    /// Ordinary WeChat does not show this kind of message.
    NotInWeChat { msgtype: String },
    /// A secret in it is hidden.
    SecretHidden,
    /// WeCom may show it differently than the sender expects.
    Caveat(Caveat),
}

/// The reason why a draft cannot be sent.
#[derive(Debug)]
pub(crate) enum ComposeError {
    /// The text has this many bytes (more if `incomplete`), and WeCom accepts `bytes_max`.
    TooLong {
        bytes: usize,
        incomplete: bool,
        bytes_max: usize,
        why: TooLong,
    },
    /// WeCom would refuse it or silently cut it.
    Unfit(Vec<Violation>),
    /// The JSON has another agentid than the config.
    OtherAgentid { message: String, config: u32 },
    /// The config has no agentid.
    NoAgentid(config::ConfigError),
    /// `--safe` has no effect on a file with this name.
    CannotProtectFile { name: String },
    /// A secret is among the recipients.
    SecretInRecipients,
    /// It is too large for an outbox entry.
    TooLargeToKeep { bytes: u64, bytes_max: u64 },
}

/// Returns the notes at the end of an incomplete text: for a cut text, and for one attached as a
/// whole. The arguments are the phone's language, the text's bytes, and whether the text is only a
/// beginning.
pub(crate) type CutNotes = fn(Lang, usize, bool) -> [String; 2];

/// A message without recipients.
struct Piece {
    content: Content,
    attachment: Option<Attachment>,
    safe: bool,
}

/// Composes a draft for the recipients of the settings.
///
/// # Errors
/// Why the draft cannot be sent: WeCom would refuse or cut it, or a secret is a recipient.
pub(crate) fn compose(
    mut draft: Draft,
    settings: &Settings,
    guard: &Redactor,
    cut_notes: CutNotes,
) -> Result<Composed, ComposeError> {
    // It would reach the log, as a recipient's name. A server may choose a name as its token.
    if guard.has_own_in(settings.to.describe().as_bytes()) {
        return Err(ComposeError::SecretInRecipients);
    }
    let has_secret = secrets::hide(&mut draft, guard);
    let mut composing = Composing {
        settings,
        cut_notes,
        guard,
        channel: draft.channel,
        long: draft.long,
        keep: draft.keep,
        warnings: Vec::new(),
    };
    if has_secret {
        composing.warn(Warning::SecretHidden);
    }
    let options = MessageOptions {
        safe: None,
        enable_id_trans: draft.id_trans.then_some(1),
        enable_duplicate_check: draft.dedupe.map(|_| 1),
        duplicate_check_interval: draft.dedupe,
    };
    // What comes from outside is sent without its files rather than not at all.
    let optional = match &draft.body {
        Body::Text {
            from_outside: true,
            files,
            ..
        } => files.len(),
        _ => 0,
    };
    let (pieces, text) = match draft.body {
        Body::Raw(fields) => return composing.raw(fields, draft.safe, options),
        body => composing.pieces(body)?,
    };
    let mut pieces = composing.protect(pieces, draft.safe)?;
    let mut messages = composing.messages(&pieces, options);
    while draft.keep
        && Entry::excess(&messages).is_some()
        && leave_out_largest(&mut pieces, optional, settings.phone_lang)
    {
        messages = composing.messages(&pieces, options);
    }
    composing.finish(messages, pieces.len(), text)
}

struct Composing<'a> {
    settings: &'a Settings,
    cut_notes: CutNotes,
    guard: &'a Redactor,
    channel: Channel,
    long: Long,
    keep: bool,
    warnings: Vec<Warning>,
}

impl Composing<'_> {
    /// Checks the first `checked` messages against WeCom's limits, and all for their size.
    fn finish(
        mut self,
        messages: Vec<Message>,
        checked: usize,
        text: String,
    ) -> Result<Composed, ComposeError> {
        for message in &messages[..checked] {
            self.check_limits(message)?;
        }
        if self.keep
            && let Some((bytes, bytes_max)) = Entry::excess(&messages)
        {
            return Err(ComposeError::TooLargeToKeep { bytes, bytes_max });
        }
        Ok(Composed {
            messages,
            text,
            warnings: self.warnings,
        })
    }

    fn check_limits(&mut self, message: &Message) -> Result<(), ComposeError> {
        let msgtype = message.content.msgtype();
        let found = limits::check(self.channel, msgtype, &message.to_value());
        let caveats = found.caveats.into_iter();
        self.warnings.extend(caveats.map(Warning::Caveat));
        if !found.violations.is_empty() {
            return Err(ComposeError::Unfit(found.violations));
        }
        let is_hidden = ["markdown", "template_card", "miniprogram_notice"].contains(&msgtype);
        if self.channel == Channel::App && self.settings.show_in == ShowIn::WeChat && is_hidden {
            let msgtype = msgtype.to_owned();
            self.warn(Warning::NotInWeChat { msgtype });
        }
        Ok(())
    }

    fn warn(&mut self, warning: Warning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

impl From<Content> for Media {
    fn from(content: Content) -> Self {
        Self {
            content,
            attachment: None,
        }
    }
}
