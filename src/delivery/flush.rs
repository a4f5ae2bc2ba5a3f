//! Delivering what the outbox keeps: oldest first, every sender of the config, nobody's order broken.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Display;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::marks::LATE;
use super::reason::Why;
use super::turn::{Suspect, Turn};
use super::{
    Delivery, Marks, Reason, Sender, Senders, Tally, Undelivered, fingerprint, merge, receivers,
    upload_time,
};
use crate::clock::Stamp;
use crate::disk::Dir;
use crate::error::{Exit, Failure};
use crate::lang::say;
use crate::ledger::{Receivers, Share};
use crate::message::{Channel, Post};
use crate::outbox::{
    self, Attempts, Claim, Deferred, Entry, HOLD_MAX, Held, Hold, Id, Kept, Look, On, Outbox,
    SenderName, Verdict,
};
use crate::wecom::{Class, Scope};

/// Names read in one go; with more of them memory stays flat.
const CHUNK: usize = 4096;

/// Longest time for one message; a flush as a whole may have no limit.
const MESSAGE_MAX: Duration = Duration::from_secs(30);

/// How long a message waits that was refused while others went; the next time twice as long.
const PASSED_OVER_FIRST: Duration = Duration::from_mins(1);

/// A message that is held up for longer is reported once.
const HELD_UP_LONG: Duration = Duration::from_hours(1);

