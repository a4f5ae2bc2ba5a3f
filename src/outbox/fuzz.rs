//! Arbitrary bytes as an outbox entry: refused, or read so that it can be sent, marked and shown; and
//! as the record beside it.

use super::attempts::{Attempts, HOLD_MAX};
use super::entry::{Entry, Id};
use crate::clock::Stamp;
use crate::disk::record;
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

/// Tries the bytes as a record: without a digest, as an earlier version wrote it.
pub(crate) fn attempts(bytes: &[u8]) {
    let Some(read) = record::parse::<Attempts>(bytes) else {
        return;
    };
    let _ = (read.may_have_arrived(), read.is_in_the_dark());
    for now in [Stamp::of_wall(0), Stamp::of_wall(u64::MAX), Stamp::now()] {
        let left = read.hold.and_then(|hold| hold.left(&now));
        assert!(left.is_none_or(|left| left <= HOLD_MAX));
        if let Some(doubt) = &read.doubt {
            let _ = (doubt.since.age(&now), now.later(HOLD_MAX));
        }
    }
    let written = serde_json::to_vec(&read).expect("a record is JSON");
    assert_eq!(record::parse(&written), Some(read));
}
