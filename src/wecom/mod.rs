//! WeCom's API: one function through which every call goes, and what its answers mean.

mod agent;
mod answer;
mod ask;
mod body;
pub(crate) mod codes;
mod directory;
mod error;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod head;
mod http;
mod moving;
mod probe;
mod retry_after;
mod tls;
mod trouble;
mod validity;

use std::cell::RefCell;
use std::time::Instant;

use crate::config::{ApiBase, Network};
use crate::lang::say;
use crate::message::content::is_media_id;
use crate::output::Watching;
use crate::secret::{Secret, Veil};
pub(crate) use agent::Agent;
use answer::Answer;
pub(crate) use answer::{Grant, Sent, Unreached};
pub(crate) use ask::{Asked, Asking, Question};
use body::Payload;
pub(crate) use body::{Field, Leaving};
pub(crate) use codes::{About, Class, Row};
pub(crate) use directory::Status;
pub(crate) use error::{Cause, Error, Refusal, Scope};
pub(crate) use http::SPEED;
use http::{Call, Http, Reply};
pub(crate) use probe::{Probe, Trusted};

/// Longest token, in bytes. Source: developer.work.weixin.qq.com/document/path/91039.
pub(crate) const TOKEN_MAX: usize = 512;

/// What lets a call pass: the parameter of the query, and its secret.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a>((&'static str, &'a Secret));

impl<'a> Pass<'a> {
    /// An app's `access_token`.
    pub(crate) fn token(token: &'a Secret) -> Self {
        Self(("access_token", token))
    }

    /// A robot's key.
    pub(crate) fn key(key: &'a Secret) -> Self {
        Self(("key", key))
    }
}

/// WeCom, to be asked things.
pub(crate) struct Client {
    http: Http,
    /// A corpsecret, or a robot's key.
    secret: Secret,
    /// Whoever answers has been told these, and may echo them at any call.
    told: RefCell<Veil>,
}

