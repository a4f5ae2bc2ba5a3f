//! The policy: token, file, slot, send, a new token once, retries within the time limit.
//!
//! Decides by the class and the scope that each error is born with; knows no option.

mod ask;
mod audiences;
mod banner;
mod doubt;
mod file;
mod flush;
mod merge;
mod once;
mod outcome;
mod reason;
mod retry;
mod sender;
mod slots;
mod submit;
mod summary;
mod turn;
mod wording;

pub(crate) use banner::Banner;
pub(crate) use flush::{Bounds, Flush};
pub(crate) use outcome::{End, Outcome, Parts};
pub(crate) use reason::{NotDelivered, Obstacle, Reason};
pub(crate) use retry::retry;
pub(crate) use sender::{Sender, Senders};
pub(crate) use submit::{Delivering, Submission, Watcher};
pub(crate) use summary::{FlushSummary, Strange};
pub(crate) use wording::Wording;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::clock::Stamp;
use crate::file_slice::Watching;
use crate::message::{Attachment, Channel, Message, Recipients};
use crate::outbox::{Doubt, Entry, Spooled};
use crate::rate_limit::{Audience, Fingerprint, Share};
use crate::secret::digest;
use crate::token::AccessToken;
use crate::wecom::{Cause, Class, Error, SPEED, Sent, Unreached};
use doubt::Form;
use retry::Tries;

/// Messages accepted within this time of each other count as sent at the same moment.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Delivers messages of one sender over one connection.
pub(crate) struct Delivery<'a> {
    pub(crate) sender: &'a Sender,
    pub(crate) deadline: Instant,
    /// The share of the ledger's slots that the messages take.
    pub(crate) share: Share,
    /// Whether it gives up at the first error that only waiting could cure.
    pub(crate) once: bool,
    /// Whether a request that may have been processed is sent again: a message is, flagged.
    pub(crate) resends: bool,
    /// Watches the upload of files.
    pub(crate) watching: Option<Watching>,
}

/// One message of an entry, as it is sent.
struct Part<'a> {
    message: &'a Message,
    /// The file to upload before it, unless WeCom has it.
    file: Option<&'a Attachment>,
    /// The lines that go before its text.
    marks: Option<Banner>,
    kept: &'a Spooled,
    fingerprint: Fingerprint,
    /// Whether it must not arrive twice under any circumstances.
    once: bool,
}

