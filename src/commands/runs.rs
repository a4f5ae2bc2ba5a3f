//! `wxpush runs`: the jobs that `run --every` and `--remind` watch.

use std::time::Duration;

use chrono::{DateTime, Local, SecondsFormat};
use serde_json::{Value, json};

use super::{begin, load};
use crate::cli::{Global, Runs, RunsAction};
use crate::clock::{Stamp, local_minute};
use crate::config::State;
use crate::duration;
use crate::error::{Exit, Failure};
use crate::jobs::{Job, Jobs};
use crate::output::{self, Output};
use crate::streaks::Streaks;
use crate::text::runs as words;
use crate::text::runs::JobStatus;

/// Runs `runs list` or `forget`.
pub(super) fn run(args: &Runs, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let config = load(global)?;
    // Starts the log, and warns; the state directories are found below.
    let _ = begin(&config.base(), output);
    let states: Vec<State> = config.states().into_iter().flatten().collect();
    let mut jobs = Vec::new();
    for state in &states {
        jobs.extend(watched(state)?);
    }
    match &args.action {
        None | Some(RunsAction::List) => list(&jobs, output)?,
        Some(RunsAction::Forget { name }) => forget(&jobs, name, output)?,
    }
    Ok(Exit::Sent)
}

/// A watched job, and how it is.
pub(super) struct WatchedJob {
    state: State,
    key: String,
    pub(super) job: Job,
    pub(super) status: JobStatus,
    /// Failures in a row; 0 if they are not counted.
    failures: u64,
}

/// Returns the watched jobs of a state directory.
///
/// # Errors
/// `Exit::State` if they cannot be read.
pub(super) fn watched(state: &State) -> Result<Vec<WatchedJob>, Failure> {
    let unusable = |error| words::unreadable(state.file("jobs").display(), error);
    let Some(jobs) = Jobs::open(state).map_err(unusable)? else {
        return Ok(Vec::new());
    };
    let all = jobs.all().map_err(unusable)?.into_iter();
    let all = all.map(|(key, job)| {
        let streak = Streaks::of(state, key.clone()).current().ok().flatten();
        let failures = streak.map_or(0, |streak| streak.failures);
        WatchedJob {
            status: status(&jobs, &key, &job),
            state: state.clone(),
            key,
            job,
            failures,
        }
    });
    Ok(all.collect())
}

fn status(jobs: &Jobs, key: &str, job: &Job) -> JobStatus {
    let now = Stamp::now();
    match job.ended {
        _ if job.is_overdue(&now, &job.started) => JobStatus::Overdue,
        None if jobs.is_running(key) => JobStatus::Running,
        None => JobStatus::Killed,
        Some(end) if end.code != 0 => JobStatus::Failing,
        Some(_) => JobStatus::Fine,
    }
}

fn list(jobs: &[WatchedJob], output: Output) -> Result<(), Failure> {
    if jobs.is_empty() && output.is_talkative() && !output.json {
        return output::result(&words::none_watched());
    }
    for watched in jobs {
        if output.json {
            output::object(&watched.described())?;
        } else {
            output::result(&watched.line())?;
        }
    }
    Ok(())
}

fn forget(jobs: &[WatchedJob], name: &str, output: Output) -> Result<(), Failure> {
    let named = || jobs.iter().filter(|watched| watched.job.name == name);
    if named().next().is_none() {
        return Err(words::no_such_job(crate::config::value::shown(name)));
    }
    for watched in named() {
        let unusable = |error| words::unreadable(watched.state.file("jobs").display(), error);
        if let Some(jobs) = Jobs::open(&watched.state).map_err(unusable)? {
            jobs.forget(&watched.key).map_err(unusable)?;
            Streaks::of(&watched.state, watched.key.clone())
                .worked()
                .map_err(unusable)?;
        }
    }
    if output.json {
        return output::object(&json!({"forgotten": named().count()}));
    }
    if output.is_talkative() {
        output::result(&words::forgotten(name))?;
    }
    Ok(())
}

impl WatchedJob {
    /// Returns the line for a person.
    pub(super) fn line(&self) -> String {
        let (job, status) = (&self.job, self.status);
        let started = local_minute(job.started.time());
        let last = match job.ended {
            Some(end) => {
                let time = job.started.age_or_zero(&end.at);
                words::ended(started, end.code, duration::show(time))
            }
            None => words::begun(started),
        };
        let due = job.due().map(|due| words::due(local_minute(due.time())));
        let failures = (self.failures > 1).then(|| words::failures(self.failures));
        let words = [
            Some(job.name.clone()),
            Some(status.words()),
            Some(last),
            failures,
            due,
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        words.join("  ")
    }

    /// Returns it for a script.
    fn described(&self) -> Value {
        let job = &self.job;
        let time = |stamp: Stamp| {
            DateTime::<Local>::from(stamp.time()).to_rfc3339_opts(SecondsFormat::Secs, false)
        };
        let seconds = |time: Duration| time.as_secs();
        json!({
            "name": job.name, "status": self.status, "started": time(job.started),
            "ended": job.ended.map(|end| time(end.at)), "exit_code": job.ended.map(|end| end.code),
            "due": job.due().map(time), "failures": self.failures,
            "every": job.plan.every.map(seconds), "grace": job.plan.every.map(|_| seconds(job.plan.grace)),
            "remind": job.plan.remind.map(seconds),
        })
    }
}
