//! How WeCom words a refusal.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::fields::Fields;

/// A request that WeCom turns down.
#[derive(Debug)]
pub struct Refusal {
    code: i64,
    before: String,
    after: &'static str,
    fields: Fields,
}

impl Refusal {
    /// A refusal by this errcode.
    pub fn of(code: i64) -> Self {
        Self {
            code,
            before: String::new(),
            after: "",
            fields: Fields::new(),
        }
    }

    /// A refusal that names receivers, too.
    pub fn with(self, fields: Fields) -> Self {
        Self { fields, ..self }
    }

    /// A body that is no JSON, or JSON of another shape.
    pub fn wrong_json() -> Self {
        Self {
            after: ", Warning: wrong json format. ",
            ..Self::of(40058)
        }
    }

    /// A robot's message that is too long: the field comes before WeCom's usual words.
    pub fn exceeds(field: &str, most: usize) -> Self {
        Self {
            before: format!("{field} exceed max length {most}. "),
            ..Self::of(40058)
        }
    }

    /// The answer, with the hint and the caller's address that WeCom puts in each.
    pub fn answer(mut self, now: SystemTime, ip: IpAddr) -> Value {
        let text = self.before + &errmsg(self.code, now, ip) + self.after;
        self.fields.insert("errcode".into(), json!(self.code));
        self.fields.insert("errmsg".into(), json!(text));
        Value::Object(self.fields)
    }
}

/// Words an errcode as WeCom does.
pub fn errmsg(code: i64, now: SystemTime, ip: IpAddr) -> String {
    let hint = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    let page = "https://open.work.weixin.qq.com/devtool/query?e=";
    let mut text = what(code).to_owned();
    // Writing to a String can't fail.
    let _ = write!(
        text,
        ", hint: [{hint:024}], from ip: {ip}, more info at {page}{code}"
    );
    text
}

fn what(code: i64) -> &'static str {
    match code {
        -1 => "system busy",
        40001 => "invalid credential",
        40004 => "invalid media type",
        40005 => "invalid type",
        40006 => "invalid media size",
        40007 => "invalid media_id",
        40008 => "invalid message type",
        40009 => "invalid image size",
        40011 => "invalid video size",
        40013 => "invalid corpid",
        40014 => "invalid access_token",
        40032 => "invalid user list length",
        40033 => "invalid request character",
        40039 => "invalid url size",
        40050 => "invalid chatid",
        40056 => "invalid agentid",
        40059 => "invalid flag, should be 0 or 1",
        40063 => "some parameters are empty",
        40068 => "invalid tagid",
        40074 => "news msg no support safe",
        40091 => "invalid secret",
        40123 => "invalid image",
        41001 => "access_token missing",
        41002 => "corpid missing",
        41004 => "corpsecret missing",
        41006 => "media_id missing",
        41010 => "url missing",
        41016 => "title missing",
        41033 => "description missing",
        42001 => "access_token expired",
        42014 => "invalid task_id",
        42052 => "msgid expired",
        43012 => "require agent with callback url",
        44001 => "empty media data",
        44004 => "empty content",
        45001 => "media size out of limit",
        45002 => "content size out of limit",
        45007 => "playtime out of limit",
        45008 => "article size out of limit",
        45009 => "api freq out of limit",
        45032 => "author size out of limit",
        45033 => "api concurrent out of limit",
        45034 => "url should have protocol header",
        48002 => "api forbidden",
        50003 => "agent is disabled",
        60011 => "no privilege to access/modify contact/party/agent",
        60020 => "not allow to access from your ip",
        60111 => "userid not found",
        81013 => "user & party & tag all invalid",
        82001 => "all touser & toparty & totag empty",
        82002 => "too many parties",
        82003 => "too many tags",
        86001 => "invalid chatid",
        86003 => "chatid missing",
        86005 => "invalid chat owner",
        86006 => "invalid chat member count",
        86008 => "chat not created by this agent",
        86207 => "chat owner not in member list",
        86215 => "chatid existed",
        86216 => "invalid chat member",
        93000 => "invalid webhook url",
        93004 => "robot is disabled",
        301_002 => "not allow operate another agent with this accesstoken",
        301_016 => "invalid voice file",
        301_017 => "voice file is not amr",
        301_019 => "media md5 not match",
        _ => "invalid Request Parameter",
    }
}
