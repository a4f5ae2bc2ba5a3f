//! Whom an app sees, one by one: members, departments, tags. An app may ask for no others.
//! Source: developer.work.weixin.qq.com/document/path/90196, 95350 and 90213.

use std::time::Instant;

use super::agent::{text, texts};
use super::error::Error;
use super::{Client, Pass};

/// Whether anything can reach a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// In WeCom, or a follower of 微信插件 (已激活).
    Active,
    /// Switched off by an administrator (已禁用).
    Disabled,
    /// Neither in WeCom nor a follower of 微信插件 (未激活).
    Unjoined,
    /// Has left the company (退出企业).
    Left,
    /// WeCom does not say.
    Unknown,
}

impl Client {
    /// Whether anything can reach a member whom the app sees.
    ///
    /// # Errors
    /// WeCom's no: 60111 there is none, 60011 the app does not see him; or what stands in between.
    pub(crate) fn member(
        &self,
        pass: Pass<'_>,
        userid: &str,
        deadline: Instant,
    ) -> Result<Status, Error> {
        // A userid has no character that a query would read otherwise.
        let answer = self.look_up(format!("user/get?userid={userid}"), pass, deadline)?;
        Ok(match text(&answer["status"]).as_deref() {
            Some("1") => Status::Active,
            Some("2") => Status::Disabled,
            Some("4") => Status::Unjoined,
            Some("5") => Status::Left,
            _ => Status::Unknown,
        })
    }

    /// The ids of all departments that the app sees.
    ///
    /// # Errors
    /// Whatever stands between the question and WeCom's yes.
    pub(crate) fn departments(
        &self,
        pass: Pass<'_>,
        deadline: Instant,
    ) -> Result<Vec<String>, Error> {
        let answer = self.look_up("department/simplelist".to_owned(), pass, deadline)?;
        let rows = answer["department_id"].as_array().into_iter().flatten();
        Ok(rows.filter_map(|row| text(&row["id"])).collect())
    }

    /// How many members and departments of a tag the app sees.
    ///
    /// # Errors
    /// WeCom's no: 40068 there is no such tag; or what stands in between.
    pub(crate) fn tag(&self, pass: Pass<'_>, id: &str, deadline: Instant) -> Result<usize, Error> {
        let answer = self.look_up(format!("tag/get?tagid={id}"), pass, deadline)?;
        let users = answer["userlist"].as_array().map_or(0, Vec::len);
        Ok(users + texts(&answer["partylist"]).len())
    }
}
