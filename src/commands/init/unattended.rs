//! Writes the config from the environment: for cloud-init, Ansible, a Dockerfile.

use std::time::Instant;

use super::destination::Destination;
use super::draft::ConfigDraft;
use super::setting::Setting;
use super::wecom::{TIMEOUT, Verifier};
use super::{Summary, hidden};
use crate::cli::Init;
use crate::config::{Config, Settings};
use crate::delivery::retry;
use crate::error::Exit;
use crate::output::{self, Output};
use crate::text;
use crate::wecom::{Agent, Error};

/// Writes the config without questions. Values that WeCom refuses are written as well, with an
/// error as the exit code: a provisioning tool corrects values, not files.
pub(super) fn run(args: &Init, destination: &Destination, output: Output) -> anyhow::Result<Exit> {
    let draft = ConfigDraft::of_environment()?;
    let missing: Vec<String> = draft.missing().map(Setting::variable).collect();
    if !missing.is_empty() {
        return Err(text::init::not_set(missing.join(", ")).into());
    }
    if destination.has_other(&draft)? && !args.force {
        return Err(destination.stays().into());
    }
    // From the environment itself, so that an error names its variable.
    let settings = Config::of_environment()?.settings(None)?;
    let (granted, tested) = if args.offline {
        (None, None)
    } else {
        let (verifier, tested) = test(&settings, draft.agentid())?;
        (verifier, Some(tested))
    };
    let mut summary = Summary::install(destination, &draft, args.force, granted.as_ref(), output)?;
    match tested {
        Some(Ok(agent)) => {
            summary.failure = agent.closed.then(text::init::app_is_off);
            summary.agent = Some(agent);
        }
        Some(Err(error)) => summary.failure = Some(error.failure()),
        None => {}
    }
    report(&summary, &draft, granted.as_ref(), output)
}

/// Tests the values for as long as waiting may help; returns the verifier if it has a token.
fn test(
    settings: &Settings,
    agentid: Option<u32>,
) -> anyhow::Result<(Option<Verifier>, Result<Agent, Error>)> {
    let verifier = Verifier::new(settings)?;
    let deadline = || Instant::now() + TIMEOUT;
    if let Err(error) = retry(deadline(), || verifier.token()) {
        return Ok((None, Err(error)));
    }
    let agentid = agentid.unwrap_or_default();
    let agent = retry(deadline(), || verifier.agent(agentid));
    Ok((Some(verifier), agent))
}

/// Prints the result, and any surprising facts.
fn report(
    summary: &Summary<'_>,
    draft: &ConfigDraft,
    granted: Option<&Verifier>,
    output: Output,
) -> anyhow::Result<Exit> {
    if output.json {
        summary.print_json()?;
    } else if output.is_talkative() {
        summary
            .lines()
            .iter()
            .try_for_each(|it| output::result(it))?;
    }
    if let Some(text) = hidden(summary.destination) {
        output.note(&text);
    }
    if let (Some(verifier), Some(agent)) = (granted, &summary.agent) {
        if draft.get(Setting::Touser).is_none() {
            output.note(&text::init::to_everyone());
        }
        let users = verifier.out_of_reach(draft.recipients(), agent).join(", ");
        if !users.is_empty() {
            output.note(&text::init::out_of_reach(users));
        }
    }
    let Some(failure) = &summary.failure else {
        return Ok(Exit::Sent);
    };
    let mut failure = failure.clone();
    failure.what = text::init::does_not_work(summary.destination.path.display(), failure.what);
    output.failure(&failure);
    Ok(failure.exit)
}
