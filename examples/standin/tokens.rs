//! The access tokens of a company: handed out, repeated, revoked early, expired, and refused to those who insist.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::company::{HOUR, random_text, within};
use super::locked;
use super::refusal::Refusal;

/// Every random token that any company of this process handed out, in order.
static GRANTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The random tokens of this process from this number on: nothing but its own cache may show one.
pub fn granted(from: usize) -> Vec<String> {
    locked(&GRANTED)[from..].to_vec()
}

struct Token {
    agentid: i64,
    born: SystemTime,
    dies: SystemTime,
    revoked: bool,
}

/// Every token ever handed out, and how the next are.
pub struct Tokens {
    /// Whether gettoken repeats a token that is still good, as WeCom's older page says.
    pub repeat: bool,
    /// The next tokens' text in place of a random one.
    pub text: Option<String>,
    /// What gettoken says a token's life is; `None` leaves the field out.
    pub expires_in: Option<Value>,
    /// What a token's life is.
    pub life: Duration,
    /// The code for an expired token: 42001, or 40014 as often seen.
    pub expired_code: i64,
    /// Failing gettoken calls in an hour that bar an address for the next hour.
    pub failing_calls: usize,
    issued: HashMap<String, Token>,
    failures: HashMap<IpAddr, Vec<SystemTime>>,
    barred: HashMap<IpAddr, SystemTime>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            repeat: false,
            text: None,
            expires_in: Some(json!(7200)),
            life: 2 * HOUR,
            expired_code: 42001,
            failing_calls: 2000,
            issued: HashMap::new(),
            failures: HashMap::new(),
            barred: HashMap::new(),
        }
    }
}

impl Tokens {
    /// The text of every token ever handed out, good or not.
    pub fn all(&self) -> Vec<String> {
        self.issued.keys().cloned().collect()
    }

    /// Invalidates every token before its time.
    pub fn revoke_all(&mut self) {
        for token in self.issued.values_mut() {
            token.revoked = true;
        }
    }

    /// Ends every token's life.
    pub fn expire_all(&mut self) {
        for token in self.issued.values_mut() {
            token.dies = SystemTime::UNIX_EPOCH;
        }
    }

    /// Refuses an address that has failed too often.
    pub fn admit(&self, now: SystemTime, ip: IpAddr) -> Result<(), Refusal> {
        let barred = self.barred.get(&ip).is_some_and(|until| now < *until);
        if barred {
            Err(Refusal::of(45009))
        } else {
            Ok(())
        }
    }

    /// Notes a failed call, and bars its address if there were too many.
    pub fn note_failure(&mut self, now: SystemTime, ip: IpAddr) {
        let failures = self.failures.entry(ip).or_default();
        failures.push(now);
        if within(failures.iter().copied(), now, HOUR) >= self.failing_calls {
            self.barred.insert(ip, now + HOUR);
        }
    }

    /// Hands a token to an app.
    pub fn issue(&mut self, agentid: i64, now: SystemTime) -> Map<String, Value> {
        let (text, age) = self.good(agentid, now).unwrap_or_else(|| {
            let text = self.text.clone().unwrap_or_else(|| {
                let text = random_text(214);
                locked(&GRANTED).push(text.clone());
                text
            });
            let dies = now + self.life;
            let token = Token {
                agentid,
                born: now,
                dies,
                revoked: false,
            };
            self.issued.insert(text.clone(), token);
            (text, Duration::ZERO)
        });
        let mut fields = Map::from_iter([("access_token".into(), json!(text))]);
        if let Some(claim) = &self.expires_in {
            let left = claim
                .as_u64()
                .map(|life| json!(life.saturating_sub(age.as_secs())));
            fields.insert("expires_in".into(), left.unwrap_or_else(|| claim.clone()));
        }
        fields
    }

    /// The youngest token of an app that is still good, with its age, if tokens are repeated.
    fn good(&self, agentid: i64, now: SystemTime) -> Option<(String, Duration)> {
        let tokens = self.issued.iter().filter(|(_, token)| {
            self.repeat && token.agentid == agentid && !token.revoked && now < token.dies
        });
        let (text, token) = tokens.max_by_key(|(_, token)| token.born)?;
        Some((
            text.clone(),
            now.duration_since(token.born).unwrap_or_default(),
        ))
    }

    /// The app whose token this is, if it is good.
    pub fn owner(&self, text: &str, now: SystemTime) -> Result<i64, Refusal> {
        if text.is_empty() {
            return Err(Refusal::of(41001));
        }
        match self.issued.get(text) {
            None | Some(Token { revoked: true, .. }) => Err(Refusal::of(40014)),
            Some(token) if now >= token.dies => Err(Refusal::of(self.expired_code)),
            Some(token) => Ok(token.agentid),
        }
    }
}
