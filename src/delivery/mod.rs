//! The policy: token, slot, send, a new token once, retries within the time limit. Three values out.
//!
//! Decides by `errcode` and HTTP status, through the class of each error; knows no option.

mod app;
mod flush;
mod marks;
mod reason;
mod tally;

pub(crate) use app::{App, Apps};
pub(crate) use flush::{Bounds, Flush, give_up, keep};
pub(crate) use marks::Marks;
pub(crate) use reason::{Reason, Undelivered};
pub(crate) use tally::Tally;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant, SystemTime};

use crate::error::Exit;
use crate::ledger::{Receivers, Share, Slot};
use crate::message::Post;
use crate::message::content::DUPLICATE_CHECK_MAX;
use crate::outbox::{Doubt, Entry, Kept, unix_ms};
use crate::token::{Replaced, Token};
use crate::wecom::{Class, Error, Sent};
use reason::Why;

/// Most tries while WeCom answers that it is busy. Source: errcode -1 of path 90313.
const BUSY_MAX: u32 = 3;

/// The first back-off is a random time up to this.
const BACKOFF_FIRST: Duration = Duration::from_secs(2);

/// No back-off is longer than this.
const BACKOFF_MAX: Duration = Duration::from_secs(20);

/// Less than this before the end no other try is begun.
const TRY_MIN: Duration = Duration::from_millis(200);

/// Delivers messages of one app over one connection.
pub(crate) struct Delivery<'a> {
    pub(crate) app: &'a App,
    pub(crate) deadline: Instant,
    /// Whose slots of the ledger the messages take.
    pub(crate) share: Share,
    /// Whether it ends at the first trouble that only waiting could mend.
    pub(crate) once: bool,
}

/// What is remembered between the tries of one message.
struct Tries {
    failed: u32,
    busy: u32,
    token_replaced: bool,
    /// An answer was lost: what goes out again is the same, and flagged for WeCom's check.
    doubt: Option<Doubt>,
}

