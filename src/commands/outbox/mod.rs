//! `wxpush outbox`: messages that are accepted and not yet delivered, and those that were given up.

mod change;
mod due;
mod flush;
mod list;
mod row;

use std::io;
use std::sync::Arc;

use super::submit::TIME;
use super::{begin, load};
use crate::cli::{Global, OutboxAction, OutboxArgs as Args};
use crate::config::{Config, State, value::shown};
use crate::disk::Dir;
use crate::error::{Exit, Failure};
use crate::outbox::{self, Claim, Id, Outbox};
use crate::output::Output;
use crate::text::outbox as text;
use change::Change;

/// Runs `outbox list`, `show`, `flush`, `drop` or `retry`.
pub(super) fn run(args: &Args, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let config = load(global)?;
    // Starts the log, and warns; the state directories are found below.
    let _ = begin(&config.base(), output);
    let outboxes = Outboxes {
        places: places(&config)?,
        config: &config,
    };
    match &args.action {
        OutboxAction::List => list::list(&outboxes, output),
        OutboxAction::Show { id } => list::show(&outboxes, id, output),
        OutboxAction::Flush { wait, timeout } => flush::run(
            &outboxes,
            (!wait).then_some(timeout.unwrap_or(TIME)),
            output,
        ),
        OutboxAction::Drop(chosen) => change::run(&outboxes, Change::Drop, chosen, output),
        OutboxAction::Retry(chosen) => change::run(&outboxes, Change::Retry, chosen, output),
    }
}

/// Returns the state directories of the config; warns of unusable ones.
///
/// # Errors
/// `Exit::State` if all are unusable.
fn places(config: &Config) -> Result<Vec<State>, Failure> {
    let states = config.states();
    let has_one = states.iter().any(Result::is_ok);
    let mut places = Vec::new();
    for state in states {
        match state {
            Ok(state) => places.push(state),
            Err(place) if has_one => tracing::warn!("{}", text::place_skipped(place)),
            Err(place) => return Err(text::no_place(place)),
        }
    }
    Ok(places)
}

/// The outboxes of a config: a profile may have a state directory of its own.
struct Outboxes<'a> {
    config: &'a Config,
    places: Vec<State>,
}

/// The location of an entry.
struct Place<'a> {
    state: &'a State,
    dir: Arc<Dir>,
    /// `failed/` in it, if the entry has failed.
    failed: Option<Arc<Dir>>,
    id: Id,
}

impl Outboxes<'_> {
    /// Opens the outboxes that exist.
    fn opened(&self) -> Result<Vec<(&State, Arc<Dir>)>, Failure> {
        let opened = self.places.iter().filter_map(|state| {
            let outbox = Outbox::of(state);
            let dir = outbox.open().map_err(|error| unusable(&outbox, error));
            dir.map(|dir| Some((state, dir?))).transpose()
        });
        opened.collect()
    }

    /// Returns all entries, the waiting ones before the failed ones, each oldest first.
    fn all(&self) -> Result<Vec<Place<'_>>, Failure> {
        let (mut all, mut given_up) = (Vec::new(), Vec::new());
        for (state, dir) in self.opened()? {
            let cannot = |error| unusable(&Outbox::of(state), error);
            let entries = |failed: Option<Arc<Dir>>| {
                let holder = failed.as_ref().unwrap_or(&dir);
                let ids = outbox::oldest(holder, None, usize::MAX).map_err(cannot)?;
                let place = |id| Place {
                    state,
                    dir: Arc::clone(&dir),
                    failed: failed.clone(),
                    id,
                };
                Ok::<Vec<_>, Failure>(ids.into_iter().map(place).collect())
            };
            all.extend(entries(None)?);
            // Read last, since entries are moved there. One handle for all of them: there may be
            // more entries than a process may have open files.
            if let Some(failed) = outbox::failed(&dir).map_err(cannot)? {
                given_up.extend(entries(Some(Arc::new(failed)))?);
            }
        }
        all.append(&mut given_up);
        Ok(all)
    }
}

impl Place<'_> {
    /// Returns the directory that contains the entry.
    fn holder(&self) -> &Arc<Dir> {
        self.failed.as_ref().unwrap_or(&self.dir)
    }

    fn claim(&self) -> Claim {
        match &self.failed {
            Some(failed) => outbox::claim_failed(failed, &self.id),
            None => outbox::claim(&self.dir, &self.id, None),
        }
    }
}

/// Finds the entry whose ID contains a text: one, or two if it both waits and has failed.
///
/// # Errors
/// `Exit::Data` if no ID, or more than one, contains it.
fn find<'p, 'a>(all: &'p [Place<'a>], text: &str) -> Result<Vec<&'p Place<'a>>, Failure> {
    let contains = |place: &&Place<'_>| place.id.as_str().contains(text);
    let found: Vec<&Place<'_>> = all.iter().filter(contains).collect();
    let Some(first) = found.first() else {
        return Err(text::no_such_id(shown(text)));
    };
    let is_same = |it: &&Place<'_>| it.id == first.id && Arc::ptr_eq(&it.dir, &first.dir);
    if found.iter().all(is_same) {
        Ok(found)
    } else {
        Err(text::ambiguous_id(found.len(), text))
    }
}

fn unusable(outbox: &Outbox, error: io::Error) -> Failure {
    text::outbox_unusable(outbox.path().display(), error)
}
