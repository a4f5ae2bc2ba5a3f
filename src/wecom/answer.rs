//! WeCom's JSON into what it says; anything else is not WeCom's.

use std::collections::HashSet;

use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde::{Deserialize as Derive, Serialize};
use serde_json::Value;

use crate::lang::spoken;
use crate::message::Envelope;
use crate::secret::{Secret, Veil};

/// A token as `gettoken` grants it.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) access_token: Secret,
    /// Seconds, between 60 and 7200.
    pub(crate) expires_in: u64,
}

/// What WeCom says of a message that it accepted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) msgid: String,
    /// Receivers that it could not reach.
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
    /// The lists with WeCom's names for them.
    pub(crate) fn lists(&self) -> [(&'static str, &[String]); 4] {
        [
            ("invaliduser", &self.invaliduser),
            ("invalidparty", &self.invalidparty),
            ("invalidtag", &self.invalidtag),
            ("unlicenseduser", &self.unlicenseduser),
        ]
    }

    /// All that an envelope names.
    pub(crate) fn all(to: &Envelope) -> Self {
        Self {
            invaliduser: to.touser.clone(),
            invalidparty: to.toparty.clone(),
            invalidtag: to.totag.clone(),
            unlicenseduser: Vec::new(),
        }
    }

    /// Whether everybody was reached.
    pub(crate) fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, names)| names.is_empty())
    }

    /// The lists that name somebody, for a person.
    pub(crate) fn describe(&self) -> String {
        let lists = self.lists();
        let named = lists.iter().filter(|(_, names)| !names.is_empty());
        let [and, then] = spoken().of(["、", "；"], [", ", "; "]);
        let words: Vec<String> = named
            .map(|(list, names)| format!("{list} {}", names.join(and)))
            .collect();
        words.join(then)
    }

    /// Takes in the names of another message's lists.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (ours, theirs) in [
            (&mut self.invaliduser, &other.invaliduser),
            (&mut self.invalidparty, &other.invalidparty),
            (&mut self.invalidtag, &other.invalidtag),
            (&mut self.unlicenseduser, &other.unlicenseduser),
        ] {
            // A set, as an answer may hold thousands of them.
            let mut known: HashSet<String> = ours.iter().cloned().collect();
            ours.extend(
                theirs
                    .iter()
                    .filter(|name| known.insert((*name).clone()))
                    .cloned(),
            );
        }
    }
}

/// Every field that an answer to gettoken or message/send may have.
///
/// A field twice, or `errcode` that is not a whole number, is an error: somebody else answered.
#[derive(Debug, Derive)]
pub(super) struct Answer {
    pub(super) errcode: i64,
    #[serde(default)]
    pub(super) errmsg: Text,
    #[serde(default)]
    pub(super) msgid: Text,
    #[serde(default)]
    pub(super) media_id: Text,
    #[serde(default, deserialize_with = "secret")]
    pub(super) access_token: Option<Secret>,
    #[serde(default)]
    pub(super) expires_in: Value,
    #[serde(default)]
    pub(super) invaliduser: Names,
    #[serde(default)]
    pub(super) invalidparty: Names,
    #[serde(default)]
    pub(super) invalidtag: Names,
    #[serde(default)]
    pub(super) unlicenseduser: Names,
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// What is wrong, in words that repeat nothing of it.
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let lang = spoken();
        if body.is_empty() {
            return Err(lang.of("它是空的", "it is empty"));
        }
        serde_json::from_slice(body).map_err(|_| match serde_json::from_slice::<IgnoredAny>(body) {
            Ok(_) => lang.of(
                "它是 JSON，但 errcode 不是唯一的一个整数",
                "it is JSON, but without one whole number as its errcode",
            ),
            Err(_) if body.trim_ascii_start().starts_with(b"<") => {
                lang.of("它是网页", "it is a web page")
            }
            Err(_) => lang.of("它不是 JSON", "it is not JSON"),
        })
    }

    /// Takes what the server was told in secret out of all that may be shown.
    pub(super) fn hide(&mut self, told: &Veil) {
        let lists = [
            &mut self.invaliduser,
            &mut self.invalidparty,
            &mut self.invalidtag,
            &mut self.unlicenseduser,
        ];
        let names = lists.into_iter().flat_map(|list| &mut list.0);
        let mut texts: Vec<&mut String> = names.collect();
        texts.extend([&mut self.errmsg.0, &mut self.msgid.0]);
        told.hide_in(&mut texts);
    }
}

/// A text; a number is read as one, anything else as none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        }))
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Some(Secret::new(Text::deserialize(deserializer)?.0)))
}

/// Names joined by `|`, or a list of names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = match Value::deserialize(deserializer)? {
            Value::Array(values) => values,
            value => vec![value],
        };
        let texts = values.iter().map(|value| match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        });
        let names = texts.flat_map(|text| text.split('|').map(str::to_owned).collect::<Vec<_>>());
        Ok(Self(names.filter(|name| !name.is_empty()).collect()))
    }
}

/// The lifetime of a token, in seconds: what WeCom says, between one minute and its 7200.
///
/// A silent or unreadable lifetime is the documented one: early refusal is handled anyway.
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
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn only_one_whole_errcode_in_an_object_is_an_answer() {
        for body in [
            r#"{"errcode":0}"#,
            r#"{"errcode":0,"errmsg":"ok","msgid":"m","unknown":[1]}"#,
            r#"{"errcode":-1,"errmsg":null}"#,
        ] {
            assert!(Answer::read(body.as_bytes()).is_ok(), "{body}");
        }
        for body in [
            "",
            "{}",
            "[]",
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
            assert!(Answer::read(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn lists_come_in_every_shape() {
        for (value, names) in [
            (json!("a|b"), vec!["a", "b"]),
            (json!(""), vec![]),
            (json!(null), vec![]),
            (json!(["a", 2]), vec!["a", "2"]),
            (json!(7), vec!["7"]),
            (json!({"a": 1}), vec![]),
        ] {
            let body = json!({"errcode": 0, "invaliduser": value}).to_string();
            assert_eq!(
                Answer::read(body.as_bytes()).unwrap().invaliduser.0,
                names,
                "{body}"
            );
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
            let _ = Answer::read(&body);
        }

        #[test]
        fn any_json_in_any_field_is_read_or_refused(
            field in prop_oneof![Just("errcode"), Just("expires_in"), Just("msgid"), Just("invaliduser")],
            value in "(-?[0-9]{1,25}(\\.[0-9]{1,3})?(e[0-9]{1,3})?|\"[a-z|0-9]{0,9}\"|null|true|\\[1,\"a\"\\]|\\{\\})",
        ) {
            let body = format!(r#"{{"errmsg":"x","{field}":{value}}}"#);
            if let Ok(answer) = Answer::read(body.as_bytes()) {
                prop_assert!((60..=7200).contains(&lifetime(&answer.expires_in)));
            }
        }
    }
}
