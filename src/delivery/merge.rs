//! Texts that wait for the same receivers go out together: after an outage the phone gets a few whole
//! messages instead of hundreds.

use std::time::SystemTime;

use chrono::{DateTime, Local};
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use crate::lang::Lang;
use crate::message::{Channel, Kind, Post};
use crate::outbox::{Attempts, Entry, Id, Merged};

/// From so many on, texts go together. Source: the contract with users.
pub(super) const TEXTS_MIN: usize = 3;

/// Most texts that go together: each of them is locked, and takes a descriptor.
pub(super) const TEXTS_MAX: usize = 200;

/// A text is not begun in a message where less than this is left, in bytes.
const ROOM_MIN: usize = 8;

/// What texts that go together have in common: everything but the text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Likeness {
    call: String,
    rest: Value,
}

/// One text that is to go together with others.
pub(super) struct Text {
    pub(super) likeness: Likeness,
    content: String,
}

/// Reads an entry as one text, if it is one that nothing is known of yet.
pub(super) fn text(entry: &Entry, attempts: &Attempts) -> Option<Text> {
    let is_new = attempts.sent == 0
        && attempts.doubt.is_none()
        && !attempts.noted
        && attempts.passed_over == 0
        && attempts.unknown_codes == 0;
    let [post] = &*entry.posts else { return None };
    if !is_new || !entry.merged.is_empty() || entry.once.is_some() || post.attachment.is_some() {
        return None;
    }
    let mut rest = post.value();
    let fields = rest.as_object_mut()?;
    if fields.get("msgtype")? != Kind::Text.msgtype()
        || fields.contains_key("enable_duplicate_check")
    {
        return None;
    }
    let text = fields.get_mut("text")?.as_object_mut()?;
    let content = text.remove("content")?.as_str()?.to_owned();
    // A mention belongs to one text alone.
    let is_plain = text.is_empty();
    let call = post.call.clone();
    is_plain.then_some(Text {
        likeness: Likeness { call, rest },
        content,
    })
}

/// The texts of some entries as one, oldest first.
pub(super) fn merged(entries: &[(Id, Entry, Text)], lang: Lang, now: SystemTime) -> Option<Entry> {
    let (_, first, text) = entries.first()?;
    let limit = Kind::Text.max(Channel::of(&text.likeness.call)?);
    let items: Vec<Item<'_>> = entries
        .iter()
        .map(|(_, entry, text)| Item {
            label: label(entry.accepted.time(), now),
            text: &text.content,
        })
        .collect();
    let count = entries.len();
    let head = match lang {
        Lang::Zh => format!("[合并] {count} 条"),
        Lang::En => format!("[merged] {count} messages"),
    };
    let messages = packed(&head, &items, limit);
    let mut merged = Vec::new();
    for (part, message) in messages.iter().enumerate() {
        let ids = entries[merged.len()..].iter().take(message.ends);
        merged.extend(ids.map(|(id, ..)| Merged {
            id: id.clone(),
            part,
        }));
    }
    let posts = messages
        .into_iter()
        .map(|message| text.likeness.post(message.text))
        .collect();
    Some(Entry {
        accepted: first.accepted,
        retried: None,
        once: None,
        merged,
        sender: first.sender.clone(),
        posts,
    })
}

impl Likeness {
    fn post(&self, content: String) -> Post {
        let mut value = self.rest.clone();
        value["text"]["content"] = content.into();
        Post {
            call: self.call.clone(),
            body: value.to_string().into_bytes(),
            attachment: None,
        }
    }
}

/// The time of a text, for a person: with its date where that is not today's.
fn label(accepted: SystemTime, now: SystemTime) -> String {
    let [accepted, now] = [accepted, now].map(DateTime::<Local>::from);
    let form = if accepted.date_naive() == now.date_naive() {
        "%H:%M"
    } else {
        "%m-%d %H:%M"
    };
    accepted.format(form).to_string()
}

struct Item<'a> {
    label: String,
    text: &'a str,
}

/// A message that carries some texts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Message {
    text: String,
    /// How many texts have their last byte in it.
    ends: usize,
}

