//! Single values out of the parser's table, and every way in which one can be wrong.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::layer::At;
use super::value;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::message::Envelope;

/// A value with its place in the text.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;
/// A key with its place in the text.
pub(super) type Key<'i> = Spanned<DeString<'i>>;

/// The keys of each table. A profile has the top's again.
pub(super) const TOP: &[&str] = &[
    "corpid",
    "corpsecret",
    "corpsecret_file",
    "agentid",
    "touser",
    "toparty",
    "totag",
    "safe",
    "prefix",
    "state_dir",
    "show_in",
    "lang",
    "network",
    "limits",
    "log",
    "outbox",
    "profiles",
    "robots",
    "mail",
];
pub(super) const NETWORK: &[&str] = &[
    "api_base",
    "allow_plain_http",
    "proxy",
    "local_address",
    "ca_file",
];
pub(super) const LIMITS: &[&str] = &["per_minute", "per_hour"];
pub(super) const LOG: &[&str] = &["file", "level", "rotation", "keep"];
pub(super) const OUTBOX: &[&str] = &["enabled", "max_age", "merge"];
pub(super) const ROBOT: &[&str] = &["key", "key_file"];
pub(super) const TO: &[&str] = &["touser", "toparty", "totag"];
pub(super) const TABLES: &[(&str, &[&str])] = &[
    ("network", NETWORK),
    ("limits", LIMITS),
    ("log", LOG),
    ("outbox", OUTBOX),
];

