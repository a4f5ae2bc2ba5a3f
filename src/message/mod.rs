//! Messages: their recipients (`Recipients`) and content (`Content`), and WeCom's limits for both.
//!
//! Pure: no files, no clock, no network. All errors concern the input.

pub(crate) mod article;
pub(crate) mod channel;
pub(crate) mod content;
pub(crate) mod encoding;
mod for_robot;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
pub(crate) mod html;
pub(crate) mod input;
pub(crate) mod limits;
pub(crate) mod mail;
mod marks;
pub(crate) mod markup;
pub(crate) mod media;
mod outgoing;
pub(crate) mod plain;
pub(crate) mod recipients;
pub(crate) mod split;

pub(crate) use channel::Channel;
pub(crate) use content::{Content, TextKind};
pub(crate) use encoding::Encoding;
pub(crate) use mail::{Mail, Mailbox};
pub(crate) use media::MediaKind;
pub(crate) use outgoing::{Attachment, DUPLICATE_CHECK_MAX, Message, MessageOptions};
pub(crate) use recipients::{RecipientError, Recipients};
pub(crate) use split::Long;
