//! Many messages of one process, each with an answer of its own. Several requests are under way at
//! once, and those to the same recipients go one after the other. What cannot be sent soon is kept for
//! a flush, so that nothing holds up the others for long.
//!
//! A message is accepted when it is answered. So one that needs a single request is kept only if that
//! fails: who feeds the batch still has it. All that is kept is kept in groups.

mod accepting;
mod job;
mod schedule;
mod side;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::outcome::{End, Outcome};
use super::{Sender, Wording};
use crate::config::{Config, State};
use crate::message::Message;
use crate::outbox::{Attempts, ClaimedEntry, KnownOutbox, NewEntry, NotKept, Removals, Spooled};
use crate::wecom::{ClientError, Error, Sent, Waiter};
use accepting::{Group, GroupThread};
use job::{BatchJob, FailedTry, JobStage};
use side::{BatchFlight, SenderSide};

/// The number of a sender of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SenderNumber(usize);

/// A message of a batch; `T` is what its answer belongs to.
pub(crate) struct BatchOrder<T> {
    pub(crate) of: T,
    pub(crate) sender: SenderNumber,
    pub(crate) messages: Vec<Message>,
    /// Its `--once` key.
    pub(crate) once: Option<String>,
    /// Whether quiet hours don't hold it.
    pub(crate) urgent: bool,
    /// Whether it is only kept.
    pub(crate) queue: bool,
}

/// What a batch was waited for.
pub(crate) enum BatchStep<T, O> {
    /// A message is decided.
    Decided(T, Box<Outcome>),
    /// What else was waited for.
    Other(O),
}

/// The messages of a batch that are not decided yet.
pub(crate) struct BatchDelivery<'a, T> {
    config: &'a Config,
    wording: Wording,
    /// The time for each message, from its first request on.
    time: Option<Duration>,
    waiter: Waiter,
    senders: Vec<SenderSide>,
    outboxes: Vec<(State, KnownOutbox, Option<GroupThread>)>,
    /// In the order of the input.
    jobs: VecDeque<BatchJob<T>>,
    decided: VecDeque<(T, Outcome)>,
    removals: Removals,
    numbers: u64,
    /// Whether a message may start that could not before.
    is_due: bool,
}

enum Event<O> {
    /// Nothing else has happened, and a message may start.
    Due,
    Accepted(Group),
    Landed(usize, Box<(BatchFlight, Result<Sent, Error>)>),
    Other(O),
}

