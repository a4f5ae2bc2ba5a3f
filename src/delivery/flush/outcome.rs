//! Handling the result of a delivery: whether the message, its sender and its call go on, wait or
//! stop.

use std::sync::Arc;
use std::time::Duration;

use super::super::reason::Obstacle;
use super::super::turn::Suspect;
use super::super::{NotDelivered, Reason, Sender, Wording};
use super::Flush;
use super::dispatch::Dispatch;
use crate::clock::Stamp;
use crate::disk::Dir;
use crate::error::Exit;
use crate::message::{Channel, Message};
use crate::notice::{self, Notice};
use crate::outbox::{
    self, Attempts, ClaimedEntry, Entry, FailureRecord, HOLD_MAX, Hold, HoldScope, SenderName,
};
use crate::wecom::{Class, Scope, Unreached};

/// First wait of a message that was refused while others were accepted; it doubles each time.
const PASSED_OVER_FIRST: Duration = Duration::from_mins(1);

/// A message held up for longer than this is reported once.
const HELD_UP_LONG: Duration = Duration::from_hours(1);

impl Flush<'_> {
    pub(super) fn delivered(&mut self, message: &Dispatch, unreached: &Unreached) {
        let id = message.id();
        tracing::info!(%id, "flushed");
        let merged = &message.entry.merged;
        self.tried += 1;
        let counted = usize::from(merged.is_empty() || !message.originals.is_empty());
        self.summary.left = self.summary.left.saturating_sub(counted);
        self.summary.delivered += merged.len().max(1);
        for carried in merged {
            self.carried.remove(&carried.id);
            self.ahead.remove(&carried.id);
            let counted = usize::from(self.counted.remove(&carried.id));
            self.summary.left = self.summary.left.saturating_sub(counted);
        }
        if !unreached.is_empty() && self.is_news(&id, "not reached") {
            let unreached = &unreached.describe();
            notice::notify(&Notice::NotReached { id: &id, unreached });
        }
        for Suspect { held, reason } in self.turn(&message.entry.sender).passed() {
            self.pass_over(&held, &reason);
        }
    }

    /// Removes an entry that was delivered, and could not be removed then.
    pub(super) fn delivered_before(&mut self, held: &ClaimedEntry) {
        if let Err(error) = held.finish() {
            tracing::info!(id = %held.id(), %error, "a delivered entry still cannot be removed");
            self.summary.left += 1;
            let merged = held.entry().merged.iter().map(|merged| merged.id.clone());
            self.carried.extend(merged);
        }
    }

    pub(super) fn undelivered(
        &mut self,
        dir: &Arc<Dir>,
        message: &Dispatch,
        undelivered: NotDelivered,
    ) {
        let name = &message.entry.sender;
        let (reason, is_refused) = match undelivered {
            NotDelivered::Deferred(reason) => (reason, false),
            NotDelivered::Rejected(reason) => (reason, true),
        };
        if let Obstacle::NoSlot(wait) = &reason.error {
            self.next(*wait);
            let channel = message.entry.messages[0].channel;
            self.waits(name, channel).add(&message.to);
            return;
        }
        self.tried += 1;
        if message.entry.is_instead() {
            return self.not_by_robot(dir, message, &reason, is_refused);
        }
        let Some(held) = message.held() else {
            return self.unsent(message, &reason);
        };
        if self.leaves_to_robot(message, &held, &reason) {
            return self.trouble(name, None, &reason);
        }
        if is_refused && message.entry.merged.is_empty() {
            return self.refuse(&held, &reason);
        }
        if matches!(reason.error, Obstacle::Unsettled) {
            return self.fail_merged(dir, message, &reason);
        }
        if !message.entry.merged.is_empty()
            && (is_refused || reason.scope() != Scope::App && !held.attempts().is_in_the_dark())
        {
            return self.refused_together(message, &held, &reason);
        }
        let wait = reason.wait().filter(|_| reason.scope() == Scope::App);
        keep(
            &held,
            &reason,
            wait.map(|wait| (wait, HoldScope::App)),
            self.wording,
        );
        let answered = reason.refusal().is_some();
        let is_tried_by_robot = reason.scope() == Scope::App
            && message.entry.merged.is_empty()
            && message.sender.settings.fallback.is_some();
        if !message.is_old || is_tried_by_robot || !self.may_expire(&message.entry, answered) {
            self.in_vain.insert(held.id().clone());
            return self.trouble(name, Some((&held, &message.entry)), &reason);
        }
        self.trouble(name, None, &reason);
        if message.entry.merged.is_empty() {
            self.expire(dir, &held, message.sender.settings.outbox.max_age);
        } else {
            self.fail_merged(dir, message, &reason);
        }
    }

    /// Takes a merged message apart that was refused.
    fn refused_together(&mut self, message: &Dispatch, held: &Arc<ClaimedEntry>, reason: &Reason) {
        self.dissolve(held);
        let name = &message.entry.sender;
        match message.originals.first() {
            // The first one shows what all of them would show.
            Some(first) if reason.scope() == Scope::Call => {
                keep(first, reason, None, self.wording);
                self.trouble(name, Some((first, first.entry())), reason);
            }
            _ => drop(self.turn(name).refused()),
        }
    }

    /// Handles a merged message of which no byte has left: each text waits as before.
    fn unsent(&mut self, message: &Dispatch, reason: &Reason) {
        let ids = message.originals.iter().map(|held| held.id().clone());
        if reason.is_of_disk() {
            // A merged message must be written before it is sent; a single one has been already.
            self.alone.extend(ids);
            return self.next(Duration::ZERO);
        }
        if reason.scope() == Scope::App {
            self.in_vain.extend(ids);
            for held in &message.originals {
                keep(held, reason, None, self.wording);
            }
        }
        self.trouble(&message.entry.sender, None, reason);
    }

    /// Whether a message that is too old and was tried in vain may be given up: if WeCom answered,
    /// or if its age is certain and flushes have had time to deliver it.
    pub(super) fn may_expire(&self, entry: &Entry, answered: bool) -> bool {
        let is_certain = self.clocks.steady || entry.accepted.is_same_boot(&Stamp::now());
        answered || is_certain && self.clocks.awake
    }

    /// Decides what else is held up, besides the message that failed.
    pub(super) fn trouble(
        &mut self,
        name: &SenderName,
        of: Option<(&Arc<ClaimedEntry>, &Entry)>,
        reason: &Reason,
    ) {
        let mut failure = (self.wording.reason)(reason);
        if failure.exit != Exit::Setup {
            // Whatever the error, the message stays.
            failure.exit = Exit::NotNow;
        }
        let turn = self.turns.entry(name.clone()).or_default();
        match (reason.scope(), of) {
            (Scope::App, _) => turn.stop(reason.refusal().is_some(), reason.setup()),
            (_, None) => {
                turn.refused();
            }
            // A call that only some messages need shows nothing about the others: stop only this
            // call.
            (Scope::Call | Scope::Unclear, Some((held, entry))) if !next_is_main(held, entry) => {
                turn.stop_call(next_call(entry, &held.attempts()));
                turn.refused();
                self.pass_over(held, reason);
            }
            // The message's own trouble, or known to be, since others were accepted before.
            (scope, Some((held, _)))
                if scope == Scope::Message || held.attempts().passed_over > 0 =>
            {
                turn.refused();
                self.pass_over(held, reason);
            }
            // The next message shows whether the app's call or only this kind of message fails.
            (_, Some((held, _))) => {
                held.note(|attempts| attempts.suspected = true);
                let first = turn.suspect(Arc::clone(held), reason.clone());
                if turn.refused()
                    && let Some(wait) = reason.wait()
                {
                    // Everything is refused: the app waits for as long as the server asks.
                    let hold = hold(reason, (wait, HoldScope::App), &Stamp::now());
                    first.note(|attempts| attempts.hold = Some(hold));
                }
            }
        }
        if self.turn(name).is_stopped() {
            self.summary.stopped.get_or_insert(failure);
        } else {
            self.summary.held_up.get_or_insert(failure);
        }
    }

    /// Makes one message wait: others were accepted, so the trouble is its own.
    pub(super) fn pass_over(&mut self, held: &Arc<ClaimedEntry>, reason: &Reason) {
        let before = held.attempts();
        let is_unknown = reason.is_of(Class::Unknown);
        let is_known_twice = is_unknown && before.unknown_codes > 0;
        if !held.entry().merged.is_empty() && (!before.is_in_the_dark() || is_known_twice) {
            return self.dissolve(held);
        }
        if is_known_twice {
            return self.refuse(held, reason);
        }
        let now = Stamp::now();
        let wait = match reason.wait() {
            _ if is_unknown => HOLD_MAX,
            Some(wait) => wait,
            None => PASSED_OVER_FIRST.saturating_mul(1 << before.passed_over.min(6)),
        };
        let since = before.passed_since.unwrap_or(now);
        let is_news = !before.reported && since.age_or_zero(&now) >= HELD_UP_LONG;
        held.note(|attempts| {
            attempts.hold = Some(Hold::for_time(wait, HoldScope::Entry, &now));
            attempts.blocked_by = Some(HoldScope::Entry);
            attempts.suspected = false;
            // Others may come between its lines and it.
            attempts.noted = false;
            attempts.passed_over += 1;
            attempts.passed_since = Some(since);
            attempts.unknown_codes += u32::from(is_unknown);
            attempts.reported |= is_news;
        });
        if is_news && self.is_news(held.id().as_str(), "held up") {
            let (id, why) = (held.id(), &(self.wording.reason)(reason).what);
            notice::notify(&Notice::HeldUp { id, why });
        }
    }

    pub(super) fn refuse(&mut self, held: &Arc<ClaimedEntry>, reason: &Reason) {
        let failure = (self.wording.reason)(reason);
        let notice = Notice::GivenUp {
            id: held.id(),
            in_doubt: reason.outcome_unknown,
            why: &failure.what,
        };
        if !self.gives_up(held, &FailureRecord::of(reason, &failure), &notice) {
            self.summary.stopped.get_or_insert(failure);
            return;
        }
        self.summary.left = self.summary.left.saturating_sub(1);
        self.summary.failed += 1;
    }

    /// Gives up an entry that is too old, if its app has been tried in vain.
    pub(super) fn expire_if_old(
        &mut self,
        dir: &Arc<Dir>,
        held: &Arc<ClaimedEntry>,
        sender: &Sender,
    ) {
        let (entry, max_age) = (held.entry(), sender.settings.outbox.max_age);
        if let Some(answered) = self.turn(&entry.sender).in_vain()
            && entry.age(&Stamp::now()) > max_age
            && entry.merged.is_empty()
            && self.may_expire(entry, answered)
        {
            self.expire(dir, held, max_age);
        }
    }

    /// Gives up a message that is too old; it, or its app, has been tried in vain since that was
    /// found.
    pub(super) fn expire(&mut self, dir: &Arc<Dir>, held: &Arc<ClaimedEntry>, max_age: Duration) {
        let entry = held.entry();
        let stopped = self.summary.stopped.as_ref().map(|failure| &failure.what);
        let attempts = held.attempts();
        let last = attempts.error.as_ref().or(stopped);
        let error = (self.wording.expired)(max_age, last.map(String::as_str));
        let verdict = FailureRecord {
            at: Some(Stamp::now()),
            exit_code: Exit::NotNow.code(),
            error: error.clone(),
            ..FailureRecord::default()
        };
        let (id, why) = (held.id(), &error);
        if self.gives_up(held, &verdict, &Notice::Expired { id, why }) {
            self.summary.expired += 1;
            self.summary.left = self.summary.left.saturating_sub(1);
            outbox::count_expired(dir, &entry.sender, &entry.messages[0].to);
            self.snapshot = None;
        }
    }
}

