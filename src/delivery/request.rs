//! One request for a message: what is recorded before its first byte leaves, and after its answer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::doubt::{self, Circumstances, Form};
use super::flights::Sending;
use super::reason::Obstacle;
use super::retry::Tries;
use super::{Banner, Delivery, Part};
use crate::clock::Stamp;
use crate::file_slice::FileSlice;
use crate::message::{Channel, Message};
use crate::outbox::{Doubt, Spooled};
use crate::rate_limit::{Share, Slot};
use crate::token::AccessToken;
use crate::wecom::{Cause, Error, Leaving, Sent};

/// Messages accepted within this time of each other count as simultaneous.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A request that may leave: its slot is reserved.
pub(super) struct ReadyRequest {
    body: Vec<u8>,
    /// To be called before its first byte leaves.
    leaving: Leaving,
    slot: Option<Slot>,
    form: Form,
    about: Circumstances,
    made: Stamp,
    /// The doubt before it.
    before: Option<Doubt>,
    /// The doubt if its answer is lost.
    doubt: Doubt,
}

impl Delivery<'_> {
    /// Makes one request: reserves its slot, records the doubt before its first byte leaves, and
    /// records the outcome.
    pub(super) fn send_once(
        &self,
        message: &Message,
        part: &Part<'_>,
        token: &mut Option<AccessToken>,
        tries: &mut Tries,
    ) -> Result<Sent, Obstacle> {
        let pass = self.pass(token)?;
        let mut ready = self.ready(message, part, tries)?;
        let (client, call) = (&self.sender.client, message.channel.call());
        let (body, leaving) = (std::mem::take(&mut ready.body), Arc::clone(&ready.leaving));
        let result = client.send(call, pass, body, leaving, self.deadline);
        self.answered(message, part, ready, result, tries)
    }

    /// Makes a message's request, to be sent over a free connection beside others.
    ///
    /// # Errors
    /// Why it must not be sent now.
    pub(super) fn ready_beside(
        &self,
        lane: usize,
        part: &Part<'_>,
        token: &mut Option<AccessToken>,
        tries: &mut Tries,
    ) -> Result<(ReadyRequest, Sending), Obstacle> {
        // A token that must be fetched is fetched over the first connection, which is free then.
        let pass = self.pass(token)?;
        let mut ready = self.ready(part.message, part, tries)?;
        let (client, call) = (&self.sender.client, part.message.channel.call());
        let (body, leaving) = (std::mem::take(&mut ready.body), Arc::clone(&ready.leaving));
        let sending = client.sending(lane, call, pass, body, leaving, self.deadline);
        Ok((ready, Box::pin(sending)))
    }

    /// Reserves the slot of a request, and makes its body.
    ///
    /// # Errors
    /// Why it must not be sent now.
    fn ready(
        &self,
        message: &Message,
        part: &Part<'_>,
        tries: &mut Tries,
    ) -> Result<ReadyRequest, Obstacle> {
        let before = tries.doubt.clone();
        self.record_doubt(tries);
        let slot = self.reserve_slot(message, part, tries)?;
        let others = slot.as_ref().map(|slot| slot.others).unwrap_or_default();
        let now = Stamp::now();
        let about = Circumstances {
            compares: message.channel == Channel::App,
            once: part.once,
            equal: others.equal,
        };
        let Some((form, mut doubt)) = doubt::next(before.as_ref(), about, now) else {
            self.give_back(message, slot);
            return Err(Obstacle::Unsettled);
        };
        if before.is_none()
            && let Some(banner) = part.banner
        {
            // No message is the latest of those sent at the same moment.
            let is_later = |by| self.share == Share::Backlog || by > AT_ONCE;
            let overtaken = banner.overtaken || others.overtaken_by.is_some_and(is_later);
            doubt.marks = Banner {
                overtaken,
                ..banner
            }
            .lines(&now);
        }
        let marked = Some(&doubt.marks).filter(|lines| !lines.is_empty());
        let marked = marked.and_then(|lines| message.marked(lines));
        let window = match form {
            Form::Plain => None,
            Form::Flagged(window) => Some(window),
        };
        let body = marked.as_ref().unwrap_or(message);
        Ok(ReadyRequest {
            body: body.to_wire(self.sender.agentid(), window),
            leaving: Arc::new(self.leaving(part.kept, &doubt)),
            slot,
            form,
            about,
            made: now,
            before,
            doubt,
        })
    }

    /// Records the outcome of a request.
    ///
    /// # Errors
    /// The error of the request, or that another could only be a duplicate.
    pub(super) fn answered(
        &self,
        message: &Message,
        part: &Part<'_>,
        request: ReadyRequest,
        result: Result<Sent, Error>,
        tries: &mut Tries,
    ) -> Result<Sent, Obstacle> {
        let ReadyRequest {
            slot,
            form,
            about,
            made,
            before,
            mut doubt,
            ..
        } = request;
        self.settle(message, slot, form, &result, tries);
        result.map_err(|error| {
            let is_doubt = is_doubt(message, &error);
            let is_last = is_doubt && doubt::next(Some(&doubt), about, made).is_none();
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

    /// Returns the callback to run just before a request's first byte leaves: it writes the entry
    /// and the doubt.
    fn leaving(
        &self,
        kept: &Spooled,
        doubt: &Doubt,
    ) -> impl Fn() -> io::Result<Option<FileSlice>> + use<> {
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
            Ok(None)
        }
    }

    /// Records whether the message may have arrived, for the report at ^C.
    fn record_doubt(&self, tries: &Tries) {
        let in_doubt = tries.doubt.is_some();
        self.sender.in_doubt.store(in_doubt, Ordering::Relaxed);
    }
}

/// Whether a request may have been processed. If WeCom would not drop a duplicate, a gateway's
/// answer counts as a request that was not passed on: otherwise a message to a group would be given
/// up after two such answers.
pub(super) fn is_doubt(message: &Message, error: &Error) -> bool {
    let is_compared = message.channel == Channel::App;
    error.outcome_unknown() && (is_compared || !is_answered(error))
}

/// Whether a gateway or a portal answered in WeCom's place.
fn is_answered(error: &Error) -> bool {
    matches!(
        error.cause,
        Cause::Status(500 | 502 | 503) | Cause::Unreadable(_)
    )
}
