//! `wxpush check`: the set-up tested step by step, with what to do for each step that fails.
//!
//! What a failed step makes impossible is left out, and is no failure of its own. Nothing is sent,
//! but for `--send`, and nothing changes but the token, which WeCom is asked for at once.

mod app;
mod backlog;
mod files;
mod history;
mod network;
mod receivers;
mod report;
mod setup;
mod trial;

use std::time::Instant;

use super::{load, stderr};
use crate::cli::{Check, Global};
use crate::config::{Config, State};
use crate::error::{Exit, Failure};
use crate::log::{self, Stderr};
use crate::message::Envelope;
use crate::output::Output;
use report::Report;

/// Runs `check`.
pub(super) fn run(args: &Check, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let user = args.send.as_deref().map(one_member).transpose()?;
    let mut report = Report::new(output);
    setup::program(&mut report);
    match load(global) {
        Ok(config) => whole(&config, args, user.as_ref(), output, &mut report),
        Err(failure) => {
            setup::unread(failure, global, &mut report);
            // The file may have named a relay or a proxy; the rest of the way can be looked at.
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

/// The one member to whom a test message goes.
fn one_member(name: &str) -> Result<Envelope, Failure> {
    let usage = |what: String| {
        Failure::new(Exit::Usage, what).hint(crate::lang::spoken().of(
            "--send 后面写一个成员的账号（userid），例如 --send zhangsan",
            "--send takes the userid of one member, such as --send zhangsan",
        ))
    };
    let to = Envelope::parse(vec![name], Vec::new(), Vec::new())
        .map_err(|why| usage(crate::config::value::shown(&why)))?;
    if to.touser.len() != 1 || to == Envelope::all() {
        return Err(usage(crate::lang::say!(
            "--send 只给一个成员发测试消息",
            "--send sends its test message to one member"
        )));
    }
    Ok(to)
}

/// All steps of a config that could be read.
fn whole(
    config: &Config,
    args: &Check,
    user: Option<&Envelope>,
    output: Output,
    report: &mut Report,
) {
    setup::config(config, report);
    let base = config.base();
    let state = base.state();
    // What is wrong with the log, or with the config's mode, is a step's own to tell.
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
    let deadline = Instant::now() + args.timeout;
    let network = match &settings {
        Some(settings) => Ok(settings.network.clone()),
        None => config.network(),
    };
    let mut is_fit = false;
    match network {
        // Where there are settings, or should be, it has been told already.
        Err(error) if config.is_for_robots() => report.wrong("network", error.into()),
        Err(_) => {}
        Ok(network) => {
            setup::network(&network, true, report);
            setup::proxy(config, &network, report);
            let is_there = network::reach(&network, deadline, report);
            if let Some(settings) = settings {
                let app = if is_there {
                    app::asked(settings, state.as_ref(), deadline, report)
                } else {
                    app::left(&["http", "token", "agent", "scope", "recipient"], report);
                    None
                };
                if let Some(app) = app {
                    is_fit = true;
                    receivers::all(config, &app, user, deadline, report);
                }
            }
        }
    }
    setup::robots(config, report);
    backlog::outboxes(config, state.as_ref(), report);
    backlog::ledger(config, state.as_ref(), report);
    if let Some(user) = user {
        if is_fit {
            trial::send(config, state.as_ref(), user.clone(), args.timeout, report);
        } else {
            trial::left(report);
        }
    }
    if report.is_fine() || user.is_some() && is_fit {
        trial::seen_nowhere(report);
    }
}

/// A place of ours, for words.
fn shown(state: &State) -> String {
    state.dir().display().to_string()
}
