//! What a well-formed message is, what the member sees of it, and how WeCom words a refusal.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

/// Bytes of a text's or a markdown's content that reach the phone.
const CONTENT_LIMIT: usize = 2048;

const MSGTYPES: [&str; 11] = [
    "text",
    "image",
    "voice",
    "video",
    "file",
    "textcard",
    "news",
    "mpnews",
    "markdown",
    "miniprogram_notice",
    "template_card",
];

type Fields = Map<String, Value>;

/// A request that WeCom turns down.
#[derive(Debug)]
pub struct Refusal {
    code: i64,
    wrong_json: bool,
    fields: Fields,
}

impl Refusal {
    /// A refusal by this errcode.
    pub fn of(code: i64) -> Self {
        Self {
            code,
            wrong_json: false,
            fields: Map::new(),
        }
    }

    /// A refusal that names receivers, too.
    pub fn with(self, fields: Fields) -> Self {
        Self { fields, ..self }
    }

    fn wrong_json() -> Self {
        Self {
            wrong_json: true,
            ..Self::of(40058)
        }
    }

    /// The answer, with the hint and the caller's address that WeCom puts in each.
    pub fn answer(mut self, now: SystemTime, ip: IpAddr) -> Value {
        let mut text = errmsg(self.code, now, ip);
        if self.wrong_json {
            text.push_str(", Warning: wrong json format. ");
        }
        self.fields.insert("errcode".into(), json!(self.code));
        self.fields.insert("errmsg".into(), json!(text));
        Value::Object(self.fields)
    }
}

/// Words an errcode as WeCom does.
pub fn errmsg(code: i64, now: SystemTime, ip: IpAddr) -> String {
    let what = match code {
        -1 => "system busy",
        40001 => "invalid credential",
        40008 => "invalid message type",
        40013 => "invalid corpid",
        40014 => "invalid access_token",
        40032 => "invalid user list length",
        40033 => "invalid request character",
        40056 => "invalid agentid",
        40059 => "invalid flag, should be 0 or 1",
        40091 => "invalid secret",
        41001 => "access_token missing",
        41002 => "corpid missing",
        41004 => "corpsecret missing",
        41006 => "media_id missing",
        42001 => "access_token expired",
        44004 => "empty content",
        45009 => "api freq out of limit",
        45033 => "api concurrent out of limit",
        50003 => "agent is disabled",
        60020 => "not allow to access from your ip",
        81013 => "user & party & tag all invalid",
        82001 => "all touser & toparty & totag empty",
        82002 => "too many parties",
        82003 => "too many tags",
        301_002 => "not allow operate another agent with this accesstoken",
        _ => "invalid Request Parameter",
    };
    let hint = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    let page = "https://open.work.weixin.qq.com/devtool/query?e=";
    let mut text = what.to_owned();
    // Writing to a String can't fail.
    let _ = write!(
        text,
        ", hint: [{hint:024}], from ip: {ip}, more info at {page}{code}"
    );
    text
}

/// A message whose form WeCom accepts.
pub struct Message {
    /// Its kind.
    pub msgtype: String,
    /// The app it names, if that is an integer.
    pub agentid: Option<i64>,
    /// The members it names, as written.
    pub users: Vec<String>,
    /// The departments it names.
    pub parties: Vec<String>,
    /// The tags it names.
    pub tags: Vec<String>,
    /// What a member reads.
    pub shown: String,
    /// How far back to look for duplicates, if it asks for that.
    pub check: Option<Duration>,
    /// The request's body, parsed.
    pub raw: Value,
    /// The request's body, byte for byte.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads a body of `message/send`.
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let raw = serde_json::from_slice(body).map_err(|_| Refusal::wrong_json())?;
        let Value::Object(fields) = &raw else {
            return Err(Refusal::wrong_json());
        };
        if has_control_escape(body) {
            return Err(Refusal::of(40033));
        }
        let msgtype = string(fields, "msgtype")?;
        if !MSGTYPES.contains(&msgtype) {
            return Err(Refusal::of(40008));
        }
        let users = receivers(fields, "touser", 1000, 40032)?;
        let parties = receivers(fields, "toparty", 100, 82002)?;
        let tags = receivers(fields, "totag", 100, 82003)?;
        if users.is_empty() && parties.is_empty() && tags.is_empty() {
            return Err(Refusal::of(82001));
        }
        flag(fields, "safe", if msgtype == "mpnews" { 2 } else { 1 })?;
        flag(fields, "enable_id_trans", 1)?;
        let checked = flag(fields, "enable_duplicate_check", 1)? == 1;
        let interval = integer(fields, "duplicate_check_interval", 1800)?.clamp(0, 14_400);
        Ok(Self {
            msgtype: msgtype.to_owned(),
            agentid: fields.get("agentid").and_then(Value::as_i64),
            users,
            parties,
            tags,
            shown: shown(fields, msgtype)?,
            check: checked.then(|| Duration::from_secs(interval.unsigned_abs())),
            raw,
            body: body.to_vec(),
        })
    }

    /// The message without what asks for the duplicate check.
    pub fn without_check(&self) -> Value {
        let mut content = self.raw.clone();
        if let Some(fields) = content.as_object_mut() {
            fields.remove("enable_duplicate_check");
            fields.remove("duplicate_check_interval");
        }
        content
    }
}

/// What a member sees, once the content is known to be there; WeCom cuts between bytes, not characters.
fn shown(fields: &Fields, msgtype: &str) -> Result<String, Refusal> {
    let payload = match fields.get(msgtype) {
        None | Some(Value::Null) => &Map::new(),
        Some(Value::Object(payload)) => payload,
        Some(_) => return Err(Refusal::wrong_json()),
    };
    match msgtype {
        "text" | "markdown" => {
            let content = string(payload, "content")?;
            if content.is_empty() {
                return Err(Refusal::of(44004));
            }
            let end = content.len().min(CONTENT_LIMIT);
            Ok(String::from_utf8_lossy(&content.as_bytes()[..end]).into_owned())
        }
        "image" | "voice" | "video" | "file" => match string(payload, "media_id")? {
            "" => Err(Refusal::of(41006)),
            media_id => Ok(media_id.to_owned()),
        },
        _ if payload.is_empty() => Err(Refusal::of(40063)),
        _ => Ok(Value::Object(payload.clone()).to_string()),
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

fn string<'a>(fields: &'a Fields, key: &str) -> Result<&'a str, Refusal> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Refusal::wrong_json()),
    }
}

fn integer(fields: &Fields, key: &str, absent: i64) -> Result<i64, Refusal> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(absent),
        Some(value) => value.as_i64().ok_or_else(Refusal::wrong_json),
    }
}

fn flag(fields: &Fields, key: &str, most: i64) -> Result<i64, Refusal> {
    let value = integer(fields, key, 0)?;
    if (0..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Refusal::of(40059))
    }
}

/// Whether a JSON text spells a control character as `\u00XX`.
fn has_control_escape(body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let digits = rest.get(at + 2..at + 6).filter(|_| rest[at + 1] == b'u');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let character = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if character
            .and_then(char::from_u32)
            .is_some_and(char::is_control)
        {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}
