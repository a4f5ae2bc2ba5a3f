//! What becomes of a message on the way to its phones: duplicates swallowed, excess dropped.
//!
//! Pure, as the rest of the company's rules. A member who loses a message this way loses it in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::company::{random_text, within};
use super::message::Message;

/// A message on a member's phone.
#[derive(Clone, Debug)]
pub struct Landed {
    /// When, on WeCom's clock.
    pub at: SystemTime,
    /// The app that sent it.
    pub agentid: i64,
    /// Its kind.
    pub msgtype: String,
    /// What the member reads, cut where WeCom cuts.
    pub text: String,
    /// The request's body.
    pub raw: Value,
    /// The id that would recall it.
    pub msgid: String,
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
    /// Whether the duplicate check finds a first request that did not ask for it (unknown of WeCom).
    pub match_unflagged: bool,
    /// Whether a swallowed duplicate is answered with the first one's `msgid` (unknown of WeCom).
    pub answer_msgid: bool,
    /// Messages dropped for the rate, counted once for each member.
    pub dropped: usize,
    /// Requests swallowed as duplicates.
    pub swallowed: usize,
    landed: BTreeMap<String, Vec<Landed>>,
    sent: Vec<Sent>,
}

impl Default for Phones {
    fn default() -> Self {
        Self {
            per_minute: 30,
            per_hour: 1000,
            match_unflagged: false,
            answer_msgid: false,
            dropped: 0,
            swallowed: 0,
            landed: BTreeMap::new(),
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
        for userid in userids {
            let landed = Landed {
                at: now,
                agentid,
                msgtype: message.msgtype.clone(),
                text: message.shown.clone(),
                raw: message.raw.clone(),
                msgid: msgid.clone(),
            };
            self.land(userid, landed);
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
        let times = phone
            .iter()
            .filter(|earlier| earlier.agentid == landed.agentid)
            .map(|one| one.at);
        let in_last = |seconds| within(times.clone(), landed.at, Duration::from_secs(seconds));
        if in_last(60) >= self.per_minute || in_last(3600) >= self.per_hour {
            self.dropped += 1;
        } else {
            phone.push(landed);
        }
    }
}
