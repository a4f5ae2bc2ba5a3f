//! Failures in a row per command, shared by all processes, so that `run` can report the first
//! failure and the recovery.
//!
//! The file `runs` has a line for each failing command: `<last> <key> <failures> <since> <told>
//! <kind>`, with times in Unix seconds. `<told>` is 0 if nothing was reported; earlier versions wrote
//! 1 if something was, and no kind. Other lines are ignored. Not synced: a change lost in a power cut is
//! reported again.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::unix_seconds;
use crate::config::State;
use crate::disk::Dir;

/// The file's name.
const NAME: &str = "runs";

/// Longest wait for the file's lock, which is only held for a moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a command that is not run again is remembered, in seconds: longer than the year between
/// two runs of a yearly command.
const MEMORY: u64 = 400 * 86400;

/// Most commands to remember; the one that failed longest ago is forgotten first.
const COMMANDS_MAX: usize = 4096;

/// Most bytes read from the end of the file: more than `COMMANDS_MAX` lines take.
const READ_MAX: u64 = 1 << 20;

/// A series of failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Streak {
    pub(crate) failures: u64,
    /// Unix seconds of the first failure.
    pub(crate) since: u64,
    /// Unix seconds of its last report, if there was one.
    pub(crate) told: Option<u64>,
    /// The kind of the failure that was reported last, if it is known.
    pub(crate) kind: Option<u16>,
    /// Unix seconds of the last failure.
    last: u64,
}

impl Streak {
    /// Returns the time since the first failure.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs(unix_seconds().saturating_sub(self.since))
    }

    /// Whether this time has passed since its last report.
    pub(crate) fn wants_reminder(&self, after: Duration) -> bool {
        let silent = self.told.map(|told| unix_seconds().saturating_sub(told));
        silent.is_some_and(|silent| silent >= after.as_secs())
    }

    /// Returns it as far reported as `before`.
    fn reported_as(self, before: Option<Self>) -> Self {
        Self {
            told: before.and_then(|before| before.told),
            kind: before.and_then(|before| before.kind),
            ..self
        }
    }
}

/// A failure that was recorded.
pub(crate) struct RecordedFailure {
    /// The streak before it, if there was one.
    pub(crate) before: Option<Streak>,
    pub(crate) streak: Streak,
    /// Whether to report it.
    pub(crate) tell: bool,
}

impl RecordedFailure {
    /// Whether the failure that was reported last was of another kind.
    pub(crate) fn is_of_other_kind(&self) -> bool {
        let told = self.before.filter(|before| before.told.is_some());
        let kind = told.and_then(|before| before.kind);
        kind.is_some() && kind != self.streak.kind
    }

    /// Returns the stored streak without this failure: other runs may have recorded theirs
    /// meanwhile.
    fn taken_back(&self, stored: Streak) -> Option<Streak> {
        if stored == self.streak {
            return self.before;
        }
        if stored.since != self.streak.since || stored.failures < self.streak.failures {
            // Another streak.
            return Some(stored);
        }
        let told = self.tell && stored.kind == self.streak.kind;
        let left = Streak {
            failures: stored.failures - 1,
            ..stored
        };
        let left = if told {
            left.reported_as(self.before)
        } else {
            left
        };
        Some(left).filter(|left| left.failures > 0)
    }
}

/// The stored failures of one command.
#[derive(Debug)]
pub(crate) struct Streaks {
    dir: Arc<Dir>,
    key: String,
}

impl Streaks {
    /// Returns the failures of the command with this key, which contains no blanks.
    pub(crate) fn of(state: &State, key: String) -> Self {
        Self {
            dir: Arc::clone(state.dir()),
            key,
        }
    }

    /// Records a failure of a kind. `tells` decides under the lock whether to report the streak, so
    /// that only one of several concurrent processes reports it.
    ///
    /// # Errors
    /// An I/O error, also if the file is not ours or cannot be locked.
    pub(crate) fn failed(
        &self,
        kind: u16,
        tells: impl Fn(&Streak) -> bool,
    ) -> io::Result<RecordedFailure> {
        self.change(|streaks| {
            let now = unix_seconds();
            let before = streaks.get(&self.key).copied();
            let mut streak = before.unwrap_or(Streak {
                failures: 0,
                since: now,
                told: None,
                kind: None,
                last: now,
            });
            streak.failures = streak.failures.saturating_add(1);
            streak.last = now;
            let tell = tells(&streak);
            if tell {
                streak.told = Some(now);
            }
            if tell || streak.told.is_some() && streak.kind.is_none() {
                streak.kind = Some(kind);
            }
            streaks.insert(self.key.clone(), streak);
            RecordedFailure {
                before,
                streak,
                tell,
            }
        })
    }

    /// Records a success and returns the streak that it ends.
    ///
    /// # Errors
    /// As `failed`.
    pub(crate) fn worked(&self) -> io::Result<Option<Streak>> {
        self.change(|streaks| streaks.remove(&self.key))
    }

    /// Returns the streak of failures that goes on, if any.
    ///
    /// # Errors
    /// As `failed`.
    pub(crate) fn current(&self) -> io::Result<Option<Streak>> {
        self.change(|streaks| streaks.get(&self.key).copied())
    }

    /// Records that a person has been reminded of the streak.
    ///
    /// # Errors
    /// As `failed`.
    pub(crate) fn reminded(&self) -> io::Result<()> {
        self.change(|streaks| {
            if let Some(streak) = streaks.get_mut(&self.key) {
                streak.told = Some(unix_seconds());
            }
        })
    }

