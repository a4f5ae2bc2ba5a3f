//! What became too old, counted by sender and receivers, until their next message tells them.

use std::fs::File;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{Account, SenderName};
use super::slate;
use crate::disk::{self, Dir};
use crate::message::Envelope;
use crate::secret::digest;

/// What the names begin with.
pub(super) const PREFIX: &str = "expired-";

/// How often the lock is tried for, a millisecond apart; who holds it holds it for less.
const TRIES: u32 = 200;

/// So many messages to the same receivers.
#[derive(Debug, Serialize, Deserialize)]
struct Count {
    /// None where a robot sent.
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

/// Counts that a message has to carry, to be taken off once it is delivered.
#[derive(Debug, Default)]
pub(crate) struct Untold(Vec<(String, u32)>);

impl Untold {
    /// How many messages its receivers were never sent.
    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}

/// Counts one more.
pub(super) fn add(dir: &Dir, sender: &SenderName, to: &Envelope) -> io::Result<()> {
    let [touser, toparty, totag] = lists(to);
    let profile = sender.profile.as_deref().unwrap_or_default();
    let (corpid, robot) = accounts(sender);
    let chatid = to.chatid.clone();
    let key = digest(&[
        corpid.as_deref().unwrap_or_default(),
        robot.as_deref().unwrap_or_default(),
        chatid.as_deref().unwrap_or_default(),
        &sender.api_base,
        profile,
        &touser,
        &toparty,
        &totag,
    ]);
    change(dir, &format!("{PREFIX}{}", &key[..16]), |count| {
        Some(Count {
            corpid,
            robot,
            api_base: sender.api_base.clone(),
            profile: sender.profile.clone(),
            touser,
            toparty,
            totag,
            chatid,
            messages: count.map_or(0, |count| count.messages).saturating_add(1),
        })
    })
}

/// What a message to these receivers has to carry, among the files of these names.
pub(super) fn untold(dir: &Dir, names: &[String], sender: &SenderName, to: &Envelope) -> Untold {
    let mut untold = Untold::default();
    for name in names {
        if let slate::Read::Record(count) = slate::read::<Count>(dir, name)
            && count.is_of(sender)
            && count.all_among(to)
        {
            untold.0.push((name.clone(), count.messages));
        }
    }
    untold
}

/// Takes off what has been told.
pub(super) fn told(dir: &Dir, untold: &Untold) -> io::Result<()> {
    for (name, told) in &untold.0 {
        change(dir, name, |count| {
            let count = count?;
            let left = count.messages.saturating_sub(*told);
            (left > 0).then_some(Count {
                messages: left,
                ..count
            })
        })?;
    }
    Ok(())
}

/// The corpid of an app, or the name of a robot.
fn accounts(sender: &SenderName) -> (Option<String>, Option<String>) {
    match &sender.account {
        Account::App(corpid) => (Some(corpid.clone()), None),
        Account::Robot(name) => (None, Some(name.clone())),
    }
}

impl Count {
    fn is_of(&self, sender: &SenderName) -> bool {
        (self.corpid.clone(), self.robot.clone()) == accounts(sender)
            && self.api_base == sender.api_base
            && self.profile == sender.profile
    }

    /// Whether a message to these receivers reaches all whom it concerns.
    fn all_among(&self, to: &Envelope) -> bool {
        let [touser, toparty, totag] = [&self.touser, &self.toparty, &self.totag]
            .map(|list| list.split('|').filter(|name| !name.is_empty()));
        if self.chatid != to.chatid {
            return false;
        }
        *to == Envelope::all()
            || (among(touser, &to.touser) && among(toparty, &to.toparty) && among(totag, &to.totag))
    }
}

fn among<'a>(mut names: impl Iterator<Item = &'a str>, list: &[String]) -> bool {
    names.all(|name| list.iter().any(|known| known == name))
}

fn lists(to: &Envelope) -> [String; 3] {
    [&to.touser, &to.toparty, &to.totag].map(|list| list.join("|"))
}

/// Changes a count under its lock; none removes it.
fn change(
    dir: &Dir,
    name: &str,
    new: impl FnOnce(Option<Count>) -> Option<Count>,
) -> io::Result<()> {
    let file = locked(dir, name)?;
    let old = match slate::read(dir, name) {
        slate::Read::Record(count) => Some(count),
        _ => None,
    };
    match new(old) {
        Some(count) => slate::write(&file, &count),
        None => dir.remove(name),
    }
}

fn locked(dir: &Dir, name: &str) -> io::Result<File> {
    for _ in 0..TRIES {
        let file = slate::open(dir, name)?;
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
    fn who_is_concerned_is_told_by_any_message_that_reaches_them_all() {
        let to = |users: &str, party: &str| Envelope::parse([users], [party], [""]).unwrap();
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
        for (envelope, told) in [
            (to("a,b", "2"), true),
            (to("c,b,a", "2,3"), true),
            (Envelope::all(), true),
            (to("a", "2"), false),
            (to("a,b", ""), false),
            (Envelope::chat("ops").unwrap(), false),
        ] {
            assert_eq!(count.all_among(&envelope), told, "{envelope:?}");
        }
    }
}
