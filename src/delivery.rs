//! The policy: token, send, a new token once, retries within the time limit. Three values out.
//!
//! Decides by `errcode` and HTTP status, through the class of each error; knows no option.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use crate::error::{Exit, Failure};
use crate::message::Request;
use crate::token::{Replaced, Token, Tokens};
use crate::wecom::{Class, Client, Error, Refusal, Sent};

/// Most tries while WeCom answers that it is busy. Source: errcode -1 of path 90313.
const BUSY_MAX: u32 = 3;

/// The first back-off is a random time up to this.
const BACKOFF_FIRST: Duration = Duration::from_secs(2);

/// No back-off is longer than this.
const BACKOFF_MAX: Duration = Duration::from_secs(20);

/// Less than this before the end no other try is begun.
const TRY_MIN: Duration = Duration::from_millis(200);

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// WeCom has accepted it.
    Delivered(Sent),
    /// Not now: for a reason that passes, or that can be mended.
    NotNow(Reason),
    /// Never: for a reason in the message or its receivers.
    Refused(Reason),
}

/// Why a message was not delivered.
#[derive(Debug)]
pub(crate) struct Reason {
    pub(crate) error: Why,
    /// Whether the message may have arrived all the same.
    pub(crate) outcome_unknown: bool,
}

/// What stood in the way at the end.
#[derive(Debug)]
pub(crate) enum Why {
    /// The last call's error.
    Call(Error),
    /// WeCom refuses tokens that it has only just granted.
    TokenTrouble {
        refusal: Option<Refusal>,
        wait: Option<Duration>,
    },
}

impl Reason {
    /// WeCom's no, if there was one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &self.error {
            Why::Call(error) => error.refusal(),
            Why::TokenTrouble { refusal, .. } => refusal.as_ref(),
        }
    }

    /// The reason for a person.
    pub(crate) fn failure(&self, lang: crate::config::Lang) -> Failure {
        match &self.error {
            Why::Call(error) => error.failure(lang),
            Why::TokenTrouble { refusal, wait } => {
                let errcode = refusal.as_ref().map_or(String::new(), |refusal| {
                    format!(": errcode {}: {}", refusal.errcode, refusal.errmsg)
                });
                let what =
                    format!("WeCom refuses an access_token that it has only just granted{errcode}");
                let seconds = wait.map_or(60, |wait| wait.as_secs() + 1);
                Failure::new(Exit::NotNow, what)
                    .hint(format!("try again in {seconds} s: wxpush asks for no other token before, lest WeCom bar this IP"))
            }
        }
    }
}

/// Delivers messages of one app over one connection.
pub(crate) struct Delivery<'a> {
    pub(crate) client: &'a Client,
    pub(crate) tokens: &'a Tokens<'a>,
    pub(crate) deadline: Instant,
}

/// What is remembered between the tries of one message.
#[derive(Default)]
struct Tries {
    failed: u32,
    busy: u32,
    token_replaced: bool,
    /// An answer was lost: what goes out again is flagged for WeCom's duplicate check.
    outcome_unknown: bool,
}

impl Delivery<'_> {
    /// Delivers one message, trying again for as long as that may help.
    pub(crate) fn deliver(&self, request: &Request) -> Outcome {
        let mut tries = Tries::default();
        let mut token = None;
        loop {
            let error = match self.attempt(request, &mut token, &tries) {
                Ok(sent) => return Outcome::Delivered(sent),
                Err(error) => error,
            };
            let refused = token.take();
            // A lost answer to gettoken leaves no message in doubt.
            tries.outcome_unknown |= refused.is_some() && error.outcome_unknown();
            let next = match (error.class(), &refused) {
                (Class::Token, Some(refused)) => {
                    self.replacement(refused, error, &mut tries).map(Some)
                }
                _ => self.pause(error, &mut tries).map(|()| None),
            };
            match next {
                Ok(next) => token = next,
                Err(why) => return tries.give_up(why),
            }
        }
    }

    fn attempt(
        &self,
        request: &Request,
        token: &mut Option<Token>,
        tries: &Tries,
    ) -> Result<Sent, Error> {
        let token = match token {
            Some(token) => token,
            None => token.insert(self.tokens.get(self.deadline)?),
        };
        let body = if tries.outcome_unknown {
            request.flagged().body()
        } else {
            request.body()
        };
        self.client.message_send(&token.value, body, self.deadline)
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
            match self.tokens.replace(refused, self.deadline) {
                Ok(Replaced::By(token)) => return Ok(token),
                Ok(Replaced::BySame) => return Err(trouble(None)),
                Ok(Replaced::Not(wait)) if wait + TRY_MIN < self.left() => {
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
        if tries.busy >= BUSY_MAX {
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
    fn give_up(&self, why: Why) -> Outcome {
        let class = match &why {
            Why::Call(error) => error.class(),
            Why::TokenTrouble { .. } => Class::Transient,
        };
        // What WeCom refuses now it may have accepted before, when its answer was lost.
        let reason = Reason {
            error: why,
            outcome_unknown: self.outcome_unknown,
        };
        match class.exit() {
            Exit::NotNow | Exit::Setup => Outcome::NotNow(reason),
            _ => Outcome::Refused(reason),
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
