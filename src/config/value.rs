//! What a single value may be, wherever it was written: option, environment or file.
//!
//! Each reader answers in words that fit behind the name of the key, and never repeats the
//! value: it may be a secret in the wrong place.

mod guard;

use std::borrow::Borrow;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) use guard::could_be_secret;
pub(crate) use guard::shown;

use crate::lang::{Lang, say, spoken};
use crate::message::Envelope;
use crate::secret::Secret;
use guard::is_placeholder;

/// Which program a message is to be read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShowIn {
    /// WeCom, which shows every kind.
    WeCom,
    /// Ordinary WeChat, which shows no markdown and no cards.
    WeChat,
}

/// The least level that the log holds; none for `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level(pub(crate) Option<tracing::Level>);

/// When a new log file is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// Never: one file, for logrotate or nobody.
    Never,
    /// Each day, by UTC.
    Daily,
}

/// Reads `90s`, `10m`, `5h`, `3d` or a sum such as `1h30m`; more than nothing.
///
/// # Errors
/// In words.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        say!(
            "不是一段时间：写成 90s、10m、5h、3d 或 1h30m",
            "is not a duration: write 90s, 10m, 5h, 3d or 1h30m"
        )
    };
    let mut seconds = 0u64;
    let mut digits = String::new();
    for character in text.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let unit = match character {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            _ => return Err(wrong()),
        };
        let count: u64 = digits.parse().map_err(|_| wrong())?;
        digits.clear();
        seconds = count
            .checked_mul(unit)
            .and_then(|more| seconds.checked_add(more))
            .ok_or_else(wrong)?;
    }
    // A century is more than any of our durations means.
    if digits.is_empty() && seconds == 0 && !text.is_empty() {
        return Err(say!("必须大于零", "must be more than nothing"));
    }
    if !digits.is_empty() || seconds == 0 || seconds > 100 * 366 * 86400 {
        return Err(wrong());
    }
    Ok(Duration::from_secs(seconds))
}

/// Longest time for which a message is kept, in days: more would be a forgotten host's.
const MAX_AGE_DAYS: u64 = 365;

/// Reads how old a kept message may become.
pub(super) fn max_age(text: &str) -> Result<Duration, String> {
    let age = duration(text)?;
    if age.as_secs() > MAX_AGE_DAYS * 86400 {
        return Err(say!(
            "最多 {MAX_AGE_DAYS}d",
            "must be {MAX_AGE_DAYS}d at the most"
        ));
    }
    Ok(age)
}

/// Reads an enterprise id.
pub(crate) fn corpid(text: &str) -> Result<String, String> {
    visible_word(text).map(str::to_owned)
}

/// Reads the secret of an app.
pub(crate) fn secret(text: &str) -> Result<Secret, String> {
    visible_word(text).map(Secret::new)
}

/// Reads the key of a group robot.
pub(crate) fn robot_key(text: &str) -> Result<Secret, String> {
    let key = visible_word(text)?;
    if key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        Ok(Secret::new(key))
    } else {
        Err(say!(
            "不是群机器人的 key：只写它的 Webhook 地址里 key= 后面的部分",
            "is not a robot's key: write what stands behind key= in its webhook URL, and no more"
        ))
    }
}

/// A text that could be an id or a secret: no placeholder, no spaces, nothing invisible.
fn visible_word(text: &str) -> Result<&str, String> {
    if text.is_empty() {
        return Err(say!("是空的", "is empty"));
    }
    if is_placeholder(text) {
        return Err(say!(
            "还是占位符：换成真正的值",
            "is still a placeholder: put the real value there"
        ));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(say!(
            "里有空格、换行，或不可能属于它的字符",
            "holds a space, a line break or a character that cannot be part of it"
        ));
    }
    Ok(text)
}

