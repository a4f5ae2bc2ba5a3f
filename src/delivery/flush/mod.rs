//! Flushing the outbox: oldest entry first, every sender of the config, in order for each
//! recipient.

mod at_once;
mod dispatch;
mod instead;
mod merging;
mod outcome;
mod users;
mod walk;

use at_once::AllFlights;
use dispatch::Dispatch;
use outcome::next_call;
pub(crate) use outcome::{give_up, keep_new};
use users::UserMails;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::audiences::WaitingAudiences;
use super::summary::Strange;
use super::turn::Turn;
use super::{FlushSummary, Sender, Senders, Wording, audience};
use chrono::Local;

use crate::clock::Stamp;
use crate::disk::Dir;
use crate::maildrop;
use crate::message::Channel;
use crate::notice::{self, Notice};
use crate::outbox::{
    self, Attempts, Claim, ClaimedEntry, Clocks, Entry, HoldScope, Id, Outbox, OutboxSnapshot,
    Removals, SenderName, SpareRecords,
};
use crate::rate_limit::{Audience, Share};

/// The limits of a flush.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// `None` means until the outbox is empty.
    pub(crate) deadline: Option<Instant>,
    /// Most messages to try.
    pub(crate) tries: usize,
    /// Most entries to look at in one pass.
    pub(crate) looks: usize,
    /// Whether a file may take its upload time on a slow network beyond the deadline; otherwise its
    /// upload might be restarted for ever.
    pub(crate) files: bool,
    /// Whether messages to different recipients may be under way at the same time.
    pub(crate) at_once: bool,
}

/// A flush of one outbox.
pub(crate) struct Flush<'a> {
    senders: &'a Senders<'a>,
    outbox: &'a Outbox,
    bounds: Bounds,
    wording: Wording,
    pub(crate) summary: FlushSummary,
    turns: HashMap<SenderName, Turn>,
    users: UserMails,
    /// The share of the slots for what the walk goes through.
    share: Share,
    /// The recipients with a waiting message, which no later message overtakes. Chats are kept
    /// apart, and so is each user.
    waiting: BTreeMap<(SenderName, Channel, Share), WaitingAudiences>,
    /// Entries whose texts another entry carries; they are not sent themselves.
    carried: HashSet<Id>,
    /// Those of them that are counted as left, since the entry that carries them is under way.
    counted: HashSet<Id>,
    /// Entries that were tried in vain in this pass.
    in_vain: HashSet<Id>,
    /// Texts not to merge in this flush.
    alone: HashSet<Id>,
    /// Entries claimed before the walk reaches them.
    ahead: HashMap<Id, Arc<ClaimedEntry>>,
    /// The requests under way.
    flights: AllFlights,
    removals: Removals,
    spares: Arc<SpareRecords>,
    tried: usize,
    /// Whether this pass skipped messages that had been refused together with everything else.
    left_out: bool,
    clocks: Clocks,
    /// The snapshot with the expired messages to notify of; `None` if it has to be taken again.
    snapshot: Option<OutboxSnapshot>,
}

