//! Submitting a message: accepting it in the outbox, then delivering or keeping it. Every command
//! that sends uses this.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use chrono::{DateTime, Local};

use super::flush::{Bounds, Flush};
use super::outcome::{End, Outcome, Parts};
use super::retry::Tries;
use super::{Banner, Delivery, Part, Patience, Sender, Senders, Wording};
use crate::clock::Stamp;
use crate::config::{Config, State};
use crate::file_slice::Watching;
use crate::message::Message;
use crate::outbox::{ClaimedEntry, Entry, NotKept, Outbox, OutboxSnapshot, Spooled, Syncing};
use crate::rate_limit::Share;

/// Longest time that a send spends on older messages, and the most of them. Source: the contract.
const BACKLOG_TIME: Duration = Duration::from_secs(5);
const BACKLOG_MAX: usize = 10;

/// Most older messages that a send looks at to find some that may be sent.
const BACKLOG_LOOKS: usize = 200;

/// Longest wait for the disk if no other deadline applies.
pub(super) const DISK_TIME: Duration = Duration::from_secs(5);

/// A progress display for a delivery that a person waits for.
pub(crate) trait Watcher {
    /// Shows that a delivery begins.
    fn begin(&self, delivering: &Delivering<'_>);
    /// Shows that this many parts are delivered.
    fn sent(&self, parts: usize);
    /// Shows that the delivery has ended.
    fn end(&self);
    /// Returns the watcher of file uploads.
    fn uploading(&self) -> Option<Watching>;
}

/// A message that is about to be delivered.
pub(crate) struct Delivering<'a> {
    pub(crate) kept: &'a Spooled,
    pub(crate) outbox: Option<Outbox>,
    /// Whether the next part has left and may have arrived.
    pub(crate) in_doubt: &'a Arc<AtomicBool>,
    pub(crate) parts: usize,
    pub(crate) deadline: Instant,
}

/// The way to submit a message.
pub(crate) struct Submission<'a> {
    pub(crate) config: &'a Config,
    /// The state directory, or the error message if there is no such directory.
    pub(crate) state: Result<&'a State, String>,
    pub(crate) sender: Rc<Sender>,
    pub(crate) deadline: Instant,
    pub(crate) patience: Patience,
    /// Whether older messages are delivered, too, once this one has shown that it works.
    pub(crate) backlog: bool,
    /// Whether to keep a message that cannot be delivered now.
    pub(crate) keep: bool,
    /// Whether to keep a message that fails because of the set-up; a person at a terminal resends
    /// it instead.
    pub(crate) keep_for_setup: bool,
    /// Whether quiet hours don't hold the message.
    pub(crate) urgent: bool,
    pub(crate) watcher: Option<&'a dyn Watcher>,
    pub(crate) wording: Wording,
}

/// The place of a message, the rest of the outbox, and why it is not kept although it should be.
type Begun = (Spooled, OutboxSnapshot, Option<NotKept>);

