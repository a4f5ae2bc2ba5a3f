//! The policy: token, file, slot, send, a new token once, retries within the time limit.
//!
//! Decides by the class and the scope that each error is born with; knows no option.

mod ask;
mod doubt;
mod file;
mod flush;
mod marks;
mod merge;
mod reason;
mod retry;
mod sender;
mod tally;
mod turn;
mod waiting;

pub(crate) use flush::{Bounds, Flush, give_up, keep_new};
pub(crate) use marks::Marks;
pub(crate) use reason::{Reason, Undelivered};
pub(crate) use retry::retry;
pub(crate) use sender::{Sender, Senders};
pub(crate) use tally::Tally;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::clock::Stamp;
use crate::ledger::{Fingerprint, Ledger, Receivers, Share, Slot};
use crate::message::{Attachment, Channel, Post};
use crate::outbox::{Doubt, Entry, Kept};
use crate::output::Watching;
use crate::secret::digest;
use crate::token::Token;
use crate::wecom::{Cause, Class, Error, SPEED, Sent, Unreached};
use doubt::Form;
use reason::Why;
use retry::Tries;
use sender::Pass;

/// Messages that were accepted this close to each other were sent at the same moment.
const AT_ONCE: Duration = Duration::from_secs(2);

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
    message: Fingerprint,
    /// Whether it must not arrive twice, whatever happens.
    once: bool,
}

