//! What becomes of a message on the way to its phones: duplicates swallowed, excess dropped.
//!
//! Pure, as the rest of the company's rules. A member who loses a message this way loses it in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::company::{HOUR, random_text, within};
use super::kinds::Content;
use super::media::Upload;
use super::message::Message;
use super::refusal::Refusal;

/// A message on a member's phone, or in a robot's group.
#[derive(Clone, Debug)]
pub struct Landed {
    /// When, on WeCom's clock.
    pub at: SystemTime,
    /// The app that sent it, 0 for a robot.
    pub agentid: i64,
    /// The chat in which it is, if it is in one of an app's.
    pub chatid: Option<String>,
    /// Its kind.
    pub msgtype: String,
    /// What the member reads, cut where WeCom cuts.
    pub text: String,
    /// The files in it.
    pub media: Vec<Upload>,
    /// How it is protected: 0 where `safe` means nothing to its kind.
    pub safe: i64,
    /// The request's body.
    pub raw: Value,
    /// The id that would recall it, empty if none would.
    pub msgid: String,
}

impl Landed {
    /// A message that has just arrived.
    pub fn new(at: SystemTime, agentid: i64, content: Content) -> Self {
        Self {
            at,
            agentid,
            chatid: None,
            msgtype: content.msgtype,
            text: content.text,
            media: content.media,
            safe: content.safe,
            raw: content.raw,
            msgid: String::new(),
        }
    }
}

/// A request that was delivered, for the duplicate check to compare with.
struct Sent {
    at: SystemTime,
    agentid: i64,
    flagged: bool,
    body: Vec<u8>,
    content: Value,
    msgid: String,
}

/// The members' phones and the limits in front of them.
pub struct Phones {
    /// Messages to a member in a minute, beyond which an app's are dropped.
    pub per_minute: usize,
    /// Messages to a member in an hour, beyond which an app's are dropped.
    pub per_hour: usize,
    /// Messages in chats to a member in a minute, beyond which an app's are dropped.
    pub chat_per_minute: usize,
    /// Messages in chats to a member in a day, beyond which an app's are dropped.
    pub chat_per_day: usize,
    /// Whether the duplicate check finds a first request that did not ask for it (unknown of WeCom).
    pub match_unflagged: bool,
    /// Whether a swallowed duplicate is answered with the first one's `msgid` (unknown of WeCom).
    pub answer_msgid: bool,
    /// Messages dropped for the rate, counted once for each member.
    pub dropped: usize,
    /// Requests swallowed as duplicates.
    pub swallowed: usize,
    landed: BTreeMap<String, Vec<Landed>>,
    /// What was recalled: it is gone from the phones, and counts all the same.
    recalled: BTreeMap<String, Vec<Landed>>,
    sent: Vec<Sent>,
}

impl Default for Phones {
    fn default() -> Self {
        Self {
            per_minute: 30,
            per_hour: 1000,
            chat_per_minute: 200,
            chat_per_day: 10_000,
            match_unflagged: false,
            answer_msgid: false,
            dropped: 0,
            swallowed: 0,
            landed: BTreeMap::new(),
            recalled: BTreeMap::new(),
            sent: Vec::new(),
        }
    }
}

impl Phones {
    /// The messages on a member's phone, oldest first.
    pub fn of(&self, userid: &str) -> &[Landed] {
        let userid = userid.to_lowercase();
        self.landed.get(&userid).map_or(&[], Vec::as_slice)
    }