impl Submission<'_> {
    /// Delivers the parts of a message, each after the answer to the one before, or keeps it.
    pub(crate) fn send(&self, messages: Vec<Message>) -> Outcome {
        let entry = self.entry(messages);
        if let Some(outcome) = self.silenced(&entry) {
            return outcome;
        }
        self.deliver(&entry, self.begin(&entry))
    }

    /// Keeps a message for a flush, without a request.
    pub(crate) fn queue(&self, messages: Vec<Message>) -> Outcome {
        let entry = self.entry(messages);
        match self.hold(&entry, self.deadline) {
            Ok(held) => queued(&held),
            Err(why) => Outcome::new(entry.messages.len(), End::NotQueued(why)),
        }
    }

    /// Keeps a message that goes out only if we die: no flush takes it while we live.
    ///
    /// # Errors
    /// Why that is impossible.
    pub(crate) fn reserve(&self, messages: Vec<Message>) -> Result<Arc<ClaimedEntry>, NotKept> {
        let held = self.hold(&self.entry(messages), self.deadline)?;
        held.note(|attempts| attempts.reserved = true);
        Ok(held)
    }

    /// Sends a message in place of a reserved one: calls `kept` before the first request, if the
    /// message is kept.
    pub(crate) fn send_in_place(&self, messages: Vec<Message>, kept: impl FnOnce()) -> Outcome {
        let entry = self.entry(messages);
        if let Some(outcome) = self.silenced(&entry) {
            kept();
            return outcome;
        }
        let begun = self.begin(&entry);
        if begun.0.held().is_some() {
            kept();
        }
        self.deliver(&entry, begun)
    }

    /// Keeps a message for a flush. If it cannot be kept, sends it now, within `time`.
    pub(crate) fn queue_or_send(mut self, messages: Vec<Message>, time: Duration) -> Outcome {
        let entry = self.entry(messages);
        match self.hold(&entry, Instant::now() + DISK_TIME) {
            Ok(held) => queued(&held),
            Err(why) => {
                tracing::info!(%why, "not kept, so it is sent now");
                self.deadline = Instant::now() + time;
                self.deliver(&entry, self.begin(&entry))
            }
        }
    }

    /// Keeps a message until the end of quiet hours; `None` if it is to be sent now, also because
    /// it cannot be kept.
    fn silenced(&self, entry: &Entry) -> Option<Outcome> {
        let until = self.held_until(entry)?;
        let end = match self.hold(entry, Instant::now() + DISK_TIME) {
            Ok(held) => {
                let id = held.id().clone();
                tracing::info!(%id, "kept for the end of quiet hours");
                End::Quiet { id, until }
            }
            Err(why) => {
                tracing::info!(%why, "not kept, so it is sent now");
                return None;
            }
        };
        Some(Outcome::new(entry.messages.len(), end))
    }

    /// Returns when the quiet hours end that hold a message.
    pub(super) fn held_until(&self, entry: &Entry) -> Option<DateTime<Local>> {
        if entry.urgent || !self.keep {
            None
        } else {
            self.sender.quiet_until()
        }
    }

    /// Returns the entry of a message that is accepted now.
    pub(super) fn entry(&self, messages: Vec<Message>) -> Entry {
        Entry {
            accepted: Stamp::now(),
            retried: None,
            urgent: self.urgent,
            user: None,
            once: None,
            merged: Vec::new(),
            instead: Vec::new(),
            sender: self.sender.name(),
            messages,
        }
    }

    /// Delivers a message that is being written to the outbox, and then some older ones.
    pub(super) fn deliver(&self, entry: &Entry, (kept, snapshot, why_not): Begun) -> Outcome {
        let outcome = self.deliver_alone(entry, &kept, why_not, &snapshot);
        let works = !matches!(
            outcome.end,
            End::Spooled { .. } | End::NotNow(_) | End::Lost { .. }
        );
        if let Ok(state) = &self.state
            && works
            && self.backlog
            && snapshot.may_be_due()
        {
            self.deliver_older(state, &snapshot);
        }
        outcome
    }

    /// Delivers a message, or keeps it.
    pub(super) fn deliver_alone(
        &self,
        entry: &Entry,
        kept: &Spooled,
        why_not: Option<NotKept>,
        snapshot: &OutboxSnapshot,
    ) -> Outcome {
        let all = entry.messages.len();
        let mut outcome = Outcome::new(all, End::Sent);
        let pending = snapshot.pending_notices(&entry.sender, &entry.messages[0].to);
        let banner = self.banner(entry, pending.count());
        if let Some(watcher) = self.watcher {
            watcher.begin(&Delivering {
                kept,
                outbox: self.outbox(),
                in_doubt: &self.sender.in_doubt,
                parts: all,
                deadline: self.deadline,
            });
        }
        let delivery = self.delivery();
        let mut sent = kept.attempts().sent;
        let on_notice = || snapshot.notices_delivered(&pending);
        let end = delivery.deliver_parts(entry, banner, kept, on_notice, |answer| {
            outcome.add(answer);
            sent += 1;
            if let Some(watcher) = self.watcher {
                watcher.sent(sent);
            }
        });
        if let Some(watcher) = self.watcher {
            watcher.end();
        }
        outcome.parts = Parts { sent, all };
        self.conclude(entry, kept, why_not, outcome, end)
    }

    /// Goes on with a message of one request, after its first try.
    pub(super) fn deliver_again(
        &self,
        entry: &Entry,
        kept: &Spooled,
        why_not: Option<NotKept>,
        tries: Tries,
    ) -> Outcome {
        let delivery = self.delivery();
        let part = Part::alone(entry, kept, Some(self.banner(entry, 0)));
        let mut outcome = Outcome::new(1, End::Sent);
        let end = delivery.retry(tries, |tries| delivery.send(&part, tries));
        let end = end.map(|sent| {
            if let Some(held) = kept.held() {
                held.delivered(1, Syncing::Now);
            }
            outcome.parts = Parts { sent: 1, all: 1 };
            outcome.add(Ok(sent));
        });
        self.conclude(entry, kept, why_not, outcome, end)
    }

    /// Returns the lines before the text of a new message, with this many expired messages to notify
    /// of.
    pub(super) fn banner(&self, entry: &Entry, expired: u32) -> Banner {
        let lang = self.sender.settings.phone_lang;
        Banner::of_new(entry.accepted, expired, lang, self.wording)
    }

    pub(super) fn delivery(&self) -> Delivery<'_> {
        Delivery {
            sender: &self.sender,
            deadline: self.deadline,
            share: Share::New,
            patience: self.patience,
            resends: true,
            watching: self.watcher.and_then(Watcher::uploading),
        }
    }

    /// Starts to accept a message, or returns why that is impossible.
    fn begin(&self, entry: &Entry) -> Begun {
        let outbox = match &self.state {
            _ if !self.keep => return (Spooled::Nowhere, OutboxSnapshot::default(), None),
            Err(why) => {
                let why = NotKept::NoState(why.clone());
                return (Spooled::Nowhere, OutboxSnapshot::default(), Some(why));
            }
            Ok(state) => Outbox::of(state),
        };
        match place_in(&outbox, entry) {
            Err((snapshot, why)) => (Spooled::Nowhere, snapshot, Some(why)),
            Ok(snapshot) => {
                let accepting = outbox.accept(&snapshot, entry.clone(), self.deadline);
                (Spooled::Begun(accepting), snapshot, None)
            }
        }
    }

    /// Accepts a message by `deadline`, or returns why that is impossible.
    pub(super) fn hold(
        &self,
        entry: &Entry,
        deadline: Instant,
    ) -> Result<Arc<ClaimedEntry>, NotKept> {
        if !self.keep {
            return Err(NotKept::SwitchedOff);
        }
        let state = self.state.as_ref().map_err(Clone::clone);
        let outbox = Outbox::of(state.map_err(NotKept::NoState)?);
        let snapshot = place_in(&outbox, entry).map_err(|(_, why)| why)?;
        outbox.accept_by(&snapshot, entry.clone(), deadline)
    }

    pub(super) fn outbox(&self) -> Option<Outbox> {
        self.state.as_ref().ok().map(|state| Outbox::of(state))
    }

    /// Delivers some older messages, now that delivery is known to work.
    fn deliver_older(&self, state: &State, snapshot: &OutboxSnapshot) {
        let outbox = Outbox::of(state);
        let senders = Senders::of(self.config, state).with(Rc::clone(&self.sender));
        let bounds = Bounds {
            deadline: Some(self.deadline.min(Instant::now() + BACKLOG_TIME)),
            tries: BACKLOG_MAX,
            looks: BACKLOG_LOOKS,
            files: false,
            at_once: false,
        };
        let flush = Flush::new(&senders, &outbox, bounds, self.wording);
        let mut flush = flush.works(self.sender.name());
        if let Err(error) = flush.pass() {
            tracing::info!(%error, "the outbox cannot be read");
        } else if flush.summary.is_in_vain() {
            snapshot.none_is_due(flush.next_in());
        }
    }
}

/// Checks whether the outbox has room for a message.
///
/// # Errors
/// The snapshot, and why there is no room.
fn place_in(outbox: &Outbox, entry: &Entry) -> Result<OutboxSnapshot, (OutboxSnapshot, NotKept)> {
    let snapshot = outbox.snapshot();
    let snapshot = snapshot.map_err(|error| (OutboxSnapshot::default(), outbox.disk(error)))?;
    match outbox.room(&snapshot, entry) {
        Ok(()) => Ok(snapshot),
        Err(why) => Err((snapshot, why)),
    }
}

fn queued(held: &ClaimedEntry) -> Outcome {
    tracing::info!(id = %held.id(), "kept, to be delivered by a flush");
    let id = held.id().clone();
    Outcome::new(held.entry().messages.len(), End::Queued { id })
}
