//! The file format of an entry: a text that people can read, written once.
//!
//! ```text
//! wxpush outbox 1
//! accepted: 2026-11-24T07:41:23.123Z
//! boot: 1a2b3c4d:86400000
//! profile: "ops"
//! corpid: ww0123456789abcdef
//! api_base: https://qyapi.weixin.qq.com
//! requests: 2
//!
//! POST message/send 61
//! {"touser":"@all","msgtype":"text","text":{"content":"hello"}}
//! POST message/send ...
//! END <SHA-256 of everything before this line, in hex>
//! ```
//!
//! `boot` is the time of acceptance by the boot clock, which no step of the wall clock changes. An
//! unknown header is ignored, so that later versions can add some. The file of a request follows
//! it, byte for byte:
//!
//! ```text
//! POST message/send 61
//! {"touser":"@all","msgtype":"file","file":{"media_id":""}}
//! FILE file 1234 "report.pdf"
//! <1234 bytes>
//! ```
//!
//! `urgent: yes` is for a message that quiet hours don't hold, `user: 1000` for the mail of a user, by the
//! maildrop. A robot's message names the robot instead of the corpid; `once` is the digest of a key; `merged`
//! names the entries whose texts this one carries, each with the part in which it ends; `instead` is
//! for a robot's message in place of an app's: the parts of that which are done with each part. Entries
//! with any of these three, or with a file, are of version 2, which an earlier wxpush leaves alone; all
//! others are of version 1.

mod summed;

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use super::entry::{Entry, Id, MergedText, SenderAccount, SenderName};
use crate::clock::Stamp;
use crate::file_slice::{FileSlice, PIECE};
use crate::message::{Attachment, Channel, MediaKind, Message};
use summed::Summed;

/// The first line, up to the version.
const MAGIC: &str = "wxpush outbox ";

/// The latest version of the format that is read.
const VERSION: u32 = 2;

/// Largest entry to read, in bytes: 99 parts take a fifth of a megabyte, a file 20 MiB, and a
/// robot's picture less than 3.
pub(super) const SIZE_MAX: u64 = 64 << 20;

/// Longest line of an entry to read, in bytes.
const LINE_MAX: usize = PIECE;

/// The reason why an entry cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Written by a newer wxpush.
    Newer,
    /// Incomplete, or not an entry.
    Damaged,
}

