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

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::clock::unix_seconds;
use crate::disk::record::digest;
use crate::disk::{Dir, DropDir, DroppedFile, FileError, LockedFile};
use crate::outbox::Id;

/// The most bytes of a mail: more than WeCom's largest file, as encoded in a mail, could not be
/// sent.
pub(crate) const MAIL_MAX: u64 = 25 << 20;

/// The most bytes of a file: a mail and its envelope.
const FILE_MAX: u64 = MAIL_MAX + (1 << 20);

/// The most mails of one user that wait, and their most bytes. Source of the first: the contract.
const WAITING_MAX: usize = 100;
const BYTES_MAX: u64 = 4 * FILE_MAX;

/// The most users whose mail is taken in one flush, so that memory use stays flat: one person may
/// have many user ids.
const USERS_MAX: usize = 1000;

/// The age in seconds from which a file that is still being written is a leftover.
const LEFTOVER: u64 = 3600;

/// The start of each file.
const MAGIC: &str = "wxpush mail 1 ";

/// The number of hexadecimal digits of a mail's digest.
const DIGITS: usize = 32;

/// The most addresses in an envelope.
const ADDRESSES_MAX: usize = 1000;

/// The most messages of one user, and of all, that wait in the outbox, and the most bytes of one
/// user there: what users mail must not hold up what root sends.
const QUEUED_MAX: usize = 20;
const QUEUED_BY_ALL_MAX: usize = 60;
const QUEUED_BYTES_MAX: u64 = 2 * FILE_MAX;

/// The file in the state directory that tells which entries of the outbox came from here.
const TAKEN: &str = "mails";

/// The most bytes read of that file.
const TAKEN_MAX: u64 = 1 << 20;

/// The recipients that a caller of sendmail names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) addresses: Vec<String>,
    /// Whether the addresses in the mail's head count, too.
    pub(crate) by_head: bool,
    /// Whether the mail was longer than `MAIL_MAX`.
    pub(crate) cut: bool,
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

/// The mails in our maildrop.
#[derive(Debug)]
pub(crate) struct Maildrop {
    dir: DropDir,
    /// Each user's mails, oldest first by their names.
    mails: BTreeMap<u32, Vec<Id>>,
    /// The users of whom mails were removed, since they exceeded their share.
    pub(crate) greedy: BTreeSet<u32>,
    /// Whether there was more than could be looked at.
    pub(crate) is_crowded: bool,
}

/// A mail as its owner left it.
#[derive(Debug)]
pub(crate) struct DroppedMail {
    pub(crate) uid: u32,
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
}

impl Maildrop {
    /// Looks through our maildrop, and removes what is no mail or exceeds its owner's share; returns
    /// `None` if there is no maildrop. Stops at `until`: the rest is left to the next flush.
    ///
    /// # Errors
    /// If it is not ours, others could list it or remove each other's mails, or an I/O error.
    pub(crate) fn open(path: &Path, until: Instant) -> io::Result<Option<Self>> {
        let Some(dir) = DropDir::to_take(path)? else {
            return Ok(None);
        };
        let mut shares = BTreeMap::<u32, UserShare>::new();
        let mut greedy = BTreeSet::new();
        let now = unix_seconds();
        let (mut stays, mut is_crowded) = (0, false);
        for file in dir.files()? {
            let file = file?;
            if Instant::now() >= until {
                is_crowded = true;
                break;
            }
            if is_junk(&file, now) {
                // A directory with something in it can't be removed.
                stays += usize::from(!remove(&dir, &file.name));
            } else if shares.len() < USERS_MAX || shares.contains_key(&file.uid) {
                let share = shares.entry(file.uid).or_default();
                for excess in share.add(file.name, file.size) {
                    greedy.insert(file.uid);
                    remove(&dir, &excess);
                }
            }
        }
        if stays > 0 {
            tracing::info!(stays, "what is no mail cannot be removed from the maildrop");
        }
        let mails = shares.into_iter().map(|(uid, share)| {
            let ids = share.files.keys().filter_map(|name| Id::parse(name));
            (uid, ids.collect())
        });
        let mails = mails.collect();
        Ok(Some(Self {
            dir,
            mails,
            greedy,
            is_crowded,
        }))
    }

