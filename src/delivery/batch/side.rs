//! One sender of a batch: its requests under way, whether it works, and what waits for its recipients.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::super::flights::Flights;
use super::super::request::ReadyRequest;
use super::super::retry::Tries;
use super::super::submit::Submission;
use super::super::{Patience, Reason, Sender, Wording};
use crate::config::{Config, State};
use crate::message::Channel;
use crate::outbox::Id;
use crate::rate_limit::Audience;
use crate::token::AccessToken;
use crate::wecom::Scope;

/// Refused requests in a row, for reasons that may be the app's, after which nothing is tried for a
/// while. Source: the contract with users, as for a flush.
const REFUSED_MAX: u32 = 3;

/// The first and the longest time without a try; it doubles.
const REST_FIRST: Duration = Duration::from_secs(5);
const REST_MAX: Duration = Duration::from_mins(1);

/// The time for the fallback of an app, once that has answered.
const FALLBACK_TIME: Duration = Duration::from_secs(5);

/// How long a token is used without a look at the cache, where another process may have replaced it.
const TOKEN_KEPT: Duration = Duration::from_secs(30);

/// A sender, and the place of its messages.
pub(super) struct SenderSide {
    pub(super) sender: Rc<Sender>,
    /// The number of the first sender that is the same app or robot, by whatever profile or name.
    pub(super) account: usize,
    pub(super) state: Result<State, String>,
    /// The number of its outbox; `None` if there is none, or nothing is to be kept.
    pub(super) outbox: Option<usize>,
    /// Whether a message that cannot be delivered now is kept.
    pub(super) keep: bool,
    pub(super) flights: Flights<BatchFlight>,
    /// The token of the requests beside others, and when it was looked up.
    token: Option<(AccessToken, Instant)>,
    /// The messages that were kept and not delivered, which no later one overtakes; used of the first
    /// sender of an account.
    pub(super) behind: Behind,
    /// Whether the last request passed, so that several may be under way.
    pub(super) works: bool,
    refused_in_a_row: u32,
    rest: Option<SenderRest>,
}

/// A request under way.
pub(super) struct BatchFlight {
    /// The number of its message.
    pub(super) number: u64,
    pub(super) request: ReadyRequest,
    pub(super) tries: Tries,
}

/// The time in which nothing is tried, and why.
struct SenderRest {
    until: Instant,
    reason: Reason,
    /// How often it has been tried in vain since.
    times: u32,
}

impl SenderSide {
    pub(super) fn new(
        sender: Sender,
        account: usize,
        state: Result<State, String>,
        outbox: Option<usize>,
        keep: bool,
    ) -> Self {
        Self {
            sender: Rc::new(sender),
            account,
            state,
            outbox,
            keep,
            flights: Flights::default(),
            token: None,
            behind: Behind::default(),
            works: false,
            refused_in_a_row: 0,
            rest: None,
        }
    }

    /// Returns the way to submit one of its messages, with time for the fallback only.
    pub(super) fn submission<'s>(
        &'s self,
        config: &'s Config,
        wording: Wording,
        urgent: bool,
    ) -> Submission<'s> {
        Submission {
            config,
            state: self.state.as_ref().map_err(Clone::clone),
            sender: Rc::clone(&self.sender),
            deadline: Instant::now() + FALLBACK_TIME,
            patience: self.patience(),
            backlog: false,
            keep: self.keep,
            keep_for_setup: true,
            urgent,
            watcher: None,
            wording,
        }
    }

    /// Whether a request is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.flights.iter().next().is_some()
    }

    /// Returns the token of requests beside others, unless it has to be looked up again.
    pub(super) fn token(&self) -> Option<AccessToken> {
        let known = self.token.as_ref();
        let fresh = known.filter(|(_, since)| since.elapsed() < TOKEN_KEPT);
        fresh.map(|(token, _)| token.clone())
    }

    /// Keeps such a token, or forgets it.
    pub(super) fn keep_token(&mut self, token: Option<AccessToken>) {
        let since = self.token.as_ref().map(|(_, since)| *since);
        let since = since.filter(|since| since.elapsed() < TOKEN_KEPT);
        self.token = token.map(|token| (token, since.unwrap_or_else(Instant::now)));
    }

    /// Returns why nothing is tried now.
    pub(super) fn resting(&self) -> Option<&Reason> {
        let rest = self.rest.as_ref()?;
        (Instant::now() < rest.until).then_some(&rest.reason)
    }

    /// Returns what the next delivery waits for: after a rest, for nothing.
    fn patience(&self) -> Patience {
        match self.rest {
            Some(_) => Patience::Nothing,
            None => Patience::Errors,
        }
    }

    /// Records that a message was accepted.
    pub(super) fn passed(&mut self) {
        self.works = true;
        self.refused_in_a_row = 0;
        self.rest = None;
    }

    /// Records that a message could not be delivered now.
    pub(super) fn troubled(&mut self, reason: &Reason) {
        match reason.scope() {
            Scope::App => self.refused_in_a_row = REFUSED_MAX,
            Scope::Unclear => self.refused_in_a_row += 1,
            Scope::Message | Scope::Call => return,
        }
        self.works = false;
        if self.refused_in_a_row < REFUSED_MAX {
            return;
        }
        let times = self.rest.as_ref().map_or(0, |rest| rest.times + 1);
        let rest = REST_FIRST * (1 << times.min(8));
        let rest = reason.wait().unwrap_or_default().max(rest).min(REST_MAX);
        self.rest = Some(SenderRest {
            until: Instant::now() + rest,
            reason: Reason {
                error: reason.error.clone(),
                outcome_unknown: false,
            },
            times,
        });
    }
}

/// Recipients with a message in the outbox, and the last of these.
#[derive(Default)]
pub(super) struct Behind(BTreeMap<(Channel, Option<String>), Id>);

impl Behind {
    /// Adds a kept message.
    pub(super) fn add(&mut self, channel: Channel, to: &Audience, id: &Id) {
        match to {
            Audience::Everyone => drop(self.0.insert((channel, None), id.clone())),
            Audience::Members(names) => {
                let names = names.iter().cloned();
                let waiting = names.map(|name| ((channel, Some(name)), id.clone()));
                self.0.extend(waiting);
            }
        }
    }

    /// Whether one of the recipients has a message that still waits; forgets those that don't.
    pub(super) fn touches(
        &mut self,
        channel: Channel,
        to: &Audience,
        waits: impl Fn(&Id) -> bool,
    ) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let meets = |name: &Option<String>| match (name, to) {
            (None, _) | (_, Audience::Everyone) => true,
            (Some(name), Audience::Members(names)) => names.contains(name),
        };
        let mut found = false;
        self.0.retain(|(other, name), id| {
            if *other != channel || !meets(name) || found {
                return true;
            }
            found = waits(id);
            found
        });
        found
    }
}
