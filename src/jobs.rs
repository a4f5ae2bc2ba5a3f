//! The jobs that `run --every` and `--remind` watch: a file for each in `jobs/`.
//!
//! A file is replaced as a whole and synced, and its lock makes its changes one after the other. Next
//! to it lies a file whose lock tells that the job is running: it ends with the process, whatever ends
//! that.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::clock::Stamp;
use crate::config::State;
use crate::disk::{Dir, LockedFile, record};
use crate::message::Recipients;

/// The directory's name.
const DIR: &str = "jobs";

/// The record of the last look.
const LOOK: &str = "look";

/// The ending of the file that running processes lock.
const RUNNING: &str = ".run";

/// Longest wait for a file's lock, which is held for a moment, or while an alarm is kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// Most bytes of a file: more than the longest recipients take.
const SIZE_MAX: u64 = 1 << 20;

/// Least growth of the time asleep that counts: clocks are not read at the same instant.
const SLEEP_MIN: Duration = Duration::from_secs(2);

/// A longer time between two looks shows that nothing could run, as in a stopped container.
const GAP_MAX: Duration = Duration::from_hours(1);

/// A watched job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The name in reports.
    pub(crate) name: String,
    pub(crate) plan: WatchPlan,
    /// The start of its last run.
    pub(crate) started: Stamp,
    /// The end of its last run, if it has ended.
    pub(crate) ended: Option<RunEnd>,
    /// That it was not seen in time, until a run has reported that it is back.
    pub(crate) missed: Option<Missed>,
}

/// What is expected of a job, and who is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WatchPlan {
    /// Longest time from one start to the next.
    pub(crate) every: Option<Duration>,
    /// The time after that until the alarm.
    pub(crate) grace: Duration,
    /// The time between reminders.
    pub(crate) remind: Option<Duration>,
    /// Whether quiet hours don't hold its alarms.
    #[serde(default)]
    pub(crate) urgent: bool,
    pub(crate) profile: Option<String>,
    /// The robot that reports, in place of the app.
    pub(crate) robot: Option<String>,
    /// The recipients, if not those of the config.
    pub(crate) to: Option<Recipients>,
}

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunEnd {
    pub(crate) at: Stamp,
    pub(crate) code: u8,
}

/// A job that was not seen in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Missed {
    /// When it was due.
    pub(crate) due: Stamp,
    /// The last alarm or reminder.
    pub(crate) told: Stamp,
    pub(crate) count: u32,
}

/// Returns the grace without `--grace`: a tenth of the interval, within a minute and an hour. Cron
/// starts a job a second early or late, and a flush looks each minute.
pub(crate) fn default_grace(every: Duration) -> Duration {
    (every / 10).clamp(Duration::from_mins(1), Duration::from_hours(1))
}

impl Job {
    /// Returns when it must have been started again; `None` if it need not be.
    pub(crate) fn due(&self) -> Option<Stamp> {
        self.plan.every.map(|every| self.started.later(every))
    }

    /// Whether it is overdue; `watched` is since when runs would have been possible.
    pub(crate) fn is_overdue(&self, now: &Stamp, watched: &Stamp) -> bool {
        let is_past = |since: &Stamp| since.age(now).is_some_and(|age| age >= self.plan.grace);
        self.due().is_some_and(|due| is_past(&due)) && is_past(watched)
    }
}

/// The directory of watched jobs.
#[derive(Debug)]
pub(crate) struct Jobs {
    dir: Arc<Dir>,
}

/// A run of a watched job.
#[derive(Debug)]
pub(crate) struct WatchedRun {
    jobs: Jobs,
    key: String,
    started: Stamp,
    /// Since when it was missed, if that has been told.
    missed: Option<Stamp>,
    /// Shows others that it is running.
    _running: Option<File>,
}

impl Jobs {
    /// Opens the directory; `None` if no job was ever watched.
    ///
    /// # Errors
    /// If the directory is not ours, or an I/O error.
    pub(crate) fn open(state: &State) -> io::Result<Option<Self>> {
        let dir = state.dir().sub(DIR)?;
        Ok(dir.map(|dir| Self { dir: Arc::new(dir) }))
    }

    /// Records that a run of a job begins. The key contains no blanks and no slash.
    ///
    /// # Errors
    /// An I/O error: the job is then not watched.
    pub(crate) fn begin(
        state: &State,
        key: String,
        name: &str,
        plan: WatchPlan,
    ) -> io::Result<WatchedRun> {
        let jobs = Self {
            dir: Arc::new(state.dir().make_sub(DIR)?),
        };
        let (running, _) = jobs.dir.append(&(key.clone() + RUNNING), 0o600)?;
        // Only a look holds it otherwise, for an instant.
        running.lock_shared()?;
        let started = Stamp::now();
        let before = jobs.change(&key, |job| {
            let missed = job.as_ref().and_then(|job| job.missed);
            *job = Some(Job {
                name: name.to_owned(),
                plan,
                started,
                ended: None,
                missed,
            });
            missed
        })?;
        Ok(WatchedRun {
            jobs,
            key,
            started,
            missed: before.map(|missed| missed.due),
            _running: Some(running),
        })
    }

