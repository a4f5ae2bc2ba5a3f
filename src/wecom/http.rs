//! Requests over HTTP: one connection or a few, one deadline, answers of bounded size.
//!
//! Only this module names reqwest's client, and only it sees a URL that contains a secret; no error
//! leaves it with one. Redirects are not followed: they would carry the secret along.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::ToSocketAddrs;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Body, Url};
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

use super::body::{Payload, Watched};
use super::diagnose::{self, NetworkError, NetworkTrouble, NoAddress, Phase, Progress, Route};
use super::error::{ClientError, Error};
use super::head::ahead;
use super::moving::{Moving, SPEED};
use super::request::{Call, Reply};
use super::retry_after::retry_after;
use super::tls;
use super::waiter::Waiter;
use crate::config::Network;
use crate::secret::Secret;

/// The time limit of one try, including the connection; of a try with a file, the time limit
/// without progress.
const TRY_MAX: Duration = Duration::from_secs(10);

/// The time limit of one connection, including the name lookup. Source: glibc waits 5 s for a name
/// server before it asks the next (resolv.conf(5)), which must still get its turn.
const CONNECT_MAX: Duration = Duration::from_secs(8);

/// A connection that has been idle for longer is not reused: the other side may be closing it.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// Time to read an answer that is here already when the time of its request is over.
const AT_HAND: Duration = Duration::from_millis(10);

/// Most requests of one client at once. Source: the contract with users, by which so many refusals
/// in a row end an app's turn: what is on its way when the first one comes is no more than that.
pub(crate) const LANES: usize = 3;

/// The connections of a client.
pub(super) struct Http {
    network: Network,
    tls: rustls::ClientConfig,
    lanes: [OnceCell<Lane>; LANES],
    /// The seconds by which our clock is ahead of the last answer's date.
    ahead: Cell<Option<i64>>,
    waiter: Waiter,
}

/// A connection, opened at the first request and kept for the next. It carries one at a time.
struct Lane {
    network: Network,
    client: reqwest::Client,
    /// A client that also trusts the system's store, created once the store knew an issuer that our
    /// roots did not.
    trusting: OnceCell<reqwest::Client>,
    progress: Arc<Progress>,
    moving: Arc<Moving>,
    /// The URL of the last request, with what it was made of: most have the one of the request before.
    last_url: RefCell<Option<(String, Url)>>,
}

impl Http {
    /// Creates a client, without connecting yet.
    pub(super) fn new(network: &Network) -> Result<Self, ClientError> {
        let tls = tls::settings(network)?;
        let first = Lane::new(network, &tls)?;
        let http = Self {
            network: network.clone(),
            tls,
            lanes: Default::default(),
            ahead: Cell::new(None),
            waiter: Waiter::new()?,
        };
        http.lanes[0].get_or_init(|| first);
        Ok(http)
    }

    /// Returns the seconds by which our clock is ahead of the last answer's date, if it had one.
    pub(super) fn ahead(&self) -> Option<i64> {
        self.ahead.get()
    }

    /// Runs requests of this client until one of them, or all, have an answer.
    pub(super) fn wait<T>(&self, requests: impl Future<Output = T>) -> T {
        self.waiter.wait(requests)
    }

    /// Sends a request over one of the connections, which is free, and reads its answer, until
    /// `deadline` or its own timeout.
    ///
    /// # Errors
    /// `Cause::Network` if no complete answer was received.
    pub(super) async fn exchange(
        &self,
        lane: usize,
        call: &Call<'_>,
        deadline: Instant,
    ) -> Result<Reply, Error> {
        let lane = match self.lanes[lane].get() {
            Some(lane) => lane,
            // Where the first one could be made, so can the others.
            None => match Lane::new(&self.network, &self.tls) {
                Ok(made) => self.lanes[lane].get_or_init(|| made),
                Err(error) => return Err(self.unmade(error)),
            },
        };
        let size = call.body.as_ref().map_or(0, Payload::len);
        let longest = TRY_MAX + Duration::from_secs(size / SPEED);
        let deadline = deadline.min(Instant::now() + longest);
        lane.progress.begin();
        let mut fetched = pin!(lane.moving.kept_up(size, TRY_MAX, lane.fetch(call)));
        let in_time = match tokio::time::timeout_at(deadline.into(), &mut fetched).await {
            Ok(fetched) => fetched,
            // A process that was stopped, or a host that slept, may have the answer in its socket.
            Err(_) => tokio::time::timeout(AT_HAND, fetched).await.ok().flatten(),
        };
        let phase = lane.progress.phase();
        let route = || route(&self.network);
        let trouble = match in_time {
            Some(Ok((reply, ahead))) => {
                self.ahead.set(ahead);
                return Ok(reply);
            }
            _ if phase == Phase::Unreadable => return Err(Error::file(None, None)),
            Some(Err(error)) => route().diagnose(&error.without_url(), phase),
            None => route().trouble(NetworkError::Timeout(phase), false),
        };
        Err(Error::network(NetworkTrouble {
            maybe_sent: phase == Phase::Sending,
            ..trouble
        }))
    }

