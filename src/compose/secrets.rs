//! Keeping secrets out of messages: an alert goes out without them, and is never dropped for them.

use std::iter;

use super::{Body, Draft, Media};
use crate::message::{Attachment, markup};
use crate::secret::{Redactor, Sha256};

/// Hides all secrets in a draft; returns whether there were any.
pub(super) fn hide(draft: &mut Draft, guard: &Redactor) -> bool {
    match &mut draft.body {
        Body::Text {
            title,
            text,
            byline,
            from_outside,
            mentions,
            files,
            ..
        } => {
            let mentions = mentions.iter_mut().flatten();
            let texts = iter::once(text).chain(title).chain(byline).chain(mentions);
            let mut hidden = false;
            for text in texts {
                if *from_outside {
                    markup::straighten(text);
                }
                hidden |= guard.hide(text);
            }
            for file in files {
                if let Some(file) = &mut file.attachment
                    && *from_outside
                {
                    markup::straighten(&mut file.name);
                }
                hidden |= hide_in_media(file, guard);
            }
            hidden
        }
        Body::Ready(media) => hide_in_media(media, guard),
        Body::Raw(fields) => {
            let hide = |value| guard.hide_in_json(value);
            fields
                .values_mut()
                .map(hide)
                .fold(false, |any, it| any | it)
        }
    }
}

fn hide_in_media(media: &mut Media, guard: &Redactor) -> bool {
    let texts = media.content.texts_mut();
    let mut hidden = texts
        .into_iter()
        .map(|text| guard.hide(text))
        .fold(false, |any, it| any | it);
    if let Some(file) = &mut media.attachment {
        hidden |= guard.hide(&mut file.name);
        hidden |= hide_in_file(file, guard);
    }
    hidden
}

/// Overwrites the secrets in a file, so that the rest stays where it is. Reads it once, and notes
/// its digest, by which its upload is known.
fn hide_in_file(file: &mut Attachment, guard: &Redactor) -> bool {
    let (mut seen, mut sum, mut found) = (Vec::new(), Sha256::default(), false);
    let read = file.bytes.read_through(|piece| {
        sum.add(piece);
        // The secret may span two pieces.
        let keep = seen.len().min(guard.reach());
        seen.drain(..seen.len() - keep);
        seen.extend_from_slice(piece);
        found = found || guard.is_in(&seen);
        Ok(())
    });
    if read.is_ok() && !found {
        file.bytes.note_sha256(&sum.hex());
    }
    if !found {
        return false;
    }
    // A file that cannot be read is reported where it is sent.
    let Ok(mut bytes) = file.bytes.read() else {
        return false;
    };
    guard.overwrite(&mut bytes);
    file.bytes = bytes.into();
    true
}
