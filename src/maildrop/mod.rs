//! The maildrop: where `sendmail` leaves the mail of users who may not read the config, until root
//! flushes.
//!
//! Every user can put any file there, so a file proves only who owns it. What is no mail, and what
//! exceeds its owner's share, is removed.
//!
//! ```text
//! wxpush mail 1 <digest of the rest>
//! {"addresses":["root"],"by_head":false,"cut":false}
//! From: …
//! ```

mod accounts;
mod queued;
mod received;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::disk::record::digest;
use crate::disk::{DropDir, FileError};
use crate::outbox::Id;
use accounts::Accounts;
pub(crate) use queued::{QueuedMails, users_of_entries};
pub(crate) use received::Maildrop;

/// The most bytes of a mail: more than WeCom's largest file, as encoded in a mail, could not be
/// sent.
pub(crate) const MAIL_MAX: u64 = 25 << 20;

/// The most bytes of a file: a mail and its envelope.
const FILE_MAX: u64 = MAIL_MAX + (1 << 20);

/// The start of each file.
const MAGIC: &str = "wxpush mail 1 ";

/// The number of hexadecimal digits of a mail's digest.
const DIGITS: usize = 32;

/// The most addresses in an envelope.
const ADDRESSES_MAX: usize = 1000;

/// Most bytes of an envelope: its addresses, each of 320 bytes at the most. Source: RFC 3696.
const ENVELOPE_MAX: usize = 1 << 20;

/// The recipients that a caller of sendmail names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) addresses: Vec<String>,
    /// Whether the addresses in the mail's head count, too.
    pub(crate) by_head: bool,
    /// Whether the mail was longer than `MAIL_MAX`.
    pub(crate) cut: bool,
}

/// Returns the user as whom somebody counts: `None` for those without an account, who count as one.
pub(crate) fn user_of(uid: u32) -> Option<u32> {
    Accounts::read().user(uid)
}

/// Creates the maildrop; returns whether there was none.
///
/// # Errors
/// An I/O error.
pub(crate) fn make(path: &Path) -> io::Result<bool> {
    DropDir::make(path)
}

/// The maildrop of root, seen from a user who leaves mail there.
#[derive(Debug)]
pub(crate) struct MailSlot {
    dir: DropDir,
    pub(crate) path: PathBuf,
}

impl MailSlot {
    /// Finds the maildrop; returns `None` if there is none.
    ///
    /// # Errors
    /// If others could list it or remove each other's mails, or an I/O error.
    pub(crate) fn find(path: PathBuf) -> io::Result<Option<Self>> {
        let dir = DropDir::to_put(&path)?;
        Ok(dir.map(|dir| Self { dir, path }))
    }

    /// Leaves a mail for root's next flush.
    ///
    /// # Errors
    /// If it has too many addresses, or an I/O error; then nothing stays.
    pub(crate) fn put(&self, envelope: &Envelope, mail: &[u8]) -> io::Result<()> {
        if envelope.addresses.len() > ADDRESSES_MAX {
            return Err(io::ErrorKind::ArgumentListTooLong.into());
        }
        let mut rest = serde_json::to_vec(envelope)?;
        rest.push(b'\n');
        rest.extend_from_slice(mail);
        let sum = digest(&rest, DIGITS);
        let file = [MAGIC.as_bytes(), sum.as_bytes(), b"\n", &rest].concat();
        if file.len() as u64 > FILE_MAX {
            return Err(FileError::TooLarge { max: FILE_MAX }.into());
        }
        self.dir.put(Id::new(SystemTime::now()).as_str(), &file)
    }
}

/// Parses a file into its envelope and its mail; `None` if it is damaged or not ours.
fn parse(file: &[u8]) -> Option<(Envelope, &[u8])> {
    let (sum, rest) = line(file.strip_prefix(MAGIC.as_bytes())?)?;
    if digest(rest, DIGITS).as_bytes() != sum {
        return None;
    }
    let (envelope, mail) = line(rest)?;
    if envelope.len() > ENVELOPE_MAX {
        return None;
    }
    let envelope: Envelope = serde_json::from_slice(envelope).ok()?;
    (envelope.addresses.len() <= ADDRESSES_MAX).then_some((envelope, mail))
}

/// Splits off the first line.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_mail_only_as_it_was_written() {
        let rest = b"{\"addresses\":[\"root\"],\"by_head\":true,\"cut\":false}\nSubject: s\n\nb";
        let head = format!("{MAGIC}{}\n", digest(rest, DIGITS));
        let whole = [head.as_bytes(), rest].concat();
        let (envelope, mail) = parse(&whole).unwrap();
        assert_eq!(
            (&*envelope.addresses, envelope.by_head),
            (&["root".to_owned()][..], true)
        );
        assert_eq!(mail, b"Subject: s\n\nb");
        for at in 0..whole.len() {
            assert!(parse(&whole[..at]).is_none(), "cut at {at}");
            let mut other = whole.clone();
            other[at] ^= 1;
            assert!(parse(&other).is_none(), "changed at {at}");
        }
    }
}