/// The texts in as few messages as hold them: each whole in one of them, if that takes no more.
fn packed(head: &str, items: &[Item<'_>], limit: usize) -> Vec<Message> {
    let [whole, dense] = [false, true].map(|dense| filled(head, items, limit, dense));
    if whole.len() <= dense.len() {
        whole
    } else {
        dense
    }
}

fn filled(head: &str, items: &[Item<'_>], limit: usize, dense: bool) -> Vec<Message> {
    let mut messages = vec![Message {
        text: head.to_owned(),
        ends: 0,
    }];
    // The time that stands over what comes next in the last message.
    let mut over = None;
    for item in items {
        let lead = |message: &Message, over: Option<&str>| {
            let gap = if message.text.is_empty() { "" } else { "\n" };
            if over == Some(&*item.label) {
                gap.to_owned()
            } else {
                format!("{gap}{}\n", item.label)
            }
        };
        let mut last = messages.len() - 1;
        let mut start = lead(&messages[last], over);
        let fits = messages[last].text.len() + start.len() + item.text.len() <= limit;
        let fits_alone = item.label.len() + 1 + item.text.len() <= limit;
        let has_room = messages[last].text.len() + start.len() + ROOM_MIN <= limit;
        if !fits && (fits_alone && !dense || !has_room) {
            messages.push(Message::default());
            last += 1;
            start = lead(&messages[last], None);
        }
        messages[last].text += &start;
        over = Some(&*item.label);
        let mut rest = item.text;
        while messages[last].text.len() + rest.len() > limit {
            let room = limit - messages[last].text.len();
            let (part, behind) = rest.split_at(boundary(rest, room));
            messages[last].text += part;
            rest = behind;
            messages.push(Message::default());
            last += 1;
            over = None;
        }
        messages[last].text += rest;
        messages[last].ends += 1;
    }
    messages
}

/// The last place within so many bytes where no character, as people see it, is cut; zero only where
/// there is room for none, but not in an empty message.
fn boundary(text: &str, room: usize) -> usize {
    let ends = text.grapheme_indices(true).map(|(at, it)| at + it.len());
    let fitting = ends.take_while(|end| *end <= room).last();
    // A character of more bytes than a message has is cut within.
    fitting.unwrap_or_else(|| text.floor_char_boundary(room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items<'a>(texts: &'a [(&'a str, &'a str)]) -> Vec<Item<'a>> {
        texts
            .iter()
            .map(|(label, text)| Item {
                label: (*label).to_owned(),
                text,
            })
            .collect()
    }

    #[test]
    fn a_time_stands_over_the_texts_of_its_minute() {
        let texts = [
            ("07:31", "one"),
            ("07:31", "two"),
            ("07:32", "three\nlines"),
        ];
        let messages = packed("3 messages", &items(&texts), 2048);
        assert_eq!(
            messages,
            [Message {
                text: "3 messages\n07:31\none\ntwo\n07:32\nthree\nlines".to_owned(),
                ends: 3
            }]
        );
    }

    #[test]
    fn a_thousand_texts_of_sixty_bytes_fit_in_thirty_messages() {
        let texts: Vec<String> = (0..1000).map(|it| format!("{it:060}")).collect();
        let mut count = 0;
        for group in texts.chunks(TEXTS_MAX) {
            let items: Vec<Item<'_>> = group
                .iter()
                .map(|text| Item {
                    label: "07:31".to_owned(),
                    text,
                })
                .collect();
            count += packed("[合并] 200 条", &items, 2048).len();
        }
        assert!(count <= 30, "{count}");
    }

    proptest! {
        #[test]
        fn every_text_is_whole_and_in_order_and_no_message_too_long(
            texts in prop::collection::vec(("0[0-9]:[0-5][0-9]", "[a-c 中é\\n\u{301}👨‍👩‍👧]{0,400}"), 3..40),
            limit in prop_oneof![Just(2048_usize), 200..300_usize],
        ) {
            let items: Vec<Item<'_>> = texts
                .iter()
                .map(|(label, text)| Item { label: label.clone(), text })
                .collect();
            let messages = packed("head", &items, limit);
            let all: String = messages.iter().map(|it| it.text.as_str()).collect();
            let mut rest = &*all;
            for (_, text) in &texts {
                let at = rest.find(text.as_str());
                prop_assert!(at.is_some(), "{text:?} in {rest:?}");
                rest = &rest[at.unwrap_or_default() + text.len()..];
            }
            prop_assert!(messages.iter().all(|it| it.text.len() <= limit && !it.text.is_empty()));
            let ends: usize = messages.iter().map(|it| it.ends).sum();
            prop_assert_eq!(ends, texts.len());
        }
    }
}
