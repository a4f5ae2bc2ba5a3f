//! Delivering what the outbox keeps: oldest first, every sender of the config, nobody's order broken.

mod dispatch;
mod merging;
mod outcome;

use dispatch::Dispatch;
use outcome::next_call;
pub(crate) use outcome::{give_up, keep_new};

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::audiences::WaitingAudiences;
use super::summary::Strange;
use super::turn::{Suspect, Turn};
use super::{FlushSummary, Senders, Wording, audience};
use crate::clock::Stamp;
use crate::disk::Dir;
use crate::message::Channel;
use crate::notice::{self, Notice};
use crate::outbox::{
    self, Attempts, Claim, ClaimedEntry, Clocks, Entry, HoldScope, Id, Outbox, OutboxSnapshot,
    SenderName,
};

/// Names read in one go; with more of them memory stays flat.
const CHUNK: usize = 4096;

/// How far a flush goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// None: until the outbox is empty.
    pub(crate) deadline: Option<Instant>,
    /// Most messages that are tried.
    pub(crate) tries: usize,
    /// Most entries that are looked at in one go.
    pub(crate) looks: usize,
    /// Whether a file has the time that it takes on a slow network, beyond the deadline: else it
    /// might be begun again for ever.
    pub(crate) files: bool,
}

/// A flush of one outbox.
pub(crate) struct Flush<'a> {
    senders: &'a Senders<'a>,
    outbox: &'a Outbox,
    bounds: Bounds,
    wording: Wording,
    pub(crate) summary: FlushSummary,
    turns: HashMap<SenderName, Turn>,
    /// Recipients that wait for their turn: nothing overtakes what is for them. Chats wait apart.
    waiting: BTreeMap<(SenderName, Channel), WaitingAudiences>,
    /// Entries whose texts another entry carries: they are not sent themselves.
    carried: HashSet<Id>,
    /// Texts that are not to go together with others in this flush.
    alone: HashSet<Id>,
    /// Entries that are claimed, and whose turn is still to come.
    ahead: HashMap<Id, Arc<ClaimedEntry>>,
    tried: usize,
    /// Whether messages were left out in this pass that had been refused before with all else.
    left_out: bool,
    clocks: Clocks,
    /// What has expired, untold; none where that has to be looked up.
    look: Option<OutboxSnapshot>,
}

impl<'a> Flush<'a> {
    /// A flush that has not begun.
    pub(crate) fn new(
        senders: &'a Senders<'a>,
        outbox: &'a Outbox,
        bounds: Bounds,
        wording: Wording,
    ) -> Self {
        Self {
            senders,
            outbox,
            bounds,
            wording,
            summary: FlushSummary::default(),
            turns: HashMap::new(),
            waiting: BTreeMap::new(),
            carried: HashSet::new(),
            alone: HashSet::new(),
            ahead: HashMap::new(),
            tried: 0,
            left_out: false,
            clocks: Clocks::default(),
            look: None,
        }
    }

    /// The same, knowing that a message of this sender has just arrived.
    pub(crate) fn works(mut self, sender: SenderName) -> Self {
        self.turns.insert(sender, Turn::working());
        self
    }

    /// The same, knowing what the clocks tell.
    pub(crate) fn at(mut self, clocks: Clocks) -> Self {
        self.clocks = clocks;
        self
    }

    /// Goes once through the outbox, from the oldest entry on.
    ///
    /// # Errors
    /// Where the outbox itself cannot be read.
    pub(crate) fn pass(&mut self) -> io::Result<()> {
        self.waiting.clear();
        self.carried.clear();
        let before = std::mem::take(&mut self.summary);
        self.summary = FlushSummary {
            delivered: before.delivered,
            failed: before.failed,
            expired: before.expired,
            stopped: before.stopped,
            ..FlushSummary::default()
        };
        let Some(dir) = self.outbox.open()? else {
            return Ok(());
        };
        self.turns.values_mut().for_each(Turn::begin);
        let done = self.walk(&dir);
        self.ahead.clear();
        let turns = self.turns.values_mut();
        let blamed: Vec<Suspect> = turns.flat_map(Turn::blamed).collect();
        for Suspect { held, reason } in blamed {
            self.pass_over(&held, &reason);
        }
        if std::mem::take(&mut self.left_out) && self.summary.delivered > before.delivered {
            // Others have passed meanwhile.
            self.next(Duration::ZERO);
        }
        done
    }