    /// Returns the mails in the order in which they are taken: one of each user in turn. `first`
    /// decides who begins.
    pub(crate) fn in_turn(&self, first: u64) -> Vec<(u32, &Id)> {
        let mut users: Vec<_> = self.mails.iter().collect();
        let first = first % (users.len().max(1) as u64);
        users.rotate_left(usize::try_from(first).unwrap_or_default());
        let most = users.iter().map(|(_, ids)| ids.len()).max();
        let rounds = 0..most.unwrap_or_default();
        let round = |at: usize| {
            let users = users.iter();
            users.filter_map(move |(uid, ids)| Some((**uid, ids.get(at)?)))
        };
        rounds.flat_map(round).collect()
    }

    /// Counts the mails in our maildrop, and changes nothing; returns `None` if there is none.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn waiting(path: &Path) -> io::Result<Option<usize>> {
        let Some(dir) = DropDir::to_take(path)? else {
            return Ok(None);
        };
        let now = unix_seconds();
        let files = dir.files()?.flatten();
        let mails = files.filter(|file| !file.is_temporary() && !is_junk(file, now));
        Ok(Some(mails.count()))
    }

    /// Reads a mail; returns `None`, and removes the file, if it is none.
    ///
    /// # Errors
    /// An I/O error; the mail stays.
    pub(crate) fn read(&self, id: &Id) -> io::Result<Option<DroppedMail>> {
        let mail = match self.dir.take(id.as_str(), FILE_MAX) {
            Ok((uid, bytes)) => parse(&bytes).map(|(envelope, bytes)| DroppedMail {
                uid,
                envelope,
                bytes: bytes.to_vec(),
            }),
            Err(error) if FileError::of(&error).is_some() => None,
            Err(error) => return Err(error),
        };
        if mail.is_none() {
            remove(&self.dir, id.as_str());
        }
        Ok(mail)
    }

    /// Removes a mail that has been taken.
    pub(crate) fn remove(&self, id: &Id) {
        remove(&self.dir, id.as_str());
    }
}

/// The files of one user that may stay, by name.
#[derive(Debug, Default)]
struct UserShare {
    files: BTreeMap<String, u64>,
    bytes: u64,
}

impl UserShare {
    /// Adds a file; returns the names of those that exceed the share, the newest first.
    fn add(&mut self, name: String, size: u64) -> Vec<String> {
        self.bytes += size;
        self.files.insert(name, size);
        let mut excess = Vec::new();
        while self.files.len() > WAITING_MAX || self.bytes > BYTES_MAX {
            let Some((name, size)) = self.files.pop_last() else {
                break;
            };
            self.bytes -= size;
            excess.push(name);
        }
        excess
    }
}

/// Whether a file is neither a mail nor about to become one.
fn is_junk(file: &DroppedFile, now: u64) -> bool {
    if file.is_temporary() {
        return now.saturating_sub(file.changed) > LEFTOVER;
    }
    Id::parse(&file.name).is_none() || !(1..=FILE_MAX).contains(&file.size)
}

/// Removes a file that is not to be looked at again; returns whether that succeeded.
fn remove(dir: &DropDir, name: &str) -> bool {
    let removed = dir.remove(name);
    if let Err(error) = &removed {
        tracing::debug!(name, %error, "cannot be removed from the maildrop");
    }
    removed.is_ok()
}

/// Which entries of the outbox are users' mails. Locked, so that one flush at a time takes mails.
///
/// The file has a line for each entry: `<id> <uid> <messages>`.
pub(crate) struct QueuedMails<'a> {
    file: LockedFile<'a>,
    outbox: Option<Arc<Dir>>,
    entries: Vec<(Id, u32, usize)>,
}

