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
use crate::lang::{say, spoken};
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
        .map_err(|undelivered| unanswered(undelivered, spoken().of("调用", "the call")))?;
    match asked {
        Asked::Bytes(bytes) => {
            if io::stdout().is_terminal() {
                let size = bytes.len();
                let what = say!(
                    "答复是一个 {size} 字节的文件",
                    "the answer is a file of {size} bytes"
                );
                let hint = spoken().of(
                    "把它重定向到文件：wxpush api … > FILE",
                    "send it somewhere: wxpush api … > FILE",
                );
                return Err(Failure::new(Exit::Usage, what).hint(hint).into());
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
    let bad = |what: String, (zh, en)| {
        let hint = spoken().of::<&str>(zh, en);
        Err(Failure::new(Exit::Usage, what).hint(hint))
    };
    let behind = (
        "写 /cgi-bin/ 之后的部分，如 user/get?userid=zhangsan",
        "write what stands behind /cgi-bin/, such as user/get?userid=zhangsan",
    );
    let call = path.trim_start_matches('/');
    let call = call.strip_prefix("cgi-bin/").unwrap_or(call);
    let (name, query) = call.split_once('?').unwrap_or((call, ""));
    if path.contains("://") {
        let what = say!(
            "这里要的是 PATH，不是 URL：主机由配置文件决定",
            "a PATH is wanted, not a URL: the host comes from the config"
        );
        return bad(what, behind);
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
        let path = shown(path);
        let what = say!("{path} 不是接口路径", "{path} is no path of the API");
        return bad(what, behind);
    }
    let secret = |pair: &str| {
        let key = pair.split('=').next().unwrap_or_default();
        ["access_token", "corpsecret", "key"].contains(&key)
    };
    if query.split('&').any(secret) {
        let what = say!(
            "路径里有 access_token、corpsecret 或 key",
            "the path holds a token, a secret or a key"
        );
        let hint = (
            "去掉它：wxpush 会自己加上 access_token，而命令行里的密钥别人看得到",
            "leave it out: wxpush adds the token itself, and a secret on a command line can be seen by others",
        );
        return bad(what, hint);
    }
    Ok(call.to_owned())
}

/// What goes with the call.
fn body(args: &Api) -> Result<wecom::Asking, Failure> {
    if args.method == Method::Get {
        if args.data.is_some() || !args.field.is_empty() {
            let what = spoken().of(
                "GET 不带请求体：-d 和 -F 只用于 POST",
                "a GET carries nothing: -d and -F belong to a POST",
            );
            let hint = spoken().of(
                "把参数写进路径：PATH?name=value，或改用 POST",
                "put parameters into the path: PATH?name=value, or call POST",
            );
            return Err(Failure::new(Exit::Usage, what).hint(hint));
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
        let what = say!(
            "-d 给出的不是 JSON（{error}）",
            "what -d gives is no JSON: {error}"
        );
        let hint = spoken().of(
            "-d 可以是 JSON 文本、@FILE，或 - 表示 stdin",
            "-d takes a JSON text, @FILE, or - for stdin",
        );
        Failure::new(Exit::Data, what).hint(hint)
    })?;
    Ok(wecom::Asking::Json(text))
}

fn read(path: &OsStr) -> Result<Vec<u8>, Failure> {
    let bytes = source::open(path, None)?.into_bytes();
    bytes.read().map_err(|error| {
        let what = say!("无法读取数据：{error}", "the data cannot be read: {error}");
        Failure::new(Exit::Io, what)
    })
}

/// A field of a form: `NAME=VALUE`, or `NAME=@FILE`.
fn field(text: &OsString) -> Result<Field, Failure> {
    let bytes = text.as_bytes();
    let Some(end) = bytes
        .iter()
        .position(|byte| *byte == b'=')
        .filter(|end| *end > 0)
    else {
        let what = spoken().of(
            "-F 要写成 NAME=VALUE 或 NAME=@FILE",
            "-F takes NAME=VALUE, or NAME=@FILE",
        );
        let hint = spoken().of("例如 -F media=@plot.png", "for instance -F media=@plot.png");
        return Err(Failure::new(Exit::Usage, what).hint(hint));
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
