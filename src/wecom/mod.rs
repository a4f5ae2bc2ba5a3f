//! WeCom's API over HTTP: one function through which every request goes.
//!
//! Only this room names reqwest's client, only it sees a URL that holds a secret, and no error
//! leaves it with one. No redirect is followed: it would carry the secret along.

mod answer;
pub(crate) mod codes;
mod error;
mod tls;

use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};

use crate::config::{ApiBase, Network};
use crate::error::{Exit, Failure};
use crate::secret::Secret;
use answer::Answer;
pub(crate) use answer::{Grant, Sent, Unreached};
pub(crate) use codes::Class;
pub(crate) use error::{Error, Refusal};

/// Longest answer that is read, in bytes; WeCom's have a few hundred.
const ANSWER_MAX: usize = 64 << 10;

/// Longest token, in bytes. Source: developer.work.weixin.qq.com/document/path/91039.
pub(crate) const TOKEN_MAX: usize = 512;

/// Longest time for one try, connection included.
const TRY_MAX: Duration = Duration::from_secs(10);

/// Longest time for one connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Longest wait that a server may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// A connection to WeCom, opened at the first call and kept for the next.
pub(crate) struct Client {
    http: reqwest::Client,
    // Taken only when the client is dropped.
    runtime: Option<tokio::runtime::Runtime>,
    base: ApiBase,
}

/// One request: what it is called in logs, where it goes, and what must not be seen in it.
struct Call<'a> {
    name: &'static str,
    query: &'a [(&'a str, &'a Secret)],
    body: Option<Vec<u8>>,
}

/// An answer's status and the bytes that came with it.
struct Reply {
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

impl Client {
    /// Makes a client; connects to nobody yet.
    ///
    /// # Errors
    /// `Exit::Config` where the CA file or the proxy cannot be used.
    pub(crate) fn new(network: &Network) -> anyhow::Result<Self> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::settings(network)?)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .local_address(network.local_address)
            .connect_timeout(CONNECT_MAX)
            .tcp_keepalive(None)
            .tcp_keepalive_interval(None)
            .tcp_keepalive_retries(None)
            .user_agent(concat!("wxpush/", env!("CARGO_PKG_VERSION")));
        if network.api_base.is_plain_loopback() {
            builder = builder.no_proxy();
        } else if let Some(proxy) = &network.proxy {
            let proxy = reqwest::Proxy::all(proxy.expose()).map_err(|_| {
                Failure::new(Exit::Config, "the proxy cannot be used as it is written")
            })?;
            builder = builder.proxy(proxy);
        }
        let http = builder.build().map_err(|error| {
            Failure::new(
                Exit::Config,
                format!(
                    "the network settings cannot be used: {}",
                    root(&error.without_url())
                ),
            )
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(Exit::Io, format!("cannot open a connection: {error}"))
            })?;
        Ok(Self {
            http,
            runtime: Some(runtime),
            base: network.api_base.clone(),
        })
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// Whatever stands between the question and a usable token.
    pub(crate) fn gettoken(
        &self,
        corpid: &str,
        corpsecret: &Secret,
        deadline: Instant,
    ) -> Result<Grant, Error> {
        let corpid = Secret::new(corpid);
        let query = [("corpid", &corpid), ("corpsecret", corpsecret)];
        let answer = self.call(
            &Call {
                name: "gettoken",
                query: &query,
                body: None,
            },
            deadline,
        )?;
        let token = answer.access_token.0;
        if !is_token(&token) {
            return Err(Error::Unreadable {
                what: "it grants no access_token that could be one".to_owned(),
            });
        }
        let expires_in = answer::lifetime(&answer.expires_in);
        Ok(Grant {
            access_token: Secret::new(token),
            expires_in,
        })
    }

    /// Sends one message, `body` being the request in WeCom's JSON.
    ///
    /// # Errors
    /// Whatever stands between the message and WeCom's yes.
    pub(crate) fn message_send(
        &self,
        token: &Secret,
        body: Vec<u8>,
        deadline: Instant,
    ) -> Result<Sent, Error> {
        let query = [("access_token", token)];
        let answer = self.call(
            &Call {
                name: "message/send",
                query: &query,
                body: Some(body),
            },
            deadline,
        )?;
        Ok(Sent {
            msgid: token.hide_in(&answer.msgid.0),
            unreached: Unreached {
                invaliduser: answer.invaliduser.without(token),
                invalidparty: answer.invalidparty.without(token),
                invalidtag: answer.invalidtag.without(token),
                unlicenseduser: answer.unlicenseduser.without(token),
            },
        })
    }

    /// The one way to WeCom: a request goes out, its answer becomes a result.
    fn call(&self, call: &Call<'_>, deadline: Instant) -> Result<Answer, Error> {
        let begun = Instant::now();
        let result = self
            .exchange(call, deadline.min(begun + TRY_MAX))
            .and_then(|reply| {
                if reply.status == 200 {
                    judge(call, &reply.body)
                } else {
                    Err(Error::Status {
                        status: reply.status,
                        retry_after: reply.retry_after,
                    })
                }
            });
        let (status, errcode, trouble) = match &result {
            Ok(answer) => (Some(200), Some(answer.errcode), None),
            Err(Error::Errcode(refusal)) => (Some(200), Some(refusal.errcode), None),
            Err(Error::Status { status, .. }) => (Some(*status), None, None),
            Err(Error::Network { what, .. } | Error::Unreadable { what }) => {
                (None, None, Some(what.as_str()))
            }
        };
        tracing::info!(
            call = call.name,
            status,
            errcode,
            trouble,
            ms = begun.elapsed().as_millis(),
            "answer"
        );
        result
    }

