//! The words of a finding that are put together: each a whole sentence in both languages.

use serde_json::{Map, Value};

use super::rows::{NO_CODE, Need, Unsure};
use super::walk::is_there;
use crate::lang::{say, spoken};

/// What JSON has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Type {
    Null,
    Bool,
    Number,
    String,
    List,
    Object,
}

impl Type {
    /// What a value is.
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::List,
            Value::Object(_) => Self::Object,
        }
    }

    fn word(self) -> &'static str {
        let (zh, en) = match self {
            Self::Null => (" null", "null"),
            Self::Bool => (" true 或 false", "true or false"),
            Self::Number => ("数字", "a number"),
            Self::String => ("字符串", "a string"),
            Self::List => ("列表", "a list"),
            Self::Object => ("对象", "an object"),
        };
        spoken().of(zh, en)
    }
}

/// What to say of a value of another type; never the value, which may be long or private.
pub(super) fn mistaken(at: &str, value: &Value, wanted: Type) -> String {
    let (is, wanted) = (Type::of(value).word(), wanted.word());
    say!(
        "{at} 是{is}，企业微信只接受{wanted}",
        "{at} is {is}, WeCom takes {wanted}"
    )
}

/// What to say of a field that is not there, if it must be.
pub(super) fn absence(
    path: &str,
    field: &str,
    object: &Map<String, Value>,
    need: Need,
) -> Option<String> {
    let there = |field: &str| object.get(field).is_some_and(is_there);
    let at = join(path, field);
    let is = match object.get(field) {
        Some(Value::String(_)) => say!("{at} 是空的", "{at} is empty"),
        _ => say!("缺少 {at}", "{at} is missing"),
    };
    let (what, code) = match need {
        Need::May | Need::Callback | Need::Never => return None,
        Need::Must(code) => (is, code),
        Need::When(field, value, code) => {
            let number = object.get(field).filter(|it| is_there(it));
            if number.map_or(Some(0), Value::as_i64) != Some(value) {
                return None;
            }
            let what = say!(
                "{is}，而 {field} 为 {value} 时必须有它",
                "{is}, and {field} {value} needs it"
            );
            (what, code)
        }
        Need::With(field, code) => {
            if !there(field) {
                return None;
            }
            let what = say!(
                "{is}，而有 {field} 就必须有它",
                "{is}, and {field} needs it"
            );
            (what, code)
        }
        Need::Unless(pointer, code) => {
            let mut steps = pointer.split('/');
            let first = steps.next().and_then(|step| object.get(step));
            let end = steps.fold(first, |value, step| value?.get(step));
            if end.is_some_and(is_there) {
                return None;
            }
            let other = join(path, &pointer.replace('/', "."));
            (
                say!("{is}，也没有 {other}", "{is}, and so is {other}"),
                code,
            )
        }
    };
    Some(coded(what, code))
}

/// Why a length may do harm.
pub(super) fn unsure(why: Unsure) -> String {
    match why {
        Unsure::BytesOrCharacters => {
            let why = spoken().of(
                "按字节还是按字符截断，企业微信的文档说法不一",
                "WeCom's pages differ on whether it cuts bytes or characters",
            );
            why.to_owned()
        }
        Unsure::MayRefuse(code) => {
            let why = spoken().of("企业微信可能会拒绝", "WeCom may refuse it");
            coded(why.to_owned(), code)
        }
    }
}

/// A field's name within the whole message.
pub(super) fn join(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

/// The same with the errcode that WeCom would answer, if it has one.
pub(super) fn coded(what: String, code: u32) -> String {
    if code == NO_CODE {
        what
    } else {
        say!("{what}（errcode {code}）", "{what} (errcode {code})")
    }
}

/// A list of words, such as `0, 1 or 2`.
pub(super) fn either(words: &[String]) -> String {
    match words {
        [most @ .., last] if !most.is_empty() => {
            let most = most.join(spoken().of("、", ", "));
            say!("{most} 或 {last}", "{most} or {last}")
        }
        _ => words.concat(),
    }
}