impl<'a, T> BatchDelivery<'a, T> {
    /// Returns an empty batch; `time` is for each message, retries included, 30 s and more for a file
    /// if it is `None`.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub(crate) fn new(
        config: &'a Config,
        time: Option<Duration>,
        wording: Wording,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            config,
            wording,
            time,
            waiter: Waiter::new()?,
            senders: Vec::new(),
            outboxes: Vec::new(),
            jobs: VecDeque::new(),
            decided: VecDeque::new(),
            removals: Removals::default(),
            numbers: 0,
            is_due: false,
        })
    }

    /// Adds a sender, with its state directory or why there is none; `keep` is whether messages are
    /// kept that cannot be delivered now.
    pub(crate) fn add_sender(
        &mut self,
        sender: Sender,
        state: Result<State, String>,
        keep: bool,
    ) -> SenderNumber {
        let outbox = match &state {
            Ok(state) if keep => Some(self.outbox_of(state)),
            _ => None,
        };
        let id = sender.id();
        let same = |side: &SenderSide| side.sender.id() == id;
        let account = self.senders.iter().position(same);
        let account = account.unwrap_or(self.senders.len());
        self.senders
            .push(SenderSide::new(sender, account, state, outbox, keep));
        SenderNumber(self.senders.len() - 1)
    }

    fn outbox_of(&mut self, state: &State) -> usize {
        let known = |(other, ..): &(State, _, _)| other.is(state);
        self.outboxes.iter().position(known).unwrap_or_else(|| {
            let outbox = KnownOutbox::of(state);
            self.outboxes.push((state.clone(), outbox, None));
            self.outboxes.len() - 1
        })
    }

    /// Returns how many messages have not been returned as decided.
    pub(crate) fn unanswered(&self) -> usize {
        self.jobs.len() + self.decided.len()
    }

    /// Ends it, when all messages are decided.
    pub(crate) fn finish(mut self) {
        self.removals.sync();
    }

    /// Adds a message.
    pub(crate) fn add(&mut self, order: BatchOrder<T>) {
        let side = &self.senders[order.sender.0];
        let submission = side.submission(self.config, self.wording, order.urgent);
        let entry = match &order.once {
            Some(key) => submission.once_entry(order.messages, key),
            None => submission.entry(order.messages),
        };
        let may_hold = side.keep && !order.queue && !order.urgent;
        let until = may_hold.then(|| side.sender.quiet_until()).flatten();
        self.numbers += 1;
        let mut job = BatchJob::new(order.of, self.numbers, order.sender.0, side.account, entry);
        job.queue = order.queue;
        job.until = until;
        let outbox = side.outbox.filter(|_| !job.is_kept_first());
        self.is_due = true;
        if let Some(outbox) = outbox {
            // If there is no room now, there may be once it is to be kept.
            job.name = self.outboxes[outbox].1.place(&job.entry).ok();
            job.stage = JobStage::Ready(Spooled::Unkept, None);
            self.jobs.push_back(job);
        } else {
            self.jobs.push_back(job);
            self.accept(self.jobs.len() - 1, None);
        }
    }

    /// Starts to keep a message, before it is tried or after its first request has failed.
    fn accept(&mut self, at: usize, failed: Option<FailedTry>) {
        let attempts = failed.as_ref().map(|failed| Attempts {
            tries: 1,
            doubt: failed.tries.doubt.clone(),
            ..Attempts::default()
        });
        self.jobs[at].stage = JobStage::Accepting(failed);
        if let Err(why) = self.start_to_accept(at, attempts) {
            self.unaccepted(at, why);
        }
    }

    fn start_to_accept(&mut self, at: usize, attempts: Option<Attempts>) -> Result<(), NotKept> {
        let job = &mut self.jobs[at];
        let side = &self.senders[job.sender];
        let outbox = match (&side.state, side.outbox) {
            (_, Some(outbox)) => outbox,
            (Err(why), None) if side.keep => return Err(NotKept::NoState(why.clone())),
            _ => return Err(NotKept::SwitchedOff),
        };
        let (_, known, thread) = &mut self.outboxes[outbox];
        let id = match &job.name {
            Some(id) => id.clone(),
            None => job.name.insert(known.place(&job.entry)?).clone(),
        };
        let thread = match thread {
            Some(thread) => thread,
            None => thread.insert(GroupThread::start(known.outbox())?),
        };
        let entry = job.entry.clone();
        let new = NewEntry {
            id,
            entry,
            attempts,
        };
        thread.accept(job.number, new);
        Ok(())
    }

    /// Decides on a message that is not accepted, or goes on with it.
    fn unaccepted(&mut self, at: usize, why: NotKept) {
        self.is_due = true;
        let job = &mut self.jobs[at];
        let stage = std::mem::replace(&mut job.stage, JobStage::Taken);
        let end = match why {
            NotKept::KeyTaken => return,
            why if job.queue => End::NotQueued(why),
            why if job.entry.once.is_some() => End::NoRecord(why),
            why => {
                // It is sent all the same.
                let why = (!matches!(why, NotKept::SwitchedOff)).then_some(why);
                return match stage {
                    JobStage::Accepting(Some(failed)) => {
                        self.failed(at, &Spooled::Nowhere, why, failed);
                    }
                    _ => job.stage = JobStage::Ready(Spooled::Nowhere, why),
                };
            }
        };
        if let Some(job) = self.jobs.remove(at) {
            let outcome = Outcome::new(job.entry.messages.len(), end);
            self.decided.push_back((job.of, outcome));
        }
    }

    /// Goes on with the messages until one is decided, or something else is ready.
    pub(crate) fn step<O>(
        &mut self,
        mut other: impl FnMut(&mut Context<'_>) -> Poll<O>,
    ) -> BatchStep<T, O> {
        loop {
            if let Some((of, outcome)) = self.decided.pop_front() {
                return BatchStep::Decided(of, Box::new(outcome));
            }
            if self.jobs.is_empty() {
                self.removals.sync();
            }
            match self.wait(&mut other) {
                Event::Due => {
                    self.schedule();
                    // There may be more to start.
                    self.is_due = !self.decided.is_empty();
                }
                Event::Accepted(group) => self.accepted(group),
                Event::Landed(sender, landed) => self.landed(sender, landed.0, landed.1),
                Event::Other(other) => return BatchStep::Other(other),
            }
        }
    }

    fn wait<O>(&mut self, other: &mut impl FnMut(&mut Context<'_>) -> Poll<O>) -> Event<O> {
        let Self {
            waiter,
            senders,
            outboxes,
            is_due,
            ..
        } = self;
        waiter.wait(poll_fn(|context| {
            for (.., thread) in outboxes.iter_mut() {
                if let Some(thread) = thread
                    && let Poll::Ready(group) = thread.poll(context)
                {
                    return Poll::Ready(Event::Accepted(group));
                }
            }
            for (at, side) in senders.iter_mut().enumerate() {
                if let Poll::Ready(landed) = side.flights.poll_landed(context) {
                    return Poll::Ready(Event::Landed(at, Box::new(landed)));
                }
            }
            match other(context) {
                Poll::Pending if *is_due => Poll::Ready(Event::Due),
                other => other.map(Event::Other),
            }
        }))
    }

    fn accepted(&mut self, group: Group) {
        self.is_due = true;
        for (number, accepted) in group {
            let Some(at) = self.find(number) else {
                continue;
            };
            match accepted {
                Ok(held) => self.held(at, held),
                Err(why) => self.unaccepted(at, why),
            }
        }
    }

    /// Goes on with a message that is kept.
    fn held(&mut self, at: usize, held: Arc<ClaimedEntry>) {
        let job = &mut self.jobs[at];
        let stage = std::mem::replace(&mut job.stage, JobStage::Taken);
        if let JobStage::Accepting(Some(failed)) = stage {
            self.failed(at, &Spooled::Held(held), None, failed);
        } else {
            job.stage = JobStage::Ready(Spooled::Held(held), None);
        }
    }

    /// Returns the place of a message among those that are not decided.
    fn find(&self, number: u64) -> Option<usize> {
        self.jobs
            .binary_search_by_key(&number, |job| job.number)
            .ok()
    }
}
