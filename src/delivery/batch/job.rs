//! One message of a batch, and what is ahead of it.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Local};

use super::super::audiences::WaitingAudiences;
use super::super::outcome::End;
use super::super::retry::Tries;
use super::super::{Obstacle, TIME, audience, upload_time};
use crate::message::Channel;
use crate::outbox::{Entry, Id, NotKept, Spooled};
use crate::rate_limit::Audience;

/// A message that is not decided yet; `T` is what its answer belongs to.
pub(super) struct BatchJob<T> {
    pub(super) of: T,
    pub(super) number: u64,
    /// The number of its sender.
    pub(super) sender: usize,
    /// The number of the first sender of its app or robot: limits and order are those of the account.
    pub(super) account: usize,
    pub(super) entry: Entry,
    pub(super) channel: Channel,
    /// All its recipients.
    pub(super) to: Audience,
    /// Whether it is only kept.
    pub(super) queue: bool,
    /// The end of the quiet hours that hold it.
    pub(super) until: Option<DateTime<Local>>,
    /// Its name in the outbox, if it counts as an entry: names sort in the order of the input.
    pub(super) name: Option<Id>,
    pub(super) stage: JobStage,
}

/// How far a message has come.
pub(super) enum JobStage {
    /// Being kept, after its first request has failed, or before it is tried.
    Accepting(Option<FailedTry>),
    /// Kept, or not and why not: its turn comes next.
    Ready(Spooled, Option<NotKept>),
    /// Its request is under way.
    Flying(Spooled, Option<NotKept>),
    /// Its request failed, and is made again alone.
    Again(Spooled, Option<NotKept>, Box<Tries>),
    /// Another message has its `--once` key.
    Taken,
}

/// A request in vain.
pub(super) struct FailedTry {
    pub(super) why: Obstacle,
    pub(super) tries: Box<Tries>,
}

impl<T> BatchJob<T> {
    pub(super) fn new(of: T, number: u64, sender: usize, account: usize, entry: Entry) -> Self {
        Self {
            of,
            number,
            sender,
            account,
            channel: entry.messages[0].channel,
            to: everyone_of(&entry),
            entry,
            queue: false,
            until: None,
            name: None,
            stage: JobStage::Accepting(None),
        }
    }

    /// Takes out where it is kept, or why it is not.
    pub(super) fn taken(&mut self) -> (Spooled, Option<NotKept>, Option<Box<Tries>>) {
        match std::mem::replace(&mut self.stage, JobStage::Accepting(None)) {
            JobStage::Ready(kept, why_not) | JobStage::Flying(kept, why_not) => {
                (kept, why_not, None)
            }
            JobStage::Again(kept, why_not, tries) => (kept, why_not, Some(tries)),
            JobStage::Accepting(_) | JobStage::Taken => (Spooled::Nowhere, None, None),
        }
    }

    /// Returns the time for it: the one that is set, or more for a file.
    pub(super) fn time(&self, set: Option<Duration>) -> Duration {
        set.unwrap_or_else(|| TIME + upload_time(self.entry.bytes_of_files()))
    }

    /// Returns its end, if it is only kept, as this entry.
    pub(super) fn only_kept(&self, id: &Id) -> Option<End> {
        let id = id.clone();
        match self.until {
            Some(until) => Some(End::Quiet { id, until }),
            None => self.queue.then_some(End::Queued { id }),
        }
    }

    /// Whether it has to be kept before it is tried: its key is noted with it, and of several requests
    /// a kill must not leave some unsent.
    pub(super) fn is_kept_first(&self) -> bool {
        let is_only_kept = self.queue || self.until.is_some();
        is_only_kept || self.entry.once.is_some() || !self.is_one_request()
    }

    /// Whether it is kept as soon as anything but its request comes next.
    pub(super) fn is_unkept(&self) -> bool {
        matches!(self.stage, JobStage::Ready(Spooled::Unkept, _))
    }

    /// Whether it needs nothing but one request.
    pub(super) fn is_one_request(&self) -> bool {
        matches!(&*self.entry.messages, [message] if message.attachment.is_none())
    }
}

/// Returns the recipients of all parts.
fn everyone_of(entry: &Entry) -> Audience {
    let mut all = Vec::new();
    for message in &entry.messages {
        match audience(message) {
            Audience::Everyone => return Audience::Everyone,
            Audience::Members(names) => all.extend(names),
        }
    }
    all.sort_unstable();
    all.dedup();
    Audience::Members(all)
}

/// The messages ahead of another one that are not decided yet.
#[derive(Default)]
pub(super) struct Ahead<'a> {
    recipients: BTreeMap<(usize, Channel), WaitingAudiences>,
    keys: HashSet<&'a str>,
}

impl<'a> Ahead<'a> {
    pub(super) fn add<T>(&mut self, job: &'a BatchJob<T>) {
        let recipients = self.recipients.entry((job.account, job.channel));
        recipients.or_default().add(&job.to);
        self.keys.extend(job.entry.once.as_deref());
    }

    /// Whether a message has to wait for one of them: for the same recipients, or with its key.
    pub(super) fn holds<T>(&self, job: &BatchJob<T>) -> bool {
        let recipients = self.recipients.get(&(job.account, job.channel));
        let has_key = |key: &str| self.keys.contains(key);
        recipients.is_some_and(|waiting| waiting.touches(&job.to))
            || job.entry.once.as_deref().is_some_and(has_key)
    }
}
