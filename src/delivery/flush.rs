//! Delivering what the outbox keeps: oldest first, every sender of the config, nobody's order broken.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Display;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::reason::{HOLD_MAX, Why};
use super::{Delivery, Marks, Reason, Sender, Senders, Tally, Undelivered, receivers, upload_time};
use crate::disk::Dir;
use crate::error::{Exit, Failure};
use crate::lang::say;
use crate::ledger::{Receivers, Share};
use crate::message::{Channel, Post};
use crate::outbox::{
    self, Attempts, Claim, Entry, Held, Id, Kept, Look, Outbox, SenderName, Verdict, unix_ms,
};

/// Names read in one go; with more of them memory stays flat.
const CHUNK: usize = 4096;

/// Longest time for one message; a flush as a whole may have no limit.
const MESSAGE_MAX: Duration = Duration::from_secs(30);

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
    pub(crate) tally: Tally,
    /// Senders that are not tried again in this flush.
    stopped: HashSet<SenderName>,
    /// Receivers that wait for their turn: nothing overtakes what is for them. Chats wait apart.
    waiting: BTreeMap<(SenderName, Option<Channel>), Waiting>,
    tried: usize,
    look: Look,
}

#[derive(Default)]
struct Waiting {
    everyone: bool,
    members: BTreeSet<String>,
}

impl Waiting {
    fn add(&mut self, receivers: &Receivers) {
        match receivers {
            Receivers::Everyone => self.everyone = true,
            Receivers::Members(members) => self.members.extend(members.iter().cloned()),
        }
    }

    fn touches(&self, receivers: &Receivers) -> bool {
        self.everyone
            || match receivers {
                Receivers::Everyone => !self.members.is_empty(),
                Receivers::Members(members) => {
                    members.iter().any(|name| self.members.contains(name))
                }
            }
    }
}

impl<'a> Flush<'a> {
    /// A flush that has not begun.
    pub(crate) fn new(senders: &'a Senders<'a>, outbox: &'a Outbox, bounds: Bounds) -> Self {
        Self {
            senders,
            outbox,
            bounds,
            tally: Tally::default(),
            stopped: HashSet::new(),
            waiting: BTreeMap::new(),
            tried: 0,
            look: Look::default(),
        }
    }

    /// Goes once through the outbox, from the oldest entry on.
    ///
    /// # Errors
    /// Where the outbox itself cannot be read.
    pub(crate) fn pass(&mut self) -> io::Result<()> {
        self.waiting.clear();
        let before = std::mem::take(&mut self.tally);
        self.tally = Tally {
            delivered: before.delivered,
            failed: before.failed,
            expired: before.expired,
            stopped: before.stopped,
            ..Tally::default()
        };
        let Some(dir) = self.outbox.open()? else {
            return Ok(());
        };
        self.look = self.outbox.look_for_expired();
        let mut after = None;
        let mut looked = 0;
        loop {
            let ids = outbox::oldest(&dir, after.as_ref(), CHUNK)?;
            let Some(last) = ids.last().cloned() else {
                return Ok(());
            };
            for id in &ids {
                looked += 1;
                if looked > self.bounds.looks || self.tried >= self.bounds.tries {
                    self.tally.left += 1;
                    return Ok(());
                }
                if self.is_late() {
                    self.tally.left += 1;
                } else {
                    self.entry(&dir, id);
                }
            }
            after = Some(last);
        }
    }

    /// Lets the senders that were stopped have another try.
    pub(crate) fn forgive(&mut self) {
        self.stopped.clear();
        self.tally.stopped = None;
    }

    /// How long it is until something may go; none where that is not known.
    pub(crate) fn next_in(&self) -> Option<Duration> {
        let next = self.tally.next?;
        Some(next.duration_since(SystemTime::now()).unwrap_or_default())
    }

    fn is_late(&self) -> bool {
        let late = |deadline| Instant::now() >= deadline;
        self.bounds.deadline.is_some_and(late)
    }

