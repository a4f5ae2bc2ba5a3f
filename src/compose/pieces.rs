//! Turning the body of a draft into messages without recipients. A text above WeCom's limit is
//! split, attached as a file, or cut.

use std::borrow::Cow;
use std::cell::Cell;

use super::{Body, ComposeError, Composing, Media, Warning};
use crate::config::ShowIn;
use crate::message::article::{self, ArticleSource, Hide};
use crate::message::content::Text;
use crate::message::markup;
use crate::message::media::{self, FILE_MAX};
use crate::message::plain::plain;
use crate::message::split::{Fitted, Notes, Rest, fit};
use crate::message::{Attachment, Channel, Content, Long, MediaKind, TextKind};

/// Most bytes of a text for the log if the text itself is sent as a file.
const LOGGED_MAX: usize = 64 << 10;

/// A text with its prefix and title.
struct WholeText {
    /// The text as it is: for the log, and as a file.
    own: String,
    /// The text as it is sent, if that differs.
    shown: Option<String>,
    /// Whether it is only the beginning of the input.
    incomplete: bool,
    from_outside: bool,
    byline: Option<String>,
}

impl WholeText {
    fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.own)
    }

    /// Returns markdown as plain text; `hide` hides what an entity in it spelled.
    fn plain(&self, hide: Hide<'_>) -> Self {
        let plain = |text: &str| {
            let mut text = plain(text);
            if self.from_outside {
                markup::straighten(&mut text);
            }
            hide(&mut text);
            text
        };
        let own = plain(&self.own);
        let shown = self.shown.as_deref().map(plain);
        let shown = if self.from_outside {
            // What an entity spelled, or a mark stood within, is markup only now.
            Some(markup::inert(shown.as_deref().unwrap_or(&own)).into_owned())
        } else {
            shown
        };
        Self {
            own,
            shown,
            byline: self.byline.clone(),
            ..*self
        }
    }
}

/// Returns title and text from outside without markup, below our own prefix; `None` if they have
/// none. Of markdown only the text is markdown.
fn inert(kind: TextKind, prefix: &str, title: Option<&str>, text: &str) -> Option<String> {
    let title = title.map(match kind {
        TextKind::Text => markup::inert,
        TextKind::Markdown | TextKind::MarkdownV2 => markup::inert_in_markdown,
    });
    let text = markup::inert(text);
    let is_owned = |text: &Cow<'_, str>| matches!(text, Cow::Owned(_));
    let is_changed = is_owned(&text) || title.as_ref().is_some_and(is_owned);
    is_changed.then(|| kind.compose(prefix, title.as_deref(), text.into_owned()))
}