/// Whether an entry's next call is also the main call of its sender's other messages.
fn next_is_main(held: &ClaimedEntry, entry: &Entry) -> bool {
    let call = next_call(entry, &held.attempts());
    let is_own = |it: &Message| it.channel.call() == call && it.channel != Channel::Chat;
    entry.messages.iter().any(is_own)
}

/// Returns the call that an entry needs next: the upload of its file, or the message's own.
pub(super) fn next_call(entry: &Entry, attempts: &Attempts) -> &'static str {
    let channel = entry.messages[attempts.sent].channel;
    if entry.attachment(attempts.sent).is_some() && attempts.media.is_none() {
        channel.upload_call()
    } else {
        channel.call()
    }
}

/// Returns the scope that the trouble blocks, if it is known.
fn blocked_by(reason: &Reason) -> Option<HoldScope> {
    match reason.scope() {
        Scope::App => Some(HoldScope::App),
        Scope::Call => Some(HoldScope::Call),
        Scope::Message if !matches!(reason.error, Obstacle::NoSlot(_)) => Some(HoldScope::Entry),
        Scope::Message | Scope::Unclear => None,
    }
}

/// Records next to an entry why it stays in the outbox.
pub(super) fn keep(
    held: &ClaimedEntry,
    reason: &Reason,
    wait: Option<(Duration, HoldScope)>,
    wording: Wording,
) {
    let what = (wording.reason)(reason).what;
    let now = Stamp::now();
    held.note(|attempts| {
        attempts.error = Some(what.clone());
        attempts.blocked_by = blocked_by(reason);
        if !matches!(reason.error, Obstacle::NoSlot(_)) {
            attempts.stuck_since.get_or_insert(now);
        }
        attempts.hold = wait.map(|wait| hold(reason, wait, &now));
    });
    tracing::info!(id = %held.id(), reason = what, "kept");
}

