//! What a single value may be, wherever it was written: option, environment or file.
//!
//! Each reader answers in words that fit behind the name of the key, and never repeats the
//! value: it may be a secret in the wrong place.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::lang::Lang;
use crate::message::Envelope;
use crate::secret::Secret;

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
    let wrong = || "is not a duration: write 90s, 10m, 5h, 3d or 1h30m".to_owned();
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
        return Err("must be more than nothing".to_owned());
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
        return Err(format!("must be {MAX_AGE_DAYS}d at the most"));
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
        Err(
            "is not a robot's key: write what stands behind key= in its webhook URL, and no more"
                .to_owned(),
        )
    }
}

/// A text that could be an id or a secret: no placeholder, no spaces, nothing invisible.
fn visible_word(text: &str) -> Result<&str, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if is_placeholder(text) {
        return Err("is still a placeholder: put the real value there".to_owned());
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            "holds a space, a line break or a character that cannot be part of it".to_owned(),
        );
    }
    Ok(text)
}

/// Whether a text is what examples show where the real value belongs.
fn is_placeholder(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    let dotted = lower.contains('…') || lower.contains("...");
    let crossed = lower
        .trim_matches(['x', '*', '-', '_', '.', '?'])
        .is_empty();
    let framed = [("<", ">"), ("{", "}"), ("[", "]"), ("${", "}")]
        .iter()
        .any(|(open, close)| lower.starts_with(open) && lower.ends_with(close));
    let named = [
        "changeme",
        "change-me",
        "change_me",
        "replace",
        "your-",
        "your_",
        "yourcorp",
        "yoursecret",
        "placeholder",
    ]
    .iter()
    .any(|word| lower.contains(word));
    let label = [
        "corpid",
        "corpsecret",
        "secret",
        "todo",
        "key",
        "wwxxxxxxxxxxxxxxxx",
    ]
    .contains(&&*lower);
    let chinese = ["你的", "填", "替换", "企业id"]
        .iter()
        .any(|word| lower.contains(word));
    dotted || crossed || framed || named || label || chinese
}

/// Longest word that is certainly no secret, in bytes.
///
/// WeCom's secrets have 43 letters, digits, `-` and `_`, robots' keys 36; no name of ours has 20.
const NAME_MAX: usize = 31;

/// Whether a text has a word as long as a secret: then it is not repeated, wherever it stood.
pub(super) fn could_be_secret(text: &str) -> bool {
    text.split(is_no_part).any(|word| word.len() > NAME_MAX)
}

/// What a user wrote, as it may be repeated: without what could be a secret.
pub(crate) fn shown(text: &str) -> String {
    let words = text.split_inclusive(is_no_part);
    words
        .map(|word| match word.trim_end_matches(is_no_part) {
            long if long.len() > NAME_MAX => format!("(hidden){}", &word[long.len()..]),
            _ => word.to_owned(),
        })
        .collect()
}

fn is_no_part(character: char) -> bool {
    !character.is_ascii_alphanumeric() && character != '-' && character != '_'
}

/// Reads `touser`, `toparty` and `totag`; none if all are blank.
pub(super) fn receivers(lists: &[Vec<String>; 3]) -> Result<Option<Envelope>, String> {
    let [touser, toparty, totag] = lists.each_ref().map(|list| list.iter().map(String::as_str));
    let envelope = Envelope::parse(touser, toparty, totag).map_err(|why| {
        if could_be_secret(&why) {
            "it names something that cannot be a receiver".to_owned()
        } else {
            why
        }
    })?;
    let blank = lists.iter().flatten().all(|text| text.trim().is_empty());
    match (envelope.is_empty(), blank) {
        (true, true) => Ok(None),
        // Everybody would get what was meant for somebody.
        (true, false) => Err("it names nobody".to_owned()),
        (false, _) => Ok(Some(envelope)),
    }
}

/// Reads an app's id, which is written with or without quotes.
pub(crate) fn agentid(text: &str) -> Result<u32, String> {
    // Source of the range: WeCom gives ids from 1000002 on; its own apps have smaller ones.
    match text.trim().parse::<u32>() {
        Ok(0) => {
            Err("is still a placeholder: put the app's AgentId there, such as 1000002".to_owned())
        }
        Ok(id) if i32::try_from(id).is_ok() => Ok(id),
        _ => Err("must be the app's AgentId, a whole number such as 1000002".to_owned()),
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
    let meant =
        nearest(text, &names).map_or(String::new(), |word| format!("; did you mean {word}?"));
    Err(format!("must be one of {}{meant}", names.join(", ")))
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
    text.parse()
        .map_err(|_| "must be an IP address of this host, such as 192.0.2.7".to_owned())
}

/// Reads a path; a relative one is relative to `base`.
pub(crate) fn path(text: &str, base: &Path) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("must be a path".to_owned());
    }
    Ok(base.join(text))
}

/// Reads the URL of a proxy; it may hold a password.
pub(crate) fn proxy(text: &str) -> Result<Secret, String> {
    let wrong =
        || "must be a proxy such as http://192.0.2.7:3128 or socks5://192.0.2.7:1080".to_owned();
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
    fn placeholders_are_seen_and_real_values_are_not_taken_for_them() {
        for text in [
            "…",
            "your-secret",
            "<corpsecret>",
            "xxxx",
            "wwxxxxxxxxxxxxxxxx",
            "changeme",
            "***",
            "你的企业ID",
            "填这里",
            "corpsecret",
            "${SECRET}",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "ww0123456789abcdef",
            "wx1a2b3c4d5e6f7a8b",
            "ww1",
            "Zy7-qP_0aBcDeFgHiJkLmNoPqRsTuVwXyZ012345678",
            "xk29dkxxxx9s8d7f",
        ] {
            assert!(!is_placeholder(text), "{text}");
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
