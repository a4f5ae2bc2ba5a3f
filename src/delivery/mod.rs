//! The policy: token, file, slot, send, a new token once, retries within the time limit. Three values
//! out.
//!
//! Decides by `errcode` and HTTP status, through the class of each error; knows no option.

mod ask;
mod file;
mod flush;
mod insist;
mod marks;
mod reason;
mod sender;
mod tally;

pub(crate) use flush::{Bounds, Flush, give_up, keep};
pub(crate) use insist::random;
pub(crate) use marks::Marks;
pub(crate) use reason::{Reason, Undelivered};
pub(crate) use sender::{Sender, Senders};
pub(crate) use tally::Tally;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use crate::ledger::{Receivers, Share, Slot};
use crate::message::content::DUPLICATE_CHECK_MAX;
use crate::message::{Attachment, Channel, Post};
use crate::outbox::{Doubt, Entry, Kept, unix_ms};
use crate::output::Watching;
use crate::token::Token;
use crate::wecom::{Class, Error, SPEED, Sent, Unreached};
use insist::Tries;
use reason::Why;
use sender::Pass;

/// Delivers messages of one sender over one connection.
pub(crate) struct Delivery<'a> {
    pub(crate) sender: &'a Sender,
    pub(crate) deadline: Instant,
    /// Whose slots of the ledger the messages take.
    pub(crate) share: Share,
    /// Whether it ends at the first trouble that only waiting could mend.
    pub(crate) once: bool,
    /// Whether what may have been done is asked for again: a message is, flagged.
    pub(crate) resends: bool,
    /// Who watches files leave.
    pub(crate) watching: Option<Watching>,
}

/// One request of a message.
struct Shot<'a> {
    post: &'a Post,
    /// What is uploaded before it, unless WeCom has it.
    file: Option<&'a Attachment>,
    /// What goes before its text.
    marks: Option<Marks>,
    kept: &'a Kept,
}

