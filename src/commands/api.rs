//! `wxpush api`: any call of WeCom's API with the managed token.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::time::Instant;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::asking::{Asking, unanswered};
use super::{load, source};
use crate::cli::{Api, Global, Method};
use crate::config::value::shown;
use crate::error::{Exit, Failure};
use crate::message::media;
use crate::output::{self, Output};
use crate::wecom::{self, Asked, Field, Question};

/// Runs `api`.
pub(super) fn run(args: &Api, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let call = call(&args.path)?;
    let body = body(args)?;
    let asking = Asking::new(load(global)?.settings(None)?, "api", output)?;
    let delivery = asking.delivery(Instant::now() + args.timeout);
    let asked = delivery
        .ask(&Question { call, body })
        .map_err(|undelivered| unanswered(undelivered, "the call"))?;
    match asked {
        Asked::Bytes(bytes) => {
            if io::stdout().is_terminal() {
                let what = format!("the answer is a file of {} bytes", bytes.len());
                return Err(Failure::new(Exit::Usage, what)
                    .hint("send it somewhere: wxpush api … > FILE")
                    .into());
            }
            output::bytes(&bytes)?;
            Ok(Exit::Sent)
        }
        Asked::Json(answer, refusal) => {
            show(&answer, output)?;
            match refusal {
                None => Ok(Exit::Sent),
                Some(refusal) => Err(refusal.failure().into()),
            }
        }
    }
}

/// An answer: indented where a person reads it, on one line where a program does.
fn show(answer: &Value, output: Output) -> Result<(), Failure> {
    let is_for_a_person = io::stdout().is_terminal() && !output.json;
    let text = if is_for_a_person {
        serde_json::to_string_pretty(answer)
    } else {
        serde_json::to_string(answer)
    };
    let text = text.map_err(|error| Failure::new(Exit::Bug, error.to_string()))?;
    output::raw(&text)
}

/// The path below `/cgi-bin/`, however much of it was typed.
fn call(path: &str) -> Result<String, Failure> {
    let bad = |what: &str, hint: &str| Err(Failure::new(Exit::Usage, what).hint(hint));
    let call = path.trim_start_matches('/');
    let call = call.strip_prefix("cgi-bin/").unwrap_or(call);
    let (name, query) = call.split_once('?').unwrap_or((call, ""));
    if path.contains("://") {
        return bad(
            "a PATH is wanted, not a URL: the host comes from the config",
            "write what stands behind /cgi-bin/, such as user/get?userid=zhangsan",
        );
    }
    let is_path = |part: &str| {
        !part.is_empty()
            && part != ".."
            && part != "."
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    if !name.split('/').all(is_path) || call.contains('#') {
        let what = format!("{} is no path of the API", shown(path));
        return bad(
            &what,
            "write what stands behind /cgi-bin/, such as user/get?userid=zhangsan",
        );
    }
    let secret = |pair: &str| {
        let key = pair.split('=').next().unwrap_or_default();
        ["access_token", "corpsecret", "key"].contains(&key)
    };
    if query.split('&').any(secret) {
        return bad(
            "the path holds a token, a secret or a key",
            "leave it out: wxpush adds the token itself, and a secret on a command line can be seen by others",
        );
    }
    Ok(call.to_owned())
}

/// What goes with the call.
fn body(args: &Api) -> Result<wecom::Asking, Failure> {
    if args.method == Method::Get {
        if args.data.is_some() || !args.field.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                "a GET carries nothing: -d and -F belong to a POST",
            )
            .hint("put parameters into the path: PATH?name=value, or call POST"));
        }
        return Ok(wecom::Asking::Get);
    }
    if !args.field.is_empty() {
        let fields = args.field.iter().map(field);
        return Ok(wecom::Asking::Form(fields.collect::<Result<_, _>>()?));
    }
    let Some(data) = &args.data else {
        return Ok(wecom::Asking::Json(b"{}".to_vec()));
    };
    let bytes = data.as_bytes();
    let text = match bytes.strip_prefix(b"@") {
        Some(path) => read(OsStr::from_bytes(path))?,
        None if bytes == b"-" => read(OsStr::new("-"))?,
        None => bytes.to_vec(),
    };
    // As it was written, to the byte, if it is JSON.
    serde_json::from_slice::<IgnoredAny>(&text).map_err(|error| {
        Failure::new(Exit::Data, format!("what -d gives is no JSON: {error}"))
            .hint("-d takes a JSON text, @FILE, or - for stdin")
    })?;
    Ok(wecom::Asking::Json(text))
}

fn read(path: &OsStr) -> Result<Vec<u8>, Failure> {
    let bytes = source::open(path, None)?.into_bytes();
    bytes
        .read()
        .map_err(|error| Failure::new(Exit::Io, format!("the data cannot be read: {error}")))
}

/// A field of a form: `NAME=VALUE`, or `NAME=@FILE`.
fn field(text: &OsString) -> Result<Field, Failure> {
    let bytes = text.as_bytes();
    let Some(end) = bytes
        .iter()
        .position(|byte| *byte == b'=')
        .filter(|end| *end > 0)
    else {
        return Err(
            Failure::new(Exit::Usage, "-F takes NAME=VALUE, or NAME=@FILE")
                .hint("for instance -F media=@plot.png"),
        );
    };
    let name = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let value = &bytes[end + 1..];
    let Some(path) = value.strip_prefix(b"@") else {
        return Ok(Field {
            name,
            filename: None,
            bytes: value.to_vec().into(),
        });
    };
    let source = source::open(OsStr::from_bytes(path), None)?;
    Ok(Field {
        name,
        filename: Some(media::file_name(source.name())),
        bytes: source.into_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_stands_behind_cgi_bin_however_it_is_typed() {
        for path in [
            "user/get?userid=a",
            "/user/get?userid=a",
            "/cgi-bin/user/get?userid=a",
            "cgi-bin/user/get?userid=a",
        ] {
            assert_eq!(call(path).unwrap(), "user/get?userid=a");
        }
        for bad in [
            "",
            "/",
            "https://a.example/cgi-bin/x",
            "user/../gettoken",
            "user//get",
            "a b",
            "x#y",
            "x?access_token=1",
            "x?a=1&key=2",
            "x?corpsecret=s",
        ] {
            assert_eq!(call(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }
}
