//! `wxpush check`: tests the set-up step by step, with a hint for each failed step.
//!
//! Steps that a failed one makes impossible are skipped, and not counted as failures. Nothing is
//! sent, except with `--send`, and nothing changes except the token, which is requested at once.

mod app;
mod backlog;
mod files;
mod jobs;
mod network;
mod recipients;
mod report;
mod setup;
mod trial;

use std::time::Instant;

use super::{load, stderr};
use crate::cli::{Check, Global};
use crate::config::{Config, State, value};
use crate::error::{Exit, Failure};
use crate::log::{self, Stderr};
use crate::message::Recipients;
use crate::output::Output;
use crate::text;
use report::Steps;

/// Runs `check`.
pub(super) fn run(args: &Check, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let user = args.send.as_deref().map(one_member).transpose()?;
    // The config decides on the language, so it comes first.
    let config = load(global);
    let mut report = Steps::new(output);
    setup::program(&mut report);
    match config {
        Ok(config) => all(&config, args, user.as_ref(), output, &mut report),
        Err(failure) => {
            setup::unread(failure, global, &mut report);
            // The file may have named a relay or a proxy; the rest of the route can still be
            // tested.
            if let Ok(config) = Config::of_environment()
                && let Ok(network) = config.network()
            {
                setup::network(&network, false, &mut report);
                setup::proxy(&config, &network, &mut report);
                network::reach(&network, Instant::now() + args.timeout, &mut report);
            }
        }
    }
    Ok(report.end()?)
}

/// Parses the one member who gets a test message.
fn one_member(name: &str) -> Result<Recipients, Failure> {
    let to = Recipients::parse(vec![name], Vec::new(), Vec::new())
        .map_err(|why| text::check::bad_member(value::shown(&why.to_string())))?;
    if to.touser.len() != 1 || to == Recipients::all() {
        return Err(text::check::bad_member(text::check::many_members()));
    }
    Ok(to)
}

/// Tests all steps of a config that was read.
fn all(
    config: &Config,
    args: &Check,
    user: Option<&Recipients>,
    output: Output,
    report: &mut Steps,
) {
    setup::config(config, report);
    let base = config.base();
    let state = base.state();
    // Trouble with the log, or with the config's mode, has its own step.
    let quiet = Stderr {
        quiet: output.verbose == 0,
        ..stderr(output)
    };
    log::begin(&base, state.as_ref().ok(), quiet);
    tracing::info!(command = "check", "start");
    let settings = setup::settings(config, report);
    files::state(config, &state, report);
    let state = state.ok();
    files::log(&base, state.as_ref(), report);
    if let Some(state) = &state {
        files::ours(state, report);
    }
    files::maildrop(&base, report);
    let deadline = Instant::now() + args.timeout;
    let network = match &settings {
        Some(settings) => Ok(settings.network.clone()),
        None => config.network(),
    };
    let mut app = None;
    match network {
        // If there are or should be settings, the error has already been reported.
        Err(error) if config.is_for_robots() => report.wrong("network", error.into()),
        Err(_) => {}
        Ok(network) => {
            setup::network(&network, true, report);
            setup::proxy(config, &network, report);
            match settings {
                Some(settings) => app = app::ask(settings, state.as_ref(), deadline, report),
                None => network::reach(&network, deadline, report),
            }
        }
    }
    if let Some(app) = &app {
        recipients::all(config, app, user, deadline, report);
    }
    setup::robots(config, report);
    backlog::outboxes(config, state.as_ref(), report);
    backlog::ledger(config, state.as_ref(), report);
    jobs::all(config, report);
    match user {
        Some(user) if app.is_some() => {
            trial::send(config, state.as_ref(), user.clone(), args.timeout, report);
        }
        Some(_) => report.left(&["send"], text::check::not_sent()),
        None => {}
    }
    if report.is_fine() || user.is_some() && app.is_some() {
        report.notes(text::check::unseen_title(), text::check::unseen());
    }
}

/// Returns the path of a state directory, for display.
fn shown(state: &State) -> String {
    state.dir().path().display().to_string()
}
