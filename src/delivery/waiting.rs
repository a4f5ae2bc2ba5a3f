//! Receivers that wait for their turn: nothing overtakes what is for them.

use std::collections::BTreeSet;

use crate::ledger::Receivers;

/// Members, or everyone, for whom something waits.
#[derive(Default)]
pub(super) struct Waiting {
    everyone: bool,
    members: BTreeSet<String>,
}

impl Waiting {
    pub(super) fn add(&mut self, receivers: &Receivers) {
        match receivers {
            Receivers::Everyone => self.everyone = true,
            Receivers::Members(members) => self.members.extend(members.iter().cloned()),
        }
    }

    pub(super) fn touches(&self, receivers: &Receivers) -> bool {
        self.everyone
            || match receivers {
                Receivers::Everyone => !self.members.is_empty(),
                Receivers::Members(members) => {
                    members.iter().any(|name| self.members.contains(name))
                }
            }
    }
}

/// Whether somebody is among both.
pub(super) fn meet(one: &Receivers, other: &Receivers) -> bool {
    let mut waiting = Waiting::default();
    waiting.add(one);
    waiting.touches(other)
}