/// Reads `touser`, `toparty` and `totag`; none if all are blank.
pub(crate) fn receivers(lists: &[Vec<String>; 3]) -> Result<Option<Envelope>, String> {
    let [touser, toparty, totag] = lists.each_ref().map(|list| list.iter().map(String::as_str));
    let envelope = Envelope::parse(touser, toparty, totag).map_err(|why| {
        if could_be_secret(&why) {
            say!(
                "其中有不可能是收件人的内容",
                "it names something that cannot be a receiver"
            )
        } else {
            why
        }
    })?;
    let blank = lists.iter().flatten().all(|text| text.trim().is_empty());
    match (envelope.is_empty(), blank) {
        (true, true) => Ok(None),
        // Everybody would get what was meant for somebody.
        (true, false) => Err(say!("一个收件人也没写", "it names nobody")),
        (false, _) => Ok(Some(envelope)),
    }
}

/// What an app's id is, for `must_be`.
pub(super) fn wanted_agentid() -> &'static str {
    spoken().of(
        "应用的 AgentId，一个整数，例如 1000002",
        "the app's AgentId, a whole number such as 1000002",
    )
}

/// That a value must be something, in words that fit behind its key.
pub(super) fn must_be(wanted: &str) -> String {
    say!("必须是{wanted}", "must be {wanted}")
}

/// Reads an app's id, which is written with or without quotes.
pub(crate) fn agentid(text: &str) -> Result<u32, String> {
    // Source of the range: WeCom gives ids from 1000002 on; its own apps have smaller ones.
    match text.trim().parse::<u32>() {
        Ok(0) => Err(say!(
            "还是占位符：换成应用的 AgentId，例如 1000002",
            "is still a placeholder: put the app's AgentId there, such as 1000002"
        )),
        Ok(id) if i32::try_from(id).is_ok() => Ok(id),
        _ => Err(must_be(wanted_agentid())),
    }
}

/// Reads a language.
pub(crate) fn lang(text: &str) -> Result<Lang, String> {
    one_of(text, &[("zh", Lang::Zh), ("en", Lang::En)])
}

/// Reads a level of the log.
pub(crate) fn level(text: &str) -> Result<Level, String> {
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

/// Reads how the log is rotated.
pub(crate) fn rotation(text: &str) -> Result<Rotation, String> {
    one_of(
        text,
        &[("never", Rotation::Never), ("daily", Rotation::Daily)],
    )
}

/// Reads one word out of a list.
pub(crate) fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let meant = nearest(text, &names).map_or(String::new(), |word| {
        let meant = did_you_mean(word);
        say!("；{meant}", "; {meant}")
    });
    let names = listed(&names);
    Err(say!(
        "只能是其中之一：{names}{meant}",
        "must be one of {names}{meant}"
    ))
}

/// Names one after the other.
pub(super) fn listed(names: &[impl Borrow<str>]) -> String {
    names.join(spoken().of("、", ", "))
}

/// The question after a name that is only like one that is known.
pub(super) fn did_you_mean(word: &str) -> String {
    say!("是不是 {word}？", "did you mean {word}?")
}

/// The known name that is most like `name`, if one is.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .iter()
        .map(|&word| (strsim::jaro_winkler(&name, word), word))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// Reads an IP address of this host.
pub(crate) fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        say!(
            "必须是本机的一个 IP 地址，例如 192.0.2.7",
            "must be an IP address of this host, such as 192.0.2.7"
        )
    })
}

/// Reads a path; a relative one is relative to `base`.
pub(crate) fn path(text: &str, base: &Path) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err(say!("必须是一个路径", "must be a path"));
    }
    Ok(base.join(text))
}

/// Reads the URL of a proxy; it may hold a password.
pub(crate) fn proxy(text: &str) -> Result<Secret, String> {
    let wrong = || {
        say!(
            "必须是代理的地址，例如 http://192.0.2.7:3128 或 socks5://192.0.2.7:1080",
            "must be a proxy such as http://192.0.2.7:3128 or socks5://192.0.2.7:1080"
        )
    };
    let url = reqwest::Url::parse(text).map_err(|_| wrong())?;
    if !["http", "https", "socks5", "socks5h"].contains(&url.scheme()) || !url.has_host() {
        return Err(wrong());
    }
    Ok(Secret::new(text))
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
            let error = secret(text).unwrap_err();
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
