//! A claimed entry: locked, so that no other process sends it, together with its record.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::attempts::{self, Attempts, Doubt, record_name};
use super::entry::{Entry, Id, MergedText};
use super::failed::{self, FailureRecord};
use super::once;
use super::spares::SpareRecords;
use crate::disk::{Dir, record};
use crate::notice::{self, Notice};

/// When the removal of a delivered entry is synced, against a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syncing {
    Now,
    /// With others, by `Removals`; an entry with a `--once` key stays until then.
    Together,
}

/// A locked entry. The lock ends with the value or the process.
#[derive(Debug)]
pub(crate) struct ClaimedEntry {
    dir: Arc<Dir>,
    id: Id,
    entry: Entry,
    lock: Arc<File>,
    attempts: Mutex<Attempts>,
    /// The open record; `None` if it could not be opened.
    record: OnceLock<Option<Arc<File>>>,
    /// Where its record comes from, and goes to.
    spares: Option<Arc<SpareRecords>>,
    /// Whether its record is another entry's by now.
    is_gone: AtomicBool,
}

impl ClaimedEntry {
    pub(super) fn new(dir: Arc<Dir>, id: Id, entry: Entry, lock: Arc<File>) -> Self {
        Self {
            dir,
            id,
            entry,
            lock,
            attempts: Mutex::default(),
            record: OnceLock::new(),
            spares: None,
            is_gone: AtomicBool::new(false),
        }
    }

    /// Has it share its record with others of a flush.
    pub(super) fn sharing(mut self, spares: &Arc<SpareRecords>) -> Self {
        self.spares = Some(Arc::clone(spares));
        self
    }

    /// Reads the entry's record.
    pub(super) fn remembered(self) -> Self {
        let attempts = attempts::read(&self.dir, &self.id, &self.entry);
        *self.locked() = Attempts {
            // The process that reserved it is gone.
            reserved: false,
            ..attempts
        };
        self
    }

    /// Returns its name.
    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    /// Returns the directory that it is in.
    pub(crate) fn dir(&self) -> &Arc<Dir> {
        &self.dir
    }

    /// Returns the message.
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Returns the state of its delivery so far.
    pub(crate) fn attempts(&self) -> Attempts {
        self.locked().clone()
    }

    /// Whether its name still leads to it, in the directory `now` that has taken the outbox's
    /// place, if given.
    pub(super) fn is_there(&self, now: Option<&Dir>) -> bool {
        let dir = now.unwrap_or(&self.dir);
        let meta = self.lock.metadata();
        meta.is_ok_and(|meta| dir.leads_to(self.id.as_str(), &meta))
    }