impl Composing<'_> {
    /// Returns the messages without recipients, and the text for the log.
    pub(super) fn pieces(&mut self, body: Body) -> Result<(Vec<Media>, String), ComposeError> {
        let prefix = &self.settings.prefix;
        Ok(match body {
            Body::Text {
                kind,
                title,
                text,
                byline,
                from_outside,
                incomplete,
                mentions,
                files,
                name,
            } => {
                let title = title.as_deref();
                let (mut pieces, logged) =
                    if title.is_none() && text.is_empty() && !files.is_empty() {
                        (Vec::new(), text)
                    } else {
                        let shown = from_outside.then(|| inert(kind, prefix, title, &text));
                        let whole = WholeText {
                            shown: shown.flatten(),
                            own: kind.compose(prefix, title, text),
                            incomplete,
                            from_outside,
                            byline,
                        };
                        self.text(kind, whole, mentions, title.unwrap_or(name))?
                    };
                pieces.extend(files);
                (pieces, logged)
            }
            Body::Ready(mut media) => {
                media.content.prefix(prefix);
                let logged = media.content.words().join("\n");
                (vec![media], logged)
            }
            Body::Raw(_) => unreachable!("raw messages have no pieces"),
        })
    }

    /// Returns a text as one or more messages, and the part of it for the log.
    fn text(
        &mut self,
        kind: TextKind,
        text: WholeText,
        [users, mobiles]: [Vec<String>; 2],
        name: &str,
    ) -> Result<(Vec<Media>, String), ComposeError> {
        let is_for_wechat = self.settings.show_in == ShowIn::WeChat && self.channel == Channel::App;
        let (guard, found) = (self.guard, Cell::new(false));
        let hide = |text: &mut String| found.set(guard.hide(text) || found.get());
        let plain = (kind == TextKind::Markdown && is_for_wechat).then(|| text.plain(&hide));
        let sent = plain
            .as_ref()
            .map_or((kind, &text), |plain| (TextKind::Text, plain));
        let article = self
            .becomes_article(sent)
            .then(|| self.article(kind, &text, name, &hide));
        if found.get() {
            self.warn(Warning::SecretHidden);
        }
        match article {
            Some((pieces, true)) => return Ok((pieces, text.own)),
            Some((pieces, false)) => return Ok(with_file(pieces, name, text.own)),
            None => {}
        }
        let (kind, text) = plain.map_or((kind, text), |plain| (TextKind::Text, plain));
        let shown = text.shown();
        let byline = text.byline.as_deref().map(|by| format!("{by}\n"));
        let byline = byline.unwrap_or_default();
        let fitted = self.fit(kind, shown, byline.len(), text.incomplete)?;
        let text = text.own;
        let mut pieces: Vec<Media> = Vec::new();
        for mut part in fitted.parts {
            if !pieces.is_empty() {
                // Below the mark, such as (2/3).
                let at = part.find('\n').map_or(0, |at| at + 1);
                part.insert_str(at, &byline);
            }
            let mut content = kind.content(part);
            if let Content::Text(text) = &mut content
                && pieces.is_empty()
            {
                *text = Text {
                    content: std::mem::take(&mut text.content),
                    mentioned_list: users.clone(),
                    mentioned_mobile_list: mobiles.clone(),
                };
            }
            pieces.push(content.into());
        }
        if fitted.rest != Rest::File {
            return Ok((pieces, text));
        }
        Ok(with_file(pieces, name, text))
    }

    /// Whether a text that would be sent as this kind becomes an article: robots have none.
    fn becomes_article(&self, (kind, text): (TextKind, &WholeText)) -> bool {
        let is_long = text.incomplete || text.shown().len() > kind.max(self.channel);
        is_long && self.long == Long::Article && self.channel != Channel::Robot
    }

    /// Returns a text as an article, and whether it is all of it.
    fn article(
        &self,
        kind: TextKind,
        text: &WholeText,
        name: &str,
        hide: Hide<'_>,
    ) -> (Vec<Media>, bool) {
        let (lang, bytes) = (self.settings.phone_lang, text.own.len());
        let [_, note] = (self.cut_notes)(lang, bytes, text.incomplete);
        let source = ArticleSource {
            kind,
            text: &text.own,
            incomplete: text.incomplete,
            name,
            note: &format!("…{note}"),
            hide,
        };
        let (content, is_whole) = source.article();
        let article = Media {
            content,
            attachment: Some(article::cover()),
        };
        (vec![article], is_whole)
    }

    /// Fits a text into messages according to `--long`; each has room for a byline of this many bytes.
    ///
    /// # Errors
    /// `ComposeError::TooLong` if the text cannot be sent in the way asked for.
    fn fit(
        &mut self,
        kind: TextKind,
        text: &str,
        byline: usize,
        incomplete: bool,
    ) -> Result<Fitted, ComposeError> {
        let (bytes, bytes_max) = (text.len(), kind.max(self.channel));
        let [cut, file] = (self.cut_notes)(self.settings.phone_lang, bytes, incomplete);
        let notes = Notes {
            cut: &format!("\n…{cut}"),
            file: &format!("\n…{file}"),
        };
        // What is within the limit is one part, which needs no room for it.
        let room = if bytes > bytes_max { byline } else { 0 };
        let fitted = fit(kind, bytes_max - room, text, incomplete, self.long, &notes);
        let fitted = fitted.map_err(|why| ComposeError::TooLong {
            bytes,
            incomplete,
            bytes_max,
            why,
        })?;
        if fitted.rest == Rest::Cut {
            self.warn(Warning::Cut { bytes, incomplete });
        }
        Ok(fitted)
    }
}

/// Adds a text as a file; returns the start of it for the log, too.
fn with_file(mut pieces: Vec<Media>, name: &str, text: String) -> (Vec<Media>, String) {
    let logged = text[..text.floor_char_boundary(LOGGED_MAX)].to_owned();
    pieces.push(text_file(name, text));
    (pieces, logged)
}

/// Returns a text as a file, cut at the size that WeCom accepts.
fn text_file(name: &str, mut text: String) -> Media {
    let max = usize::try_from(FILE_MAX).unwrap_or(usize::MAX);
    text.truncate(text.floor_char_boundary(max));
    Media {
        content: Content::media(MediaKind::File, String::new()),
        attachment: Some(Attachment {
            kind: MediaKind::File,
            name: media::name_of_text(name),
            bytes: text.into_bytes().into(),
        }),
    }
}
