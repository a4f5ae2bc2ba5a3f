//! An accepted message as it lies on the disk: a text that a person can read, written once.
//!
//! ```text
//! wxpush outbox 1
//! accepted: 2026-11-24T07:41:23.123Z
//! profile: "ops"
//! corpid: ww0123456789abcdef
//! api_base: https://qyapi.weixin.qq.com
//! requests: 2
//!
//! POST message/send 61
//! {"touser":"@all","msgtype":"text","text":{"content":"hello"}}
//! POST message/send ...
//! END <SHA-256 of all that stands before this line, in hex>
//! ```
//!
//! A header that a version does not know is passed over, so that later ones can add to it.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use crate::message::Post;
use crate::secret::sha256;

/// The first line, up to the version.
const MAGIC: &str = "wxpush outbox ";

/// The version of the format that is written, and the latest that is read.
const VERSION: u32 = 1;

/// Largest entry that is read, in bytes: 99 parts have a fifth of a megabyte.
pub(super) const SIZE_MAX: u64 = 64 << 20;

/// The name of an entry: the time of its acceptance, UTC, and eight random digits. Names sort as
/// they were accepted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(String);

impl Id {
    /// A name that nobody else has.
    pub(crate) fn new(now: SystemTime) -> Self {
        let time = DateTime::<Utc>::from(now).format("%Y%m%dT%H%M%S%.3fZ");
        // std seeds each RandomState from the system's own source of randomness.
        let random = RandomState::new().build_hasher().finish() >> 32;
        Self(format!("{time}-{random:08x}"))
    }

    /// Reads a file's name; none if no entry is named so.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (date, rest) = name.split_once('T')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (time, rest) = rest.split_once('.')?;
        let (millis, random) = rest.split_once("Z-")?;
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let sizes = [date.len(), time.len(), millis.len(), random.len()] == [8, 6, 3, 8];
        let is_name = sizes && digits(date) && digits(time) && digits(millis);
        (is_name && random.bytes().all(hex)).then(|| Self(name.to_owned()))
    }

    /// The name itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The app that a message is for, by what does not change when a config is mended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AppName {
    /// The profile of the config that it was accepted under.
    pub(crate) profile: Option<String>,
    pub(crate) corpid: String,
    /// Without any password.
    pub(crate) api_base: String,
}

/// An accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When; kept to the millisecond.
    pub(crate) accepted: SystemTime,
    /// When it was put back after it had been given up; its age counts from then.
    pub(crate) retried: Option<SystemTime>,
    pub(crate) app: AppName,
    /// Its parts, in their order; one at the least.
    pub(crate) posts: Vec<Post>,
}

/// Why an entry cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// A newer wxpush has written it.
    Newer,
    /// It is not whole, or never was one.
    Damaged,
}

impl Entry {
    /// The entry as it goes to the disk.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let time = |time: SystemTime| {
            DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
        };
        let line = |name: &str, value: Option<String>| {
            value.map_or(String::new(), |value| format!("{name}: {value}\n"))
        };
        let app = &self.app;
        let text = [
            format!("{MAGIC}{VERSION}\n"),
            line("accepted", Some(time(self.accepted))),
            line("retried", self.retried.map(time)),
            // Quoted: a name may hold anything.
            line(
                "profile",
                app.profile.as_ref().map(|name| json!(name).to_string()),
            ),
            line("corpid", Some(app.corpid.clone())),
            line("api_base", Some(app.api_base.clone())),
            line("requests", Some(self.posts.len().to_string())),
            "\n".to_owned(),
        ];
        let text = text.concat();
        let mut bytes = text.into_bytes();
        for Post { call, body } in &self.posts {
            bytes.extend(format!("POST {call} {}\n", body.len()).as_bytes());
            bytes.extend(body);
            bytes.push(b'\n');
        }
        let check = sha256(&bytes);
        bytes.extend(format!("END {check}\n").as_bytes());
        bytes
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// Where it is not whole, or too new.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unread> {
        Self::checked(bytes)?.ok_or(Unread::Damaged)
    }

    /// None: it is whole, and yet no entry.
    fn checked(bytes: &[u8]) -> Result<Option<Self>, Unread> {
        let (first, _) = line(bytes).ok_or(Unread::Damaged)?;
        let version = first.strip_prefix(MAGIC).and_then(|it| it.parse().ok());
        match version {
            Some(VERSION) => {}
            Some(0) | None => return Err(Unread::Damaged),
            Some(_) => return Err(Unread::Newer),
        }
        let end = b"END \n".len() + 64;
        let (said, last) = bytes
            .split_at_checked(bytes.len().wrapping_sub(end))
            .ok_or(Unread::Damaged)?;
        if last != format!("END {}\n", sha256(said)).as_bytes() {
            return Err(Unread::Damaged);
        }
        Ok(Self::parse(said))
    }

    fn parse(mut rest: &[u8]) -> Option<Self> {
        let (mut accepted, mut retried, mut profile, mut corpid, mut api_base, mut count) =
            (None, None, None, None, None, 0);
        rest = line(rest)?.1;
        loop {
            let (header, tail) = line(rest)?;
            rest = tail;
            match header.split_once(": ") {
                Some(("accepted", text)) => accepted = Some(time(text)?),
                Some(("retried", text)) => retried = Some(time(text)?),
                Some(("profile", name)) => profile = Some(serde_json::from_str(name).ok()?),
                Some(("corpid", text)) => corpid = Some(text.to_owned()),
                Some(("api_base", text)) => api_base = Some(text.to_owned()),
                Some(("requests", text)) => count = text.parse().ok()?,
                _ if header.is_empty() => break,
                _ => {}
            }
        }
        let mut posts = Vec::new();
        while !rest.is_empty() {
            let (head, tail) = line(rest)?;
            let (call, size) = head.strip_prefix("POST ")?.rsplit_once(' ')?;
            let (body, tail) = tail.split_at_checked(size.parse().ok()?)?;
            rest = tail.strip_prefix(b"\n")?;
            posts.push(Post {
                call: call.to_owned(),
                body: body.to_vec(),
            });
        }
        let app = AppName {
            profile,
            corpid: corpid?,
            api_base: api_base?,
        };
        (count > 0 && posts.len() == count).then_some(Self {
            accepted: accepted?,
            retried,
            app,
            posts,
        })
    }
}

