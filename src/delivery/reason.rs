//! Why a message was not delivered, and what follows for one that is kept.

use std::time::Duration;

use crate::clock::Stamp;
use crate::error::Failure;
use crate::outbox::FailureRecord;
use crate::wecom::{Cause, Class, Error, Refusal, Scope};

/// Why a message was not delivered, or not all of it.
#[derive(Debug)]
pub(crate) enum NotDelivered {
    /// Not now: for a reason that passes, or that can be mended.
    Deferred(Reason),
    /// Never: for a reason in the message or its recipients.
    Rejected(Reason),
}

/// Why a message was not delivered.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    pub(crate) error: Obstacle,
    /// Whether the message may have arrived all the same.
    pub(crate) outcome_unknown: bool,
}

/// What stood in the way at the end.
#[derive(Debug, Clone)]
pub(crate) enum Obstacle {
    /// The last call's error.
    Call(Error),
    /// WeCom refuses tokens that it has only just granted.
    TokenTrouble {
        refusal: Option<Refusal>,
        wait: Option<Duration>,
    },
    /// Its recipients have been sent as much as WeCom delivers; there is room in this time.
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
            Obstacle::Call(error) => error.refusal(),
            Obstacle::TokenTrouble { refusal, .. } => refusal.as_ref(),
            Obstacle::NoSlot(_) | Obstacle::NoLedger(_) | Obstacle::Unsettled => None,
        }
    }

    /// What the trouble holds up.
    pub(crate) fn scope(&self) -> Scope {
        match &self.error {
            Obstacle::Call(error) => error.scope,
            Obstacle::TokenTrouble { .. } | Obstacle::NoLedger(_) => Scope::App,
            Obstacle::NoSlot(_) | Obstacle::Unsettled => Scope::Message,
        }
    }

    /// How long nothing of the kind is to be tried again, if somebody said so.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match &self.error {
            Obstacle::Call(error) => error.retry_after,
            Obstacle::TokenTrouble { wait, .. } => *wait,
            // The ledger knows better at any time.
            Obstacle::NoSlot(_) | Obstacle::NoLedger(_) | Obstacle::Unsettled => None,
        }
    }

    /// Whether the last call ended in an error of this class.
    pub(crate) fn is_of(&self, class: Class) -> bool {
        matches!(&self.error, Obstacle::Call(error) if error.class == class)
    }

    /// Whether somebody said no, rather than that nothing works.
    pub(crate) fn is_refusal(&self) -> bool {
        self.refusal().is_some() || self.is_of(Class::Setup)
    }

    /// Whether it is our own disk.
    pub(crate) fn is_of_disk(&self) -> bool {
        matches!(&self.error, Obstacle::Call(error) if matches!(error.cause, Cause::File { .. }))
    }
}

impl FailureRecord {
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