/// How far ahead texts are looked for that may go together, in entries.
const AHEAD_MAX: usize = 400;

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
    turns: HashMap<SenderName, Turn>,
    /// Receivers that wait for their turn: nothing overtakes what is for them. Chats wait apart.
    waiting: BTreeMap<(SenderName, Option<Channel>), Waiting>,
    /// Entries whose texts another entry carries: they are not sent themselves.
    carried: HashSet<Id>,
    /// Texts that are not to go together with others in this flush.
    alone: HashSet<Id>,
    /// Entries that are claimed, and whose turn is still to come.
    ahead: HashMap<Id, Arc<Held>>,
    tried: usize,
    /// Whether the wall clock can be trusted.
    steady: bool,
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
            turns: HashMap::new(),
            waiting: BTreeMap::new(),
            carried: HashSet::new(),
            alone: HashSet::new(),
            ahead: HashMap::new(),
            tried: 0,
            steady: false,
            look: Look::default(),
        }
    }

    /// The same, knowing that a message of this sender has just arrived.
    pub(crate) fn works(mut self, sender: SenderName) -> Self {
        self.turns.insert(sender, Turn::working());
        self
    }

    /// Goes once through the outbox, from the oldest entry on.
    ///
    /// # Errors
    /// Where the outbox itself cannot be read.
    pub(crate) fn pass(&mut self) -> io::Result<()> {
        self.waiting.clear();
        self.carried.clear();
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
        self.steady = outbox::is_steady(&dir, &Stamp::now());
        self.look = self.outbox.look_for_expired();
        let done = self.walk(&dir);
        self.ahead.clear();
        let turns = self.turns.values_mut();
        let blamed: Vec<Suspect> = turns.flat_map(Turn::blamed).collect();
        for Suspect { held, reason } in blamed {
            self.pass_over(&held, &reason);
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
                    self.tally.left += 1;
                    return Ok(());
                }
                if self.is_late() {
                    self.tally.left += 1;
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
        self.tally.stopped = None;
    }

    /// How long it is until something may go; none where that is not known.
    pub(crate) fn next_in(&self) -> Option<Duration> {
        let next = self.tally.next?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn is_late(&self) -> bool {
        let late = |deadline| Instant::now() >= deadline;
        self.bounds.deadline.is_some_and(late)
    }

    fn claim(&mut self, dir: &Arc<Dir>, id: &Id) -> Claim {
        match self.ahead.remove(id) {
            Some(held) => Claim::Held(held),
            None => outbox::claim(dir, id),
        }
    }

    fn entry(&mut self, dir: &Arc<Dir>, id: &Id, behind: &[Id]) {
        if self.carried.contains(id) {
            self.tally.left += 1;
            return;
        }
        match self.claim(dir, id) {
            Claim::Held(held) => self.held(dir, held, behind),
            Claim::Busy => self.busy(dir, id),
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

    /// Another process has it in hand: what is for the same receivers waits until it is done.
    fn busy(&mut self, dir: &Arc<Dir>, id: &Id) {
        self.tally.busy += 1;
        let Ok(Some(Ok((entry, attempts)))) = outbox::peek(dir, id) else {
            return;
        };
        self.carried
            .extend(entry.merged.iter().map(|merged| merged.id.clone()));
        for post in entry.posts.iter().skip(attempts.sent) {
            self.waits(&entry.sender, post.channel())
                .add(&receivers(post));
        }
    }

    fn held(&mut self, dir: &Arc<Dir>, held: Arc<Held>, behind: &[Id]) {
        let entry = held.entry();
        let attempts = held.attempts();
        if attempts.sent >= entry.posts.len() {
            // Delivered, but somebody could not remove it.
            if let Err(error) = held.remove() {
                tracing::info!(id = %held.id(), %error, "delivered, and still cannot be removed");
            }
            return;
        }
        let now = Stamp::now();
        let sender = match self.senders.get(&entry.sender) {
            Some(Ok(sender)) => sender,
            Some(Err(failure)) => {
                self.tally.left += 1;
                self.tally.stopped.get_or_insert(failure);
                return;
            }
            None => return self.other(dir, &held, &now),
        };
        self.carried
            .extend(entry.merged.iter().map(|merged| merged.id.clone()));
        // What carries others' texts is counted as these.
        self.tally.left += usize::from(entry.merged.is_empty());
        let is_old = entry.age(&now) > sender.settings.outbox.max_age;
        if self.turn(&entry.sender).is_stopped() {
            if is_old && entry.merged.is_empty() && self.turn(&entry.sender).is_in_vain() {
                self.expire(dir, &held, sender.settings.outbox.max_age);
            }
            return;
        }
        if let Some((hold, left)) = attempts
            .hold
            .and_then(|hold| Some((hold, hold.left(&now)?)))
        {
            self.next(left);
            if hold.on == On::App {
                self.turn(&entry.sender).hold();
            }
            return;
        }
        let post = &entry.posts[attempts.sent];
        if self.is_call_stopped(entry, &attempts) {
            return;
        }
        if !entry.merged.is_empty() && !self.is_worth_carrying(&held, &attempts, is_old) {
            return;
        }
        let to = receivers(post);
        let waiting = self.waits(&entry.sender, post.channel());
        if waiting.touches(&to) {
            waiting.add(&to);
            return;
        }
        match self.merged(dir, &held, &sender, behind) {
            Some(merged) => self.deliver(dir, &merged, &sender, &to, false),
            None => {
                let one = Message::of(&held);
                self.deliver(dir, &one, &sender, &to, is_old);
            }
        }
    }

    /// An entry of a sender that the config does not have. It cannot be tried: it is given up only
    /// by a clock that can be trusted.
    fn other(&mut self, dir: &Arc<Dir>, held: &Arc<Held>, now: &Stamp) {
        let entry = held.entry();
        let is_certain = entry.accepted.is_same_boot(now) || self.steady;
        let max_age = self.senders.max_age();
        if is_certain && entry.age(now) > max_age {
            self.expire(dir, held, max_age);
        } else {
            *self.tally.others.entry(entry.sender.clone()).or_default() += 1;
        }
    }

    /// Whether an entry that carries others' texts is still to go as it is: all of them must be there,
    /// and it must not be given up before they are.
    fn is_worth_carrying(&mut self, held: &Arc<Held>, attempts: &Attempts, is_old: bool) -> bool {
        if attempts.doubt.is_none() && (is_old || !held.has_merged()) {
            self.dissolve(held);
            return false;
        }
        true
    }

    /// Lets the texts that an entry carries go on their own again.
    fn dissolve(&mut self, held: &Arc<Held>) {
        if let Err(error) = held.remove() {
            tracing::info!(id = %held.id(), %error, "merged messages cannot be taken apart");
            return;
        }
        let ids = held.entry().merged.iter().map(|merged| merged.id.clone());
        self.alone.extend(ids);
        // They are looked at again at once.
        self.next(Duration::ZERO);
    }

    /// Gives up the texts of a message that may have arrived: one more could only repeat them.
    fn bury_merged(&mut self, dir: &Arc<Dir>, message: &Message, reason: &Reason) {
        for held in &message.originals {
            self.refuse(held, reason);
        }
        if message.originals.is_empty() {
            for merged in &message.entry.merged {
                if let Claim::Held(held) = self.claim(dir, &merged.id) {
                    self.tally.left += 1;
                    self.refuse(&held, reason);
                }
            }
        }
        if let Some(held) = message.held() {
            self.dissolve(&held);
        }
    }

    /// Claims the texts behind one that may go together with it, as one message.
    fn merged(
        &mut self,
        dir: &Arc<Dir>,
        first: &Arc<Held>,
        sender: &Rc<Sender>,
        behind: &[Id],
    ) -> Option<Message> {
        if !sender.settings.outbox.merge || self.alone.contains(first.id()) {
            return None;
        }
        let text = merge::text(first.entry(), &first.attempts())?;
        let likeness = text.likeness.clone();
        let to = receivers(&first.entry().posts[0]);
        let mut entries = vec![(first.id().clone(), first.entry().clone(), text)];
        let mut held = vec![Arc::clone(first)];
        for id in behind.iter().take(AHEAD_MAX) {
            if entries.len() >= merge::TEXTS_MAX || self.carried.contains(id) {
                break;
            }
            let Claim::Held(next) = self.claim(dir, id) else {
                // Who has it in hand, and for whom, is looked at when its turn comes.
                break;
            };
            let entry = next.entry();
            let attempts = next.attempts();
            let is_of_sender = entry.sender == first.entry().sender;
            let text = merge::text(entry, &attempts)
                .filter(|text| is_of_sender && text.likeness == likeness)
                .filter(|_| attempts.hold.is_none() && !self.alone.contains(id));
            if let Some(text) = text {
                entries.push((id.clone(), entry.clone(), text));
                held.push(next);
                continue;
            }
            let post = entry.posts.get(attempts.sent).unwrap_or(&entry.posts[0]);
            let stays_behind = is_of_sender
                && post.channel() == first.entry().posts[0].channel()
                && meet(&to, &receivers(post));
            self.ahead.insert(id.clone(), Arc::clone(&next));
            if stays_behind {
                break;
            }
        }
        let is_merged = entries.len() >= merge::TEXTS_MIN;
        let entry = is_merged
            .then(|| merge::merged(&entries, sender.settings.phone_lang, SystemTime::now()))
            .flatten();
        let Some(entry) = entry else {
            let others = held.into_iter().skip(1);
            self.ahead.extend(others.map(|it| (it.id().clone(), it)));
            return None;
        };
        self.carried.extend(held.iter().map(|it| it.id().clone()));
        let before = entry.accepted.time() - Duration::from_millis(1);
        let deferred = Deferred::new(dir, Id::new(before), entry.clone());
        Some(Message {
            entry,
            kept: Kept::Deferred(Arc::new(deferred)),
            originals: held,
        })
    }

    fn deliver(
        &mut self,
        dir: &Arc<Dir>,
        message: &Message,
        sender: &Rc<Sender>,
        to: &Receivers,
        is_old: bool,
    ) {
        let entry = &message.entry;
        let is_merged = !entry.merged.is_empty();
        let more = upload_time(entry.bytes_of_files());
        let until = Instant::now() + MESSAGE_MAX + more;
        let delivery = Delivery {
            sender,
            deadline: match self.bounds.deadline {
                None => until,
                Some(end) if self.bounds.files => until.min(end + more),
                Some(end) => until.min(end),
            },
            // What carries many texts may use every slot: it empties the backlog.
            share: if is_merged {
                Share::New
            } else {
                Share::Backlog
            },
            once: true,
            resends: true,
            watching: None,
        };
        let untold = self.look.untold(&entry.sender, &entry.posts[0].envelope());
        let marks = Marks {
            accepted: if is_merged {
                Stamp::now()
            } else {
                entry.accepted
            },
            overtaken: !is_merged && is_overtaken(sender, entry, &message.kept.attempts()),
            expired: untold.count(),
            lang: sender.settings.phone_lang,
        };
        let mut unreached = crate::wecom::Unreached::default();
        let told = || self.look.told(&untold);
        let end = delivery.carry(entry, marks, &message.kept, told, |answer| {
            unreached.merge(&answer.map_or_else(|absent| absent, |sent| sent.unreached));
        });
        match end {
            Ok(()) => self.delivered(message, &unreached),
            Err(undelivered) => self.undelivered(dir, message, sender, to, is_old, undelivered),
        }
    }

    fn delivered(&mut self, message: &Message, unreached: &crate::wecom::Unreached) {
        let id = message.id();
        tracing::info!(%id, "flushed");
        let merged = &message.entry.merged;
        self.tried += 1;
        self.tally.left -= usize::from(merged.is_empty() || !message.originals.is_empty());
        self.tally.delivered += merged.len().max(1);
        for carried in merged {
            self.carried.remove(&carried.id);
        }
        if !unreached.is_empty() {
            let whom = unreached.describe();
            let text = say!(
                "{id} 已发送，但企业微信无法送达：{whom}",
                "{id} was delivered, but WeCom could not reach: {whom}"
            );
            tracing::warn!("{text}");
        }
        for Suspect { held, reason } in self.turn(&message.entry.sender).passed() {
            self.pass_over(&held, &reason);
        }
    }

    fn undelivered(
        &mut self,
        dir: &Arc<Dir>,
        message: &Message,
        sender: &Rc<Sender>,
        to: &Receivers,
        is_old: bool,
        undelivered: Undelivered,
    ) {
        let name = &message.entry.sender;
        let (reason, is_refused) = match undelivered {
            Undelivered::NotNow(reason) => (reason, false),
            Undelivered::Refused(reason) => (reason, true),
        };
        if let Why::NoSlot(wait) = &reason.error {
            self.next(*wait);
            let channel = message.entry.posts[0].channel();
            self.waits(name, channel).add(to);
            return;
        }
        self.tried += 1;
        let Some(held) = message.held() else {
            // Nothing of what goes together has left: each text waits as before.
            if reason.scope() == Scope::App {
                for held in &message.originals {
                    keep(held, &reason, None);
                }
            }
            return self.trouble(name, None, &reason);
        };
        if is_refused && message.entry.merged.is_empty() {
            return self.refuse(&held, &reason);
        }
        if matches!(reason.error, Why::Unsettled) {
            return self.bury_merged(dir, message, &reason);
        }
        if !message.entry.merged.is_empty()
            && (is_refused || reason.scope() != Scope::App && !reason.outcome_unknown)
        {
            self.dissolve(&held);
            self.turn(name).refused();
            return;
        }
        let wait = reason.wait().filter(|_| reason.scope() == Scope::App);
        keep(&held, &reason, wait.map(|wait| (wait, On::App)));
        self.trouble(name, Some((&held, &message.entry)), &reason);
        if is_old {
            self.expire(dir, &held, sender.settings.outbox.max_age);
        }
    }

    /// Decides what trouble holds up beside the message that met it.
    fn trouble(&mut self, name: &SenderName, of: Option<(&Arc<Held>, &Entry)>, reason: &Reason) {
        let failure = reason.failure();
        let turn = self.turns.entry(name.clone()).or_default();
        match (reason.scope(), of) {
            (Scope::App, _) => turn.stop(),
            (_, None) => {
                turn.refused();
            }
            (Scope::Call, Some((held, entry))) => {
                let call = refused_call(entry, &held.attempts(), reason);
                turn.stop_call(&call);
                turn.refused();
            }
            (Scope::Message, Some((held, _))) => {
                turn.refused();
                self.pass_over(held, reason);
            }
            (Scope::Unclear, Some((held, _))) => {
                if !turn.refused() {
                    turn.suspect(Arc::clone(held), reason.clone());
                }
            }
        }
        if self.turn(name).is_stopped() {
            self.tally.stopped.get_or_insert(failure);
        } else {
            self.tally.held_up.get_or_insert(failure);
        }
    }

    /// Makes a message wait by itself: others have passed, so that the trouble is its own.
    fn pass_over(&mut self, held: &Arc<Held>, reason: &Reason) {
        let compares = held.entry().posts[0].channel() == Some(Channel::App);
        if !held.entry().merged.is_empty() && (compares || held.attempts().doubt.is_none()) {
            return self.dissolve(held);
        }
        let is_unknown = reason.is_of(Class::Unknown);
        let now = Stamp::now();
        let before = held.attempts();
        if is_unknown && before.unknown_codes > 0 {
            return self.refuse(held, reason);
        }
        let wait = match reason.wait() {
            _ if is_unknown => HOLD_MAX,
            Some(wait) => wait,
            None => PASSED_OVER_FIRST.saturating_mul(1 << before.passed_over.min(6)),
        };
        let since = before.passed_since.unwrap_or(now);
        let is_news = !before.reported && since.age_or_zero(&now) >= HELD_UP_LONG;
        held.note(|attempts| {
            attempts.hold = Some(Hold::for_time(wait, On::Entry, &now));
            attempts.passed_over += 1;
            attempts.passed_since = Some(since);
            attempts.unknown_codes += u32::from(is_unknown);
            attempts.reported |= is_news;
        });
        if is_news {
            let (id, what) = (held.id(), reason.failure().what);
            let text = say!(
                "{id} 已被挡住一小时以上，会继续重试，其他消息不受影响：{what}",
                "{id} has been held up for over an hour, and is tried again; other messages go: {what}"
            );
            tracing::warn!("{text}");
        }
    }

    /// Whether the call that an entry needs next is not made any more in this turn.
    fn is_call_stopped(&mut self, entry: &Entry, attempts: &Attempts) -> bool {
        let post = &entry.posts[attempts.sent];
        let upload = entry.attachment(attempts.sent).is_some() && attempts.media.is_none();
        let upload = post.channel().filter(|_| upload).map(Channel::upload_call);
        let turn = self.turn(&entry.sender);
        turn.is_call_stopped(&post.call) || upload.is_some_and(|call| turn.is_call_stopped(call))
    }

    fn turn(&mut self, name: &SenderName) -> &mut Turn {
        self.turns.entry(name.clone()).or_default()
    }

    /// Who waits, of those whom messages by this road are counted among.
    fn waits(&mut self, name: &SenderName, channel: Option<Channel>) -> &mut Waiting {
        self.waiting.entry((name.clone(), channel)).or_default()
    }

    fn next(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
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
        let text = if reason.outcome_unknown {
            say!(
                "{id} 可能已送达，也可能没有，不再重发，已移入 failed/：{what}",
                "{id} may or may not have arrived, is not sent again, and lies in failed/ now: {what}"
            )
        } else {
            say!(
                "{id} 被拒绝，已移入 failed/：{what}",
                "{id} was refused, and lies in failed/ now: {what}"
            )
        };
        tracing::warn!("{text}");
    }

    /// Gives up a message that is too old; it, or its app, has been tried in vain since that was found.
    fn expire(&mut self, dir: &Arc<Dir>, held: &Arc<Held>, max_age: Duration) {
        let entry = held.entry();
        let max_age = crate::token::seconds(max_age.as_secs());
        let mut error = say!(
            "在 {max_age}（max_age）内未能送达",
            "it could not be delivered within {max_age} (max_age)"
        );
        let stopped = self.tally.stopped.as_ref().map(|failure| &failure.what);
        if let Some(last) = held.attempts().error.as_ref().or(stopped) {
            error = because(&error, last);
        }
        self.tally.expired += 1;
        let verdict = Verdict {
            at: Some(Stamp::now()),
            exit_code: Exit::NotNow.code(),
            error: error.clone(),
            ..Verdict::default()
        };
        if give_up(held, &verdict) {
            self.tally.left = self.tally.left.saturating_sub(1);
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

/// What goes out as one message: an entry, or one that carries the texts of several.
struct Message {
    entry: Entry,
    kept: Kept,
    /// The entries whose texts it carries, in our hands.
    originals: Vec<Arc<Held>>,
}

impl Message {
    fn of(held: &Arc<Held>) -> Self {
        Self {
            entry: held.entry().clone(),
            kept: Kept::Held(Arc::clone(held)),
            originals: Vec::new(),
        }
    }

    /// Its entry, if it is written down.
    fn held(&self) -> Option<Arc<Held>> {
        match &self.kept {
            Kept::Deferred(deferred) => deferred.written(),
            kept => kept.held(),
        }
    }

    fn id(&self) -> String {
        match (&self.kept, self.originals.first()) {
            (_, Some(first)) => first.id().to_string(),
            (kept, None) => kept.held().map_or(String::new(), |it| it.id().to_string()),
        }
    }
}

/// Whether a newer message has been delivered to one of its receivers; of what is late anyway that
/// is not asked.
fn is_overtaken(sender: &Sender, entry: &Entry, attempts: &Attempts) -> bool {
    if entry.accepted.age_or_zero(&Stamp::now()) > LATE {
        return false;
    }
    let Some(post) = entry.posts.get(attempts.sent) else {
        return false;
    };
    let ledger = sender.ledger(post.channel());
    ledger.is_some_and(|ledger| {
        let message = fingerprint(entry, post);
        ledger.others(&receivers(post), &message).overtaken
    })
}

/// The call that was refused: the upload of a file, or the message's own.
fn refused_call(entry: &Entry, attempts: &Attempts, reason: &Reason) -> String {
    let post: &Post = &entry.posts[attempts.sent];
    let needs_upload = entry.attachment(attempts.sent).is_some() && attempts.media.is_none();
    match post.channel() {
        Some(channel) if needs_upload && reason.refusal().is_none() => {
            channel.upload_call().to_owned()
        }
        _ => post.call.clone(),
    }
}

/// Whether somebody is among both.
fn meet(one: &Receivers, other: &Receivers) -> bool {
    let mut waiting = Waiting::default();
    waiting.add(one);
    waiting.touches(other)
}

/// What happened, and why.
fn because(what: &dyn Display, why: &dyn Display) -> String {
    say!("{what}：{why}", "{what}: {why}")
}

/// Writes down, beside a message that stays in the outbox, why it does.
pub(crate) fn keep(held: &Held, reason: &Reason, wait: Option<(Duration, On)>) {
    let what = reason.failure().what;
    let now = Stamp::now();
    held.note(|attempts| {
        attempts.error = Some(what.clone());
        attempts.hold = wait.map(|(time, on)| Hold::for_time(time, on, &now));
    });
    tracing::info!(id = %held.id(), reason = what, "kept");
}

/// Writes down, beside a new message that could not be sent, why it stays and what it waits for.
pub(crate) fn keep_new(held: &Held, reason: &Reason) {
    let is_unknown = reason.is_of(Class::Unknown);
    let wait = match (reason.scope(), reason.wait()) {
        _ if is_unknown => Some((HOLD_MAX, On::Entry)),
        (Scope::App, wait) => wait.map(|wait| (wait, On::App)),
        (Scope::Message, None) => match &reason.error {
            Why::Call(_) => Some((PASSED_OVER_FIRST, On::Entry)),
            _ => None,
        },
        (_, wait) => wait.map(|wait| (wait, On::Entry)),
    };
    keep(held, reason, wait);
    if is_unknown {
        held.note(|attempts| attempts.unknown_codes = 1);
    }
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