impl Delivery<'_> {
    /// Delivers the parts that are left of a message in their order, each after WeCom's yes to the
    /// one before, and takes it out of the outbox after the last. `told` hears that the receivers
    /// have been told what expired, `sent` of each yes.
    ///
    /// # Errors
    /// Why the next part was not delivered; the ones behind it have not been tried.
    pub(crate) fn carry(
        &self,
        entry: &Entry,
        mut marks: Marks,
        kept: &Kept,
        mut told: impl FnMut(),
        mut sent: impl FnMut(Sent),
    ) -> Result<(), Undelivered> {
        for post in entry.posts.iter().skip(kept.attempts().sent) {
            sent(self.part(post, marks, kept, &mut told)?);
            if let Some(held) = kept.held() {
                held.delivered();
            }
            // What there was to say has been said, before this part.
            marks = Marks {
                accepted: SystemTime::now(),
                expired: 0,
                ..marks
            };
        }
        Ok(())
    }

    /// Delivers one part with the lines that go before it: in its text, or where there is no room as
    /// a message of their own.
    fn part(
        &self,
        post: &Post,
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
            self.deliver(&post.note(&lines), None, &Kept::Nowhere, None)?;
            if let Some(held) = kept.held() {
                held.note(|attempts| attempts.noted = true);
            }
            if marks.expired > 0 {
                told();
            }
        }
        let sent = self.deliver(post, in_text.then_some(marks), kept, doubt)?;
        if in_text && marks.expired > 0 {
            told();
        }
        Ok(sent)
    }

    /// Delivers one request, trying again for as long as that may help.
    fn deliver(
        &self,
        post: &Post,
        marks: Option<Marks>,
        kept: &Kept,
        doubt: Option<Doubt>,
    ) -> Result<Sent, Undelivered> {
        let mut tries = Tries {
            failed: 0,
            busy: 0,
            token_replaced: false,
            doubt,
        };
        let mut token = None;
        loop {
            let why = match self.attempt(post, marks, kept, &mut token, &mut tries) {
                Ok(sent) => return Ok(sent),
                Err(why) => why,
            };
            let refused = token.take();
            let next = match (why, &refused) {
                (Why::Call(error), Some(refused)) if error.class() == Class::Token => {
                    self.replacement(refused, error, &mut tries).map(Some)
                }
                (Why::Call(error), _) => self.pause(error, &mut tries).map(|()| None),
                (why, _) => self.queue(why).map(|()| None),
            };
            match next {
                Ok(next) => token = next,
                Err(why) => return Err(tries.give_up(why)),
            }
        }
    }

    fn attempt(
        &self,
        post: &Post,
        marks: Option<Marks>,
        kept: &Kept,
        token: &mut Option<Token>,
        tries: &mut Tries,
    ) -> Result<Sent, Why> {
        let token = match token {
            Some(token) => token,
            None => token.insert(self.app.tokens.get(self.deadline).map_err(Why::Call)?),
        };
        tries.doubt = tries.doubt.take().filter(can_be_compared);
        let resend = tries.doubt.is_some();
        let now = SystemTime::now();
        let doubt = tries.doubt.clone().unwrap_or_else(|| Doubt {
            since: unix_ms(now),
            marks: marks.map_or(String::new(), |marks| marks.lines(now)),
        });
        let marked = Some(&doubt.marks).filter(|lines| !lines.is_empty());
        let marked = marked.and_then(|lines| post.marked(lines));
        let body = marked
            .as_ref()
            .unwrap_or(post)
            .wire(self.app.agentid, resend);
        let slot = self.slot(post)?;
        let leaving = {
            let (kept, doubt) = (kept.clone(), doubt.clone());
            move || {
                if let Some(held) = kept.held() {
                    held.note(|attempts| {
                        attempts.tries += 1;
                        attempts.doubt = Some(doubt.clone());
                    });
                }
            }
        };
        let leaving = std::sync::Arc::new(leaving);
        let client = &self.app.client;
        let result = client.send(&post.call, &token.value, body, leaving, self.deadline);
        self.settle(slot, result.as_ref().is_err_and(Error::was_not_counted));
        result.map_err(|error| {
            if error.outcome_unknown() {
                tries.doubt = Some(doubt);
            }
            if !error.never_left()
                && let Some(held) = kept.held()
            {
                held.note(|attempts| attempts.doubt.clone_from(&tries.doubt));
            }
            Why::Call(error)
        })
    }

    /// A place among the messages that WeCom delivers to the receivers; none where nobody counts.
    fn slot(&self, post: &Post) -> Result<Option<Slot>, Why> {
        let Some(ledger) = &self.app.ledger else {
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

    fn settle(&self, slot: Option<Slot>, unused: bool) {
        if let (Some(ledger), Some(slot)) = (&self.app.ledger, slot) {
            if unused {
                ledger.give_back(slot);
            } else {
                ledger.settle(slot);
            }
        }
    }

    /// Waits for the receivers' turn, or says that it comes too late.
    fn queue(&self, why: Why) -> Result<(), Why> {
        match why {
            Why::NoSlot(wait) if !self.once && wait + TRY_MIN < self.left() => {
                tracing::info!(
                    wait_ms = wait.as_millis(),
                    "waiting for the receivers' turn"
                );
                std::thread::sleep(wait);
                Ok(())
            }
            why => Err(why),
        }
    }

    /// The token to use in place of a refused one; once a message.
    fn replacement(&self, refused: &Token, error: Error, tries: &mut Tries) -> Result<Token, Why> {
        let trouble = |wait| Why::TokenTrouble {
            refusal: error.refusal().cloned(),
            wait,
        };
        if std::mem::replace(&mut tries.token_replaced, true) {
            return Err(trouble(None));
        }
        loop {
            match self.app.tokens.replace(refused, self.deadline) {
                Ok(Replaced::By(token)) => return Ok(token),
                Ok(Replaced::BySame) => return Err(trouble(None)),
                Ok(Replaced::Not(wait)) if !self.once && wait + TRY_MIN < self.left() => {
                    tracing::info!(
                        wait = wait.as_secs(),
                        "token refused, too young to be replaced"
                    );
                    std::thread::sleep(wait);
                }
                Ok(Replaced::Not(wait)) => return Err(trouble(Some(wait))),
                // gettoken failed: the refused token is still all that the cache has.
                Err(error) => self.pause(error, tries)?,
            }
        }
    }

    /// Waits before the next try, or says why there is none.
    fn pause(&self, error: Error, tries: &mut Tries) -> Result<(), Why> {
        let class = error.class();
        if !matches!(class, Class::Busy | Class::Transient | Class::Limited) {
            return Err(Why::Call(error));
        }
        tries.busy += u32::from(class == Class::Busy);
        if self.once || tries.busy >= BUSY_MAX {
            return Err(Why::Call(error));
        }
        let left = self.left();
        let wait = match error.not_before() {
            Some(wait) => wait + random(Duration::from_secs(1)),
            None => random(backoff(tries.failed).min(left / 2)),
        };
        tries.failed += 1;
        if wait + TRY_MIN > left {
            return Err(Why::Call(error));
        }
        tracing::info!(wait_ms = wait.as_millis(), "trying again");
        std::thread::sleep(wait);
        Ok(())
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Tries {
    fn give_up(&self, why: Why) -> Undelivered {
        let class = match &why {
            Why::Call(error) => error.class(),
            Why::TokenTrouble { .. } | Why::NoSlot(_) => Class::Transient,
        };
        // What WeCom refuses now it may have accepted before, when its answer was lost.
        let reason = Reason {
            error: why,
            outcome_unknown: self.doubt.is_some(),
        };
        match class.exit() {
            Exit::NotNow | Exit::Setup => Undelivered::NotNow(reason),
            _ => Undelivered::Refused(reason),
        }
    }
}

/// Whether WeCom still has the first request to compare with.
fn can_be_compared(doubt: &Doubt) -> bool {
    let age = unix_ms(SystemTime::now()).saturating_sub(doubt.since);
    age < DUPLICATE_CHECK_MAX * 1000
}

/// For whom a request counts.
pub(crate) fn receivers(post: &Post) -> Receivers {
    let to = post.envelope();
    let others = !to.toparty.is_empty() || !to.totag.is_empty();
    Receivers::of(Some(&to.touser.join("|")), others)
}

/// The longest pause after so many failed tries.
fn backoff(failed: u32) -> Duration {
    BACKOFF_FIRST
        .saturating_mul(1 << failed.min(8))
        .min(BACKOFF_MAX)
}

/// A random time below `limit`: many processes that failed together do not retry together.
fn random(limit: Duration) -> Duration {
    // std seeds each RandomState from the system's own source of randomness.
    let random = RandomState::new().build_hasher().finish();
    #[expect(clippy::cast_precision_loss, reason = "a fraction need not be exact")]
    limit.mul_f64(random as f64 / u64::MAX as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit() {
        let seconds: Vec<u64> = (0..6).map(|failed| backoff(failed).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 20, 20]);
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }

    #[test]
    fn pauses_are_spread_over_the_whole_time() {
        let limit = Duration::from_secs(2);
        let mut tenths = [0; 10];
        for _ in 0..1000 {
            tenths[(random(limit).as_millis() / 200).min(9) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| *count > 40), "{tenths:?}");
    }
}
