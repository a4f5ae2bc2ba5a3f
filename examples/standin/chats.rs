//! Group chats of apps: made, changed and written to by the app that made them, and by no other.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::{Map, json};

use super::company::{Call, Company, HOUR, Reply, accepted, random_text, within};
use super::fields::{Fields, open, required, string, strings};
use super::refusal::Refusal;
use super::road::Road;

/// The chat of a new company, made by its one app, with zhangsan, lisi and wangwu in it.
pub const CHATID: &str = "ops";

/// A group chat.
#[derive(Clone, Debug)]
pub struct Chat {
    /// The app that made it.
    pub agentid: i64,
    /// Its name.
    pub name: String,
    /// The userid of who owns it.
    pub owner: String,
    /// The members by userid in lower case.
    pub members: BTreeSet<String>,
}

/// When chats were made and changed, of which a company has so many a day and an hour.
#[derive(Default)]
pub struct ChatCalls {
    made: Vec<SystemTime>,
    changed: Vec<SystemTime>,
}

impl Company {
    /// `appchat/create`
    pub(super) fn make_chat(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let agentid = self.chatting(call)?;
        let fields = open(call.body)?;
        let members = self.employees(agentid, &fields, "userlist")?;
        if !(2..=2000).contains(&members.len()) {
            return Err(Refusal::of(86006));
        }
        let owner = match &*string(&fields, "owner")?.to_lowercase() {
            "" => members.first().cloned().unwrap_or_default(),
            owner => self.chat_owner(owner, &members)?,
        };
        let chatid = match string(&fields, "chatid")? {
            "" => random_text(200)
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(32)
                .collect(),
            chatid => chatid.to_owned(),
        };
        if chatid.len() > 32 || !chatid.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(Refusal::of(86001));
        }
        if self.chats.contains_key(&chatid) {
            return Err(Refusal::of(86215));
        }
        if within(self.chat_calls.made.iter().copied(), call.now, 24 * HOUR) >= 1000 {
            return Err(Refusal::of(45009));
        }
        self.chat_calls.made.push(call.now);
        let chat = Chat {
            agentid,
            name: name(&fields)?,
            owner,
            members,
        };
        self.chats.insert(chatid.clone(), chat);
        Ok(accepted(Map::from_iter([("chatid".into(), json!(chatid))])))
    }

    /// `appchat/get`
    pub(super) fn show_chat(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let agentid = self.chatting(call)?;
        let chatid = call.query.get("chatid").map_or("", String::as_str);
        let chat = self.chat(chatid, agentid)?;
        let info = json!({
            "chatid": chatid,
            "name": chat.name,
            "owner": chat.owner,
            "userlist": chat.members,
            "chat_type": 0,
        });
        Ok(accepted(Map::from_iter([("chat_info".into(), info)])))
    }

    /// `appchat/update`
    pub(super) fn change_chat(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let agentid = self.chatting(call)?;
        let fields = open(call.body)?;
        let chatid = string(&fields, "chatid")?;
        let mut chat = self.chat(chatid, agentid)?.clone();
        chat.members
            .extend(self.employees(agentid, &fields, "add_user_list")?);
        for userid in strings(&fields, "del_user_list")? {
            if !chat.members.remove(&userid.to_lowercase()) {
                return Err(Refusal::of(86216));
            }
        }
        if !(2..=2000).contains(&chat.members.len()) {
            return Err(Refusal::of(86006));
        }
        match &*string(&fields, "owner")?.to_lowercase() {
            "" if chat.members.contains(&chat.owner) => {}
            "" => chat.owner = chat.members.first().cloned().unwrap_or_default(),
            owner => chat.owner = self.chat_owner(owner, &chat.members)?,
        }
        match name(&fields)? {
            name if name.is_empty() => {}
            name => chat.name = name,
        }
        if within(self.chat_calls.changed.iter().copied(), call.now, HOUR) >= 1000 {
            return Err(Refusal::of(45009));
        }
        self.chat_calls.changed.push(call.now);
        self.chats.insert(chatid.to_owned(), chat);
        Ok(accepted(Fields::new()))
    }

    /// `appchat/send`
    pub(super) fn send_to_chat(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let agentid = self.chatting(call)?;
        let fields = open(call.body)?;
        let msgtype = Road::Chat.msgtype(&fields)?;
        let chatid = required(&fields, "chatid", 86003)?.to_owned();
        let members = self.chat(&chatid, agentid)?.members.clone();
        let content = self.desk(Road::Chat).read(fields, msgtype, call.now)?;
        self.phones
            .deliver_to_chat(call.now, agentid, &chatid, &members, content);
        Ok(accepted(Fields::new()))
    }

    /// The app of a call, which must see the whole company.
    fn chatting(&self, call: &Call<'_>) -> Result<i64, Refusal> {
        let agentid = self.authorised(call)?;
        let app = self.named_app(Some(agentid), agentid)?;
        if !app.enabled {
            Err(Refusal::of(50003))
        } else if app.parties.contains(&1) {
            Ok(agentid)
        } else {
            Err(Refusal::of(48002))
        }
    }

    fn chat(&self, chatid: &str, agentid: i64) -> Result<&Chat, Refusal> {
        if chatid.is_empty() {
            return Err(Refusal::of(86003));
        }
        let chat = self.chats.get(chatid).ok_or_else(|| Refusal::of(40050))?;
        if chat.agentid == agentid {
            Ok(chat)
        } else {
            Err(Refusal::of(86008))
        }
    }

    /// The members in a list, all of whom the app must see.
    fn employees(
        &self,
        agentid: i64,
        fields: &Fields,
        list: &str,
    ) -> Result<BTreeSet<String>, Refusal> {
        let app = self.named_app(Some(agentid), agentid)?;
        let userids: BTreeSet<String> = strings(fields, list)?
            .iter()
            .map(|userid| userid.to_lowercase())
            .collect();
        let known = |userid: &String| {
            let member = self.members.get(userid);
            member.is_some_and(|member| app.shows(userid, member))
        };
        if userids.iter().all(known) {
            Ok(userids)
        } else {
            Err(Refusal::of(86216))
        }
    }

    fn chat_owner(&self, owner: &str, members: &BTreeSet<String>) -> Result<String, Refusal> {
        if !self.members.contains_key(owner) {
            Err(Refusal::of(86005))
        } else if members.contains(owner) {
            Ok(owner.to_owned())
        } else {
            Err(Refusal::of(86207))
        }
    }
}

/// The name of a chat, cut at fifty characters.
fn name(fields: &Fields) -> Result<String, Refusal> {
    Ok(string(fields, "name")?.chars().take(50).collect())
}

#[cfg(test)]
mod tests;