    /// Marks a failure as not reported, because the report was lost; of the streak `before` it
    /// everything that was reported still is.
    ///
    /// # Errors
    /// As `failed`.
    pub(crate) fn mark_unreported(&self, before: Option<Streak>) -> io::Result<()> {
        self.change(|streaks| {
            if let Some(streak) = streaks.get_mut(&self.key) {
                *streak = streak.reported_as(before);
            }
        })
    }

    /// Takes a failure back.
    ///
    /// # Errors
    /// As `failed`.
    pub(crate) fn take_back(&self, failed: &RecordedFailure) -> io::Result<()> {
        self.change(|streaks| {
            let stored = streaks.remove(&self.key);
            if let Some(left) = stored.and_then(|stored| failed.taken_back(stored)) {
                streaks.insert(self.key.clone(), left);
            }
        })
    }

    /// Restores a streak whose end could not be reported, unless a new one has begun.
    ///
    /// # Errors
    /// As `failed`.
    pub(crate) fn not_over(&self, streak: Streak) -> io::Result<()> {
        self.change(|streaks| {
            streaks.entry(self.key.clone()).or_insert(streak);
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Streak>) -> T) -> io::Result<T> {
        let file = self.dir.lock_file(NAME, PATIENCE, false)?;
        let mut streaks: BTreeMap<_, _> = file.tail(READ_MAX)?.lines().filter_map(parse).collect();
        let before = streaks.clone();
        let changed = change(&mut streaks);
        if streaks != before {
            file.replace(&written(streaks, unix_seconds()))?;
        }
        Ok(changed)
    }
}

fn parse(line: &str) -> Option<(String, Streak)> {
    let words: Vec<&str> = line.split(' ').collect();
    let [last, key, failures, since, told, ref kind @ ..] = words[..] else {
        return None;
    };
    let kind = match kind {
        [] => None,
        [kind] => Some(kind.parse().ok()?),
        _ => return None,
    };
    let last = last.parse().ok()?;
    let streak = Streak {
        failures: failures.parse().ok()?,
        since: since.parse().ok()?,
        told: match told.parse().ok()? {
            0 => None,
            1 => Some(last),
            told => Some(told),
        },
        kind,
        last,
    };
    Some((key.to_owned(), streak))
}

/// Returns the lines of the streaks to remember.
fn written(streaks: BTreeMap<String, Streak>, now: u64) -> String {
    let mut streaks: Vec<_> = streaks.into_iter().collect();
    streaks.retain(|(_, streak)| now.saturating_sub(streak.last) < MEMORY);
    streaks.sort_by_key(|(_, streak)| streak.last);
    let over = streaks.len().saturating_sub(COMMANDS_MAX);
    let line = |(key, streak): &(String, Streak)| {
        let told = streak.told.unwrap_or_default();
        let (last, failures, since) = (streak.last, streak.failures, streak.since);
        let kind = streak.kind.map(|kind| format!(" {kind}"));
        let kind = kind.unwrap_or_default();
        format!("{last} {key} {failures} {since} {told}{kind}\n")
    };
    streaks[over..].iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_764_000_000;

    fn streak(last: u64) -> Streak {
        Streak {
            failures: 3,
            since: 5,
            told: Some(NOW - 9),
            kind: Some(1137),
            last,
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_junk_is_not() {
        let text = written(BTreeMap::from([("k".to_owned(), streak(NOW))]), NOW);
        assert_eq!(parse(text.trim_end()), Some(("k".to_owned(), streak(NOW))));
        let old = parse(&format!("{NOW} k 3 5 1"));
        let without_kind = Streak {
            told: Some(NOW),
            kind: None,
            ..streak(NOW)
        };
        assert_eq!(old, Some(("k".to_owned(), without_kind)));
        for junk in [
            "",
            "junk",
            "1 k 3 5",
            "1 k 3 5 1 more",
            "1 k 3 5 1 1 1",
            "1 k x 5 1",
        ] {
            assert_eq!(parse(junk), None, "{junk}");
        }
    }

    #[test]
    fn a_failure_is_taken_back_and_what_others_recorded_stays() {
        let of = |failures, told: bool, kind| Streak {
            failures,
            told: told.then_some(NOW - 9),
            kind,
            ..streak(NOW)
        };
        let known = Some(1);
        for (before, stored, left) in [
            (None, of(1, true, known), None),
            (
                Some(of(1, false, None)),
                of(2, true, known),
                Some(of(1, false, None)),
            ),
            // Another run failed, too, and did not report it, because this one would.
            (None, of(2, true, known), Some(of(1, false, None))),
            // Another run reported another kind.
            (None, of(2, true, Some(2)), Some(of(1, true, Some(2)))),
        ] {
            let failed = RecordedFailure {
                before,
                streak: of(before.map_or(1, |it| it.failures + 1), true, known),
                tell: true,
            };
            assert_eq!(failed.taken_back(stored), left, "{stored:?}");
            let another = Streak { since: 6, ..stored };
            assert_eq!(failed.taken_back(another), Some(another));
        }
    }

    #[test]
    fn old_failures_and_those_beyond_the_limit_are_forgotten() {
        let many = (0..).take(COMMANDS_MAX + 2).map(|at| {
            let last = NOW - 10 * COMMANDS_MAX as u64 + at;
            (format!("k{at}"), streak(last))
        });
        let mut streaks: BTreeMap<_, _> = many.collect();
        streaks.insert("old".to_owned(), streak(NOW - MEMORY));
        let text = written(streaks, NOW);
        assert_eq!(text.lines().count(), COMMANDS_MAX);
        assert!(!text.contains(" old ") && !text.contains(" k1 ") && text.contains(" k2 "));
        assert!(text.len() as u64 <= READ_MAX);
    }
}
