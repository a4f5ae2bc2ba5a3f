//! Expired messages, counted by sender and recipients until the next message to them carries the
//! notice.

use std::fs::File;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{SenderAccount, SenderName};
use crate::disk::{self, Dir, record};
use crate::message::Recipients;
use crate::secret::digest;

/// The prefix of the files' names.
pub(super) const PREFIX: &str = "expired-";

/// Most attempts to lock, a millisecond apart; the lock is never held for that long.
const TRIES: u32 = 200;

/// The number of expired messages to the same recipients.
#[derive(Debug, Serialize, Deserialize)]
struct Count {
    /// `None` for a robot.
    corpid: Option<String>,
    robot: Option<String>,
    api_base: String,
    profile: Option<String>,
    touser: String,
    toparty: String,
    totag: String,
    chatid: Option<String>,
    messages: u32,
}

/// The notices that a message has to carry, to be subtracted after its delivery.
#[derive(Debug, Default)]
pub(crate) struct PendingNotices(Vec<(String, u32)>);

impl PendingNotices {
    /// Returns the number of expired messages.
    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}

/// Counts another expired message.
pub(super) fn add(dir: &Dir, sender: &SenderName, to: &Recipients) -> io::Result<()> {
    let new = Count::new(sender, to);
    let name = new.file_name();
    change(dir, &name, |count| {
        Some(Count {
            messages: count.map_or(0, |count| count.messages).saturating_add(1),
            ..new
        })
    })
}

/// Collects from the named files the notices that a message to these recipients has to carry.
pub(super) fn pending(
    dir: &Dir,
    names: &[String],
    sender: &SenderName,
    to: &Recipients,
) -> PendingNotices {
    let mut pending = PendingNotices::default();
    let message = Count::new(sender, to);
    for name in names {
        if let Some(count) = record::read::<Count>(dir, name).record()
            && count.is_of(&message)
            && count.all_among(to)
        {
            pending.0.push((name.clone(), count.messages));
        }
    }
    pending
}

/// Subtracts delivered notices.
pub(super) fn delivered(dir: &Dir, pending: &PendingNotices) -> io::Result<()> {
    for (name, delivered) in &pending.0 {
        change(dir, name, |count| {
            let count = count?;
            let left = count.messages.saturating_sub(*delivered);
            (left > 0).then_some(Count {
                messages: left,
                ..count
            })
        })?;
    }
    Ok(())
}

impl Count {
    fn new(sender: &SenderName, to: &Recipients) -> Self {
        let (corpid, robot) = match &sender.account {
            SenderAccount::App(corpid) => (Some(corpid.clone()), None),
            SenderAccount::Robot(name) => (None, Some(name.clone())),
        };
        Self {
            corpid,
            robot,
            api_base: sender.api_base.clone(),
            profile: sender.profile.clone(),
            touser: to.touser.join("|"),
            toparty: to.toparty.join("|"),
            totag: to.totag.join("|"),
            chatid: to.chatid.clone(),
            messages: 0,
        }
    }

    fn file_name(&self) -> String {
        let [corpid, robot, chatid, profile] =
            [&self.corpid, &self.robot, &self.chatid, &self.profile]
                .map(|text| text.as_deref().unwrap_or_default());
        let (users, parties, tags) = (&self.touser, &self.toparty, &self.totag);
        let key = digest(&[
            corpid,
            robot,
            chatid,
            &self.api_base,
            profile,
            users,
            parties,
            tags,
        ]);
        format!("{PREFIX}{}", &key[..16])
    }

    /// Whether both have the same sender.
    fn is_of(&self, other: &Self) -> bool {
        let sender = |it: &Self| (it.corpid.clone(), it.robot.clone(), it.profile.clone());
        sender(self) == sender(other) && self.api_base == other.api_base
    }

    /// Whether a message to these recipients reaches all the counted ones.
    fn all_among(&self, to: &Recipients) -> bool {
        let [touser, toparty, totag] = [&self.touser, &self.toparty, &self.totag]
            .map(|list| list.split('|').filter(|name| !name.is_empty()));
        if self.chatid != to.chatid {
            return false;
        }
        *to == Recipients::all()
            || (among(touser, &to.touser) && among(toparty, &to.toparty) && among(totag, &to.totag))
    }
}

fn among<'a>(mut names: impl Iterator<Item = &'a str>, list: &[String]) -> bool {
    names.all(|name| list.iter().any(|known| known == name))
}

/// Changes a count under its lock; `None` removes it.
fn change(
    dir: &Dir,
    name: &str,
    new: impl FnOnce(Option<Count>) -> Option<Count>,
) -> io::Result<()> {
    let file = locked(dir, name)?;
    match new(record::read(dir, name).record()) {
        Some(count) => record::write(&file, &count),
        None => dir.remove(name),
    }
}

fn locked(dir: &Dir, name: &str) -> io::Result<File> {
    for _ in 0..TRIES {
        let file = record::open(dir, name)?;
        if disk::lock_now(&file)? && dir.leads_to(name, &file.metadata()?) {
            return Ok(file);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(disk::held_elsewhere())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_goes_with_any_message_that_reaches_all_its_recipients() {
        let to = |users: &str, party: &str| Recipients::parse([users], [party], [""]).unwrap();
        let count = Count {
            corpid: None,
            robot: None,
            api_base: String::new(),
            profile: None,
            touser: "a|b".to_owned(),
            toparty: "2".to_owned(),
            totag: String::new(),
            chatid: None,
            messages: 1,
        };
        for (recipients, delivered) in [
            (to("a,b", "2"), true),
            (to("c,b,a", "2,3"), true),
            (Recipients::all(), true),
            (to("a", "2"), false),
            (to("a,b", ""), false),
            (Recipients::chat("ops").unwrap(), false),
        ] {
            assert_eq!(count.all_among(&recipients), delivered, "{recipients:?}");
        }
    }
}
