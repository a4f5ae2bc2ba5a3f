//! The messages of the pieces: for all recipients, and within one outbox entry.

use super::{Composing, Piece};
use crate::lang::Lang;
use crate::message::markup;
use crate::message::{Message, MessageOptions, TextKind};
use crate::text::sendmail::attachment_left_out;

impl Composing<'_> {
    /// Returns the messages of the pieces for all recipients.
    pub(super) fn messages(&self, pieces: &[Piece], options: MessageOptions) -> Vec<Message> {
        let uploads = pieces.iter().filter(|it| it.attachment.is_some()).count();
        let mut messages = Vec::new();
        for (at, to) in self.settings.to.split().into_iter().enumerate() {
            for piece in pieces {
                // A single file is uploaded before the first message with it, and reused after that.
                let attached = at == 0 || uploads > 1;
                messages.push(Message {
                    channel: self.channel,
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
        messages
    }
}

/// Puts a line in place of the largest of the files at the end; false if there is none.
pub(super) fn leave_out_largest(pieces: &mut [Piece], optional: usize, lang: Lang) -> bool {
    let from = pieces.len() - optional;
    let size = |piece: &&mut Piece| piece.attachment.as_ref().map(|file| file.bytes.len());
    let Some(largest) = pieces[from..].iter_mut().max_by_key(size) else {
        return false;
    };
    let Some(file) = largest.attachment.take() else {
        return false;
    };
    let line = attachment_left_out(lang, markup::inert(&file.name), file.bytes.len());
    tracing::warn!("{line}");
    largest.content = TextKind::Text.content(line);
    true
}