    /// Returns the error of a connection that cannot even be prepared.
    fn unmade(&self, error: ClientError) -> Error {
        let why = match error {
            ClientError::Settings(why) => why,
            _ => String::new(),
        };
        let error = NetworkError::Unconnected(why);
        Error::network(route(&self.network).trouble(error, false))
    }
}

impl Lane {
    fn new(network: &Network, tls: &rustls::ClientConfig) -> Result<Self, ClientError> {
        let progress = Arc::new(Progress::default());
        Ok(Self {
            network: network.clone(),
            client: client(network, tls.clone(), &progress)?,
            trusting: OnceCell::new(),
            progress,
            moving: Arc::default(),
            last_url: RefCell::default(),
        })
    }

    /// Returns the answer, and the seconds by which our clock is ahead of its date.
    async fn fetch(&self, call: &Call<'_>) -> Result<(Reply, Option<i64>), reqwest::Error> {
        let client = self.trusting.get().unwrap_or(&self.client);
        match self.fetch_by(client, call).await {
            Err(error) if self.trusting.get().is_none() && diagnose::is_unknown_issuer(&error) => {
                let Some(client) = self.trusting_client().await else {
                    return Err(error);
                };
                match self.fetch_by(&client, call).await {
                    // The second verdict on the certificate, by the system's store, says no more
                    // than the first.
                    Err(second) if diagnose::is_of_certificate(&second) => Err(error),
                    result => {
                        self.trusting.get_or_init(|| client);
                        result
                    }
                }
            }
            result => result,
        }
    }

    /// Creates a client that also trusts the system's store; returns `None` if the store is empty.
    async fn trusting_client(&self) -> Option<reqwest::Client> {
        // Some stores are slow to read; the deadline applies here as well.
        let store = aside(tls::system_store).await?;
        if store.is_empty() {
            return None;
        }
        let settings = tls::settings_with(&self.network, store).ok()?;
        client(&self.network, settings, &self.progress).ok()
    }

    async fn fetch_by(
        &self,
        client: &reqwest::Client,
        call: &Call<'_>,
    ) -> Result<(Reply, Option<i64>), reqwest::Error> {
        let url = self.url(call);
        let request = match &call.body {
            None => client.get(url),
            Some(body) => client
                .post(url)
                .header(CONTENT_TYPE, &body.content_type)
                .body(Body::wrap(Watched::new(
                    body,
                    &self.progress,
                    &self.moving,
                    call.leaving.clone(),
                    call.watching.clone(),
                ))),
        };
        let mut response = request.send().await?;
        self.moving.came();
        let ahead = ahead(response.headers());
        let header = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|text| retry_after(text, chrono::Utc::now()));
        let status = response.status().as_u16();
        // As documented at path 90254. Some relays mark every answer as "inline".
        let disposition = response.headers().get(CONTENT_DISPOSITION);
        let is_file = disposition.is_some_and(|value| {
            let kind = value.as_bytes().get(..10);
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case(b"attachment"))
        });
        let mut body = Vec::new();
        // One byte more than allowed is enough.
        while body.len() <= call.answer_max
            && let Some(chunk) = response.chunk().await?
        {
            self.moving.came();
            body.extend_from_slice(&chunk);
        }
        let reply = Reply {
            status,
            retry_after,
            is_file,
            body,
        };
        Ok((reply, ahead))
    }

    /// Returns the whole URL, including its secrets.
    fn url(&self, call: &Call<'_>) -> Url {
        let text = format!("{}/cgi-bin/{}", self.network.api_base.expose(), call.name);
        let pairs = || {
            call.query
                .iter()
                .map(|(name, secret)| (*name, secret.expose()))
        };
        let made_of = pairs().fold(text.clone(), |all, (name, text)| {
            all + "\n" + name + "\n" + text
        });
        if let Some((of, url)) = &*self.last_url.borrow()
            && *of == made_of
        {
            return url.clone();
        }
        let mut url = Url::parse(&text).expect("the base is a URL, and so it is with a path");
        url.query_pairs_mut().extend_pairs(pairs());
        self.last_url.replace(Some((made_of, url.clone())));
        url
    }
}

