//! WeCom's own rules: who may have a token, who gets a message, what is refused and what is dropped.
//!
//! Pure: the time, the caller and the request come in, the answer goes out, and nothing here waits, reads
//! or writes. What WeCom's documents leave open is a switch. The figures are those of its documents.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value, json};

use super::members::{App, Member, founders, reach};
use super::message::{Message, Refusal};
use super::phones::{Landed, Phones};
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
    /// The body, byte for byte.
    pub body: &'a [u8],
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
        Self {
            corpid: CORPID.into(),
            apps: BTreeMap::from([(AGENTID, app)]),
            members: founders(),
            foreign_secrets: BTreeSet::new(),
            trusted_ips: None,
            empty_lists: false,
            phones: Phones::default(),
            tokens: Tokens::default(),
        }
    }
}

impl Company {
    /// Answers a request, or `None` where WeCom has no such path.
    pub fn answer(&mut self, call: &Call<'_>) -> Option<Value> {
        let answer = match (call.endpoint, call.method) {
            ("/cgi-bin/gettoken", "GET") => self.gettoken(call),
            ("/cgi-bin/message/send", "POST") => self.send(call),
            ("/cgi-bin/agent/get", "GET") => self.agent(call),
            ("/cgi-bin/gettoken" | "/cgi-bin/message/send" | "/cgi-bin/agent/get", _) => {
                Err(Refusal::of(40058))
            }
            _ => return None,
        };
        let mut fields = match answer {
            Ok(fields) => fields,
            Err(refusal) => return Some(refusal.answer(call.now, call.ip)),
        };
        fields.insert("errcode".into(), json!(0));
        fields.insert("errmsg".into(), json!("ok"));
        Some(Value::Object(fields))
    }

    /// The messages on a member's phone, oldest first.
    pub fn phone(&self, userid: &str) -> Vec<Landed> {
        self.phones.of(userid).to_vec()
    }

