//! Which message of a batch goes next, and what becomes of it.

use std::rc::Rc;
use std::time::Instant;

use super::super::outcome::{End, Outcome, Parts};
use super::super::retry::passes;
use super::super::{NotDelivered, Obstacle, Part, Reason};
use super::BatchDelivery;
use super::job::{Ahead, BatchJob, FailedTry, JobStage};
use super::side::{BatchFlight, SenderSide};
use crate::outbox::{NotKept, OutboxSnapshot, Spooled};
use crate::wecom::{Class, Error, Scope, Sent};

/// What a message can do now.
enum Move {
    /// It waits for another one, or for its own answer.
    Wait,
    /// It is kept before anything else becomes of it.
    Accept,
    /// It is only kept.
    Keep(End),
    /// Nothing is tried now.
    Rest,
    /// Its request goes beside others, over this connection.
    Beside(usize),
    /// It goes alone.
    Alone,
}

impl<T> BatchDelivery<'_, T> {
    /// Starts whatever may start now, until a message is decided: its answer does not wait for what
    /// the next one takes.
    pub(super) fn schedule(&mut self) {
        while self.decided.is_empty()
            && let Some((at, next)) = self.next_move()
        {
            match next {
                Move::Wait => return,
                Move::Accept => self.accept(at, None),
                Move::Keep(end) => {
                    let Some(job) = self.jobs.remove(at) else {
                        return;
                    };
                    let outcome = Outcome::new(job.entry.messages.len(), end);
                    self.decide(job, outcome, false);
                }
                Move::Rest => self.rest(at),
                Move::Beside(lane) => self.start(at, lane),
                Move::Alone => self.go_alone(at),
            }
        }
    }

    /// Returns the first message that can do anything, and what.
    fn next_move(&mut self) -> Option<(usize, Move)> {
        let Self {
            jobs,
            senders,
            outboxes,
            ..
        } = self;
        let is_busy = senders.iter().any(SenderSide::is_busy);
        let mut is_accepting = false;
        let mut ahead = Ahead::default();
        for (at, job) in jobs.iter().enumerate() {
            let held = match &job.stage {
                JobStage::Accepting(_) | JobStage::Flying(..) => {
                    is_accepting |= matches!(job.stage, JobStage::Accepting(_));
                    ahead.add(job);
                    continue;
                }
                JobStage::Ready(Spooled::Held(held), _) => Some(held),
                _ => None,
            };
            if let Some(end) = held.and_then(|held| job.only_kept(held.id())) {
                return Some((at, Move::Keep(end)));
            }
            if ahead.holds(job) {
                ahead.add(job);
                continue;
            }
            let may_accept = job.is_unkept().then_some(Move::Accept);
            if (held.is_some() || job.is_unkept())
                && !job.entry.urgent
                && let Some(outbox) = senders[job.sender].outbox
                && (senders[job.account].behind)
                    .touches(job.channel, &job.to, |id| outboxes[outbox].1.has(id))
            {
                let queued = held.map(|held| End::Queued {
                    id: held.id().clone(),
                });
                return Some((at, queued.map_or(Move::Accept, Move::Keep)));
            }
            let side = &mut senders[job.sender];
            if side.resting().is_some() && !matches!(job.stage, JobStage::Taken) {
                return Some((at, may_accept.unwrap_or(Move::Rest)));
            }
            let is_new = matches!(job.stage, JobStage::Ready(..));
            let has_notices = || {
                let (sender, to) = (&job.entry.sender, &job.entry.messages[0].to);
                let snapshot = side.outbox.map(|outbox| outboxes[outbox].1.snapshot());
                snapshot.is_some_and(|it| it.pending_notices(sender, to).count() > 0)
            };
            if !(is_new && side.works && job.is_one_request()) || has_notices() {
                // Until then nothing else starts.
                let next = match may_accept {
                    _ if is_busy => Move::Wait,
                    // The one before may show that this one need not go alone.
                    Some(_) if is_accepting => Move::Wait,
                    Some(accept) => accept,
                    None => Move::Alone,
                };
                return Some((at, next));
            }
            if let Some(lane) = side.flights.free_lane() {
                return Some((at, Move::Beside(lane)));
            }
            if senders.len() == 1 {
                return None;
            }
            ahead.add(job);
        }
        None
    }

    /// Keeps a message untried, since its sender rests.
    fn rest(&mut self, at: usize) {
        let side = &self.senders[self.jobs[at].sender];
        let Some(reason) = side.resting().cloned() else {
            // The rest has just ended.
            return;
        };
        let Some(mut job) = self.jobs.remove(at) else {
            return;
        };
        let (kept, why_not, tries) = job.taken();
        let submission = side.submission(self.config, self.wording, job.entry.urgent);
        let outcome = Outcome::new(job.entry.messages.len(), End::Sent);
        let end = Err(match tries {
            // It may have arrived.
            Some(tries) => tries.give_up(reason.error),
            None => NotDelivered::Deferred(reason),
        });
        let outcome = submission.conclude(&job.entry, &kept, why_not, outcome, end);
        self.decide(job, outcome, false);
    }

    /// Starts the request of a message.
    fn start(&mut self, at: usize, lane: usize) {
        let job = &mut self.jobs[at];
        let side = &mut self.senders[job.sender];
        let mut submission = side.submission(self.config, self.wording, job.entry.urgent);
        submission.deadline = Instant::now() + job.time(self.time);
        let (kept, why_not, _) = job.taken();
        let banner = submission.banner(&job.entry, 0);
        let sender = Rc::clone(&side.sender);
        let part = Part::alone(&job.entry, &kept, Some(banner));
        let mut token = side.token();
        let delivery = submission.delivery();
        let mut tries = delivery.tries(None);
        let started = delivery.ready_beside(lane, &part, &mut token, &mut tries);
        match started {
            Ok((request, sending)) => {
                drop(submission);
                side.keep_token(token);
                let flight = BatchFlight {
                    number: job.number,
                    request,
                    tries,
                };
                side.flights.start(&sender.client, lane, flight, sending);
                job.stage = JobStage::Flying(kept, why_not);
            }
            Err(_) if matches!(kept, Spooled::Unkept) => {
                drop(submission);
                self.accept(at, None);
            }
            Err(why) => {
                drop(submission);
                self.given_up(at, &kept, why_not, tries.give_up(why));
            }
        }
    }

    /// Handles the answer to a request.
    pub(super) fn landed(
        &mut self,
        sender: usize,
        flight: BatchFlight,
        result: Result<Sent, Error>,
    ) {
        self.is_due = true;
        let Some(at) = self.find(flight.number) else {
            return;
        };
        let BatchFlight {
            request, mut tries, ..
        } = flight;
        let job = &mut self.jobs[at];
        let (kept, why_not, _) = job.taken();
        let side = &mut self.senders[sender];
        let submission = side.submission(self.config, self.wording, job.entry.urgent);
        let part = Part::alone(&job.entry, &kept, None);
        let answered =
            submission
                .delivery()
                .answered(part.message, &part, request, result, &mut tries);
        drop(submission);
        let sent = match answered {
            Ok(sent) => sent,
            Err(why) => {
                if is_made_again(&why) {
                    side.keep_token(None);
                }
                // Until it is kept, and decided on, nothing else of the sender starts.
                let is_own = matches!(why.scope(), Scope::Message | Scope::Call);
                side.works &= is_own && !is_made_again(&why);
                let tries = Box::new(tries);
                let failed = FailedTry { why, tries };
                return match kept {
                    Spooled::Unkept => self.accept(at, Some(failed)),
                    kept => self.failed(at, &kept, why_not, failed),
                };
            }
        };
        if let Some(held) = kept.held() {
            self.removals.add(held);
        }
        let mut outcome = Outcome::new(1, End::Sent);
        outcome.parts = Parts { sent: 1, all: 1 };
        outcome.add(Ok(sent));
        self.end(at, &kept, why_not, outcome, Ok(()));
    }

    /// Goes on after a request in vain: with another one, alone, or with its end.
    pub(super) fn failed(
        &mut self,
        at: usize,
        kept: &Spooled,
        why_not: Option<NotKept>,
        failed: FailedTry,
    ) {
        let FailedTry { why, tries } = failed;
        if is_made_again(&why) {
            self.jobs[at].stage = JobStage::Again(kept.clone(), why_not, tries);
        } else {
            self.given_up(at, kept, why_not, tries.give_up(why));
        }
    }

    /// Decides on a message whose request is not made again.
    fn given_up(&mut self, at: usize, kept: &Spooled, why_not: Option<NotKept>, why: NotDelivered) {
        let outcome = Outcome::new(1, End::Sent);
        self.end(at, kept, why_not, outcome, Err(why));
    }

    /// Concludes a delivery.
    fn end(
        &mut self,
        at: usize,
        kept: &Spooled,
        why_not: Option<NotKept>,
        outcome: Outcome,
        end: Result<(), NotDelivered>,
    ) {
        let Some(job) = self.jobs.remove(at) else {
            return;
        };
        let side = &self.senders[job.sender];
        let submission = side.submission(self.config, self.wording, job.entry.urgent);
        let outcome = submission.conclude(&job.entry, kept, why_not, outcome, end);
        drop(submission);
        self.decide(job, outcome, true);
    }

    /// Delivers a message while nothing else is under way.
    fn go_alone(&mut self, at: usize) {
        let Some(mut job) = self.jobs.remove(at) else {
            return;
        };
        // An entry of the same key may be among them.
        self.removals.sync();
        let side = &self.senders[job.sender];
        let none = OutboxSnapshot::default();
        let snapshot = match side.outbox {
            Some(outbox) => self.outboxes[outbox].1.snapshot(),
            None => &none,
        };
        let mut submission = side.submission(self.config, self.wording, job.entry.urgent);
        submission.deadline = Instant::now() + job.time(self.time);
        let outcome = match std::mem::replace(&mut job.stage, JobStage::Taken) {
            JobStage::Ready(kept, why_not) => {
                submission.deliver_alone(&job.entry, &kept, why_not, snapshot)
            }
            JobStage::Again(kept, why_not, tries) => {
                submission.deliver_again(&job.entry, &kept, why_not, *tries)
            }
            JobStage::Taken | JobStage::Accepting(_) | JobStage::Flying(..) => {
                match (job.queue, job.until) {
                    (false, None) => submission.deliver_keyed(&job.entry),
                    (_, until) => submission.keep_keyed(&job.entry, until),
                }
            }
        };
        drop(submission);
        self.decide(job, outcome, true);
    }

    /// Records the outcome of a message, which was `tried` or not.
    fn decide(&mut self, job: BatchJob<T>, outcome: Outcome, tried: bool) {
        let behind = match &outcome.end {
            End::Spooled { id, reason } if keeps_its_place(reason) => Some(id),
            End::Quiet { id, .. } | End::Undecided { id: Some(id) } => Some(id),
            End::Queued { id } if !job.queue => Some(id),
            _ => None,
        };
        if let Some(id) = behind {
            let account = &mut self.senders[job.account];
            account.behind.add(job.channel, &job.to, id);
        }
        let side = &mut self.senders[job.sender];
        match &outcome.end {
            End::Sent => {
                side.passed();
                if let (Some(outbox), Some(_)) = (side.outbox, &job.name) {
                    self.outboxes[outbox].1.delivered();
                }
            }
            End::Spooled { reason, .. } | End::NotNow(reason) | End::Lost { reason, .. }
                if tried =>
            {
                side.troubled(reason);
            }
            _ => {}
        }
        self.decided.push_back((job.of, outcome));
    }
}

/// Whether a request that failed so is made again.
fn is_made_again(why: &Obstacle) -> bool {
    matches!(why, Obstacle::Call(error) if error.class == Class::Token || passes(error))
}

/// Whether later messages to the same recipients wait for one that was kept for this reason.
fn keeps_its_place(reason: &Reason) -> bool {
    matches!(reason.error, Obstacle::NoSlot(_)) || !matches!(reason.scope(), Scope::Message)
}
