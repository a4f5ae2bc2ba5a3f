//! Why a message was not delivered, and what follows for one that is kept.

use std::time::Duration;

use crate::clock::Stamp;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::outbox::Verdict;
use crate::wecom::{Cause, Class, Error, Refusal, Scope};

/// Why a message was not delivered, or not all of it.
#[derive(Debug)]
pub(crate) enum Undelivered {
    /// Not now: for a reason that passes, or that can be mended.
    NotNow(Reason),
    /// Never: for a reason in the message or its receivers.
    Refused(Reason),
}

/// Why a message was not delivered.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    pub(crate) error: Why,
    /// Whether the message may have arrived all the same.
    pub(crate) outcome_unknown: bool,
}

/// What stood in the way at the end.
#[derive(Debug, Clone)]
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
    /// The ledger cannot be used, so that nobody knows what they have been sent.
    NoLedger(String),
    /// It may have arrived, and one more request could only be a copy.
    Unsettled,
}

impl Reason {
    /// WeCom's no, if there was one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &self.error {
            Why::Call(error) => error.refusal(),
            Why::TokenTrouble { refusal, .. } => refusal.as_ref(),
            Why::NoSlot(_) | Why::NoLedger(_) | Why::Unsettled => None,
        }
    }

    /// What the trouble holds up.
    pub(crate) fn scope(&self) -> Scope {
        match &self.error {
            Why::Call(error) => error.scope,
            Why::TokenTrouble { .. } | Why::NoLedger(_) => Scope::App,
            Why::NoSlot(_) | Why::Unsettled => Scope::Message,
        }
    }

    /// How long nothing of the kind is to be tried again, if somebody said so.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match &self.error {
            Why::Call(error) => error.retry_after,
            Why::TokenTrouble { wait, .. } => *wait,
            // The ledger knows better at any time.
            Why::NoSlot(_) | Why::NoLedger(_) | Why::Unsettled => None,
        }
    }

    /// Whether the last call ended in an error of this class.
    pub(crate) fn is_of(&self, class: Class) -> bool {
        matches!(&self.error, Why::Call(error) if error.class == class)
    }

    /// Whether somebody said no, rather than that nothing works.
    pub(crate) fn is_refusal(&self) -> bool {
        self.refusal().is_some() || self.is_of(Class::Setup)
    }

    /// Whether it is our own disk.
    pub(crate) fn is_of_disk(&self) -> bool {
        matches!(&self.error, Why::Call(error) if matches!(error.cause, Cause::File { .. }))
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
                    "try again in {seconds} s: wxpush asks for no other token before, or WeCom bars this IP"
                ))
            }
            Why::NoSlot(wait) => {
                let seconds = wait.as_secs() + 1;
                let what = say!(
                    "收件人收到的消息已达企业微信的频率上限，{seconds} 秒后才能再发",
                    "WeCom's rate limit for these receivers is reached, the next may go in {seconds} s"
                );
                Failure::new(Exit::NotNow, what)
            }
            Why::NoLedger(error) => {
                let what = say!(
                    "频率账本 ledger 不可用，发出去可能被企业微信悄悄丢弃：{error}",
                    "the ledger of sent messages cannot be used, and WeCom discards in silence what is too much: {error}"
                );
                let hint = spoken().of(
                    "看看状态目录里的 ledger 是不是别的东西，或被哪个程序占着；实在不行就删掉它",
                    "look at ledger in the state directory: whether it is a file, and which program holds it; if need be, remove it",
                );
                Failure::new(Exit::NotNow, what).hint(hint)
            }
            Why::Unsettled => {
                let what = say!(
                    "没收到企业微信的答复，再发只会重复",
                    "WeCom's answers were lost, and sending it again could only repeat it"
                );
                let hint = spoken().of(
                    "在手机上看看；没收到就用 wxpush outbox retry（没有保留的就用 send）重发",
                    "look at the phone; if it is not there, wxpush outbox retry sends it again, or send if it is not kept",
                );
                Failure::new(Exit::NotNow, what).hint(hint)
            }
        }
    }
}

impl Verdict {
    /// The reason as it is kept.
    pub(crate) fn of(reason: &Reason, failure: &Failure) -> Self {
        Self {
            at: Some(Stamp::now()),
            exit_code: failure.exit.code(),
            errcode: reason.refusal().map(|refusal| refusal.errcode),
            errmsg: reason.refusal().map(|refusal| refusal.errmsg.clone()),
            error: failure.what.clone(),
            hint: failure.hint.clone(),
        }
    }
}