    fn entry(&mut self, dir: &Arc<Dir>, id: &Id) {
        match outbox::claim(dir, id) {
            Claim::Held(held) => self.held(dir, &held),
            Claim::Busy => self.tally.busy += 1,
            Claim::Gone => {}
            Claim::Newer => {
                let what = say!(
                    "{id} 由更新版本的 wxpush 写入",
                    "{id} was written by a newer wxpush"
                );
                self.tally.strange.push(what);
            }
            Claim::Damaged => {
                self.tally.failed += 1;
                let text = say!(
                    "{id} 已损坏：没有发送，已移入 failed/",
                    "{id} is damaged: it was not sent, and lies in failed/ now"
                );
                tracing::warn!("{text}");
            }
            Claim::Foreign(error) => self.tally.strange.push(because(id, &error)),
            Claim::Unusable(error) => {
                let what = because(id, &error);
                self.tally.left += 1;
                let failure = Failure::new(Exit::NotNow, what.clone());
                self.tally.stopped.get_or_insert(failure);
                self.tally.strange.push(what);
            }
        }
    }

    fn held(&mut self, dir: &Arc<Dir>, held: &Arc<Held>) {
        let entry = held.entry();
        let attempts = held.attempts();
        if attempts.sent >= entry.posts.len() {
            // Delivered, but somebody could not remove it.
            if let Err(error) = held.remove() {
                tracing::info!(id = %held.id(), %error, "delivered, and still cannot be removed");
            }
            return;
        }
        let sender = match self.senders.get(&entry.sender) {
            Some(Ok(sender)) => sender,
            Some(Err(failure)) => {
                self.tally.left += 1;
                self.tally.stopped.get_or_insert(failure);
                return;
            }
            None => {
                *self.tally.others.entry(entry.sender.clone()).or_default() += 1;
                return;
            }
        };
        let now = SystemTime::now();
        let age = now.duration_since(entry.retried.unwrap_or(entry.accepted));
        if age.unwrap_or_default() > sender.settings.outbox.max_age {
            self.expire(dir, held, &sender);
            return;
        }
        self.tally.left += 1;
        if self.stopped.contains(&entry.sender) {
            return;
        }
        // After a jump of the clock nothing waits longer than anything may.
        let longest = unix_ms(now + HOLD_MAX);
        if let Some(at) = attempts
            .not_before
            .filter(|at| (unix_ms(now)..=longest).contains(at))
        {
            let wait = Duration::from_millis(at - unix_ms(now));
            self.next(now + wait);
            // Not refused in this flush: once that time has come it is tried.
            self.waits(entry, &attempts).everyone = true;
            return;
        }
        let receivers = receivers(&entry.posts[attempts.sent]);
        let waiting = self.waits(entry, &attempts);
        if waiting.touches(&receivers) {
            waiting.add(&receivers);
            return;
        }
        self.deliver(held, &sender, &receivers);
    }

    fn deliver(&mut self, held: &Arc<Held>, sender: &Rc<Sender>, receivers: &Receivers) {
        let entry = held.entry();
        let more = upload_time(entry.bytes_of_files());
        let until = Instant::now() + MESSAGE_MAX + more;
        let delivery = Delivery {
            sender,
            deadline: match self.bounds.deadline {
                None => until,
                Some(end) if self.bounds.files => until.min(end + more),
                Some(end) => until.min(end),
            },
            share: Share::Backlog,
            once: true,
            resends: true,
            watching: None,
        };
        let untold = self.look.untold(&entry.sender, &entry.posts[0].envelope());
        let marks = Marks {
            accepted: entry.accepted,
            expired: untold.count(),
            lang: sender.settings.phone_lang,
        };
        let mut unreached = crate::wecom::Unreached::default();
        let kept = Kept::Held(Arc::clone(held));
        let told = || self.look.told(&untold);
        let end = delivery.carry(entry, marks, &kept, told, |answer| {
            unreached.merge(&answer.map_or_else(|absent| absent, |sent| sent.unreached));
        });
        let reason = match end {
            Ok(()) => {
                tracing::info!(id = %held.id(), "flushed");
                self.tried += 1;
                self.tally.left -= 1;
                self.tally.delivered += 1;
                if !unreached.is_empty() {
                    let (id, whom) = (held.id(), unreached.describe());
                    let text = say!(
                        "{id} 已发送，但企业微信无法送达：{whom}",
                        "{id} was delivered, but WeCom could not reach: {whom}"
                    );
                    tracing::warn!("{text}");
                }
                return;
            }
            Err(Undelivered::Refused(reason)) => {
                self.tried += 1;
                self.refuse(held, &reason);
                return;
            }
            Err(Undelivered::NotNow(reason)) => reason,
        };
        if let Why::NoSlot(wait) = &reason.error {
            let next = SystemTime::now() + *wait;
            self.next(next);
            self.waits(entry, &held.attempts()).add(receivers);
            return;
        }
        self.tried += 1;
        let failure = reason.failure();
        keep(held, &reason, &failure);
        self.stopped.insert(entry.sender.clone());
        self.tally.stopped.get_or_insert(failure);
    }

