//! `outbox flush`: made for a crontab, silent unless there is news.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use super::super::run::tell_overdue;
use super::super::sendmail::pickup;
use super::{Outboxes, unusable};
use crate::clock::Stamp;
use crate::config::{self, State};
use crate::delivery::{Bounds, Flush, FlushSummary, Senders, Strange};
use crate::disk::Dir;
use crate::error::{Exit, Failure};
use crate::log;
use crate::outbox::{self, Clocks, JOB_NOTICE, MAIL_NOTICE, Outbox, STATE_NOTICE};
use crate::output::{self, Output};
use crate::text::delivery::WORDING;
use crate::text::outbox as text;

/// The first and the longest pause between the tries of `--wait`.
const PAUSE_FIRST: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// The interval at which `--wait` looks for new or unclaimed entries.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Longest time for taking the mails of other users.
const PICKUP_MAX: Duration = Duration::from_secs(15);

/// Flushes every outbox, for `time`, or until all are empty if there is no limit.
pub(super) fn run(
    outboxes: &Outboxes<'_>,
    time: Option<Duration>,
    output: Output,
) -> anyhow::Result<Exit> {
    let deadline = time.map(|time| Instant::now() + time);
    allow_descriptors();
    tracing::info!(command = "outbox flush", wait = time.is_none(), "start");
    let mut whole = FlushSummary::default();
    let mut unusable = None;
    for state in &outboxes.places {
        // First, so that its alarms go out at once.
        let overdue = tell_overdue(outboxes.config, state);
        warn_once_a_day(state.dir(), JOB_NOTICE, &overdue, output);
        match flush(outboxes, state, deadline) {
            Ok(summary) => {
                warn_of_trouble(outboxes, state, &summary, output);
                whole.add(summary);
            }
            Err(failure) => {
                unusable.get_or_insert(failure);
            }
        }
    }
    // All that is root's has gone: what users have left may take any time, or end the process.
    let has_taken = pick_up(outboxes, time, output);
    // An app in trouble isn't asked again.
    if has_taken && (time.is_none() || whole.stopped.is_none()) {
        whole.start_pass();
        for state in &outboxes.places {
            // What fails has been said.
            whole.add(flush(outboxes, state, deadline).unwrap_or_default());
        }
    }
    let exit = report(&whole, output)?;
    unusable.map_or(Ok(exit), |failure| Err(failure.into()))
}

/// Takes the mails of other users into the outbox, and warns of those that stay or are refused; returns
/// whether some were taken.
fn pick_up(outboxes: &Outboxes<'_>, time: Option<Duration>, output: Output) -> bool {
    let time = time.map_or(PICKUP_MAX, |time| (time / 2).min(PICKUP_MAX));
    let mut notes = BTreeSet::new();
    let until = Instant::now() + time;
    let has_taken = pickup::pick_up(outboxes.config, until, output, &mut notes);
    if let Some(state) = outboxes.places.first() {
        let lines: Vec<String> = notes.into_iter().collect();
        warn_once_a_day(state.dir(), MAIL_NOTICE, &lines, output);
    }
    has_taken
}

/// Raises the limit of open files to its maximum: each text of a merged message is locked.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Best effort: with fewer, fewer texts are merged.
    let _ = setrlimit(Resource::Nofile, most);
}

/// Flushes one outbox.
fn flush(
    outboxes: &Outboxes<'_>,
    state: &State,
    deadline: Option<Instant>,
) -> Result<FlushSummary, Failure> {
    let outbox = Outbox::of(state);
    let senders = Senders::of(outboxes.config, state);
    let bounds = Bounds {
        deadline,
        tries: usize::MAX,
        looks: usize::MAX,
        files: true,
        at_once: true,
    };
    let clocks = match outbox.open() {
        Ok(Some(dir)) => outbox::note_clocks(&dir, &Stamp::now()),
        _ => Clocks::default(),
    };
    let mut flush = Flush::new(&senders, &outbox, bounds, WORDING).at(clocks);
    until_done(&mut flush, deadline).map_err(|error| unusable(&outbox, error))?;
    if let Ok(Some(dir)) = outbox.open() {
        outbox::tidy(&dir, &Stamp::now(), clocks.steady);
        let junk = outbox::junk(&dir).unwrap_or_default();
        let junk = junk.into_iter().map(|name| (name, Strange::Junk));
        flush.summary.strange.extend(junk);
    }
    Ok(flush.summary)
}

