//! Checks the jobs that `run` watches.

use super::super::runs::watched;
use super::report::Steps;
use crate::config::Config;
use crate::text::runs::{self as words, JobStatus};

/// Reports each watched job; nothing if there is none.
pub(super) fn all(config: &Config, report: &mut Steps) {
    for state in config.states().into_iter().flatten() {
        match watched(&state) {
            Ok(jobs) => jobs.iter().for_each(|job| match job.status {
                JobStatus::Fine | JobStatus::Running => report.fine("runs", job.line()),
                JobStatus::Failing | JobStatus::Killed | JobStatus::Overdue => {
                    report.doubt("runs", words::broken(job.line()));
                }
            }),
            Err(failure) => report.doubt("runs", failure),
        }
    }
}
