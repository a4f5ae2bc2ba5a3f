//! A message: to whom (`Envelope`) and what (`Content`).
//!
//! Pure: no files, no clock, no network. Nothing here fails for a reason outside its input.

pub(crate) mod channel;
pub(crate) mod content;
pub(crate) mod encoding;
pub(crate) mod envelope;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod html;
pub(crate) mod input;
pub(crate) mod limits;
pub(crate) mod mail;
pub(crate) mod media;
#[expect(
    clippy::module_inception,
    reason = "the room is named after its main type"
)]
pub(crate) mod message;
pub(crate) mod plain;
pub(crate) mod split;

pub(crate) use channel::Channel;
pub(crate) use content::{Content, TextKind};
pub(crate) use encoding::Encoding;
pub(crate) use envelope::Envelope;
pub(crate) use mail::Mail;
pub(crate) use media::MediaKind;
pub(crate) use message::{Attachment, DUPLICATE_CHECK_MAX, Message, MessageOptions};
pub(crate) use split::Long;
