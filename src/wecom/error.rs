//! Why a call did not succeed, and what follows from it.

use std::time::Duration;

use super::codes::{self, About, Class};
use crate::error::Failure;
use crate::lang::{say, spoken};

/// How long nothing is sent after a rate limit, at the least.
/// Source: errcode 45009 of developer.work.weixin.qq.com/document/path/90313.
const LIMITED_FOR: Duration = Duration::from_mins(1);

/// What to do when somebody else answers in WeCom's place.
fn portal() -> &'static str {
    spoken().of(
        "可能是上网认证页、代理或中转代替企业微信作了答：先登录网络，或检查 api_base 和 proxy",
        "a portal, proxy or relay may have answered in WeCom's place: log in to the network, or check api_base and proxy",
    )
}

/// A call that did not succeed, and what follows from it, settled once. Holds no URL and no secret.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    /// What happened.
    pub(crate) cause: Cause,
    /// What kind of trouble it is.
    pub(crate) class: Class,
    /// What else it holds up.
    pub(crate) scope: Scope,
    /// How long to wait at the least before the next try, if somebody said so.
    pub(crate) retry_after: Option<Duration>,
    /// When one process asks again for all, of what all of them need.
    pub(crate) asked_again_in: Option<Duration>,
}

/// What happened to a call.
#[derive(Debug, Clone)]
pub(crate) enum Cause {
    /// No whole answer came.
    Network {
        /// What happened, in words.
        what: String,
        /// What to do next.
        hint: Option<String>,
        /// Whether the request may have reached WeCom.
        maybe_sent: bool,
    },
    /// An answer with an HTTP status other than 200.
    Status(u16),
    /// An answer with status 200 that is not WeCom's.
    Unreadable {
        /// What is wrong with it.
        what: String,
    },
    /// What was to be sent could not be read.
    File {
        /// What happened, in words.
        what: String,
    },
    /// WeCom's own no.
    Errcode(Refusal),
}

/// What a refusal concerns, beyond the request that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything that this sender sends: no connection, no token, the IP, the app itself.
    App,
    /// Every request of the same API call.
    Call,
    /// This message or its receivers alone.
    Message,
    /// Unknown: the next message is the probe. If that passes, it was the message's.
    Unclear,
}

/// WeCom's no, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) errcode: i64,
    /// As WeCom wrote it, without secrets; decides nothing, WeCom may change it.
    pub(crate) errmsg: String,
    /// What kind of refusal it is.
    pub(crate) class: Class,
    /// What it concerns, by the table.
    pub(crate) about: About,
    /// Seconds until WeCom is asked again, if it was not asked this time.
    pub(crate) again_in: Option<u64>,
}

impl Refusal {
    /// Classifies WeCom's no to `gettoken`, or to any other call.
    pub(crate) fn new(errcode: i64, errmsg: String, at_gettoken: bool) -> Self {
        let row = codes::row(errcode);
        let class = match &row {
            Some(row) => row.class(at_gettoken),
            None if at_gettoken => Class::Setup,
            None => Class::Unknown,
        };
        let about = match row.map_or(About::Message, |row| row.about()) {
            // What gettoken answers is never about a message.
            About::Call | About::Receiver | About::Message if at_gettoken => About::App,
            about => about,
        };
        Self {
            errcode,
            errmsg,
            class,
            about,
            again_in: None,
        }
    }

    /// Returns the caller's address as WeCom sees it (`from ip: …`), to be shown, not decided by.
    fn address(&self) -> Option<&str> {
        let (_, rest) = self.errmsg.split_once("from ip: ")?;
        let end = rest.find([',', ' ', ';']).unwrap_or(rest.len());
        Some(&rest[..end]).filter(|address| !address.is_empty())
    }

    /// Words it for a person.
    pub(crate) fn failure(&self) -> Failure {
        let row = codes::row(self.errcode);
        let meaning = row.map_or(
            spoken().of("未收录的错误码", "a code that wxpush does not know"),
            |row| row.meaning(spoken()),
        );
        let Self {
            errcode, errmsg, ..
        } = self;
        let what = say!(
            "企业微信拒绝：errcode {errcode}（{meaning}）：{errmsg}",
            "WeCom refused: errcode {errcode} ({meaning}): {errmsg}"
        );
        let advice = row.map_or_else(
            || {
                say!(
                    "到这里查：https://open.work.weixin.qq.com/devtool/query?e={errcode}",
                    "look it up: https://open.work.weixin.qq.com/devtool/query?e={errcode}"
                )
            },
            |row| row.advice(spoken()).to_owned(),
        );
        let hint = match (self.about, self.address()) {
            (About::Ip, Some(address)) => format!("{address} → {advice}"),
            _ => advice,
        };
        let hint = match self.again_in {
            Some(seconds) => say!(
                "{hint} 这是上一次的答复，{seconds} 秒后才会再问企业微信；要马上问，用 `wxpush token refresh`",
                "{hint}; this is WeCom's earlier answer: wxpush asks again in {seconds} s, or at once by `wxpush token refresh`"
            ),
            None => hint,
        };
        Failure::new(self.class.exit(), what).hint(hint)
    }

    /// What the refusal holds up.
    fn scope(&self) -> Scope {
        match (self.class, self.about) {
            (Class::Token | Class::Limited, _) => Scope::App,
            (Class::Busy | Class::Transient | Class::Unknown, _) => Scope::Unclear,
            (_, About::Call) => Scope::Call,
            (_, About::Corpid | About::Corpsecret | About::Agentid | About::Ip | About::App) => {
                Scope::App
            }
            (_, About::Receiver | About::Message | About::Nothing) => Scope::Message,
        }
    }
}