    /// Changes the state of its delivery and writes it to the record; not synced.
    ///
    /// An error is only logged and never stops the delivery.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Attempts)) {
        let mut attempts = self.locked();
        change(&mut attempts);
        if let Some(error) = &mut attempts.error {
            error.truncate(error.floor_char_boundary(400));
        }
        if self.is_gone.load(Ordering::Relaxed) {
            return;
        }
        let mut is_written = false;
        let record = self.record.get_or_init(|| {
            let spares = self.spares.as_ref();
            if let Some(spare) = spares.and_then(|it| it.take(&self.dir, &self.id, &attempts)) {
                is_written = true;
                return Some(spare);
            }
            record::open(&self.dir, &record_name(&self.id))
                .inspect_err(|error| cannot_note(&self.id, error))
                .ok()
                .map(Arc::new)
        });
        let Some(record) = record.as_ref().filter(|_| !is_written) else {
            return;
        };
        let written = record::write(record, &*attempts).or_else(|_| {
            // The reason may be long, and matters less than the doubt.
            let short = Attempts {
                error: None,
                ..attempts.clone()
            };
            record::write(record, &short)
        });
        if let Err(error) = written {
            cannot_note(&self.id, &error);
        }
    }

    /// Marks the next `parts` parts as sent; after the last part the entry is removed. If it
    /// carries texts, the entries of the sent texts are removed first.
    pub(crate) fn delivered(&self, parts: usize, syncing: Syncing) {
        let done = self.attempts().sent + parts;
        let next = self.entry.messages.get(done);
        let has_own = next.is_some_and(|message| message.attachment.is_some());
        let last = next.is_none();
        let next = |attempts: &mut Attempts| {
            *attempts = Attempts {
                sent: attempts.sent + parts,
                tries: attempts.tries,
                doubt: attempts
                    .lost
                    .then(|| Doubt::new(self.entry.accepted, String::new())),
                lost: attempts.lost,
                // The same file may go to other recipients, unless the next part has its own.
                media: attempts.media.take().filter(|_| !has_own),
                ..Attempts::default()
            };
        };
        if last && syncing == Syncing::Together && self.entry.once.is_some() {
            return self.note(next);
        }
        if !last {
            // What cannot be removed now is removed with the last part.
            let _ = self.remove_merged(done);
            self.note(next);
            // A power cut must not cause a second delivery.
            if let Some(Some(record)) = self.record.get() {
                let _ = record.sync_data();
            }
            return;
        }
        let done = match syncing {
            Syncing::Now => self.finish(),
            Syncing::Together => self.discard(),
        };
        if let Err(error) = done {
            // The next process that claims it sees that nothing is left to send.
            self.note(next);
            let id = &self.id;
            notice::notify(&Notice::DeliveredEntryStays { id, error: &error });
        }
    }

    /// Removes it from the outbox after its delivery.
    ///
    /// # Errors
    /// The error of the disk; the entry stays.
    pub(crate) fn finish(&self) -> io::Result<()> {
        self.settle()?;
        self.remove()
    }

    /// Sees to it that neither it nor what it carries is sent again: the key before the entries.
    fn settle(&self) -> io::Result<()> {
        self.close_once()?;
        self.remove_merged(self.entry.messages.len())
    }

    /// Removes what it carries, then itself, without a sync.
    ///
    /// # Errors
    /// The error of the disk; the entry stays.
    pub(super) fn discard(&self) -> io::Result<()> {
        self.remove_merged(self.entry.messages.len())?;
        self.unlink()
    }

    /// Removes it, so that the texts it carries are sent on their own, except those already sent.
    ///
    /// # Errors
    /// The error of the disk; the entry stays.
    pub(crate) fn dissolve(&self) -> io::Result<()> {
        self.remove_merged(self.attempts().sent)?;
        self.remove()
    }

    /// Records that the message of a `--once` key must not be sent again.
    ///
    /// # Errors
    /// The error of the disk.
    fn close_once(&self) -> io::Result<()> {
        match &self.entry.once {
            Some(key) => once::close(&self.dir, &[(key, &self.id)]),
            None => Ok(()),
        }
    }

    /// Whether another entry with its `--once` key has been sent.
    pub(crate) fn is_done(&self) -> bool {
        let known = |key| once::known(&self.dir, key);
        let key = self.entry.once.as_deref();
        key.is_some_and(|key| known(key).is_ok_and(|known| known == once::Known::Done))
    }

    /// Whether another entry carries its text.
    pub(crate) fn is_carried(&self) -> bool {
        let carrier = self.attempts().carried_by;
        carrier.is_some_and(|carrier| self.dir.size(&carrier).is_some())
    }

    /// Returns the entry that carries its text and is in doubt, if there is one.
    pub(crate) fn carrier_in_doubt(&self) -> Option<String> {
        let carrier = self.attempts().carried_by?;
        let is_there = self.dir.size(&carrier).is_some();
        let attempts = record::read::<Attempts>(&self.dir, &format!("{carrier}.try"));
        let is_in_doubt = matches!(attempts, record::Read::Record(it) if it.doubt.is_some());
        (is_there && is_in_doubt).then_some(carrier)
    }

    /// Removes the entries whose texts end in the first `parts` parts.
    fn remove_merged(&self, parts: usize) -> io::Result<()> {
        let merged = self.entry.merged.iter();
        let mut done = merged.filter(|merged| merged.part < parts).peekable();
        if done.peek().is_none() {
            return Ok(());
        }
        for MergedText { id, .. } in done {
            self.dir.remove(id.as_str())?;
            self.dir.remove(&record_name(id))?;
        }
        // Sync before this entry is removed: otherwise a power cut could bring back only those.
        self.dir.sync()
    }

    /// Whether all, and whether any, of the entries whose texts its next parts carry still exist.
    pub(crate) fn has_merged(&self) -> (bool, bool) {
        let sent = self.attempts().sent;
        let left = self.entry.merged.iter().filter(|it| it.part >= sent);
        let there = left.map(|MergedText { id, .. }| self.dir.size(id.as_str()).is_some());
        there.fold((true, false), |(all, any), it| (all && it, any || it))
    }

    /// Removes it from the outbox, delivered or not.
    ///
    /// # Errors
    /// The error of the disk.
    pub(crate) fn remove(&self) -> io::Result<()> {
        self.unlink()?;
        if let Err(error) = self.dir.sync() {
            tracing::info!(id = %self.id, %error, "the outbox cannot be synced: after a power cut the message may be sent again");
        }
        Ok(())
    }

    /// Removes it as `remove` does, not synced.
    pub(super) fn unlink(&self) -> io::Result<()> {
        // In this order: an entry without its record would be resent without the duplicate check.
        self.dir.remove(self.id.as_str())?;
        if let (Some(spares), Some(Some(record))) = (&self.spares, self.record.get()) {
            self.is_gone.store(true, Ordering::Relaxed);
            return spares.keep(&self.dir, &self.id, record);
        }
        self.dir.remove(&record_name(&self.id))
    }

    /// Replaces it with the same message for another app.
    ///
    /// # Errors
    /// The error of the disk; the entry stays unchanged.
    pub(crate) fn readdress(&self, entry: &Entry) -> io::Result<()> {
        super::write::replace(&self.dir, &self.id, entry)
    }

    /// Moves it to `failed/` with the reason.
    ///
    /// # Errors
    /// The error of the disk; the entry stays.
    pub(crate) fn refuse(&self, verdict: &FailureRecord) -> io::Result<()> {
        failed::fail(&self.dir, &self.id, verdict)
    }

    fn locked(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cannot_note(id: &Id, error: &io::Error) {
    tracing::info!(%id, %error, "the state of the entry cannot be recorded");
}