impl Entry {
    /// Writes the entry; returns the byte offsets of its files.
    ///
    /// # Errors
    /// An I/O error, also if one of its files has become shorter.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<Vec<u64>> {
        let mut out = Summed::new(out);
        out.add(self.head().as_bytes());
        let mut files = Vec::new();
        for message in &self.messages {
            let body = message.to_json();
            let call = message.channel.call();
            out.add(format!("POST {call} {}\n", body.len()).as_bytes());
            out.add(&body);
            out.add(b"\n");
            if let Some(Attachment { kind, name, bytes }) = &message.attachment {
                let kind = kind.name();
                // Quoted: a name may contain any character.
                out.add(format!("FILE {kind} {} {}\n", bytes.len(), json!(name)).as_bytes());
                files.push(out.written + out.pending.len() as u64);
                out.flush()?;
                bytes.read_through(|piece| out.pass(piece))?;
                out.add(b"\n");
            }
        }
        out.end()?;
        Ok(files)
    }

    /// Makes its files refer to their bytes in the entry itself: later changes to what they were made from do
    /// not affect an accepted message.
    ///
    /// # Errors
    /// An I/O error.
    pub(super) fn placed(mut self, file: &Arc<File>, files: &[u64]) -> io::Result<Self> {
        if files.is_empty() {
            return Ok(self);
        }
        let whole = FileSlice::of_file(Arc::clone(file))?;
        let attachments = self
            .messages
            .iter_mut()
            .filter_map(|message| message.attachment.as_mut());
        for (attachment, at) in attachments.zip(files) {
            attachment.bytes = whole.part(*at, attachment.bytes.len());
        }
        Ok(self)
    }

    /// Returns the size of all its files in bytes.
    pub(crate) fn bytes_of_files(&self) -> u64 {
        self.messages.iter().map(Message::bytes_of_file).sum()
    }

    fn head(&self) -> String {
        let time = |stamp: &Stamp| {
            DateTime::<Utc>::from(stamp.time()).to_rfc3339_opts(SecondsFormat::Millis, true)
        };
        let boot = |stamp: &Stamp| {
            let text = stamp.to_string();
            text.split_once('@').map(|(_, boot)| boot.to_owned())
        };
        let merged = self.merged.iter();
        let merged: Vec<String> = merged.map(|it| format!("{}/{}", it.id, it.part)).collect();
        let instead: Vec<String> = self.instead.iter().map(usize::to_string).collect();
        let words = |words: &[String]| Some(words.join(" ")).filter(|it| !it.is_empty());
        let line = |name: &str, value: Option<String>| {
            value.map_or(String::new(), |value| format!("{name}: {value}\n"))
        };
        let sender = &self.sender;
        let quoted = |name: &String| json!(name).to_string();
        let (corpid, robot) = match &sender.account {
            SenderAccount::App(corpid) => (Some(corpid.clone()), None),
            SenderAccount::Robot(name) => (None, Some(quoted(name))),
        };
        let is_first = robot.is_none()
            && self.once.is_none()
            && self.merged.is_empty()
            && self.messages.iter().all(|it| it.attachment.is_none());
        let text = [
            format!("{MAGIC}{}\n", if is_first { 1 } else { VERSION }),
            line("accepted", Some(time(&self.accepted))),
            line("boot", boot(&self.accepted)),
            line("retried", self.retried.as_ref().map(time)),
            line("retried_boot", self.retried.as_ref().and_then(boot)),
            line("urgent", self.urgent.then(|| "yes".to_owned())),
            line("user", self.user.map(|uid| uid.to_string())),
            line("once", self.once.clone()),
            line("merged", words(&merged)),
            line("instead", words(&instead)),
            line("profile", sender.profile.as_ref().map(quoted)),
            line("corpid", corpid),
            line("robot", robot),
            line("api_base", Some(sender.api_base.clone())),
            line("requests", Some(self.messages.len().to_string())),
            "\n".to_owned(),
        ];
        text.concat()
    }

    /// Reads an entry; the bytes of its files are not read into memory.
    ///
    /// # Errors
    /// The error of the disk; the inner error if the entry is damaged or too new.
    pub(super) fn read(whole: &FileSlice) -> io::Result<Result<Self, Unread>> {
        if whole.len() > SIZE_MAX {
            return Ok(Err(Unread::Damaged));
        }
        // Nearly every entry is small and can be read at once.
        let small = (whole.len() <= PIECE as u64)
            .then(|| whole.piece(0))
            .transpose()?;
        let small = small.map(|bytes| FileSlice::from(Vec::from(bytes)));
        let whole = small.as_ref().unwrap_or(whole);
        let mut cursor = Cursor {
            rest: whole.clone(),
        };
        let Some(first) = cursor.line()? else {
            return Ok(Err(Unread::Damaged));
        };
        match first.strip_prefix(MAGIC).and_then(|it| it.parse().ok()) {
            Some(1..=VERSION) => {}
            Some(0) | None => return Ok(Err(Unread::Damaged)),
            Some(_) => return Ok(Err(Unread::Newer)),
        }
        let end = b"END \n".len() as u64 + 64;
        let Some(size) = whole.len().checked_sub(end) else {
            return Ok(Err(Unread::Damaged));
        };
        let said = whole.part(0, size);
        let last = format!("END {}\n", said.sha256()?);
        if whole.part(size, end).read()? != last.as_bytes() {
            return Ok(Err(Unread::Damaged));
        }
        let mut cursor = Cursor { rest: said };
        Ok(Self::parse(&mut cursor)?.ok_or(Unread::Damaged))
    }

    /// Parses an entry whose digest is right; `None` if it is not an entry.
    fn parse(cursor: &mut Cursor) -> io::Result<Option<Self>> {
        cursor.line()?;
        let mut head = Head::default();
        loop {
            let Some(line) = cursor.line()? else {
                return Ok(None);
            };
            if line.is_empty() {
                break;
            }
            if head.take(&line).is_none() {
                return Ok(None);
            }
        }
        let mut messages: Vec<Message> = Vec::new();
        while cursor.rest.len() > 0 {
            let Some(line) = cursor.line()? else {
                return Ok(None);
            };
            if cursor.request(&line, &mut messages)?.is_none() {
                return Ok(None);
            }
        }
        Ok(head.entry(messages))
    }
}

/// The headers of an entry.
#[derive(Default)]
struct Head {
    accepted: Option<u64>,
    boot: Option<String>,
    retried: Option<u64>,
    retried_boot: Option<String>,
    urgent: bool,
    user: Option<u32>,
    once: Option<String>,
    merged: Vec<MergedText>,
    instead: Vec<usize>,
    profile: Option<String>,
    account: Option<SenderAccount>,
    api_base: Option<String>,
    count: usize,
}

