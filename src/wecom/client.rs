//! The client: all calls go through one function.

use std::cell::RefCell;
use std::time::Instant;

use super::answer::{self, ApiAnswer, OwnAnswer};
use super::error::{Cause, ClientError, Error};
use super::http::Http;
use super::request::{Call, Parameter, Reply};
use crate::config::Network;
use crate::secret::{Redactor, Secret, passwords};

/// The credential of a call, as a query parameter.
#[derive(Clone, Copy)]
pub(crate) struct Credential<'a>(Parameter<'a>);

impl<'a> Credential<'a> {
    /// Returns an app's `access_token` as the credential.
    pub(crate) fn token(token: &'a Secret) -> Self {
        Self(("access_token", token))
    }

    /// Returns a robot's key as the credential.
    pub(crate) fn key(key: &'a Secret) -> Self {
        Self(("key", key))
    }

    /// Returns its name and itself, to be kept.
    pub(super) fn owned(self) -> (&'static str, Secret) {
        let (name, secret) = self.0;
        (name, secret.clone())
    }

    pub(super) fn parameter(self) -> Parameter<'a> {
        self.0
    }
}

/// A connection to WeCom's API, for one app or robot.
pub(crate) struct Client {
    http: Http,
    /// A corpsecret, or a robot's key.
    pub(super) secret: Secret,
    /// The secrets that the server was sent, and may echo in any answer.
    told: RefCell<Redactor>,
}

impl Client {
    /// Creates a client, without connecting yet.
    ///
    /// # Errors
    /// If a network setting cannot be used.
    pub(crate) fn new(network: &Network, secret: &Secret) -> Result<Self, ClientError> {
        let mut told = Redactor::default();
        told.add(secret);
        let urls = [
            Some(network.api_base.expose()),
            network.proxy.as_ref().map(Secret::expose),
        ];
        for password in urls.into_iter().flatten().flat_map(passwords) {
            told.add(&password);
        }
        Ok(Self {
            http: Http::new(network)?,
            secret: secret.clone(),
            told: RefCell::new(told),
        })
    }

    /// Returns the seconds by which our clock is ahead of the server's, by the last dated answer.
    pub(crate) fn ahead(&self) -> Option<i64> {
        self.http.ahead()
    }

    /// Runs requests of this client until one of them, or all, have an answer.
    pub(crate) fn wait<T>(&self, requests: impl Future<Output = T>) -> T {
        self.http.wait(requests)
    }

    /// Makes one of our own calls; returns WeCom's answer on success.
    pub(super) fn call(&self, call: &Call<'_>, deadline: Instant) -> Result<OwnAnswer, Error> {
        self.wait(self.call_by(0, call, deadline))
    }

    /// Makes such a call over one of the connections, which is free.
    pub(super) async fn call_by(
        &self,
        lane: usize,
        call: &Call<'_>,
        deadline: Instant,
    ) -> Result<OwnAnswer, Error> {
        let begun = Instant::now();
        let reply = self.reply(lane, call, deadline).await;
        let result = reply.and_then(|it| answer::read_own(call, &self.told.borrow(), it));
        logged(call, begun, result, |_| 0)
    }

    /// Makes a call that a user named.
    pub(super) fn ask_by(&self, call: &Call<'_>, deadline: Instant) -> Result<ApiAnswer, Error> {
        let begun = Instant::now();
        let reply = self.wait(self.reply(0, call, deadline));
        let result = reply.and_then(|it| answer::read(call, &self.told.borrow(), it));
        logged(call, begun, result, |answer| match answer {
            ApiAnswer::Json(_, Some(refusal)) => refusal.errcode,
            _ => 0,
        })
    }

    /// Sends a request; returns its answer with status 200.
    async fn reply(&self, lane: usize, call: &Call<'_>, deadline: Instant) -> Result<Reply, Error> {
        for (name, secret) in call.query {
            let mut told = self.told.borrow_mut();
            let is_secret = match *name {
                "access_token" => !told.has(secret) && secret.is_machine_made(),
                name => name != "corpid",
            };
            if is_secret {
                told.add(secret);
            }
        }
        match self.http.exchange(lane, call, deadline).await? {
            reply if reply.status == 200 => Ok(reply),
            reply => Err(Error::status(reply.status, reply.retry_after)),
        }
    }
}

/// Logs a request and its answer in one line.
fn logged<T>(
    call: &Call<'_>,
    begun: Instant,
    result: Result<T, Error>,
    errcode: fn(&T) -> i64,
) -> Result<T, Error> {
    let (status, errcode, trouble) = match &result {
        Ok(answer) => (Some(200), Some(errcode(answer)), None),
        Err(error) => match &error.cause {
            Cause::Errcode(refusal) => (Some(200), Some(refusal.errcode), None),
            Cause::Status(status) => (Some(*status), None, None),
            Cause::Unreadable(_) => (Some(200), None, Some(error.to_string())),
            _ => (None, None, Some(error.to_string())),
        },
    };
    tracing::info!(
        call = call.title(),
        status,
        errcode,
        trouble,
        ms = begun.elapsed().as_millis(),
        "answer"
    );
    result.map_err(|error| {
        if call.is_gettoken() {
            error.of_gettoken()
        } else {
            error
        }
    })
}
