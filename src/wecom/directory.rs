//! Looks up the app, its 可见范围, and the members, departments and tags in it. An app may look up no
//! others.
//! Source: developer.work.weixin.qq.com/document/path/90196, 95350 and 90213.

use std::time::Instant;

use serde_json::Value;

use super::answer::{names, text};
use super::client::{Client, Credential};
use super::error::Error;
use super::request::{Call, LARGE_ANSWER_MAX};

/// The answer of `agent/get`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    /// The name shown above its messages.
    pub(crate) name: String,
    /// Whether the administrator has switched it off (已停用).
    pub(crate) closed: bool,
    /// The userids of the members in its 可见范围, without those of its departments and tags.
    pub(crate) users: Vec<String>,
    /// The ids of the departments in its 可见范围; 1 is the whole company.
    pub(crate) parties: Vec<String>,
    /// The ids of the tags in its 可见范围.
    pub(crate) tags: Vec<String>,
}

impl Agent {
    /// Parses an answer; a field that is missing or of another type counts as empty.
    fn read(answer: &Value) -> Self {
        let users = answer["allow_userinfos"]["user"].as_array();
        let users = users.into_iter().flatten();
        Self {
            name: text(&answer["name"]).unwrap_or_default(),
            closed: text(&answer["close"]).is_some_and(|close| close == "1"),
            users: users.filter_map(|user| text(&user["userid"])).collect(),
            parties: names(&answer["allow_partys"]["partyid"]),
            tags: names(&answer["allow_tags"]["tagid"]),
        }
    }

    /// Whether its 可见范围 is empty.
    pub(crate) fn sees_nobody(&self) -> bool {
        self.users.is_empty() && self.parties.is_empty() && self.tags.is_empty()
    }
}

/// The reachability of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberStatus {
    /// In WeCom, or a follower of 微信插件 (已激活).
    Active,
    /// Switched off by an administrator (已禁用).
    Disabled,
    /// Neither in WeCom nor a follower of 微信插件 (未激活).
    Unjoined,
    /// Has left the company (退出企业).
    Left,
    /// Not reported by WeCom.
    Unknown,
}

impl Client {
    /// Looks up an app.
    ///
    /// # Errors
    /// Any error, including WeCom's 60020, 301002 and 48002.
    pub(crate) fn agent(
        &self,
        pass: Credential<'_>,
        agentid: u32,
        deadline: Instant,
    ) -> Result<Agent, Error> {
        let answer = self.look_up(&format!("agent/get?agentid={agentid}"), pass, deadline)?;
        Ok(Agent::read(&answer))
    }

    /// Looks up the status of a member.
    ///
    /// # Errors
    /// Any error: 60111 if the member does not exist, 60011 if the app does not see him.
    pub(crate) fn member(
        &self,
        pass: Credential<'_>,
        userid: &str,
        deadline: Instant,
    ) -> Result<MemberStatus, Error> {
        // No character of a userid has a meaning in a query.
        let answer = self.look_up(&format!("user/get?userid={userid}"), pass, deadline)?;
        Ok(match text(&answer["status"]).as_deref() {
            Some("1") => MemberStatus::Active,
            Some("2") => MemberStatus::Disabled,
            Some("4") => MemberStatus::Unjoined,
            Some("5") => MemberStatus::Left,
            _ => MemberStatus::Unknown,
        })
    }

    /// Lists the ids of all departments that the app sees.
    pub(crate) fn departments(
        &self,
        pass: Credential<'_>,
        deadline: Instant,
    ) -> Result<Vec<String>, Error> {
        let answer = self.look_up("department/simplelist", pass, deadline)?;
        let rows = answer["department_id"].as_array().into_iter().flatten();
        Ok(rows.filter_map(|row| text(&row["id"])).collect())
    }

    /// Counts the members and departments of a tag that the app sees.
    ///
    /// # Errors
    /// Any error: 40068 if the tag does not exist.
    pub(crate) fn tag(
        &self,
        pass: Credential<'_>,
        id: &str,
        deadline: Instant,
    ) -> Result<usize, Error> {
        let answer = self.look_up(&format!("tag/get?tagid={id}"), pass, deadline)?;
        let users = answer["userlist"].as_array().map_or(0, Vec::len);
        Ok(users + names(&answer["partylist"]).len())
    }

    /// Makes a read-only call.
    fn look_up(&self, name: &str, pass: Credential<'_>, deadline: Instant) -> Result<Value, Error> {
        let query = [pass.parameter()];
        let call = Call {
            answer_max: LARGE_ANSWER_MAX,
            ..Call::get(name, &query)
        };
        self.call(&call, deadline)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_fields_of_an_app_count_as_empty() {
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
            json!({"allow_userinfos": [], "allow_partys": {"partyid": {}}, "close": null}),
        ] {
            let agent = Agent::read(&strange);
            assert_eq!(agent, Agent::default(), "{strange}");
            assert!(agent.sees_nobody());
        }
    }
}
