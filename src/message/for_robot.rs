//! An app's message as a group robot can send it.

use super::content::{Mpnews, Picture, RawContent};
use super::media::{self, MediaKind};
use super::outgoing::{Attachment, Message, MessageOptions};
use super::split::{Long, Notes, Rest, fit};
use super::{Channel, Content, Recipients, TextKind, html};

/// The texts of kinds that a robot has none of, where WeCom's JSON has them: in the object of the
/// `msgtype`, and in each of its articles.
const TEXTS: [&str; 13] = [
    "/title",
    "/main_title/title",
    "/main_title/desc",
    "/emphasis_content/title",
    "/emphasis_content/desc",
    "/quote_area/quote_text",
    "/sub_title_text",
    "/description",
    "/digest",
    "/content",
    "/url",
    "/card_action/url",
    "/content_source_url",
];

impl Message {
    /// Returns the messages by which a robot says the same in its group, with the bytes of `file`;
    /// `None` if it can't, or if the message must not be forwarded.
    pub(crate) fn for_robot(&self, file: Option<&Attachment>) -> Option<Vec<Self>> {
        if self.options.safe.is_some_and(|safe| safe != 0) {
            return None;
        }
        let own = |content: &Content| Some(vec![message(content.clone(), None)]);
        match &self.content {
            Content::Text(_) | Content::Markdown(_) | Content::MarkdownV2(_) => own(&self.content),
            Content::Image(Picture::Inline { .. }) => own(&self.content),
            Content::Image(_) | Content::Voice(_) | Content::File(_) => Some(vec![of_file(file?)?]),
            Content::Video(video) => {
                let title = video.title.as_deref().unwrap_or_default();
                let mut messages = of_text(&[title, &video.description]).unwrap_or_default();
                messages.push(of_file(file?)?);
                Some(messages)
            }
            Content::Textcard(card) => {
                let description = html::text(&card.description);
                of_text(&[&card.title, &description, &card.url])
            }
            Content::News(news) => {
                let [article] = &news.articles;
                of_text(&[&article.title, &article.description, &article.url])
            }
            // Its digest repeats how it begins.
            Content::Mpnews(Mpnews { articles: [it] }) => {
                of_text(&[&it.title, &html::text(&it.content)])
            }
            Content::Raw(raw) => match self.content.text() {
                Some((kind, text)) => Some(vec![message(kind.content(text.to_owned()), None)]),
                None => of_raw(raw),
            },
        }
    }
}

fn message(content: Content, attachment: Option<Attachment>) -> Message {
    Message {
        channel: Channel::Robot,
        to: Recipients::default(),
        content,
        options: MessageOptions::default(),
        attachment,
    }
}

/// Returns the message with a file: a small picture inline, a voice as one, all else as a file.
fn of_file(file: &Attachment) -> Option<Message> {
    let size = file.bytes.len();
    if file.kind == MediaKind::Image && size <= MediaKind::Image.max(true) {
        let picture = file.bytes.read().ok()?;
        return Some(message(Content::inline(&picture), None));
    }
    let kind = match file.kind {
        MediaKind::Voice => MediaKind::Voice,
        _ => MediaKind::File,
    };
    let file = Attachment {
        kind,
        ..file.clone()
    };
    Some(message(Content::media(kind, String::new()), Some(file)))
}

/// Returns these texts one below the other; what is too long for a few messages goes as a file.
fn of_text(lines: &[&str]) -> Option<Vec<Message>> {
    let lines: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| !line.is_empty())
        .collect();
    let (text, name) = (lines.join("\n"), lines.first()?);
    let max = TextKind::Text.max(Channel::Robot);
    let notes = Notes {
        cut: "\n…",
        file: "\n…",
    };
    let fitted = fit(TextKind::Text, max, &text, false, Long::Auto, &notes).ok()?;
    let parts = fitted.parts.into_iter();
    let mut messages: Vec<Message> = parts
        .map(|part| message(TextKind::Text.content(part), None))
        .collect();
    if fitted.rest == Rest::File {
        messages.push(of_file(&Attachment {
            kind: MediaKind::File,
            name: media::name_of_text(name),
            bytes: text.into_bytes().into(),
        })?);
    }
    Some(messages)
}

/// Returns the texts of a kind that robots don't have.
fn of_raw(raw: &RawContent) -> Option<Vec<Message>> {
    let object = raw.fields.get(&raw.msgtype)?;
    let articles = object.pointer("/articles").and_then(|it| it.as_array());
    let objects = std::iter::once(object).chain(articles.into_iter().flatten());
    let texts = objects.flat_map(|object| {
        TEXTS.iter().filter_map(move |path| {
            let text = object.pointer(path)?.as_str()?;
            let is_page = *path == "/content" && object.pointer("/thumb_media_id").is_some();
            Some(if is_page {
                html::text(text)
            } else {
                text.to_owned()
            })
        })
    });
    let texts: Vec<String> = texts.collect();
    of_text(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(body: &Value) -> Option<Vec<String>> {
        let message = Message::read(Channel::App, body.as_object()?.clone())?;
        let messages = message.for_robot(None)?;
        let text = |it: &Message| it.content.text().map(|(_, text)| text.to_owned());
        Some(messages.iter().filter_map(text).collect())
    }

    #[test]
    fn what_a_robot_has_no_kind_for_is_said_as_text() {
        for (body, text) in [
            (
                json!({"msgtype": "textcard", "textcard": {"title": "t", "description": "<div class=\"gray\">d</div>", "url": "https://e.example/"}}),
                "t\nd\nhttps://e.example/",
            ),
            (
                json!({"msgtype": "news", "news": {"articles": [{"title": "t", "url": "https://e.example/"}]}}),
                "t\nhttps://e.example/",
            ),
            (
                json!({"msgtype": "template_card", "template_card": {"card_type": "text_notice",
                    "main_title": {"title": "t", "desc": "d"}, "card_action": {"type": 1, "url": "https://e.example/"}}}),
                "t\nd\nhttps://e.example/",
            ),
            (
                json!({"msgtype": "mpnews", "mpnews": {"articles": [{"title": "t", "thumb_media_id": "m",
                    "content": "<p>a &amp; b</p>", "digest": "d"}]}}),
                "t\na & b",
            ),
            (
                json!({"touser": "lisi", "msgtype": "markdown", "markdown": {"content": "**m**"}}),
                "**m**",
            ),
        ] {
            assert_eq!(said(&body), Some(vec![text.to_owned()]), "{body}");
        }
    }

    #[test]
    fn what_must_not_be_forwarded_or_has_no_bytes_of_its_own_stays() {
        for body in [
            json!({"msgtype": "text", "text": {"content": "secret"}, "safe": 1}),
            json!({"msgtype": "file", "file": {"media_id": "of the app"}}),
            json!({"msgtype": "interactive_taskcard", "interactive_taskcard": {"x": 1}}),
        ] {
            assert_eq!(said(&body), None, "{body}");
        }
    }

    #[test]
    fn a_text_too_long_for_five_messages_goes_as_a_file() {
        let long = "line\n".repeat(4000);
        let body = json!({"msgtype": "mpnews", "mpnews": {"articles": [{"title": "a/b", "thumb_media_id": "m", "content": long}]}});
        let message = Message::read(Channel::App, body.as_object().unwrap().clone()).unwrap();
        let messages = message.for_robot(None).unwrap();
        let file = messages[1].attachment.as_ref().unwrap();
        assert_eq!((messages.len(), &*file.name), (2, "a-b.txt"));
    }
}
