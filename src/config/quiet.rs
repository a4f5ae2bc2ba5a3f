//! The hours in which a phone stays silent, by the clock on the wall.

use std::fmt;

use chrono::{DateTime, Days, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};

use super::error::{Expected, Invalid};

/// The longest gap of a clock that is put forward, in minutes.
const GAP_MAX: i64 = 24 * 60;

/// Daily times in which messages are held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Quiet(Vec<[NaiveTime; 2]>);

impl Quiet {
    /// Parses `23:00-07:30`, several such with commas between, or nothing.
    pub(super) fn parse(text: &str) -> Result<Self, Invalid> {
        let window = |text: &str| {
            let (start, end) = text.split_once('-')?;
            let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
            Some([time(start)?, time(end)?]).filter(|[start, end]| start != end)
        };
        let windows = text
            .split(',')
            .filter(|it| !text.is_empty() || !it.is_empty());
        let windows: Option<Vec<_>> = windows.map(window).collect();
        windows.map(Self).ok_or(Invalid::Not(Expected::Quiet))
    }

    /// Returns when the silence of this time ends; `None` if there is none.
    pub(crate) fn until<Tz: TimeZone>(&self, now: &DateTime<Tz>) -> Option<DateTime<Tz>> {
        let mut at = now.naive_local();
        // Each of them may begin where another one ends.
        for _ in 0..=self.0.len() {
            let Some(end) = self.0.iter().find_map(|window| end_of(*window, at)) else {
                break;
            };
            at = end;
        }
        (at > now.naive_local()).then(|| instant(now, at))?
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = |[start, end]: &[NaiveTime; 2]| {
            format!("{}-{}", start.format("%H:%M"), end.format("%H:%M"))
        };
        let windows: Vec<String> = self.0.iter().map(window).collect();
        f.write_str(&windows.join(","))
    }
}

/// Returns the end of a window, if a time is in it.
fn end_of([start, end]: [NaiveTime; 2], at: NaiveDateTime) -> Option<NaiveDateTime> {
    let (date, time) = (at.date(), at.time());
    let is_within = if start < end {
        start <= time && time < end
    } else {
        start <= time || time < end
    };
    let days = u64::from(time >= end);
    is_within
        .then(|| date.checked_add_days(Days::new(days)))?
        .map(|date| date.and_time(end))
}

/// Returns the first instant after `now` at which the clock shows this time, or a later one if it is
/// put forward over it.
fn instant<Tz: TimeZone>(now: &DateTime<Tz>, shown: NaiveDateTime) -> Option<DateTime<Tz>> {
    let zone = now.timezone();
    (0..GAP_MAX).find_map(|minutes| {
        let found = zone.from_local_datetime(&(shown + TimeDelta::minutes(minutes)));
        let both = [found.clone().earliest(), found.latest()];
        // Which of them comes first is not said of a clock that is put back.
        both.into_iter().flatten().filter(|at| at > now).min()
    })
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, Utc};

    use super::*;

    #[test]
    fn a_silence_ends_on_the_same_or_on_the_next_day() {
        let zone = FixedOffset::east_opt(8 * 3600).unwrap();
        for (quiet, now, end) in [
            ("23:00-07:30", "29T22:59", None),
            ("23:00-07:30", "29T23:00", Some("30T07:30")),
            ("23:00-07:30", "29T00:00", Some("29T07:30")),
            ("23:00-07:30", "29T07:29", Some("29T07:30")),
            ("23:00-07:30", "29T07:30", None),
            ("12:30-13:30", "29T13:00", Some("29T13:30")),
            ("12:30-13:30, 22:00-12:30", "29T22:00", Some("30T13:30")),
            ("12:00-11:59", "29T12:00", Some("30T11:59")),
            ("", "29T12:00", None),
        ] {
            let quiet = Quiet::parse(quiet).unwrap();
            let time = |text: &str| {
                let text = format!("2026-11-{text}:00+08:00");
                DateTime::parse_from_rfc3339(&text)
                    .unwrap()
                    .with_timezone(&zone)
            };
            assert_eq!(quiet.until(&time(now)), end.map(time), "{now}");
        }
    }

    #[test]
    fn nothing_else_is_a_silence() {
        for bad in [
            "23:00",
            "23-7",
            "25:00-07:00",
            "07:00-07:00",
            "23:00-07:30,",
            ",",
            "a-b",
        ] {
            assert!(Quiet::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Quiet::default().until(&Utc::now()), None);
    }
}
