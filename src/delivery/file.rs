//! The file of a message: uploaded once, and again if WeCom has forgotten it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::reason::Obstacle;
use super::retry::Tries;
use super::{Delivery, Part, upload_time};
use crate::file_slice::{FileSlice, SentSum};
use crate::message::{Attachment, Channel, Message};
use crate::token::AccessToken;
use crate::uploads::{UploadTurn, UploadedMedia};
use crate::wecom::{Cause, Error, FormField, Leaving};

/// Longest wait for another process's upload, on top of the upload time for the file's size.
const PATIENCE: Duration = Duration::from_secs(10);

impl Delivery<'_> {
    /// Returns the message with the `media_id` of its file, uploading the file if necessary.
    pub(super) fn with_media<'a>(
        &self,
        part: &Part<'a>,
        tries: &mut Tries,
    ) -> Result<Cow<'a, Message>, Obstacle> {
        let Some(file) = part.file else {
            return Ok(Cow::Borrowed(part.message));
        };
        let remembered = || {
            // A new entry remembers nothing yet, so it is not waited for.
            let attempts = match part.number {
                0 => part.kept.attempts(),
                _ => part.kept.held()?.attempts(),
            };
            attempts.media.filter(UploadedMedia::is_fresh)
        };
        let known = tries.media.take().or_else(remembered);
        let media = if let Some(media) = known {
            media
        } else {
            let channel = part.message.channel;
            let mut token = tries.token.take();
            let uploaded = self.uploaded(file, channel, &mut token, accepted(part));
            tries.token = token;
            let media = uploaded?;
            if let Some(held) = part.kept.held() {
                held.note(|attempts| attempts.media = Some(media.clone()));
            }
            media
        };
        let message = part.message.with_media(&media.media_id);
        tries.media = Some(media);
        Ok(Cow::Owned(message))
    }

    /// Returns the file's upload, uploading it if necessary: as it was `accepted`, if it was.
    pub(super) fn uploaded(
        &self,
        file: &Attachment,
        channel: Channel,
        token: &mut Option<AccessToken>,
        accepted: impl Fn() -> Option<FileSlice> + Send + Sync + 'static,
    ) -> Result<UploadedMedia, Obstacle> {
        let uploads = &self.sender.uploads;
        let key = uploads
            .key(file)
            .map_err(|error| cannot_read(file, Some(error.to_string())))?;
        // Held until the upload ends: other processes wait for the result.
        let _turn = match uploads.turn(&key, self.patience(file)) {
            UploadTurn::Known(media) => {
                tracing::info!(name = file.name, "upload reused");
                return Ok(media);
            }
            ours @ UploadTurn::Ours { .. } => ours,
        };
        let pass = self.pass(token)?;
        let field = FormField {
            name: "media".to_owned(),
            filename: Some(file.name.clone()),
            bytes: file.bytes.clone(),
        };
        let sum = SentSum::default();
        let leaving = {
            let (file, sum) = (file.bytes.clone(), sum.clone());
            move || {
                sum.take();
                Ok(Some(
                    accepted().unwrap_or_else(|| file.clone()).summed(&sum),
                ))
            }
        };
        let file_as_sent = (field, Arc::new(leaving) as Leaving);
        let call = channel.upload_call();
        let client = &self.sender.client;
        let (kind, watching) = (file.kind.name(), self.watching.clone());
        let uploaded = client.upload(call, pass, kind, file_as_sent, watching, self.deadline);
        let media = UploadedMedia::new(uploaded.map_err(|error| match error.cause {
            Cause::File { .. } => cannot_read(file, None),
            _ => Obstacle::Call(error),
        })?);
        // A file that was changed meanwhile does not match its key.
        if uploads.key_of(file, &sum.take()) == key {
            uploads.add(&key, &media);
        }
        Ok(media)
    }

    /// Returns the deadline for waiting for another process's upload: at most the time an upload
    /// may take, and early enough to leave time for our own if that process hangs.
    fn patience(&self, file: &Attachment) -> Instant {
        let now = Instant::now();
        let left = self.deadline.saturating_duration_since(now);
        now + (PATIENCE + upload_time(file.bytes.len())).min(left / 2)
    }

    /// Whether to upload again a file that WeCom has forgotten: only once, and only if the entry
    /// has it. Drops the old upload.
    pub(super) fn renews(&self, part: &Part<'_>, tries: &mut Tries) -> bool {
        let Some(file) = part.file else {
            return false;
        };
        if std::mem::replace(&mut tries.media_renewed, true) {
            return false;
        }
        if let Some(media) = tries.media.take()
            && let Ok(key) = self.sender.uploads.key(file)
        {
            self.sender.uploads.forget(&key, &media.media_id);
        }
        if let Some(held) = part.kept.held() {
            held.note(|attempts| attempts.media = None);
        }
        true
    }
}

/// Returns the callback that waits until the file of a part is accepted, and returns it as it is
/// in the entry: later changes to the one it was made from do not affect it.
fn accepted(part: &Part<'_>) -> impl Fn() -> Option<FileSlice> + use<> {
    let (kept, number) = (part.kept.clone(), part.number);
    move || {
        let held = kept.held()?;
        Some(held.entry().attachment(number)?.bytes.clone())
    }
}

fn cannot_read(file: &Attachment, error: Option<String>) -> Obstacle {
    Obstacle::Call(Error::file(Some(file.name.clone()), error))
}
