//! Reasons why a message was not delivered, and their consequences for an entry.

use std::time::Duration;

use crate::clock::Stamp;
use crate::error::Failure;
use crate::outbox::FailureRecord;
use crate::wecom::{Cause, Class, Error, Refusal, Scope};

/// The reason why a message, or a part of it, was not delivered.
#[derive(Debug)]
pub(crate) enum NotDelivered {
    /// Not now: the reason passes or can be fixed.
    Deferred(Reason),
    /// Never: the reason is in the message or its recipients.
    Rejected(Reason),
}

/// The reason why a message was not delivered.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    pub(crate) error: Obstacle,
    /// Whether the message may have arrived nevertheless.
    pub(crate) outcome_unknown: bool,
}

/// The last obstacle to a delivery.
#[derive(Debug, Clone)]
pub(crate) enum Obstacle {
    /// The last call's error.
    Call(Error),
    /// WeCom refuses tokens that it has just issued.
    TokenTrouble {
        refusal: Option<Refusal>,
        wait: Option<Duration>,
    },
    /// WeCom's rate limit for the recipients is reached; the next slot is free after this time.
    NoSlot(Duration),
    /// The ledger is unusable, so the number of messages sent to the recipients is unknown.
    NoLedger(String),
    /// The message may have arrived, and another request could only be a duplicate.
    Unsettled,
}

impl Reason {
    /// Returns WeCom's refusal, if there was one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &self.error {
            Obstacle::Call(error) => error.refusal(),
            Obstacle::TokenTrouble { refusal, .. } => refusal.as_ref(),
            Obstacle::NoSlot(_) | Obstacle::NoLedger(_) | Obstacle::Unsettled => None,
        }
    }

    /// Returns the scope that the trouble holds up.
    pub(crate) fn scope(&self) -> Scope {
        self.error.scope()
    }

    /// Returns how long to wait before the next try, if the server or the token cache said so.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match &self.error {
            Obstacle::Call(error) => error.retry_after,
            Obstacle::TokenTrouble { wait, .. } => *wait,
            // The ledger is consulted again before each try.
            Obstacle::NoSlot(_) | Obstacle::NoLedger(_) | Obstacle::Unsettled => None,
        }
    }

    /// Whether the last call ended in an error of this class.
    pub(crate) fn is_of(&self, class: Class) -> bool {
        matches!(&self.error, Obstacle::Call(error) if error.class == class)
    }

    /// Whether the request was refused, rather than nothing working at all.
    pub(crate) fn is_refusal(&self) -> bool {
        self.refusal().is_some() || self.is_of(Class::Setup)
    }

    /// Whether the obstacle is an error of the local disk.
    pub(crate) fn is_of_disk(&self) -> bool {
        matches!(&self.error, Obstacle::Call(error) if matches!(error.cause, Cause::File { .. }))
    }
}

impl Obstacle {
    /// Returns the scope that it holds up.
    pub(crate) fn scope(&self) -> Scope {
        match self {
            Self::Call(error) => error.scope,
            Self::TokenTrouble { .. } | Self::NoLedger(_) => Scope::App,
            Self::NoSlot(_) | Self::Unsettled => Scope::Message,
        }
    }
}

impl FailureRecord {
    /// Returns the record of a reason that is kept in `failed/`.
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
