//! Crontabs: the schedules that cron accepts, and lines that run the program as typed or flush the
//! outbox; the systemd timer that flushes where there is no cron.
//!
//! Contains no user-visible text: errors are typed.

mod crontab;
mod detect;
mod line;
mod places;
mod schedule;
mod timer;
mod tool;

pub(crate) use crontab::{add_line, is_installed, read};
pub(crate) use detect::{FlushJob, FlushSource};
pub(crate) use line::{flush_command, quoted};
pub(crate) use schedule::Schedule;
pub(crate) use timer::{FlushTimer, TimerError};
pub(crate) use tool::ToolError;
