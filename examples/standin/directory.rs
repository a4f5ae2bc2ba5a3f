//! A little of what else WeCom answers: members, departments, tags, and its own addresses.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::company::{Call, Company, Reply, accepted};
use super::fields::{open, string};
use super::refusal::Refusal;

impl Company {
    /// `agent/get`
    pub(super) fn agent(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let of_token = self.authorised(call)?;
        let agentid = call.query.get("agentid").and_then(|id| id.parse().ok());
        let app = self.named_app(agentid, of_token)?;
        let users: Vec<Value> = app
            .users
            .iter()
            .map(|userid| json!({"userid": userid}))
            .collect();
        Ok(accepted(Map::from_iter([
            ("agentid".into(), json!(of_token)),
            ("name".into(), json!(app.name)),
            ("allow_userinfos".into(), json!({"user": users})),
            ("allow_partys".into(), json!({"partyid": app.parties})),
            ("allow_tags".into(), json!({"tagid": app.tags})),
            ("close".into(), json!(i32::from(!app.enabled))),
        ])))
    }

    /// `message/recall`
    pub(super) fn recall(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let agentid = self.authorised(call)?;
        let fields = open(call.body)?;
        let msgid = string(&fields, "msgid")?;
        self.phones.recall(call.now, agentid, msgid)?;
        Ok(accepted(Map::new()))
    }

    /// `user/get`
    pub(super) fn user(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let agentid = self.authorised(call)?;
        let app = self.named_app(Some(agentid), agentid)?;
        let userid = call.query.get("userid").map_or("", String::as_str);
        let userid = userid.to_lowercase();
        let member = self.members.get(&userid);
        let member = member.ok_or_else(|| Refusal::of(60111))?;
        if !app.shows(&userid, member) {
            return Err(Refusal::of(60011));
        }
        Ok(accepted(Map::from_iter([
            ("userid".into(), json!(userid)),
            ("name".into(), json!(userid)),
            ("department".into(), json!(member.parties)),
            ("status".into(), json!(if member.unjoined { 4 } else { 1 })),
        ])))
    }

    /// `department/simplelist`
    pub(super) fn departments(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let agentid = self.authorised(call)?;
        let app = self.named_app(Some(agentid), agentid)?;
        let ids: BTreeSet<u32> = self
            .members
            .values()
            .flat_map(|member| member.parties.iter().copied())
            .filter(|id| app.shows_party(*id))
            .collect();
        let rows = ids
            .into_iter()
            .map(|id| json!({"id": id, "parentid": u32::from(id != 1), "order": 100_000 + id}));
        let rows: Vec<Value> = rows.collect();
        Ok(accepted(Map::from_iter([(
            "department_id".into(),
            json!(rows),
        )])))
    }

    /// `tag/list`
    pub(super) fn tags(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        self.authorised(call)?;
        let ids: BTreeSet<u32> = self
            .members
            .values()
            .flat_map(|member| member.tags.iter().copied())
            .collect();
        let rows: Vec<Value> = ids
            .into_iter()
            .map(|id| json!({"tagid": id, "tagname": format!("tag {id}")}))
            .collect();
        Ok(accepted(Map::from_iter([("taglist".into(), json!(rows))])))
    }

    /// `tag/get`: the tag's members in the app's visible range.
    pub(super) fn tag(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let agentid = self.authorised(call)?;
        let app = self.named_app(Some(agentid), agentid)?;
        let id = call.query.get("tagid").and_then(|id| id.parse().ok());
        let id: u32 = id.ok_or_else(|| Refusal::of(40068))?;
        let mut members = self.members.iter();
        if !members.any(|(_, member)| member.tags.contains(&id)) {
            return Err(Refusal::of(40068));
        }
        let users: Vec<Value> = self
            .members
            .iter()
            .filter(|(userid, member)| member.tags.contains(&id) && app.shows(userid, member))
            .map(|(userid, _)| json!({"userid": userid, "name": userid}))
            .collect();
        Ok(accepted(Map::from_iter([
            ("tagname".into(), json!(format!("tag {id}"))),
            ("userlist".into(), json!(users)),
            ("partylist".into(), json!([])),
        ])))
    }

    /// `get_api_domain_ip`, which has no errcode when all is well.
    pub(super) fn domain_ip(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        self.authorised(call)?;
        Ok(Reply::Json(
            json!({"ip_list": ["203.0.113.7", "203.0.113.8"]}),
        ))
    }
}
