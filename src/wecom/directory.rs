//! Looks up the app, its 可见范围, and the members, departments and tags in it. An app may look up no
//! others.
//! Source: developer.work.weixin.qq.com/document/path/90196, 95350 and 90213.

use std::time::Instant;

use super::answer::OwnAnswer;
use super::client::{Client, Credential};
use super::error::Error;
use super::request::{Call, LIST_MAX};

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
    fn of(answer: OwnAnswer) -> Self {
        Self {
            name: answer.name.text().to_owned(),
            closed: answer.close.text() == "1",
            users: answer.allow_userinfos.0,
            parties: answer.allow_partys.names(),
            tags: answer.allow_tags.names(),
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
        Ok(Agent::of(answer))
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
        Ok(match answer.status.text() {
            "1" => MemberStatus::Active,
            "2" => MemberStatus::Disabled,
            "4" => MemberStatus::Unjoined,
            "5" => MemberStatus::Left,
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
        Ok(answer.department_id.0)
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
        Ok(answer.userlist.0.len() + answer.partylist.names().len())
    }

    /// Makes a read-only call.
    fn look_up(
        &self,
        name: &str,
        pass: Credential<'_>,
        deadline: Instant,
    ) -> Result<OwnAnswer, Error> {
        let query = [pass.parameter()];
        let call = Call {
            answer_max: LIST_MAX,
            ..Call::get(name, &query)
        };
        self.call(&call, deadline)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn missing_fields_of_an_app_count_as_empty() {
        let answer = json!({
            "errcode": 0, "agentid": 1, "name": "告警", "close": 1,
            "allow_userinfos": {"user": [{"userid": "ann"}, {"userid": "ben"}, {}]},
            "allow_partys": {"partyid": [1, "22"]},
            "allow_tags": {"tagid": [7]},
        });
        let of = |answer: &Value| Agent::of(serde_json::from_str(&answer.to_string()).unwrap());
        let agent = of(&answer);
        assert_eq!((agent.name.as_str(), agent.closed), ("告警", true));
        assert_eq!(agent.users, ["ann", "ben"]);
        assert_eq!(agent.parties, ["1", "22"]);
        assert_eq!(agent.tags, ["7"]);
        assert!(!agent.sees_nobody());
        for strange in [
            json!({}),
            json!({"allow_userinfos": [], "allow_partys": {"partyid": {}}, "close": null}),
        ] {
            let agent = of(&strange);
            assert_eq!(agent, Agent::default(), "{strange}");
            assert!(agent.sees_nobody());
        }
    }
}
