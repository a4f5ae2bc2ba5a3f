//! Arbitrary bytes as an outbox entry: refused, or read so that it can be sent, marked and shown.

use super::entry::{Entry, Id};
use crate::file_slice::FileSlice;
use crate::secret::sha256;

/// Tries the bytes unchanged, and with a valid digest, which no mutation would produce.
pub(crate) fn entry(bytes: &[u8]) {
    let read = |bytes: &[u8]| {
        let whole = FileSlice::from(bytes.to_vec());
        Entry::read(&whole).expect("memory can be read")
    };
    if let Ok(entry) = read(bytes) {
        used(&entry);
    }
    let mut whole = b"wxpush outbox 2\n".to_vec();
    whole.extend(bytes);
    let end = format!("END {}\n", sha256(&whole));
    whole.extend(end.as_bytes());
    if let Ok(entry) = read(&whole) {
        used(&entry);
    }
    let name = String::from_utf8_lossy(bytes);
    assert!(Id::parse(&name).is_none_or(|id| id.as_str() == name));
}

fn used(entry: &Entry) {
    assert!(!entry.messages.is_empty());
    let mut bytes = Vec::new();
    let written = entry.write(&mut bytes);
    written.expect("memory can be written");
    let again = Entry::read(&bytes.into()).expect("memory can be read");
    assert_eq!(again.as_ref(), Ok(entry));
    for (part, message) in entry.messages.iter().enumerate() {
        let _ = (entry.attachment(part), message.with_media("m"));
        let _ = (message.to_wire(7, Some(60)), message.headline());
        if let Some(marked) = message.marked("late") {
            let (_, text) = marked.content.text().expect("a marked message has a text");
            assert!(text.len() <= 4096 && text.starts_with("late\n"));
        }
        assert_eq!(message.note("late".to_owned()).headline(), Some("late"));
    }
}
