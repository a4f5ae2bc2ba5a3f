//! How a submitted message ended.

use super::Reason;
use crate::outbox::{Id, NotKept};
use crate::wecom::{Refusal, Sent, Unreached};

/// How a submitted message ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) parts: Parts,
    /// The msgid of each part that WeCom accepted; empty for one that it dropped as a duplicate.
    pub(crate) msgids: Vec<String>,
    /// The recipients that WeCom could not reach.
    pub(crate) unreached: Unreached,
    /// WeCom's last refusal.
    pub(crate) refusal: Option<Refusal>,
    /// Why a delivered message was not kept meanwhile, though it should have been.
    pub(crate) unkept: Option<NotKept>,
}

/// How far a message has got.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) sent: usize,
    pub(crate) all: usize,
}

/// Where a message is at the end, and why.
#[derive(Debug)]
pub(crate) enum End {
    /// WeCom accepted all of it.
    Sent,
    /// Kept for a flush without a request, as was asked for.
    Queued { id: Id },
    /// It could not be kept, and was not sent, as was asked for.
    NotQueued(NotKept),
    /// Not delivered now, and kept in the outbox.
    Spooled { id: Id, reason: Reason },
    /// Not delivered now, and kept nowhere, as it should be.
    NotNow(Reason),
    /// Neither delivered nor kept, although it should be.
    Lost { reason: Reason, why: NotKept },
    /// Refused or given up, and in `failed/`.
    Failed { id: Id, reason: Reason },
    /// Refused or given up, and kept nowhere.
    Refused(Reason),
    /// Its `--once` key has been sent before.
    Duplicate,
    /// The message of its `--once` key is being sent by another process, or is in the outbox.
    Undecided { id: Option<Id> },
    /// The message of its `--once` key may have arrived, and is in `failed/`.
    GivenUp { id: Id },
    /// The entry of its `--once` key is of a newer wxpush.
    Newer { id: Id },
    /// Its `--once` key cannot be recorded, so nothing was sent.
    NoRecord(NotKept),
}

impl Outcome {
    /// Returns an outcome of so many parts, none of them sent.
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

    /// Whether the message has arrived somewhere, or will.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(
            self.end,
            End::Sent | End::Queued { .. } | End::Spooled { .. } | End::Duplicate
        ) || matches!(self.end, End::Undecided { id: Some(_) })
    }
}