/// Returns the route of requests.
fn route(network: &Network) -> Route {
    let base = &network.api_base;
    let shown = base.shown();
    Route {
        host: shown
            .split_once("://")
            .map_or(shown, |(_, host)| host)
            .to_owned(),
        plain: base.is_plain(),
        proxy: network.proxy.as_ref().and_then(without_login),
        local_address: network.local_address,
    }
}

fn client(
    network: &Network,
    mut tls: rustls::ClientConfig,
    progress: &Arc<Progress>,
) -> Result<reqwest::Client, ClientError> {
    tls.client_auth_cert_resolver = Arc::new(NoCertificate(Arc::clone(progress)));
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .local_address(network.local_address)
        .connect_timeout(CONNECT_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .tcp_keepalive(None)
        .tcp_keepalive_interval(None)
        .tcp_keepalive_retries(None)
        // Our own deadline is shorter.
        .tcp_user_timeout(None)
        .dns_resolver(Resolver(Arc::clone(progress)))
        .connector_layer(tower::util::MapResponseLayer::new({
            let progress = Arc::clone(progress);
            move |connection| {
                progress.set(Phase::Connected);
                connection
            }
        }))
        .user_agent(concat!("wxpush/", env!("CARGO_PKG_VERSION")));
    builder = match &network.proxy {
        Some(proxy) => {
            let proxy = reqwest::Proxy::all(proxy.expose()).map_err(|_| ClientError::Proxy)?;
            builder.proxy(proxy)
        }
        // The config has already read the environment.
        None => builder.no_proxy(),
    };
    let built = builder.build();
    built.map_err(|error| ClientError::Settings(error.without_url().to_string()))
}

/// Returns the host and port of a proxy, without its password.
fn without_login(proxy: &Secret) -> Option<String> {
    let url = Url::parse(proxy.expose()).ok()?;
    let host = url.host_str()?;
    Some(
        url.port()
            .map_or(host.to_owned(), |port| format!("{host}:{port}")),
    )
}

/// Runs work without a deadline on a separate thread, or here if no thread can be started.
async fn aside<T: Send + 'static>(work: impl Fn() -> T + Clone + Send + 'static) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let on_thread = work.clone();
    // Neither the deadline nor the end of the process waits for the thread.
    let thread = std::thread::Builder::new().spawn(move || sender.send(on_thread()));
    match thread {
        Ok(_) => receiver.await.ok(),
        Err(_) => Some(work()),
    }
}

/// No certificate of our own. TLS asks for one as it begins, which nothing else tells.
#[derive(Debug)]
struct NoCertificate(Arc<Progress>);

impl ResolvesClientCert for NoCertificate {
    fn has_certs(&self) -> bool {
        self.0.set(Phase::Handshaking);
        false
    }

    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// The system's name lookup.
struct Resolver(Arc<Progress>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let progress = Arc::clone(&self.0);
        Box::pin(async move {
            progress.set(Phase::LookingUp);
            let name = name.as_str().to_owned();
            let found = aside({
                let name = name.clone();
                move || (&*name, 0).to_socket_addrs()
            });
            let found = found.await;
            progress.set(Phase::Connecting);
            match found {
                Some(Ok(addresses)) => Ok(Box::new(addresses) as Addrs),
                Some(Err(why)) => Err(Box::new(NoAddress { name, why }) as _),
                None => Err("the name lookup died".into()),
            }
        })
    }
}
