//! Trying again: a new token once, pauses that spread, an end in time.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use super::reason::Why;
use super::sender::Pass;
use super::{Delivery, Reason, Undelivered};
use crate::error::Exit;
use crate::outbox::Doubt;
use crate::token::{Replaced, Token};
use crate::uploads::Media;
use crate::wecom::{self, Class, Error};

/// Most tries while WeCom answers that it is busy. Source: errcode -1 of path 90313.
const BUSY_MAX: u32 = 3;

/// The first back-off is a random time up to this.
const BACKOFF_FIRST: Duration = Duration::from_secs(2);

/// No back-off is longer than this.
const BACKOFF_MAX: Duration = Duration::from_secs(20);

/// Less than this before the end no other try is begun.
const TRY_MIN: Duration = Duration::from_millis(200);

/// What is remembered between the tries of one request.
#[derive(Default)]
pub(super) struct Tries {
    failed: u32,
    busy: u32,
    token_replaced: bool,
    /// The token to use next, where it is known already.
    pub(super) token: Option<Token>,
    /// What its file has been uploaded as.
    pub(super) media: Option<Media>,
    /// WeCom did not know an upload, and has been sent it anew.
    pub(super) media_renewed: bool,
    /// Of what is not sent again: whether it may have been done.
    pub(super) outcome_unknown: bool,
    /// An answer was lost: what goes out again is the same, and flagged for WeCom's check.
    pub(super) doubt: Option<Doubt>,
}

impl Tries {
    /// None yet, of a request that may have arrived already if there is a doubt.
    pub(super) fn of(doubt: Option<Doubt>) -> Self {
        Self {
            doubt,
            ..Self::default()
        }
    }
}

impl Delivery<'_> {
    /// Attempts something for as long as that may help.
    ///
    /// # Errors
    /// Why the last attempt did not succeed.
    pub(super) fn insist<T>(
        &self,
        mut tries: Tries,
        mut attempt: impl FnMut(&mut Tries) -> Result<T, Why>,
    ) -> Result<T, Undelivered> {
        loop {
            let why = match attempt(&mut tries) {
                Ok(done) => return Ok(done),
                Err(why) => why,
            };
            let refused = tries.token.take();
            let next = match (why, &refused) {
                (Why::Call(error), Some(refused)) if error.class() == Class::Token => {
                    self.replacement(refused, error, &mut tries).map(Some)
                }
                (Why::Call(error), _) => self.pause(error, &mut tries).map(|()| None),
                (why, _) => self.queue(why).map(|()| None),
            };
            match next {
                Ok(next) => tries.token = next,
                Err(why) => return Err(tries.give_up(why)),
            }
        }
    }

    /// What lets a call pass, once it is there.
    pub(super) fn pass<'a>(&'a self, token: &'a mut Option<Token>) -> Result<wecom::Pass<'a>, Why> {
        match &self.sender.pass {
            Pass::Robot(key) => Ok(wecom::Pass::key(key)),
            Pass::App { tokens, .. } => {
                let token = match token {
                    Some(token) => token,
                    None => token.insert(tokens.get(self.deadline).map_err(Why::Call)?),
                };
                Ok(wecom::Pass::token(&token.value))
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
        let Pass::App { tokens, .. } = &self.sender.pass else {
            return Err(Why::Call(error));
        };
        if std::mem::replace(&mut tries.token_replaced, true) {
            return Err(trouble(None));
        }
        loop {
            match tokens.replace(refused, self.deadline) {
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
        let may_be_done = !self.resends && !error.never_left();
        // What cannot be read does not come back while one waits.
        let unreadable = matches!(error, Error::File { .. });
        if self.once || may_be_done || unreadable || tries.busy >= BUSY_MAX {
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
    pub(super) fn give_up(&self, why: Why) -> Undelivered {
        let class = match &why {
            Why::Call(error) => error.class(),
            Why::TokenTrouble { .. } | Why::NoSlot(_) => Class::Transient,
        };
        // What WeCom refuses now it may have accepted before, when its answer was lost.
        let reason = Reason {
            error: why,
            outcome_unknown: self.outcome_unknown || self.doubt.is_some(),
        };
        match class.exit() {
            Exit::NotNow | Exit::Setup => Undelivered::NotNow(reason),
            _ => Undelivered::Refused(reason),
        }
    }
}

/// The longest pause after so many failed tries.
fn backoff(failed: u32) -> Duration {
    BACKOFF_FIRST
        .saturating_mul(1 << failed.min(8))
        .min(BACKOFF_MAX)
}

/// A random time below `limit`: many processes that failed together do not retry together.
pub(crate) fn random(limit: Duration) -> Duration {
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