/// Passes through the outbox until the deadline, or until no entry can be sent before it.
fn until_done(flush: &mut Flush<'_>, deadline: Option<Instant>) -> std::io::Result<()> {
    let mut pause = PAUSE_FIRST;
    loop {
        let before = flush.summary.delivered;
        flush.pass()?;
        let summary = &flush.summary;
        // Waiting delivers no entry of another app, and no unreadable one.
        if summary.left == 0 && (deadline.is_some() || summary.busy + summary.quiet == 0) {
            return Ok(());
        }
        if summary.delivered > before {
            pause = PAUSE_FIRST;
        }
        let time = if let Some(deadline) = deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            match flush.next_in() {
                Some(next) if next < left => next,
                _ => return Ok(()),
            }
        } else {
            let next = flush.next_in().unwrap_or(pause);
            let longest = if summary.stopped.is_some() {
                let longest = pause;
                pause = (pause * 2).min(PAUSE_MAX);
                longest
            } else if summary.busy > 0 {
                PAUSE_FIRST
            } else {
                LOOK_AGAIN
            };
            flush.forgive();
            next.min(longest)
        };
        std::thread::sleep(time.max(Duration::from_millis(20)));
    }
}

fn has_entries(dir: &Path) -> bool {
    let names = Dir::names_at(&dir.join("outbox")).unwrap_or_default();
    names.iter().any(|name| outbox::Id::parse(name).is_some())
}

/// Warns of entries that no flush will deliver, here or elsewhere, and of those that a robot sent in place
/// of an app.
fn warn_of_trouble(outboxes: &Outboxes<'_>, state: &State, summary: &FlushSummary, output: Output) {
    let others = summary.others.iter();
    let others = others.map(|(sender, count)| text::of_other_sender(sender, *count));
    let strange = summary.strange.iter();
    let strange = strange.map(|(name, why)| text::strange(name, why));
    let instead = summary.instead.iter();
    let instead = instead.map(|(robot, why)| text::goes_by_robot(robot, *why));
    let lines: Vec<String> = others.chain(strange).chain(instead).collect();
    if let Ok(Some(dir)) = Outbox::of(state).open() {
        warn_once_a_day(&dir, STATE_NOTICE, &lines, output);
    }
    for dir in config::elsewhere(state) {
        let is_served = outboxes.places.iter().any(|place| place.is_at(&dir));
        if !is_served && has_entries(&dir) {
            warn(&text::outbox_elsewhere(dir.display()), output.verbose > 0);
        }
    }
}

/// Warns a person each time, and cron's mail of each line once a day, by the record of this name.
fn warn_once_a_day(dir: &Dir, name: &str, lines: &[String], output: Output) {
    let are_new = outbox::are_new_notices(dir, name, lines);
    for (line, is_new) in lines.iter().zip(are_new) {
        warn(line, is_new || output.verbose > 0);
    }
}

/// Warns in the log, and on stderr at a terminal or if `always`.
fn warn(line: &str, always: bool) {
    if always {
        tracing::warn!("{line}");
    } else {
        tracing::warn!(target: log::AT_TERMINAL, "{line}");
    }
}

fn report(summary: &FlushSummary, output: Output) -> anyhow::Result<Exit> {
    let failure = failure(summary);
    if output.json {
        let others: usize = summary.others.values().sum();
        output::object(&json!({
            "delivered": summary.delivered, "failed": summary.failed, "expired": summary.expired,
            "left": summary.left, "quiet": summary.quiet, "busy": summary.busy, "others": others, "strange": summary.strange.len(),
            "error": failure.as_ref().map(|failure| &failure.what),
            "exit_code": failure.as_ref().map_or(0, |failure| failure.exit.code()),
        }))?;
    } else if output.is_talkative() {
        let given_up = summary.failed + summary.expired;
        output::result(&text::summary(summary.delivered, summary.left, given_up))?;
    }
    let Some(failure) = failure else {
        return Ok(Exit::Sent);
    };
    // The send has already reported it: cron need not mail it every minute.
    if !output.json && (output::stderr_is_terminal() || output.verbose > 0) {
        return Err(failure.into());
    }
    tracing::info!(reason = failure.what, "messages stay");
    Ok(failure.exit)
}

/// Returns why entries are left; `None` if there are none.
fn failure(summary: &FlushSummary) -> Option<Failure> {
    let others: usize = summary.others.values().sum();
    let left = summary.left + summary.busy + others + summary.strange.len();
    match (&summary.stopped, &summary.held_up) {
        // Every message went by a robot in place of its app, or by the app.
        _ if left == 0 && !summary.instead.is_empty() && summary.failed + summary.expired == 0 => {
            None
        }
        // All entries were given up and reported; the cause remains.
        (stopped, _) if left == 0 => stopped.clone(),
        (Some(stopped), _) => Some(Failure {
            what: text::stay(left, &stopped.what),
            ..stopped.clone()
        }),
        (None, Some(held_up)) => Some(text::held_up(left, &held_up.what)),
        (None, None) if summary.left > 0 => Some(text::queued(left)),
        (None, None) => Some(text::unsent(left)),
    }
}
