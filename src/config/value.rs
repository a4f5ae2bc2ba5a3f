//! The forms of a single text from an option, the environment or a file.
//!
//! No error repeats the text: it may be a misplaced secret.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{Expected, Invalid, nearest};
pub(crate) use super::redact::shown;
use super::redact::{could_be_secret, is_placeholder};
use super::url::with_host;
use crate::lang::Lang;
use crate::message::{RecipientError, Recipients};
use crate::secret::Secret;

/// The program in which a message is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShowIn {
    /// WeCom, which shows every kind.
    WeCom,
    /// Ordinary WeChat, which shows no markdown and no cards.
    WeChat,
}

/// The lowest level that is logged; `None` for `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level(pub(crate) Option<tracing::Level>);

/// When a new log file is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// Never: one file, rotated by logrotate or not at all.
    Never,
    /// Each day, by UTC.
    Daily,
}

/// The most characters of a callback's Token. Source: path 90930.
const TOKEN_MAX: usize = 32;

/// The characters of a callback's `EncodingAESKey`. Source: path 90968.
const KEY_LENGTH: usize = 43;

/// The characters of a key for `wxpush http`: those that gotify makes have 15.
const HTTP_KEY: RangeInclusive<usize> = 12..=128;

/// The default maximum age of a kept message: a long weekend.
pub(crate) const MAX_AGE: Duration = Duration::from_hours(3 * 24);

/// The longest maximum age, in days: a host that is off for longer is forgotten.
const MAX_AGE_DAYS: u64 = 365;

/// The longest duration, in seconds: a century, more than any setting needs.
const DURATION_MAX: u64 = 100 * 366 * 86400;

/// Parses `90s`, `10m`, `5h`, `3d` or a sum such as `1h30m`, longer than zero.
pub(crate) fn duration(text: &str) -> Result<Duration, Invalid> {
    let wrong = Invalid::Not(Expected::Duration);
    let mut seconds = Some(0u64);
    let mut rest = text;
    while let Some(end) = rest.find(|c: char| !c.is_ascii_digit()) {
        let (count, unit) = rest.split_at(end);
        let length = match unit.as_bytes()[0] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86400,
            _ => return Err(wrong),
        };
        let count: u64 = count.parse().map_err(|_| wrong.clone())?;
        let more = count.checked_mul(length);
        seconds = seconds.and_then(|sum| sum.checked_add(more?));
        rest = &unit[1..];
    }
    match seconds {
        _ if text.is_empty() || !rest.is_empty() => Err(wrong),
        Some(0) => Err(Invalid::ZeroDuration),
        Some(sum) if sum <= DURATION_MAX => Ok(Duration::from_secs(sum)),
        _ => Err(wrong),
    }
}

/// Parses the maximum age of a kept message.
pub(super) fn max_age(text: &str) -> Result<Duration, Invalid> {
    let age = duration(text)?;
    if age > Duration::from_hours(MAX_AGE_DAYS * 24) {
        return Err(Invalid::LongerThan { days: MAX_AGE_DAYS });
    }
    Ok(age)
}

/// Parses `robots.NAME`, or nothing; returns the name.
pub(super) fn fallback(text: &str) -> Result<String, Invalid> {
    let name = text.strip_prefix("robots.").filter(|name| !name.is_empty());
    match name {
        None if !text.is_empty() => Err(Invalid::Not(Expected::Fallback)),
        name => Ok(name.unwrap_or_default().to_owned()),
    }
}

/// Parses the id of a company.
pub(crate) fn corpid(text: &str) -> Result<String, Invalid> {
    printable(text).map(str::to_owned)
}

/// Parses the secret of an app.
pub(crate) fn secret(text: &str) -> Result<Secret, Invalid> {
    printable(text).map(Secret::new)
}

/// Parses an errcode.
pub(crate) fn errcode(text: &str) -> Result<i64, Invalid> {
    text.parse().map_err(|_| Invalid::Not(Expected::Errcode))
}

