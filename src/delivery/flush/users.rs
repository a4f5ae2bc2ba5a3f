//! Mails of users, from the maildrop. A user may send whatever he likes: so they go after all that is
//! root's (`walk`), in turns and slots of their own, and what becomes of them is told once a day.

use std::collections::{BTreeMap, HashMap};

use super::super::turn::Turn;
use super::Flush;
use super::outcome::give_up;
use crate::notice::{self, Notice};
use crate::outbox::{self, ClaimedEntry, FailureRecord, Id, MAIL_NOTICE, SenderName};
use crate::{disk, maildrop};

/// The mails of users in the outbox of a flush.
#[derive(Default)]
pub(super) struct UserMails {
    /// Who mailed which entries: `None` are the users without an account, who count as one.
    pub(super) owners: HashMap<Id, Option<u32>>,
    /// Those of each user that come after all of root's in this pass, the oldest first.
    pub(super) behind: BTreeMap<Option<u32>, Vec<Id>>,
    pub(super) turns: HashMap<SenderName, Turn>,
}

impl Flush<'_> {
    /// Looks whose entries are users'.
    pub(super) fn find_users(&mut self) {
        self.users.owners = maildrop::users_of_entries(self.outbox.state());
        self.users.behind.clear();
    }

    /// Gives up an entry, and gives the notice of it; returns whether that succeeded. A user's mail
    /// isn't kept: he could fill root's disk.
    pub(super) fn gives_up(
        &self,
        held: &ClaimedEntry,
        verdict: &FailureRecord,
        notice: &Notice<'_>,
    ) -> bool {
        let (id, why) = (held.id(), &verdict.error);
        let Some(uid) = self.users.owners.get(id) else {
            let done = give_up(held, verdict);
            if done {
                notice::notify(notice);
            }
            return done;
        };
        if let Err(error) = held.finish() {
            notice::notify(&Notice::EntryStays { id, error: &error });
            return false;
        }
        let user = uid.and_then(disk::user_name);
        let user = user.as_deref();
        tracing::info!(%id, user, why, "a user's mail is given up, and not kept");
        if self.is_news(id.as_str(), "given up") {
            notice::notify(&Notice::MailGivenUp { user, why });
        }
        true
    }

    /// Whether to give a notice of an entry: of each user's mails once a day, however many they are.
    pub(super) fn is_news(&self, id: &str, what: &str) -> bool {
        let owner = Id::parse(id).and_then(|id| self.users.owners.get(&id));
        owner.is_none_or(|uid| {
            let user = uid.and_then(disk::user_name).unwrap_or_default();
            let notice = format!("{what}: {user}");
            outbox::are_new_notices(self.outbox.state(), MAIL_NOTICE, &[notice]) == [true]
        })
    }
}