impl<'a> QueuedMails<'a> {
    /// Reads which entries are still in the outbox; returns `None` while another flush takes mails.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn lock(state: &'a Dir, outbox: Option<Arc<Dir>>) -> io::Result<Option<Self>> {
        let file = match state.lock_file(TAKEN, Duration::ZERO, false) {
            Err(error) if matches!(FileError::of(&error), Some(FileError::Locked)) => {
                return Ok(None);
            }
            file => file?,
        };
        let text = file.tail(TAKEN_MAX)?;
        let waits = |id: &Id| {
            outbox
                .as_ref()
                .is_some_and(|it| it.size(id.as_str()).is_some())
        };
        let parse = |line: &str| {
            let mut words = line.split(' ');
            let id = Id::parse(words.next()?)?;
            Some((id, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
        };
        let entries = text.lines().filter_map(parse);
        let entries: Vec<(Id, u32, usize)> = entries.filter(|(id, ..)| waits(id)).collect();
        Ok(Some(Self {
            file,
            outbox,
            entries,
        }))
    }

    /// Whether another mail of a user may be taken.
    pub(crate) fn has_room(&self, uid: u32) -> bool {
        let own = || self.entries.iter().filter(|(_, owner, _)| *owner == uid);
        let size = |id: &Id| self.outbox.as_ref()?.size(id.as_str());
        let all: usize = self.entries.iter().map(|(.., count)| count).sum();
        let count: usize = own().map(|(.., count)| count).sum();
        let bytes: u64 = own().filter_map(|(id, ..)| size(id)).sum();
        all < QUEUED_BY_ALL_MAX && count < QUEUED_MAX && bytes < QUEUED_BYTES_MAX
    }

    /// Notes the entry of a mail with so many messages.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn add(&mut self, id: Id, uid: u32, messages: usize) -> io::Result<()> {
        let line = line_of(&id, uid, messages);
        self.entries.push((id, uid, messages));
        self.file.append(&line)
    }

    /// Ends the pickup, and drops the lines of the entries that have left the outbox.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn end(self) -> io::Result<()> {
        let lines = self.entries.iter();
        let lines: String = lines
            .map(|(id, uid, count)| line_of(id, *uid, *count))
            .collect();
        if self.file.len() == 0 && lines.is_empty() {
            return Ok(());
        }
        self.file.replace(&lines)
    }
}

fn line_of(id: &Id, uid: u32, messages: usize) -> String {
    format!("{id} {uid} {messages}\n")
}

/// Parses a file into its envelope and its mail; `None` if it is damaged or not ours.
fn parse(file: &[u8]) -> Option<(Envelope, &[u8])> {
    let (sum, rest) = line(file.strip_prefix(MAGIC.as_bytes())?)?;
    if digest(rest, DIGITS).as_bytes() != sum {
        return None;
    }
    let (envelope, mail) = line(rest)?;
    let envelope: Envelope = serde_json::from_slice(envelope).ok()?;
    (envelope.addresses.len() <= ADDRESSES_MAX).then_some((envelope, mail))
}

/// Splits off the first line.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Returns the name of a user, or the number if the accounts do not have it.
pub(crate) fn user_name(uid: u32) -> String {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let rows = accounts
        .lines()
        .map(|row| row.split(':').collect::<Vec<_>>());
    let mut names = rows.filter_map(|row| match row[..] {
        [name, _, id, ..] if id.parse() == Ok(uid) => Some(name.to_owned()),
        _ => None,
    });
    names.next().unwrap_or_else(|| format!("uid {uid}"))
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

    #[test]
    fn the_newest_files_exceed_a_share() {
        let mut share = UserShare::default();
        for number in 0..WAITING_MAX {
            assert!(share.add(format!("{:03}", number + 1), 1).is_empty());
        }
        assert_eq!(
            share.add("000".to_owned(), 1),
            [format!("{WAITING_MAX:03}")]
        );
        assert_eq!(share.add("999".to_owned(), 1), ["999"]);
        let mut share = UserShare::default();
        assert!(share.add("1".to_owned(), BYTES_MAX).is_empty());
        assert_eq!(share.add("0".to_owned(), 1), ["1"]);
    }
}