    fn exchange(&self, call: &Call<'_>, deadline: Instant) -> Result<Reply, Error> {
        let runtime = self.runtime.as_ref().expect("only drop takes it");
        runtime.block_on(async {
            match tokio::time::timeout_at(deadline.into(), self.fetch(call)).await {
                Ok(reply) => reply.map_err(|error| self.network_error(error)),
                Err(_) => Err(Error::Network {
                    what: format!("no answer from {} in time", self.host()),
                    maybe_sent: true,
                }),
            }
        })
    }

    async fn fetch(&self, call: &Call<'_>) -> Result<Reply, reqwest::Error> {
        let url = self.url(call);
        let request = match &call.body {
            None => self.http.get(url),
            Some(body) => self
                .http
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone()),
        };
        let mut response = request.send().await?;
        let header = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|text| retry_after(text, chrono::Utc::now()));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        // One byte too many is enough to know.
        while body.len() <= ANSWER_MAX
            && let Some(chunk) = response.chunk().await?
        {
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status,
            retry_after,
            body,
        })
    }

    /// The whole URL, secrets and all.
    fn url(&self, call: &Call<'_>) -> Url {
        let text = format!("{}/cgi-bin/{}", self.base.expose(), call.name);
        let mut url = Url::parse(&text).expect("the base is a URL, and so it is with a path");
        url.query_pairs_mut().extend_pairs(
            call.query
                .iter()
                .map(|(name, secret)| (name, secret.expose())),
        );
        url
    }

    fn host(&self) -> &str {
        let shown = self.base.shown();
        shown.split_once("://").map_or(shown, |(_, host)| host)
    }

    /// The one place where a network error is born: without URL, in words.
    fn network_error(&self, error: reqwest::Error) -> Error {
        let error = error.without_url();
        let cause = root(&error);
        let host = self.host();
        let what = if error.is_connect() && error.is_timeout() {
            format!("cannot connect to {host}: no answer")
        } else if error.is_connect() {
            format!("cannot connect to {host}: {cause}")
        } else {
            format!("the connection to {host} broke: {cause}")
        };
        Error::Network {
            what,
            maybe_sent: !error.is_connect(),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A plain drop would wait for a name lookup that is stuck.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Tells WeCom's yes from its no; the no without the secrets of the call.
fn judge(call: &Call<'_>, body: &[u8]) -> Result<Answer, Error> {
    if body.len() > ANSWER_MAX {
        let what = format!("it is longer than {} KiB", ANSWER_MAX >> 10);
        return Err(Error::Unreadable { what });
    }
    let answer = Answer::read(body).map_err(|what| Error::Unreadable {
        what: what.to_owned(),
    })?;
    if answer.errcode == 0 {
        return Ok(answer);
    }
    let mut errmsg = answer.errmsg.0;
    for (_, secret) in call.query.iter().filter(|(name, _)| *name != "corpid") {
        errmsg = secret.hide_in(&errmsg);
    }
    errmsg.truncate(errmsg.floor_char_boundary(500));
    let at_gettoken = call.name == "gettoken";
    Err(Error::Errcode(Refusal {
        errcode: answer.errcode,
        errmsg,
        at_gettoken,
    }))
}

/// The URL of a call as a person may see it.
pub(crate) fn shown_url(base: &ApiBase, name: &str) -> String {
    format!("{}/cgi-bin/{name}?access_token=REDACTED", base.shown())
}

/// Whether a text can be an `access_token`: 1 to 512 visible ASCII characters.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= TOKEN_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What lies at the bottom of an error, in one line.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Reads `Retry-After`: seconds, or a date of HTTP.
fn retry_after(text: &str, now: chrono::DateTime<chrono::Utc>) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            RETRY_AFTER_MAX
        }
        Err(_) => {
            let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
            (date.to_utc() - now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_rubbish_is_none() {
        let now = chrono::DateTime::parse_from_rfc3339("2026-11-24T08:00:00Z")
            .unwrap()
            .to_utc();
        for (text, seconds) in [
            ("5", Some(5)),
            (" 0 ", Some(0)),
            ("Tue, 24 Nov 2026 08:00:30 GMT", Some(30)),
            ("Tue, 24 Nov 2026 07:00:00 GMT", Some(0)),
            ("99999999999999999999999", Some(86400)),
            ("1000000", Some(86400)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(
                retry_after(text, now),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }

    #[test]
    fn tokens_are_visible_and_of_a_size() {
        assert!(is_token("abc&%=+/"));
        assert!(is_token(&"x".repeat(512)));
        for bad in ["", "a b", "a\r\nb", "中", &"x".repeat(513)] {
            assert!(!is_token(bad), "{bad}");
        }
    }
}