/// Returns a hold for a reason. WeCom's own limit lasts; what a gateway or a portal asks for ends as soon
/// as a message gets past it.
fn hold(reason: &Reason, (time, on): (Duration, HoldScope), now: &Stamp) -> Hold {
    let hold = Hold::for_time(time, on, now);
    match reason.refusal() {
        Some(_) => hold,
        None => hold.or_until_success(now),
    }
}

/// Records next to a new entry why it was not sent and how long it waits.
pub(crate) fn keep_new(held: &ClaimedEntry, reason: &Reason, wording: Wording) {
    let is_unknown = reason.is_of(Class::Unknown);
    let wait = match (reason.scope(), reason.wait()) {
        _ if is_unknown => Some((HOLD_MAX, HoldScope::Entry)),
        (Scope::App, wait) => wait.map(|wait| (wait, HoldScope::App)),
        (Scope::Message, None) => match &reason.error {
            Obstacle::Call(_) => Some((PASSED_OVER_FIRST, HoldScope::Entry)),
            _ => None,
        },
        (_, wait) => wait.map(|wait| (wait, HoldScope::Entry)),
    };
    keep(held, reason, wait, wording);
    if is_unknown {
        held.note(|attempts| attempts.unknown_codes = 1);
    }
}

/// Moves an entry to `failed/`; returns whether that succeeded.
pub(crate) fn give_up(held: &ClaimedEntry, verdict: &FailureRecord) -> bool {
    let done = held.refuse(verdict);
    if let Err(error) = &done {
        let id = held.id();
        notice::notify(&Notice::CannotFail { id, error });
    }
    done.is_ok()
}
