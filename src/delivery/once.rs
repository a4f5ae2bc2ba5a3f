//! `--once`, and mail from the maildrop: at most one message per key, across repeated calls and kills.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Local};

use super::outcome::{End, Outcome};
use super::submit::Submission;
use crate::clock::Stamp;
use crate::disk::{Dir, Pause};
use crate::message::Message;
use crate::outbox::once::{self, Known, Whereabouts};
use crate::outbox::{
    self, Claim, ClaimedEntry, Entry, Id, NotKept, Outbox, OutboxSnapshot, Spooled,
};
use crate::secret::digest;

impl Submission<'_> {
    /// Sends the message of a key, unless it was sent within the last day. Waits for a process that
    /// is sending it, and takes over the entry of one that died.
    pub(crate) fn send_once(&self, messages: Vec<Message>, key: &str) -> Outcome {
        let entry = self.once_entry(messages, key);
        if let Some(until) = self.held_until(&entry) {
            let outcome = self.keep_keyed(&entry, Some(until));
            if !matches!(outcome.end, End::NotQueued(_)) {
                return outcome;
            }
        }
        self.deliver_keyed(&entry)
    }

    /// Sends the message of an entry's key, whatever has become of the key.
    pub(super) fn deliver_keyed(&self, entry: &Entry) -> Outcome {
        let key = entry.once.as_deref().unwrap_or_default();
        let outcome = self.deliver_once(entry, key);
        outcome.unwrap_or_else(|end| Outcome::new(entry.messages.len(), *end))
    }

    /// Keeps the message of a key for a flush, unless it was accepted within the last day.
    pub(crate) fn queue_once(&self, messages: Vec<Message>, key: &str) -> Outcome {
        self.queue_keyed(&self.once_entry(messages, key))
    }

    /// Keeps the message of a user's mail, as `queue_once` does.
    pub(crate) fn queue_mail(&self, messages: Vec<Message>, key: &str, uid: u32) -> Outcome {
        self.queue_keyed(&Entry {
            user: Some(uid),
            ..self.once_entry(messages, key)
        })
    }

    fn queue_keyed(&self, entry: &Entry) -> Outcome {
        let outcome = self.keep_keyed(entry, None);
        match outcome.end {
            // It was accepted, and the flush that gave it up said so.
            End::GivenUp { .. } => Outcome {
                end: End::Duplicate,
                ..outcome
            },
            _ => outcome,
        }
    }

    /// Keeps the message of an entry's key, also for the end of quiet hours, whatever has become of the
    /// key: what is kept already stays kept.
    pub(super) fn keep_keyed(&self, entry: &Entry, until: Option<DateTime<Local>>) -> Outcome {
        let key = entry.once.as_deref().unwrap_or_default();
        let end = self.kept_once(entry, key).map_or_else(
            |end| *end,
            |id| match until {
                Some(until) => End::Quiet { id, until },
                None => End::Queued { id },
            },
        );
        Outcome::new(entry.messages.len(), end)
    }

    /// Returns the entry that has the message of a key.
    fn kept_once(&self, entry: &Entry, key: &str) -> Result<Id, Box<End>> {
        let outbox = self.outbox_of_keys()?;
        let mut pause = Pause::default();
        loop {
            match self.hold(entry, self.deadline) {
                Ok(held) => {
                    tracing::info!(id = %held.id(), "kept, to be delivered by a flush");
                    return Ok(held.id().clone());
                }
                Err(NotKept::KeyTaken) => {}
                Err(why) => return Err(End::NotQueued(why).into()),
            }
            let id = match undecided(&outbox, key)? {
                KeyedMessage::Spooled(_, id) => return Ok(id),
                KeyedMessage::Writing(id) => Some(id),
                KeyedMessage::Nowhere(id) => id,
            };
            if !pause.sleep(self.deadline) {
                return Err(End::Undecided { id }.into());
            }
        }
    }

    fn outbox_of_keys(&self) -> Result<Outbox, Box<End>> {
        match &self.state {
            Ok(state) => Ok(Outbox::of(state)),
            Err(why) => Err(End::NoRecord(NotKept::NoState(why.clone())).into()),
        }
    }

    /// Returns the entry of a key's message.
    pub(super) fn once_entry(&self, messages: Vec<Message>, key: &str) -> Entry {
        let key = digest(&["once", &self.sender.id(), key])[..32].to_owned();
        Entry {
            once: Some(key),
            ..self.entry(messages)
        }
    }

    fn deliver_once(&self, entry: &Entry, key: &str) -> Result<Outcome, Box<End>> {
        let outbox = self.outbox_of_keys()?;
        let mut pause = Pause::default();
        loop {
            let id = match undecided(&outbox, key)? {
                KeyedMessage::Nowhere(_) => None,
                KeyedMessage::Writing(id) => Some(id),
                KeyedMessage::Spooled(dir, id) => match self.resume(&outbox, &dir, &id)? {
                    Some(outcome) => return Ok(outcome),
                    None => Some(id),
                },
            };
            if id.is_none() {
                match self.hold(entry, self.deadline) {
                    Ok(held) => return Ok(self.deliver_held(held)),
                    Err(why) if !is_begun(&outbox, key) => return Err(End::NoRecord(why).into()),
                    Err(_) => {}
                }
            }
            if !pause.sleep(self.deadline) {
                return Err(End::Undecided { id }.into());
            }
        }
    }

    /// Delivers the message of a key from its entry; `None` while another process has claimed it.
    fn resume(
        &self,
        outbox: &Outbox,
        dir: &Arc<Dir>,
        id: &Id,
    ) -> Result<Option<Outcome>, Box<End>> {
        let disk = |error: io::Error| Box::new(End::NoRecord(outbox.disk(error)));
        let held = match outbox::claim(dir, id, None) {
            Claim::Held(held) => held,
            Claim::Busy | Claim::Gone | Claim::Damaged => return Ok(None),
            Claim::Newer => return Err(End::Newer { id: id.clone() }.into()),
            Claim::Foreign(error) | Claim::Unusable(error) => return Err(disk(error)),
        };
        let attempts = held.attempts();
        if attempts.sent >= held.entry().messages.len() {
            held.finish().map_err(disk)?;
            return Err(End::Duplicate.into());
        }
        if held.is_carried() {
            // By the fallback, which may have delivered it.
            return Ok(None);
        }
        let wait = attempts.hold.and_then(|hold| hold.left(&Stamp::now()));
        match wait {
            Some(wait) if Instant::now() + wait > self.deadline => {
                let id = Some(id.clone());
                Err(End::Undecided { id }.into())
            }
            Some(_) => Ok(None),
            None => Ok(Some(self.deliver_held(held))),
        }
    }

    fn deliver_held(&self, held: Arc<ClaimedEntry>) -> Outcome {
        let snapshot = match &self.state {
            Ok(state) => Outbox::of(state).snapshot_or_empty(),
            Err(_) => OutboxSnapshot::default(),
        };
        let entry = held.entry().clone();
        self.deliver(&entry, (Spooled::Held(held), snapshot, None))
    }
}

