//! The client: all calls go through one function.

use std::cell::RefCell;
use std::time::Instant;

use serde_json::Value;

use super::answer::{self, ApiAnswer};
use super::error::{Cause, ClientError, Error, Unreadable};
use super::http::Http;
use super::request::{Call, Parameter};
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

    /// Makes one of our own calls; returns WeCom's JSON on success.
    pub(super) fn call(&self, call: &Call<'_>, deadline: Instant) -> Result<Value, Error> {
        self.wait(self.call_by(0, call, deadline))
    }

    /// Makes such a call over one of the connections, which is free.
    pub(super) async fn call_by(
        &self,
        lane: usize,
        call: &Call<'_>,
        deadline: Instant,
    ) -> Result<Value, Error> {
        match self.exchange_by(lane, call, deadline).await? {
            ApiAnswer::Json(answer, None) => Ok(answer),
            ApiAnswer::Json(_, Some(refusal)) => Err(Error::refused(refusal)),
            ApiAnswer::File(_) => Err(Error::unreadable(Unreadable::NotJson)),
        }
    }

    /// Sends a request, reads its answer, and logs both in one line.
    pub(super) fn exchange(&self, call: &Call<'_>, deadline: Instant) -> Result<ApiAnswer, Error> {
        self.wait(self.exchange_by(0, call, deadline))
    }

    async fn exchange_by(
        &self,
        lane: usize,
        call: &Call<'_>,
        deadline: Instant,
    ) -> Result<ApiAnswer, Error> {
        let begun = Instant::now();
        let secrets = call.query.iter().filter(|(name, secret)| match *name {
            "access_token" => secret.is_machine_made(),
            name => name != "corpid",
        });
        secrets.for_each(|(_, secret)| self.told.borrow_mut().add(secret));
        let result = match self.http.exchange(lane, call, deadline).await {
            Ok(reply) if reply.status == 200 => answer::read(call, &self.told.borrow(), reply),
            Ok(reply) => Err(Error::status(reply.status, reply.retry_after)),
            Err(error) => Err(error),
        };
        let result = match result {
            Err(error) if call.is_gettoken() => Err(error.of_gettoken()),
            result => result,
        };
        log(call, begun, &result);
        result
    }
}

fn log(call: &Call<'_>, begun: Instant, result: &Result<ApiAnswer, Error>) {
    let (status, errcode, trouble) = match result {
        Ok(ApiAnswer::Json(_, Some(refusal))) => (Some(200), Some(refusal.errcode), None),
        Ok(_) => (Some(200), Some(0), None),
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
}
