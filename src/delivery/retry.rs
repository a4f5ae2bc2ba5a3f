//! Retries: one mechanism and one budget for messages, tokens, uploads and the calls during set-up.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::reason::Obstacle;
use super::sender::SenderCredential;
use super::{Delivery, NotDelivered, Patience, Reason};
use crate::backoff::{self, random};
use crate::outbox::Doubt;
use crate::rate_limit::Slot;
use crate::token::{AccessToken, Replaced};
use crate::uploads::UploadedMedia;
use crate::wecom::{self, Cause, Class, Error};

/// Most tries while WeCom answers that it is busy. Source: errcode -1 of path 90313.
const BUSY_MAX: u32 = 3;

/// Most tries that start within `RATE_WINDOW`: many hosts fail together.
const RATE_MAX: usize = 6;
const RATE_WINDOW: Duration = Duration::from_secs(30);

/// Least time before the deadline to start another try.
const TRY_MIN: Duration = Duration::from_millis(200);

/// The budget of tries until a deadline.
#[derive(Debug)]
pub(crate) struct Budget {
    deadline: Instant,
    /// The start times of the last tries.
    begun: VecDeque<Instant>,
    failed: u32,
    busy: u32,
}

impl Budget {
    /// Returns an unspent budget.
    pub(crate) fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            begun: VecDeque::new(),
            failed: 0,
            busy: 0,
        }
    }

    /// Records the start of a try.
    fn begin(&mut self) {
        if self.begun.len() == RATE_MAX {
            self.begun.pop_front();
        }
        self.begun.push_back(Instant::now());
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Sleeps before the next try; returns whether there is one. A retry needs an error that
    /// passes, and a wait that ends before the deadline.
    fn sleep(&mut self, error: &Error) -> bool {
        let Some(wait) = self.wait(error) else {
            return false;
        };
        tracing::info!(wait_ms = wait.as_millis(), "trying again");
        std::thread::sleep(wait);
        true
    }

    fn wait(&mut self, error: &Error) -> Option<Duration> {
        if !passes(error) {
            return None;
        }
        self.busy += u32::from(error.class == Class::Busy);
        if self.busy >= BUSY_MAX {
            return None;
        }
        let left = self.left().checked_sub(TRY_MIN)?;
        let jitter = match error.retry_after.or(error.asked_again_in) {
            Some(wait) => wait + random(left.saturating_sub(wait).min(Duration::from_secs(1))),
            // However short the time is, a second try fits.
            None if self.failed == 0 => random(backoff::FIRST.min(left)),
            None => random(backoff::backoff(self.failed)),
        };
        self.failed += 1;
        let wait = jitter.max(self.until_rate_allows());
        (wait <= left).then_some(wait)
    }

    /// Returns the time until another try is within the rate.
    fn until_rate_allows(&self) -> Duration {
        match self.begun.front() {
            Some(oldest) if self.begun.len() == RATE_MAX => {
                (*oldest + RATE_WINDOW).saturating_duration_since(Instant::now())
            }
            _ => Duration::ZERO,
        }
    }
}

/// Retries an operation until it succeeds, unless its error does not pass before the deadline.
///
/// # Errors
/// The error of the last try.
pub(crate) fn retry<T>(
    deadline: Instant,
    mut attempt: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let mut budget = Budget::until(deadline);
    loop {
        budget.begin();
        match attempt() {
            Err(error) if budget.sleep(&error) => {}
            result => return result,
        }
    }
}

/// Whether an error may pass after a while.
pub(super) fn passes(error: &Error) -> bool {
    // An unreadable file does not become readable by waiting.
    let is_file = matches!(error.cause, Cause::File { .. });
    error.class.passes() && !is_file
}

/// The state kept between the tries of one request.
pub(super) struct Tries {
    budget: Budget,
    token_replaced: bool,
    /// The token to use next, if it is known.
    pub(super) token: Option<AccessToken>,
    /// The upload of its file.
    pub(super) media: Option<UploadedMedia>,
    /// Whether the file was uploaded again because WeCom had forgotten it.
    pub(super) media_renewed: bool,
    /// For a call that is not resent: whether it may have been processed.
    pub(super) outcome_unknown: bool,
    /// The doubt after a lost answer: the resend is equal, and flagged for WeCom's check.
    pub(super) doubt: Option<Doubt>,
    /// The slot of the last flagged resend. The next one of the same form reuses it, since WeCom
    /// accepts only one of them.
    pub(super) slot: Option<Slot>,
}

