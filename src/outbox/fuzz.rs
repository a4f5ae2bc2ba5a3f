//! Any bytes as an entry of the outbox: refused, or read so that it can be sent, marked and shown.

use super::entry::{Entry, Id};
use crate::blob::Blob;
use crate::secret::sha256;

/// The bytes as they are, and with a right end, which no mutation would come by.
pub(crate) fn entry(bytes: &[u8]) {
    let read = |bytes: &[u8]| {
        let whole = Blob::from(bytes.to_vec());
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
    assert!(!entry.posts.is_empty());
    let mut bytes = Vec::new();
    let written = entry.write(&mut bytes);
    written.expect("memory can be written");
    let again = Entry::read(&bytes.into()).expect("memory can be read");
    assert_eq!(again.as_ref(), Ok(entry));
    for (part, post) in entry.posts.iter().enumerate() {
        let _ = (entry.attachment(part), post.with_media("m"));
        let _ = (post.wire(7, Some(60)), post.envelope(), post.msgtype());
        if let Some(marked) = post.marked("late") {
            let text = marked.text().expect("what is marked has a text");
            assert!(text.len() <= 2048 && text.starts_with("late\n"));
        }
        assert_eq!(post.note("late").text().as_deref(), Some("late"));
    }
}
