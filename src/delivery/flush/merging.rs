//! Merging texts in a flush: choosing them, sending them as one message, and taking it apart if
//! that fails.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::super::audiences::meet;
use super::super::{Reason, Sender, audience, fallback, merge};
use super::Flush;
use super::dispatch::Dispatch;
use crate::clock::Stamp;
use crate::disk::Dir;
use crate::outbox::{Attempts, Claim, ClaimedEntry, Deferred, Id, Spooled};

/// How many entries ahead to look for texts to merge.
const AHEAD_MAX: usize = 400;

impl Flush<'_> {
    /// Whether to send an entry that carries other entries' texts. Takes it apart if some of them
    /// have been removed or if it is too old.
    pub(super) fn is_worth_carrying(
        &mut self,
        held: &Arc<ClaimedEntry>,
        attempts: &Attempts,
        is_old: bool,
    ) -> bool {
        let (has_all, has_some) = held.has_merged();
        if !has_some || attempts.doubt.is_none() && (is_old || !has_all) {
            self.dissolve(held);
            return false;
        }
        true
    }

    /// Removes an entry that carries texts, so that those are sent on their own again.
    pub(super) fn dissolve(&mut self, held: &Arc<ClaimedEntry>) {
        if take_apart(held) {
            let ids = held.entry().merged.iter().map(|merged| merged.id.clone());
            self.alone.extend(ids);
            // Look at them again at once.
            self.next(Duration::ZERO);
        }
    }

    /// Returns the entry whose text a message carries, unless another process has claimed it.
    pub(super) fn original(
        &mut self,
        dir: &Arc<Dir>,
        originals: &[Arc<ClaimedEntry>],
        id: &Id,
    ) -> Option<Arc<ClaimedEntry>> {
        if let Some(ours) = originals.iter().find(|it| it.id() == id) {
            return Some(Arc::clone(ours));
        }
        match self.claim(dir, id) {
            Claim::Held(held) => Some(held),
            _ => None,
        }
    }

    /// Gives up the texts that end in a part in doubt: a resend could only repeat them. The other
    /// texts have not arrived whole and are sent on their own.
    pub(super) fn fail_merged(&mut self, dir: &Arc<Dir>, message: &Dispatch, reason: &Reason) {
        let Some(held) = message.held() else { return };
        let part = held.attempts().sent;
        let is_instead = message.entry.is_instead();
        let merged = message.entry.merged.iter();
        // What goes by the fallback and has begun to arrive there does not go by the app.
        for merged in merged.filter(|it| it.part == part || is_instead && it.part > part) {
            if let Some(original) = self.original(dir, &message.originals, &merged.id) {
                if is_instead {
                    fallback::note_doubt(&original);
                }
                self.refuse(&original, reason);
            }
        }
        self.dissolve(&held);
    }

    /// Claims the entries in `behind` whose texts can be merged with `first`, and returns them as
    /// one message, below `mark` if that isn't empty.
    pub(super) fn merged(
        &mut self,
        dir: &Arc<Dir>,
        first: &Arc<ClaimedEntry>,
        sender: &Rc<Sender>,
        behind: &[Id],
        mark: &str,
    ) -> Option<Dispatch> {
        if !sender.settings.outbox.merge || self.alone.contains(first.id()) {
            return None;
        }
        let text = merge::text(first.entry(), &first.attempts())?;
        let to = audience(&first.entry().messages[0]);
        let mut held = vec![Arc::clone(first)];
        let (now, max_age) = (Stamp::now(), sender.settings.outbox.max_age);
        for id in behind.iter().take(AHEAD_MAX) {
            if held.len() >= merge::TEXTS_MAX || self.carried.contains(id) {
                break;
            }
            let Claim::Held(next) = self.claim(dir, id) else {
                // Claimed by another process, or unreadable: handled when the walk reaches it.
                break;
            };
            if next.is_carried() {
                // By what the walk reaches later, which removes it: nothing goes ahead of that.
                break;
            }
            let entry = next.entry();
            let attempts = next.attempts();
            let is_of_sender = entry.sender == first.entry().sender;
            let is_alike = merge::text(entry, &attempts).is_some_and(|it| it.is_alike(&text));
            let is_free = attempts.hold.is_none() && !self.alone.contains(id);
            let is_young = entry.age(&now) <= max_age;
            if is_of_sender && is_alike && is_free && is_young {
                held.push(next);
                continue;
            }
            let message = entry.messages.get(attempts.sent);
            let message = message.unwrap_or(&entry.messages[0]);
            let stays_behind = is_of_sender
                && message.channel == first.entry().messages[0].channel
                && meet(&to, &audience(message));
            self.ahead.insert(id.clone(), Arc::clone(&next));
            if stays_behind {
                break;
            }
        }
        let entry = if held.len() >= merge::TEXTS_MIN {
            let texts = held.iter().filter_map(|it| {
                let text = merge::text(it.entry(), &it.attempts())?;
                Some((it.id().clone(), it.entry(), text))
            });
            let texts: Vec<_> = texts.collect();
            let head = (self.wording.merged)(sender.settings.phone_lang, texts.len());
            let gap = if mark.is_empty() { "" } else { "\n" };
            merge::merged(&texts, &format!("{mark}{gap}{head}"), SystemTime::now())
        } else {
            None
        };
        let Some(entry) = entry else {
            let others = held.into_iter().skip(1);
            self.ahead.extend(others.map(|it| (it.id().clone(), it)));
            return None;
        };
        self.carried.extend(held.iter().map(|it| it.id().clone()));
        let deferred = Deferred::new(dir, first.id().before(), entry.clone(), held.clone());
        Some(Dispatch {
            entry,
            kept: Spooled::Deferred(Arc::new(deferred)),
            originals: held,
            sender: Rc::clone(sender),
            to,
            is_old: false,
        })
    }
}

/// Removes an entry that carries texts; returns whether that succeeded.
pub(super) fn take_apart(held: &ClaimedEntry) -> bool {
    let done = held.dissolve();
    if let Err(error) = &done {
        tracing::info!(id = %held.id(), %error, "merged messages cannot be separated");
    }
    done.is_ok()
}
