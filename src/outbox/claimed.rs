//! An entry in our hands: locked, so that nobody else sends it, with what is known of its tries.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::attempts::{self, Attempts, Doubt, record_name};
use super::entry::{Entry, Id, MergedText};
use super::failed::{self, FailureRecord};
use super::once;
use crate::disk::{Dir, record};
use crate::notice::{self, Notice};

/// A locked entry. The lock ends with the value, or with the process.
#[derive(Debug)]
pub(crate) struct ClaimedEntry {
    dir: Arc<Dir>,
    id: Id,
    entry: Entry,
    lock: Arc<File>,
    attempts: Mutex<Attempts>,
    /// Where they are written down; none where that failed.
    record: OnceLock<Option<File>>,
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
        }
    }

    /// The same with what stands beside the entry.
    pub(super) fn remembered(self) -> Self {
        let attempts = attempts::read(&self.dir, &self.id, &self.entry);
        *self.locked() = attempts;
        self
    }

    /// Its name.
    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    /// The message.
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// What became of it so far.
    pub(crate) fn attempts(&self) -> Attempts {
        self.locked().clone()
    }

    /// Whether its name leads to it still; in the directory that is in the outbox's place now, if
    /// that one can be opened.
    pub(super) fn is_there(&self, now: Option<&Dir>) -> bool {
        let dir = now.unwrap_or(&self.dir);
        let meta = self.lock.metadata();
        meta.is_ok_and(|meta| dir.leads_to(self.id.as_str(), &meta))
    }

    /// Writes down what has become of it; not synced.
    ///
    /// A record that cannot be written costs a line in the log, never the delivery.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Attempts)) {
        let mut attempts = self.locked();
        change(&mut attempts);
        if let Some(error) = &mut attempts.error {
            error.truncate(error.floor_char_boundary(400));
        }
        let record = self.record.get_or_init(|| {
            record::open(&self.dir, &record_name(&self.id))
                .inspect_err(|error| cannot_note(&self.id, error))
                .ok()
        });
        let Some(record) = record else { return };
        let written = record::write(record, &*attempts).or_else(|_| {
            // Why it is here may be long, and matters less than whether it may have arrived.
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

    /// The next so many parts are done with; after the last one the entry goes. Of an entry that
    /// carries others' texts, those go first that are done with.
    pub(crate) fn delivered(&self, parts: usize) {
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
                // The same file may go to other recipients, too, unless the next part has its own.
                media: attempts.media.take().filter(|_| !has_own),
                ..Attempts::default()
            };
        };
        let removed = self.remove_merged(done);
        if !last {
            self.note(next);
            // A power cut must not send it a second time.
            if let Some(Some(record)) = self.record.get() {
                let _ = record.sync_data();
            }
            return;
        }
        if let Err(error) = removed.and_then(|()| self.finish()) {
            // The next process that claims it sees that nothing is left to send.
            self.note(next);
            let id = &self.id;
            notice::notify(&Notice::DeliveredEntryStays { id, error: &error });
        }
    }

    /// Takes it out of the outbox, now that it has arrived.
    ///
    /// # Errors
    /// What the disk says; then it stays.
    pub(crate) fn finish(&self) -> io::Result<()> {
        self.close_once()?;
        self.remove_merged(self.entry.messages.len())?;
        self.remove()
    }

    /// Lets the entries whose texts it carries go on their own, but for those that have arrived.
    ///
    /// # Errors
    /// What the disk says; then it stays.
    pub(crate) fn dissolve(&self) -> io::Result<()> {
        self.remove_merged(self.attempts().sent)?;
        self.remove()
    }

    /// Notes, of a message that is sent only once, that it is not to be sent again.
    ///
    /// # Errors
    /// What the disk says.
    fn close_once(&self) -> io::Result<()> {
        match &self.entry.once {
            Some(key) => once::close(&self.dir, key, &self.id),
            None => Ok(()),
        }
    }

    /// Whether it is sent only once, and another entry has been.
    pub(crate) fn is_done(&self) -> bool {
        let known = |key| once::known(&self.dir, key);
        let key = self.entry.once.as_deref();
        key.is_some_and(|key| known(key).is_ok_and(|known| known == once::Known::Done))
    }

    /// Whether its text goes out with another entry.
    pub(crate) fn is_carried(&self) -> bool {
        let carrier = self.attempts().carried_by;
        carrier.is_some_and(|carrier| self.dir.size(&carrier).is_some())
    }

    /// The entry that carries its text and may have arrived, if there is one.
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
        // Before this entry goes: else a power cut could bring them back alone.
        self.dir.sync()
    }

    /// Whether all, and whether any of the entries are still there whose texts its next parts carry.
    pub(crate) fn has_merged(&self) -> (bool, bool) {
        let sent = self.attempts().sent;
        let left = self.entry.merged.iter().filter(|it| it.part >= sent);
        let there = left.map(|MergedText { id, .. }| self.dir.size(id.as_str()).is_some());
        there.fold((true, false), |(all, any), it| (all && it, any || it))
    }

    /// Takes it out of the outbox, undelivered or not.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn remove(&self) -> io::Result<()> {
        // In this order: an entry without its record would be sent again without a flag.
        self.dir.remove(self.id.as_str())?;
        self.dir.remove(&record_name(&self.id))?;
        if let Err(error) = self.dir.sync() {
            tracing::info!(id = %self.id, %error, "the outbox cannot be synced: after a power cut it may go out again");
        }
        Ok(())
    }

    /// Puts the same message in its place, for another app.
    ///
    /// # Errors
    /// What the disk says; then it stays as it was.
    pub(crate) fn readdress(&self, entry: &Entry) -> io::Result<()> {
        super::write::replace(&self.dir, &self.id, entry)
    }

    /// Puts it among the failed ones, with the reason.
    ///
    /// # Errors
    /// What the disk says; then it stays.
    pub(crate) fn refuse(&self, verdict: &FailureRecord) -> io::Result<()> {
        failed::fail(&self.dir, &self.id, verdict)
    }

    fn locked(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cannot_note(id: &Id, error: &io::Error) {
    tracing::info!(%id, %error, "what becomes of it cannot be written down");
}
