//! The outcome of a submitted message.

use chrono::{DateTime, Local};

use super::Reason;
use crate::outbox::{Id, NotKept};
use crate::wecom::{Refusal, Sent, Unreached};

/// The outcome of a submitted message.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) parts: Parts,
    /// The msgid of each accepted part; empty for a part dropped as a duplicate.
    pub(crate) msgids: Vec<String>,
    /// The recipients that WeCom could not reach.
    pub(crate) unreached: Unreached,
    /// WeCom's last refusal.
    pub(crate) refusal: Option<Refusal>,
    /// Why a delivered message was not kept in the outbox meanwhile, although it should have been.
    pub(crate) unkept: Option<NotKept>,
}

/// How many parts of a message were sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) sent: usize,
    pub(crate) all: usize,
}

/// The final state of a message, and why.
#[derive(Debug)]
pub(crate) enum End {
    /// WeCom accepted all parts.
    Sent,
    /// Sent by the group robot of this name, since the app could not.
    Instead { robot: String, reason: Reason },
    /// Kept for a flush without a request, as the user asked.
    Queued { id: Id },
    /// Kept until the end of quiet hours.
    Quiet { id: Id, until: DateTime<Local> },
    /// Neither kept nor sent: the user asked to keep it only.
    NotQueued(NotKept),
    /// Not delivered now, and kept in the outbox.
    Spooled { id: Id, reason: Reason },
    /// Not delivered now, and deliberately not kept.
    NotNow(Reason),
    /// Neither delivered nor kept, although it should have been.
    Lost { reason: Reason, why: NotKept },
    /// Refused or given up, and moved to `failed/`.
    Failed { id: Id, reason: Reason },
    /// Refused or given up, and not kept.
    Refused(Reason),
    /// A message with the same `--once` key has been sent before.
    Duplicate,
    /// Another process is sending the message with this `--once` key, or it is in the outbox.
    Undecided { id: Option<Id> },
    /// The message with this `--once` key may have arrived, and is in `failed/`.
    GivenUp { id: Id },
    /// The entry of this `--once` key was written by a newer wxpush.
    Newer { id: Id },
    /// The `--once` key could not be recorded, so nothing was sent.
    NoRecord(NotKept),
}

impl Outcome {
    /// Returns an outcome of `parts` unsent parts.
    pub(crate) fn new(parts: usize, end: End) -> Self {
        Self {
            end,
            parts: Parts {
                sent: 0,
                all: parts,
            },
            msgids: Vec::new(),
            unreached: Unreached::default(),
            refusal: None,
            unkept: None,
        }
    }

    /// Adds WeCom's answer to a part, or the recipients that do not exist.
    pub(super) fn add(&mut self, answer: Result<Sent, Unreached>) {
        match answer {
            Ok(sent) => {
                self.msgids.push(sent.msgid);
                self.unreached.merge(&sent.unreached);
            }
            Err(absent) => self.unreached.merge(&absent),
        }
    }

    /// Whether the message has arrived at some recipients, or will.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(
            self.end,
            End::Sent
                | End::Instead { .. }
                | End::Queued { .. }
                | End::Quiet { .. }
                | End::Spooled { .. }
                | End::Duplicate
        ) || matches!(self.end, End::Undecided { id: Some(_) })
    }
}