impl Delivery<'_> {
    /// Delivers the remaining messages of an entry in order, each after WeCom accepted the one before,
    /// and removes the entry from the outbox after the last. Calls `told` once the recipients have
    /// got the notice of expired messages, and `sent` for each message that was accepted, or skipped
    /// because its recipients do not exist while others do.
    ///
    /// # Errors
    /// Why the next message was not delivered; the ones behind it have not been tried.
    pub(crate) fn deliver_parts(
        &self,
        entry: &Entry,
        mut marks: Banner,
        kept: &Spooled,
        mut told: impl FnMut(),
        mut sent: impl FnMut(Result<Sent, Unreached>),
    ) -> Result<(), NotDelivered> {
        // Files are sent as they were accepted, so wait for the entry.
        let has_files = entry.messages.iter().any(|it| it.attachment.is_some());
        let held = if has_files { kept.held() } else { None };
        let entry = held.as_ref().map_or(entry, |held| held.entry());
        let first = kept.attempts().sent;
        let mut reached = first > 0;
        // Messages whose recipients do not exist, held back until one succeeds.
        let mut passed = Vec::new();
        for part in first..entry.messages.len() {
            let message = &entry.messages[part];
            if part > first {
                // The lines have been said, unless these are other recipients.
                let is_same = entry.messages[part - 1].to == message.to;
                marks = Banner {
                    told: is_same,
                    expired: 0,
                    ..marks
                };
            }
            let next = Part {
                message,
                file: entry.attachment(part).filter(|_| has_files),
                marks: None,
                kept,
                fingerprint: fingerprint(entry, message),
                once: entry.once.is_some(),
            };
            match self.deliver_part(next, marks, &mut told) {
                Ok(yes) => {
                    reached = true;
                    passed.push(Ok(yes));
                }
                Err(NotDelivered::Rejected(reason))
                    if reason.is_of(Class::Recipients)
                        && (reached || part + 1 < entry.messages.len())
                        && entry.messages.iter().any(|other| other.to != message.to) =>
                {
                    passed.push(Err(all_of(&message.to)));
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

    /// Delivers one message with the lines that go before it: in its text, or where there is no room
    /// as a message of their own.
    fn deliver_part(
        &self,
        mut part: Part<'_>,
        marks: Banner,
        told: &mut impl FnMut(),
    ) -> Result<Sent, NotDelivered> {
        let attempts = part.kept.attempts();
        let lines = marks.lines(&Stamp::now());
        // A message that may have arrived is resent unchanged, and noted lines are not repeated.
        let mut in_text = attempts.doubt.is_none() && !attempts.noted;
        if in_text && !lines.is_empty() && part.message.marked(&lines).is_none() {
            in_text = false;
            let note = Part {
                message: &part.message.note(lines),
                file: None,
                marks: None,
                kept: &Spooled::Nowhere,
                fingerprint: part.fingerprint,
                once: false,
            };
            self.send_with_retry(&note, None)?;
            if let Some(held) = part.kept.held() {
                held.note(|attempts| attempts.noted = true);
            }
            if marks.expired > 0 {
                told();
            }
        }
        part.marks = in_text.then_some(marks);
        let sent = self.send_with_retry(&part, attempts.doubt)?;
        if in_text && marks.expired > 0 {
            told();
        }
        Ok(sent)
    }

    /// Sends one message, and retries for as long as that may help.
    fn send_with_retry(&self, part: &Part<'_>, doubt: Option<Doubt>) -> Result<Sent, NotDelivered> {
        self.retry(self.tries(doubt), |tries| self.send(part, tries))
    }

    /// Uploads the message's file if need be, and sends it; once more where WeCom has forgotten the
    /// file.
    fn send(&self, part: &Part<'_>, tries: &mut Tries) -> Result<Sent, Obstacle> {
        let message = self.with_media(part, tries)?;
        let mut token = tries.token.take();
        let result = self.send_once(&message, part, &mut token, tries);
        tries.token = token;
        match result {
            Err(Obstacle::Call(error))
                if error.class == Class::Media && self.renews(part, tries) =>
            {
                self.send(part, tries)
            }
            result => result,
        }
    }

    /// Makes one request: reserves its slot, records the doubt before its first byte leaves, and
    /// records the outcome.
    fn send_once(
        &self,
        message: &Message,
        part: &Part<'_>,
        token: &mut Option<AccessToken>,
        tries: &mut Tries,
    ) -> Result<Sent, Obstacle> {
        let pass = self.pass(token)?;
        let before = tries.doubt.clone();
        self.record_doubt(tries);
        let slot = self.reserve_slot(part, tries)?;
        let others = slot.as_ref().map(|slot| slot.others).unwrap_or_default();
        let now = Stamp::now();
        let about = doubt::Circumstances {
            compares: message.channel == Channel::App,
            once: part.once,
            equal: others.equal,
        };
        let Some((form, mut doubt)) = doubt::next(before.as_ref(), about, now) else {
            self.give_back(message, slot);
            return Err(Obstacle::Unsettled);
        };
        if before.is_none()
            && let Some(marks) = part.marks
        {
            // Of messages sent at the same moment none is the latest.
            let is_later = |by| self.share == Share::Backlog || by > AT_ONCE;
            let overtaken = marks.overtaken || others.overtaken_by.is_some_and(is_later);
            doubt.marks = Banner { overtaken, ..marks }.lines(&now);
        }
        let marked = Some(&doubt.marks).filter(|lines| !lines.is_empty());
        let marked = marked.and_then(|lines| message.marked(lines));
        let window = match form {
            Form::Plain => None,
            Form::Flagged(window) => Some(window),
        };
        let body = marked.as_ref().unwrap_or(message);
        let body = body.to_wire(self.sender.agentid(), window);
        let leaving = self.leaving(part.kept, &doubt);
        let client = &self.sender.client;
        let call = message.channel.call();
        let result = client.send(call, pass, body, Arc::new(leaving), self.deadline);
        self.settle(message, slot, form, &result, tries);
        result.map_err(|error| {
            let is_doubt = is_doubt(message, &error);
            let is_last = is_doubt && doubt::next(Some(&doubt), about, now).is_none();
            if is_doubt {
                let answered = before.is_none_or(|before| before.answered);
                doubt.answered = answered && is_answered(&error);
                tries.doubt = Some(doubt);
            }
            self.record_doubt(tries);
            if !error.never_left()
                && let Some(held) = part.kept.held()
            {
                held.note(|attempts| attempts.doubt.clone_from(&tries.doubt));
            }
            if is_last {
                return Obstacle::Unsettled;
            }
            Obstacle::Call(error)
        })
    }

    /// Returns what happens just before a request's first byte leaves: the entry is written, and the
    /// doubt with it.
    fn leaving(&self, kept: &Spooled, doubt: &Doubt) -> impl Fn() -> std::io::Result<()> + use<> {
        let (kept, doubt) = (kept.clone(), doubt.clone());
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
    }

    /// Records whether the message may have arrived, for ^C to report.
    fn record_doubt(&self, tries: &Tries) {
        let in_doubt = tries.doubt.is_some();
        self.sender.in_doubt.store(in_doubt, Ordering::Relaxed);
    }
}

/// Whether a request may have been processed. Where WeCom would not drop a copy, a gateway's answer
/// counts as a request that was not passed on: otherwise a message to a group would be given up
/// after two such answers.
fn is_doubt(message: &Message, error: &Error) -> bool {
    let is_compared = message.channel == Channel::App;
    error.outcome_unknown() && (is_compared || !is_answered(error))
}

/// Whether somebody has answered in WeCom's place: a gateway that failed, or a portal.
fn is_answered(error: &Error) -> bool {
    matches!(
        error.cause,
        Cause::Status(500 | 502 | 503) | Cause::Unreadable(_)
    )
}

/// Returns everybody whom an recipients names, as unreached.
fn all_of(to: &Recipients) -> Unreached {
    Unreached {
        invaliduser: to.touser.clone(),
        invalidparty: to.toparty.clone(),
        invalidtag: to.totag.clone(),
        unlicenseduser: Vec::new(),
    }
}

/// Returns the fingerprint by which the ledger knows a message among others of its app.
fn fingerprint(entry: &Entry, message: &Message) -> Fingerprint {
    let body = message.to_json();
    let sum = digest(&[message.channel.call(), &String::from_utf8_lossy(&body)]);
    Fingerprint {
        accepted: entry.accepted,
        digest: u32::from_str_radix(&sum[..8], 16).unwrap_or_default(),
    }
}

/// Returns the time that files of so many bytes take on a slow network.
pub(crate) fn upload_time(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SPEED)
}

/// Returns the members whom a message counts for; the members of a chat or a group are not known.
pub(crate) fn audience(message: &Message) -> Audience {
    if message.channel != Channel::App {
        return Audience::Everyone;
    }
    let to = &message.to;
    let others = !to.toparty.is_empty() || !to.totag.is_empty();
    Audience::of(Some(&to.touser.join("|")), others)
}
