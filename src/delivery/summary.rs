//! The summary of a flush.

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use super::AppTrouble;
use crate::error::Failure;
use crate::outbox::SenderName;

/// The results of a flush, and what it leaves in the outbox.
#[derive(Debug, Default)]
pub(crate) struct FlushSummary {
    pub(crate) delivered: usize,
    /// Given up because they were refused or damaged.
    pub(crate) failed: usize,
    /// Given up because they were too old.
    pub(crate) expired: usize,
    /// Left in the outbox, of the senders in this config.
    pub(crate) left: usize,
    /// Held by quiet hours.
    pub(crate) quiet: usize,
    /// Claimed by another process.
    pub(crate) busy: usize,
    /// Left in the outbox, of senders not in the current config.
    pub(crate) others: BTreeMap<SenderName, usize>,
    /// Left alone: written by a newer wxpush, or not a usable entry.
    pub(crate) strange: Vec<(String, Strange)>,
    /// The robots that sent messages in place of an app, and why.
    pub(crate) instead: BTreeMap<String, AppTrouble>,
    /// Why the first stopped sender was stopped.
    pub(crate) stopped: Option<Failure>,
    /// Why the first skipped message was skipped.
    pub(crate) held_up: Option<Failure>,
    /// The time of the next possible try, if known.
    pub(super) next: Option<Instant>,
}

/// Why an entry was left alone.
#[derive(Debug)]
pub(crate) enum Strange {
    /// Not a file of wxpush.
    Junk,
    /// Written by a newer wxpush.
    Newer,
    /// Not an entry.
    Foreign(io::Error),
    /// Cannot be opened, locked or read now.
    Unusable(io::Error),
}

impl FlushSummary {
    /// Whether every message stays where it was.
    pub(super) fn is_in_vain(&self) -> bool {
        self.delivered + self.failed + self.expired == 0
    }

    /// Forgets what was left: another pass counts it.
    pub(crate) fn start_pass(&mut self) {
        let before = std::mem::take(self);
        *self = Self {
            delivered: before.delivered,
            failed: before.failed,
            expired: before.expired,
            stopped: before.stopped,
            instead: before.instead,
            ..Self::default()
        };
    }

    /// Adds the summary of another outbox.
    pub(crate) fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.expired += other.expired;
        self.left += other.left;
        self.quiet += other.quiet;
        self.busy += other.busy;
        for (sender, count) in other.others {
            *self.others.entry(sender).or_default() += count;
        }
        self.strange.extend(other.strange);
        self.instead.extend(other.instead);
        if self.stopped.is_none() {
            self.stopped = other.stopped;
        }
        if self.held_up.is_none() {
            self.held_up = other.held_up;
        }
    }
}
