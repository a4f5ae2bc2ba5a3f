//! Whether a report is due: by how the command ended, and how it ended before.

use crate::child::Ended;
use crate::cli::{On, Run};
use crate::config::State;
use crate::lang::say;
use crate::runs::{Runs, Streak};
use crate::secret::digest;

/// What a report has to tell beside how the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tale {
    /// Nothing.
    Plain,
    /// It has failed before.
    Again(Streak),
    /// It works again.
    Recovery(Streak),
}

/// What is due, and what is to be undone if it can't be told.
pub(super) struct Due {
    tale: Option<Tale>,
    runs: Option<Runs>,
}

impl Due {
    /// Takes in how the command ended.
    pub(super) fn of(args: &Run, state: Option<&State>, ended: &Ended) -> Self {
        let ok = ended.end.is_success();
        let spoke =
            !ended.last.bytes.is_empty() || matches!(ended.end, crate::child::End::NotStarted(_));
        let counts = args.on == On::Change || args.after > 1;
        let runs = state
            .filter(|_| counts)
            .map(|state| Runs::of(state, key(args)));
        let wanted = match args.on {
            On::Always | On::Change => true,
            On::Failure => !ok,
            On::Success => ok,
            On::Output => spoke,
        };
        let tale = if ok {
            let over = runs
                .as_ref()
                .and_then(|runs| known(runs.worked()))
                .flatten();
            match over.filter(|streak| streak.told) {
                Some(streak) if wanted => Some(Tale::Recovery(streak)),
                _ if args.on == On::Change => None,
                _ => wanted.then_some(Tale::Plain),
            }
        } else {
            let tells = |streak: &Streak| {
                let told = args.on == On::Change && streak.told;
                wanted && !told && streak.failures >= args.after
            };
            match runs.as_ref().and_then(|runs| known(runs.failed(tells))) {
                Some((streak, tell)) => tell.then_some(match streak.failures {
                    1 => Tale::Plain,
                    _ => Tale::Again(streak),
                }),
                // Who cannot count tells rather too much.
                None => wanted.then_some(Tale::Plain),
            }
        };
        Self { tale, runs }
    }

    /// What is due, if a report is.
    pub(super) fn tale(&self) -> Option<Tale> {
        self.tale
    }

    /// Lets the next run tell it, since this one can't.
    pub(super) fn untold(&self) {
        if let Some(runs) = &self.runs {
            let undone = match self.tale {
                Some(Tale::Recovery(streak)) => runs.not_over(streak),
                _ => runs.not_told(),
            };
            known(undone);
        }
    }
}

fn known<T>(result: std::io::Result<T>) -> Option<T> {
    let warn = |error: &std::io::Error| {
        let text = say!(
            "无法得知该命令之前失败过几次：{error}",
            "it cannot be known how often the command has failed before: {error}"
        );
        tracing::warn!("{text}");
    };
    result.inspect_err(warn).ok()
}

/// What a command's failures are counted by: its title, or the whole command line; as a digest, since
/// it may hold a secret.
fn key(args: &Run) -> String {
    let words: Vec<_> = args.command.iter().map(|it| it.to_string_lossy()).collect();
    let mut parts = vec!["command"];
    match &args.title {
        Some(title) => parts = vec!["title", title],
        None => parts.extend(words.iter().map(AsRef::as_ref)),
    }
    let mut key = digest(&parts);
    key.truncate(32);
    key
}
