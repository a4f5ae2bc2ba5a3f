//! The last step of every command that sends: accepted, delivered or kept, and told in words.

use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use super::report::{Report, Status};
use crate::config::{Config, State};
use crate::delivery::{
    Bounds, Delivery, Flush, Marks, Reason, Sender, Senders, Undelivered, give_up, keep,
};
use crate::error::{Exit, Failure};
use crate::ledger::Share;
use crate::message::Post;
use crate::outbox::{Entry, Held, Kept, Look, Outbox, Verdict};
use crate::output::{self, Watching};

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
            accepted: SystemTime::now(),
            retried: None,
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
                Some(format!("{path}: {error}")),
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
        let mut flush = Flush::new(&senders, &outbox, bounds);
        if let Err(error) = flush.pass() {
            tracing::info!(%error, "the outbox cannot be read");
        }
    }
}

/// What is known when a message has been carried as far as it goes.
struct Fate<'a> {
    way: &'a Way<'a>,
    kept: &'a Kept,
    /// Why it could not even be begun to be kept, though it should have been.
    why_not: Option<String>,
    sent: usize,
    parts: usize,
}

impl Fate<'_> {
    /// Why the message is kept nowhere, although it should be.
    fn not_kept(&self) -> Option<String> {
        match self.kept {
            Kept::Nowhere => self.why_not.clone(),
            Kept::Held(_) => None,
            Kept::Begun(accepting) => {
                let path = |why| match self.way.state {
                    Ok(state) => format!("{}: {why}", Outbox::of(state).path().display()),
                    Err(_) => why,
                };
                accepting.held().err().map(path)
            }
        }
    }

    /// Says that a message went out without a net below it.
    fn warn(&self) {
        if let Kept::Begun(accepting) = self.kept {
            accepting.abandon();
        }
        // Where there is no state at all, that has been said.
        if let (Some(why), Ok(_)) = (self.not_kept(), &self.way.state) {
            tracing::warn!("the outbox cannot be used, the message was sent without it: {why}");
        }
    }

    fn not_now(&self, reason: &Reason, report: &mut Report) {
        if let Some(refusal) = reason.refusal() {
            report.refused(refusal.errcode, &refusal.errmsg);
        }
        let mut failure = reason.failure();
        let held = self.kept.at_last(self.sent, reason.outcome_unknown);
        match held.ok().flatten() {
            Some(held) if failure.exit == Exit::Setup && output::stderr_is_terminal() => {
                if let Err(error) = held.remove() {
                    tracing::warn!("{} cannot be removed from the outbox: {error}", held.id());
                }
                failure.what = self.words(reason, &self.not_kept_words(), &failure);
                report.fail(failure);
            }
            Some(held) => {
                keep(&held, reason, &failure);
                report.fail(self.queued(&held, reason, failure));
                report.kept(held.id(), Status::Queued);
            }
            None => {
                if let Some(why) = self.not_kept() {
                    failure.exit = Exit::State;
                    let is = self.verb(["is", "are"]);
                    let lost = format!(" and {is} LOST, since nothing can be kept either ({why})");
                    failure.what = self.words(reason, &lost, &failure);
                } else {
                    failure.what = self.words(reason, &self.not_kept_words(), &failure);
                    let hint = "send it again later, or give it more time with --timeout";
                    failure.hint.get_or_insert_with(|| hint.to_owned());
                }
                report.fail(failure);
            }
        }
    }

    fn queued(&self, held: &Held, reason: &Reason, mut failure: Failure) -> Failure {
        let id = held.id();
        let kept = format!(
            ", and {} kept in the outbox ({id})",
            self.verb(["is", "are"])
        );
        failure.what = self.words(reason, &kept, &failure);
        let when = if failure.exit == Exit::Setup {
            "when that is mended and wxpush next runs"
        } else {
            "when wxpush next runs"
        };
        let line = self.way.config.flush_command();
        let hint = failure.hint.take();
        let advice = hint.map_or(String::new(), |hint| format!("{hint}; "));
        failure.hint(format!(
            "{advice}it need not be sent again, it goes out {when}, by this crontab line each minute: * * * * * {line}"
        ))
    }

    fn refused(&self, reason: &Reason, report: &mut Report) {
        if let Some(refusal) = reason.refusal() {
            report.refused(refusal.errcode, &refusal.errmsg);
        }
        let mut failure = reason.failure();
        let held = self.kept.at_last(self.sent, false);
        let buried = held
            .ok()
            .flatten()
            .filter(|held| give_up(held, &Verdict::of(reason, &failure)));
        let kept = buried.as_ref().map_or(String::new(), |held| {
            let lies = self.verb(["lies", "lie"]);
            format!(" and {lies} in outbox/failed ({})", held.id())
        });
        failure.what = self.words(reason, &kept, &failure);
        report.fail(failure);
        if let Some(held) = buried {
            report.kept(held.id(), Status::Failed);
        }
    }

    /// The verb's form for what was not sent: one thing, or several parts.
    fn verb(&self, forms: [&'static str; 2]) -> &'static str {
        forms[usize::from(self.sent > 0 && self.parts - self.sent > 1)]
    }

    fn not_kept_words(&self) -> String {
        format!(" and {} not kept", self.verb(["is", "are"]))
    }

    /// What happened to which parts, and why.
    fn words(&self, reason: &Reason, kept: &str, failure: &Failure) -> String {
        let (at, parts) = (self.sent, self.parts);
        let left = parts - at;
        let (subject, was) = match left {
            _ if parts == 1 => ("the message".to_owned(), "was"),
            1 => (format!("part {parts} of {parts}"), "was"),
            _ if at == 0 => (format!("the message of {parts} parts"), "was"),
            _ => (format!("parts {} to {parts} of {parts}", at + 1), "were"),
        };
        let fate = if !reason.outcome_unknown {
            format!("{subject} {was} not sent")
        } else if left == 1 {
            format!("{subject} may or may not have arrived (an answer was lost)")
        } else {
            let part = at + 1;
            format!("{subject} {was} not sent, part {part} may have been (an answer was lost)")
        };
        let sent = match at {
            0 => String::new(),
            1 => " (part 1 was)".to_owned(),
            _ => format!(" (parts 1 to {at} were)"),
        };
        format!("{fate}{sent}{kept}: {}", failure.what)
    }
}