/// Parses a number of times, at least 1.
pub(crate) fn times(text: &str) -> Result<u64, Invalid> {
    let times = text.parse().ok().filter(|times| *times > 0);
    times.ok_or(Invalid::Not(Expected::AtLeast(1)))
}

/// Parses a number of lines.
pub(crate) fn lines(text: &str) -> Result<usize, Invalid> {
    text.parse().map_err(|_| Invalid::Not(Expected::AtLeast(0)))
}

/// Parses a name that may not be empty.
pub(crate) fn name(text: &str) -> Result<String, Invalid> {
    let name = Some(text).filter(|text| !text.is_empty());
    name.map(str::to_owned).ok_or(Invalid::Empty)
}

/// Parses an address with a port to listen at.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, Invalid> {
    text.parse().map_err(|_| Invalid::Not(Expected::Listen))
}

/// Parses the Token of a callback.
pub(super) fn callback_token(text: &str) -> Result<String, Invalid> {
    let is_one = text.len() <= TOKEN_MAX && text.bytes().all(|it| it.is_ascii_alphanumeric());
    let token = is_one.then(|| text.to_owned());
    token.ok_or(Invalid::Not(Expected::CallbackToken))
}

/// Parses the `EncodingAESKey` of a callback.
pub(super) fn callback_key(text: &str) -> Result<String, Invalid> {
    let is_one = text.len() == KEY_LENGTH && text.bytes().all(|it| it.is_ascii_alphanumeric());
    let key = is_one.then(|| text.to_owned());
    key.ok_or(Invalid::Not(Expected::CallbackKey))
}

/// Parses the key of a group robot.
pub(super) fn robot_key(text: &str) -> Result<Secret, Invalid> {
    let key = printable(text)?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !key.bytes().all(is_part) {
        return Err(Invalid::NotRobotKey);
    }
    Ok(Secret::new(key))
}

/// Parses a key for `wxpush http`: it stands in paths, queries and headers, and anybody may guess.
pub(super) fn http_key(text: &str) -> Result<Secret, Invalid> {
    let key = printable(text)?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !HTTP_KEY.contains(&key.len()) || !key.bytes().all(is_part) {
        return Err(Invalid::Not(Expected::HttpKey));
    }
    Ok(Secret::new(key))
}

/// Checks a possible id or secret: no placeholder, no space, nothing invisible.
fn printable(text: &str) -> Result<&str, Invalid> {
    if text.is_empty() {
        Err(Invalid::Empty)
    } else if is_placeholder(text) {
        Err(Invalid::Placeholder)
    } else if text.starts_with(['"', '\'']) && text.ends_with(['"', '\'']) {
        // As `docker --env-file` passes them on.
        Err(Invalid::Quoted)
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err(Invalid::Unprintable)
    } else {
        Ok(text)
    }
}

/// Parses `touser`, `toparty` and `totag`; returns `None` if all are blank.
pub(crate) fn recipients(lists: &[Vec<String>; 3]) -> Result<Option<Recipients>, Invalid> {
    let [touser, toparty, totag] = lists.each_ref().map(|list| list.iter().map(String::as_str));
    let recipients = Recipients::parse(touser, toparty, totag).map_err(recipient)?;
    let is_blank = lists.iter().flatten().all(|text| text.trim().is_empty());
    match (recipients.is_empty(), is_blank) {
        (true, true) => Ok(None),
        // Otherwise all default recipients would get a message for specific ones.
        (true, false) => Err(Invalid::NoRecipients),
        (false, _) => Ok(Some(recipients)),
    }
}

/// Parses the id of a group chat.
pub(super) fn chat(text: &str) -> Result<Recipients, Invalid> {
    Recipients::chat(text).map_err(recipient)
}

/// Returns the reason why a name is no recipient, without the name if it could be a secret.
fn recipient(why: RecipientError) -> Invalid {
    if why.name().is_some_and(could_be_secret) {
        Invalid::HiddenRecipient
    } else {
        Invalid::Recipient(why)
    }
}

