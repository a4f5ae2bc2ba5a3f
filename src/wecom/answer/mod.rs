//! Reads answers: WeCom's JSON, or a file. Anything else is not from WeCom.

mod own;
mod shown;

use std::collections::HashSet;

use serde::Serialize;

use super::codes::Class;
use super::error::{Error, Refusal, Unreadable};
use super::request::{Call, Reply};
use crate::secret::{Redactor, Secret};
pub(super) use own::OwnAnswer;
use shown::ShownJson;

/// What an editor may have put before JSON.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The longest `errmsg` that is kept, in bytes.
const ERRMSG_MAX: usize = 500;

/// A token granted by `gettoken`.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) access_token: Secret,
    /// In seconds, between 60 and 7200.
    pub(crate) expires_in: u64,
}

/// WeCom's answer for a message that it accepted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) msgid: String,
    /// The recipients that WeCom could not reach.
    pub(crate) unreached: Unreached,
}

/// The lists of a partial success.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Unreached {
    pub(crate) invaliduser: Vec<String>,
    pub(crate) invalidparty: Vec<String>,
    pub(crate) invalidtag: Vec<String>,
    pub(crate) unlicenseduser: Vec<String>,
}

impl Unreached {
    /// Returns the lists with WeCom's names for them.
    pub(crate) fn lists(&self) -> [(&'static str, &[String]); 4] {
        [
            ("invaliduser", &self.invaliduser),
            ("invalidparty", &self.invalidparty),
            ("invalidtag", &self.invalidtag),
            ("unlicenseduser", &self.unlicenseduser),
        ]
    }

    /// Whether all recipients were reached.
    pub(crate) fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, names)| names.is_empty())
    }

    /// Adds the names of another message's lists.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (ours, theirs) in [
            (&mut self.invaliduser, &other.invaliduser),
            (&mut self.invalidparty, &other.invalidparty),
            (&mut self.invalidtag, &other.invalidtag),
            (&mut self.unlicenseduser, &other.unlicenseduser),
        ] {
            // A set, since an answer may hold thousands of names.
            let mut known: HashSet<&String> = ours.iter().collect();
            let new = theirs.iter().filter(|name| known.insert(name));
            let new: Vec<String> = new.cloned().collect();
            ours.extend(new);
        }
    }
}

/// The answer to a call that a user named.
#[derive(Debug)]
pub(crate) enum ApiAnswer {
    /// JSON on one line with secrets redacted, and the refusal if it is one.
    Json(String, Option<Refusal>),
    File(Vec<u8>),
}

/// Reads the answer to one of our own calls, with status 200, and redacts the secrets that the server
/// was sent.
///
/// # Errors
/// `Cause::Unreadable` if it is not WeCom's, `Cause::Errcode` if WeCom refused the call.
pub(super) fn read_own(call: &Call<'_>, told: &Redactor, reply: Reply) -> Result<OwnAnswer, Error> {
    let body = whole(call, reply.body)?;
    let json = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
    let read = serde_json::from_str::<OwnAnswer>(&String::from_utf8_lossy(json));
    let is_data = read.as_ref().is_err_and(serde_json::Error::is_data);
    match (json.trim_ascii_start().first(), read) {
        (Some(b'{'), Ok(mut answer)) if answer.errcode.is_some() => {
            answer.hide(told);
            let errcode = answer.errcode.unwrap_or_default();
            let errmsg = answer.errmsg.text();
            refusal(call, errcode, errmsg).map_or(Ok(answer), |no| Err(Error::refused(no)))
        }
        (Some(b'<'), _) => Err(Error::unreadable(Unreadable::WebPage)),
        (_, Err(_)) if !is_data => Err(Error::unreadable(Unreadable::NotJson)),
        _ => Err(Error::unreadable(Unreadable::NoErrcode)),
    }
}

/// Reads the answer to a call that a user named, as `read_own` does. It may be a file, or lack an
/// errcode, as some calls do on success.
///
/// # Errors
/// `Cause::Unreadable` if it is not WeCom's, `Class::Token` if WeCom refused the token.
pub(super) fn read(call: &Call<'_>, told: &Redactor, reply: Reply) -> Result<ApiAnswer, Error> {
    // The content of a file may be JSON or a web page, too.
    if reply.is_file && reply.body.len() <= call.answer_max {
        return file(reply.body, told);
    }
    let body = whole(call, reply.body)?;
    let json = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
    let Some(shown) = ShownJson::of(json, told) else {
        return match body.trim_ascii_start().first() {
            Some(b'<') => Err(Error::unreadable(Unreadable::WebPage)),
            _ => file(body, told),
        };
    };
    match refusal(call, shown.errcode, &shown.errmsg) {
        Some(refusal) if refusal.class == Class::Token => Err(Error::refused(refusal)),
        refusal => Ok(ApiAnswer::Json(shown.text, refusal)),
    }
}

/// Returns a body that isn't too long, or empty.
fn whole(call: &Call<'_>, body: Vec<u8>) -> Result<Vec<u8>, Error> {
    if body.len() > call.answer_max {
        return Err(Error::unreadable(Unreadable::TooLong(call.answer_max)));
    }
    if body.is_empty() {
        return Err(Error::unreadable(Unreadable::Empty));
    }
    Ok(body)
}

fn refusal(call: &Call<'_>, errcode: i64, errmsg: &str) -> Option<Refusal> {
    let errmsg = &errmsg[..errmsg.floor_char_boundary(ERRMSG_MAX)];
    (errcode != 0).then(|| Refusal::new(errcode, errmsg.to_owned(), call.is_gettoken()))
}

/// Returns a file unchanged, or not at all.
fn file(body: Vec<u8>, told: &Redactor) -> Result<ApiAnswer, Error> {
    if told.is_in(&body) {
        return Err(Error::unreadable(Unreadable::EchoesSecret));
    }
    Ok(ApiAnswer::File(body))
}

/// Returns the lifetime of a token in seconds: WeCom's value, between 60 and its 7200.
///
/// A missing or unreadable value counts as the documented one: an early expiry is handled anyway.
/// Source: developer.work.weixin.qq.com/document/path/91039.
pub(super) fn lifetime(expires_in: &str) -> u64 {
    const LIFETIME: f64 = 7200.0;
    let seconds: f64 = expires_in.trim().parse().unwrap_or(LIFETIME);
    let seconds = if seconds.is_nan() { LIFETIME } else { seconds };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 60..=7200"
    )]
    let whole = seconds.clamp(60.0, LIFETIME) as u64;
    whole
}

#[cfg(test)]
mod tests;
