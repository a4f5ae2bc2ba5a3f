//! WeCom's own rules: who may have a token, who gets a message, what is refused and what is dropped.
//!
//! Pure: the time, the caller and the request come in, the answer goes out, and nothing here waits, reads
//! or writes. What WeCom's documents leave open is a switch. The figures are those of its documents.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use hyper::body::Bytes;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::chats::{CHATID, Chat, ChatCalls};
use super::fields::Fields;
use super::kinds::Desk;
use super::media::{Media, Owner};
use super::members::{App, Member, founders, reach};
use super::message::Message;
use super::phones::{Landed, Phones};
use super::refusal::Refusal;
use super::road::Road;
use super::robots::{ROBOT_KEY, Robot};
use super::tokens::Tokens;

/// The 企业ID of a new company.
pub const CORPID: &str = "ww0123456789abcdef";
/// The secret of a new company's one app; no eight of its characters occur anywhere by chance.
pub const SECRET: &str = "vK7qXz2_RfJw9TbYhL4-GmNc8PdEu3sAo6iQxVtZ1kH";
/// The agentid of a new company's one app.
pub const AGENTID: i64 = 1_000_002;

/// An hour, WeCom's favourite span.
pub const HOUR: Duration = Duration::from_hours(1);

/// One request, as the rules see it.
pub struct Call<'a> {
    /// The time on WeCom's clock.
    pub now: SystemTime,
    /// The address the request came from.
    pub ip: IpAddr,
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path from `/cgi-bin/` on, whatever a relay puts before it.
    pub endpoint: &'a str,
    /// The decoded query.
    pub query: &'a BTreeMap<String, String>,
    /// The header `content-type`, empty if there is none.
    pub content_type: &'a str,
    /// Whether the body came in chunks, without its length.
    pub chunked: bool,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// What WeCom answers.
#[derive(Debug)]
pub enum Reply {
    /// A JSON object.
    Json(Value),
    /// A file.
    File {
        /// Its headers: kind and name.
        headers: Vec<(String, String)>,
        /// Its bytes.
        bytes: Bytes,
    },
}

/// A company on WeCom: its apps, its members and their phones.
pub struct Company {
    /// The 企业ID.
    pub corpid: String,
    /// The apps by agentid.
    pub apps: BTreeMap<i64, App>,
    /// The members by userid in lower case.
    pub members: BTreeMap<String, Member>,
    /// Secrets of other companies, refused with 40091.
    pub foreign_secrets: BTreeSet<String>,
    /// The only addresses that may use a token, if set (企业可信IP).
    pub trusted_ips: Option<Vec<IpAddr>>,
    /// Whether an empty list is answered as `""` and not left out.
    pub empty_lists: bool,
    /// The members' phones and the limits in front of them.
    pub phones: Phones,
    /// The tokens, and how the next are handed out.
    pub tokens: Tokens,
    /// The uploads.
    pub media: Media,
    /// The group chats by chatid.
    pub chats: BTreeMap<String, Chat>,
    /// The group robots by key.
    pub robots: BTreeMap<String, Robot>,
    /// The apps that have a callback URL, which cards with buttons need.
    pub callbacks: BTreeSet<i64>,
    /// Whether textcard's limits count characters, as the newest page says, or bytes, as the older ones.
    pub count_characters: bool,
    /// When chats were made and changed.
    pub chat_calls: ChatCalls,
}

impl Default for Company {
    fn default() -> Self {
        let app = App {
            secret: SECRET.into(),
            name: "告警".into(),
            enabled: true,
            users: BTreeSet::new(),
            parties: BTreeSet::from([1]),
            tags: BTreeSet::new(),
        };
        let chat = Chat {
            agentid: AGENTID,
            name: "运维".into(),
            owner: "zhangsan".into(),
            members: ["zhangsan", "lisi", "wangwu"].map(str::to_owned).into(),
        };
        Self {
            corpid: CORPID.into(),
            apps: BTreeMap::from([(AGENTID, app)]),
            members: founders(),
            foreign_secrets: BTreeSet::new(),
            trusted_ips: None,
            empty_lists: false,
            phones: Phones::default(),
            tokens: Tokens::default(),
            media: Media::default(),
            chats: BTreeMap::from([(CHATID.into(), chat)]),
            robots: BTreeMap::from([(ROBOT_KEY.into(), Robot::new("值班"))]),
            callbacks: BTreeSet::new(),
            count_characters: false,
            chat_calls: ChatCalls::default(),
        }
    }
}

