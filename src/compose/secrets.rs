//! Keeping secrets out of messages: an alert goes out without them, and is never dropped for them.

use serde_json::{Map, Value};

use super::{Body, Draft, Media};
use crate::message::{Attachment, Content, html, markup};
use crate::secret::{Redactor, Sha256};

/// The most bytes of a secret at the begin of a text that may go on with what its title ends with.
const BEGIN: usize = 4096;

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
            if *from_outside {
                let names = files.iter_mut().filter_map(|it| it.attachment.as_mut());
                let texts = [&mut *text]
                    .into_iter()
                    .chain(&mut *title)
                    .chain(&mut *byline);
                texts
                    .chain(names.map(|file| &mut file.name))
                    .for_each(markup::straighten);
            }
            let mut hidden = guard.hide(text);
            let others = byline.iter_mut().chain(mentions.iter_mut().flatten());
            others.for_each(|text| hidden |= guard.hide(text));
            if let Some(title) = title {
                hidden |= guard.hide(title);
                hidden |= hide_between(title, text, guard);
            }
            for file in files {
                hidden |= hide_in_media(file, guard);
            }
            hidden
        }
        Body::Ready(media) => hide_in_media(media, guard),
        Body::Raw(fields) => hide_in_fields(fields, guard),
    }
}

/// Hides all secrets in a text, and in what a robot shows of it as HTML; returns whether there were any.
fn hide_in_text(text: &mut String, guard: &Redactor) -> bool {
    let hidden = guard.hide(text);
    let mut shown = html::text(text);
    if shown == *text || !guard.hide(&mut shown) {
        return hidden;
    }
    *text = shown;
    true
}

/// Hides secrets that begin in the title and go on in the text below it; returns whether there were any.
fn hide_between(title: &mut String, text: &mut String, guard: &Redactor) -> bool {
    let begin = &text[..text.floor_char_boundary(BEGIN)];
    if !guard.hide(&mut format!("{title}\n{begin}")) {
        return false;
    }
    let mut both = format!("{title}\n{text}");
    guard.hide(&mut both);
    let (above, below) = both.split_once('\n').unwrap_or((&both, ""));
    (*title, *text) = (above.to_owned(), below.to_owned());
    true
}

/// Hides all secrets in the texts of a JSON value, and in the names of its fields; returns whether there
/// were any.
fn hide_in_json(value: &mut Value, guard: &Redactor) -> bool {
    match value {
        Value::String(text) => hide_in_text(text, guard),
        Value::Array(items) => {
            let hidden = items.iter_mut().map(|item| hide_in_json(item, guard));
            hidden.fold(false, |any, it| any | it)
        }
        Value::Object(fields) => hide_in_fields(fields, guard),
        _ => false,
    }
}

fn hide_in_fields(fields: &mut Map<String, Value>, guard: &Redactor) -> bool {
    let mut any = false;
    for value in fields.values_mut() {
        any |= hide_in_json(value, guard);
    }
    let is_told = |name: &String| guard.hide(&mut name.clone());
    if fields.keys().any(is_told) {
        let renamed = std::mem::take(fields).into_iter().map(|(mut name, value)| {
            guard.hide(&mut name);
            (name, value)
        });
        *fields = renamed.collect();
        any = true;
    }
    any
}

fn hide_in_media(media: &mut Media, guard: &Redactor) -> bool {
    // A robot that sends it instead shows pages and cards as text.
    let texts = media.content.texts_mut().into_iter();
    let mut hidden = texts
        .map(|text| hide_in_text(text, guard))
        .fold(false, |any, it| any | it);
    if let Some(file) = &mut media.attachment {
        hidden |= hide_in_upload(file, guard);
    }
    if let Some(mut picture) = media.content.inline_picture()
        && guard.is_in(&picture)
    {
        guard.overwrite(&mut picture);
        media.content = Content::inline(&picture);
        hidden = true;
    }
    hidden
}

/// Hides all secrets in a file and its name; returns whether there were any.
pub(crate) fn hide_in_upload(file: &mut Attachment, guard: &Redactor) -> bool {
    guard.hide(&mut file.name) | hide_in_file(file, guard)
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
    let hidden = guard.overwrite(&mut bytes);
    file.bytes = bytes.into();
    hidden
}
