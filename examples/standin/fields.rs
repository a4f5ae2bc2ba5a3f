//! The fields of a JSON body as WeCom reads them: absent and `null` are empty, another type is refused.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// A JSON object.
pub type Fields = Map<String, Value>;

/// Reads a body that has to be one JSON object without control characters spelled as `\u00XX`.
pub fn open(body: &[u8]) -> Result<Fields, Refusal> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return Err(Refusal::wrong_json());
    };
    if has_control_escape(body) {
        return Err(Refusal::of(40033));
    }
    Ok(fields)
}

/// A text, empty if it is absent.
pub fn string<'a>(fields: &'a Fields, key: &str) -> Result<&'a str, Refusal> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Refusal::wrong_json()),
    }
}

/// A text that must be there and not be empty, or else this errcode.
pub fn required<'a>(fields: &'a Fields, key: &str, code: i64) -> Result<&'a str, Refusal> {
    match string(fields, key)? {
        "" => Err(Refusal::of(code)),
        text => Ok(text),
    }
}

/// An integer, with what is meant if it is absent.
pub fn integer(fields: &Fields, key: &str, absent: i64) -> Result<i64, Refusal> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(absent),
        Some(value) => value.as_i64().ok_or_else(Refusal::wrong_json),
    }
}

/// A flag from 0 to this, 0 if it is absent.
pub fn flag(fields: &Fields, key: &str, most: i64) -> Result<i64, Refusal> {
    let value = integer(fields, key, 0)?;
    if (0..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Refusal::of(40059))
    }
}

/// An object, if it is there.
pub fn object<'a>(fields: &'a Fields, key: &str) -> Result<Option<&'a Fields>, Refusal> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(inner)) => Ok(Some(inner)),
        Some(_) => Err(Refusal::wrong_json()),
    }
}

/// The objects of a list, none if it is absent.
pub fn objects<'a>(fields: &'a Fields, key: &str) -> Result<Vec<&'a Fields>, Refusal> {
    let objects = list(fields, key)?.iter().map(Value::as_object);
    objects
        .collect::<Option<_>>()
        .ok_or_else(Refusal::wrong_json)
}

/// The texts of a list, none if it is absent.
pub fn strings(fields: &Fields, key: &str) -> Result<Vec<String>, Refusal> {
    let texts = list(fields, key)?
        .iter()
        .map(|one| one.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or_else(Refusal::wrong_json)
}

fn list<'a>(fields: &'a Fields, key: &str) -> Result<&'a [Value], Refusal> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(Refusal::wrong_json()),
    }
}

/// What is left of a text that WeCom cuts; it cuts between bytes, not characters.
pub fn cut(text: &str, bytes: usize) -> String {
    String::from_utf8_lossy(&text.as_bytes()[..text.len().min(bytes)]).into_owned()
}

/// Whether a JSON text spells a control character as `\u00XX`.
fn has_control_escape(body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let digits = rest.get(at + 2..at + 6).filter(|_| rest[at + 1] == b'u');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let character = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if character
            .and_then(char::from_u32)
            .is_some_and(char::is_control)
        {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}
