//! One file a command: from arguments, through the rooms below, to a printed result.

mod api;
mod batch;
mod call;
mod callback;
mod check;
mod crontab;
mod explain;
pub(crate) mod http;
pub(crate) mod init;
mod intent;
mod lenient;
mod option_text;
mod outbox;
mod pages;
mod recall;
mod recipients;
mod report;
mod run;
mod runs;
mod send;
mod sendmail;
mod source;
mod submit;
mod token;
mod upload;
mod watcher;

use serde_json::json;

use crate::cli::{Cli, Command, Global};
use crate::config::{self, Base, Config, NoPlace, State};
use crate::error::{Exit, Failure};
use crate::lang;
use crate::log::{self, Stderr};
use crate::output::{self, Output};
use crate::text;

/// Runs the command of the command line.
///
/// # Errors
/// The `Failure` in the chain determines the exit code; without one it is a bug.
pub(crate) fn run(cli: &Cli, output: Output) -> anyhow::Result<Exit> {
    config::trust_owner().map_err(Failure::from)?;
    match &cli.command {
        Command::Send(args) => send::run(args, &cli.global, output),
        command => run_other(command, &cli.global, output),
    }
}

/// Runs a command that is not `send`: inlined, all of them would make a send's stack larger.
#[inline(never)]
fn run_other(command: &Command, global: &Global, output: Output) -> anyhow::Result<Exit> {
    match command {
        Command::Send(args) => send::run(args, global, output),
        Command::Batch(args) => or_as_json(batch::run(args, global, output), output),
        Command::Run(args) => run::run(args, global, output).map_err(Into::into),
        Command::Runs(args) => or_as_json(runs::run(args, global, output), output),
        Command::Sendmail(args) => sendmail::run(args, global, output),
        Command::Outbox(args) => or_as_json(outbox::run(args, global, output), output),
        Command::Upload(args) => or_as_json(upload::run(args, global, output), output),
        Command::Recall(args) => or_as_json(recall::run(args, global, output), output),
        Command::Api(args) => api::run(args, global, output),
        Command::Token(args) => or_as_json(token::run(args, global, output), output),
        Command::Check(args) => or_as_json(check::run(args, global, output), output),
        Command::Completions(args) => pages::completions(args),
        Command::Man(args) => pages::man(args),
        Command::Crontab(args) => crontab::run(args, output),
        Command::Callback(args) => or_as_json(callback::run(args, global, output), output),
        Command::Http(args) => http::run(args, global, output),
        Command::Explain(args) => or_as_json(explain::run(args, global, output), output),
        Command::Init(args) => or_as_json(init::run(args, global, output), output),
    }
}

/// Has a message without receivers go by Qinglong's robot, if nothing else is set.
pub(crate) fn fall_back(cli: &mut Cli) {
    let to = match &mut cli.command {
        Command::Send(args) => &mut args.to,
        Command::Run(args) => &mut args.to,
        _ => return,
    };
    let lists = [&to.user, &to.party, &to.tag];
    if to.robot.is_none() && to.chat.is_none() && lists.iter().all(|list| list.is_empty()) {
        let Global {
            config, profile, ..
        } = &cli.global;
        to.robot = Config::robot_alone(config.as_deref(), profile.as_deref());
    }
}

/// Prints a failure as JSON on request, as send does for its own.
fn or_as_json(result: anyhow::Result<Exit>, output: Output) -> anyhow::Result<Exit> {
    if let Err(error) = &result
        && let Some(failure) = error.downcast_ref::<Failure>()
        && output.json
    {
        let object = json!({"error": failure.what, "exit_code": failure.exit.code()});
        // The failure itself goes to stderr as well.
        let _ = output::object(&object);
    }
    result
}

/// Reports an invalid command line as JSON.
pub(crate) fn report_unsent(failure: Failure, output: Output) {
    // The failure itself has already been shown.
    let _ = report::Report::failed(failure).show(Output {
        json: true,
        ..output
    });
}

/// Loads the config named by the command line, and switches to its language.
fn load(global: &Global) -> Result<Config, Failure> {
    let config = Config::load(global.config.as_deref(), global.profile.as_deref())?;
    lang::speak(config.lang());
    Ok(config)
}

/// Finds the state directory, and starts logging there.
fn begin(base: &Base, output: Output) -> Result<State, NoPlace> {
    let state = base.state();
    log::begin(base, state.as_ref().ok(), stderr(output));
    for warning in base.warnings() {
        tracing::warn!(target: log::AT_TERMINAL, "{warning}");
    }
    state
}

/// Starts a command that also works without state: if there is none, warns and returns the reason.
fn begin_or_without(base: &Base, output: Output) -> Result<State, String> {
    let state = begin(base, output).map_err(|place| place.to_string());
    state.inspect_err(|place| tracing::warn!("{}", text::store::no_state(place)))
}

/// Returns the verbosity of the log on stderr.
fn stderr(output: Output) -> Stderr {
    Stderr {
        quiet: output.quiet,
        verbose: output.verbose,
        terminal: output::stderr_is_terminal(),
    }
}