impl Head {
    /// Adds a header line; `None` if its value is invalid.
    fn take(&mut self, line: &str) -> Option<()> {
        match line.split_once(": ") {
            Some(("accepted", text)) => self.accepted = Some(time(text)?),
            Some(("boot", text)) => self.boot = Some(text.to_owned()),
            Some(("retried", text)) => self.retried = Some(time(text)?),
            Some(("retried_boot", text)) => self.retried_boot = Some(text.to_owned()),
            Some(("urgent", text)) => self.urgent = text == "yes",
            Some(("user", text)) => self.user = Some(text.parse().ok()?),
            Some(("once", text)) => self.once = Some(text.to_owned()),
            Some(("merged", text)) => {
                self.merged = text.split(' ').map(merged).collect::<Option<_>>()?;
            }
            Some(("instead", text)) => {
                let parts = text.split(' ').map(|part| part.parse().ok());
                self.instead = parts.collect::<Option<_>>()?;
            }
            Some(("profile", name)) => self.profile = Some(serde_json::from_str(name).ok()?),
            Some(("corpid", text)) => self.account = Some(SenderAccount::App(text.to_owned())),
            Some(("robot", name)) => {
                self.account = Some(SenderAccount::Robot(serde_json::from_str(name).ok()?));
            }
            Some(("api_base", text)) => self.api_base = Some(text.to_owned()),
            Some(("requests", text)) => self.count = text.parse().ok()?,
            _ => {}
        }
        Some(())
    }

    /// Returns the entry; `None` if a header is missing.
    fn entry(self, messages: Vec<Message>) -> Option<Entry> {
        let sender = SenderName {
            profile: self.profile,
            account: self.account?,
            api_base: self.api_base?,
        };
        (self.count > 0 && messages.len() == self.count).then_some(Entry {
            accepted: stamp(self.accepted?, self.boot.as_deref()),
            retried: self
                .retried
                .map(|wall| stamp(wall, self.retried_boot.as_deref())),
            urgent: self.urgent,
            user: self.user,
            once: self.once,
            merged: self.merged,
            instead: self.instead,
            sender,
            messages,
        })
    }
}

/// The unread rest of an entry.
struct Cursor {
    rest: FileSlice,
}

impl Cursor {
    /// Returns the next line; `None` if there is no complete line, or if it is not UTF-8.
    fn line(&mut self) -> io::Result<Option<String>> {
        let piece = self.rest.piece(0)?;
        let piece = &piece[..piece.len().min(LINE_MAX)];
        let Some(end) = piece.iter().position(|byte| *byte == b'\n') else {
            return Ok(None);
        };
        self.rest = self.rest.part(end as u64 + 1, u64::MAX);
        Ok(std::str::from_utf8(&piece[..end]).ok().map(str::to_owned))
    }

    /// Returns the next `size` bytes and skips the newline after them; `None` if they are not
    /// there.
    fn bytes(&mut self, size: u64) -> io::Result<Option<FileSlice>> {
        let bytes = self.rest.part(0, size);
        let newline = self.rest.part(size, 1).read()?;
        self.rest = self.rest.part(size.saturating_add(1), u64::MAX);
        Ok((bytes.len() == size && newline == b"\n").then_some(bytes))
    }

    /// Reads a request, or the file of the previous one; `None` if it is neither.
    fn request(&mut self, line: &str, messages: &mut Vec<Message>) -> io::Result<Option<()>> {
        let Some((what, rest)) = line.split_once(' ') else {
            return Ok(None);
        };
        let Some((name, rest)) = rest.split_once(' ') else {
            return Ok(None);
        };
        let (size, quoted) = rest.split_once(' ').unwrap_or((rest, ""));
        let Ok(size) = size.parse() else {
            return Ok(None);
        };
        let Some(bytes) = self.bytes(size)? else {
            return Ok(None);
        };
        match what {
            "POST" => {
                let message = message(name, &bytes.read()?);
                Ok(message.map(|message| messages.push(message)))
            }
            "FILE" => {
                let message = messages.last_mut().filter(|it| it.attachment.is_none());
                Ok(message.and_then(|message| {
                    message.attachment = Some(Attachment {
                        kind: MediaKind::of(name)?,
                        name: serde_json::from_str(quoted).ok()?,
                        bytes,
                    });
                    Some(())
                }))
            }
            _ => Ok(None),
        }
    }
}

/// Reads a message; `None` if it is not one, or if its call sends no messages.
fn message(call: &str, body: &[u8]) -> Option<Message> {
    Message::read(Channel::of(call)?, serde_json::from_slice(body).ok()?)
}

/// Parses the id of a carried entry and the part in which it ends.
fn merged(text: &str) -> Option<MergedText> {
    let (id, part) = text.split_once('/')?;
    Some(MergedText {
        id: Id::parse(id)?,
        part: part.parse().ok()?,
    })
}

/// Parses a time into Unix milliseconds.
fn time(text: &str) -> Option<u64> {
    let millis = DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis();
    u64::try_from(millis).ok()
}

/// Returns a moment by both clocks; an unreadable boot time is ignored.
fn stamp(wall: u64, boot: Option<&str>) -> Stamp {
    boot.and_then(|boot| Stamp::parse(&format!("{wall}@{boot}")))
        .unwrap_or_else(|| Stamp::of_wall(wall))
}

#[cfg(test)]
mod tests;
