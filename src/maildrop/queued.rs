//! Which mails of users are in the outbox: what they mail must not hold up what root sends.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::FILE_MAX;
use super::accounts::Accounts;
use super::received::Maildrop;
use crate::disk::record::digest;
use crate::disk::{Dir, FileError, LockedFile, lossy};
use crate::outbox::{Id, Outbox};

/// The most messages of one user that wait in the outbox, also once those of all take up the room for
/// them, and the most bytes of one user there.
const QUEUED_MAX: usize = 20;
const QUEUED_BY_ALL_MAX: usize = 60;
const QUEUED_IF_FULL_MAX: usize = 2;
const QUEUED_BYTES_MAX: u64 = 2 * FILE_MAX;

/// The file in the state directory that tells which entries of the outbox came from here.
const TAKEN: &str = "mails";

/// The starts of its lines on a mail that is being read, on one that has ended a flush, and on one
/// whose message for some recipients has been kept.
const READING: &str = "reading ";
const ENDED: &str = "ended ";
const KEPT: &str = "kept ";

/// The number of hexadecimal digits of recipients' digest.
const DIGITS: usize = 16;

/// The bytes that are read of a mail that has ended two flushes: its text, most likely.
const BEGINNING: usize = 64 << 10;

/// The most bytes read of that file.
const TAKEN_MAX: u64 = 1 << 20;

/// Which entries of the outbox are users' mails. Locked, so that one flush at a time takes mails.
///
/// The file has a line for each entry: `<id> <uid> <messages>`. `reading <id>` is the mail that is
/// being read, and is taken back once that is done; one that is the last of these has ended the process,
/// such as by the memory it takes. The next flush notes that as `ended <id>`. `kept <id> <recipients>`
/// is a mail that waits for room for its other recipients.
pub(crate) struct QueuedMails<'a> {
    maildrop: &'a Maildrop,
    file: LockedFile<'a>,
    outbox: Outbox,
    /// `None` while there is no outbox.
    dir: Option<Arc<Dir>>,
    entries: Vec<(Id, u32, usize)>,
    /// The mails that have ended a flush, once for each time.
    fatal: Vec<Id>,
    /// The mails that are kept for some recipients.
    kept: HashSet<(Id, String)>,
    /// The mail that is being read, and the size of the file before its note.
    reading: Option<(Id, u64)>,
}

