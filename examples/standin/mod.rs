//! A stand-in for WeCom on loopback, with WeCom's real behaviour and faults on demand.
//!
//! The tests send through it, and the demonstration shows it. This file is the running server; what WeCom
//! would answer is in `company`, what can go wrong instead is in `faults`, what a browser sees in `page`.

// Two programs share this, the tests and the demonstration, and each leaves another part of it unused.
// Nothing is reachable from outside a program, yet `pub` here still tells the face from the inside.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod chats;
pub mod company;
pub mod console;
mod digest;
mod directory;
mod faults;
mod fields;
mod kinds;
mod media;
mod members;
mod message;
mod multipart;
mod page;
mod phones;
mod refusal;
mod request;
mod road;
mod robots;
pub mod tls;
mod tokens;
#[cfg(test)]
mod trial;

pub use chats::{CHATID, Chat};
pub use company::{AGENTID, CORPID, Company, SECRET};
pub use console::CallbackPage;
pub use digest::md5_hex;
pub use faults::Fault;
pub use media::{Owner, Upload};
pub use members::{App, Member};
pub use phones::Landed;
pub use request::Request;
pub use robots::{ROBOT_KEY, Robot};
pub use tokens::granted;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use company::Call;
use faults::{Answer, Outcome, Wire};
use request::{endpoint, receive};
use tls::{Kind, Tls};

/// Connections that may wait to be accepted; two hundred clients come at once.
const BACKLOG: u32 = 1024;

/// What decides, by a request, what goes wrong with it.
type Judge = Arc<dyn Fn(&Request) -> Option<Fault> + Send + Sync>;

/// A running stand-in, which stops and closes its port when dropped.
pub struct Standin {
    address: SocketAddr,
    ca_pem: Option<String>,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct Shared {
    company: Mutex<Company>,
    ahead: Mutex<Duration>,
    scripts: Mutex<HashMap<String, VecDeque<Fault>>>,
    judge: Mutex<Option<Judge>>,
    always: Mutex<HashMap<String, Fault>>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
}

impl Standin {
    /// Starts one over plain HTTP on a free port.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0").expect("loopback has a free port")
    }

    /// Starts one over plain HTTP on this loopback address.
    pub fn start_at(address: &str) -> io::Result<Self> {
        Self::run(address, None)
    }

    /// Starts one over HTTPS whose TLS is of this kind.
    pub fn start_tls(kind: Kind) -> Self {
        Self::run("127.0.0.1:0", Some(Tls::new(kind))).expect("loopback has a free port")
    }

