//! Whether WeCom knows what was given: a token, the app, and the receivers.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::config::{Account, App, Settings, State};
use crate::delivery::retry;
use crate::error::{Exit, Failure};
use crate::lang::say;
use crate::message::Envelope;
use crate::token::{Known, Token, Tokens};
use crate::wecom::{Agent, Asked, Asking, Client, Error, Pass, Question, codes};

/// Time for one answer, and for all tries where nobody waits for them.
const TIME: Duration = Duration::from_secs(30);

/// The most receivers that WeCom is asked for by name.
const LOOKED_UP: usize = 10;

/// WeCom, as the values so far lead to it.
pub(super) struct Probe {
    client: Rc<Client>,
    token: Token,
}

impl Probe {
    /// Asks for a token, at once, whatever was refused before.
    ///
    /// # Errors
    /// Within: what `gettoken` answers. Without: `Exit::Config`, a network setting is wrong.
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Result<Self, Error>> {
        let app = app(settings)?;
        let client = Rc::new(Client::new(&settings.network, &app.corpsecret)?);
        let tokens = Tokens::new(&client, &settings.network, app, None);
        let token = tokens.refresh(Instant::now() + TIME);
        Ok(token.map(|token| Self { client, token }))
    }

    /// Asks for the app.
    ///
    /// # Errors
    /// What `agent/get` answers.
    pub(super) fn agent(&self, agentid: u32) -> Result<Agent, Error> {
        let pass = Pass::token(&self.token.value);
        self.client.agent(pass, agentid, Instant::now() + TIME)
    }

    /// The userids among the receivers of whom it is certain that the app does not reach them.
    pub(super) fn out_of_reach(&self, to: &Envelope, agent: &Agent) -> Vec<String> {
        let listed = |name: &&String| {
            let mut users = agent.users.iter();
            !users.any(|user| user.eq_ignore_ascii_case(name))
        };
        let unlisted = to
            .touser
            .iter()
            .filter(|name| *name != "@all")
            .filter(listed);
        let unlisted = unlisted.take(LOOKED_UP);
        if agent.parties.is_empty() && agent.tags.is_empty() {
            return unlisted.cloned().collect();
        }
        // A department's or a tag's members are not listed.
        let deadline = Instant::now() + TIME;
        unlisted
            .filter(|name| self.is_refused(name, deadline))
            .cloned()
            .collect()
    }

    /// Whether WeCom does not show a member to the app; an answer that says neither counts as yes.
    fn is_refused(&self, userid: &str, deadline: Instant) -> bool {
        let question = Question {
            call: format!("user/get?userid={userid}"),
            body: Asking::Get,
        };
        let pass = Pass::token(&self.token.value);
        let asked = self.client.ask(&question, pass, "", deadline);
        let Ok(Asked::Json(_, Some(refusal))) = asked else {
            return false;
        };
        codes::is_out_of_reach(refusal.errcode)
    }

    /// Lets the next send ask anew where an answer of before the mending is remembered.
    pub(super) fn forget_refusal(&self, settings: &Settings, state: &State) {
        let Ok(app) = app(settings) else { return };
        let tokens = Tokens::new(&self.client, &settings.network, app, Some(state));
        if matches!(tokens.known(), Known::Refused { .. }) {
            // It holds for a minute at the most.
            let _ = tokens.clear(Instant::now() + Duration::from_secs(1));
        }
    }
}

/// Asks again for as long as only waiting helps and there is time.
pub(super) fn insisting<T>(ask: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    retry(Instant::now() + TIME, ask)
}

fn app(settings: &Settings) -> Result<&App, Failure> {
    match &settings.account {
        Account::App(app) => Ok(app),
        Account::Robot(_) => Err(Failure::new(
            Exit::Bug,
            say!("只有应用才有 access_token", "only apps have tokens"),
        )),
    }
}
