//! Recipients with a waiting message: no later message to them overtakes it.

use std::collections::BTreeSet;

use crate::rate_limit::Audience;

/// The members for whom a message waits, or everyone.
#[derive(Default)]
pub(super) struct WaitingAudiences {
    everyone: bool,
    members: BTreeSet<String>,
}

impl WaitingAudiences {
    pub(super) fn add(&mut self, audience: &Audience) {
        match audience {
            Audience::Everyone => self.everyone = true,
            Audience::Members(members) => self.members.extend(members.iter().cloned()),
        }
    }

    pub(super) fn touches(&self, audience: &Audience) -> bool {
        self.everyone
            || match audience {
                Audience::Everyone => !self.members.is_empty(),
                Audience::Members(members) => {
                    members.iter().any(|name| self.members.contains(name))
                }
            }
    }
}

/// Whether two audiences share a recipient.
pub(super) fn meet(one: &Audience, other: &Audience) -> bool {
    let mut waiting = WaitingAudiences::default();
    waiting.add(one);
    waiting.touches(other)
}
