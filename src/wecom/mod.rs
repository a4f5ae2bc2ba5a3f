//! WeCom's API: one function through which every call goes, and what its answers mean.

mod answer;
pub(crate) mod codes;
mod error;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod http;
mod tls;
mod trouble;

use std::cell::RefCell;
use std::time::Instant;

use crate::config::{ApiBase, Network};
use crate::secret::{Secret, Veil};
use answer::Answer;
pub(crate) use answer::{Grant, Sent, Unreached};
pub(crate) use codes::Class;
pub(crate) use error::{Error, Refusal};
pub(crate) use http::Leaving;
use http::{ANSWER_MAX, Call, Http};

/// Longest token, in bytes. Source: developer.work.weixin.qq.com/document/path/91039.
pub(crate) const TOKEN_MAX: usize = 512;

/// WeCom, to be asked things.
pub(crate) struct Client {
    http: Http,
    corpsecret: Secret,
    /// Whoever answers has been told these, and may echo them at any call.
    told: RefCell<Veil>,
}

impl Client {
    /// Makes a client; connects to nobody yet.
    ///
    /// # Errors
    /// `Exit::Config` where the CA file or the proxy cannot be used.
    pub(crate) fn new(network: &Network, corpsecret: &Secret) -> anyhow::Result<Self> {
        let mut told = Veil::default();
        told.add(corpsecret);
        let urls = [
            Some(network.api_base.expose()),
            network.proxy.as_ref().map(Secret::expose),
        ];
        for secret in urls.into_iter().flatten().flat_map(passwords) {
            told.add(&secret);
        }
        Ok(Self {
            http: Http::new(network)?,
            corpsecret: corpsecret.clone(),
            told: RefCell::new(told),
        })
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// Whatever stands between the question and a usable token.
    pub(crate) fn gettoken(&self, corpid: &str, deadline: Instant) -> Result<Grant, Error> {
        let corpid = Secret::new(corpid);
        let query = [("corpid", &corpid), ("corpsecret", &self.corpsecret)];
        let answer = self.call(
            &Call {
                name: "gettoken",
                query: &query,
                body: None,
                leaving: None,
            },
            deadline,
        )?;
        let access_token = answer.access_token.unwrap_or_default();
        if !is_token(access_token.expose()) {
            return Err(Error::Unreadable {
                what: "it grants no access_token that could be one".to_owned(),
            });
        }
        let expires_in = answer::lifetime(&answer.expires_in);
        Ok(Grant {
            access_token,
            expires_in,
        })
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
        token: &Secret,
        body: Vec<u8>,
        leaving: Leaving,
        deadline: Instant,
    ) -> Result<Sent, Error> {
        let query = [("access_token", token)];
        let answer = self.call(
            &Call {
                name,
                query: &query,
                body: Some(body),
                leaving: Some(leaving),
            },
            deadline,
        )?;
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

    /// The one way to WeCom: a request goes out, its answer becomes a result.
    fn call(&self, call: &Call<'_>, deadline: Instant) -> Result<Answer, Error> {
        let begun = Instant::now();
        let secrets = call.query.iter().filter(|(name, _)| *name != "corpid");
        secrets.for_each(|(_, secret)| self.told.borrow_mut().add(secret));
        let result = self.http.exchange(call, deadline).and_then(|reply| {
            if reply.status == 200 {
                judge(call, &self.told.borrow(), &reply.body)
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
            Err(Error::Unreadable { what }) => (Some(200), None, Some(what.as_str())),
            Err(Error::Network { what, .. }) => (None, None, Some(what.as_str())),
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
}

/// Tells WeCom's yes from its no, both without what the server was told in secret.
fn judge(call: &Call<'_>, told: &Veil, body: &[u8]) -> Result<Answer, Error> {
    if body.len() > ANSWER_MAX {
        let what = format!("it is longer than {} KiB", ANSWER_MAX >> 10);
        return Err(Error::Unreadable { what });
    }
    let mut answer = Answer::read(body).map_err(|what| Error::Unreadable {
        what: what.to_owned(),
    })?;
    answer.hide(told);
    if answer.errcode == 0 {
        return Ok(answer);
    }
    let mut errmsg = answer.errmsg.0;
    errmsg.truncate(errmsg.floor_char_boundary(500));
    Err(Error::Errcode(Refusal {
        errcode: answer.errcode,
        errmsg,
        at_gettoken: call.name == "gettoken",
        again_in: None,
    }))
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

/// The URL of a call as a person may see it.
pub(crate) fn shown_url(base: &ApiBase, name: &str) -> String {
    format!("{}/cgi-bin/{name}?access_token=REDACTED", base.shown())
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