impl Error {
    /// No whole answer came; `maybe_sent` says whether the request may have reached WeCom.
    pub(crate) fn network(what: String, hint: Option<String>, maybe_sent: bool) -> Self {
        let scope = if maybe_sent {
            Scope::Unclear
        } else {
            Scope::App
        };
        let cause = Cause::Network {
            what,
            hint,
            maybe_sent,
        };
        Self::new(cause, Class::Transient, scope)
    }

    /// An answer with an HTTP status other than 200.
    pub(crate) fn status(status: u16, retry_after: Option<Duration>) -> Self {
        let class = match status {
            408 | 429 => Class::Transient,
            400..500 => Class::Setup,
            _ => Class::Transient,
        };
        let scope = match status {
            // A login page or a proxy stands before everything.
            300..=399 | 401 | 407 => Scope::App,
            // A server that finds one body too large still takes smaller ones.
            413 => Scope::Message,
            _ => Scope::Unclear,
        };
        Self {
            retry_after,
            ..Self::new(Cause::Status(status), class, scope)
        }
    }

    /// An answer with status 200 that is not WeCom's.
    pub(crate) fn unreadable(what: impl Into<String>) -> Self {
        let what = what.into();
        Self::new(Cause::Unreadable { what }, Class::Transient, Scope::Unclear)
    }

    /// What was to be sent could not be read.
    pub(crate) fn file(what: String) -> Self {
        Self::new(Cause::File { what }, Class::Transient, Scope::Message)
    }

    /// WeCom's own no.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        let (class, scope) = (refusal.class, refusal.scope());
        Self {
            retry_after: (class == Class::Limited).then_some(LIMITED_FOR),
            ..Self::new(Cause::Errcode(refusal), class, scope)
        }
    }

    fn new(cause: Cause, class: Class, scope: Scope) -> Self {
        Self {
            cause,
            class,
            scope,
            retry_after: None,
            asked_again_in: None,
        }
    }

    /// The same, met by a call that everything depends on: without a token nothing goes.
    pub(crate) fn of_gettoken(self) -> Self {
        Self {
            scope: Scope::App,
            ..self
        }
    }

    /// Whether WeCom may have done what was asked although its answer is lost.
    pub(crate) fn outcome_unknown(&self) -> bool {
        match &self.cause {
            Cause::Network { maybe_sent, .. } => *maybe_sent,
            Cause::Status(status) => *status >= 500 || *status == 408,
            Cause::Unreadable { .. } => true,
            Cause::Errcode(_) | Cause::File { .. } => false,
        }
    }

    /// Whether WeCom cannot have counted the message: it never left, or was refused for good.
    pub(crate) fn was_not_counted(&self) -> bool {
        let refused = matches!(self.cause, Cause::Errcode(_))
            && !matches!(self.class, Class::Busy | Class::Transient | Class::Unknown);
        refused || self.never_left()
    }

    /// Whether the request never left.
    pub(crate) fn never_left(&self) -> bool {
        matches!(
            self.cause,
            Cause::File { .. }
                | Cause::Network {
                    maybe_sent: false,
                    ..
                }
        )
    }

    /// WeCom's no, if it is one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &self.cause {
            Cause::Errcode(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Words the error for a person.
    pub(crate) fn failure(&self) -> Failure {
        let exit = self.class.exit();
        match &self.cause {
            Cause::Network { what, hint, .. } => Failure {
                exit,
                what: what.clone(),
                hint: hint.clone(),
            },
            Cause::Status(status) => {
                let (what, hint) = in_words(*status);
                let what = say!(
                    "收到的不是企业微信的答复，而是 HTTP 状态 {status}：{what}",
                    "HTTP status {status} instead of WeCom's answer: {what}"
                );
                Failure {
                    exit,
                    what,
                    hint: hint.map(str::to_owned),
                }
            }
            Cause::Unreadable { what } => {
                let what = say!(
                    "收到的不是企业微信的答复：{what}",
                    "the answer is not WeCom's: {what}"
                );
                Failure::new(exit, what).hint(portal())
            }
            Cause::File { what } => Failure::new(exit, what),
            Cause::Errcode(refusal) => refusal.failure(),
        }
    }
}

/// What a status means on the way to WeCom, which answers with 200 alone, and what to do.
fn in_words(status: u16) -> (&'static str, Option<&'static str>) {
    let lang = spoken();
    match status {
        300..400 => (
            lang.of(
                "是重定向，没有跟过去：跟过去会把 Secret 带给别人",
                "a redirect, which is not followed since it would carry the secret along",
            ),
            Some(portal()),
        ),
        407 => (
            lang.of(
                "代理要用户名和密码",
                "the proxy wants a user and a password",
            ),
            Some(lang.of(
                "把它们写进代理的 URL：http://user:password@host:port",
                "write them into the proxy's URL: http://user:password@host:port",
            )),
        ),
        429 => (lang.of("请求太多", "too many requests"), None),
        408 | 500.. => (
            lang.of(
                "企业微信，或它前面的中转或代理，停了或过载了",
                "WeCom, or a relay or proxy before it, is down or overloaded",
            ),
            None,
        ),
        _ => (
            lang.of(
                "途中有谁不放行这个请求",
                "somebody on the way does not let the request pass",
            ),
            Some(lang.of(
                "api_base 里的中转要原样转发 /cgi-bin/；代理要放行这个主机",
                "a relay in api_base must forward /cgi-bin/ as it is; a proxy must allow the host",
            )),
        ),
    }
}

#[cfg(test)]
mod tests;
