//! What a flush has done, and what it leaves.

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use crate::error::Failure;
use crate::outbox::SenderName;

/// What a flush has done, and what it leaves.
#[derive(Debug, Default)]
pub(crate) struct FlushSummary {
    pub(crate) delivered: usize,
    /// Given up: refused, damaged.
    pub(crate) failed: usize,
    /// Given up: too old.
    pub(crate) expired: usize,
    /// Left, of the senders of this config.
    pub(crate) left: usize,
    /// In the hands of another wxpush.
    pub(crate) busy: usize,
    /// Of senders that the current config does not have.
    pub(crate) others: BTreeMap<SenderName, usize>,
    /// Left alone: written by a newer wxpush, or no entry at all.
    pub(crate) strange: Vec<(String, Strange)>,
    /// Why a sender was stopped, the first that was.
    pub(crate) stopped: Option<Failure>,
    /// Why a message was passed over, the first that was.
    pub(crate) held_up: Option<Failure>,
    /// When the next may go, where that is known.
    pub(super) next: Option<Instant>,
}

/// Why an entry was left alone.
#[derive(Debug)]
pub(crate) enum Strange {
    /// It is none of wxpush's files.
    Junk,
    /// A newer wxpush has written it.
    Newer,
    /// It is no entry.
    Foreign(io::Error),
    /// It cannot be opened, locked or read now.
    Unusable(io::Error),
}

impl FlushSummary {
    /// Takes in another outbox's.
    pub(crate) fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.expired += other.expired;
        self.left += other.left;
        self.busy += other.busy;
        for (sender, count) in other.others {
            *self.others.entry(sender).or_default() += count;
        }
        self.strange.extend(other.strange);
        if self.stopped.is_none() {
            self.stopped = other.stopped;
        }
        if self.held_up.is_none() {
            self.held_up = other.held_up;
        }
    }
}
