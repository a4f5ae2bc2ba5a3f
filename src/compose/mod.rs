//! Composing: what was meant becomes the messages that WeCom takes.
//!
//! One way for every command that sends. Knows no command line, and reads no file: the texts and the
//! files are handed to it.

mod pieces;
mod protect;
mod raw;
mod secrets;

use serde_json::{Map, Value};

use crate::config::{self, Settings, ShowIn};
use crate::lang::Lang;
use crate::message::limits::{self, Caveat, Violation};
use crate::message::split::TooLong;
use crate::message::{Attachment, Channel, Content, Long, Message, MessageOptions, TextKind};
use crate::outbox::Entry;

/// A message to compose.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) channel: Channel,
    pub(crate) body: Body,
    /// Whether it must not be forwarded, as the user asked.
    pub(crate) safe: bool,
    /// Whether userids and party ids in the text are shown as names.
    pub(crate) id_trans: bool,
    /// The time within which WeCom drops an identical message, in seconds.
    pub(crate) dedupe: Option<u64>,
    /// How to send a text past WeCom's limit.
    pub(crate) long: Long,
    /// Whether the outbox is to hold it.
    pub(crate) keep: bool,
}

/// What a message is to hold.
#[derive(Debug)]
pub(crate) enum Body {
    /// A text or markdown, and files behind it.
    Text {
        kind: TextKind,
        title: Option<String>,
        text: String,
        /// Whether the text is only the beginning.
        incomplete: bool,
        /// Userids and phone numbers that a robot's message mentions.
        mentions: [Vec<String>; 2],
        files: Vec<Media>,
        /// The name of the file that a long text becomes, where there is no title.
        name: &'static str,
    },
    /// A content with texts of its own: a video, a card, a headline.
    Ready(Media),
    /// WeCom's own JSON.
    Raw(Map<String, Value>),
}

/// A file: to be uploaded, uploaded already, or within the message.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) content: Content,
    pub(crate) attachment: Option<Attachment>,
}

/// The messages of a draft.
#[derive(Debug)]
pub(crate) struct Composed {
    /// To be sent in this order.
    pub(crate) messages: Vec<Message>,
    /// The text, for the log.
    pub(crate) text: String,
    pub(crate) warnings: Vec<Warning>,
}

/// A composed message differs from what was meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Warning {
    /// Only the beginning of a text of so many bytes is sent, or of more if it is `incomplete`.
    Cut { bytes: usize, incomplete: bool },
    /// `safe = true` of the config protects no message of this kind.
    NotProtected { msgtype: String },
    /// `safe = true` of the config protects no file of this name.
    FileNotProtected { name: String },
    /// Ordinary WeChat does not show this kind.
    NotInWeChat { msgtype: String },
    /// It may not be shown as the sender expects.
    Caveat(Caveat),
}

/// A draft that cannot be sent.
#[derive(Debug)]
pub(crate) enum ComposeError {
    /// The text has so many bytes (more, if it is `incomplete`), and WeCom takes `bytes_max`.
    TooLong {
        bytes: usize,
        incomplete: bool,
        bytes_max: usize,
        why: TooLong,
    },
    /// WeCom would refuse it, or cut it in silence.
    Unfit(Vec<Violation>),
    /// The JSON names another agentid than the config.
    OtherAgentid { message: String, config: u32 },
    /// The config has no agentid.
    NoAgentid(config::ConfigError),
    /// `--safe` protects no file of this name.
    CannotProtectFile { name: String },
    /// The secret is among the recipients.
    SecretInRecipients { of_robot: bool },
    /// The secret is in the message.
    SecretInMessage { of_robot: bool },
    /// An outbox entry cannot hold it.
    TooLargeToKeep { bytes: u64, bytes_max: u64 },
}

/// Makes the notes at the end of a text that is not all there: for a cut one, and for one whose whole
/// is attached. Takes the phone's language, the text's bytes, and whether the text is itself only a
/// beginning.
pub(crate) type CutNotes = fn(Lang, usize, bool) -> [String; 2];

/// One message, before it has recipients.
struct Piece {
    content: Content,
    attachment: Option<Attachment>,
    safe: bool,
}

/// Composes a draft for the recipients of the settings.
///
/// # Errors
/// WeCom would refuse it or cut it in silence, or it holds the secret.
pub(crate) fn compose(
    draft: Draft,
    settings: &Settings,
    cut_notes: CutNotes,
) -> Result<Composed, ComposeError> {
    let mut composing = Composing {
        settings,
        cut_notes,
        channel: draft.channel,
        long: draft.long,
        keep: draft.keep,
        warnings: Vec::new(),
    };
    let options = MessageOptions {
        safe: None,
        enable_id_trans: draft.id_trans.then_some(1),
        enable_duplicate_check: draft.dedupe.map(|_| 1),
        duplicate_check_interval: draft.dedupe,
    };
    let (pieces, text) = match draft.body {
        Body::Raw(fields) => return composing.raw(fields, draft.safe, options),
        body => composing.pieces(body)?,
    };
    let pieces = composing.protect(pieces, draft.safe)?;
    let uploads = pieces.iter().filter(|it| it.attachment.is_some()).count();
    let mut messages = Vec::new();
    for (at, to) in settings.to.split().into_iter().enumerate() {
        for piece in &pieces {
            // A single file is uploaded before the first message that shows it, and then known.
            let attached = at == 0 || uploads > 1;
            messages.push(Message {
                channel: draft.channel,
                to: to.clone(),
                content: piece.content.clone(),
                options: MessageOptions {
                    safe: piece.safe.then_some(1),
                    ..options
                },
                attachment: piece.attachment.clone().filter(|_| attached),
            });
        }
    }
    composing.finish(messages, pieces.len(), text)
}

struct Composing<'a> {
    settings: &'a Settings,
    cut_notes: CutNotes,
    channel: Channel,
    long: Long,
    keep: bool,
    warnings: Vec<Warning>,
}

impl Composing<'_> {
    /// Checks the first `checked` messages against WeCom's limits, and all for secrets and size.
    fn finish(
        mut self,
        messages: Vec<Message>,
        checked: usize,
        text: String,
    ) -> Result<Composed, ComposeError> {
        for message in &messages[..checked] {
            self.check_limits(message)?;
        }
        secrets::refuse(self.settings, &text, &messages)?;
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
