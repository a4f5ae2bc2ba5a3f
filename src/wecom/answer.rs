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
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::Cause;
    use super::*;

    fn read_reply(call: &Call<'_>, is_file: bool, body: &[u8]) -> Result<ApiAnswer, Error> {
        let mut told = Redactor::default();
        told.add(&Secret::new("s3cret-of-this-app"));
        let reply = Reply {
            status: 200,
            retry_after: None,
            is_file,
            body: body.to_vec(),
        };
        read(call, &told, reply)
    }

    /// Reads the answer to one of our own calls.
    fn read_own(body: &[u8]) -> Result<Value, Error> {
        match read_reply(&Call::get("message/send", &[]), false, body)? {
            ApiAnswer::Json(answer, None) => Ok(answer),
            other => panic!("{other:?}"),
        }
    }

    /// Reads the answer to a call that a user named.
    fn read_foreign(is_file: bool, body: &[u8]) -> Result<ApiAnswer, Error> {
        let call = Call {
            is_foreign: true,
            ..Call::get("user/get?userid=a", &[])
        };
        read_reply(&call, is_file, body)
    }

    #[test]
    fn only_one_whole_errcode_in_an_object_is_an_answer() {
        for body in [
            r#"{"errcode":0}"#,
            r#"{"errcode":0,"errmsg":"ok","msgid":"m","unknown":[1]}"#,
        ] {
            assert!(read_own(body.as_bytes()).is_ok(), "{body}");
        }
        let busy = read_own(br#"{"errcode":-1,"errmsg":null}"#);
        assert!(busy.is_err_and(|error| error.class == Class::Busy));
        for body in [
            "",
            "{}",
            "[]",
            "[0]",
            "null",
            "0",
            "ok",
            r#"{"errcode":"0"}"#,
            r#"{"errcode":0.0}"#,
            r#"{"errcode":null}"#,
            r#"{"errcode":0,"errcode":40001}"#,
            r#"{"errcode":1e3}"#,
            r#"{"errcode":0"#,
            "\u{feff}{\"errcode\":0}",
            "<html>502</html>",
            r#"{"errmsg":"ok"}"#,
            r#"{"errcode":99999999999999999999}"#,
        ] {
            let error = read_own(body.as_bytes()).unwrap_err();
            assert!(matches!(error.cause, Cause::Unreadable(_)), "{body}");
        }
    }

    #[test]
    fn lists_come_in_every_shape() {
        for (value, expected) in [
            (json!("a|b"), vec!["a", "b"]),
            (json!(""), vec![]),
            (json!(null), vec![]),
            (json!(["a", 2]), vec!["a", "2"]),
            (json!(7), vec!["7"]),
            (json!({"a": 1}), vec![]),
        ] {
            assert_eq!(names(&value), expected, "{value}");
        }
    }

    #[test]
    fn names_of_two_messages_are_merged_without_duplicates() {
        let of = |names: &[&str]| Unreached {
            invaliduser: names.iter().map(ToString::to_string).collect(),
            ..Unreached::default()
        };
        let mut unreached = of(&["a", "b"]);
        unreached.merge(&of(&["b", "c", "c"]));
        assert_eq!(unreached, of(&["a", "b", "c"]));
    }

    #[test]
    fn an_answer_is_shown_whole_except_for_secrets() {
        let body = json!({
            "name": "x",
            "access_token": "abc",
            "a": [{"url": "k=s3cret-of-this-app"}, {"s3cret-of-this-app": {"b": 1}, "z": 2}],
        });
        let Ok(ApiAnswer::Json(answer, None)) = read_foreign(false, body.to_string().as_bytes())
        else {
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
    fn a_refusal_includes_its_answer_and_a_refused_token_is_an_error() {
        let no = json!({"errcode": 60111, "errmsg": "userid not found"}).to_string();
        let Ok(ApiAnswer::Json(_, Some(refusal))) = read_foreign(false, no.as_bytes()) else {
            panic!("it is a no");
        };
        assert_eq!(
            (refusal.errcode, &*refusal.errmsg),
            (60111, "userid not found")
        );
        let token = json!({"errcode": 40014, "errmsg": ""}).to_string();
        let answer = read_foreign(false, token.as_bytes());
        assert!(answer.is_err_and(|error| error.class == Class::Token));
    }

    #[test]
    fn a_file_is_a_file_and_a_page_is_none() {
        let is_file =
            |answer, bytes: &[u8]| matches!(answer, Ok(ApiAnswer::File(file)) if file == bytes);
        assert!(is_file(read_foreign(false, b"\x89PNG"), b"\x89PNG"));
        for file in [&b""[..], b"<svg>", b"{}", b"{\"errcode\":40014}"] {
            assert!(is_file(read_foreign(true, file), file));
        }
        for (is_file, body, why) in [
            (true, &b"s3cret-of-this-app"[..], Unreadable::EchoesSecret),
            (false, b"no: k=S3CRET-of-this-app", Unreadable::EchoesSecret),
            (false, b"", Unreadable::Empty),
            (false, b" <html>", Unreadable::WebPage),
        ] {
            let error = read_foreign(is_file, body).unwrap_err();
            assert!(matches!(error.cause, Cause::Unreadable(it) if it == why));
        }
    }

    #[test]
    fn a_lifetime_is_believed_within_reason() {
        for (value, seconds) in [
            (json!(7200), 7200),
            (json!(3), 60),
            (json!(0), 60),
            (json!(-5), 60),
            (json!(1e18), 7200),
            (json!("600"), 600),
            (json!("soon"), 7200),
            (json!("NaN"), 7200),
            (json!(null), 7200),
            (json!([1]), 7200),
            (json!(600.9), 600),
        ] {
            assert_eq!(lifetime(&value), seconds, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_own(&body);
            let _ = read_foreign(false, &body);
        }

        #[test]
        fn any_json_in_any_field_is_read_or_refused(
            field in prop_oneof![Just("errcode"), Just("expires_in"), Just("msgid"), Just("invaliduser")],
            value in "(-?[0-9]{1,25}(\\.[0-9]{1,3})?(e[0-9]{1,3})?|\"[a-z|0-9]{0,9}\"|null|true|\\[1,\"a\"\\]|\\{\\})",
        ) {
            let body = format!(r#"{{"errmsg":"x","{field}":{value}}}"#);
            if let Ok(answer) = read_own(body.as_bytes()) {
                prop_assert!((60..=7200).contains(&lifetime(&answer["expires_in"])));
            }
        }
    }
}
