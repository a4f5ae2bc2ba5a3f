//! Merging texts that wait for the same recipients: after an outage the phone gets a few whole
//! messages instead of hundreds.

use std::time::SystemTime;

use chrono::{DateTime, Local};
use unicode_segmentation::UnicodeSegmentation;

use crate::message::{Content, Message, TextKind};
use crate::outbox::{Attempts, Entry, Id, MergedText};

/// Fewest texts to merge. Source: the contract with users.
pub(super) const TEXTS_MIN: usize = 3;

/// Most texts to merge: each is locked and takes a file descriptor.
pub(super) const TEXTS_MAX: usize = 200;

/// Least room in a message to start another text in it, in bytes.
const ROOM_MIN: usize = 8;

/// A text that can be merged with others.
pub(super) struct MergeText<'a> {
    message: &'a Message,
    content: &'a str,
}

impl MergeText<'_> {
    /// Whether two texts differ only in their content.
    pub(super) fn is_alike(&self, other: &MergeText<'_>) -> bool {
        let (one, other) = (self.message, other.message);
        (one.channel, &one.to, one.options) == (other.channel, &other.to, other.options)
    }
}

/// Returns the text of an entry if it is a single text that has not been tried yet.
pub(super) fn text<'a>(entry: &'a Entry, attempts: &Attempts) -> Option<MergeText<'a>> {
    let is_new = attempts.sent == 0
        && attempts.doubt.is_none()
        && !attempts.noted
        && attempts.passed_over == 0
        && attempts.unknown_codes == 0;
    let [message] = &*entry.messages else {
        return None;
    };
    let is_free = entry.merged.is_empty() && entry.once.is_none() && !entry.urgent;
    if !is_new || !is_free || message.options.enable_duplicate_check.is_some() {
        return None;
    }
    match &message.content {
        // A mention belongs to its own text only.
        Content::Text(text) if text.mentions_nobody() => Some(MergeText {
            message,
            content: &text.content,
        }),
        _ => None,
    }
}

/// Merges the texts of some entries, oldest first, into one entry.
pub(super) fn merged(
    entries: &[(Id, &Entry, MergeText<'_>)],
    head: &str,
    now: SystemTime,
) -> Option<Entry> {
    let (_, first, text) = entries.first()?;
    let limit = TextKind::Text.max(text.message.channel);
    let items: Vec<Item<'_>> = entries
        .iter()
        .map(|(_, entry, text)| Item {
            label: label(entry.accepted.time(), now),
            text: text.content,
        })
        .collect();
    let messages = packed(head, &items, limit);
    let mut merged = Vec::new();
    for (part, message) in messages.iter().enumerate() {
        let ids = entries[merged.len()..].iter().take(message.ends);
        merged.extend(ids.map(|(id, ..)| MergedText {
            id: id.clone(),
            part,
        }));
    }
    let messages = messages
        .into_iter()
        .map(|packed| text.message.with_text(packed.text))
        .collect();
    Some(Entry {
        accepted: first.accepted,
        retried: None,
        urgent: false,
        user: None,
        once: None,
        merged,
        instead: Vec::new(),
        sender: first.sender.clone(),
        messages,
    })
}

/// Returns the time of a text for people; with its date unless that is today.
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

/// A message that carries several texts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Packed {
    text: String,
    /// How many texts end in it.
    ends: usize,
}

/// Packs the texts into as few messages as possible, each text whole in one of them unless that
/// takes more messages.
fn packed(head: &str, items: &[Item<'_>], limit: usize) -> Vec<Packed> {
    let [whole, dense] = [false, true].map(|dense| filled(head, items, limit, dense));
    if whole.len() <= dense.len() {
        whole
    } else {
        dense
    }
}

fn filled(head: &str, items: &[Item<'_>], limit: usize, dense: bool) -> Vec<Packed> {
    let mut messages = vec![Packed {
        text: head.to_owned(),
        ends: 0,
    }];
    // The time label that the text at the end of the last message has.
    let mut over = None;
    for item in items {
        let lead = |message: &Packed, over: Option<&str>| {
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
            messages.push(Packed::default());
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
            messages.push(Packed::default());
            last += 1;
            over = None;
        }
        messages[last].text += rest;
        messages[last].ends += 1;
    }
    messages
}

/// Returns the last grapheme boundary within `room` bytes; if no grapheme fits, the last character
/// boundary. Zero only if no character fits, which cannot happen in an empty message.
fn boundary(text: &str, room: usize) -> usize {
    let ends = text.grapheme_indices(true).map(|(at, it)| at + it.len());
    let fitting = ends.take_while(|end| *end <= room).last();
    // Not even one grapheme fits: cut it inside.
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
    fn texts_of_one_minute_share_one_time_label() {
        let texts = [
            ("07:31", "one"),
            ("07:31", "two"),
            ("07:32", "three\nlines"),
        ];
        let messages = packed("3 messages", &items(&texts), 2048);
        assert_eq!(
            messages,
            [Packed {
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
        fn merged_texts_stay_complete_and_in_order_and_no_message_is_too_long(
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