    /// Every message on every phone, phone by phone.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Landed)> {
        let phones = self.landed.iter();
        phones.flat_map(|(userid, landed)| landed.iter().map(move |one| (userid.as_str(), one)))
    }

    /// Every message that was taken back, phone by phone.
    pub fn recalled(&self) -> impl Iterator<Item = (&str, &Landed)> {
        let phones = self.recalled.iter();
        phones.flat_map(|(userid, landed)| landed.iter().map(move |one| (userid.as_str(), one)))
    }

    /// Every message once, recalled or not, oldest first, with whose phones it is on.
    pub fn messages(&self) -> Vec<(&Landed, Vec<&str>)> {
        let mut found: BTreeMap<_, (&Landed, Vec<&str>)> = BTreeMap::new();
        for (userid, landed) in self.all().chain(self.recalled()) {
            // What lands in a chat has no msgid.
            let key = (landed.at, &landed.msgid, &landed.chatid);
            let entry = found.entry(key).or_insert_with(|| (landed, vec![]));
            entry.1.push(userid);
        }
        found.into_values().collect()
    }

    /// Puts a message on phones and returns the `msgid` to answer with.
    pub fn deliver(
        &mut self,
        now: SystemTime,
        agentid: i64,
        userids: &BTreeSet<String>,
        message: Message,
    ) -> Option<String> {
        if let Some(first) = self.first_of(now, agentid, &message) {
            let msgid = self.answer_msgid.then(|| first.msgid.clone());
            self.swallowed += 1;
            return msgid;
        }
        let msgid = random_text(64);
        let landed = Landed {
            msgid: msgid.clone(),
            ..Landed::new(now, agentid, message.content.clone())
        };
        for userid in userids {
            self.land(userid, landed.clone());
        }
        self.sent.push(Sent {
            at: now,
            agentid,
            flagged: message.check.is_some(),
            content: message.without_check(),
            body: message.body,
            msgid: msgid.clone(),
        });
        Some(msgid)
    }

    /// Puts a message into a chat, on its members' phones.
    pub fn deliver_to_chat(
        &mut self,
        now: SystemTime,
        agentid: i64,
        chatid: &str,
        userids: &BTreeSet<String>,
        content: Content,
    ) {
        let landed = Landed {
            chatid: Some(chatid.to_owned()),
            ..Landed::new(now, agentid, content)
        };
        for userid in userids {
            self.land(userid, landed.clone());
        }
    }

    /// Takes a message from all phones, if it is of this app and not older than a day.
    pub fn recall(&mut self, now: SystemTime, agentid: i64, msgid: &str) -> Result<(), Refusal> {
        let sent = self.sent.iter().find(|sent| sent.msgid == msgid);
        let sent = sent.filter(|sent| sent.agentid == agentid);
        let sent = sent.ok_or_else(|| Refusal::of(40058))?;
        if within([sent.at], now, 24 * HOUR) == 0 {
            return Err(Refusal::of(42052));
        }
        for (userid, phone) in &mut self.landed {
            let gone = phone.extract_if(.., |landed| landed.msgid == msgid);
            let recalled = self.recalled.entry(userid.clone()).or_default();
            recalled.extend(gone);
        }
        Ok(())
    }

    /// The earlier request that this one repeats, if it asks for the check.
    ///
    /// Among requests that asked for it the comparison is of bytes, the strictest reading of WeCom's page.
    fn first_of(&self, now: SystemTime, agentid: i64, message: &Message) -> Option<&Sent> {
        let interval = message.check?;
        let same = |first: &Sent| {
            if first.flagged {
                first.body == message.body
            } else {
                self.match_unflagged && first.content == message.without_check()
            }
        };
        let recent = |first: &&Sent| within([first.at], now, interval) == 1;
        let of_app = self.sent.iter().filter(|first| first.agentid == agentid);
        of_app.filter(recent).find(|first| same(first))
    }

    fn land(&mut self, userid: &str, landed: Landed) {
        let phone = self.landed.entry(userid.to_owned()).or_default();
        let in_chat = landed.chatid.is_some();
        let times = phone
            .iter()
            .chain(self.recalled.get(userid).into_iter().flatten())
            .filter(|earlier| {
                earlier.agentid == landed.agentid && earlier.chatid.is_some() == in_chat
            })
            .map(|one| one.at);
        let in_last = |span| within(times.clone(), landed.at, span);
        let (minute, longer, span) = if in_chat {
            (self.chat_per_minute, self.chat_per_day, 24 * HOUR)
        } else {
            (self.per_minute, self.per_hour, HOUR)
        };
        if in_last(Duration::from_mins(1)) >= minute || in_last(span) >= longer {
            self.dropped += 1;
        } else {
            phone.push(landed);
        }
    }
}

#[cfg(test)]
mod tests;
