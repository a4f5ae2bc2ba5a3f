//! What the environment says: the `WXPUSH_*` variables, the locale, systemd's credentials.

use std::env;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use hyper_util::client::proxy::matcher::Matcher;

use super::api_base::ApiBase;
use super::layer::{At, Layer, SecretFrom};
use super::value;
use crate::error::{Exit, Failure};
use crate::lang::{Lang, say};
use crate::secret::Secret;

/// The variable that holds the secret itself: for us alone, and for no program that we start.
pub(crate) const SECRET_VARIABLE: &str = "WXPUSH_CORPSECRET";

/// The directory for files that go with the process.
pub(crate) fn temporary() -> PathBuf {
    env::temp_dir()
}

/// What the environment says.
pub(super) fn layer() -> Result<Layer, Failure> {
    let secret = read(SECRET_VARIABLE, |text| {
        value::secret(text).map(SecretFrom::Text)
    })?;
    let file = read("WXPUSH_CORPSECRET_FILE", |text| {
        from_cwd(text).map(SecretFrom::File)
    })?;
    if secret.is_some() && file.is_some() {
        let what = say!(
            "WXPUSH_CORPSECRET 和 WXPUSH_CORPSECRET_FILE 同时设置了",
            "WXPUSH_CORPSECRET and WXPUSH_CORPSECRET_FILE are both set"
        );
        let hint = say!("两个只留一个", "keep one of them");
        return Err(Failure::new(Exit::Config, what).hint(hint));
    }
    Ok(Layer {
        corpid: read("WXPUSH_CORPID", value::corpid)?,
        secret: secret.or(file),
        agentid: read("WXPUSH_AGENTID", value::agentid)?.map(|at| at.value),
        to: read("WXPUSH_TOUSER", |text| {
            value::receivers(&[vec![text.to_owned()], Vec::new(), Vec::new()])
                .map_err(|why| say!("不对：{why}", "is not right: {why}"))
        })?
        .and_then(|at| at.value),
        state_dir: read("WXPUSH_STATE_DIR", from_cwd)?.map(|at| at.value),
        api_base: read("WXPUSH_API_BASE", ApiBase::parse)?,
        lang: read("WXPUSH_LANG", value::lang)?.map(|at| at.value),
        ..Layer::default()
    })
}

/// A path out of the environment: absolute, since the working directory may be cron's.
fn from_cwd(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(say!("必须是绝对路径", "must be an absolute path"))
    }
}

/// One variable, read by `parse`; an empty one counts as unset.
fn read<T>(
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<At<T>>, Failure> {
    let Some(text) = variable(name)? else {
        return Ok(None);
    };
    let value = parse(&text).map_err(|why| wrong(name, &why))?;
    let spot = spot(name);
    Ok(Some(At { value, spot }))
}

/// A variable as the place of a value.
fn spot(name: &str) -> String {
    say!("环境变量 {name}", "{name} (environment)")
}

fn wrong(name: &str, why: &str) -> Failure {
    Failure::new(Exit::Config, format!("{} {why}", spot(name)))
}

/// One variable; an empty one counts as unset.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    let text = env::var_os(name).filter(|text| !text.is_empty());
    text.map(|text| {
        text.into_string()
            .map_err(|_| wrong(name, &say!("不是 UTF-8", "is not UTF-8")))
    })
    .transpose()
}

/// The proxy that the usual variables name for this API, by curl's rules; none where `no_proxy`
/// excepts it.
///
/// # Errors
/// `Exit::Config` where a variable that counts is no proxy: what it kept off must not go direct.
pub(super) fn proxy(api_base: &ApiBase) -> Result<Option<Secret>, Failure> {
    for name in proxy_variables(api_base) {
        let Some(text) = variable(name)? else {
            continue;
        };
        if is_excepted(api_base)? {
            return Ok(None);
        }
        // Without a scheme it is an http proxy; `socks` is what desktops write for SOCKS5.
        let url = match text.split_once("://") {
            None => format!("http://{text}"),
            Some(("socks", rest)) => format!("socks5://{rest}"),
            Some(_) => text,
        };
        return value::proxy(&url)
            .map(Some)
            .map_err(|why| wrong(name, &why));
    }
    Ok(None)
}

/// The variables that may name a proxy for this API, in order.
pub(super) fn proxy_variables(api_base: &ApiBase) -> &'static [&'static str] {
    if api_base.is_plain() {
        // In capitals it could be a CGI client's header `Proxy`.
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    } else {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    }
}

/// Whether `no_proxy` names the API's host.
fn is_excepted(api_base: &ApiBase) -> Result<bool, Failure> {
    let list = match variable("no_proxy")? {
        Some(list) => Some(list),
        None => variable("NO_PROXY")?,
    };
    let Some(list) = list else {
        return Ok(false);
    };
    if list.trim() == "*" {
        return Ok(true);
    }
    // Any proxy will do to ask for the exceptions.
    let rules = Matcher::builder().all("http://proxy").no(list).build();
    let host = api_base.shown().parse();
    Ok(host.is_ok_and(|host| rules.intercept(&host).is_none()))
}

/// The secret that systemd hands to a service (`LoadCredential=corpsecret:…`).
pub(super) fn credential() -> Option<At<SecretFrom>> {
    let path = PathBuf::from(env::var_os("CREDENTIALS_DIRECTORY")?).join("corpsecret");
    // A relative one would be looked for in the working directory.
    (path.is_absolute() && path.exists()).then(|| At {
        spot: "$CREDENTIALS_DIRECTORY/corpsecret".to_owned(),
        value: SecretFrom::File(path),
    })
}

/// The language that the environment alone asks for, for commands that need no config.
pub(crate) fn language() -> Lang {
    let named = variable("WXPUSH_LANG").ok().flatten();
    named
        .and_then(|text| value::lang(&text).ok())
        .unwrap_or_else(locale)
}

/// The locale's language; C, POSIX and none mean Chinese.
pub(super) fn locale() -> Lang {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| env::var_os(name).filter(|text| !text.is_empty()));
    named.map_or(Lang::Zh, |text| locale_lang(&text))
}

fn locale_lang(text: &OsStr) -> Lang {
    let text = text.as_bytes();
    let plain = [&b"C"[..], b"POSIX"].contains(&text) || text.starts_with(b"C.");
    if plain || text.starts_with(b"zh") {
        Lang::Zh
    } else {
        Lang::En
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_and_no_locale_is_chinese() {
        for (text, lang) in [
            ("C", Lang::Zh),
            ("C.UTF-8", Lang::Zh),
            ("POSIX", Lang::Zh),
            ("zh_CN.UTF-8", Lang::Zh),
            ("en_US.UTF-8", Lang::En),
            ("de_DE", Lang::En),
        ] {
            assert_eq!(locale_lang(OsStr::new(text)), lang, "{text}");
        }
    }
}