fn time(text: &str) -> Option<SystemTime> {
    let millis = DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis();
    UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(millis).ok()?))
}

/// The first line, and what follows it; none where no line ends.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    Some((text, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> Entry {
        let post = |body: &str| Post {
            call: "message/send".to_owned(),
            body: body.as_bytes().to_vec(),
        };
        Entry {
            accepted: UNIX_EPOCH + Duration::from_millis(1_764_000_000_123),
            retried: Some(UNIX_EPOCH + Duration::from_secs(1_764_000_001)),
            app: AppName {
                profile: Some("op\ns\"".to_owned()),
                corpid: "ww0123456789abcdef".to_owned(),
                api_base: "https://qyapi.weixin.qq.com".to_owned(),
            },
            posts: vec![post("{\"text\":\"你好\\nEND\"}"), post("{}\nPOST a 0\n")],
        }
    }

    #[test]
    fn an_entry_comes_back_as_it_went() {
        let without_profile = AppName {
            profile: None,
            ..entry().app
        };
        for entry in [
            entry(),
            Entry {
                retried: None,
                app: without_profile,
                ..entry()
            },
        ] {
            assert_eq!(Entry::read(&entry.bytes()), Ok(entry));
        }
    }

    #[test]
    fn the_format_of_version_1_is_read_for_ever() {
        let text = "wxpush outbox 1\naccepted: 2025-11-24T16:00:00.123Z\ncorpid: ww1\napi_base: https://a.example\nsome later header: x\nrequests: 1\n\nPOST message/send 16\n{\"touser\":\"@all\"\n";
        let text = format!("{text}END {}\n", sha256(text.as_bytes()));
        let read = Entry::read(text.as_bytes()).unwrap();
        assert_eq!(read.app.corpid, "ww1");
        assert_eq!(read.posts[0].body, b"{\"touser\":\"@all\"");
    }

    #[test]
    fn what_a_newer_version_wrote_is_told_from_damage() {
        let newer = String::from_utf8(entry().bytes()).unwrap();
        let newer = newer.replacen("outbox 1", "outbox 2", 1);
        assert_eq!(Entry::read(newer.as_bytes()), Err(Unread::Newer));
        for text in ["", "x", "wxpush outbox 0\n", "wxpush outbox x\n", "END\n"] {
            assert_eq!(Entry::read(text.as_bytes()), Err(Unread::Damaged), "{text}");
        }
    }

    #[test]
    fn names_sort_as_they_were_accepted() {
        let at = |ms| Id::new(UNIX_EPOCH + Duration::from_millis(ms));
        let ids: Vec<Id> = [0, 999, 1000, 1_764_000_000_123, 1_764_000_000_124]
            .map(at)
            .into();
        assert!(ids.is_sorted());
        for id in &ids {
            assert_eq!(Id::parse(id.as_str()).as_ref(), Some(id));
        }
        for name in [
            "",
            "failed",
            "20261124T074123.123Z-9f3a1c7",
            "20261124T074123.123Z-9F3A1C77",
            "20261124T074123.123Z-9f3a1c77.try",
            "2026112xT074123.123Z-9f3a1c77",
            "../61124T074123.123Z-9f3a1c77",
        ] {
            assert_eq!(Id::parse(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_damage_passes(at in any::<prop::sample::Index>(), bit in 0..8u8, cut in any::<bool>()) {
            let mut bytes = entry().bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if cut {
                bytes.truncate(at);
            }
            prop_assert!(Entry::read(&bytes).is_err());
        }

        #[test]
        fn any_bytes_with_a_right_end_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut text = b"wxpush outbox 1\n".to_vec();
            text.extend(bytes);
            let end = format!("END {}\n", sha256(&text));
            text.extend(end.as_bytes());
            let _ = Entry::read(&text);
        }
    }
}
