//! Why a call did not succeed, and what follows from it.

use std::time::Duration;

use super::codes::{self, About, Class};
use crate::error::Failure;
use crate::lang::{say, spoken};

/// What to do when somebody else answers in WeCom's place.
fn portal() -> &'static str {
    spoken().of(
        "可能是上网认证页、代理或中转代替企业微信作了答：先登录网络，或检查 api_base 和 proxy",
        "a portal, proxy or relay may have answered in WeCom's place: log in to the network, or check api_base and proxy",
    )
}

/// A call that did not succeed. Holds no URL and no secret.
#[derive(Debug, Clone)]
pub(crate) enum Error {
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
    Status {
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
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

/// WeCom's no, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) errcode: i64,
    /// As WeCom wrote it, without secrets; decides nothing, WeCom may change it.
    pub(crate) errmsg: String,
    /// Whether it answered `gettoken`.
    pub(crate) at_gettoken: bool,
    /// Seconds until WeCom is asked again, if it was not asked this time.
    pub(crate) again_in: Option<u64>,
}

impl Refusal {
    /// What follows from it; an unknown code is a refusal, but never of a message at `gettoken`.
    pub(crate) fn class(&self) -> Class {
        match codes::row(self.errcode) {
            Some(row) => row.class(self.at_gettoken),
            None if self.at_gettoken => Class::Setup,
            None => Class::Refused,
        }
    }

    /// What it concerns; an unknown code is about the message, but at `gettoken` about the app.
    pub(crate) fn about(&self) -> About {
        let about = codes::row(self.errcode).map_or(About::Message, |row| row.about());
        match about {
            About::Call | About::Receiver | About::Message if self.at_gettoken => About::App,
            about => about,
        }
    }

    /// The caller's address as WeCom sees it (`from ip: …`), to be shown, not decided by.
    fn address(&self) -> Option<&str> {
        let (_, rest) = self.errmsg.split_once("from ip: ")?;
        let end = rest.find([',', ' ', ';']).unwrap_or(rest.len());
        Some(&rest[..end]).filter(|address| !address.is_empty())
    }

    /// It for a person.
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
        let hint = match (self.about(), self.address()) {
            (About::Ip, Some(address)) => format!("{address} → {advice}"),
            _ => advice,
        };
        let hint = match self.again_in {
            Some(seconds) => say!(
                "{hint} 这是上一次的答复，{seconds} 秒后才会再问企业微信；要马上问，用 `wxpush token refresh`",
                "{hint}; this is the answer of before, WeCom is asked again in {seconds} s, or at once by `wxpush token refresh`"
            ),
            None => hint,
        };
        Failure::new(self.class().exit(), what).hint(hint)
    }
}

impl Error {
    /// What follows from it.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Network { .. } | Self::Unreadable { .. } | Self::File { .. } => Class::Transient,
            Self::Status { status, .. } => match status {
                408 | 429 => Class::Transient,
                400..500 => Class::Setup,
                _ => Class::Transient,
            },
            Self::Errcode(refusal) => refusal.class(),
        }
    }

    /// Whether WeCom may have done what was asked although its answer is lost.
    pub(crate) fn outcome_unknown(&self) -> bool {
        match self {
            Self::Network { maybe_sent, .. } => *maybe_sent,
            Self::Status { status, .. } => *status >= 500 || *status == 408,
            Self::Unreadable { .. } => true,
            Self::Errcode(_) | Self::File { .. } => false,
        }
    }

    /// Whether WeCom cannot have counted the message: it never left, or was refused for good.
    pub(crate) fn was_not_counted(&self) -> bool {
        let refused = matches!(self, Self::Errcode(_))
            && !matches!(self.class(), Class::Busy | Class::Transient);
        refused || self.never_left()
    }

    /// Whether the request never left.
    pub(crate) fn never_left(&self) -> bool {
        matches!(
            self,
            Self::File { .. }
                | Self::Network {
                    maybe_sent: false,
                    ..
                }
        )
    }

    /// How long to wait at the least before the next try.
    pub(crate) fn not_before(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Errcode(refusal) if refusal.class() == Class::Limited => {
                Some(Duration::from_mins(1))
            }
            _ => None,
        }
    }

    /// WeCom's no, if it is one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Errcode(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The error for a person.
    pub(crate) fn failure(&self) -> Failure {
        let exit = self.class().exit();
        match self {
            Self::Network { what, hint, .. } => Failure {
                exit,
                what: what.clone(),
                hint: hint.clone(),
            },
            Self::Status { status, .. } => {
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
            Self::Unreadable { what } => {
                let what = say!(
                    "收到的不是企业微信的答复：{what}",
                    "the answer is not WeCom's: {what}"
                );
                Failure::new(exit, what).hint(portal())
            }
            Self::File { what } => Failure::new(exit, what),
            Self::Errcode(refusal) => refusal.failure(),
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
mod tests {
    use super::*;
    use crate::error::Exit;

    fn status(status: u16) -> Error {
        Error::Status {
            status,
            retry_after: None,
        }
    }

    #[test]
    fn the_status_decides_before_the_body() {
        for (code, class, unknown) in [
            (302, Class::Transient, false),
            (400, Class::Setup, false),
            (403, Class::Setup, false),
            (404, Class::Setup, false),
            (408, Class::Transient, true),
            (429, Class::Transient, false),
            (500, Class::Transient, true),
            (502, Class::Transient, true),
        ] {
            let error = status(code);
            assert_eq!(
                (error.class(), error.outcome_unknown()),
                (class, unknown),
                "{code}"
            );
        }
    }

    #[test]
    fn the_address_that_wecom_sees_is_shown() {
        let errmsg =
            "not allow to access from your ip, hint: [1], from ip: 192.0.2.7, more info at x";
        let refusal = Refusal {
            errcode: 60020,
            errmsg: errmsg.to_owned(),
            at_gettoken: false,
            again_in: None,
        };
        let failure = refusal.failure();
        assert!(failure.hint.unwrap().starts_with("192.0.2.7 "));
        assert_eq!(failure.exit, Exit::Setup);
    }

    #[test]
    fn what_gettoken_says_is_never_about_a_message() {
        for (errcode, class, about) in [
            (99999, Class::Setup, About::App),
            (41013, Class::Setup, About::App),
            (40058, Class::Setup, About::App),
            (40003, Class::Setup, About::App),
            (40014, Class::Transient, About::App),
            (40001, Class::Setup, About::Corpsecret),
            (60020, Class::Setup, About::Ip),
            (-1, Class::Busy, About::App),
        ] {
            let refusal = Refusal {
                errcode,
                errmsg: String::new(),
                at_gettoken: true,
                again_in: None,
            };
            assert_eq!(
                (refusal.class(), refusal.about()),
                (class, about),
                "{errcode}"
            );
        }
    }

    #[test]
    fn an_unknown_code_is_refused_and_kept_whole() {
        let refusal = Refusal {
            errcode: 99999,
            errmsg: "what, is this".to_owned(),
            at_gettoken: false,
            again_in: None,
        };
        let failure = refusal.failure();
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.what.contains("99999") && failure.what.contains("what, is this"));
    }
}
