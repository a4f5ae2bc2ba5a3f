//! A mail as messages: its subject above its text, and its files behind them.

use crate::commands::send::contents::whole;
use crate::commands::send::long::fitted;
use crate::commands::send::requests::examine;
use crate::config::Settings;
use crate::error::{Exit, Failure};
use crate::lang::{Lang, say, spoken};
use crate::message::input::{Input, one_line};
use crate::message::media::{self, can_be_safe};
use crate::message::split::Rest;
use crate::message::{Attachment, Channel, Content, Kind, Long, Mail, MediaKind, Post, Request};
use crate::text::sendmail::attachment_left_out;

/// How much of a file its format is told by, in bytes.
const HEAD: usize = 4096;

/// Most files of one mail: with the text they must fit into WeCom's 30 messages a minute.
const FILES_MAX: usize = 20;

/// A mail, clean and judged.
pub(super) struct Letter {
    title: Option<String>,
    text: String,
    files: Vec<Attachment>,
    /// Not all of the text is there.
    cut: bool,
}

impl Letter {
    /// Cleans a mail; `cut` says that it was longer.
    ///
    /// # Errors
    /// `Exit::Data`: there is nothing in it.
    pub(super) fn of(mail: Mail, cut: bool, lang: Lang) -> Result<Self, Failure> {
        let title = one_line(&mail.subject);
        let title = Some(title.trim().to_owned()).filter(|title| !title.is_empty());
        let input = Input::from_bytes(mail.text.as_bytes());
        if input.replaced > 0 || mail.text.contains(char::REPLACEMENT_CHARACTER) {
            let warning = spoken().of(
                "邮件中有些字符无法识别，已替换为 U+FFFD",
                "some of the mail could not be read and was replaced by U+FFFD",
            );
            tracing::warn!("{warning}");
        }
        let is_cut = input.cut;
        let mut text = input.text.trim_matches(['\n', ' ']).to_owned();
        let mut files = Vec::new();
        for enclosed in mail.files {
            let name = media::file_name(&enclosed.name);
            let size = enclosed.bytes.len();
            let head = &enclosed.bytes[..size.min(HEAD)];
            let judged = media::check(MediaKind::File, false, &name, size as u64, head);
            if judged.is_ok() && files.len() < FILES_MAX {
                files.push(Attachment {
                    kind: MediaKind::File.name().to_owned(),
                    name,
                    bytes: enclosed.bytes.into(),
                });
                continue;
            }
            if let Err(why) = judged {
                let text = say!("没有随邮件发送：{why}", "not sent with the mail: {why}");
                tracing::warn!("{text}");
            }
            note(&mut text, &attachment_left_out(lang, &name, size));
        }
        if title.is_none() && text.trim().is_empty() && files.is_empty() {
            let what = spoken().of("邮件是空的", "the mail is empty");
            let hint = spoken().of(
                "它没有主题，没有正文，也没有附件",
                "it has neither a subject nor a text nor a file",
            );
            return Err(Failure::new(Exit::Data, what).hint(hint));
        }
        if cut {
            note(
                &mut text,
                match lang {
                    Lang::Zh => "（邮件过长，已截断）",
                    Lang::En => "(the mail was too long and is cut)",
                },
            );
        }
        Ok(Self {
            title,
            text,
            files,
            cut: is_cut,
        })
    }

    /// The text, for the log.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// A line of its own at the end.
fn note(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// The requests for one mail: the text in as many parts as it takes, then each file.
///
/// # Errors
/// `Exit::Data`: WeCom would refuse one.
pub(super) fn posts(letter: &Letter, settings: &Settings) -> Result<Vec<Post>, Failure> {
    let mut pieces = writing(letter, settings)?;
    for file in &letter.files {
        let content = Content::media(MediaKind::File, String::new());
        pieces.push((content, Some(file.clone())));
    }
    let mut posts = Vec::new();
    for (at, envelope) in settings.to.split().iter().enumerate() {
        for (content, file) in &pieces {
            let protects = file.as_ref().is_none_or(|file| can_be_safe(&file.name));
            let request = Request {
                channel: Channel::App,
                envelope,
                safe: settings.safe && protects,
                id_trans: false,
                duplicate_check: None,
            };
            // To each with its file, since there may be several; an upload is used again.
            let post = request.post(content, file.clone());
            if at == 0 {
                examine(&post, settings)?;
            }
            posts.push(post);
        }
    }
    Ok(posts)
}

/// Subject and text, as one message or several.
fn writing(
    letter: &Letter,
    settings: &Settings,
) -> Result<Vec<(Content, Option<Attachment>)>, Failure> {
    if letter.title.is_none() && letter.text.is_empty() {
        return Ok(Vec::new());
    }
    let title = letter.title.as_deref();
    let text = Kind::Text.compose(&settings.prefix, title, letter.text.clone());
    let lang = settings.phone_lang;
    let fitted = fitted(
        Long::Auto,
        Kind::Text,
        Channel::App,
        &text,
        letter.cut,
        lang,
    )?;
    let parts = fitted.parts.into_iter();
    let mut pieces: Vec<_> = parts.map(|part| (Kind::Text.content(part), None)).collect();
    if fitted.rest == Rest::File {
        let (content, file) = whole(title.unwrap_or("mail"), text);
        pieces.push((content, Some(file)));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_come_with_a_mail_is_told_in_the_phones_language() {
        let mail = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Disposition: attachment; filename=a.pdf\n\n\n--b--\n";
        for (lang, lines) in [
            (
                Lang::Zh,
                "text\n（附件未发送：a.pdf，0 字节）\n（邮件过长，已截断）",
            ),
            (
                Lang::En,
                "text\n(not sent: a.pdf, 0 bytes)\n(the mail was too long and is cut)",
            ),
        ] {
            let letter = Letter::of(Mail::parse(mail.as_bytes()), true, lang).unwrap();
            assert_eq!(letter.text(), lines);
        }
    }
}
