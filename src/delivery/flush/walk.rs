//! The order in which a pass goes through the outbox: what is root's, then the mails of users.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::super::turn::{Suspect, Turn};
use super::Flush;
use crate::disk::Dir;
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
            if !self.go_through(dir, &ids, &mut looked) {
                return Ok(());
            }
            after = Some(last);
        }
    }

    /// Handles these entries; returns whether there may be more of them in this pass.
    fn go_through(&mut self, dir: &Arc<Dir>, ids: &[Id], looked: &mut usize) -> bool {
        for (at, id) in ids.iter().enumerate() {
            *looked += 1;
            if *looked > self.bounds.looks || self.tried >= self.bounds.tries {
                self.summary.left += 1;
                return false;
            }
            if self.is_late() {
                self.summary.left += 1;
            } else {
                self.entry(dir, id, &ids[at + 1..]);
            }
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
        let is_of_user = |id: &Id| self.users.owners.contains_key(id);
        let (behind, others): (Vec<Id>, Vec<Id>) = ids.into_iter().partition(is_of_user);
        self.users.behind.extend(behind);
        others
    }

    /// Whether an entry that carries texts of users alone has been set aside, too.
    pub(super) fn sets_aside(&mut self, held: &ClaimedEntry) -> bool {
        let merged = &held.entry().merged;
        let is_of_user = |id: &Id| self.users.owners.contains_key(id);
        let is_due = self.share != Share::Users
            && !merged.is_empty()
            && merged.iter().all(|it| is_of_user(&it.id));
        if is_due {
            self.users.behind.insert(held.id().clone());
        }
        is_due
    }

    /// Goes through the mails of users: no refusal of theirs stops what is root's.
    pub(super) fn walk_users(&mut self, dir: &Arc<Dir>) {
        let behind: Vec<Id> = std::mem::take(&mut self.users.behind).into_iter().collect();
        if behind.is_empty() {
            return;
        }
        for (name, turn) in &self.turns {
            let theirs = self.users.turns.entry(name.clone()).or_default();
            theirs.follow(turn);
        }
        std::mem::swap(&mut self.turns, &mut self.users.turns);
        self.share = Share::Users;
        self.go_through(dir, &behind, &mut 0);
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
}