    /// Who waits, of those whom the entry's next part is counted among.
    fn waits(&mut self, entry: &Entry, attempts: &Attempts) -> &mut Waiting {
        let channel = entry.posts.get(attempts.sent).and_then(Post::channel);
        self.waiting
            .entry((entry.sender.clone(), channel))
            .or_default()
    }

    fn next(&mut self, at: SystemTime) {
        let next = self.tally.next.get_or_insert(at);
        *next = at.min(*next);
    }

    fn refuse(&mut self, held: &Arc<Held>, reason: &Reason) {
        let failure = reason.failure();
        if !give_up(held, &Verdict::of(reason, &failure)) {
            self.tally.stopped.get_or_insert(failure);
            return;
        }
        self.tally.left -= 1;
        self.tally.failed += 1;
        let (id, what) = (held.id(), failure.what);
        let text = say!(
            "{id} 被拒绝，已移入 failed/：{what}",
            "{id} was refused, and lies in failed/ now: {what}"
        );
        tracing::warn!("{text}");
    }

    fn expire(&mut self, dir: &Arc<Dir>, held: &Arc<Held>, sender: &Sender) {
        let entry = held.entry();
        let max_age = crate::token::seconds(sender.settings.outbox.max_age.as_secs());
        let mut error = say!(
            "在 {max_age}（max_age）内未能送达",
            "it could not be delivered within {max_age} (max_age)"
        );
        if let Some(last) = held.attempts().error {
            error = because(&error, &last);
        }
        self.tally.expired += 1;
        let verdict = Verdict {
            at: unix_ms(SystemTime::now()),
            exit_code: Exit::NotNow.code(),
            error: error.clone(),
            ..Verdict::default()
        };
        if give_up(held, &verdict) {
            outbox::count_expired(dir, &entry.sender, &entry.posts[0].envelope());
            self.look = self.outbox.look_for_expired();
            let id = held.id();
            let text = say!(
                "{id} 已过期，已移入 failed/：{error}",
                "{id} has expired, and lies in failed/ now: {error}"
            );
            tracing::warn!("{text}");
        }
    }
}

/// What happened, and why.
fn because(what: &dyn Display, why: &dyn Display) -> String {
    say!("{what}：{why}", "{what}: {why}")
}

/// Writes down, beside a message that stays in the outbox, why it does.
pub(crate) fn keep(held: &Held, reason: &Reason, failure: &Failure) {
    held.note(|attempts| {
        attempts.error = Some(failure.what.clone());
        attempts.not_before = reason.not_before();
    });
    tracing::info!(id = %held.id(), reason = failure.what, "kept");
}

/// Puts a message among the failed, and says whether that could be done.
pub(crate) fn give_up(held: &Held, verdict: &Verdict) -> bool {
    let done = held.refuse(verdict);
    if let Err(error) = &done {
        let id = held.id();
        let text = say!(
            "{id} 无法移入 failed/：{error}",
            "{id} cannot be put among the failed: {error}"
        );
        tracing::warn!("{text}");
    }
    done.is_ok()
}
