//! Reads answers: WeCom's JSON, or a file. Anything else is not from WeCom.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::codes::Class;
use super::error::{Error, Refusal, Unreadable};
use super::request::{Call, Reply};
use crate::secret::{Redactor, Secret};

/// How often JSON within a text is parsed to find tokens.
const DEPTH_MAX: usize = 3;

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
    let json = match body.strip_prefix(BYTE_ORDER_MARK) {
        Some(json) if call.is_foreign => json,
        _ => &body,
    };
    let Ok(mut answer) = serde_json::from_slice::<Value>(json) else {
        return match body.trim_ascii_start().first() {
            _ if body.is_empty() => Err(Error::unreadable(Unreadable::Empty)),
            Some(b'<') => Err(Error::unreadable(Unreadable::WebPage)),
            _ if call.is_foreign => file(body, told),
            _ => Err(Error::unreadable(Unreadable::NotJson)),
        };
    };
    let errcode = match serde_json::from_slice(json) {
        Ok(Errcode { errcode }) if answer.is_object() => errcode,
        // Some calls omit it on success.
        _ if call.is_foreign => answer["errcode"].as_i64().unwrap_or(0),
        _ => return Err(Error::unreadable(Unreadable::NoErrcode)),
    };
    if call.is_foreign {
        told.hide_in_json(&mut answer);
        hide_tokens(&mut answer, DEPTH_MAX);
    } else {
        // The token that we asked for may be one that the server was sent before.
        let token = answer.get_mut("access_token").map(Value::take);
        told.hide_in_json(&mut answer);
        if let Some(token) = token {
            answer["access_token"] = token;
        }
    }
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

/// Hides every token in an answer that a person sees, wherever it stands: in a list, or in JSON within
/// a text, which is parsed up to `depth` times.
fn hide_tokens(value: &mut Value, depth: usize) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| hide_tokens(item, depth)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if name.ends_with("access_token") {
                    hide_texts(value);
                } else {
                    hide_tokens(value, depth);
                }
            }
        }
        Value::String(text) if depth > 0 && text.contains("access_token") => {
            if let Ok(mut inner) = serde_json::from_str::<Value>(text) {
                let before = inner.clone();
                hide_tokens(&mut inner, depth - 1);
                if inner != before {
                    *text = inner.to_string();
                }
            }
        }
        _ => {}
    }
}

/// Replaces all texts of a value.
fn hide_texts(value: &mut Value) {
    match value {
        Value::String(text) => "REDACTED".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(hide_texts),
        Value::Object(fields) => fields.values_mut().for_each(hide_texts),
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