/// A config that is being read.
pub(super) struct Reader<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Reader<'_> {
    /// A string, read by `parse`.
    pub(super) fn read<T>(
        &self,
        key: &Key<'_>,
        value: &Value<'_>,
        place: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<At<T>, Failure> {
        let text = self.string(key, value, place)?;
        let value = parse(text).map_err(|why| self.wrong(key, place, &why))?;
        Ok(At {
            value,
            spot: self.spot(&key.span(), place, key.get_ref()),
        })
    }

    pub(super) fn string<'v>(
        &self,
        key: &Key<'_>,
        value: &'v Value<'_>,
        place: &str,
    ) -> Result<&'v str, Failure> {
        let text = value.get_ref().as_str();
        text.ok_or_else(|| {
            let wanted = spoken().of("带引号的文字", "a text in quotes");
            self.wrong_type(key, value, place, wanted)
        })
    }

    /// A path; a relative one is relative to the config's directory.
    pub(super) fn file(
        &self,
        key: &Key<'_>,
        value: &Value<'_>,
        place: &str,
    ) -> Result<At<PathBuf>, Failure> {
        let base = self.path.parent().unwrap_or(Path::new("/"));
        self.read(key, value, place, |text| value::path(text, base))
    }

    pub(super) fn agentid(
        &self,
        key: &Key<'_>,
        value: &Value<'_>,
        place: &str,
    ) -> Result<u32, Failure> {
        let parsed = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => value::agentid(number.as_str()),
            DeValue::String(text) => value::agentid(text),
            _ => {
                return Err(self.wrong_type(key, value, place, value::wanted_agentid()));
            }
        };
        parsed.map_err(|why| self.wrong(key, place, &why))
    }

    /// `true` or `false`, or WeCom's 1 and 0.
    pub(super) fn switch(
        &self,
        key: &Key<'_>,
        value: &Value<'_>,
        place: &str,
    ) -> Result<bool, Failure> {
        match value.get_ref() {
            DeValue::Boolean(switch) => Ok(*switch),
            DeValue::Integer(number) if number.as_str() == "0" => Ok(false),
            DeValue::Integer(number) if number.as_str() == "1" => Ok(true),
            _ => {
                let wanted = spoken().of(" true 或 false", "true or false");
                Err(self.wrong_type(key, value, place, wanted))
            }
        }
    }

    pub(super) fn count(
        &self,
        key: &Key<'_>,
        value: &Value<'_>,
        place: &str,
        max: u32,
    ) -> Result<u32, Failure> {
        let wanted = say!("从 1 到 {max} 的整数", "a whole number from 1 to {max}");
        let number = value
            .get_ref()
            .as_integer()
            .filter(|number| number.radix() == 10);
        let number = number.ok_or_else(|| self.wrong_type(key, value, place, &wanted))?;
        let count = number
            .as_str()
            .parse::<u32>()
            .ok()
            .filter(|count| (1..=max).contains(count));
        count.ok_or_else(|| self.wrong(key, place, &value::must_be(&wanted)))
    }

    /// How old a kept message may become.
    pub(super) fn max_age(
        &self,
        key: &Key<'_>,
        value: &Value<'_>,
        place: &str,
    ) -> Result<Duration, Failure> {
        let age = self.read(key, value, place, value::max_age);
        age.map(|at| at.value).map_err(|failure| {
            failure.hint(say!(
                "消息存得更久就放弃；一条也不想存，写 enabled = false",
                "a message that is older is given up; to keep none write enabled = false"
            ))
        })
    }

    /// Names: one text, divided by `,` or `|`, a number, or a list of these.
    pub(super) fn list(
        &self,
        key: &Key<'_>,
        value: &Value<'_>,
        place: &str,
    ) -> Result<Vec<String>, Failure> {
        let one = |value: &Value<'_>| match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            _ => {
                let wanted = spoken().of(
                    "带引号的文字，或由它们组成的列表",
                    "a text in quotes, or a list of them",
                );
                Err(self.wrong_type(key, value, place, wanted))
            }
        };
        match value.get_ref() {
            DeValue::Array(values) => values.iter().map(one).collect(),
            _ => Ok(vec![one(value)?]),
        }
    }

    /// The receivers that a table names, if it names any.
    pub(super) fn receivers(
        &self,
        table: &DeTable<'_>,
        place: &str,
    ) -> Result<Option<Envelope>, Failure> {
        let mut lists: [Vec<String>; 3] = Default::default();
        for (key, value) in table {
            let known = TO.iter().position(|known| *known == key.get_ref());
            let Some(known) = known else { continue };
            lists[known] = self.list(key, value, place)?;
            // Alone, so that the error names the right key of the three.
            let mut alone: [Vec<String>; 3] = Default::default();
            alone[known].clone_from(&lists[known]);
            value::receivers(&alone).map_err(|why| {
                self.wrong(key, place, &say!("不对：{why}", "is not right: {why}"))
            })?;
        }
        Ok(value::receivers(&lists).ok().flatten())
    }

    pub(super) fn table<'v, 'i>(
        &self,
        key: &Key<'_>,
        value: &'v Value<'i>,
        place: &str,
    ) -> Result<&'v DeTable<'i>, Failure> {
        let table = value.get_ref().as_table();
        table.ok_or_else(|| {
            let name = value::shown(&format!("{place}{}", key.get_ref()));
            let wanted = say!("一个表，写成 [{name}]", "a table, written [{name}]");
            self.wrong_type(key, value, place, &wanted)
        })
    }

    pub(super) fn unknown(&self, key: &Key<'_>, place: &str, known: &[&str]) -> Failure {
        let name = key.get_ref();
        let unknown = spoken().of("不是 wxpush 认识的键", "is not a key that wxpush knows");
        if value::could_be_secret(name) {
            return self
                .fail(&key.span(), place, "(hidden)", unknown)
                .hint(say!(
                    "写成 NAME = \"value\"，等号前面是键名",
                    "write NAME = \"value\", with the name before the ="
                ));
        }
        let elsewhere = TABLES.iter().find(|(table, keys)| {
            keys.contains(&name.as_ref()) && !place.ends_with(&format!("{table}."))
        });
        let meant = value::nearest(name, known);
        let failure = self.fail(&key.span(), place, name, unknown);
        if let Some((table, _)) = elsewhere {
            failure.hint(say!(
                "{name} 要写在 [{table}] 下面",
                "{name} belongs below [{table}]"
            ))
        } else if !place.is_empty() && TOP.contains(&name.as_ref()) {
            failure.hint(say!(
                "{name} 要写在文件开头，第一个 [表] 之前",
                "{name} belongs at the top of the file, before the first [table]"
            ))
        } else if let Some(meant) = meant {
            failure.hint(value::did_you_mean(meant))
        } else {
            let near = TABLES
                .iter()
                .find_map(|(table, keys)| Some((table, value::nearest(name, keys)?)));
            failure.hint(if let Some((table, meant)) = near {
                say!(
                    "是不是 [{table}] 下面的 {meant}？",
                    "did you mean {meant}, below [{table}]?"
                )
            } else {
                let known = value::listed(known);
                say!("这里可用的有：{known}", "known here: {known}")
            })
        }
    }

    pub(super) fn wrong_type(
        &self,
        key: &Key<'_>,
        value: &Value<'_>,
        place: &str,
        wanted: &str,
    ) -> Failure {
        let found = value.get_ref().type_str();
        let must_be = value::must_be(wanted);
        let why = say!(
            "{must_be}，而不是 {found} 类型的值",
            "{must_be}, not a value of type {found}"
        );
        self.wrong(key, place, &why)
    }

    /// That two keys are set which give the same value.
    pub(super) fn twins(&self, key: &Key<'_>, place: &str, one: &str, other: &str) -> Failure {
        let why = say!(
            "同时写了两种：{one} 和 {other} 只留一个",
            "and its twin are both set: keep one of {one} and {other}"
        );
        self.wrong(key, place, &why)
    }

    pub(super) fn wrong(&self, key: &Key<'_>, place: &str, why: &str) -> Failure {
        self.fail(&key.span(), place, key.get_ref(), why)
    }

    pub(super) fn fail(&self, span: &Range<usize>, place: &str, key: &str, why: &str) -> Failure {
        Failure::new(
            Exit::Config,
            format!("{} {why}", self.spot(span, place, key)),
        )
    }

    /// File, line and key, as editors jump to them.
    pub(super) fn spot(&self, span: &Range<usize>, place: &str, key: &str) -> String {
        format!(
            "{}:{}: {}",
            self.path.display(),
            self.line(span.start),
            value::shown(&format!("{place}{key}"))
        )
    }

    pub(super) fn line(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    /// What the parser says, with the key of the line; never the line, it may hold the secret.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> Failure {
        let at = error.span().map_or(0, |span| span.start);
        let line = self.line(at);
        let written = self.text.lines().nth(line - 1).unwrap_or_default();
        let name = written
            .split_once('=')
            .map_or(written, |(key, _)| key)
            .trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
        let is_key = !name.is_empty() && !value::could_be_secret(name) && name.chars().all(is_name);
        // A line without = may be the secret alone: only what looks like a table is shown.
        let shown = is_key && (written.contains('=') || name.starts_with('['));
        let key = if shown {
            format!(" {name}:")
        } else {
            String::new()
        };
        let (path, why) = (self.path.display(), error.message());
        let what = say!(
            "{path}:{line}:{key} 不是正确的 TOML（{why}）",
            "{path}:{line}:{key} {why}"
        );
        let failure = Failure::new(Exit::Config, what);
        if why == "duplicate key" {
            return failure.hint(say!(
                "它在文件里出现了两次，只留一个",
                "it stands in the file twice: keep one"
            ));
        }
        let bare = name.trim_matches(['[', ']']);
        match value::nearest(bare, TOP) {
            Some(meant) if shown && !TOP.contains(&bare) => {
                let meant = value::did_you_mean(meant);
                failure.hint(say!(
                    "写成 NAME = \"value\"；{meant}",
                    "write NAME = \"value\"; {meant}"
                ))
            }
            _ => failure.hint(say!(
                "写成 NAME = \"value\"，文字要带引号；config.example.toml 里有每一个键",
                "write NAME = \"value\", texts in quotes; config.example.toml shows every key"
            )),
        }
    }
}
