//! Reads answers: WeCom's JSON, or a file. Anything else is not from WeCom.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::codes::Class;
use super::error::{Error, Refusal, Unreadable};
use super::request::{Call, Reply};
use crate::secret::{Redactor, Secret};

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

/// An answer to any call.
#[derive(Debug)]
pub(crate) enum ApiAnswer {
    /// JSON with secrets redacted, and the refusal if it is one.
    Json(Value, Option<Refusal>),
    File(Vec<u8>),
}

/// The field that decides. Parsed separately, since serde refuses a duplicate field.
#[derive(Deserialize)]
struct Errcode {
    errcode: i64,
}

/// Reads an answer with status 200, and redacts the secrets that the server was sent.
///
/// # Errors
/// `Cause::Unreadable` if it is not WeCom's, `Class::Token` if WeCom refused the token.
pub(super) fn read(call: &Call<'_>, told: &Redactor, reply: Reply) -> Result<ApiAnswer, Error> {
    let Reply { is_file, body, .. } = reply;
    if body.len() > call.answer_max {
        return Err(Error::unreadable(Unreadable::TooLong(call.answer_max)));
    }
    // The content of a file may be JSON or a web page, too.
    if is_file && call.is_foreign {
        return file(body, told);
    }
    let Ok(mut answer) = serde_json::from_slice::<Value>(&body) else {
        return match body.trim_ascii_start().first() {
            _ if body.is_empty() => Err(Error::unreadable(Unreadable::Empty)),
            Some(b'<') => Err(Error::unreadable(Unreadable::WebPage)),
            _ if call.is_foreign => file(body, told),
            _ => Err(Error::unreadable(Unreadable::NotJson)),
        };
    };
    let errcode = match serde_json::from_slice(&body) {
        Ok(Errcode { errcode }) if answer.is_object() => errcode,
        // Some calls omit it on success.
        _ if call.is_foreign => answer["errcode"].as_i64().unwrap_or(0),
        _ => return Err(Error::unreadable(Unreadable::NoErrcode)),
    };
    hide(&mut answer, told, call.is_foreign);
    if errcode == 0 {
        return Ok(ApiAnswer::Json(answer, None));
    }
    let mut errmsg = text(&answer["errmsg"]).unwrap_or_default();
    errmsg.truncate(errmsg.floor_char_boundary(ERRMSG_MAX));
    let refusal = Refusal::new(errcode, errmsg, call.is_gettoken());
    if call.is_foreign && refusal.class != Class::Token {
        return Ok(ApiAnswer::Json(answer, Some(refusal)));
    }
    Err(Error::refused(refusal))
}

/// Returns a file unchanged, or not at all.
fn file(body: Vec<u8>, told: &Redactor) -> Result<ApiAnswer, Error> {
    if told.is_in(&body) {
        return Err(Error::unreadable(Unreadable::EchoesSecret));
    }
    Ok(ApiAnswer::File(body))
}

/// Redacts the secrets that the server was sent, and every token if `is_shown`.
fn hide(answer: &mut Value, told: &Redactor, is_shown: bool) {
    let mut names = Vec::new();
    let mut texts = Vec::new();
    collect(answer, is_shown, &mut names, &mut texts);
    texts.extend(&mut names);
    told.hide_in(&mut texts);
    rename(answer, &mut names.into_iter());
}

/// Collects the names of all fields, and all texts except tokens.
fn collect<'a>(
    value: &'a mut Value,
    is_shown: bool,
    names: &mut Vec<String>,
    texts: &mut Vec<&'a mut String>,
) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => {
            for item in items {
                collect(item, is_shown, names, texts);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                names.push(name.clone());
                let is_token = name.ends_with("access_token") && value.is_string();
                if is_token && is_shown {
                    *value = "REDACTED".into();
                } else if !is_token {
                    collect(value, is_shown, names, texts);
                }
            }
        }
        _ => {}
    }
}

/// Renames the fields, in the order in which they were collected.
fn rename(value: &mut Value, names: &mut impl Iterator<Item = String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(fields) => {
            let renamed = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                let name = names.next().unwrap_or(name);
                rename(&mut value, names);
                (name, value)
            });
            *fields = renamed.collect();
        }
        _ => {}
    }
}

/// Returns a text, or a number as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the names in a list, or in a text that is separated by `|`.
pub(super) fn names(value: &Value) -> Vec<String> {
    let items = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    let texts = items.iter().filter_map(text);
    let names = texts.flat_map(|text| text.split('|').map(str::to_owned).collect::<Vec<_>>());
    names.filter(|name| !name.is_empty()).collect()
}

/// Returns the lifetime of a token in seconds: WeCom's value, between 60 and its 7200.
///
/// A missing or unreadable value counts as the documented one: an early expiry is handled anyway.
/// Source: developer.work.weixin.qq.com/document/path/91039.
pub(super) fn lifetime(expires_in: &Value) -> u64 {
    const LIFETIME: f64 = 7200.0;
    let seconds = match expires_in {
        Value::Number(number) => number.as_f64().unwrap_or(LIFETIME),
        Value::String(text) => text.trim().parse().unwrap_or(LIFETIME),
        _ => LIFETIME,
    };
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
