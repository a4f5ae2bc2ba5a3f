//! Turns a mail into messages: its subject above its text, followed by its files.

use super::addresses;
use crate::compose::{Body, Media};
use crate::error::Failure;
use crate::lang::Lang;
use crate::message::encoding::guessed;
use crate::message::input::{INPUT_MAX, Input, one_line};
use crate::message::mail::Enclosed;
use crate::message::media::{self, FILE_MIN, FILES_MAX};
use crate::message::{Attachment, Content, Mail, Mailbox, MediaKind, TextKind};
use crate::secret::Redactor;
use crate::text::compose::secret_hidden;
use crate::text::message::unfit_file;
use crate::text::sendmail as words;

/// The bytes of a file that determine its format.
const HEAD: usize = 4096;

/// The most files that are named if they are not sent.
const NAMED_MAX: usize = 20;

/// A cleaned and checked mail.
pub(super) struct Letter {
    title: Option<String>,
    /// The user who has left it in the maildrop.
    byline: Option<String>,
    text: String,
    files: Vec<Attachment>,
    /// Whether part of the text is missing.
    cut: bool,
    /// What a person at a terminal should know.
    pub(super) warnings: Vec<String>,
}

impl Letter {
    /// Cleans a mail; `cut` means that it was longer. `hosts` are the names of this host: a sender
    /// there is not shown.
    ///
    /// # Errors
    /// `Exit::Data` if it is empty.
    pub(super) fn of(mail: Mail, cut: bool, lang: Lang, hosts: &[String]) -> Result<Self, Failure> {
        let title = one_line(&mail.subject);
        let title = Some(title.trim().to_owned()).filter(|title| !title.is_empty());
        let input = Input::at_terminal(mail.text.as_bytes());
        let mut warnings = Vec::new();
        if input.replaced > 0 || mail.text.contains(char::REPLACEMENT_CHARACTER) {
            warnings.push(words::unreadable_characters());
        }
        let is_cut = input.cut || mail.text.len() > INPUT_MAX;
        let mut text = input.text;
        text.truncate(text.trim_end_matches(['\n', ' ']).len());
        text.drain(..text.len() - text.trim_start_matches(['\n', ' ']).len());
        if title.is_none() && text.trim().is_empty() && mail.files.is_empty() {
            return Err(words::empty());
        }
        let senders = senders(&mail, &text, lang, hosts);
        text.insert_str(0, &senders);
        let (files, left_out) = sent_files(mail.files, &mut text, lang);
        warnings.extend(left_out);
        if cut {
            note(&mut text, &words::mail_cut(lang));
        }
        text.truncate(text.trim_end_matches('\n').len());
        Ok(Self {
            title,
            byline: None,
            text,
            files,
            cut: is_cut,
            warnings,
        })
    }

    /// Returns the body of its messages: subject and text, followed by its files.
    pub(super) fn body(&self) -> Body {
        let files = self.files.iter().map(|file| Media {
            content: Content::media(MediaKind::File, String::new()),
            attachment: Some(file.clone()),
        });
        Body::Text {
            kind: TextKind::Text,
            title: self.title.clone(),
            text: self.text.clone(),
            byline: self.byline.clone(),
            from_outside: true,
            incomplete: self.cut,
            mentions: Default::default(),
            files: files.collect(),
            name: "mail",
        }
    }

    /// Names the user who has left it in the maildrop, before all that the mail itself says.
    pub(super) fn is_of(&mut self, user: &str, lang: Lang) {
        let from = words::from_user(lang, user);
        self.byline = Some(from.clone());
        for file in &mut self.files {
            // No account's name has a blank or a parenthesis in it.
            file.name = format!("({user}) {}", file.name);
        }
        self.title = Some(match &self.title {
            Some(title) => words::titled(lang, from, title),
            None => from,
        });
    }

    /// Hides the secrets in all that is shown or logged of it.
    pub(super) fn hide(&mut self, guard: &Redactor) {
        let mut hidden = guard.hide(&mut self.text);
        hidden |= self.title.as_mut().is_some_and(|title| guard.hide(title));
        for warning in &mut self.warnings {
            guard.hide(warning);
        }
        if hidden {
            self.warnings.push(secret_hidden());
        }
    }

    /// Returns its text, for the log.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// Returns lines with the senders who are not of this host, unless the text has them: the reader
/// should know who wrote, and whom to answer.
fn senders(mail: &Mail, text: &str, lang: Lang, hosts: &[String]) -> String {
    let is_news = |it: &&Mailbox| addresses::is_foreign(it, hosts) && !text.contains(&it.address);
    let from = mail.from.as_ref().filter(is_news);
    let reply_to = mail.reply_to.as_ref().filter(is_news);
    let reply_to = reply_to.filter(|it| from.is_none_or(|from| from.address != it.address));
    let shown = |it: &Mailbox| match one_line(&it.name).trim() {
        "" => one_line(&it.address),
        name => format!("{name} <{}>", one_line(&it.address)),
    };
    let from = from.map(|it| words::from(lang, shown(it)));
    let reply_to = reply_to.map(|it| words::reply_to(lang, shown(it)));
    let lines = from.into_iter().chain(reply_to);
    lines.map(|line| line + "\n").collect()
}

/// Returns the files that can be sent, and notes the others in the text; also returns a warning of
/// these.
fn sent_files(
    enclosed: Vec<Enclosed>,
    text: &mut String,
    lang: Lang,
) -> (Vec<Attachment>, Option<String>) {
    let (mut files, mut left_out, mut first) = (Vec::new(), 0, None);
    for Enclosed { name, bytes } in enclosed {
        let (name, size) = (media::file_name(&name), bytes.len());
        if let Some(content) = small_text(&bytes) {
            note(text, &words::small_attachment(lang, name, content));
            continue;
        }
        let head = &bytes[..size.min(HEAD)];
        let judged = media::check(MediaKind::File, false, size as u64, head);
        if judged.is_ok() && files.len() < FILES_MAX {
            files.push(Attachment {
                kind: MediaKind::File,
                name,
                bytes: bytes.into(),
            });
            continue;
        }
        first.get_or_insert_with(|| match judged {
            Err(why) => unfit_file(&name, why),
            Ok(()) => words::too_many_files(&name, FILES_MAX),
        });
        left_out += 1;
        if left_out <= NAMED_MAX {
            note(text, &words::attachment_left_out(lang, &name, size));
        }
    }
    if let Some(more) = left_out.checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        note(text, &words::attachments_left_out(lang, more));
    }
    let warning = first.map(|why| match left_out {
        1 => words::attachment_not_sent(why),
        count => words::attachments_not_sent(count, why),
    });
    (files, warning)
}

/// Returns the text of a file that is too small for WeCom, if it is one.
fn small_text(bytes: &[u8]) -> Option<String> {
    if bytes.len() as u64 > FILE_MIN {
        return None;
    }
    let text = guessed(bytes);
    let is_of_text = |it: char| it.is_whitespace() || !it.is_control();
    let text = Some(text).filter(|text| text.chars().all(is_of_text))?;
    Some(one_line(text.trim())).filter(|text| !text.is_empty())
}

/// Appends a separate line.
fn note(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_parts_of_a_mail_are_noted_in_the_phones_language() {
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
            let letter = Letter::of(Mail::parse(mail.as_bytes()), true, lang, &[]).unwrap();
            assert_eq!(letter.text(), lines);
        }
    }
}