    fn walk(&mut self, dir: &Arc<Dir>) -> io::Result<()> {
        let mut after = None;
        let mut looked = 0;
        loop {
            let ids: Vec<Id> = outbox::oldest(dir, after.as_ref(), CHUNK)?
                .into_iter()
                .collect();
            let Some(last) = ids.last().cloned() else {
                return Ok(());
            };
            for (at, id) in ids.iter().enumerate() {
                looked += 1;
                if looked > self.bounds.looks || self.tried >= self.bounds.tries {
                    self.summary.left += 1;
                    return Ok(());
                }
                if self.is_late() {
                    self.summary.left += 1;
                } else {
                    self.entry(dir, id, &ids[at + 1..]);
                }
            }
            after = Some(last);
        }
    }

    /// Lets the senders that were stopped have another try.
    pub(crate) fn forgive(&mut self) {
        self.turns.values_mut().for_each(Turn::forgive);
        self.summary.stopped = None;
    }

    /// How long it is until something may go; none where that is not known.
    pub(crate) fn next_in(&self) -> Option<Duration> {
        let next = self.summary.next?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn is_late(&self) -> bool {
        let late = |deadline| Instant::now() >= deadline;
        self.bounds.deadline.is_some_and(late)
    }

    fn claim(&mut self, dir: &Arc<Dir>, id: &Id) -> Claim {
        let claim = match self.ahead.remove(id) {
            Some(held) => Claim::Held(held),
            None => outbox::claim(dir, id),
        };
        if matches!(claim, Claim::Damaged) {
            self.summary.failed += 1;
            notice::notify(&Notice::EntryDamaged { id });
        }
        claim
    }

    fn entry(&mut self, dir: &Arc<Dir>, id: &Id, behind: &[Id]) {
        if self.carried.contains(id) {
            self.summary.left += 1;
            return;
        }
        match self.claim(dir, id) {
            Claim::Held(held) => self.held(dir, held, behind),
            Claim::Busy => self.busy(dir, id),
            Claim::Gone | Claim::Damaged => {}
            Claim::Newer => {
                self.summary.strange.push((id.to_string(), Strange::Newer));
            }
            Claim::Foreign(error) => {
                self.summary
                    .strange
                    .push((id.to_string(), Strange::Foreign(error)));
            }
            Claim::Unusable(error) => {
                self.summary.left += 1;
                let failure = (self.wording.unusable)(id, &error);
                self.summary.stopped.get_or_insert(failure);
                self.summary
                    .strange
                    .push((id.to_string(), Strange::Unusable(error)));
            }
        }
    }

    /// Another process has it in hand: what is for the same recipients waits until it is done.
    fn busy(&mut self, dir: &Arc<Dir>, id: &Id) {
        self.summary.busy += 1;
        let Ok(Some(Ok((entry, attempts)))) = outbox::peek(dir, id) else {
            return;
        };
        self.carried
            .extend(entry.merged.iter().map(|merged| merged.id.clone()));
        for message in entry.messages.iter().skip(attempts.sent) {
            self.waits(&entry.sender, message.channel)
                .add(&audience(message));
        }
    }

    fn held(&mut self, dir: &Arc<Dir>, held: Arc<ClaimedEntry>, behind: &[Id]) {
        let entry = held.entry();
        let attempts = held.attempts();
        if attempts.sent >= entry.messages.len() || held.is_done() {
            // Delivered, but somebody could not remove it.
            if let Err(error) = held.finish() {
                tracing::info!(id = %held.id(), %error, "delivered, and still cannot be removed");
                self.summary.left += 1;
                let merged = entry.merged.iter().map(|merged| merged.id.clone());
                self.carried.extend(merged);
            }
            return;
        }
        let now = Stamp::now();
        let sender = match self.senders.get(&entry.sender) {
            Some(Ok(sender)) => sender,
            Some(Err(failure)) => {
                self.summary.left += 1;
                self.summary.stopped.get_or_insert(failure);
                return;
            }
            None => return self.other(dir, &held, &now),
        };
        self.carried
            .extend(entry.merged.iter().map(|merged| merged.id.clone()));
        // An entry that carries others is counted by those others.
        self.summary.left += usize::from(entry.merged.is_empty());
        let is_old = entry.age(&now) > sender.settings.outbox.max_age;
        if self.turn(&entry.sender).is_stopped() {
            if let Some(answered) = self.turn(&entry.sender).in_vain()
                && is_old
                && entry.merged.is_empty()
                && self.may_expire(entry, answered)
            {
                self.expire(dir, &held, sender.settings.outbox.max_age);
            }
            return;
        }
        if held.is_carried() {
            return;
        }
        if let Some((hold, left)) = attempts
            .hold
            .and_then(|hold| Some((hold, hold.left(&now)?)))
        {
            self.next(left);
            if hold.on == HoldScope::App {
                self.turn(&entry.sender).hold();
            }
            return;
        }
        let next = &entry.messages[attempts.sent];
        if self.is_call_stopped(entry, &attempts) {
            return;
        }
        if attempts.suspected && self.turn(&entry.sender).leaves_out_suspects() {
            self.left_out = true;
            return;
        }
        if !entry.merged.is_empty() && !self.is_worth_carrying(&held, &attempts, is_old) {
            return;
        }
        let to = audience(next);
        let waiting = self.waits(&entry.sender, next.channel);
        if waiting.touches(&to) {
            waiting.add(&to);
            return;
        }
        let merged = (!is_old).then(|| self.merged(dir, &held, &sender, behind));
        if let Some(merged) = merged.flatten() {
            self.deliver(dir, &merged, &sender, &to, false);
        } else {
            let one = Dispatch::of(&held);
            self.deliver(dir, &one, &sender, &to, is_old);
        }
    }

    /// An entry of a sender that the config does not have. It cannot be tried: it is given up only
    /// by a clock that can be trusted.
    fn other(&mut self, dir: &Arc<Dir>, held: &Arc<ClaimedEntry>, now: &Stamp) {
        let entry = held.entry();
        let is_certain = entry.accepted.is_same_boot(now) || self.clocks.steady;
        let max_age = self.senders.max_age();
        if is_certain && entry.age(now) > max_age {
            self.expire(dir, held, max_age);
        } else {
            *self.summary.others.entry(entry.sender.clone()).or_default() += 1;
        }
    }

    /// Whether the call that an entry needs next is not made any more in this turn.
    fn is_call_stopped(&mut self, entry: &Entry, attempts: &Attempts) -> bool {
        let own = entry.messages[attempts.sent].channel.call();
        let turn = self.turn(&entry.sender);
        turn.is_call_stopped(own) || turn.is_call_stopped(next_call(entry, attempts))
    }

    fn turn(&mut self, name: &SenderName) -> &mut Turn {
        self.turns.entry(name.clone()).or_default()
    }

    /// Who waits, of those whom messages by this road are counted among.
    fn waits(&mut self, name: &SenderName, channel: Channel) -> &mut WaitingAudiences {
        self.waiting.entry((name.clone(), channel)).or_default()
    }

    fn next(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
        let next = self.summary.next.get_or_insert(at);
        *next = at.min(*next);
    }
}
