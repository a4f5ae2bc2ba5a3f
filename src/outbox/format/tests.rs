use super::*;
use crate::secret::sha256;
use proptest::prelude::*;

fn bytes(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::new();
    entry.write(&mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Entry, Unread> {
    Entry::read(&FileSlice::from(bytes.to_vec())).unwrap()
}

fn entry() -> Entry {
    let text = |text: &str| {
        let fields = serde_json::json!({"msgtype": "text", "text": {"content": text}});
        Message::read(Channel::App, fields.as_object().unwrap().clone()).unwrap()
    };
    Entry {
        accepted: Stamp::parse("1764000000123@1a2b3c4d:5000").unwrap(),
        retried: Some(Stamp::parse("1764000001000@1a2b3c4d:6000").unwrap()),
        urgent: true,
        user: Some(1000),
        once: Some("0123456789abcdef".to_owned()),
        merged: vec![MergedText {
            id: Id::parse("20261124T074123.123Z-9f3a1c77").unwrap(),
            part: 1,
        }],
        instead: vec![1, 3],
        sender: SenderName {
            profile: Some("op\ns\"".to_owned()),
            account: SenderAccount::App("ww0123456789abcdef".to_owned()),
            api_base: "https://qyapi.weixin.qq.com".to_owned(),
        },
        messages: vec![text("你好\nEND"), text("{}\nPOST a 0\n")],
    }
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    let without_profile = SenderName {
        profile: None,
        ..entry().sender
    };
    for entry in [
        entry(),
        Entry {
            retried: None,
            urgent: false,
            user: None,
            sender: without_profile,
            ..entry()
        },
    ] {
        assert_eq!(read(&bytes(&entry)), Ok(entry));
    }
}

/// Returns an entry with two files: one that looks like the end of an entry, and one that is read
/// in pieces.
fn with_files() -> Entry {
    let mut entry = entry();
    let sizes = [b"x\nEND 00\nPOST a 1\n".to_vec(), vec![b'y'; 200_000]];
    for (message, bytes) in entry.messages.iter_mut().zip(sizes) {
        message.attachment = Some(Attachment {
            kind: MediaKind::File,
            name: "报告 \"1\"\n.pdf".to_owned(),
            bytes: bytes.into(),
        });
    }
    entry
}

#[test]
fn files_are_read_as_they_were_written_and_from_their_offsets() {
    let entry = with_files();
    let mut bytes = Vec::new();
    let places = entry.write(&mut bytes).unwrap();
    assert!(bytes.starts_with(b"wxpush outbox 2\n"));
    assert_eq!(read(&bytes).as_ref(), Ok(&entry));
    let path = std::env::temp_dir().join(format!("wxpush-entry-{}", std::process::id()));
    std::fs::write(&path, &bytes).unwrap();
    let file = Arc::new(File::open(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    let placed = entry.clone().placed(&file, &places).unwrap();
    assert_eq!(placed, entry);
    assert_eq!(entry.bytes_of_files(), 200_018);
}

#[test]
fn a_robots_entry_has_the_robots_name_and_no_corpid() {
    let mut robots = entry();
    robots.sender.account = SenderAccount::Robot("al\"erts".to_owned());
    let text = String::from_utf8(bytes(&robots)).unwrap();
    assert!(text.starts_with("wxpush outbox 2\n") && !text.contains("corpid"));
    assert_eq!(read(text.as_bytes()), Ok(robots));
}

#[test]
fn the_format_of_version_1_is_read_for_ever() {
    let text = "wxpush outbox 1\naccepted: 2025-11-24T16:00:00.123Z\ncorpid: ww1\napi_base: https://a.example\nsome later header: x\nrequests: 1\n\nPOST message/send 62\n{\"touser\":\"@all\", \"msgtype\":\"text\",\"text\":{\"content\":\"hello\"}}\n";
    let text = format!("{text}END {}\n", sha256(text.as_bytes()));
    let read = read(text.as_bytes()).unwrap();
    assert_eq!(read.sender.account, SenderAccount::App("ww1".to_owned()));
    assert_eq!(read.messages[0].headline(), Some("hello"));
}

#[test]
fn an_entry_of_a_newer_version_is_not_reported_as_damaged() {
    let newer = String::from_utf8(bytes(&entry())).unwrap();
    let newer = newer.replacen("outbox 2", "outbox 3", 1);
    assert_eq!(read(newer.as_bytes()), Err(Unread::Newer));
    for text in ["", "x", "wxpush outbox 0\n", "wxpush outbox x\n", "END\n"] {
        assert_eq!(read(text.as_bytes()), Err(Unread::Damaged), "{text}");
    }
}

#[test]
fn no_entry_makes_a_call_but_the_three_that_send_messages() {
    let made = String::from_utf8(bytes(&entry())).unwrap();
    let (said, _) = made.rsplit_once("END ").unwrap();
    let with = |call: &str| {
        let said = said.replace("POST message/send", &format!("POST {call}"));
        read(format!("{said}END {}\n", sha256(said.as_bytes())).as_bytes())
    };
    for channel in Channel::ALL {
        let read = with(channel.call()).unwrap();
        assert_eq!(read.messages[0].channel, channel);
    }
    for call in [
        "user/delete",
        "media/upload",
        "../../evil?x=",
        "message/send?x=",
        "/message/send",
        "MESSAGE/SEND",
        "",
    ] {
        assert_eq!(with(call), Err(Unread::Damaged), "{call}");
    }
}

proptest! {
    #[test]
    fn damage_is_always_detected(at in any::<prop::sample::Index>(), bit in 0..8u8, cut in any::<bool>()) {
        let mut bytes = bytes(&with_files());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if cut {
            bytes.truncate(at);
        }
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn arbitrary_bytes_with_a_valid_digest_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut text = b"wxpush outbox 1\n".to_vec();
        text.extend(bytes);
        let end = format!("END {}\n", sha256(&text));
        text.extend(end.as_bytes());
        let _ = read(&text);
    }
}
