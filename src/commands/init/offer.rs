//! The offer to have cron deliver what could not go out at once.

use super::super::schedule::{self, Flush};
use super::cron::{self, Crontab};
use super::person::{Person, cross, tell, tick};
use crate::text;

/// Offers to add the line to the user's crontab, unless the outbox is delivered already.
pub(super) fn crontab_line(person: &Person, line: &str) {
    let command = line.trim_start_matches("* ");
    let lines = match (cron::look(command), schedule::beside_own_crontab()) {
        (Crontab::HasIt, _) => return tick(&text::init::crontab_has_it()),
        (_, Some(Flush::Cron(place) | Flush::Timer(place))) => {
            return tick(&text::init::delivered_by(place));
        }
        (Crontab::Lacks(lines), None) => lines,
        (Crontab::Unusable(why), None) => {
            cross(&why);
            return show(line);
        }
    };
    // The config is written: without an answer nothing else is done.
    if person
        .agrees(&text::init::offer(line), true)
        .unwrap_or(false)
    {
        match cron::add(lines, line) {
            Ok(()) => tick(&text::init::crontab_added()),
            Err(why) => {
                cross(&why);
                show(line);
            }
        }
    }
}

/// Shows the line, to be put where it belongs by hand.
fn show(line: &str) {
    tell(&text::init::crontab_by_hand(line));
    if cron::has_systemd() {
        tell(&text::init::timer_instead());
    }
}
