//! Checks the waiting messages, their delivery, and the remaining room under WeCom's limits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::report::Steps;
use crate::clock::Stamp;
use crate::config::{Account, Config, State};
use crate::cron::{self, FlushJob, FlushTimer};
use crate::delivery::{Sender, Senders};
use crate::disk::Dir;
use crate::message::Channel;
use crate::outbox::{self, Id, Outbox};
use crate::rate_limit::Audience;
use crate::text::check::backlog::{self as words, Backlog, FlushSeen};

/// With a flush every minute, an entry that has waited for longer has a reason.
const LONG: Duration = Duration::from_mins(10);

/// The most entries whose sender is compared with the config.
const LOOKS: usize = 200;

/// Reports every outbox of the config, and whether it is flushed.
pub(super) fn outboxes(config: &Config, state: Option<&State>, report: &mut Steps) {
    let (mut waits, mut last_flush) = (false, None);
    let places: Vec<State> = config.states().into_iter().flatten().collect();
    for place in &places {
        match Outbox::of(place).open() {
            Ok(None) => {
                let path = place.file("outbox");
                report.fine("outbox", words::no_messages(path.display()));
            }
            Ok(Some(dir)) => {
                waits |= outbox(config, place, &dir, report);
                let age = outbox::since_last_flush(&dir, &Stamp::now());
                last_flush = last_flush.into_iter().chain(age).min();
            }
            // The one in force has already been reported.
            Err(error) if state.is_none_or(|state| !state.is(place)) => {
                let path = place.file("outbox");
                report.wrong("outbox", words::no_outbox(path.display(), error));
            }
            Err(_) => {}
        }
    }
    if !places.is_empty() {
        flush(config, last_flush, waits, report);
    }
}

/// Reports one outbox; returns whether anything waits in it.
fn outbox(config: &Config, place: &State, dir: &Arc<Dir>, report: &mut Steps) -> bool {
    let waiting = waiting(config, place, dir);
    let is_fine = waiting.oldest < LONG && waiting.failed == 0 && waiting.strange == 0;
    let finding = words::outbox(&waiting);
    if is_fine {
        report.fine("outbox", finding.what);
    } else {
        report.doubt("outbox", finding);
    }
    waiting.count > 0
}

fn waiting(config: &Config, place: &State, dir: &Arc<Dir>) -> Backlog {
    let ids = |dir: &Dir| outbox::oldest(dir, None, usize::MAX).unwrap_or_default();
    let peek = |id: &Id| outbox::peek(dir, id).ok()??.ok();
    let waiting: BTreeSet<Id> = ids(dir);
    let first = waiting.first();
    let accepted = first.and_then(Id::accepted);
    let age = accepted.and_then(|at| SystemTime::now().duration_since(at).ok());
    let senders = Senders::of(config, place);
    let entries = waiting.iter().take(LOOKS).filter_map(peek);
    let strange = entries.filter(|(entry, _)| senders.get(&entry.sender).is_none());
    let failed = outbox::failed(dir).ok().flatten();
    Backlog {
        path: dir.path().to_owned(),
        count: waiting.len(),
        oldest: age.unwrap_or_default(),
        why: first.and_then(peek).and_then(|(_, tries)| tries.error),
        failed: failed.map_or(0, |failed| ids(&failed).len()),
        strange: strange.count(),
    }
}

/// Reports whether anything flushes by itself: past flushes leave a trace, and crontabs and timers
/// reveal future ones.
fn flush(config: &Config, last_flush: Option<Duration>, waits: bool, report: &mut Steps) {
    let seen = match last_flush {
        Some(age) if age < outbox::RECENT => FlushSeen::Recently(age),
        _ => match FlushJob::of(config).find() {
            Some(found) if found.runs => FlushSeen::SetUp(found.source),
            Some(found) => FlushSeen::NoCron(found.source),
            None => FlushSeen::Nothing {
                timer: FlushTimer::of(config).is_some() && !cron::is_installed(),
            },
        },
    };
    let finding = words::flush(&seen, &cron::flush_command(config));
    match seen {
        FlushSeen::Recently(_) | FlushSeen::SetUp(_) => report.fine("flush", finding.what),
        FlushSeen::Nothing { .. } if waits => report.wrong("flush", finding),
        FlushSeen::NoCron(_) | FlushSeen::Nothing { .. } => report.doubt("flush", finding),
    }
}

/// Reports the number of messages sent to the config's recipients, next to the limits.
pub(super) fn ledger(config: &Config, state: Option<&State>, report: &mut Steps) {
    let Ok(settings) = config.settings(None) else {
        return;
    };
    if state.is_none() || !matches!(settings.account, Account::App(_)) {
        return;
    }
    let (to, limits) = (settings.to.clone(), settings.limits);
    let Ok(sender) = Sender::new(settings, state) else {
        return;
    };
    let has_others = !to.toparty.is_empty() || !to.totag.is_empty();
    let audience = Audience::of(Some(&to.touser.join("|")), has_others);
    // An unreadable file has already been reported.
    let Some(forecast) = sender.forecast(Channel::App) else {
        return;
    };
    let [minute, hour] = forecast.taken(&audience);
    let (per_minute, per_hour) = (limits.per_minute, limits.per_hour);
    let is_full = |taken: usize, limit: u32| taken as u64 >= u64::from(limit);
    let finding = words::limits(minute, per_minute, hour, per_hour);
    if is_full(minute, per_minute.count()) || is_full(hour, per_hour) {
        report.doubt("ledger", finding);
    } else {
        report.fine("ledger", finding.what);
    }
}