type Handler = fn(&mut Company, &Call<'_>) -> Result<Reply, Refusal>;

/// Every path, the one method that it takes, and who answers.
const ENDPOINTS: [(&str, &str, Handler); 18] = [
    ("gettoken", "GET", Company::gettoken),
    ("message/send", "POST", Company::send),
    ("message/recall", "POST", Company::recall),
    ("media/upload", "POST", Company::upload),
    ("media/uploadimg", "POST", Company::upload_picture),
    ("media/get", "GET", Company::download),
    ("appchat/create", "POST", Company::make_chat),
    ("appchat/get", "GET", Company::show_chat),
    ("appchat/update", "POST", Company::change_chat),
    ("appchat/send", "POST", Company::send_to_chat),
    ("webhook/send", "POST", Company::send_to_group),
    ("webhook/upload_media", "POST", Company::upload_to_group),
    ("agent/get", "GET", Company::agent),
    ("user/get", "GET", Company::user),
    ("department/simplelist", "GET", Company::departments),
    ("tag/list", "GET", Company::tags),
    ("tag/get", "GET", Company::tag),
    ("get_api_domain_ip", "GET", Company::domain_ip),
];

impl Company {
    /// Answers a request, or `None` where WeCom has no such path.
    pub fn answer(&mut self, call: &Call<'_>) -> Option<Reply> {
        let name = call.endpoint.strip_prefix("/cgi-bin/")?;
        let row = ENDPOINTS.iter().find(|(path, ..)| *path == name)?;
        let (_, method, handler) = row;
        let answer = if call.method == *method {
            handler(self, call)
        } else {
            Err(Refusal::of(40058))
        };
        Some(answer.unwrap_or_else(|refusal| Reply::Json(refusal.answer(call.now, call.ip))))
    }

    /// The messages on a member's phone, oldest first.
    pub fn phone(&self, userid: &str) -> Vec<Landed> {
        self.phones.of(userid).to_vec()
    }

    fn gettoken(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        self.tokens.admit(call.now, call.ip)?;
        let agentid = self.app_of(call.query);
        if agentid.is_err() {
            self.tokens.note_failure(call.now, call.ip);
        }
        Ok(accepted(self.tokens.issue(agentid?, call.now)))
    }

    fn app_of(&self, query: &BTreeMap<String, String>) -> Result<i64, Refusal> {
        let given = |key: &str| query.get(key).map_or("", String::as_str);
        let (corpid, secret) = (given("corpid"), given("corpsecret"));
        if corpid.is_empty() {
            return Err(Refusal::of(41002));
        }
        if secret.is_empty() {
            return Err(Refusal::of(41004));
        }
        if corpid != self.corpid {
            return Err(Refusal::of(40013));
        }
        if self.foreign_secrets.contains(secret) {
            return Err(Refusal::of(40091));
        }
        let app = self
            .apps
            .iter()
            .find(|(_, app)| app.enabled && app.secret == secret);
        app.map(|(agentid, _)| *agentid)
            .ok_or_else(|| Refusal::of(40001))
    }

    /// The app whose token a call bears, if the token and the caller's address are good.
    pub(super) fn authorised(&self, call: &Call<'_>) -> Result<i64, Refusal> {
        let token = call.query.get("access_token").map_or("", String::as_str);
        let agentid = self.tokens.owner(token, call.now)?;
        let trusted = self.trusted_ips.as_ref();
        if trusted.is_some_and(|trusted| !trusted.contains(&call.ip)) {
            return Err(Refusal::of(60020));
        }
        Ok(agentid)
    }

    /// The app that a request names, which must be the token's.
    pub(super) fn named_app(&self, agentid: Option<i64>, of_token: i64) -> Result<&App, Refusal> {
        let app = agentid.and_then(|agentid| self.apps.get(&agentid));
        let app = app.ok_or_else(|| Refusal::of(40056))?;
        if agentid == Some(of_token) {
            Ok(app)
        } else {
            Err(Refusal::of(301_002))
        }
    }

    /// What the rules within a message look things up in.
    pub(super) fn desk(&self, road: Road) -> Desk<'_> {
        Desk {
            road,
            owner: Owner::Company,
            media: &self.media,
            count_characters: self.count_characters,
            robot_text: 0,
        }
    }

    fn send(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let of_token = self.authorised(call)?;
        let message = Message::read(call.body, &self.desk(Road::App), call.now)?;
        let app = self.named_app(message.agentid, of_token)?;
        if !app.enabled {
            return Err(Refusal::of(50003));
        }
        let calls_back = message.content.callback;
        if calls_back && !self.callbacks.contains(&of_token) {
            return Err(Refusal::of(43012));
        }
        let (reached, mut fields) = reach(&self.members, app, &message);
        if reached.is_empty() {
            return Err(Refusal::of(81013).with(fields));
        }
        if self.empty_lists {
            for list in [
                "invaliduser",
                "invalidparty",
                "invalidtag",
                "unlicenseduser",
            ] {
                fields.entry(list).or_insert_with(|| json!(""));
            }
        }
        let msgid = self.phones.deliver(call.now, of_token, &reached, message);
        fields.extend(msgid.map(|msgid| ("msgid".into(), json!(msgid))));
        if calls_back {
            fields.insert("response_code".into(), json!(random_text(43)));
        }
        Ok(accepted(fields))
    }
}

/// An answer with errcode 0, and with "ok" unless it has another errmsg.
pub fn accepted(mut fields: Fields) -> Reply {
    fields.insert("errcode".into(), json!(0));
    fields.entry("errmsg").or_insert_with(|| json!("ok"));
    Reply::Json(Value::Object(fields))
}

/// Counts the times that lie less than a span before now.
pub fn within(
    times: impl IntoIterator<Item = SystemTime>,
    now: SystemTime,
    span: Duration,
) -> usize {
    let recent = |at: &SystemTime| now.duration_since(*at).is_ok_and(|age| age < span);
    times.into_iter().filter(recent).count()
}

/// Makes a text of random letters, digits, `-` and `_`.
pub fn random_text(length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = vec![0; length];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the kernel gives random bytes");
    bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]))
        .collect()
}

#[cfg(test)]
mod tests;
