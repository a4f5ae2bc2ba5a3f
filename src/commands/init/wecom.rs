//! Verifies with WeCom the token, the app and the recipients.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::config::{Account, App, Settings, State};
use crate::error::Failure;
use crate::text;
use crate::token::{TokenStatus, Tokens};
use crate::wecom::{Agent, Client, Credential, Error, codes};

/// The timeout of one answer, or of all tries if no person waits.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// The most recipients that are looked up.
const LOOKED_UP: usize = 10;

/// A connection to WeCom with the values to be verified.
pub(super) struct Verifier {
    client: Rc<Client>,
    tokens: Tokens,
}

impl Verifier {
    /// Prepares the client, without any request yet.
    ///
    /// # Errors
    /// `Exit::Config` if a network setting is invalid.
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Self> {
        let app = app(settings)?;
        let client =
            Rc::new(Client::new(&settings.network, &app.corpsecret).map_err(Failure::from)?);
        let tokens = Tokens::new(&client, &settings.network, app, None);
        Ok(Self { client, tokens })
    }

    /// Requests a token at once, even if the last one was refused a moment ago.
    ///
    /// # Errors
    /// The error of `gettoken`.
    pub(super) fn token(&self) -> Result<(), Error> {
        self.tokens.refresh(Instant::now() + TIMEOUT).map(drop)
    }

    /// Looks up the app.
    ///
    /// # Errors
    /// The error of `agent/get`, or of `gettoken` before.
    pub(super) fn agent(&self, agentid: u32) -> Result<Agent, Error> {
        let deadline = Instant::now() + TIMEOUT;
        let token = self.tokens.get(deadline)?;
        let pass = Credential::token(&token.value);
        self.client.agent(pass, agentid, deadline)
    }

    /// Lists the recipients that the app certainly does not reach, by the rules of `check`.
    pub(super) fn out_of_reach<'a>(
        &self,
        recipients: impl Iterator<Item = &'a str>,
        agent: &Agent,
    ) -> Vec<&'a str> {
        let deadline = Instant::now() + TIMEOUT;
        let users = recipients.filter(|user| *user != "@all").take(LOOKED_UP);
        users
            .filter(|user| self.is_out_of_reach(user, agent, deadline))
            .collect()
    }

    /// Whether a member is out of reach. If WeCom does not say, the app's 可见范围 decides, if it lists
    /// all members.
    fn is_out_of_reach(&self, user: &str, agent: &Agent, deadline: Instant) -> bool {
        let Ok(token) = self.tokens.get(deadline) else {
            return false;
        };
        let pass = Credential::token(&token.value);
        let Err(error) = self.client.member(pass, user, deadline) else {
            return false;
        };
        let says_so = |refusal: &crate::wecom::Refusal| codes::is_out_of_reach(refusal.errcode);
        let lists_all = agent.parties.is_empty() && agent.tags.is_empty();
        let mut users = agent.users.iter();
        error.refusal().is_some_and(says_so)
            || lists_all && !users.any(|listed| listed.eq_ignore_ascii_case(user))
    }

    /// Clears a refusal in the token cache, so that the next send asks WeCom again.
    pub(super) fn forget_refusal(&self, settings: &Settings, state: &State) {
        let Ok(app) = app(settings) else { return };
        let tokens = Tokens::new(&self.client, &settings.network, app, Some(state));
        if matches!(tokens.status(), TokenStatus::Refused { .. }) {
            // Otherwise the refusal expires by itself, after at most a minute.
            let _ = tokens.clear(Instant::now() + Duration::from_secs(1));
        }
    }
}

fn app(settings: &Settings) -> Result<&App, Failure> {
    match &settings.account {
        Account::App(app) => Ok(app),
        Account::Robot(_) => Err(text::init::not_an_app()),
    }
}
