//! `safe`: protecting messages from being forwarded, as far as WeCom can.

use super::{ComposeError, Composing, Media, Piece, Warning};
use crate::message::media::can_be_safe;
use crate::message::{Attachment, Channel, MediaKind, limits};

impl Composing<'_> {
    /// Marks the pieces that can be protected.
    pub(super) fn protect(
        &mut self,
        pieces: Vec<Media>,
        asked: bool,
    ) -> Result<Vec<Piece>, ComposeError> {
        let mut protected = Vec::new();
        for Media {
            content,
            attachment,
        } in pieces
        {
            let safe = self.is_safe(content.msgtype(), attachment.as_ref(), asked)?;
            protected.push(Piece {
                content,
                attachment,
                safe,
            });
        }
        Ok(protected)
    }

    pub(super) fn is_safe(
        &mut self,
        msgtype: &str,
        file: Option<&Attachment>,
        asked: bool,
    ) -> Result<bool, ComposeError> {
        if self.channel == Channel::Robot || !(asked || self.settings.safe) {
            return Ok(false);
        }
        let file = file.filter(|file| file.kind == MediaKind::File);
        if let Some(Attachment { name, .. }) = file.filter(|file| !can_be_safe(&file.name)) {
            let name = name.clone();
            if asked {
                return Err(ComposeError::CannotProtectFile { name });
            }
            self.warn(Warning::FileNotProtected { name });
            return Ok(false);
        }
        if !limits::takes_safe(msgtype) && !asked {
            let msgtype = msgtype.to_owned();
            self.warn(Warning::NotProtected { msgtype });
            return Ok(false);
        }
        Ok(true)
    }
}
