//! Checks the app: whether WeCom answers, grants a token and admits this host, and which members
//! the app sees.

use std::rc::Rc;
use std::time::Instant;

use super::network;
use super::report::Steps;
use crate::config::{Account, ApiBase, Settings, State};
use crate::text::check as words;
use crate::token::{AccessToken, Tokens};
use crate::wecom::{About, Agent, Cause, Client, Credential, Error};

/// The largest acceptable clock error, in seconds: certificates and the age of tokens and messages
/// depend on the clock.
const SKEW_MAX: u64 = 5 * 60;

/// An app that WeCom has admitted.
pub(super) struct AppAccess {
    client: Rc<Client>,
    token: AccessToken,
    /// WeCom's description of the app; `None` if a relay does not forward the call.
    pub(super) agent: Option<Agent>,
}

impl AppAccess {
    /// Returns the client and credential for further calls.
    pub(super) fn client(&self) -> (&Client, Credential<'_>) {
        (&self.client, Credential::token(&self.token.value))
    }
}

/// Requests a token, ignoring any cached token or refusal, and then the app; returns `None` if no
/// further call can be made.
pub(super) fn ask(
    settings: Settings,
    state: Option<&State>,
    deadline: Instant,
    report: &mut Steps,
) -> Option<AppAccess> {
    let Account::App(account) = &settings.account else {
        return None;
    };
    let client = match Client::new(&settings.network, &account.corpsecret) {
        Ok(client) => Rc::new(client),
        Err(error) => {
            report.wrong(network::HTTP, error.into());
            report.skip(&["token", "agent", "scope", "recipient"]);
            return None;
        }
    };
    let tokens = Tokens::new(&client, &settings.network, account, state);
    let begun = Instant::now();
    let granted = tokens.refresh(deadline);
    let is_reached = network::answered(
        &settings.network,
        granted.as_ref().err(),
        begun.elapsed(),
        report,
    );
    clock(client.ahead(), report);
    let token = match granted {
        Ok(token) => token,
        Err(error) => {
            if is_reached {
                report.wrong("token", error.failure());
            } else {
                report.skip(&["token"]);
            }
            report.skip(&["agent", "scope", "recipient"]);
            return None;
        }
    };
    report.fine("token", words::token());
    let Ok(agentid) = settings.agentid(account) else {
        report.skip(&["agent", "scope", "recipient"]);
        return None;
    };
    let is_relay = settings.network.api_base != ApiBase::wecom();
    let pass = Credential::token(&token.value);
    let agent = agent(client.agent(pass, agentid, deadline), is_relay, report).ok()?;
    if let Some(agent) = &agent {
        report.fine("trusted_ip", words::trusted_ip());
        describe(agent, agentid, report);
    }
    Some(AppAccess {
        client,
        token,
        agent,
    })
}

/// Reports why WeCom does not describe the app; returns `Ok(None)` if only a relay prevents it.
fn agent(
    asked: Result<Agent, Error>,
    is_relay: bool,
    report: &mut Steps,
) -> Result<Option<Agent>, Error> {
    let error = match asked {
        Ok(agent) => return Ok(Some(agent)),
        Err(error) => error,
    };
    if let Cause::Status(status @ 400..500) = error.cause
        && is_relay
    {
        report.doubt("agent", words::not_forwarded(status));
        return Ok(None);
    }
    let is_ip = error.refusal().is_some_and(|it| it.about == About::Ip);
    let name = if is_ip { "trusted_ip" } else { "agent" };
    report.wrong(name, error.failure());
    report.skip(&["scope", "recipient"]);
    Err(error)
}

/// Compares our clock with the server's.
fn clock(ahead: Option<i64>, report: &mut Steps) {
    let Some(ahead) = ahead else { return };
    let off = ahead.unsigned_abs();
    let shown = crate::duration::show_seconds(off);
    match ahead {
        _ if off <= SKEW_MAX => report.fine("clock", words::clock(off)),
        1.. => report.wrong("clock", words::clock_wrong(words::ahead_by(shown))),
        _ => report.wrong("clock", words::clock_wrong(words::behind_by(shown))),
    }
}

fn describe(agent: &Agent, agentid: u32, report: &mut Steps) {
    if agent.closed {
        report.wrong("agent", words::app_closed(&agent.name, agentid));
    } else {
        report.fine("agent", words::app_open(&agent.name, agentid));
    }
    if agent.sees_nobody() {
        report.wrong("scope", words::scope_empty());
    } else {
        report.fine("scope", words::recipients::scope(agent));
    }
}
