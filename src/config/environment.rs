//! The environment: the `WXPUSH_*` variables, the proxy's, the locale, systemd's credentials.

use std::env;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use hyper_util::client::proxy::matcher::Matcher;
use toml::de::DeValue;

use super::api_base::ApiBase;
use super::error::{ConfigError, Expected, Invalid, Spot};
use super::input::{At, RawValue, SecretFrom};
use super::keys::{KEYS, Layer};
use super::value;
use crate::disk;
use crate::lang::Lang;
use crate::secret::Secret;

/// The variable that names a config.
pub(crate) const CONFIG_VARIABLE: &str = "WXPUSH_CONFIG";

/// The variable that names a profile.
pub(super) const PROFILE_VARIABLE: &str = "WXPUSH_PROFILE";

/// The variable that names the user besides root whose files root uses.
const TRUST_VARIABLE: &str = "WXPUSH_TRUST_OWNER";

/// The variable that holds the secret itself: hidden from all programs that we start.
pub(crate) const SECRET_VARIABLE: &str = "WXPUSH_CORPSECRET";

/// The variables that fix what `callback` shows: the Token and the `EncodingAESKey`.
const CALLBACK_VARIABLES: [&str; 2] = ["WXPUSH_CALLBACK_TOKEN", "WXPUSH_CALLBACK_AESKEY"];

/// Returns the directory for temporary files.
pub(crate) fn temporary() -> PathBuf {
    env::temp_dir()
}

/// Lists the variables that set a value of the config, or name the config.
pub(super) fn variables() -> impl Iterator<Item = &'static str> {
    let keys = KEYS.iter().filter_map(|key| key.variable);
    let others = [CONFIG_VARIABLE, PROFILE_VARIABLE, TRUST_VARIABLE];
    others.into_iter().chain(CALLBACK_VARIABLES).chain(keys)
}

/// Returns Token and `EncodingAESKey` for `callback`, if they are set.
///
/// # Errors
/// If one is not of WeCom's form.
pub(crate) fn callback_variables() -> Result<[Option<String>; 2], ConfigError> {
    let [token, key] = CALLBACK_VARIABLES;
    let parsed = |name, parse: fn(&str) -> Result<String, Invalid>| {
        let value = variable(name)?.map(|text| parse(&text)).transpose();
        value.map_err(|reason| invalid(name, reason))
    };
    Ok([
        parsed(token, value::callback_token)?,
        parsed(key, value::callback_key)?,
    ])
}

/// Lets root use the files of the user whom the variable names.
///
/// # Errors
/// If it is no user id.
pub(crate) fn trust_owner() -> Result<(), ConfigError> {
    if let Some(uid) = variable(TRUST_VARIABLE)? {
        let uid = uid.parse();
        let wrong = |_| invalid(TRUST_VARIABLE, Invalid::Not(Expected::Uid));
        disk::trust_owner(uid.map_err(wrong)?);
    }
    Ok(())
}

/// Reads all keys that have a variable.
pub(super) fn layer() -> Result<Layer, ConfigError> {
    let mut layer = Layer::default();
    for key in KEYS {
        let Some(name) = key.variable else { continue };
        let Some(text) = variable(name)? else {
            continue;
        };
        let input = RawValue {
            value: &DeValue::String(text.into()),
            // The working directory may be cron's.
            base: None,
            spot: &|| Spot::Variable(name),
        };
        (key.read)(&input, &mut layer).map_err(|reason| invalid(name, reason))?;
    }
    Ok(layer)
}

fn invalid(name: &'static str, reason: Invalid) -> ConfigError {
    let spot = Spot::Variable(name);
    ConfigError::Invalid { spot, reason }
}

/// Reads the variable of this name, if it is one of our own.
pub(crate) fn variable_named(name: &str) -> Result<Option<String>, ConfigError> {
    match variables().find(|known| *known == name) {
        Some(name) => variable(name),
        None => Ok(None),
    }
}

/// Reads a variable; an empty one counts as unset.
pub(super) fn variable(name: &'static str) -> Result<Option<String>, ConfigError> {
    let text = env::var_os(name).filter(|text| !text.is_empty());
    let text = text.map(std::ffi::OsString::into_string).transpose();
    text.map_err(|_| invalid(name, Invalid::NotUtf8))
}

/// Returns the proxy that the usual variables name for this API, by curl's rules; `None` if
/// `no_proxy` excepts the API.
///
/// # Errors
/// If the first variable that counts is not a valid proxy: without it the secret would be sent
/// directly.
pub(super) fn proxy(api_base: &ApiBase) -> Result<Option<Secret>, ConfigError> {
    for name in proxy_variables(api_base) {
        let Some(text) = variable(name)? else {
            continue;
        };
        if is_excepted(api_base)? {
            return Ok(None);
        }
        // Without a scheme it is an http proxy; desktops write `socks` for SOCKS5.
        let url = match text.split_once("://") {
            None => format!("http://{text}"),
            Some(("socks", rest)) => format!("socks5://{rest}"),
            Some(_) => text,
        };
        let proxy = value::proxy(&url);
        return proxy.map(Some).map_err(|reason| invalid(name, reason));
    }
    Ok(None)
}

/// Returns the variables that may name a proxy for this API, in order.
pub(super) fn proxy_variables(api_base: &ApiBase) -> &'static [&'static str] {
    if api_base.is_plain() {
        // In capitals it could be a CGI client's header `Proxy`.
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    } else {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    }
}

/// Whether `no_proxy` names the API's host.
fn is_excepted(api_base: &ApiBase) -> Result<bool, ConfigError> {
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
    // The exceptions are queried with an arbitrary proxy.
    let rules = Matcher::builder().all("http://proxy").no(list).build();
    let host = api_base.shown().parse();
    Ok(host.is_ok_and(|host| rules.intercept(&host).is_none()))
}

/// Returns the secret that systemd passes to a service (`LoadCredential=corpsecret:…`).
pub(super) fn credential() -> Option<At<SecretFrom>> {
    let path = PathBuf::from(env::var_os("CREDENTIALS_DIRECTORY")?).join("corpsecret");
    // A relative path would be resolved in the working directory.
    (path.is_absolute() && path.exists()).then_some(At {
        spot: Spot::Credential,
        value: SecretFrom::File(path),
    })
}

/// Returns the language by the environment alone, for commands that need no config.
pub(crate) fn language() -> Lang {
    let named = variable("WXPUSH_LANG").ok().flatten();
    let named = named.and_then(|text| value::lang(&text).ok());
    named.unwrap_or_else(locale)
}

/// Returns the locale's language: Chinese if it is Chinese, or if there is none.
pub(super) fn locale() -> Lang {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| env::var_os(name).filter(|text| !text.is_empty()));
    named.map_or(Lang::Zh, |text| locale_lang(&text))
}

fn locale_lang(text: &OsStr) -> Lang {
    if text.as_bytes().starts_with(b"zh") {
        Lang::Zh
    } else {
        Lang::En
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_locale_but_a_chinese_one_is_english() {
        for (text, lang) in [
            ("C", Lang::En),
            ("C.UTF-8", Lang::En),
            ("POSIX", Lang::En),
            ("zh_CN.UTF-8", Lang::Zh),
            ("en_US.UTF-8", Lang::En),
            ("de_DE", Lang::En),
        ] {
            assert_eq!(locale_lang(OsStr::new(text)), lang, "{text}");
        }
    }
}
