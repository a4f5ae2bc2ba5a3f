//! Crontabs: the schedules that cron accepts, and lines that run the program as typed or flush the
//! outbox.
//!
//! Contains no user-visible text: errors are typed.

mod crontab;
mod detect;
mod line;
mod schedule;

pub(crate) use crontab::{CrontabError, add_line, read};
pub(crate) use detect::{FlushJob, FlushSource, has_systemd, is_cron_running};
pub(crate) use line::{flush_command, quoted};
pub(crate) use schedule::Schedule;
