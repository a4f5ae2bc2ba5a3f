//! The order in which a pass goes through the outbox: what is root's, then the mails of users.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::super::turn::{Suspect, Turn};
use super::Flush;
use crate::disk::Dir;
use crate::maildrop;
use crate::outbox::{self, ClaimedEntry, Id};
use crate::rate_limit::Share;

/// Most names read at once, so that memory use stays flat.
const CHUNK: usize = 4096;

impl Flush<'_> {
    /// Goes through all entries but the mails of users, from the oldest on.
    pub(super) fn walk(&mut self, dir: &Arc<Dir>) -> io::Result<()> {
        let mut after = None;
        let mut looked = 0;
        loop {
            let ids = outbox::oldest(dir, after.as_ref(), CHUNK)?;
            let Some(last) = ids.last().cloned() else {
                return Ok(());
            };
            let ids = self.not_of_users(ids);
            for (at, id) in ids.iter().enumerate() {
                if !self.go_to(dir, id, &ids[at + 1..], &mut looked) {
                    return Ok(());
                }
            }
            after = Some(last);
        }
    }

    /// Handles an entry, with those behind it; returns whether there may be more in this pass.
    fn go_to(&mut self, dir: &Arc<Dir>, id: &Id, behind: &[Id], looked: &mut usize) -> bool {
        *looked += 1;
        if *looked > self.bounds.looks || self.tried >= self.bounds.tries {
            self.summary.left += 1;
            return false;
        }
        if self.is_late() {
            self.summary.left += 1;
        } else {
            self.entry(dir, id, behind);
        }
        true
    }

    /// Handles all answers, and makes those messages wait whose trouble was their own.
    pub(super) fn end_turns(&mut self, dir: &Arc<Dir>) {
        self.land_all(dir);
        self.ahead.clear();
        let turns = self.turns.values_mut();
        let blamed: Vec<Suspect> = turns.flat_map(Turn::blamed).collect();
        for Suspect { held, reason } in blamed {
            self.pass_over(&held, &reason);
        }
    }

    /// Sets the mails of users aside; returns the other entries.
    fn not_of_users(&mut self, ids: BTreeSet<Id>) -> Vec<Id> {
        let mut others = Vec::new();
        for id in ids {
            match self.users.owners.get(&id) {
                Some(user) => self.users.behind.entry(*user).or_default().push(id),
                None => others.push(id),
            }
        }
        others
    }

    /// Whether an entry has been set aside, too: one of a user that came meanwhile, or that a robot sends
    /// for him.
    pub(super) fn sets_aside(&mut self, held: &ClaimedEntry) -> bool {
        let uid = held.entry().user;
        let Some(uid) = uid.filter(|_| self.share == Share::Backlog) else {
            return false;
        };
        let (id, user) = (held.id(), maildrop::user_of(uid));
        self.users.owners.insert(id.clone(), user);
        let behind = self.users.behind.entry(user).or_default();
        behind.push(id.clone());
        // A robot's comes before the one that it carries.
        behind.sort_unstable();
        true
    }

    /// Goes through the mails of users, one of each in turn: no refusal of theirs stops what is root's.
    pub(super) fn walk_users(&mut self, dir: &Arc<Dir>) {
        let behind = std::mem::take(&mut self.users.behind);
        if behind.is_empty() {
            return;
        }
        for (name, turn) in &self.turns {
            let theirs = self.users.turns.entry(name.clone()).or_default();
            theirs.follow(turn);
        }
        std::mem::swap(&mut self.turns, &mut self.users.turns);
        self.take_turns(dir, behind);
        self.end_turns(dir);
        self.share = Share::Backlog;
        std::mem::swap(&mut self.turns, &mut self.users.turns);
        // That the app works is true for root's messages as well; what is refused of users is not.
        for (name, turn) in &self.users.turns {
            if turn.works() {
                let own = self.turns.entry(name.clone()).or_default();
                own.hear_of_success();
            }
        }
    }

    /// Handles one entry of each user in turn; who has fewer comes first.
    fn take_turns(&mut self, dir: &Arc<Dir>, of_users: BTreeMap<Option<u32>, Vec<Id>>) {
        let mut of_users: Vec<_> = of_users.into_iter().collect();
        of_users.sort_by_key(|(_, ids)| ids.len());
        let most = of_users.last().map_or(0, |(_, ids)| ids.len());
        let mut looked = 0;
        for at in 0..most {
            for (user, ids) in of_users.iter().filter(|(_, ids)| at < ids.len()) {
                self.share = Share::User(*user);
                if !self.go_to(dir, &ids[at], &ids[at + 1..], &mut looked) {
                    return;
                }
            }
        }
    }
}
