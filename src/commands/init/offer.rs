//! Offers to have cron deliver messages that could not be sent at once.

use super::person::{Person, cross, tell, tick};
use crate::cron::{self, FlushJob, FlushSource};
use crate::text;

/// Offers to add the line to the user's crontab, unless something flushes the outbox already.
pub(super) fn crontab_line(person: &Person, line: &str, flush: &FlushJob) {
    let lines = cron::read();
    let found = match &lines {
        Ok(lines) if flush.is_in(lines) => Some(FlushSource::Own),
        _ => flush.find_elsewhere(),
    };
    let lines = match (found, lines) {
        (Some(FlushSource::Own), _) => return tick(&text::init::crontab_has_it()),
        (Some(source), _) => {
            return tick(&text::init::delivered_by(text::cron::place(&source)));
        }
        (None, Ok(lines)) => lines,
        (None, Err(error)) => {
            cross(&text::cron::trouble(&error));
            return show(line);
        }
    };
    // The config is written: without an answer nothing else is done.
    if person
        .agrees(&text::init::offer(line), true)
        .unwrap_or(false)
    {
        match cron::add_line(lines, line) {
            Ok(()) => tick(&text::init::crontab_added()),
            Err(error) => {
                cross(&text::cron::trouble(&error));
                show(line);
            }
        }
    }
}

/// Shows the line to be added by hand.
fn show(line: &str) {
    tell(&text::init::crontab_by_hand(line));
    if cron::has_systemd() {
        tell(&text::init::timer_instead());
    }
}
