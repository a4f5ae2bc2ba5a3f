//! What the log tells of the past: how often a flush began, how the last delivery ended.

use std::collections::HashMap;

use chrono::{DateTime, Local};

/// The commands that deliver.
const DELIVERIES: [&str; 3] = ["send", "outbox flush", "sendmail"];

/// How the last delivery ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) command: String,
    /// How long ago, in seconds.
    pub(super) age: u64,
    pub(super) exit: i64,
    /// What it said.
    pub(super) error: Option<String>,
}

/// The last delivery that ended before `now`; none where the log tells of none.
pub(super) fn last(log: &str, now: DateTime<Local>) -> Option<Last> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut last = None;
    for line in log.lines() {
        // Time, level, process, place, what happened.
        let mut words = line.split_ascii_whitespace();
        let (Some(time), Some(pid)) = (words.next(), words.nth(1)) else {
            continue;
        };
        match words.nth(1) {
            Some("start") => {
                if let Some(command) = field(line, "command") {
                    begun.insert(pid, command);
                }
            }
            Some("end") => {
                let command = begun.remove(pid).unwrap_or_default();
                if DELIVERIES.contains(&command) {
                    last = Some((time, command, line));
                }
            }
            _ => {}
        }
    }
    let (time, command, line) = last?;
    let time = DateTime::parse_from_rfc3339(time).ok()?;
    let age = now.signed_duration_since(time).num_seconds();
    Some(Last {
        command: command.to_owned(),
        age: u64::try_from(age).unwrap_or_default(),
        exit: field(line, "exit")?.parse().ok()?,
        error: field(line, "error").map(|error| error.replace("\\\"", "\"")),
    })
}

/// A field of a line of the log: a word, or a text in quotes.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(" {name}="))?;
    let Some(quoted) = rest.strip_prefix('"') else {
        return rest.split(' ').next();
    };
    let mut before = ' ';
    let end = quoted.find(|it| {
        let is_end = it == '"' && before != '\\';
        before = it;
        is_end
    });
    quoted.get(..end?)
}

/// How many flushes began in the hour before `now`.
pub(super) fn flushes_of_last_hour(log: &str, now: DateTime<Local>) -> usize {
    let is_flush = |line: &&str| line.contains("start command=\"outbox flush\"");
    let recent = |line: &&str| {
        let time = line.split(' ').next().unwrap_or_default();
        let age = DateTime::parse_from_rfc3339(time).map(|at| now.signed_duration_since(at));
        age.is_ok_and(|age| (0..3600).contains(&age.num_seconds()))
    };
    log.lines().rev().filter(is_flush).filter(recent).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Local> {
        let now = DateTime::parse_from_rfc3339("2026-11-24T08:00:00+08:00");
        now.unwrap().into()
    }

    #[test]
    fn flushes_of_the_last_hour_are_counted() {
        let line = |time: &str| {
            format!("{time} INFO  1 src/x.rs:1 start command=\"outbox flush\" wait=false\n")
        };
        let log = [
            "2026-11-24T06:59:59.000+08:00",
            "2026-11-24T07:00:01.000+08:00",
            "2026-11-24T07:59:00.000+08:00",
            "2026-11-24T08:00:01.000+08:00",
            "nonsense",
        ];
        let log = log.map(line).concat() + "2026-11-24T07:59:00.000+08:00 INFO start command=send";
        assert_eq!(flushes_of_last_hour(&log, now()), 2);
    }

    #[test]
    fn the_last_delivery_is_the_one_that_ended_last() {
        let t = "2026-11-24T07:5";
        let log = [
            &format!("{t}0:00.000+08:00 INFO  7 a.rs:1 start command=send kind=text"),
            &format!("{t}1:00.000+08:00 INFO  8 a.rs:1 start command=\"outbox flush\" wait=false"),
            &format!("{t}2:00.000+08:00 ERROR 8 a.rs:1 end exit=75 ms=3 error=\"a \\\"b\\\" c\""),
            &format!("{t}3:00.000+08:00 INFO  9 a.rs:1 start command=check"),
            &format!("{t}4:00.000+08:00 INFO  9 a.rs:1 end exit=0 ms=3"),
            "torn",
            "",
        ];
        let last = last(&log.join("\n"), now()).unwrap();
        assert_eq!(
            (last.command.as_str(), last.age, last.exit),
            ("outbox flush", 480, 75)
        );
        assert_eq!(last.error.as_deref(), Some("a \"b\" c"));
        assert_eq!(super::last(&log[..2].join("\n"), now()), None);
    }
}