impl Client {
    /// Makes a client; connects to nobody yet.
    ///
    /// # Errors
    /// `Exit::Config` where the CA file or the proxy cannot be used.
    pub(crate) fn new(network: &Network, secret: &Secret) -> anyhow::Result<Self> {
        let mut told = Veil::default();
        told.add(secret);
        let urls = [
            Some(network.api_base.expose()),
            network.proxy.as_ref().map(Secret::expose),
        ];
        for password in urls.into_iter().flatten().flat_map(passwords) {
            told.add(&password);
        }
        Ok(Self {
            http: Http::new(network)?,
            secret: secret.clone(),
            told: RefCell::new(told),
        })
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// Whatever stands between the question and a usable token.
    pub(crate) fn gettoken(&self, corpid: &str, deadline: Instant) -> Result<Grant, Error> {
        let corpid = Secret::new(corpid);
        let query = [("corpid", &corpid), ("corpsecret", &self.secret)];
        let answer = self.call(&Call::new("gettoken", &query, None), deadline)?;
        let access_token = answer.access_token.unwrap_or_default();
        if !is_token(access_token.expose()) {
            let what = say!(
                "里面没有像样的 access_token",
                "it grants no access_token that could be one"
            );
            return Err(Error::unreadable(what).of_gettoken());
        }
        let expires_in = answer::lifetime(&answer.expires_in);
        Ok(Grant {
            access_token,
            expires_in,
        })
    }

    /// How many seconds our clock is ahead of the one that the last answer names, if it names one.
    pub(crate) fn ahead(&self) -> Option<i64> {
        self.http.ahead()
    }

    /// Sends one message by a call such as `message/send`, `body` being the request in WeCom's JSON.
    ///
    /// `leaving` is called before its first byte goes, and never where none does.
    ///
    /// # Errors
    /// Whatever stands between the message and WeCom's yes.
    pub(crate) fn send(
        &self,
        name: &str,
        pass: Pass<'_>,
        body: Vec<u8>,
        leaving: Leaving,
        deadline: Instant,
    ) -> Result<Sent, Error> {
        let query = [pass.0];
        let call = Call {
            leaving: Some(leaving),
            ..Call::new(name, &query, Some(Payload::json(body)))
        };
        let answer = self.call(&call, deadline)?;
        Ok(Sent {
            msgid: answer.msgid.0,
            unreached: Unreached {
                invaliduser: answer.invaliduser.0,
                invalidparty: answer.invalidparty.0,
                invalidtag: answer.invalidtag.0,
                unlicenseduser: answer.unlicenseduser.0,
            },
        })
    }

    /// Uploads a file by a call such as `media/upload`, `kind` being WeCom's `type`, and returns its
    /// `media_id`.
    ///
    /// # Errors
    /// Whatever stands between the file and WeCom's yes.
    pub(crate) fn upload(
        &self,
        name: &str,
        pass: Pass<'_>,
        kind: &str,
        file: Field,
        watching: Option<Watching>,
        deadline: Instant,
    ) -> Result<String, Error> {
        let query = [pass.0];
        let name = format!("{name}?type={kind}");
        let call = Call {
            watching,
            ..Call::new(&name, &query, Some(Payload::form(&[file])))
        };
        let media_id = self.call(&call, deadline)?.media_id.0;
        if !is_media_id(&media_id) {
            return Err(Error::unreadable(say!(
                "里面没有像样的 media_id",
                "it has no media_id that could be one"
            )));
        }
        Ok(media_id)
    }

    /// Makes a call whose answer says yes or no.
    fn call(&self, call: &Call<'_>, deadline: Instant) -> Result<Answer, Error> {
        self.exchange(call, deadline, |told, reply| {
            judge(call, told, &reply.body).map(|answer| (answer, 0))
        })
    }

    /// The one way to WeCom: a request goes out, its answer becomes a result, and the log's line.
    fn exchange<T>(
        &self,
        call: &Call<'_>,
        deadline: Instant,
        judge: impl FnOnce(&Veil, Reply) -> Result<(T, i64), Error>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        let secrets = call.query.iter().filter(|(name, _)| *name != "corpid");
        secrets.for_each(|(_, secret)| self.told.borrow_mut().add(secret));
        let result = self.http.exchange(call, deadline).and_then(|reply| {
            if reply.status == 200 {
                judge(&self.told.borrow(), reply)
            } else {
                Err(Error::status(reply.status, reply.retry_after))
            }
        });
        let result = match result {
            Err(error) if call.is_gettoken() => Err(error.of_gettoken()),
            result => result,
        };
        let (status, errcode, trouble) = match &result {
            Ok((_, errcode)) => (Some(200), Some(*errcode), None),
            Err(error) => match &error.cause {
                Cause::Errcode(refusal) => (Some(200), Some(refusal.errcode), None),
                Cause::Status(status) => (Some(*status), None, None),
                Cause::Unreadable { what } => (Some(200), None, Some(what.as_str())),
                Cause::Network { what, .. } | Cause::File { what } => {
                    (None, None, Some(what.as_str()))
                }
            },
        };
        tracing::info!(
            call = call.title(),
            status,
            errcode,
            trouble,
            ms = begun.elapsed().as_millis(),
            "answer"
        );
        result.map(|(said, _)| said)
    }
}

/// Tells WeCom's yes from its no, both without what the server was told in secret.
fn judge(call: &Call<'_>, told: &Veil, body: &[u8]) -> Result<Answer, Error> {
    if body.len() > call.answer_max {
        let most = call.answer_max >> 10;
        let what = say!("它超过 {most} KiB", "it is longer than {most} KiB");
        return Err(Error::unreadable(what));
    }
    let mut answer = Answer::read(body).map_err(Error::unreadable)?;
    answer.hide(told);
    if answer.errcode == 0 {
        return Ok(answer);
    }
    let mut errmsg = answer.errmsg.0;
    errmsg.truncate(errmsg.floor_char_boundary(500));
    let refusal = Refusal::new(answer.errcode, errmsg, call.is_gettoken());
    Err(Error::refused(refusal))
}

/// The password of a URL, alone and as Basic authentication has it with the user.
fn passwords(url: &str) -> Vec<Secret> {
    let url = reqwest::Url::parse(url).ok();
    let login = url.and_then(|url| Some((url.username().to_owned(), url.password()?.to_owned())));
    login.map_or(Vec::new(), |(user, password)| {
        let both = format!("{user}:{password}");
        vec![Secret::decoded(&password), Secret::decoded(&both)]
    })
}

/// The URL of a call as a person may see it; `pass` is the parameter of what lets it pass.
pub(crate) fn shown_url(base: &ApiBase, name: &str, pass: &str) -> String {
    let mark = if name.contains('?') { '&' } else { '?' };
    format!("{}/cgi-bin/{name}{mark}{pass}=REDACTED", base.shown())
}

/// Whether a text can be an `access_token`: 1 to 512 visible ASCII characters.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= TOKEN_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_visible_and_of_a_size() {
        assert!(is_token("abc&%=+/"));
        assert!(is_token(&"x".repeat(512)));
        for bad in ["", "a b", "a\r\nb", "中", &"x".repeat(513)] {
            assert!(!is_token(bad), "{bad}");
        }
    }
}
