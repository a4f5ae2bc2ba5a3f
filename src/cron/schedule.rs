//! Parses the schedule of a crontab line: the five fields, or a nickname.
//!
//! Source: crontab(5) of Debian's cron 3.0pl1. We reject fields that it accepts but never runs (a
//! range from high to low), or reads differently than other crons do (`5/10`).

/// The minute proposed instead of 0: few jobs run then.
const SHIFT: u32 = 7;

const NICKNAMES: [&str; 8] = [
    "@reboot",
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The first and last value of each field, and the names of the values.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &MONTHS),
    (0, 7, &WEEKDAYS),
];

/// A schedule that cron accepts.
#[derive(Debug)]
pub(crate) struct Schedule<'a>(Vec<&'a str>);

impl<'a> Schedule<'a> {
    /// Parses five fields or a nickname; returns `None` if cron would refuse them.
    pub(crate) fn parse(when: &'a str) -> Option<Self> {
        let fields: Vec<&str> = when.split_ascii_whitespace().collect();
        let is_valid = match &fields[..] {
            [name] => NICKNAMES.contains(name),
            fields => {
                fields.len() == FIELDS.len()
                    && (fields.iter().zip(FIELDS))
                        .all(|(field, range)| field.split(',').all(|part| is_part(part, range)))
            }
        };
        is_valid.then_some(Self(fields))
    }

    /// Returns the schedule as written in a crontab line.
    pub(crate) fn text(&self) -> String {
        self.0.join(" ")
    }

    /// Returns the same schedule at a calmer minute; `None` unless it runs at minute 0 or 30.
    pub(crate) fn calmer(&self) -> Option<String> {
        let minutes = match self.0[0] {
            "@hourly" => return Some(format!("{SHIFT} * * * *")),
            "@daily" | "@midnight" => return Some(format!("{SHIFT} 0 * * *")),
            name if name.starts_with('@') => return None,
            minutes => minutes,
        };
        let step = minutes.strip_prefix("*/");
        let calm = match step.and_then(|step| step.parse::<u32>().ok()) {
            // Too frequent to avoid any minute.
            Some(step) if step <= SHIFT => return None,
            Some(step) => format!("{SHIFT}-59/{step}"),
            None => {
                let shifted = minutes.split(',').map(|minute| match minute.parse() {
                    Ok(minute @ (0 | 30)) => (minute + SHIFT).to_string(),
                    _ => minute.to_owned(),
                });
                shifted.collect::<Vec<_>>().join(",")
            }
        };
        (calm != minutes).then(|| format!("{calm} {}", self.0[1..].join(" ")))
    }
}

/// Whether a part of a field's list is a value, or `*` or a range with an optional step.
fn is_part(part: &str, (first, last, names): (u32, u32, &[&str])) -> bool {
    let (values, step) = match part.split_once('/') {
        Some((values, step)) => (values, Some(step)),
        None => (part, None),
    };
    let value = |text: &str| {
        let mut named = names.iter().zip(first..);
        let value = named.find(|(name, _)| name.eq_ignore_ascii_case(text));
        let value = value.map_or_else(|| number(text), |(_, value)| Some(value));
        value.filter(|value| (first..=last).contains(value))
    };
    let is_step = step.is_none_or(|step| number(step).is_some_and(|step| step > 0));
    is_step
        && match values.split_once('-') {
            Some((from, to)) => value(from)
                .zip(value(to))
                .is_some_and(|(from, to)| from <= to),
            None => values == "*" || step.is_none() && value(values).is_some(),
        }
}

fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn cron_accepts_valid_schedules() {
        for when in [
            "* * * * *",
            "7 3 * * *",
            "59 23 31 12 7",
            "007 3 * * *",
            "1-5/2,7 */90 1,15 JAN-mar sun-sat",
            "@reboot",
        ] {
            assert!(Schedule::parse(when).is_some(), "{when}");
        }
        for when in [
            "",
            "7 3 * *",
            "7 3 * * * x",
            "@often",
            "7;rm 3 * * *",
            "% 3 * * *",
            "60 * * * *",
            "H 3 * * *",
            "7 25 * * *",
            "1-5/0 * * * *",
            "*/ * * * *",
            "5/10 * * * *",
            "5-1 * * * *",
            "1-70 * * * *",
            "*5 * * * *",
            "1,,2 * * * *",
            "+5 * * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * january *",
            "* * * * 8",
            "* * * * fri-sun",
        ] {
            assert!(Schedule::parse(when).is_none(), "{when}");
        }
    }

    #[test]
    fn minutes_0_and_30_have_a_calmer_neighbour() {
        for (when, calm) in [
            ("0 3 * * *", Some("7 3 * * *")),
            ("0,30 * * * *", Some("7,37 * * * *")),
            ("*/15 8-18 * * 1-5", Some("7-59/15 8-18 * * 1-5")),
            ("*/5 * * * *", None),
            ("* * * * *", None),
            ("17 3 * * *", None),
            ("@hourly", Some("7 * * * *")),
            ("@reboot", None),
        ] {
            let schedule = Schedule::parse(when).unwrap();
            assert_eq!(schedule.calmer().as_deref(), calm, "{when}");
        }
    }
}