impl Delivery<'_> {
    /// Delivers the parts that are left of a message in their order, each after WeCom's yes to the
    /// one before, and takes it out of the outbox after the last. `told` hears that the receivers
    /// have been told what expired, `sent` of each yes, and where others are there of each part whose
    /// receivers are not.
    ///
    /// # Errors
    /// Why the next part was not delivered; the ones behind it have not been tried.
    pub(crate) fn carry(
        &self,
        entry: &Entry,
        mut marks: Marks,
        kept: &Kept,
        mut told: impl FnMut(),
        mut sent: impl FnMut(Result<Sent, Unreached>),
    ) -> Result<(), Undelivered> {
        // A file goes as it was accepted, so that is waited for.
        let has_files = entry.posts.iter().any(|post| post.attachment.is_some());
        let held = kept.held().filter(|_| has_files);
        let entry = held.as_ref().map_or(entry, |held| held.entry());
        let first = kept.attempts().sent;
        let mut reached = first > 0;
        // For nobody who is there; as long as it may turn out that nobody at all is, not yet done.
        let mut passed = Vec::new();
        for part in first..entry.posts.len() {
            let post = &entry.posts[part];
            let to = post.envelope();
            if part > first {
                // What there was to say has been said, unless it is to others.
                let again = entry.posts[part - 1].envelope() != to;
                let accepted = if again {
                    entry.accepted
                } else {
                    SystemTime::now()
                };
                marks = Marks {
                    accepted,
                    expired: 0,
                    ..marks
                };
            }
            let file = entry.attachment(part).filter(|_| has_files);
            match self.part(post, file, marks, kept, &mut told) {
                Ok(yes) => {
                    reached = true;
                    passed.push(Ok(yes));
                }
                Err(Undelivered::Refused(reason))
                    if reason.is_of(Class::Recipients)
                        && (reached || part + 1 < entry.posts.len())
                        && entry.posts.iter().any(|other| other.envelope() != to) =>
                {
                    passed.push(Err(Unreached::all(&to)));
                }
                Err(undelivered) => return Err(undelivered),
            }
            if !reached {
                continue;
            }
            if let Some(held) = kept.held() {
                held.delivered(passed.len());
            }
            passed.drain(..).for_each(&mut sent);
        }
        Ok(())
    }

    /// Delivers one part with the lines that go before it: in its text, or where there is no room as
    /// a message of their own.
    fn part(
        &self,
        post: &Post,
        file: Option<&Attachment>,
        marks: Marks,
        kept: &Kept,
        told: &mut impl FnMut(),
    ) -> Result<Sent, Undelivered> {
        let attempts = kept.attempts();
        let doubt = attempts.doubt.filter(can_be_compared);
        let lines = marks.lines(SystemTime::now());
        // What may have arrived goes as it was, and what is noted is not said again.
        let mut in_text = doubt.is_none() && !attempts.noted;
        if in_text && !lines.is_empty() && post.marked(&lines).is_none() {
            in_text = false;
            let note = Shot {
                post: &post.note(&lines),
                file: None,
                marks: None,
                kept: &Kept::Nowhere,
            };
            self.deliver(&note, None)?;
            if let Some(held) = kept.held() {
                held.note(|attempts| attempts.noted = true);
            }
            if marks.expired > 0 {
                told();
            }
        }
        let shot = Shot {
            post,
            file,
            marks: in_text.then_some(marks),
            kept,
        };
        let sent = self.deliver(&shot, doubt)?;
        if in_text && marks.expired > 0 {
            told();
        }
        Ok(sent)
    }

    /// Delivers one request, trying again for as long as that may help.
    fn deliver(&self, shot: &Shot<'_>, doubt: Option<Doubt>) -> Result<Sent, Undelivered> {
        self.insist(Tries::of(doubt), |tries| self.attempt(shot, tries))
    }

    fn attempt(&self, shot: &Shot<'_>, tries: &mut Tries) -> Result<Sent, Why> {
        let post = self.filled(shot, tries)?;
        let mut token = tries.token.take();
        let result = self.fire(&post, shot, &mut token, tries);
        tries.token = token;
        match result {
            Err(Why::Call(error)) if error.class() == Class::Media && self.renews(shot, tries) => {
                self.attempt(shot, tries)
            }
            result => result,
        }
    }

    fn fire(
        &self,
        post: &Post,
        shot: &Shot<'_>,
        token: &mut Option<Token>,
        tries: &mut Tries,
    ) -> Result<Sent, Why> {
        let pass = self.pass(token)?;
        tries.doubt = tries.doubt.take().filter(can_be_compared);
        let resend = tries.doubt.is_some();
        self.doubts(tries);
        let now = SystemTime::now();
        let doubt = tries.doubt.clone().unwrap_or_else(|| Doubt {
            since: unix_ms(now),
            marks: shot.marks.map_or(String::new(), |marks| marks.lines(now)),
        });
        let marked = Some(&doubt.marks).filter(|lines| !lines.is_empty());
        let marked = marked.and_then(|lines| post.marked(lines));
        let body = marked.as_ref().unwrap_or(post);
        let body = body.wire(self.sender.agentid(), resend);
        let slot = self.slot(post)?;
        let leaving = {
            let (kept, doubt) = (shot.kept.clone(), doubt.clone());
            let in_doubt = Arc::clone(&self.sender.in_doubt);
            move || {
                if let Some(held) = kept.held() {
                    held.note(|attempts| {
                        attempts.tries += 1;
                        attempts.doubt = Some(doubt.clone());
                    });
                }
                in_doubt.store(true, Ordering::Relaxed);
            }
        };
        let leaving = Arc::new(leaving);
        let client = &self.sender.client;
        let result = client.send(&post.call, pass, body, leaving, self.deadline);
        // A robot's refused messages count, too, as users report.
        let unused = match self.sender.pass {
            Pass::App { .. } => Error::was_not_counted,
            Pass::Robot(_) => Error::never_left,
        };
        self.settle(post, slot, result.as_ref().is_err_and(unused));
        result.map_err(|error| {
            if error.outcome_unknown() {
                tries.doubt = Some(doubt);
            }
            self.doubts(tries);
            if !error.never_left()
                && let Some(held) = shot.kept.held()
            {
                held.note(|attempts| attempts.doubt.clone_from(&tries.doubt));
            }
            Why::Call(error)
        })
    }

    /// Tells whoever asks whether the message may have arrived.
    fn doubts(&self, tries: &Tries) {
        let in_doubt = tries.doubt.is_some();
        self.sender.in_doubt.store(in_doubt, Ordering::Relaxed);
    }

    /// A place among the messages that WeCom delivers to the receivers; none where nobody counts.
    fn slot(&self, post: &Post) -> Result<Option<Slot>, Why> {
        let Some(ledger) = self.sender.ledger(post.channel()) else {
            return Ok(None);
        };
        match ledger.reserve(&receivers(post), self.share) {
            Ok(Ok(slot)) => Ok(Some(slot)),
            Ok(Err(wait)) => Err(Why::NoSlot(wait)),
            Err(error) => {
                tracing::info!(%error, "the ledger cannot be used, going on without it");
                Ok(None)
            }
        }
    }

    fn settle(&self, post: &Post, slot: Option<Slot>, unused: bool) {
        if let (Some(ledger), Some(slot)) = (self.sender.ledger(post.channel()), slot) {
            if unused {
                ledger.give_back(slot);
            } else {
                ledger.settle(slot);
            }
        }
    }
}

/// The time that files take on a slow network, beyond what a message has anyway.
pub(crate) fn upload_time(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SPEED)
}

/// Whether WeCom still has the first request to compare with.
fn can_be_compared(doubt: &Doubt) -> bool {
    let age = unix_ms(SystemTime::now()).saturating_sub(doubt.since);
    age < DUPLICATE_CHECK_MAX * 1000
}

/// For whom a request counts: of a chat's or a group's members nothing is known.
pub(crate) fn receivers(post: &Post) -> Receivers {
    if post.channel() != Some(Channel::App) {
        return Receivers::Everyone;
    }
    let to = post.envelope();
    let others = !to.toparty.is_empty() || !to.totag.is_empty();
    Receivers::of(Some(&to.touser.join("|")), others)
}
