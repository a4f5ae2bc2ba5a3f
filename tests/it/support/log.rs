//! The log, line by line.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, FixedOffset, Utc};

use crate::standin::Standin;
use crate::support::Sandbox;

/// A line of the log, taken apart.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) time: DateTime<FixedOffset>,
    pub(crate) level: String,
    pub(crate) pid: u32,
    pub(crate) message: String,
    fields: BTreeMap<String, String>,
}

impl Line {
    /// Takes a line apart; none if it is not one.
    pub(crate) fn read(line: &str) -> Option<Self> {
        if line.chars().any(|it| it.is_control() || BIDI.contains(&it)) {
            return None;
        }
        // 2026-11-24T10:46:30.123+08:00
        let (time, rest) = line.split_at_checked(29)?;
        let rest = rest.strip_prefix(' ')?;
        let (level, rest) = rest.split_at_checked(5)?;
        let (pid, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
        let (source, mut rest) = rest.split_once(' ')?;
        let (file, number) = source.split_once(':')?;
        number
            .parse::<u32>()
            .ok()
            .filter(|_| file.ends_with(".rs"))?;
        let mut fields = BTreeMap::new();
        let mut message = String::new();
        while !rest.is_empty() {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            match word.split_once('=') {
                None => {
                    message += if message.is_empty() { "" } else { " " };
                    message += word;
                    rest = after;
                }
                Some((name, _)) => {
                    let (value, after) = value(&rest[name.len() + 1..])?;
                    fields.insert(name.to_owned(), value);
                    rest = after;
                }
            }
        }
        Some(Self {
            time: DateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S%.3f%:z").ok()?,
            level: Some(level.trim_end())
                .filter(|it| LEVELS.contains(it))?
                .to_owned(),
            pid: pid.parse().ok()?,
            message,
            fields,
        })
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

pub(crate) const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// What turns the direction of writing, or a line.
pub(crate) const BIDI: [char; 6] = [
    '\u{202e}', '\u{202a}', '\u{2066}', '\u{200f}', '\u{2028}', '\u{2029}',
];

/// The value of a field, and what follows it.
pub(crate) fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(' ').unwrap_or((text, ""));
        return Some((value.to_owned(), rest));
    };
    let mut escaped = false;
    let end = quoted.find(|it| {
        let ends = it == '"' && !escaped;
        escaped = it == '\\' && !escaped;
        ends
    })?;
    let rest = &quoted[end + 1..];
    Some((
        quoted[..end].to_owned(),
        rest.strip_prefix(' ').unwrap_or(rest),
    ))
}

/// The lines of a text, each held to be one.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    assert!(
        text.is_empty() || text.ends_with('\n'),
        "the last one is whole"
    );
    text.split_terminator('\n')
        .map(|line| Line::read(line).unwrap_or_else(|| panic!("not a line: {line:?}")))
        .collect()
}

/// A sandbox with these lines in its `[log]`.
pub(crate) fn logging(standin: &Standin, lines: &str) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    let config = sandbox.read("config.toml");
    sandbox.write("config.toml", format!("{config}[log]\n{lines}\n"));
    sandbox
}

/// The date of UTC in so many days.
pub(crate) fn date_in(days: u64) -> String {
    let date = Utc::now().date_naive() + Days::new(days);
    date.format("%Y-%m-%d").to_string()
}
