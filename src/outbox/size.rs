//! The size of a message's entry, checked before it is accepted: an entry above the limit could
//! never be read again.

use super::entry::Entry;
use super::format::SIZE_MAX;
use crate::message::Message;

/// Most bytes for its header, its end, and later additions.
const AROUND_MAX: u64 = 16 << 10;

/// Most bytes around a request and its file, not counting the file's name.
const LINES_MAX: u64 = 128;

impl Entry {
    /// Returns the largest size in bytes of an entry with these requests.
    fn size(messages: &[Message]) -> u64 {
        let sizes = messages.iter().map(|message| {
            let file = message.attachment.as_ref();
            let name = file.map_or(0, |file| file.name.len());
            // JSON makes at most six bytes of one.
            let lines = LINES_MAX + 6 * name as u64;
            lines + message.to_json().len() as u64 + message.bytes_of_file()
        });
        sizes.fold(AROUND_MAX, u64::saturating_add)
    }

    /// Returns the size of a message that is too large for an entry, and the limit; `None` if it
    /// fits.
    pub(crate) fn excess(messages: &[Message]) -> Option<(u64, u64)> {
        let size = Self::size(messages);
        (size > SIZE_MAX).then_some((size, SIZE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::Stamp;

    use super::*;
    use crate::message::{Attachment, Channel, MediaKind, MessageOptions, Recipients, TextKind};
    use crate::outbox::{SenderAccount, SenderName};

    fn text(size: usize) -> Message {
        Message {
            channel: Channel::App,
            to: Recipients::all(),
            content: TextKind::Text.content("x".repeat(size)),
            options: MessageOptions::default(),
            attachment: None,
        }
    }

    #[test]
    fn an_entry_is_at_most_as_large_as_estimated_and_little_smaller() {
        for count in [1, 3, 400] {
            let message = |at: usize| Message {
                attachment: at.is_multiple_of(3).then(|| Attachment {
                    kind: MediaKind::File,
                    name: "\u{1}报\"告\".pdf".to_owned(),
                    bytes: vec![0; 1000].into(),
                }),
                ..text(100 * at)
            };
            let entry = Entry {
                accepted: Stamp::now(),
                retried: Some(Stamp::now()),
                urgent: true,
                user: Some(u32::MAX),
                once: None,
                merged: Vec::new(),
                instead: Vec::new(),
                sender: SenderName {
                    profile: Some("p".repeat(100)),
                    account: SenderAccount::App("ww0123456789abcdef".to_owned()),
                    api_base: "https://qyapi.weixin.qq.com".to_owned(),
                },
                messages: (0..count).map(message).collect(),
            };
            let mut bytes = Vec::new();
            entry.write(&mut bytes).unwrap();
            let said = Entry::size(&entry.messages);
            let room = AROUND_MAX + 256 * entry.messages.len() as u64;
            assert!((bytes.len() as u64..bytes.len() as u64 + room).contains(&said));
            assert_eq!(Entry::excess(&entry.messages), None);
        }
    }

    #[test]
    fn an_entry_too_large_to_read_is_refused() {
        let messages = |count| vec![text(1 << 20); count];
        assert_eq!(Entry::excess(&messages(63)), None);
        let (size, max) = Entry::excess(&messages(64)).unwrap();
        assert!(size > max && max == SIZE_MAX);
    }
}
