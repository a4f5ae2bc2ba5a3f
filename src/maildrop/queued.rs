//! Which mails of users are in the outbox: what they mail must not hold up what root sends.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::FILE_MAX;
use crate::disk::{Dir, FileError, LockedFile, lossy};
use crate::outbox::Id;

/// The most messages of one user, and of all, that wait in the outbox, and the most bytes of one
/// user there.
const QUEUED_MAX: usize = 20;
const QUEUED_BY_ALL_MAX: usize = 60;
const QUEUED_BYTES_MAX: u64 = 2 * FILE_MAX;

/// The file in the state directory that tells which entries of the outbox came from here.
const TAKEN: &str = "mails";

/// The starts of its lines on a mail that is being read, and on one that has ended a flush.
const READING: &str = "reading ";
const ENDED: &str = "ended ";

/// The bytes that are read of a mail that has ended two flushes: its text, most likely.
const BEGINNING: usize = 64 << 10;

/// The most bytes read of that file.
const TAKEN_MAX: u64 = 1 << 20;

/// Which entries of the outbox are users' mails. Locked, so that one flush at a time takes mails.
///
/// The file has a line for each entry: `<id> <uid> <messages>`. `reading <id>` is the mail that is
/// being read; one that is the last of these has ended the process, such as by the memory it takes. The
/// next flush notes that as `ended <id>`.
pub(crate) struct QueuedMails<'a> {
    file: LockedFile<'a>,
    outbox: Option<Arc<Dir>>,
    entries: Vec<(Id, u32, usize)>,
    /// The mails that have ended a flush, once for each time.
    fatal: Vec<Id>,
}

impl<'a> QueuedMails<'a> {
    /// Reads which entries are still in the outbox; returns `None` while another flush takes mails.
    /// `mails` are those to be taken.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn lock(
        state: &'a Dir,
        outbox: Option<Arc<Dir>>,
        mails: &[(u32, &Id)],
    ) -> io::Result<Option<Self>> {
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
        fatal.retain(|fatal| mails.iter().any(|(_, id)| *id == fatal));
        Ok(Some(Self {
            file,
            outbox,
            entries,
            fatal,
        }))
    }

    /// Whether those of all users take up all the room for them.
    pub(crate) fn is_full(&self) -> bool {
        let all: usize = self.entries.iter().map(|(.., count)| count).sum();
        all >= QUEUED_BY_ALL_MAX
    }

    /// Whether a mail that is to be taken has ended a flush.
    pub(crate) fn has_fatal(&self) -> bool {
        !self.fatal.is_empty()
    }

    /// Notes that a mail is being read; returns how many of its bytes are to be read, or `None` if it
    /// is to be removed, since even few have ended a flush.
    pub(crate) fn begin(&mut self, id: &Id) -> Option<usize> {
        if let Err(error) = self.file.append(&format!("{READING}{id}\n")) {
            tracing::info!(%error, "should this mail end the process, the next flush won't know");
        }
        let before = self.fatal.len();
        self.fatal.retain(|it| it != id);
        match before - self.fatal.len() {
            // Once may have been for another cause.
            0 | 1 => Some(usize::MAX),
            2 => Some(BEGINNING),
            _ => None,
        }
    }

    /// Whether another mail of a user may be taken.
    pub(crate) fn has_room(&self, uid: u32) -> bool {
        let own = || self.entries.iter().filter(|(_, owner, _)| *owner == uid);
        let size = |id: &Id| self.outbox.as_ref()?.size(id.as_str());
        let count: usize = own().map(|(.., count)| count).sum();
        let bytes: u64 = own().filter_map(|(id, ..)| size(id)).sum();
        !self.is_full() && count < QUEUED_MAX && bytes < QUEUED_BYTES_MAX
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
        self.file.append(&line)
    }

    /// Ends the pickup, and drops the lines of the entries that have left the outbox.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn end(self) -> io::Result<()> {
        let entries = self.entries.iter();
        let entries = entries.map(|(id, uid, count)| line_of(id, *uid, *count));
        let fatal = self.fatal.iter().map(|id| format!("{ENDED}{id}\n"));
        let lines: String = entries.chain(fatal).collect();
        if self.file.len() == 0 && lines.is_empty() {
            return Ok(());
        }
        self.file.replace(&lines)
    }
}

/// Returns who mailed which entries of the outbox; some may have left it.
pub(crate) fn users_of_entries(state: &Dir) -> HashMap<Id, u32> {
    // If it cannot be read, the flush is as without a maildrop.
    let text = state.read(TAKEN, TAKEN_MAX).ok().flatten();
    let text = lossy(text.unwrap_or_default());
    let entries = text.lines().filter_map(parse);
    entries.map(|(id, uid, _)| (id, uid)).collect()
}

fn parse(line: &str) -> Option<(Id, u32, usize)> {
    let mut words = line.split(' ');
    let id = Id::parse(words.next()?)?;
    Some((id, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn line_of(id: &Id, uid: u32, messages: usize) -> String {
    format!("{id} {uid} {messages}\n")
}
