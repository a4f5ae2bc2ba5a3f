//! `wxpush init`: writes the config, by questions at a terminal, otherwise from the environment.

mod destination;
mod dialogue;
mod draft;
mod offer;
mod person;
pub(crate) mod setting;
mod terminal;
mod testing;
mod unattended;
mod wecom;

use std::path::PathBuf;

use serde_json::json;

use super::begin;
use crate::cli::{Global, Init};
use crate::config;
use crate::cron::{self, FlushJob, FlushTimer};
use crate::disk::euid;
use crate::error::{Exit, Failure};
use crate::maildrop;
use crate::output::{self, Output};
use crate::text;
use crate::wecom::Agent;
use destination::{Destination, Installed};
use draft::ConfigDraft;
use terminal::Terminal;
use wecom::Verifier;

/// Runs `wxpush init`.
pub(super) fn run(args: &Init, global: &Global, output: Output) -> anyhow::Result<Exit> {
    if global.profile.is_some() {
        return Err(text::init::no_profile().into());
    }
    let destination = Destination::find(global.config.as_deref())?;
    match Terminal::here() {
        Some(terminal) => dialogue::run(args, &destination, terminal, output),
        None => unattended::run(args, &destination, output),
    }
}

/// The result of `init`, once the config is written.
struct Summary<'a> {
    destination: &'a Destination,
    installed: Installed,
    /// The maildrop that was made.
    maildrop: Option<PathBuf>,
    /// The app, if WeCom has described it.
    agent: Option<Agent>,
    /// The reason why it is not known to work.
    failure: Option<Failure>,
    /// The line for a crontab.
    line: String,
    /// The flush to recognise an equivalent line by.
    flush: FlushJob,
    /// The timer for a host without cron.
    timer: Option<FlushTimer>,
}

impl<'a> Summary<'a> {
    /// Writes the config, over another one only if `over`, and starts logging.
    ///
    /// `granted` is the verifier that has a token.
    fn install(
        destination: &'a Destination,
        draft: &ConfigDraft,
        over: bool,
        granted: Option<&Verifier>,
        output: Output,
    ) -> Result<Self, Failure> {
        let config = draft.config(&destination.path, destination.is_named)?;
        let installed = destination.install(draft, over)?;
        let state = begin(&config.base(), output)
            .inspect_err(|place| tracing::warn!("{}", text::init::no_state(place)))
            .ok();
        if matches!(installed, Installed::Written { .. }) {
            tracing::info!(command = "init", path = %destination.path.display(), "config written");
        }
        if let (Some(verifier), Some(state)) = (granted, &state) {
            verifier.forget_refusal(&config.settings(None)?, state);
        }
        Ok(Self {
            destination,
            installed,
            maildrop: made_maildrop(config.base().maildrop),
            agent: None,
            failure: None,
            line: format!("* * * * * {}", cron::flush_command(&config)),
            flush: FlushJob::of(&config),
            timer: FlushTimer::of(&config),
        })
    }

    /// Returns the lines about the fate of the config.
    fn lines(&self) -> Vec<String> {
        let path = self.destination.path.display();
        let mut lines = match &self.installed {
            Installed::Unchanged => vec![text::init::unchanged(path)],
            Installed::Written { mode, replaced } => {
                let written = text::init::written(path, format!("{mode:04o}"));
                let kept = |old: &std::path::PathBuf| text::init::kept_as(old.display());
                let mut lines = vec![written];
                lines.extend(replaced.as_ref().map(kept));
                lines
            }
        };
        let made = self.maildrop.iter();
        lines.extend(made.map(|path| text::init::maildrop_made(path.display())));
        lines
    }

    /// Prints the result as JSON.
    fn print_json(&self) -> Result<(), Failure> {
        let app = self.agent.as_ref().map(|agent| {
            json!({
                "name": agent.name, "closed": agent.closed,
                "users": agent.users, "parties": agent.parties, "tags": agent.tags,
            })
        });
        let (status, replaced) = match &self.installed {
            Installed::Unchanged => ("unchanged", None),
            Installed::Written { replaced, .. } => ("written", replaced.as_ref()),
        };
        let mut object = json!({
            "status": status,
            "config": self.destination.path.to_string_lossy(),
            "replaced": replaced.map(|old| old.to_string_lossy()),
            "tested": self.agent.is_some(),
            "app": app,
            "crontab": self.line,
        });
        if let Some(failure) = &self.failure {
            object["error"] = json!(failure.what);
            object["exit_code"] = json!(failure.exit.code());
        }
        output::object(&object)
    }
}

/// Makes the maildrop if we are root's `sendmail`; returns it, unless there was one.
fn made_maildrop(path: PathBuf) -> Option<PathBuf> {
    if euid() != 0 || !config::is_the_sendmail() {
        return None;
    }
    let usable = |is_new| maildrop::Maildrop::waiting(&path).map(|_| is_new);
    match maildrop::make(&path).and_then(usable) {
        Ok(is_new) => is_new.then_some(path),
        Err(error) => {
            tracing::warn!("{}", text::check::bad_maildrop(path.display(), error).what);
            None
        }
    }
}

/// Returns the warning that the search finds another config first, if it does.
fn hidden(destination: &Destination) -> Option<String> {
    let first = destination.hidden_by()?;
    Some(text::init::hidden(
        first.display(),
        destination.path.display(),
    ))
}
