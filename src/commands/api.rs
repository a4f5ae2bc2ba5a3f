//! `wxpush api`: makes any call of WeCom's API with the managed token.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::call::Caller;
use super::{load, source};
use crate::cli::{Api, Global, Method};
use crate::config::value::shown;
use crate::error::{Exit, Failure};
use crate::message::media;
use crate::output::{self, Output};
use crate::text::api as text;
use crate::wecom::{ApiAnswer, ApiBody, ApiCall, FormField};

/// The longest answer that is indented for a person, in bytes.
const INDENTED_MAX: usize = 256 << 10;

/// Runs `api`.
pub(super) fn run(args: &Api, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let api_call = ApiCall {
        call: call(&args.path)?,
        body: body(args)?,
    };
    let caller = Caller::new(load(global)?.settings(None)?, "api", output)?;
    let answer = caller.call(args.timeout, &text::the_call(), |delivery| {
        delivery.ask(&api_call)
    })?;
    match answer {
        ApiAnswer::File(bytes) if io::stdout().is_terminal() => {
            Err(text::answer_is_file(bytes.len()).into())
        }
        ApiAnswer::File(bytes) => {
            output::bytes(&bytes)?;
            Ok(Exit::Sent)
        }
        ApiAnswer::Json(answer, refusal) => {
            show(&answer, output)?;
            refusal.map_or(Ok(Exit::Sent), |refusal| Err(refusal.failure().into()))
        }
    }
}

/// Prints an answer: indented for a person, on one line for a program.
fn show(answer: &str, output: Output) -> Result<(), Failure> {
    let is_for_a_person = io::stdout().is_terminal() && !output.json;
    // The values of a long one would take a hundred times its memory.
    if is_for_a_person
        && answer.len() <= INDENTED_MAX
        && let Ok(answer) = serde_json::from_str::<Value>(answer)
    {
        output::json(&format!("{answer:#}"))
    } else {
        output::json(answer)
    }
}

/// Returns the path below `/cgi-bin/`; the command line may include that prefix.
fn call(path: &str) -> Result<String, Failure> {
    if path.contains("://") {
        return Err(text::path_is_url());
    }
    let call = path.trim_start_matches('/');
    let call = call.strip_prefix("cgi-bin/").unwrap_or(call);
    let (name, query) = call.split_once('?').unwrap_or((call, ""));
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let is_name = |part: &str| !["", ".", ".."].contains(&part) && part.bytes().all(is_letter);
    if !name.split('/').all(is_name) || call.contains('#') {
        return Err(text::no_api_path(shown(path)));
    }
    let is_secret = |pair: &str| {
        let key = pair.split('=').next().unwrap_or_default();
        ["access_token", "corpsecret", "key"].contains(&key)
    };
    if query.split('&').any(is_secret) {
        return Err(text::path_holds_secret());
    }
    Ok(call.to_owned())
}

/// Returns the body of the call.
fn body(args: &Api) -> Result<ApiBody, Failure> {
    if args.method == Method::Get {
        if args.data.is_some() || !args.field.is_empty() {
            return Err(text::body_of_get());
        }
        return Ok(ApiBody::Get);
    }
    if !args.field.is_empty() {
        let fields = args.field.iter().map(field);
        return Ok(ApiBody::Form(fields.collect::<Result<_, _>>()?));
    }
    let Some(data) = &args.data else {
        return Ok(ApiBody::Json(b"{}".to_vec()));
    };
    let json = match data.as_bytes() {
        [b'@', path @ ..] => read(OsStr::from_bytes(path))?,
        b"-" => read(OsStr::new("-"))?,
        json => json.to_vec(),
    };
    // Only validated: it is sent byte for byte.
    serde_json::from_slice::<IgnoredAny>(&json).map_err(text::data_is_not_json)?;
    Ok(ApiBody::Json(json))
}

fn read(path: &OsStr) -> Result<Vec<u8>, Failure> {
    let bytes = source::open(path, None)?.into_bytes();
    bytes.read().map_err(text::data_unreadable)
}

/// Parses a field of a form: `NAME=VALUE`, or `NAME=@FILE`.
fn field(field: &OsString) -> Result<FormField, Failure> {
    let bytes = field.as_bytes();
    let end = bytes.iter().position(|byte| *byte == b'=');
    let end = end.filter(|end| *end > 0).ok_or_else(text::no_form_field)?;
    let (filename, bytes) = match &bytes[end + 1..] {
        [b'@', path @ ..] => {
            let source = source::open(OsStr::from_bytes(path), None)?;
            (Some(media::file_name(source.name())), source.into_bytes())
        }
        value => (None, value.to_vec().into()),
    };
    Ok(FormField {
        name: String::from_utf8_lossy(&field.as_bytes()[..end]).into_owned(),
        filename,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_accepted_with_or_without_cgi_bin() {
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