impl<'a> Flush<'a> {
    /// Returns a flush that has not started.
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
            users: UserMails::default(),
            share: Share::Backlog,
            waiting: BTreeMap::new(),
            carried: HashSet::new(),
            counted: HashSet::new(),
            in_vain: HashSet::new(),
            alone: HashSet::new(),
            ahead: HashMap::new(),
            flights: HashMap::new(),
            removals: Removals::default(),
            spares: Arc::default(),
            tried: 0,
            left_out: false,
            clocks: Clocks::default(),
            snapshot: None,
        }
    }

    /// Marks a sender as working, after a message of it was delivered.
    pub(crate) fn works(mut self, sender: SenderName) -> Self {
        self.turns.insert(sender, Turn::working());
        self
    }

    /// Sets the findings about the clocks.
    pub(crate) fn at(mut self, clocks: Clocks) -> Self {
        self.clocks = clocks;
        self
    }

    /// Goes through the outbox once, from the oldest entry on.
    ///
    /// # Errors
    /// An I/O error if the outbox cannot be read.
    pub(crate) fn pass(&mut self) -> io::Result<()> {
        self.waiting.clear();
        self.carried.clear();
        self.counted.clear();
        self.in_vain.clear();
        let before = self.summary.delivered;
        self.summary.start_pass();
        let Some(dir) = self.outbox.open()? else {
            return Ok(());
        };
        self.find_users();
        self.all_turns().for_each(Turn::begin);
        let done = self.walk(&dir);
        self.end_turns(&dir);
        self.walk_users(&dir);
        if std::mem::take(&mut self.left_out) && self.summary.delivered > before {
            // Messages were delivered meanwhile: try the skipped ones.
            self.next(Duration::ZERO);
        }
        done
    }

    /// Lets the stopped senders try again.
    pub(crate) fn forgive(&mut self) {
        self.all_turns().for_each(Turn::forgive);
        self.summary.stopped = None;
    }

    /// Returns the time until the next message may be sent; `None` if that is not known.
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
            None => outbox::claim(dir, id, Some(&self.spares)),
        };
        if matches!(claim, Claim::Damaged) {
            self.summary.failed += 1;
            notice::notify(&Notice::EntryDamaged { id });
        }
        claim
    }

    fn entry(&mut self, dir: &Arc<Dir>, id: &Id, behind: &[Id]) {
        if self.carried.contains(id) {
            self.counted.insert(id.clone());
            self.summary.left += 1;
            return;
        }
        match self.claim(dir, id) {
            Claim::Held(held) if self.sets_aside(&held) => {}
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

    /// Handles an entry that another process has claimed: messages to the same recipients wait,
    /// unless it is only reserved.
    fn busy(&mut self, dir: &Arc<Dir>, id: &Id) {
        self.summary.busy += 1;
        let Ok(Some(Ok((entry, attempts)))) = outbox::peek(dir, id) else {
            return;
        };
        if attempts.reserved {
            return;
        }
        self.carried
            .extend(entry.merged.iter().map(|merged| merged.id.clone()));
        let user = entry.user.map(maildrop::user_of);
        let share = user.map_or(Share::Backlog, Share::User);
        for message in entry.messages.iter().skip(attempts.sent) {
            let key = (entry.sender.clone(), message.channel, share);
            let waiting = self.waiting.entry(key).or_default();
            waiting.add(&audience(message));
        }
    }

    fn held(&mut self, dir: &Arc<Dir>, held: Arc<ClaimedEntry>, behind: &[Id]) {
        let entry = held.entry();
        let attempts = held.attempts();
        if attempts.sent >= entry.messages.len() || held.is_done() {
            return self.delivered_before(&held);
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
        if let Some(until) = sender.holds_until(entry, &attempts) {
            self.summary.quiet += 1;
            self.next((until - Local::now()).to_std().unwrap_or_default());
            return;
        }
        self.make_way(dir, entry, &attempts);
        // The carried entries are counted instead of the one that carries them.
        self.summary.left += usize::from(entry.merged.is_empty());
        let is_old = entry.age(&now) > sender.settings.outbox.max_age;
        if self.turn(&entry.sender).is_stopped() {
            if self.fall_back(dir, &held, &sender, behind) {
                return;
            }
            return self.expire_if_old(dir, &held, &sender);
        }
        if held.is_carried() {
            return;
        }
        if let Some(scope) = self.waits_still(&sender, entry, &attempts, &now) {
            if scope == HoldScope::App {
                self.fall_back(dir, &held, &sender, behind);
            }
            return;
        }
        let next = &entry.messages[attempts.sent];
        if self.is_call_stopped(entry, &attempts) {
            self.fall_back(dir, &held, &sender, behind);
            return;
        }
        if attempts.suspected && self.turn(&entry.sender).leaves_out_suspects() {
            self.left_out = true;
            self.fall_back(dir, &held, &sender, behind);
            return;
        }
        if !entry.merged.is_empty() && !self.is_worth_carrying(&held, &attempts, is_old) {
            return;
        }
        let to = audience(next);
        if self.is_behind(&entry.sender, next.channel, &to) {
            self.waits(&entry.sender, next.channel).add(&to);
            return;
        }
        let merged = (!is_old).then(|| self.merged(dir, &held, &sender, behind, ""));
        let message = merged.flatten();
        let app = Rc::clone(&sender);
        let message = message.unwrap_or_else(|| Dispatch::of(&held, sender, to, is_old));
        self.dispatch(dir, message);
        if self.in_vain.contains(held.id()) && !self.fall_back(dir, &held, &app, behind) {
            self.expire_if_old(dir, &held, &app);
        }
    }

    /// Returns whose back-off an entry waits for, if it does.
    fn waits_still(
        &mut self,
        sender: &Sender,
        entry: &Entry,
        attempts: &Attempts,
        now: &Stamp,
    ) -> Option<HoldScope> {
        let hold = attempts.hold?;
        let left = hold.left(now)?;
        let turn = self.turn(&entry.sender);
        let last_taken = || sender.ledger(Channel::App)?.last_taken();
        let since = hold.since.and_then(|since| since.age(now));
        if since.is_some_and(|since| turn.has_sent_since(since, last_taken)) {
            return None;
        }
        if hold.on == HoldScope::App {
            turn.hold();
        }
        self.next(left);
        Some(hold.on)
    }

    /// Handles an entry whose sender is not in the config. It cannot be tried, so it expires only
    /// by a clock that can be trusted.
    fn other(&mut self, dir: &Arc<Dir>, held: &Arc<ClaimedEntry>, now: &Stamp) {
        let entry = held.entry();
        if entry.is_instead() && !held.attempts().is_in_the_dark() {
            // The app's entries, which it carries, don't depend on this robot.
            return self.return_to_app(dir, held, &[], false);
        }
        let is_certain = entry.accepted.is_same_boot(now) || self.clocks.steady;
        let max_age = self.senders.max_age();
        if is_certain && entry.age(now) > max_age {
            self.expire(dir, held, max_age);
        } else {
            *self.summary.others.entry(entry.sender.clone()).or_default() += 1;
        }
    }

    /// Whether this turn no longer makes the call that an entry needs next.
    fn is_call_stopped(&mut self, entry: &Entry, attempts: &Attempts) -> bool {
        let own = entry.messages[attempts.sent].channel.call();
        let turn = self.turn(&entry.sender);
        turn.is_call_stopped(own) || turn.is_call_stopped(next_call(entry, attempts))
    }

    fn all_turns(&mut self) -> impl Iterator<Item = &mut Turn> {
        self.turns.values_mut().chain(self.users.turns.values_mut())
    }

    fn turn(&mut self, name: &SenderName) -> &mut Turn {
        self.turns.entry(name.clone()).or_default()
    }

    /// Returns the recipients with a waiting message, among those counted together on this channel.
    fn waits(&mut self, name: &SenderName, channel: Channel) -> &mut WaitingAudiences {
        let key = (name.clone(), channel, self.share);
        self.waiting.entry(key).or_default()
    }

    /// Whether a message to some of these waits: one of root's, or of the same user.
    fn is_behind(&self, name: &SenderName, channel: Channel, to: &Audience) -> bool {
        [Share::Backlog, self.share].into_iter().any(|share| {
            let waiting = self.waiting.get(&(name.clone(), channel, share));
            waiting.is_some_and(|it| it.touches(to))
        })
    }

    fn next(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
        let next = self.summary.next.get_or_insert(at);
        *next = at.min(*next);
    }
}
