//! `wxpush outbox`: what is accepted and not yet delivered, and what was given up.

mod change;
mod flush;
mod list;

use std::sync::Arc;

use super::{begin, load};
use crate::cli::{Global, Outbox as Args, OutboxAction};
use crate::config::{Config, NoPlace, State};
use crate::disk::Dir;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::outbox::{self, Id, Outbox};
use crate::output::Output;

/// Runs `outbox list`, `show`, `flush`, `drop` or `retry`.
pub(super) fn run(args: &Args, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let config = load(global)?;
    let base = config.base();
    // Its log, and its warnings; the places themselves come below.
    let _ = begin(&base, output);
    let states = config.states();
    let (found, missing): (Vec<_>, Vec<_>) = states.into_iter().partition(Result::is_ok);
    let states: Vec<State> = found.into_iter().flatten().collect();
    for place in missing.into_iter().filter_map(Result::err) {
        if states.is_empty() {
            return Err(no_place(&place).into());
        }
        let text = say!(
            "有一个发件箱没有处理：{place}",
            "one of the outboxes is left out: {place}"
        );
        tracing::warn!("{text}");
    }
    let outboxes = Outboxes {
        config: &config,
        places: states,
    };
    match &args.action {
        OutboxAction::List => list::list(&outboxes, output),
        OutboxAction::Show { id } => list::show(&outboxes, id, output),
        OutboxAction::Flush { wait, timeout } => {
            flush::run(&outboxes, (!wait).then_some(*timeout), output)
        }
        OutboxAction::Drop(chosen) => change::drop(&outboxes, chosen, output),
        OutboxAction::Retry(chosen) => change::retry(&outboxes, chosen, output),
    }
}

fn no_place(place: &NoPlace) -> Failure {
    let what = say!(
        "没有可用的目录来存放发件箱：{place}",
        "no place for the outbox: {place}"
    );
    let hint = spoken().of(
        "把 state_dir 设为只有你可写的目录",
        "set state_dir to a directory that only you can write to",
    );
    Failure::new(Exit::State, what).hint(hint)
}

/// Every outbox that the config has: a profile may keep its state elsewhere.
struct Outboxes<'a> {
    config: &'a Config,
    places: Vec<State>,
}

/// An entry's place.
struct Place<'a> {
    state: &'a State,
    dir: Arc<Dir>,
    /// Where it lies if it has failed.
    failed: Option<Arc<Dir>>,
    id: Id,
}

impl Outboxes<'_> {
    /// Those that are there, opened.
    fn opened(&self) -> Result<Vec<(&State, Arc<Dir>)>, Failure> {
        let mut opened = Vec::new();
        for state in &self.places {
            let outbox = Outbox::of(state);
            match outbox.open() {
                Ok(Some(dir)) => opened.push((state, dir)),
                Ok(None) => {}
                Err(error) => return Err(unreadable(&outbox, &error)),
            }
        }
        Ok(opened)
    }

    /// Every entry, those that wait and those that have failed, each oldest first.
    fn all(&self) -> Result<(Vec<Place<'_>>, Vec<Place<'_>>), Failure> {
        let (mut waiting, mut failed) = (Vec::new(), Vec::new());
        for (state, dir) in self.opened()? {
            let cannot = |error| unreadable(&Outbox::of(state), &error);
            let place = |id, failed| Place {
                state,
                dir: Arc::clone(&dir),
                failed,
                id,
            };
            let ids = outbox::oldest(&dir, None, usize::MAX).map_err(cannot)?;
            waiting.extend(ids.into_iter().map(|id| place(id, None)));
            let Some(given_up) = outbox::failed(&dir).map_err(cannot)? else {
                continue;
            };
            // One handle for all of them: there may be more than a process may have open files.
            let given_up = Arc::new(given_up);
            let ids = outbox::oldest(&given_up, None, usize::MAX).map_err(cannot)?;
            failed.extend(
                ids.into_iter()
                    .map(|id| place(id, Some(Arc::clone(&given_up)))),
            );
        }
        Ok((waiting, failed))
    }

    /// The one entry whose ID is, or has in it, this text.
    fn named(&self, text: &str) -> Result<Place<'_>, Failure> {
        let (waiting, failed) = self.all()?;
        let all: Vec<Place<'_>> = waiting.into_iter().chain(failed).collect();
        let found = named_among(&all, text)?.swap_remove(0);
        Ok(all.into_iter().nth(found).expect("it is one of them"))
    }
}

/// Which of these have the ID that is, or has in it, this text: one, or both where it is among those
/// that wait and among the failed as well.
fn named_among(all: &[Place<'_>], text: &str) -> Result<Vec<usize>, Failure> {
    let found: Vec<usize> = (0..all.len())
        .filter(|at| all[*at].id.as_str().contains(text))
        .collect();
    let is_one = |first: &usize| {
        let first = &all[*first];
        let mut rest = found.iter().map(|at| &all[*at]);
        rest.all(|it| it.id == first.id && Arc::ptr_eq(&it.dir, &first.dir))
    };
    let what = match found.first() {
        Some(first) if is_one(first) => return Ok(found),
        None => {
            let text = crate::config::value::shown(text);
            say!(
                "发件箱里没有 ID 含 {text} 的消息",
                "no message in the outbox has an ID with {text} in it"
            )
        }
        Some(_) => {
            let count = found.len();
            say!(
                "有 {count} 条消息的 ID 含 {text}",
                "{count} messages have an ID with {text} in it"
            )
        }
    };
    let hint = spoken().of(
        "wxpush outbox list 列出所有 ID",
        "wxpush outbox list shows the IDs",
    );
    Err(Failure::new(Exit::Data, what).hint(hint))
}

fn unreadable(outbox: &Outbox, error: &std::io::Error) -> Failure {
    let path = outbox.path().display();
    let what = say!(
        "发件箱 {path} 不可用：{error}",
        "the outbox {path} cannot be used: {error}"
    );
    let hint = spoken().of(
        "它必须是运行 wxpush 的用户自己的目录，不能属于别人",
        "it must be a directory of the user who runs wxpush, and of nobody else",
    );
    Failure::new(Exit::State, what).hint(hint)
}
