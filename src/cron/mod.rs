//! Crontabs: schedules that cron takes, lines that reach the program as they were typed, and lines
//! that flush the outbox.
//!
//! Knows no words: what goes wrong is a type of its own.

mod crontab;
mod detect;
mod line;
mod schedule;

pub(crate) use crontab::{CrontabError, add_line, read};
pub(crate) use detect::{FlushJob, FlushSource, has_systemd, is_cron_running};
pub(crate) use line::{flush_command, quoted};
pub(crate) use schedule::Schedule;