impl<'a> QueuedMails<'a> {
    /// Reads which entries are still in the outbox; returns `None` while another flush takes mails.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn lock(
        state: &'a Dir,
        outbox: Outbox,
        maildrop: &'a Maildrop,
    ) -> io::Result<Option<Self>> {
        let file = match state.lock_file(TAKEN, Duration::ZERO, false) {
            Err(error) if matches!(FileError::of(&error), Some(FileError::Locked)) => {
                return Ok(None);
            }
            file => file?,
        };
        let text = file.tail(TAKEN_MAX)?;
        let dir = outbox.open()?;
        let size = |id: &Id| dir.as_ref()?.size(id.as_str());
        let waits = |id: &Id| size(id).is_some();
        let entries = text.lines().filter_map(parse);
        let entries: Vec<(Id, u32, usize)> = entries.filter(|(id, ..)| waits(id)).collect();
        let named = |line: &str, mark| Id::parse(line.strip_prefix(mark)?);
        let mut fatal: Vec<Id> = text.lines().filter_map(|it| named(it, ENDED)).collect();
        let is_note = |it: &&str| it.starts_with(READING) || it.starts_with(ENDED);
        let last = text.lines().rfind(is_note);
        if let Some(id) = last.and_then(|it| named(it, READING)) {
            file.append(&format!("{ENDED}{id}\n"))?;
            fatal.push(id);
        }
        // Not only the mails of this flush: there may be more than it can look at.
        fatal.retain(|id| maildrop.has(id));
        let kept = text.lines().filter_map(parse_kept);
        let kept = kept.filter(|(id, _)| maildrop.has(id)).collect();
        Ok(Some(Self {
            maildrop,
            file,
            outbox,
            dir,
            entries,
            fatal,
            kept,
            reading: None,
        }))
    }

    /// Whether those of all users take up all the room for them.
    pub(crate) fn is_full(&self) -> bool {
        let all: usize = self.entries.iter().map(|(.., count)| count).sum();
        all >= QUEUED_BY_ALL_MAX
    }

    /// Notes that a mail is being read, until `done`; returns how many of its bytes are to be read, or
    /// `None` if it is to be removed, since even few have ended a flush.
    pub(crate) fn begin(&mut self, id: &Id) -> Option<usize> {
        let noted = self.file.size().and_then(|size| {
            self.reading = Some((id.clone(), size));
            self.file.append(&note_of(id))
        });
        if let Err(error) = noted {
            tracing::info!(%error, "should this mail end the process, the next flush won't know");
        }
        match self.fatal.iter().filter(|it| *it == id).count() {
            // Once may have been for another cause.
            0 | 1 => Some(usize::MAX),
            2 => Some(BEGINNING),
            _ => None,
        }
    }

    /// Notes that no mail is being read any more, whatever has become of it.
    pub(crate) fn done(&mut self) {
        if let Some((_, size)) = self.reading.take()
            && let Err(error) = self.file.take_back(size)
        {
            tracing::info!(%error, "the next flush may take a mail for one that ends it");
        }
    }

    /// Appends a line, before the note of the mail that is being read.
    fn append(&mut self, line: &str) -> io::Result<()> {
        let Some((id, size)) = &mut self.reading else {
            return self.file.append(line);
        };
        self.file.take_back(*size)?;
        let note = note_of(id);
        self.file.append(&format!("{line}{note}"))?;
        *size = self.file.size()? - note.len() as u64;
        Ok(())
    }

    /// Whether another message of a user may be kept: one who has none there finds room in any case.
    pub(crate) fn has_room(&self, uid: u32) -> bool {
        let accounts = &self.maildrop.accounts;
        let is_own = |owner: u32| accounts.user(owner) == accounts.user(uid);
        let own = || self.entries.iter().filter(|(_, owner, _)| is_own(*owner));
        let most = if self.is_full() {
            QUEUED_IF_FULL_MAX
        } else {
            QUEUED_MAX
        };
        let size = |id: &Id| self.dir.as_ref()?.size(id.as_str());
        let count: usize = own().map(|(.., count)| count).sum();
        let bytes: u64 = own().filter_map(|(id, ..)| size(id)).sum();
        count < most && bytes < QUEUED_BYTES_MAX
    }

    /// Notes the entry of a mail with so many messages, unless it is noted already.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn add(&mut self, id: Id, uid: u32, messages: usize) -> io::Result<()> {
        if self.entries.iter().any(|(known, ..)| *known == id) {
            return Ok(());
        }
        let line = line_of(&id, uid, messages);
        self.entries.push((id, uid, messages));
        if self.dir.is_none() {
            // Made for this entry.
            self.dir = self.outbox.open()?;
        }
        self.append(&line)
    }

    /// Whether a mail has been kept for these recipients.
    pub(crate) fn is_kept(&self, mail: &Id, to: &str) -> bool {
        let to = digest(to.as_bytes(), DIGITS);
        self.kept.contains(&(mail.clone(), to))
    }

    /// Notes that a mail has been kept for these recipients.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn set_kept(&mut self, mail: &Id, to: &str) -> io::Result<()> {
        let to = digest(to.as_bytes(), DIGITS);
        let line = line_of_kept(mail, &to);
        self.kept.insert((mail.clone(), to));
        self.append(&line)
    }

    /// Forgets a mail that is to be removed.
    pub(crate) fn forget(&mut self, mail: &Id) {
        self.kept.retain(|(id, _)| id != mail);
        self.fatal.retain(|id| id != mail);
    }

    /// Ends the pickup, and drops the lines of the entries that have left the outbox.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn end(self) -> io::Result<()> {
        let entries = self.entries.iter();
        let entries = entries.map(|(id, uid, count)| line_of(id, *uid, *count));
        let fatal = self.fatal.iter().map(|id| format!("{ENDED}{id}\n"));
        let kept = self.kept.iter().map(|(id, to)| line_of_kept(id, to));
        let lines: String = kept.chain(entries).chain(fatal).collect();
        if self.file.len() == 0 && lines.is_empty() {
            return Ok(());
        }
        self.file.replace(&lines)
    }
}

/// Returns which users mailed which entries of the outbox, `None` for those without an account; some
/// entries may have left it.
pub(crate) fn users_of_entries(state: &Dir) -> HashMap<Id, Option<u32>> {
    // If it cannot be read, the flush is as without a maildrop.
    let Ok(Some(text)) = state.read(TAKEN, TAKEN_MAX) else {
        return HashMap::new();
    };
    let (text, accounts) = (lossy(text), Accounts::read());
    let entries = text.lines().filter_map(parse);
    entries
        .map(|(id, uid, _)| (id, accounts.user(uid)))
        .collect()
}

fn parse(line: &str) -> Option<(Id, u32, usize)> {
    let mut words = line.split(' ');
    let id = Id::parse(words.next()?)?;
    Some((id, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn parse_kept(line: &str) -> Option<(Id, String)> {
    let (id, to) = line.strip_prefix(KEPT)?.split_once(' ')?;
    Some((Id::parse(id)?, to.to_owned()))
}

fn line_of_kept(id: &Id, to: &str) -> String {
    format!("{KEPT}{id} {to}\n")
}

fn note_of(id: &Id) -> String {
    format!("{READING}{id}\n")
}

fn line_of(id: &Id, uid: u32, messages: usize) -> String {
    format!("{id} {uid} {messages}\n")
}
