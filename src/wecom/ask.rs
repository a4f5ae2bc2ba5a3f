//! Any call of the API, and whatever WeCom answers.

use std::time::Instant;

use serde_json::{Value, json};

use super::answer::Text;
use super::body::{Field, Payload};
use super::error::{Error, Refusal};
use super::http::{Call, Reply};
use super::{Class, Client, Pass};
use crate::lang::say;
use crate::secret::{Secret, Veil};

/// Longest answer to such a call that is read, in bytes: a file may be fetched.
const ANSWER_MAX: usize = 64 << 20;

/// A call that a user wants made.
pub(crate) struct Question {
    /// The path below `/cgi-bin/`, with its query.
    pub(crate) call: String,
    pub(crate) body: Asking,
}

impl Question {
    /// Takes back a message.
    pub(crate) fn recall(msgid: &str) -> Self {
        Self {
            call: "message/recall".to_owned(),
            body: Asking::Json(json!({"msgid": msgid}).to_string().into_bytes()),
        }
    }
}

/// What goes with a call.
pub(crate) enum Asking {
    /// Nothing: it is a GET.
    Get,
    /// A JSON text, or nothing.
    Json(Vec<u8>),
    /// A form.
    Form(Vec<Field>),
}

/// What WeCom answers.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Its JSON, without secrets, and its no if it is one.
    Json(Value, Option<Refusal>),
    /// A file.
    Bytes(Vec<u8>),
}

impl Client {
    /// Makes a call. To `gettoken` it is the app's own secret that passes; the answer is redacted.
    ///
    /// # Errors
    /// Whatever stands between the question and WeCom's answer, and the refusal of a token.
    pub(crate) fn ask(
        &self,
        question: &Question,
        pass: Pass<'_>,
        corpid: &str,
        deadline: Instant,
    ) -> Result<Asked, Error> {
        let body = match &question.body {
            Asking::Get => None,
            Asking::Json(text) => Some(Payload::json(text.clone())),
            Asking::Form(fields) => Some(Payload::form(fields)),
        };
        let corpid = Secret::new(corpid);
        let credentials = [("corpid", &corpid), ("corpsecret", &self.secret)];
        let query = if question.call == super::http::GETTOKEN {
            &credentials[..]
        } else {
            &[pass.0]
        };
        let call = Call {
            answer_max: ANSWER_MAX,
            ..Call::new(&question.call, query, body)
        };
        self.exchange(&call, deadline, |told, reply| asked(&call, told, reply))
    }
}

/// Tells WeCom's JSON from a file, and from what somebody else answered.
fn asked(call: &Call<'_>, told: &Veil, reply: Reply) -> Result<(Asked, i64), Error> {
    let Reply { is_file, body, .. } = reply;
    if body.len() > call.answer_max {
        let most = call.answer_max >> 20;
        let what = say!("它超过 {most} MiB", "it is longer than {most} MiB");
        return Err(Error::unreadable(what));
    }
    // A file may be JSON, or a page, too.
    let read = (!is_file).then(|| serde_json::from_slice::<Value>(&body));
    let Some(Ok(mut answer)) = read else {
        if !is_file && (body.trim_ascii_start().starts_with(b"<") || body.is_empty()) {
            let what = say!("它是网页，或者是空的", "it is a web page, or empty");
            return Err(Error::unreadable(what));
        }
        // It goes on as it is, or not at all.
        if told.is_in(&body) {
            let what = say!(
                "它照抄了 access_token 或 Secret，所以不显示",
                "it echoes the token or a secret, and is not shown"
            );
            return Err(Error::unreadable(what));
        }
        return Ok((Asked::Bytes(body), 0));
    };
    redact(&mut answer, told);
    // Some calls leave it out where all is well.
    let errcode = answer.get("errcode").and_then(Value::as_i64).unwrap_or(0);
    if errcode == 0 {
        return Ok((Asked::Json(answer, None), 0));
    }
    let errmsg = serde_json::from_value::<Text>(answer["errmsg"].clone()).unwrap_or_default();
    let refusal = Refusal::new(errcode, errmsg.0, call.is_gettoken());
    if refusal.class == Class::Token {
        return Err(Error::refused(refusal));
    }
    Ok((Asked::Json(answer, Some(refusal)), errcode))
}

