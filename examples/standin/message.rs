//! What a well-formed request of `message/send` is: its receivers, its flags and what is in it.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::fields::{Fields, flag, integer, open, string};
use super::kinds::{Content, Desk};
use super::refusal::Refusal;
use super::road::Road;

/// A message whose form WeCom accepts.
pub struct Message {
    /// The app it names, if that is an integer.
    pub agentid: Option<i64>,
    /// The members it names, as written.
    pub users: Vec<String>,
    /// The departments it names.
    pub parties: Vec<String>,
    /// The tags it names.
    pub tags: Vec<String>,
    /// What is in it.
    pub content: Content,
    /// How far back to look for duplicates, if it asks for that.
    pub check: Option<Duration>,
    /// The request's body, byte for byte.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads a body of `message/send`.
    pub fn read(body: &[u8], desk: &Desk<'_>, now: SystemTime) -> Result<Self, Refusal> {
        let fields = open(body)?;
        let msgtype = Road::App.msgtype(&fields)?;
        let users = receivers(&fields, "touser", 1000, 40032)?;
        let parties = receivers(&fields, "toparty", 100, 82002)?;
        let tags = receivers(&fields, "totag", 100, 82003)?;
        if users.is_empty() && parties.is_empty() && tags.is_empty() {
            return Err(Refusal::of(82001));
        }
        if msgtype == "miniprogram_notice" && users == ["@all"] {
            return Err(Refusal::of(40058));
        }
        flag(&fields, "enable_id_trans", 1)?;
        let checked = flag(&fields, "enable_duplicate_check", 1)? == 1;
        let interval = integer(&fields, "duplicate_check_interval", 1800)?.clamp(0, 14_400);
        Ok(Self {
            agentid: fields.get("agentid").and_then(Value::as_i64),
            users,
            parties,
            tags,
            check: checked.then(|| Duration::from_secs(interval.unsigned_abs())),
            content: desk.read(fields, msgtype, now)?,
            body: body.to_vec(),
        })
    }

    /// The message without what asks for the duplicate check.
    pub fn without_check(&self) -> Value {
        let mut content = self.content.raw.clone();
        if let Some(fields) = content.as_object_mut() {
            fields.remove("enable_duplicate_check");
            fields.remove("duplicate_check_interval");
        }
        content
    }
}

fn receivers(fields: &Fields, key: &str, most: usize, code: i64) -> Result<Vec<String>, Refusal> {
    let ids = string(fields, key)?.split('|').filter(|id| !id.is_empty());
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    if ids.len() > most {
        Err(Refusal::of(code))
    } else {
        Ok(ids)
    }
}