/// Parses the id of an app.
pub(crate) fn agentid(text: &str) -> Result<u32, Invalid> {
    // Source of the range: WeCom assigns ids from 1000002 on; its own apps have smaller ones.
    match text.trim().parse::<u32>() {
        Ok(0) => Err(Invalid::Placeholder),
        Ok(id) if i32::try_from(id).is_ok() => Ok(id),
        _ => Err(Invalid::Not(Expected::Agentid)),
    }
}

/// Parses a language.
pub(crate) fn lang(text: &str) -> Result<Lang, Invalid> {
    one_of(text, &[("zh", Lang::Zh), ("en", Lang::En)])
}

/// Parses the program in which messages are read.
pub(super) fn show_in(text: &str) -> Result<ShowIn, Invalid> {
    one_of(
        text,
        &[("wecom", ShowIn::WeCom), ("wechat", ShowIn::WeChat)],
    )
}

/// Parses a log level.
pub(super) fn level(text: &str) -> Result<Level, Invalid> {
    one_of(
        text,
        &[
            ("off", Level(None)),
            ("error", Level(Some(tracing::Level::ERROR))),
            ("warn", Level(Some(tracing::Level::WARN))),
            ("info", Level(Some(tracing::Level::INFO))),
            ("debug", Level(Some(tracing::Level::DEBUG))),
            ("trace", Level(Some(tracing::Level::TRACE))),
        ],
    )
}

/// Parses the rotation of the log.
pub(super) fn rotation(text: &str) -> Result<Rotation, Invalid> {
    one_of(
        text,
        &[("never", Rotation::Never), ("daily", Rotation::Daily)],
    )
}

/// Parses one word from a list.
fn one_of<T: Copy>(text: &str, words: &[(&'static str, T)]) -> Result<T, Invalid> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let meant = nearest(text, words.iter().copied());
    Err(Invalid::NotOneOf { words, meant })
}

/// Parses an IP address of this host.
pub(super) fn address(text: &str) -> Result<IpAddr, Invalid> {
    text.parse().map_err(|_| Invalid::Not(Expected::Address))
}

/// Parses a path, relative to `base`; without one it must be absolute.
pub(super) fn path(text: &str, base: Option<&Path>) -> Result<PathBuf, Invalid> {
    let path = Path::new(text);
    match base {
        _ if text.is_empty() || text.contains('\0') => Err(Invalid::Not(Expected::Path)),
        Some(base) => Ok(base.join(path)),
        None if path.is_absolute() => Ok(path.to_owned()),
        None => Err(Invalid::Not(Expected::AbsolutePath)),
    }
}

/// Parses the URL of a proxy, which may contain a password.
pub(crate) fn proxy(text: &str) -> Result<Secret, Invalid> {
    let url = with_host(text, Expected::ProxyUrl)?;
    let is_known = ["http", "https", "socks5", "socks5h"].contains(&url.scheme());
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none();
    if is_known && is_bare && url.fragment().is_none() {
        Ok(Secret::new(text))
    } else {
        Err(Invalid::Not(Expected::ProxyUrl))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_units() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("5h", 18000),
            ("3d", 259_200),
            ("1h30m", 5400),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "90",
            "s",
            "1x",
            "1h30",
            "-1s",
            "0s",
            "1.5h",
            "99999999999999999999s",
            "9999999999d",
            "١s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_hold_no_space_and_are_never_repeated() {
        for text in [
            "",
            "two words 1234",
            "line\nbreak",
            "naïve-secret",
            " lead1234",
        ] {
            let error = format!("{:?}", secret(text).unwrap_err());
            assert!(text.is_empty() || !error.contains(text.trim()), "{error}");
        }
    }

    #[test]
    fn agentids_are_whole_positive_numbers() {
        assert_eq!(agentid("1000002"), Ok(1_000_002));
        for text in [
            "",
            "0",
            "-1",
            "1.5",
            "9223372036854775808",
            "2147483648",
            "agent",
        ] {
            assert!(agentid(text).is_err(), "{text}");
        }
    }
}
