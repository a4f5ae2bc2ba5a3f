//! Decides whether a run is reported, by its result and by earlier ones.

use std::os::unix::ffi::OsStrExt;

use crate::child::Ended;
use crate::cli::{ReportOn, Run};
use crate::config::State;
use crate::secret::digest;
use crate::streaks::{RecordedFailure, Streak, Streaks};

/// The reason why a report is sent, besides the result itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Only the result.
    Plain,
    /// The command has failed before.
    Again(Streak),
    /// It has failed before, but otherwise when it was last reported.
    Changed(Streak),
    /// The command succeeds again.
    Recovery(Streak),
}

/// The decision on a report. Its record is reverted if the report cannot be sent.
pub(super) struct Trigger {
    occasion: Option<Occasion>,
    streaks: Option<Streaks>,
    /// This failure, if it was recorded.
    failed: Option<RecordedFailure>,
}

impl Trigger {
    /// Decides by the result of the command.
    pub(super) fn of(args: &Run, state: Option<&State>, ended: &Ended) -> Self {
        let ok = ended.end.is_success();
        let spoke = !ended.last.bytes.is_empty()
            || matches!(ended.end, crate::child::CommandEnd::NotStarted(_));
        let counts = args.on == ReportOn::Change || args.after > 1 || args.remind.is_some();
        let streaks = state
            .filter(|_| counts)
            .map(|state| Streaks::of(state, key(args)));
        let wanted = match args.on {
            ReportOn::Always | ReportOn::Change => true,
            ReportOn::Failure => !ok,
            ReportOn::Success => ok,
            ReportOn::Output => spoke,
        };
        let mut failed = None;
        let occasion = if ok {
            let over = streaks
                .as_ref()
                .and_then(|streaks| known(streaks.worked()))
                .flatten();
            match over.filter(|streak| streak.told.is_some()) {
                Some(streak) if wanted => Some(Occasion::Recovery(streak)),
                _ if args.on == ReportOn::Change => None,
                _ => wanted.then_some(Occasion::Plain),
            }
        } else {
            let kind = ended.end.kind();
            let tells = |streak: &Streak| {
                let is_known = streak.told.is_some() && streak.kind.is_none_or(|it| it == kind);
                let is_due = args
                    .remind
                    .is_some_and(|after| streak.wants_reminder(after));
                let is_new = args.on != ReportOn::Change || !is_known || is_due;
                wanted && is_new && streak.failures >= args.after
            };
            failed = streaks
                .as_ref()
                .and_then(|streaks| known(streaks.failed(kind, tells)));
            match &failed {
                Some(failed) => failed.tell.then_some(match failed.streak {
                    Streak { failures: 1, .. } => Occasion::Plain,
                    streak if args.on == ReportOn::Change && failed.is_of_other_kind() => {
                        Occasion::Changed(streak)
                    }
                    streak => Occasion::Again(streak),
                }),
                // Without a count, one report too many is better than a missing one.
                None => wanted.then_some(Occasion::Plain),
            }
        };
        Self {
            occasion,
            streaks,
            failed,
        }
    }

    /// Returns the occasion, if a report is due.
    pub(super) fn occasion(&self) -> Option<Occasion> {
        self.occasion
    }

    /// Leaves the report to the next run, since this one cannot send it.
    pub(super) fn revert(&self) {
        if let Some(streaks) = &self.streaks {
            let undone = match (self.occasion, &self.failed) {
                (Some(Occasion::Recovery(streak)), _) => streaks.not_over(streak),
                (_, Some(failed)) => streaks.mark_unreported(failed.before),
                (_, None) => Ok(()),
            };
            known(undone);
        }
    }

    /// Takes the failure back.
    pub(super) fn take_back(&self) {
        if let (Some(streaks), Some(failed)) = (&self.streaks, &self.failed) {
            known(streaks.take_back(failed));
        }
    }
}

fn known<T>(result: std::io::Result<T>) -> Option<T> {
    let warn = |error: &std::io::Error| {
        tracing::warn!("{}", crate::text::run::streak_unknown(error));
    };
    result.inspect_err(warn).ok()
}

/// Returns the key by which a command is watched and its failures are counted: its title, or the
/// whole command line. A digest, since it may contain a secret.
pub(super) fn key(args: &Run) -> String {
    let words: Vec<_> = args.command.iter().map(|it| it.to_string_lossy()).collect();
    let mut parts = vec!["command"];
    let title = args.title.as_deref().unwrap_or_default();
    let title = match title.to_str() {
        Some(title) => title.to_owned(),
        // Whatever it is read as.
        None => title.as_bytes().escape_ascii().to_string(),
    };
    match &args.title {
        Some(_) => parts = vec!["title", &title],
        None => parts.extend(words.iter().map(AsRef::as_ref)),
    }
    let mut key = digest(&parts);
    key.truncate(32);
    key
}
