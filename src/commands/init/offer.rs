//! Offers to have cron, or systemd where there is no cron, deliver what could not be sent at once.

use super::Summary;
use super::person::{Person, cross, tell, tick};
use crate::cron::{self, FlushJob, FlushSource, FlushTimer, ToolError};
use crate::text;

/// Offers to set up one flush, unless something flushes the outbox already.
pub(super) fn flush(person: &Person, summary: &Summary<'_>) {
    let Summary { line, flush, .. } = summary;
    let crontab = cron::read();
    let found = flush.find_with(crontab.as_deref().ok());
    if let Some(found) = &found
        && (found.runs || crontab.is_ok())
    {
        // Without a cron daemon, the line is there all the same: another one would not help.
        return tick(&match &found.source {
            FlushSource::Own => text::init::crontab_has_it(),
            source => text::init::delivered_by(text::cron::place(source)),
        });
    }
    match (crontab, &summary.timer) {
        (Ok(lines), _) => add_line(person, lines, line),
        (Err(ToolError::NotInstalled), Some(timer)) => install_timer(person, timer, flush),
        (Err(error), _) => {
            cross(&text::cron::trouble(&error));
            tell(&match found {
                Some(found) => text::init::waits_for_cron(text::cron::place(&found.source)),
                None => text::init::crontab_by_hand(line),
            });
        }
    }
}

fn add_line(person: &Person, lines: Vec<u8>, line: &str) {
    if !agrees(person, &text::init::offer(line)) {
        return;
    }
    match cron::add_line(lines, line) {
        Ok(()) => tick(&text::init::crontab_added()),
        Err(error) => {
            cross(&text::cron::trouble(&error));
            tell(&text::init::crontab_by_hand(line));
        }
    }
}

fn install_timer(person: &Person, timer: &FlushTimer, flush: &FlushJob) {
    let path = timer.path();
    if !agrees(person, &text::init::offer_timer(path.display())) {
        return;
    }
    if let Err(error) = timer.install(|unit| flush.is_in(unit)) {
        cross(&text::cron::timer_trouble(&error));
        let by_hand =
            text::init::timer_by_hand(path.display(), timer.command(), timer.enable_command());
        return tell(&by_hand);
    }
    tick(&text::init::timer_enabled(path.display()));
    if timer.ends_at_logout() {
        tell(&text::init::timer_ends_at_logout());
    }
}

/// Whether the person says yes. The config is written: without an answer nothing else is done.
fn agrees(person: &Person, question: &str) -> bool {
    person.agrees(question, true).unwrap_or(false)
}