impl Delivery<'_> {
    /// Delivers the parts that are left of a message in their order, each after WeCom's yes to the
    /// one before, and takes it out of the outbox after the last. Calls `told` once the receivers
    /// have been told what expired, and `sent` for each part accepted, or skipped because its
    /// receivers do not exist while others do.
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
        let held = if has_files { kept.held() } else { None };
        let entry = held.as_ref().map_or(entry, |held| held.entry());
        let first = kept.attempts().sent;
        let mut reached = first > 0;
        // Parts whose receivers do not exist, held back until one part succeeds.
        let mut passed = Vec::new();
        for part in first..entry.posts.len() {
            let post = &entry.posts[part];
            let to = post.envelope();
            if part > first {
                // What there was to say has been said, unless it is to others.
                let again = entry.posts[part - 1].envelope() != to;
                marks = Marks {
                    told: !again,
                    expired: 0,
                    ..marks
                };
            }
            let shot = Shot {
                post,
                file: entry.attachment(part).filter(|_| has_files),
                marks: None,
                kept,
                message: fingerprint(entry, post),
                once: entry.once.is_some(),
            };
            match self.part(shot, marks, &mut told) {
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
        mut shot: Shot<'_>,
        marks: Marks,
        told: &mut impl FnMut(),
    ) -> Result<Sent, Undelivered> {
        let attempts = shot.kept.attempts();
        let lines = marks.lines(&Stamp::now());
        // What may have arrived goes as it was, and what is noted is not said again.
        let mut in_text = attempts.doubt.is_none() && !attempts.noted;
        if in_text && !lines.is_empty() && shot.post.marked(&lines).is_none() {
            in_text = false;
            let note = Shot {
                post: &shot.post.note(&lines),
                file: None,
                marks: None,
                kept: &Kept::Nowhere,
                message: shot.message,
                once: false,
            };
            self.deliver(&note, None)?;
            if let Some(held) = shot.kept.held() {
                held.note(|attempts| attempts.noted = true);
            }
            if marks.expired > 0 {
                told();
            }
        }
        shot.marks = in_text.then_some(marks);
        let sent = self.deliver(&shot, attempts.doubt)?;
        if in_text && marks.expired > 0 {
            told();
        }
        Ok(sent)
    }

    /// Delivers one request, trying again for as long as that may help.
    fn deliver(&self, shot: &Shot<'_>, doubt: Option<Doubt>) -> Result<Sent, Undelivered> {
        self.retry(self.tries(doubt), |tries| self.attempt(shot, tries))
    }

    fn attempt(&self, shot: &Shot<'_>, tries: &mut Tries) -> Result<Sent, Why> {
        let post = self.filled(shot, tries)?;
        let mut token = tries.token.take();
        let result = self.fire(&post, shot, &mut token, tries);
        tries.token = token;
        match result {
            Err(Why::Call(error)) if error.class == Class::Media && self.renews(shot, tries) => {
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
        let before = tries.doubt.clone();
        self.doubts(tries);
        let slot = self.slot(shot, tries)?;
        let others = slot.as_ref().map(|slot| slot.others).unwrap_or_default();
        let now = Stamp::now();
        let compares = post.channel() == Some(Channel::App);
        let about = doubt::About {
            compares,
            once: shot.once,
            equal: others.equal,
        };
        let Some((form, mut doubt)) = doubt::next(before.as_ref(), about, now) else {
            self.give_back(post, slot);
            return Err(Why::Unsettled);
        };
        if before.is_none()
            && let Some(marks) = shot.marks
        {
            // Of messages sent at the same moment none is the latest.
            let is_later = |by| self.share == Share::Backlog || by > AT_ONCE;
            let overtaken = marks.overtaken || others.overtaken_by.is_some_and(is_later);
            doubt.marks = Marks { overtaken, ..marks }.lines(&now);
        }
        let marked = Some(&doubt.marks).filter(|lines| !lines.is_empty());
        let marked = marked.and_then(|lines| post.marked(lines));
        let window = match form {
            Form::Plain => None,
            Form::Flagged(window) => Some(window),
        };
        let body = marked.as_ref().unwrap_or(post);
        let body = body.wire(self.sender.agentid(), window);
        let leaving = {
            let (kept, doubt) = (shot.kept.clone(), doubt.clone());
            let in_doubt = Arc::clone(&self.sender.in_doubt);
            move || {
                if let Some(held) = kept.held() {
                    held.note(|attempts| {
                        attempts.tries = attempts.tries.saturating_add(1);
                        attempts.doubt = Some(doubt.clone());
                    });
                }
                kept.may_go()?;
                in_doubt.store(true, Ordering::Relaxed);
                Ok(())
            }
        };
        let client = &self.sender.client;
        let result = client.send(&post.call, pass, body, Arc::new(leaving), self.deadline);
        self.settle(post, slot, form, &result, tries);
        result.map_err(|error| {
            let is_doubt = is_doubt(post, &error);
            let is_last = is_doubt && doubt::next(Some(&doubt), about, now).is_none();
            if is_doubt {
                let answered = before.is_none_or(|before| before.answered);
                doubt.answered = answered && is_answered(&error);
                tries.doubt = Some(doubt);
            }
            self.doubts(tries);
            if !error.never_left()
                && let Some(held) = shot.kept.held()
            {
                held.note(|attempts| attempts.doubt.clone_from(&tries.doubt));
            }
            if is_last {
                return Why::Unsettled;
            }
            Why::Call(error)
        })
    }

    /// Records whether the message may have arrived, for ^C to report.
    fn doubts(&self, tries: &Tries) {
        let in_doubt = tries.doubt.is_some();
        self.sender.in_doubt.store(in_doubt, Ordering::Relaxed);
    }

    /// Takes a place among the messages that WeCom delivers to the receivers; `None` where nobody
    /// counts. Without one nothing goes: what WeCom discards it discards in silence.
    fn slot(&self, shot: &Shot<'_>, tries: &mut Tries) -> Result<Option<Slot>, Why> {
        let Some(ledger) = self.sender.ledger(shot.post.channel()) else {
            return Ok(None);
        };
        if let Some(slot) = tries.slot.take() {
            ledger.give_back(slot);
        }
        let to = receivers(shot.post);
        let patience = self.deadline.saturating_duration_since(Instant::now());
        match ledger.reserve(&to, self.share, Some(&shot.message), patience) {
            Ok(Ok(slot)) => Ok(Some(slot)),
            Ok(Err(wait)) => Err(Why::NoSlot(wait)),
            // A full disk is when an alert must get out, unless it waits in the outbox.
            Err(error) if Ledger::is_disk_trouble(&error) && !shot.kept.is_safe() => {
                tracing::info!(%error, "the ledger cannot be written, going on without it");
                Ok(None)
            }
            Err(error) => Err(Why::NoLedger(error.to_string())),
        }
    }

    fn give_back(&self, post: &Post, slot: Option<Slot>) {
        if let (Some(ledger), Some(slot)) = (self.sender.ledger(post.channel()), slot) {
            ledger.give_back(slot);
        }
    }

    /// Notes in the ledger what became of a request.
    fn settle(
        &self,
        post: &Post,
        slot: Option<Slot>,
        form: Form,
        result: &Result<Sent, Error>,
        tries: &mut Tries,
    ) {
        let (Some(ledger), Some(slot)) = (self.sender.ledger(post.channel()), slot) else {
            return;
        };
        // A robot's refused messages count, too, as users report.
        let unused = match self.sender.pass {
            Pass::App { .. } => Error::was_not_counted,
            Pass::Robot(_) => Error::never_left,
        };
        match result {
            Err(error) if unused(error) => ledger.give_back(slot),
            Err(error) if is_doubt(post, error) => {
                let held = ledger.doubt(slot);
                tries.slot = Some(held).filter(|_| form != Form::Plain);
            }
            _ => ledger.settle(slot),
        }
    }
}

/// Whether a request may have been processed. Where WeCom would not swallow a copy, who answers in its
/// place is believed not to have passed it on: a message to a group would else be given up for two
/// such answers.
fn is_doubt(post: &Post, error: &Error) -> bool {
    let is_compared = post.channel() == Some(Channel::App);
    error.outcome_unknown() && (is_compared || !is_answered(error))
}

/// Whether somebody has answered in WeCom's place: a gateway that failed, or a portal.
fn is_answered(error: &Error) -> bool {
    matches!(
        error.cause,
        Cause::Status(500 | 502 | 503) | Cause::Unreadable { .. }
    )
}

/// What a request is known by among others of its app.
fn fingerprint(entry: &Entry, post: &Post) -> Fingerprint {
    let sum = digest(&[&post.call, &String::from_utf8_lossy(&post.body)]);
    Fingerprint {
        accepted: entry.accepted,
        digest: u32::from_str_radix(&sum[..8], 16).unwrap_or_default(),
    }
}

/// The time that files take on a slow network, beyond what a message has anyway.
pub(crate) fn upload_time(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SPEED)
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
