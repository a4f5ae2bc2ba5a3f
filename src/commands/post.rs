//! The last step of every command that sends: accepted, delivered or kept, and told in words.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::fate::Fate;
use super::report::{Report, Status};
use crate::clock::Stamp;
use crate::config::{Config, State};
use crate::delivery::{Bounds, Delivery, Flush, Marks, Sender, Senders, Undelivered};
use crate::lang::say;
use crate::ledger::Share;
use crate::message::Post;
use crate::outbox::{Entry, Kept, Look, Outbox};
use crate::output::Watching;

/// Longest time that a send spends on older messages, and the most of them. Source: the contract.
const BACKLOG_TIME: Duration = Duration::from_secs(5);
const BACKLOG_MAX: usize = 10;

/// Most older messages that a send looks at to find some that may go.
const BACKLOG_LOOKS: usize = 200;

/// How messages are sent.
pub(super) struct Way<'a> {
    pub(super) config: &'a Config,
    /// Where state is kept, or why nowhere.
    pub(super) state: Result<&'a State, String>,
    pub(super) sender: Rc<Sender>,
    pub(super) deadline: Instant,
    /// Whether what cannot be delivered now is kept.
    pub(super) keep: bool,
    /// Who watches files leave.
    pub(super) watching: Option<Watching>,
}

impl Way<'_> {
    /// Sends a message of so many parts, each after the answer to the one before.
    pub(super) fn send(&self, posts: Vec<Post>) -> Report {
        let mut report = Report::new(Status::Sent, posts.len());
        let entry = Entry {
            accepted: Stamp::now(),
            retried: None,
            once: None,
            merged: Vec::new(),
            sender: self.sender.name(),
            posts,
        };
        let (kept, look, why_not) = match &self.state {
            _ if !self.keep => (Kept::Nowhere, Look::default(), None),
            Err(why) => (Kept::Nowhere, Look::default(), Some(why.clone())),
            Ok(state) => self.begin(&Outbox::of(state), &entry),
        };
        let to = entry.posts[0].envelope();
        let untold = look.untold(&entry.sender, &to);
        let marks = Marks {
            accepted: entry.accepted,
            overtaken: false,
            expired: untold.count(),
            lang: self.sender.settings.phone_lang,
        };
        let delivery = Delivery {
            sender: &self.sender,
            deadline: self.deadline,
            share: Share::New,
            once: false,
            resends: true,
            watching: self.watching.clone(),
        };
        let mut sent = 0;
        let told = || look.told(&untold);
        let end = delivery.carry(&entry, marks, &kept, told, |answer| {
            match answer {
                Ok(answer) => report.add(&answer),
                Err(absent) => report.absent(&absent),
            }
            sent += 1;
        });
        let fate = Fate {
            way: self,
            kept: &kept,
            why_not,
            sent,
            parts: entry.posts.len(),
        };
        let worked = !matches!(end, Err(Undelivered::NotNow(_)));
        match end {
            Ok(()) => fate.warn(),
            Err(Undelivered::NotNow(reason)) => fate.not_now(&reason, &mut report),
            Err(Undelivered::Refused(reason)) => fate.refused(&reason, &mut report),
        }
        if let Ok(state) = &self.state
            && worked
            && look.entries > 0
        {
            self.backlog(state);
        }
        report.finish()
    }

    /// Begins to accept the message, or says why it cannot be.
    fn begin(&self, outbox: &Outbox, entry: &Entry) -> (Kept, Look, Option<String>) {
        let path = outbox.path().display();
        match outbox.look() {
            Err(error) => (
                Kept::Nowhere,
                Look::default(),
                Some(say!("{path}：{error}", "{path}: {error}")),
            ),
            Ok(look) => {
                if let Err(why) = outbox.room(&look, entry) {
                    return (Kept::Nowhere, look, Some(why));
                }
                let accepting = outbox.accept(&look, entry.clone(), self.deadline);
                (Kept::Begun(accepting), look, None)
            }
        }
    }

    /// Delivers some of what is older, now that it is known that messages arrive.
    fn backlog(&self, state: &State) {
        let outbox = Outbox::of(state);
        let senders = Senders::of(self.config, state).with(Rc::clone(&self.sender));
        let bounds = Bounds {
            deadline: Some(self.deadline.min(Instant::now() + BACKLOG_TIME)),
            tries: BACKLOG_MAX,
            looks: BACKLOG_LOOKS,
            files: false,
        };
        let mut flush = Flush::new(&senders, &outbox, bounds).works(self.sender.name());
        if let Err(error) = flush.pass() {
            tracing::info!(%error, "the outbox cannot be read");
        }
    }
}