impl Delivery<'_> {
    /// Returns the state before the first try of a request; with a doubt, it may have arrived
    /// already.
    pub(super) fn tries(&self, doubt: Option<Doubt>) -> Tries {
        Tries {
            budget: Budget::until(self.deadline),
            token_replaced: false,
            token: None,
            media: None,
            media_renewed: false,
            outcome_unknown: false,
            doubt,
            slot: None,
        }
    }

    /// Retries an operation while that may help.
    ///
    /// # Errors
    /// Why the last try failed.
    pub(super) fn retry<T>(
        &self,
        mut tries: Tries,
        mut attempt: impl FnMut(&mut Tries) -> Result<T, Obstacle>,
    ) -> Result<T, NotDelivered> {
        loop {
            tries.budget.begin();
            let why = match attempt(&mut tries) {
                Ok(done) => return Ok(done),
                Err(why) => why,
            };
            let refused = tries.token.take();
            let next = match (why, &refused) {
                (Obstacle::Call(error), Some(refused)) if error.class == Class::Token => {
                    self.replacement(refused, error, &mut tries).map(Some)
                }
                (Obstacle::Call(error), _) => self.pause(error, &mut tries).map(|()| None),
                (why, _) => self.queue(why, &tries).map(|()| None),
            };
            match next {
                Ok(next) => tries.token = next,
                Err(why) => return Err(tries.give_up(why)),
            }
        }
    }

    /// Returns the credential for a call, fetching a token if necessary.
    pub(super) fn pass<'a>(
        &'a self,
        token: &'a mut Option<AccessToken>,
    ) -> Result<wecom::Credential<'a>, Obstacle> {
        match &self.sender.pass {
            SenderCredential::Robot(key) => Ok(wecom::Credential::key(key)),
            SenderCredential::App { tokens, .. } => {
                let token = match token {
                    Some(token) => token,
                    None => token.insert(tokens.get(self.deadline).map_err(Obstacle::Call)?),
                };
                Ok(wecom::Credential::token(&token.value))
            }
        }
    }

    /// Waits for a free slot or ledger, unless the wait is too long.
    fn queue(&self, why: Obstacle, tries: &Tries) -> Result<(), Obstacle> {
        let wait = match &why {
            Obstacle::NoSlot(wait) => *wait,
            // Another process may release the ledger soon.
            Obstacle::NoLedger(_) => random(backoff::FIRST),
            _ => return Err(why),
        };
        if self.patience != Patience::Slots || wait + TRY_MIN >= tries.budget.left() {
            return Err(why);
        }
        tracing::info!(
            wait_ms = wait.as_millis(),
            "waiting for a slot of the recipients"
        );
        std::thread::sleep(wait);
        Ok(())
    }

    /// Returns the token that replaces a refused one; once per message.
    fn replacement(
        &self,
        refused: &AccessToken,
        error: Error,
        tries: &mut Tries,
    ) -> Result<AccessToken, Obstacle> {
        let trouble = |wait| Obstacle::TokenTrouble {
            refusal: error.refusal().cloned(),
            wait,
        };
        let SenderCredential::App { tokens, .. } = &self.sender.pass else {
            return Err(Obstacle::Call(error));
        };
        if std::mem::replace(&mut tries.token_replaced, true) {
            return Err(trouble(None));
        }
        loop {
            match tokens.replace(refused, self.deadline) {
                Ok(Replaced::By(token)) => return Ok(token),
                Ok(Replaced::BySame) => return Err(trouble(None)),
                Ok(Replaced::Not(wait))
                    if self.patience != Patience::Nothing
                        && wait + TRY_MIN < tries.budget.left() =>
                {
                    tracing::info!(
                        wait = wait.as_secs(),
                        "token refused, too young to be replaced"
                    );
                    std::thread::sleep(wait);
                }
                Ok(Replaced::Not(wait)) => return Err(trouble(Some(wait))),
                // gettoken failed: the cache still has only the refused token.
                Err(error) => self.pause(error, tries)?,
            }
        }
    }

    /// Waits before the next try, or returns the error if there is none.
    fn pause(&self, error: Error, tries: &mut Tries) -> Result<(), Obstacle> {
        let may_be_done = !self.resends && !error.never_left();
        let gives_up = self.patience == Patience::Nothing;
        if gives_up || may_be_done || !tries.budget.sleep(&error) {
            return Err(Obstacle::Call(error));
        }
        Ok(())
    }
}

impl Tries {
    /// Returns what the last error means for the message.
    pub(super) fn give_up(&self, why: Obstacle) -> NotDelivered {
        let class = match &why {
            Obstacle::Call(error) => error.class,
            Obstacle::TokenTrouble { .. } | Obstacle::NoSlot(_) | Obstacle::NoLedger(_) => {
                Class::Transient
            }
            Obstacle::Unsettled => Class::Refused,
        };
        // If an earlier answer was lost, WeCom may have accepted what it refuses now.
        let reason = Reason {
            error: why,
            outcome_unknown: self.outcome_unknown || self.doubt.is_some(),
        };
        match class {
            Class::Ok | Class::Message | Class::Media | Class::Recipients | Class::Refused => {
                NotDelivered::Rejected(reason)
            }
            // An unknown code may pass: it is retried once, later.
            Class::Token
            | Class::Busy
            | Class::Transient
            | Class::Limited
            | Class::Setup
            | Class::Unknown => NotDelivered::Deferred(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_six_tries_start_in_thirty_seconds_and_a_second_one_always_fits() {
        let busy = Error::status(502, None);
        for seconds in [1, 30] {
            let mut budget = Budget::until(Instant::now() + Duration::from_secs(seconds));
            budget.begin();
            assert!(budget.wait(&busy).is_some());
        }
        let mut budget = Budget::until(Instant::now() + Duration::from_mins(5));
        for _ in 0..RATE_MAX {
            budget.begin();
        }
        let wait = budget.wait(&busy).unwrap();
        assert!(
            wait > RATE_WINDOW.checked_sub(Duration::from_secs(1)).unwrap(),
            "{wait:?}"
        );
        let mut short = Budget::until(Instant::now() + Duration::from_secs(29));
        short.begun = budget.begun;
        assert!(short.wait(&busy).is_none());
    }

    #[test]
    fn only_errors_that_may_pass_are_retried() {
        let end = Instant::now() + Duration::from_mins(5);
        let tries = |error: Error| {
            let mut budget = Budget::until(end);
            (0..10)
                .take_while(|_| budget.wait(&error).is_some())
                .count()
        };
        assert_eq!(tries(Error::status(403, None)), 0);
        assert_eq!(tries(Error::file(None, None)), 0);
        let refused = |code| Error::refused(wecom::Refusal::new(code, String::new(), false));
        assert_eq!(tries(refused(60020)), 0);
        assert_eq!(tries(refused(12345)), 0);
        assert_eq!(tries(refused(-1)), 2, "three tries in all");
        assert!(tries(Error::status(502, None)) > 5);
    }
}