    /// Returns the keys and the jobs, by name; skips what cannot be read.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub(crate) fn all(&self) -> io::Result<Vec<(String, Job)>> {
        let mut all = Vec::new();
        for key in self.dir.names()? {
            let key = key?;
            if let Some(job) = self.read(&key)? {
                all.push((key, job));
            }
        }
        all.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        Ok(all)
    }

    fn read(&self, key: &str) -> io::Result<Option<Job>> {
        if !is_key(key) {
            return Ok(None);
        }
        let bytes = self.dir.read(key, SIZE_MAX)?;
        Ok(bytes.and_then(|bytes| record::parse(&bytes)))
    }

    /// Whether a process runs the job.
    pub(crate) fn is_running(&self, key: &str) -> bool {
        matches!(self.dir.try_lock(&(key.to_owned() + RUNNING)), Ok(None))
    }

    /// Forgets a job.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn forget(&self, key: &str) -> io::Result<()> {
        self.dir.remove(key)?;
        self.dir.remove(&(key.to_owned() + RUNNING))
    }

    /// Changes a job under the lock of its file.
    ///
    /// # Errors
    /// An I/O error, also if the file is not ours or stays locked.
    pub(crate) fn change<T>(
        &self,
        key: &str,
        change: impl FnOnce(&mut Option<Job>) -> T,
    ) -> io::Result<T> {
        let file = self.dir.lock_file(key, PATIENCE, true)?;
        let before = stored(&file)?;
        let mut job = before.clone();
        let changed = change(&mut job);
        if let Some(job) = job.filter(|job| before.as_ref() != Some(job)) {
            file.replace(&record::text(&job)?)?;
        }
        Ok(changed)
    }

    /// Notes a look at the jobs; returns since when the host has been awake, and has been looked at.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn look(&self) -> io::Result<Stamp> {
        let (now, asleep) = (Stamp::now(), asleep());
        let before: Option<Look> = record::read(&self.dir, LOOK).record();
        let since = match before {
            Some(look) if look.goes_on_until(&now, asleep) => look.since,
            _ => now,
        };
        let look = Look {
            last: now,
            asleep,
            since,
        };
        record::set(&self.dir, LOOK, &look)?;
        Ok(since)
    }
}

impl WatchedRun {
    /// Returns how late the run began, if it was missed and somebody was told.
    pub(crate) fn late(&self) -> Option<Duration> {
        self.missed.map(|due| due.age_or_zero(&self.started))
    }

    /// Records the end of the run.
    ///
    /// # Errors
    /// As [`Jobs::change`].
    pub(crate) fn end(&self, code: u8) -> io::Result<()> {
        let at = Stamp::now();
        self.change(|job| job.ended = Some(RunEnd { at, code }))
    }

    /// Records that somebody has been told that the job is back.
    ///
    /// # Errors
    /// As [`Jobs::change`].
    pub(crate) fn told(&self) -> io::Result<()> {
        self.change(|job| job.missed = None)
    }

    /// Changes the job, unless another run has begun since, or it was forgotten.
    fn change(&self, change: impl FnOnce(&mut Job)) -> io::Result<()> {
        self.jobs.change(&self.key, |job| {
            if let Some(job) = job.as_mut().filter(|job| job.started == self.started) {
                change(job);
            }
        })
    }
}

/// The last look at the jobs.
#[derive(Serialize, Deserialize)]
struct Look {
    last: Stamp,
    /// The time that the host had slept since its boot.
    asleep: Duration,
    /// Since when the host was neither off nor asleep, nor without looks.
    since: Stamp,
}

impl Look {
    fn goes_on_until(&self, now: &Stamp, asleep: Duration) -> bool {
        self.last.is_same_boot(now)
            && self.last.age(now).is_some_and(|age| age < GAP_MAX)
            && asleep.saturating_sub(self.asleep) < SLEEP_MIN
    }
}

/// Returns the time that the host has slept since its boot.
fn asleep() -> Duration {
    let read = |id| {
        let time = clock_gettime(id);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanoseconds)
    };
    let awake = read(ClockId::Monotonic);
    read(ClockId::Boottime).saturating_sub(awake)
}

/// Whether a file holds a job.
fn is_key(name: &str) -> bool {
    name != LOOK && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn stored(file: &LockedFile<'_>) -> io::Result<Option<Job>> {
    Ok(record::parse(file.tail(SIZE_MAX)?.as_bytes()))
}
