//! The last step of every command that sends: accepted, delivered or kept, and told in words.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fate::{Fate, Parts};
use super::report::{Report, Status};
use super::waiting::Waiting;
use crate::clock::Stamp;
use crate::config::{Config, State};
use crate::delivery::{Bounds, Delivery, Flush, Marks, Sender, Senders, Undelivered};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::ledger::Share;
use crate::message::Post;
use crate::outbox::{Entry, Held, Kept, Look, Outbox};
use crate::output::{Output, Watching};

/// Longest time that a send spends on older messages, and the most of them. Source: the contract.
const BACKLOG_TIME: Duration = Duration::from_secs(5);
const BACKLOG_MAX: usize = 10;

/// Most older messages that a send looks at to find some that may go.
const BACKLOG_LOOKS: usize = 200;

/// Longest time that the disk is waited for where nothing else says it.
pub(super) const DISK_TIME: Duration = Duration::from_secs(5);

/// How messages are sent.
pub(super) struct Way<'a> {
    pub(super) config: &'a Config,
    /// Where state is kept, or why nowhere.
    pub(super) state: Result<&'a State, String>,
    pub(super) sender: Rc<Sender>,
    pub(super) deadline: Instant,
    /// Whether what cannot be delivered now is kept.
    pub(super) keep: bool,
    /// Whether to be kept is as good as to be sent, though a person is there to mend the set-up.
    pub(super) kept_ok: bool,
    /// How a person who waits is told what goes on; none where nobody is there.
    pub(super) person: Option<Output>,
    /// Who watches files leave.
    pub(super) watching: Option<Watching>,
}

/// Where a message is kept, what else there is, and why it is not kept though it should be.
pub(super) type Begun = (Kept, Look, Option<String>);

impl Way<'_> {
    /// Sends a message of so many parts, each after the answer to the one before.
    pub(super) fn send(&self, posts: Vec<Post>) -> Report {
        self.deliver(&self.entry(posts))
    }

    /// Keeps a message for a flush to deliver; nothing is asked of the network.
    pub(super) fn queue(&self, posts: Vec<Post>) -> Report {
        let entry = self.entry(posts);
        let mut report = Report::new(Status::Queued, entry.posts.len());
        match self.hold(&entry, self.deadline) {
            Ok(held) => queued(&held, &mut report),
            Err(why) => {
                let what = say!(
                    "消息没有存入发件箱，也没有发送：{why}",
                    "the message is not kept, and was not sent: {why}"
                );
                let hint = spoken().of(
                    "腾出空间，设置 state_dir，或启用 [outbox]；不用 --queue 则立即发送",
                    "make room, set state_dir, or enable [outbox]; without --queue it is sent at once",
                );
                report.fail(Failure::new(Exit::State, what).hint(hint));
            }
        }
        report
    }

    /// Keeps a message for a flush to deliver; one that cannot be kept goes now, within this time.
    pub(super) fn queue_or_send(mut self, posts: Vec<Post>, time: Duration) -> Report {
        let entry = self.entry(posts);
        match self.hold(&entry, Instant::now() + DISK_TIME) {
            Ok(held) => {
                let mut report = Report::new(Status::Queued, entry.posts.len());
                queued(&held, &mut report);
                report
            }
            Err(why) => {
                tracing::info!(why, "not kept, so it goes now");
                self.deadline = Instant::now() + time;
                self.deliver(&entry)
            }
        }
    }

    /// A message as it is accepted.
    pub(super) fn entry(&self, posts: Vec<Post>) -> Entry {
        Entry {
            accepted: Stamp::now(),
            retried: None,
            once: None,
            merged: Vec::new(),
            sender: self.sender.name(),
            posts,
        }
    }

    fn deliver(&self, entry: &Entry) -> Report {
        self.carry(entry, self.begin(entry))
    }

    /// Delivers a message that is being kept, as far as it can be.
    pub(super) fn carry(&self, entry: &Entry, (kept, look, why_not): Begun) -> Report {
        let mut report = Report::new(Status::Sent, entry.posts.len());
        let to = entry.posts[0].envelope();
        let untold = look.untold(&entry.sender, &to);
        let marks = Marks {
            accepted: entry.accepted,
            overtaken: false,
            told: false,
            expired: untold.count(),
            lang: self.sender.settings.phone_lang,
        };
        let waiting = Waiting::begin(self, &kept, entry.posts.len());
        let delivery = Delivery {
            sender: &self.sender,
            deadline: self.deadline,
            share: Share::New,
            once: false,
            resends: true,
            watching: match &waiting {
                Some(waiting) => waiting.seeing(self.watching.clone()),
                None => self.watching.clone(),
            },
        };
        let mut sent = kept.attempts().sent;
        let told = || look.told(&untold);
        let end = delivery.carry(entry, marks, &kept, told, |answer| {
            match answer {
                Ok(answer) => report.add(&answer),
                Err(absent) => report.absent(&absent),
            }
            sent += 1;
            if let Some(waiting) = &waiting {
                waiting.sent(sent);
            }
        });
        drop(waiting);
        let fate = Fate {
            way: self,
            kept: &kept,
            why_not,
            parts: Parts {
                sent,
                all: entry.posts.len(),
            },
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
    fn begin(&self, entry: &Entry) -> Begun {
        let outbox = match &self.state {
            _ if !self.keep => return (Kept::Nowhere, Look::default(), None),
            Err(why) => return (Kept::Nowhere, Look::default(), Some(why.clone())),
            Ok(state) => Outbox::of(state),
        };
        match place_in(&outbox, entry) {
            Err((look, why)) => (Kept::Nowhere, look, Some(why)),
            Ok(look) => {
                let accepting = outbox.accept(&look, entry.clone(), self.deadline);
                (Kept::Begun(accepting), look, None)
            }
        }
    }

    /// Accepts a message, or says by `deadline` why it cannot be.
    pub(super) fn hold(&self, entry: &Entry, deadline: Instant) -> Result<Arc<Held>, String> {
        if !self.keep {
            return Err(say!(
                "发件箱已停用（[outbox] enabled = false）",
                "the outbox is switched off ([outbox] enabled = false)"
            ));
        }
        let outbox = Outbox::of(self.state.as_ref().map_err(Clone::clone)?);
        let look = place_in(&outbox, entry).map_err(|(_, why)| why)?;
        let path = outbox.path().display();
        let held = outbox.accept_by(&look, entry.clone(), deadline);
        held.map_err(|why| say!("{path}：{why}", "{path}: {why}"))
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

/// Looks into the outbox, whether there is room for a message.
///
/// # Errors
/// What was seen all the same, and in words: why there is none.
fn place_in(outbox: &Outbox, entry: &Entry) -> Result<Look, (Look, String)> {
    let path = outbox.path().display();
    let look = outbox.look().map_err(|error| {
        let why = say!("{path}：{error}", "{path}: {error}");
        (Look::default(), why)
    })?;
    match outbox.room(&look, entry) {
        Ok(()) => Ok(look),
        Err(why) => Err((look, why)),
    }
}

fn queued(held: &Held, report: &mut Report) {
    tracing::info!(id = %held.id(), "kept, to be delivered by a flush");
    report.kept(held.id(), Status::Queued);
}