/// Takes tokens, and what the server was told in secret, out of an answer.
fn redact(answer: &mut Value, told: &Veil) {
    let mut names = Vec::new();
    let mut texts = Vec::new();
    collect(answer, &mut names, &mut texts);
    texts.extend(&mut names);
    told.hide_in(&mut texts);
    rename(answer, &mut names.into_iter());
}

/// The name of every field of an answer, and every text, those of tokens done with.
fn collect<'a>(value: &'a mut Value, names: &mut Vec<String>, texts: &mut Vec<&'a mut String>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| collect(item, names, texts)),
        Value::Object(fields) => {
            for (name, value) in fields {
                names.push(name.clone());
                if name.ends_with("access_token") && value.is_string() {
                    *value = "REDACTED".into();
                } else {
                    collect(value, names, texts);
                }
            }
        }
        _ => {}
    }
}

/// Gives the fields these names, in the order in which they were collected.
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

#[cfg(test)]
mod tests {
    use super::super::Cause;
    use super::*;

    fn read(body: &[u8]) -> Result<(Asked, i64), Error> {
        read_as(false, body)
    }

    fn read_as(is_file: bool, body: &[u8]) -> Result<(Asked, i64), Error> {
        let mut told = Veil::default();
        told.add(&Secret::new("s3cret-of-this-app"));
        asked(
            &Call::new("user/get?userid=a", &[], None),
            &told,
            Reply {
                status: 200,
                retry_after: None,
                is_file,
                body: body.to_vec(),
            },
        )
    }

    #[test]
    fn an_answer_is_shown_whole_but_for_secrets() {
        let body = json!({
            "name": "x",
            "access_token": "abc",
            "a": [{"url": "k=s3cret-of-this-app"}, {"s3cret-of-this-app": {"b": 1}, "z": 2}],
        });
        let Ok((Asked::Json(answer, None), 0)) = read(body.to_string().as_bytes()) else {
            panic!("it is a yes: without an errcode all is well");
        };
        assert_eq!(
            (&answer["name"], &answer["access_token"]),
            (&json!("x"), &json!("REDACTED"))
        );
        assert!(!answer.to_string().contains("s3cret"), "{answer}");
        assert_eq!(answer["a"][1], json!({"[hidden]": {"b": 1}, "z": 2}));
    }

    #[test]
    fn a_no_comes_with_its_answer_and_a_refused_token_is_an_error() {
        let no = json!({"errcode": 60111, "errmsg": "userid not found"}).to_string();
        let Ok((Asked::Json(_, Some(refusal)), 60111)) = read(no.as_bytes()) else {
            panic!("it is a no");
        };
        assert_eq!(refusal.errmsg, "userid not found");
        let token = json!({"errcode": 40014, "errmsg": ""}).to_string();
        assert!(read(token.as_bytes()).is_err_and(|error| error.class == Class::Token));
    }

    #[test]
    fn a_file_is_a_file_and_a_page_is_none() {
        assert!(matches!(read(b"\x89PNG"), Ok((Asked::Bytes(_), 0))));
        for file in [&b""[..], b"<svg>", b"{}", b"{\"errcode\":40014}"] {
            let Ok((Asked::Bytes(bytes), 0)) = read_as(true, file) else {
                panic!("it is called a file");
            };
            assert_eq!(bytes, file);
        }
        assert!(read_as(true, b"s3cret-of-this-app").is_err());
        for page in [&b""[..], b" <html>", b"no: k=S3CRET-of-this-app"] {
            let is_unreadable = |error: Error| matches!(error.cause, Cause::Unreadable { .. });
            assert!(read(page).is_err_and(is_unreadable));
        }
    }
}