/// Where the message of a key is that has not ended.
enum KeyedMessage {
    /// Nowhere, or its entry is gone.
    Nowhere(Option<Id>),
    /// A process is about to keep it.
    Writing(Id),
    Spooled(Arc<Dir>, Id),
}

/// Returns where the message of a key is.
///
/// # Errors
/// Its end, if it has one, or that of a key that cannot be read.
fn undecided(outbox: &Outbox, key: &str) -> Result<KeyedMessage, Box<End>> {
    let disk = |error: io::Error| Box::new(End::NoRecord(outbox.disk(error)));
    let Some(dir) = outbox.open().map_err(disk)? else {
        return Ok(KeyedMessage::Nowhere(None));
    };
    let id = match once::known(&dir, key).map_err(disk)? {
        Known::Done => return Err(End::Duplicate.into()),
        Known::Begun(id) => id,
        Known::Nothing => return Ok(KeyedMessage::Nowhere(None)),
    };
    match once::whereabouts(&dir, &id) {
        Whereabouts::Spooled => Ok(KeyedMessage::Spooled(dir, id)),
        Whereabouts::Writing => Ok(KeyedMessage::Writing(id)),
        Whereabouts::Nowhere => Ok(KeyedMessage::Nowhere(Some(id))),
        Whereabouts::Failed => Err(End::GivenUp { id }.into()),
    }
}

/// Whether another process has recorded the key first.
fn is_begun(outbox: &Outbox, key: &str) -> bool {
    let dir = outbox.open().ok().flatten();
    dir.is_some_and(|dir| match once::known(&dir, key) {
        Ok(Known::Begun(id)) => once::whereabouts(&dir, &id) != Whereabouts::Nowhere,
        known => matches!(known, Ok(Known::Done)),
    })
}
