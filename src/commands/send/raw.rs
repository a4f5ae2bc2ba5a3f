//! Messages in WeCom's own JSON.

use std::ffi::OsStr;

use serde_json::Value;

use super::contents::{Contents, Piece};
use crate::commands::source;
use crate::error::{Exit, Failure};
use crate::lang::say;

/// Reads a message in WeCom's own JSON.
///
/// # Errors
/// `Exit::NoInput` where there is none, `Exit::Data` where it is no message.
pub(super) fn raw(path: &OsStr) -> Result<Contents, Failure> {
    let bytes = source::open(path, None)?.into_bytes();
    let bytes = bytes.read().map_err(|error| {
        let what = say!(
            "无法读取消息：{error}",
            "the message cannot be read: {error}"
        );
        Failure::new(Exit::Io, what)
    })?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let message: Value = serde_json::from_slice(bytes).map_err(|error| {
        bad(say!(
            "消息不是 JSON（{error}）",
            "the message is no JSON: {error}"
        ))
    })?;
    let Value::Object(message) = message else {
        return Err(bad(say!(
            "消息不是 JSON 对象",
            "the message is no JSON object"
        )));
    };
    if !message.get("msgtype").is_some_and(Value::is_string) {
        return Err(bad(say!(
            "消息里没有 msgtype",
            "the message has no msgtype"
        )));
    }
    Ok(Contents {
        text: Value::from(message.clone()).to_string(),
        pieces: vec![Piece::Raw(message)],
    })
}

fn bad(what: String) -> Failure {
    let example = r#"{"msgtype":"text","text":{"content":"…"}}"#;
    Failure::new(Exit::Data, what).hint(say!(
        "按企业微信文档的格式写：{example}",
        "write it as WeCom documents it: {example}"
    ))
}