    /// Returns the base URL of a port that refuses connections as long as this process lives.
    pub fn refuse() -> String {
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket
            .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .expect("loopback has a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        // Bound but not listening: nobody else can be given the port meanwhile.
        std::mem::forget(socket);
        format!("http://{address}")
    }

    fn run(address: &str, tls: Option<Tls>) -> io::Result<Self> {
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        if !address.ip().is_loopback() {
            return Err(io::Error::other("the stand-in is for loopback alone"));
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("standin")
            .enable_all()
            .build()?;
        let listener = runtime.block_on(async { listen(address) })?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let ca_pem = tls.as_ref().map(|tls| tls.ca_pem.clone());
        runtime.spawn(serve(listener, Arc::clone(&shared), tls.map(Arc::new)));
        Ok(Self {
            address,
            ca_pem,
            shared,
            runtime: Some(runtime),
        })
    }

    /// The base URL.
    pub fn base(&self) -> String {
        let scheme = if self.ca_pem.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// The authority to trust as PEM, empty over plain HTTP.
    pub fn ca_pem(&self) -> String {
        self.ca_pem.clone().unwrap_or_default()
    }

    /// The company, to look at and to change; requests wait while it is held.
    pub fn company(&self) -> MutexGuard<'_, Company> {
        locked(&self.shared.company)
    }

    /// The time on WeCom's clock.
    pub fn now(&self) -> SystemTime {
        self.shared.now()
    }

    /// Puts WeCom's clock forward, past what it has done so far.
    pub fn advance(&self, by: Duration) {
        *locked(&self.shared.ahead) += by;
    }

    /// Gives the next requests to a path one of these faults each, before any of `judge` and `always`.
    pub fn script(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        let mut scripts = locked(&self.shared.scripts);
        scripts
            .entry(endpoint(path).to_owned())
            .or_default()
            .extend(faults);
    }

    /// Has each request looked at, to give it a fault by what is in it, before any that `always` has.
    pub fn judge(&self, judge: impl Fn(&Request) -> Option<Fault> + Send + Sync + 'static) {
        *locked(&self.shared.judge) = Some(Arc::new(judge));
    }

    /// Gives every request to a path this fault.
    pub fn always(&self, path: &str, fault: Fault) {
        locked(&self.shared.always).insert(endpoint(path).to_owned(), fault);
    }

    /// Takes back all faults.
    pub fn mend(&self) {
        locked(&self.shared.scripts).clear();
        *locked(&self.shared.judge) = None;
        locked(&self.shared.always).clear();
    }

    /// Everything that arrived, in order.
    pub fn requests(&self) -> Vec<Request> {
        locked(&self.shared.requests).clone()
    }

    /// Forgets what has arrived, so that its answers stay as fast as they were.
    pub fn forget(&self) {
        locked(&self.shared.requests).clear();
        let mut company = self.company();
        let before = std::mem::take(&mut company.phones);
        company.phones.per_minute = before.per_minute;
        company.phones.per_hour = before.per_hour;
        company.media.uploads.clear();
    }

    /// How many requests arrived for a path.
    pub fn count(&self, path: &str) -> usize {
        let requests = locked(&self.shared.requests);
        requests
            .iter()
            .filter(|request| request.endpoint() == endpoint(path))
            .count()
    }

    /// How many connections were made, with those on which nothing was said.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Nothing on it blocks: this ends as soon as each task has come to its next wait.
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

impl Shared {
    fn now(&self) -> SystemTime {
        SystemTime::now() + *locked(&self.ahead)
    }

    fn next_fault(&self, request: &Request) -> Option<Fault> {
        let endpoint = request.endpoint();
        let scripted = locked(&self.scripts)
            .get_mut(endpoint)
            .and_then(VecDeque::pop_front);
        // Not under its lock: it may take its time, or be taken back meanwhile.
        let judge = locked(&self.judge).clone();
        let judged = || judge.and_then(|judge| judge(request));
        let always = || locked(&self.always).get(endpoint).cloned();
        scripted.or_else(judged).or_else(always)
    }

    async fn respond(self: &Arc<Self>, request: Request, ip: IpAddr) -> Outcome {
        // A browser that looks on isn't one of WeCom's callers. A test that holds the company still
        // sees a call arrive.
        if !request.path.contains("/cgi-bin/")
            && let Some(page) = page::answer(&locked(&self.company), &request)
        {
            return Outcome::Answer(Answer::reply(page));
        }
        locked(&self.requests).push(request.clone());
        let fault = self.next_fault(&request);
        if let Some(Fault::Delay(wait)) = fault {
            sleep(wait).await;
        }
        let right = if let Some(Fault::Late(wait)) = fault {
            let shared = Arc::clone(self);
            // A task of its own goes on when the client has left, and this with it.
            let late = tokio::spawn(async move {
                sleep(wait).await;
                shared.process(&request, ip)
            });
            late.await.unwrap_or_else(|_| Answer::json(&Value::Null))
        } else if fault.as_ref().is_none_or(Fault::processes) {
            self.process(&request, ip)
        } else {
            Answer::json(&Value::Null)
        };
        match fault {
            Some(fault) => fault.apply(right),
            None => Outcome::Answer(right),
        }
    }

    /// Has the company act on a request.
    fn process(&self, request: &Request, ip: IpAddr) -> Answer {
        let call = Call {
            now: self.now(),
            ip,
            method: &request.method,
            endpoint: request.endpoint(),
            query: &request.query,
            content_type: request.header("content-type").unwrap_or_default(),
            chunked: request.header("transfer-encoding").is_some(),
            body: &request.body,
        };
        let answer = locked(&self.company).answer(&call);
        answer.map_or_else(Answer::not_found, Answer::reply)
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // A stand-in may come back on the port of one that has just gone.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, tls: Option<Arc<Tls>>) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of descriptors, most likely: some come back.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        // How a client leaves is its own affair, so the result is nobody's.
        tokio::spawn(async move {
            stream.set_nodelay(true)?;
            let wire: Box<dyn Wire> = match tls {
                Some(tls) => Box::new(tls.accept(stream).await?),
                None => Box::new(stream),
            };
            converse(wire, peer.ip(), number, &shared).await
        });
    }
}

/// Serves one connection until it is closed or a fault takes it over.
async fn converse(
    wire: Box<dyn Wire>,
    ip: IpAddr,
    number: usize,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    let taken = &Mutex::new(None);
    let service = service_fn(|request| {
        Box::pin(async move {
            match shared.respond(receive(request, number).await?, ip).await {
                Outcome::Answer(answer) => Ok(answer.into_response(shared.now())),
                Outcome::Takeover(takeover) => {
                    *locked(taken) = Some(takeover);
                    Err(io::Error::other("a fault takes the socket"))
                }
            }
        })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(wire), service);
    let end = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let mut wire = connection.into_parts().io.into_inner();
    let takeover = locked(taken).take();
    if let Some(takeover) = takeover {
        return takeover.play(wire).await;
    }
    end.map_err(io::Error::other)?;
    wire.shutdown().await
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
