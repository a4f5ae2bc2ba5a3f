//! Requests over HTTP: one connection, one deadline, answers of bounded size.
//!
//! Only this module names reqwest's client, and only it sees a URL that holds a secret, and no error
//! leaves it with one. No redirect is followed: it would carry the secret along.

use std::cell::{Cell, OnceCell};
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Body, Url};

use super::body::{Leaving, Payload, Watched};
use super::error::Error;
use super::head::ahead;
use super::moving::Moving;
use super::retry_after::retry_after;
use super::tls;
use super::trouble::{self, Broken, NoAddress, Progress, Stage, Way, Words};
use crate::config::Network;
use crate::error::{Exit, Failure};
use crate::lang::say;
use crate::output::Watching;
use crate::secret::Secret;

/// Longest answer that is read, in bytes; WeCom's have a few hundred.
pub(super) const ANSWER_MAX: usize = 64 << 10;

/// Longest time for one try, connection included; of one with a file, in which nothing moves.
const TRY_MAX: Duration = Duration::from_secs(10);

/// How slow a network may be that takes files, in bytes a second: for them a try has more time.
pub(crate) const SPEED: u64 = 64 << 10;

/// Longest time for one connection, name lookup included. Source: glibc waits 5 s for a name
/// server before it asks the next (resolv.conf(5)), which must still have its turn.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(8);

/// A connection that has been idle for longer is not used again: the other side may be closing it.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// The one call that takes no token.
pub(super) const GETTOKEN: &str = "gettoken";

/// One request: where it goes, and what must not be seen in it.
pub(super) struct Call<'a> {
    /// The path below `/cgi-bin/`, with what stands in the query for anybody to see.
    pub(super) name: &'a str,
    pub(super) query: &'a [(&'a str, &'a Secret)],
    /// With one it is a POST, without a GET.
    pub(super) body: Option<Payload>,
    pub(super) leaving: Option<Leaving>,
    pub(super) watching: Option<Watching>,
    /// Longest answer that is read, in bytes.
    pub(super) answer_max: usize,
}

impl<'a> Call<'a> {
    /// A call of which nothing special is to be known.
    pub(super) fn new(
        name: &'a str,
        query: &'a [(&'a str, &'a Secret)],
        body: Option<Payload>,
    ) -> Self {
        Self {
            name,
            query,
            body,
            leaving: None,
            watching: None,
            answer_max: ANSWER_MAX,
        }
    }

    /// Whether it asks for a token, on which every other call depends.
    pub(super) fn is_gettoken(&self) -> bool {
        self.title() == GETTOKEN
    }

    /// What it is called, without its query.
    pub(super) fn title(&self) -> &'a str {
        self.name.split('?').next().unwrap_or_default()
    }
}

/// An answer's status and the bytes that came with it, one more than allowed at the most.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// Whether it is called a file to be kept, whatever is in it.
    pub(super) is_file: bool,
    pub(super) body: Vec<u8>,
}

/// A connection, opened at the first request and kept for the next.
pub(super) struct Http {
    network: Network,
    client: reqwest::Client,
    /// One that trusts the system's store too, once that has known an issuer that we didn't.
    trusting: OnceCell<reqwest::Client>,
    progress: Arc<Progress>,
    moving: Arc<Moving>,
    /// How many seconds our clock is ahead of the last answer's.
    ahead: Cell<Option<i64>>,
    runtime: tokio::runtime::Runtime,
}