    fn gettoken(&mut self, call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
        self.tokens.admit(call.now, call.ip)?;
        let agentid = self.app_of(call.query);
        if agentid.is_err() {
            self.tokens.note_failure(call.now, call.ip);
        }
        Ok(self.tokens.issue(agentid?, call.now))
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
    fn authorised(&self, call: &Call<'_>) -> Result<i64, Refusal> {
        let token = call.query.get("access_token").map_or("", String::as_str);
        let agentid = self.tokens.owner(token, call.now)?;
        let trusted = self.trusted_ips.as_ref();
        if trusted.is_some_and(|trusted| !trusted.contains(&call.ip)) {
            return Err(Refusal::of(60020));
        }
        Ok(agentid)
    }

    /// The app that a request names, which must be the token's.
    fn named_app(&self, agentid: Option<i64>, of_token: i64) -> Result<&App, Refusal> {
        let app = agentid.and_then(|agentid| self.apps.get(&agentid));
        let app = app.ok_or_else(|| Refusal::of(40056))?;
        if agentid == Some(of_token) {
            Ok(app)
        } else {
            Err(Refusal::of(301_002))
        }
    }

    fn agent(&self, call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
        let of_token = self.authorised(call)?;
        let agentid = call.query.get("agentid").and_then(|id| id.parse().ok());
        let app = self.named_app(agentid, of_token)?;
        let users: Vec<Value> = app
            .users
            .iter()
            .map(|userid| json!({"userid": userid}))
            .collect();
        Ok(Map::from_iter([
            ("agentid".into(), json!(of_token)),
            ("name".into(), json!(app.name)),
            ("allow_userinfos".into(), json!({"user": users})),
            ("allow_partys".into(), json!({"partyid": app.parties})),
            ("allow_tags".into(), json!({"tagid": app.tags})),
            ("close".into(), json!(i32::from(!app.enabled))),
        ]))
    }

    fn send(&mut self, call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
        let of_token = self.authorised(call)?;
        let message = Message::read(call.body)?;
        let app = self.named_app(message.agentid, of_token)?;
        if !app.enabled {
            return Err(Refusal::of(50003));
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
        Ok(fields)
    }
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
mod tests {
    use super::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn call(company: &mut Company, path: &str, now: SystemTime, body: &Value) -> Value {
        let (endpoint, query) = path.split_once('?').unwrap();
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
        let query = pairs
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        let method = if body.is_null() { "GET" } else { "POST" };
        let (ip, body) = (IpAddr::from([127, 0, 0, 1]), body.to_string().into_bytes());
        let call = Call {
            now,
            ip,
            method,
            endpoint,
            query: &query,
            body: &body,
        };
        company.answer(&call).unwrap()
    }

    fn token(company: &mut Company) -> String {
        let path = format!("/cgi-bin/gettoken?corpid={CORPID}&corpsecret={SECRET}");
        let answer = call(company, &path, START, &Value::Null);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn send(company: &mut Company, now: SystemTime, changes: &Value) -> Value {
        let token = token(company);
        let mut body = json!({"touser": "zhangsan", "msgtype": "text", "agentid": AGENTID, "text": {"content": "x"}});
        body.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        call(
            company,
            &format!("/cgi-bin/message/send?access_token={token}"),
            now,
            &body,
        )
    }

    #[test]
    fn refusals_have_wecoms_codes() {
        let cases = [
            (json!({"agentid": "1000002"}), 40056),
            (json!({"agentid": 7}), 40056),
            (json!({"msgtype": "smoke"}), 40008),
            (json!({"touser": ""}), 82001),
            (json!({"touser": "a|".repeat(1001)}), 40032),
            (json!({"toparty": "1|".repeat(101)}), 82002),
            (json!({"totag": "1|".repeat(101)}), 82003),
            (json!({"touser": ["zhangsan"]}), 40058),
            (json!({"text": {"content": ""}}), 44004),
            (json!({"text": {"content": "\u{1b}"}}), 40033),
            (json!({"text": {"content": "\\u001b"}}), 0),
            (json!({"touser": "nobody", "toparty": "9"}), 81013),
        ];
        for (changes, code) in cases {
            let answer = send(&mut Company::default(), START, &changes);
            assert_eq!(answer["errcode"], code, "{changes}: {answer}");
        }
    }

    #[test]
    fn a_partial_delivery_names_whom_it_missed() {
        let mut company = Company::default();
        company.members.get_mut("lisi").unwrap().unlicensed = true;
        let to = json!({"touser": "ZhangSan|LiSi|Nobody", "toparty": "9|2", "totag": "x"});
        let answer = send(&mut company, START, &to);
        assert_eq!(answer["errcode"], 0);
        assert_eq!(answer["invaliduser"], "nobody");
        assert_eq!(answer["invalidparty"], "9");
        assert_eq!(answer["invalidtag"], "x");
        assert_eq!(answer["unlicenseduser"], "lisi");
        let reached: Vec<_> = company
            .phones
            .all()
            .map(|(userid, _)| userid.to_owned())
            .collect();
        assert_eq!(reached, ["wangwu", "zhangsan"]);
    }

    #[test]
    fn long_content_is_cut_between_bytes_in_silence() {
        let mut company = Company::default();
        let answer = send(
            &mut company,
            START,
            &json!({"text": {"content": "好".repeat(700)}}),
        );
        assert_eq!(answer["errcode"], 0);
        assert_eq!(
            company.phone("zhangsan")[0].text,
            "好".repeat(682) + "\u{fffd}"
        );
    }

    #[test]
    fn the_thirty_first_message_in_a_minute_is_dropped_in_silence() {
        let mut company = Company::default();
        for _ in 0..31 {
            assert_eq!(send(&mut company, START, &json!({}))["errcode"], 0);
        }
        assert_eq!(
            (company.phone("zhangsan").len(), company.phones.dropped),
            (30, 1)
        );
        send(&mut company, START + Duration::from_mins(1), &json!({}));
        assert_eq!(company.phone("zhangsan").len(), 31);
    }

    #[test]
    fn a_flagged_repeat_is_swallowed_and_an_unflagged_first_is_a_switch() {
        for (match_unflagged, first, landed) in [(false, 1, 1), (false, 0, 2), (true, 0, 1)] {
            let mut company = Company::default();
            company.phones.match_unflagged = match_unflagged;
            send(
                &mut company,
                START,
                &json!({"enable_duplicate_check": first}),
            );
            send(&mut company, START, &json!({"enable_duplicate_check": 1}));
            assert_eq!(company.phone("zhangsan").len(), landed);
            send(
                &mut company,
                START + HOUR,
                &json!({"enable_duplicate_check": 1}),
            );
            assert_eq!(company.phone("zhangsan").len(), landed + 1);
        }
    }

    #[test]
    fn tokens_die_early_and_in_time_and_those_who_insist_are_barred() {
        let mut company = Company::default();
        company.tokens.failing_calls = 2;
        let old = token(&mut company);
        assert_ne!(old, token(&mut company));
        let agent = format!("/cgi-bin/agent/get?agentid={AGENTID}&access_token={old}");
        assert_eq!(call(&mut company, &agent, START, &Value::Null)["close"], 0);
        assert_eq!(
            call(&mut company, &agent, START + 2 * HOUR, &Value::Null)["errcode"],
            42001
        );
        company.tokens.revoke_all();
        assert_eq!(
            call(&mut company, &agent, START, &Value::Null)["errcode"],
            40014
        );
        let wrong = format!("/cgi-bin/gettoken?corpid={CORPID}&corpsecret=wrong");
        for (minute, code) in [(0, 40001), (1, 40001), (2, 45009), (60, 45009), (61, 40001)] {
            let now = START + Duration::from_mins(minute);
            assert_eq!(
                call(&mut company, &wrong, now, &Value::Null)["errcode"],
                code
            );
        }
    }
}
