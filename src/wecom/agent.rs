//! An app as WeCom describes it, and whom it may reach: its 可见范围.

use std::time::Instant;

use serde_json::Value;

use super::ask::{Asked, Asking, Question};
use super::error::Error;
use super::{Client, Pass};

/// What `agent/get` says of an app.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    /// The name above its messages.
    pub(crate) name: String,
    /// Whether the administrator has switched it off (已停用).
    pub(crate) closed: bool,
    /// The members of its 可见范围 by userid; those of its departments and tags are not among them.
    pub(crate) users: Vec<String>,
    /// The departments of its 可见范围, by id; 1 is the whole company.
    pub(crate) parties: Vec<String>,
    /// The tags of its 可见范围, by id.
    pub(crate) tags: Vec<String>,
}

impl Client {
    /// Asks for an app.
    ///
    /// # Errors
    /// Whatever stands between the question and WeCom's yes: 60020, 301002, 48002 among them.
    pub(crate) fn agent(
        &self,
        pass: Pass<'_>,
        agentid: u32,
        deadline: Instant,
    ) -> Result<Agent, Error> {
        let call = format!("agent/get?agentid={agentid}");
        self.look_up(call, pass, deadline)
            .map(|answer| Agent::read(&answer))
    }

    /// Makes a call that changes nothing, and whose answer is JSON; WeCom's no is an error.
    ///
    /// # Errors
    /// Whatever stands between the question and WeCom's yes.
    pub(super) fn look_up(
        &self,
        call: String,
        pass: Pass<'_>,
        deadline: Instant,
    ) -> Result<Value, Error> {
        let question = Question {
            call,
            body: Asking::Get,
        };
        match self.ask(&question, pass, "", deadline)? {
            Asked::Json(answer, None) if answer.get("errcode").is_some() => Ok(answer),
            Asked::Json(_, Some(refusal)) => Err(Error::refused(refusal)),
            Asked::Json(_, None) => Err(Error::unreadable("it has no errcode")),
            Asked::Bytes(_) => Err(Error::unreadable("it is not JSON")),
        }
    }
}

impl Agent {
    /// Reads an answer: what is missing, or of another shape, counts as not set.
    fn read(answer: &Value) -> Self {
        let users = answer["allow_userinfos"]["user"].as_array();
        let users = users
            .into_iter()
            .flatten()
            .filter_map(|user| text(&user["userid"]));
        Self {
            name: text(&answer["name"]).unwrap_or_default(),
            closed: text(&answer["close"]).is_some_and(|close| close == "1"),
            users: users.collect(),
            parties: texts(&answer["allow_partys"]["partyid"]),
            tags: texts(&answer["allow_tags"]["tagid"]),
        }
    }

    /// Whether nobody is in its 可见范围.
    pub(crate) fn sees_nobody(&self) -> bool {
        self.users.is_empty() && self.parties.is_empty() && self.tags.is_empty()
    }
}

/// A text, or a number as one.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The texts and numbers of a list.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_app_is_read_and_what_is_missing_is_not_set() {
        let answer = json!({
            "errcode": 0, "agentid": 1, "name": "告警", "close": 1,
            "allow_userinfos": {"user": [{"userid": "ann"}, {"userid": "ben"}, {}]},
            "allow_partys": {"partyid": [1, "22"]},
            "allow_tags": {"tagid": [7]},
        });
        let agent = Agent::read(&answer);
        assert_eq!((agent.name.as_str(), agent.closed), ("告警", true));
        assert_eq!(agent.users, ["ann", "ben"]);
        assert_eq!(agent.parties, ["1", "22"]);
        assert_eq!(agent.tags, ["7"]);
        assert!(!agent.sees_nobody());
        for strange in [
            json!({}),
            json!([1]),
            json!({"allow_userinfos": [], "allow_partys": {"partyid": 3}, "close": null}),
        ] {
            let agent = Agent::read(&strange);
            assert_eq!(agent, Agent::default(), "{strange}");
            assert!(agent.sees_nobody());
        }
    }
}
