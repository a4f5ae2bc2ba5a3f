//! The delivery of one message in a flush, with the lines before its text.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::banner::LATE;
use super::super::{
    Banner, Delivery, Patience, Sender, Wording, audience, fingerprint, upload_time,
};
use super::{Bounds, Flush};
use crate::clock::Stamp;
use crate::disk::Dir;
use crate::outbox::{Attempts, ClaimedEntry, Entry, OutboxSnapshot, Spooled};
use crate::rate_limit::{Audience, Share};
use crate::wecom::Unreached;

/// Longest time for one message; a flush as a whole may have no limit.
const MESSAGE_MAX: Duration = Duration::from_secs(30);

/// An entry to send as one message: an accepted one, or one that carries the texts of several.
pub(super) struct Dispatch {
    pub(super) entry: Entry,
    pub(super) kept: Spooled,
    /// The claimed entries whose texts it carries.
    pub(super) originals: Vec<Arc<ClaimedEntry>>,
    pub(super) sender: Rc<Sender>,
    /// The recipients of its next message.
    pub(super) to: Audience,
    /// Whether it has waited longer than messages are kept.
    pub(super) is_old: bool,
}

impl Dispatch {
    pub(super) fn of(
        held: &Arc<ClaimedEntry>,
        sender: Rc<Sender>,
        to: Audience,
        is_old: bool,
    ) -> Self {
        Self {
            entry: held.entry().clone(),
            kept: Spooled::Held(Arc::clone(held)),
            originals: Vec::new(),
            sender,
            to,
            is_old,
        }
    }

    /// Returns its entry, if it has been written.
    pub(super) fn held(&self) -> Option<Arc<ClaimedEntry>> {
        match &self.kept {
            Spooled::Deferred(deferred) => deferred.written(),
            kept => kept.held(),
        }
    }

    pub(super) fn id(&self) -> String {
        match (&self.kept, self.originals.first()) {
            (_, Some(first)) => first.id().to_string(),
            (kept, None) => kept.held().map_or(String::new(), |it| it.id().to_string()),
        }
    }

    /// Returns its delivery, which ends at the flush's deadline or earlier and takes of this share.
    pub(super) fn delivery(&self, bounds: Bounds, share: Share) -> Delivery<'_> {
        let more = upload_time(self.entry.bytes_of_files());
        let until = Instant::now() + MESSAGE_MAX + more;
        Delivery {
            sender: &self.sender,
            deadline: match bounds.deadline {
                None => until,
                Some(end) if bounds.files => until.min(end + more),
                Some(end) => until.min(end),
            },
            // A message that carries many texts may use every slot: it empties the backlog.
            share: match share {
                Share::Backlog if self.entry.carries_many() => Share::New,
                share => share,
            },
            patience: Patience::Nothing,
            resends: true,
            watching: None,
        }
    }

    /// Returns the lines before its text, with this many expired messages to notify of.
    pub(super) fn banner(&self, overtaken: bool, expired: u32, wording: Wording) -> Banner {
        let is_merged = self.entry.carries_many();
        Banner {
            accepted: if is_merged {
                Stamp::now()
            } else {
                self.entry.accepted
            },
            overtaken: overtaken && !is_merged,
            is_said: false,
            expired,
            lang: self.sender.settings.phone_lang,
            wording,
        }
    }
}

impl Flush<'_> {
    /// Delivers a message and handles the result; nothing else of its sender is under way.
    pub(super) fn deliver(&mut self, dir: &Arc<Dir>, message: &Dispatch) {
        let (entry, sender) = (&message.entry, &message.sender);
        let delivery = message.delivery(self.bounds, self.share);
        let pending = self
            .snapshot()
            .pending_notices(&entry.sender, &entry.messages[0].to);
        let overtaken = is_overtaken(sender, entry, &message.kept.attempts());
        let banner = message.banner(overtaken, pending.count(), self.wording);
        let mut unreached = Unreached::default();
        let snapshot = self.snapshot();
        let on_notice = || snapshot.notices_delivered(&pending);
        let end = delivery.deliver_parts(entry, banner, &message.kept, on_notice, |answer| {
            unreached.merge(&answer.map_or_else(|absent| absent, |sent| sent.unreached));
        });
        match end {
            Ok(()) => self.delivered(message, &unreached),
            Err(undelivered) => self.undelivered(dir, message, undelivered),
        }
    }

    /// Returns the snapshot with the expired messages to notify of.
    pub(super) fn snapshot(&mut self) -> &OutboxSnapshot {
        let outbox = self.outbox;
        self.snapshot
            .get_or_insert_with(|| outbox.snapshot_or_empty())
    }
}

/// Whether a newer message has been delivered to one of its recipients. Not checked for a message
/// that is late anyway, nor for one that carries others.
fn is_overtaken(sender: &Sender, entry: &Entry, attempts: &Attempts) -> bool {
    if entry.carries_many() || entry.accepted.age_or_zero(&Stamp::now()) > LATE {
        return false;
    }
    let Some(message) = entry.messages.get(attempts.sent) else {
        return false;
    };
    let ledger = sender.ledger(message.channel);
    ledger.is_some_and(|ledger| {
        let fingerprint = fingerprint(entry.accepted, message);
        ledger
            .others(&audience(message), &fingerprint)
            .overtaken_by
            .is_some()
    })
}