impl Http {
    /// Makes a client; connects to nobody yet.
    ///
    /// # Errors
    /// `Exit::Config` where the CA file or the proxy cannot be used.
    pub(super) fn new(network: &Network) -> anyhow::Result<Self> {
        let progress = Arc::new(Progress::default());
        let client = client(network, tls::settings(network)?, &progress)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                let what = say!(
                    "打不开连接，什么都没有发出：{error}",
                    "cannot open a connection, so nothing was sent: {error}"
                );
                Failure::new(Exit::Io, what).hint(say!(
                    "可能是打开的文件太多：看 `ulimit -n`",
                    "too many files may be open: see `ulimit -n`"
                ))
            })?;
        Ok(Self {
            network: network.clone(),
            client,
            trusting: OnceCell::new(),
            progress,
            moving: Arc::default(),
            ahead: Cell::new(None),
            runtime,
        })
    }

    /// How many seconds our clock is ahead of the one that the last answer names, if it names one.
    pub(super) fn ahead(&self) -> Option<i64> {
        self.ahead.get()
    }

    /// Sends a request and reads its answer, until `deadline` or the end of its own time.
    ///
    /// # Errors
    /// `Cause::Network`: no whole answer came.
    pub(super) fn exchange(&self, call: &Call<'_>, deadline: Instant) -> Result<Reply, Error> {
        let size = call.body.as_ref().map_or(0, Payload::len);
        let longest = TRY_MAX + Duration::from_secs(size / SPEED);
        let deadline = deadline.min(Instant::now() + longest);
        self.progress.set(Stage::Connecting);
        let result = self.runtime.block_on(async {
            let fetched = self.moving.kept_up(size, TRY_MAX, self.fetch(call));
            let in_time = tokio::time::timeout_at(deadline.into(), fetched).await;
            in_time.ok().flatten().ok_or(())
        });
        let stage = self.progress.stage();
        let broken = match result {
            Ok(Ok(reply)) => return Ok(reply),
            _ if stage == Stage::Unreadable => {
                let what = say!(
                    "要发的内容已经读不到了",
                    "the data to send can no longer be read"
                );
                return Err(Error::file(what));
            }
            Ok(Err(error)) => self.way().broken(&error.without_url(), stage),
            Err(()) => Broken::Words(self.way().too_late(stage)),
        };
        let Broken::Words(Words { what, hint }) = broken else {
            return Err(Error::status(407, None));
        };
        Err(Error::network(what, hint, stage == Stage::Sending))
    }

    async fn fetch(&self, call: &Call<'_>) -> Result<Reply, reqwest::Error> {
        let client = self.trusting.get().unwrap_or(&self.client);
        match self.fetch_by(client, call).await {
            Err(error) if self.trusting.get().is_none() && trouble::is_unknown_issuer(&error) => {
                let Some(client) = self.trusting_client().await else {
                    return Err(error);
                };
                match self.fetch_by(&client, call).await {
                    // What the system's store makes of the certificate is no clearer.
                    Err(second) if trouble::is_of_certificate(&second) => Err(error),
                    result => {
                        self.trusting.get_or_init(|| client);
                        result
                    }
                }
            }
            result => result,
        }
    }

    /// A client that trusts the system's store too; none where the store has nothing to offer.
    async fn trusting_client(&self) -> Option<reqwest::Client> {
        // Some stores are slow to read; the deadline holds here as well.
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
    ) -> Result<Reply, reqwest::Error> {
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
        self.ahead.set(ahead(response.headers()));
        let header = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|text| retry_after(text, chrono::Utc::now()));
        let status = response.status().as_u16();
        // As path 90254 has it. Some relays call every answer "inline".
        let disposition = response.headers().get(CONTENT_DISPOSITION);
        let is_file = disposition.is_some_and(|value| {
            let kind = value.as_bytes().get(..10);
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case(b"attachment"))
        });
        let mut body = Vec::new();
        // One byte too many is enough to know.
        while body.len() <= call.answer_max
            && let Some(chunk) = response.chunk().await?
        {
            self.moving.came();
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status,
            retry_after,
            is_file,
            body,
        })
    }

    /// The whole URL, secrets and all.
    fn url(&self, call: &Call<'_>) -> Url {
        let text = format!("{}/cgi-bin/{}", self.network.api_base.expose(), call.name);
        let mut url = Url::parse(&text).expect("the base is a URL, and so it is with a path");
        url.query_pairs_mut().extend_pairs(
            call.query
                .iter()
                .map(|(name, secret)| (name, secret.expose())),
        );
        url
    }

    /// The way that requests take, for a person; asked for only when something went wrong.
    fn way(&self) -> Way {
        way(&self.network)
    }
}

/// The way that requests take, for a person.
pub(super) fn way(network: &Network) -> Way {
    let base = &network.api_base;
    let shown = base.shown();
    Way {
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
    tls: rustls::ClientConfig,
    progress: &Arc<Progress>,
) -> anyhow::Result<reqwest::Client> {
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
        .dns_resolver(Resolver(Arc::clone(progress)))
        .user_agent(concat!("wxpush/", env!("CARGO_PKG_VERSION")));
    builder = match &network.proxy {
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.expose()).map_err(|_| {
            let what = say!(
                "代理按现在的写法用不了",
                "the proxy cannot be used as it is written"
            );
            Failure::new(Exit::Config, what)
        })?),
        // The config has looked at the environment already.
        None => builder.no_proxy(),
    };
    let client = builder.build().map_err(|error| {
        let error = error.without_url();
        let what = say!(
            "网络设置用不了（{error}）",
            "the network settings cannot be used: {error}"
        );
        Failure::new(Exit::Config, what)
    })?;
    Ok(client)
}

/// The host and port of a proxy, as a person may see it.
fn without_login(proxy: &Secret) -> Option<String> {
    let url = Url::parse(proxy.expose()).ok()?;
    let host = url.host_str()?;
    Some(
        url.port()
            .map_or(host.to_owned(), |port| format!("{host}:{port}")),
    )
}

/// Does what knows no deadline on a thread of its own, or here where no thread is to be had.
async fn aside<T: Send + 'static>(work: impl Fn() -> T + Clone + Send + 'static) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let on_thread = work.clone();
    // Nobody waits for it past the deadline, nor does the end of the process.
    let thread = std::thread::Builder::new().spawn(move || sender.send(on_thread()));
    match thread {
        Ok(_) => receiver.await.ok(),
        Err(_) => Some(work()),
    }
}

/// The system's name lookup.
struct Resolver(Arc<Progress>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let progress = Arc::clone(&self.0);
        Box::pin(async move {
            progress.set(Stage::LookingUp);
            let name = name.as_str().to_owned();
            let found = aside({
                let name = name.clone();
                move || (&*name, 0).to_socket_addrs()
            });
            let found = found.await;
            progress.set(Stage::Connecting);
            match found {
                Some(Ok(addresses)) => Ok(Box::new(addresses) as Addrs),
                Some(Err(why)) => Err(Box::new(NoAddress { name, why }) as _),
                None => Err(say!("查地址的线程没了", "the name lookup died").into()),
            }
        })
    }
}
