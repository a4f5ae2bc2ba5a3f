//! Why a message was not delivered, and what follows for one that is kept.

use std::time::{Duration, SystemTime};

use crate::error::{Exit, Failure};
use crate::lang::say;
use crate::outbox::{Verdict, unix_ms};
use crate::wecom::{Class, Error, Refusal};

/// Longest time that a kept message is not tried again, whatever a server asks for.
pub(super) const HOLD_MAX: Duration = Duration::from_hours(1);

/// Why a message was not delivered, or not all of it.
#[derive(Debug)]
pub(crate) enum Undelivered {
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
    /// Its receivers have been sent as much as WeCom delivers; there is room in this time.
    NoSlot(Duration),
}

impl Reason {
    /// WeCom's no, if there was one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &self.error {
            Why::Call(error) => error.refusal(),
            Why::TokenTrouble { refusal, .. } => refusal.as_ref(),
            Why::NoSlot(_) => None,
        }
    }

    /// Whether the last call ended in an error of this class.
    pub(crate) fn is_of(&self, class: Class) -> bool {
        matches!(&self.error, Why::Call(error) if error.class() == class)
    }

    /// Unix milliseconds before which the message need not be tried again, if that is known.
    pub(crate) fn not_before(&self) -> Option<u64> {
        let wait = match &self.error {
            Why::Call(error) => error.not_before()?,
            Why::TokenTrouble { wait, .. } => (*wait)?,
            // The ledger knows better at any time.
            Why::NoSlot(_) => return None,
        };
        Some(unix_ms(SystemTime::now() + wait.min(HOLD_MAX)))
    }

    /// The reason for a person.
    pub(crate) fn failure(&self) -> Failure {
        match &self.error {
            Why::Call(error) => error.failure(),
            Why::TokenTrouble { refusal, wait } => {
                let what = match refusal {
                    Some(Refusal {
                        errcode, errmsg, ..
                    }) => say!(
                        "企业微信拒绝了它刚发的 access_token：errcode {errcode}：{errmsg}",
                        "WeCom refuses an access_token that it has only just granted: errcode {errcode}: {errmsg}"
                    ),
                    None => say!(
                        "企业微信拒绝了它刚发的 access_token",
                        "WeCom refuses an access_token that it has only just granted"
                    ),
                };
                let seconds = wait.map_or(60, |wait| wait.as_secs() + 1);
                Failure::new(Exit::NotNow, what).hint(say!(
                    "{seconds} 秒后再试：在那之前 wxpush 不会再要新的 access_token，以免企业微信封 IP",
                    "try again in {seconds} s: wxpush asks for no other token before, lest WeCom bar this IP"
                ))
            }
            Why::NoSlot(wait) => {
                let seconds = wait.as_secs() + 1;
                let what = say!(
                    "收件人收到的消息已达企业微信的频率上限，{seconds} 秒后才能再发",
                    "its receivers have had as many messages as WeCom delivers, the next may go in {seconds} s"
                );
                Failure::new(Exit::NotNow, what)
            }
        }
    }
}

impl Verdict {
    /// The reason as it is kept.
    pub(crate) fn of(reason: &Reason, failure: &Failure) -> Self {
        Self {
            at: unix_ms(SystemTime::now()),
            exit_code: failure.exit.code(),
            errcode: reason.refusal().map(|refusal| refusal.errcode),
            errmsg: reason.refusal().map(|refusal| refusal.errmsg.clone()),
            error: failure.what.clone(),
            hint: failure.hint.clone(),
        }
    }
}
