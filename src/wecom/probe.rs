//! The way to WeCom step by step: a name, a connection, TLS, each told apart. Nothing secret goes
//! along.
//!
//! Through a proxy these are the steps to the proxy: what lies beyond it, only a request shows.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use reqwest::Url;
use rustls::{ClientConfig, ClientConnection, Error as TlsError, ProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::net::TcpSocket;

use super::http::{self, CONNECT_MAX};
use super::trouble::{self, Stage, Way, Words};
use super::{tls, validity};
use crate::config::Network;
use crate::error::{Exit, Failure};
use crate::secret::Secret;

/// Longest time for one of several addresses: the next must have its turn.
const ADDRESS_MAX: Duration = Duration::from_secs(3);

/// Where the first connection goes: WeCom's host, a relay's, or the proxy's.
pub(crate) struct Probe<'a> {
    network: &'a Network,
    way: Way,
    scheme: String,
    pub(crate) host: String,
    port: u16,
    /// Whether that is a proxy.
    pub(crate) is_proxy: bool,
    /// Whether it is to speak TLS itself.
    pub(crate) speaks_tls: bool,
}

/// A connection that came about.
pub(crate) struct Connected {
    pub(crate) address: SocketAddr,
    pub(crate) time: Duration,
    /// The addresses before it that did not answer.
    pub(crate) unanswered: Vec<IpAddr>,
    stream: TcpStream,
}

/// TLS that came about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trusted {
    /// Such as `TLS 1.3`.
    pub(crate) version: &'static str,
    /// Whether only the system's own store knew the issuer.
    pub(crate) by_system: bool,
    /// The end of the certificate, in Unix seconds.
    pub(crate) until: Option<i64>,
}

/// Why no TLS came about.
enum Untrusted {
    Tls(TlsError),
    /// It hung up, or said nothing in time.
    Io(io::Error),
}

impl<'a> Probe<'a> {
    /// The first connection of the way; none where an address has no host, which no config lets pass.
    pub(crate) fn of(network: &'a Network) -> Option<Self> {
        let base = network.api_base.shown();
        let proxy = network.proxy.as_ref().map(Secret::expose);
        let url = Url::parse(proxy.unwrap_or(base)).ok()?;
        let usual = if url.scheme().starts_with("socks") {
            1080
        } else {
            80
        };
        Some(Self {
            network,
            way: http::way(network),
            scheme: url.scheme().to_owned(),
            host: url.host_str()?.trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default().unwrap_or(usual),
            is_proxy: proxy.is_some(),
            speaks_tls: url.scheme() == "https",
        })
    }

    /// Where it goes as a person may see it: without user and password.
    pub(crate) fn place(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!("{}://{host}:{}", self.scheme, self.port)
    }

    /// The addresses of the host.
    ///
    /// # Errors
    /// `Exit::NotNow`: no name server answers, or none knows it.
    pub(crate) fn addresses(&self, deadline: Instant) -> Result<Vec<SocketAddr>, Failure> {
        let wait = left(deadline).min(CONNECT_MAX);
        let place = (self.host.clone(), self.port);
        let (sender, receiver) = mpsc::channel();
        // The system's lookup knows no deadline.
        let look_up = move || place.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        let started = std::thread::Builder::new().spawn(move || sender.send(look_up()));
        let found = match started {
            Ok(_) => receiver.recv_timeout(wait),
            Err(error) => Ok(Err(error)),
        };
        match found {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(failure(self.way.no_address(&self.host, &error))),
            Err(_) => Err(failure(self.way.too_late(Stage::LookingUp))),
        }
    }

    /// Connects to the first address that answers.
    ///
    /// # Errors
    /// `Exit::NotNow`: none does, and why the first of them does not.
    pub(crate) fn connect(
        &self,
        addresses: &[SocketAddr],
        deadline: Instant,
    ) -> Result<Connected, Failure> {
        let deadline = deadline.min(Instant::now() + CONNECT_MAX);
        let mut unanswered = Vec::new();
        let mut first = None;
        for (at, address) in addresses.iter().enumerate() {
            let begun = Instant::now();
            let is_last = at + 1 == addresses.len();
            let wait = left(deadline);
            let wait = if is_last { wait } else { wait.min(ADDRESS_MAX) };
            match connected(*address, self.network.local_address, wait) {
                Ok(stream) => {
                    return Ok(Connected {
                        address: *address,
                        time: begun.elapsed(),
                        unanswered,
                        stream,
                    });
                }
                Err(error) => {
                    unanswered.push(address.ip());
                    first.get_or_insert(error);
                }
            }
        }
        let error = first.unwrap_or_else(|| io::Error::from(ErrorKind::HostUnreachable));
        Err(failure(if error.kind() == ErrorKind::TimedOut {
            self.way.too_late(Stage::Connecting)
        } else {
            let peer = self.way.peer(self.is_proxy);
            self.way.unconnected(&peer, &error)
        }))
    }

    /// Comes to trust whoever answers there, over a connection that has said nothing yet.
    ///
    /// # Errors
    /// `Exit::NotNow`: it is not to be trusted, or speaks no TLS; `Exit::Config`: the CA file.
    pub(crate) fn trust(&self, connected: Connected, deadline: Instant) -> anyhow::Result<Trusted> {
        let deadline = deadline.min(Instant::now() + CONNECT_MAX);
        let address = connected.address;
        let settings = tls::settings(self.network)?;
        let unknown = TlsError::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        match self.handshake(connected.stream, settings, deadline) {
            Err(Untrusted::Tls(error)) if error == unknown => {
                let store = tls::system_store();
                let again = (!store.is_empty())
                    .then(|| self.connect(&[address], deadline).ok())
                    .flatten();
                if let Some(again) = again {
                    let settings = tls::settings_with(self.network, store)?;
                    if let Ok(trusted) = self.handshake(again.stream, settings, deadline) {
                        return Ok(Trusted {
                            by_system: true,
                            ..trusted
                        });
                    }
                }
                Err(self.untrusted(Untrusted::Tls(error)).into())
            }
            Err(why) => Err(self.untrusted(why).into()),
            Ok(trusted) => Ok(trusted),
        }
    }

    fn untrusted(&self, why: Untrusted) -> Failure {
        let peer = self.way.peer(self.is_proxy);
        failure(match why {
            Untrusted::Tls(error) => trouble::no_tls(&peer, &error),
            Untrusted::Io(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                self.way.too_late(Stage::Connecting)
            }
            Untrusted::Io(_) => trouble::hung_up(&peer),
        })
    }

    fn handshake(
        &self,
        mut stream: TcpStream,
        settings: ClientConfig,
        deadline: Instant,
    ) -> Result<Trusted, Untrusted> {
        let bad_name = |_| Untrusted::Tls(TlsError::General("the host's name".to_owned()));
        let name = ServerName::try_from(self.host.clone()).map_err(bad_name)?;
        let mut tls = ClientConnection::new(Arc::new(settings), name).map_err(Untrusted::Tls)?;
        loop {
            while tls.wants_write() {
                tls.write_tls(&mut stream).map_err(Untrusted::Io)?;
            }
            if !tls.is_handshaking() {
                break;
            }
            // A timeout of nothing would be none.
            let wait = left(deadline).max(Duration::from_millis(1));
            stream.set_read_timeout(Some(wait)).map_err(Untrusted::Io)?;
            if tls.read_tls(&mut stream).map_err(Untrusted::Io)? == 0 {
                return Err(Untrusted::Io(ErrorKind::UnexpectedEof.into()));
            }
            if let Err(error) = tls.process_new_packets() {
                // The other side may want to know why.
                let _ = tls.write_tls(&mut stream);
                return Err(Untrusted::Tls(error));
            }
            if left(deadline).is_zero() {
                return Err(Untrusted::Io(ErrorKind::TimedOut.into()));
            }
        }
        let certificate = tls.peer_certificates().and_then(<[_]>::first);
        Ok(Trusted {
            version: match tls.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                _ => "TLS 1.2",
            },
            by_system: false,
            until: certificate.and_then(|it| validity::end(it)),
        })
    }
}

/// What is left until then.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn failure(words: Words) -> Failure {
    Failure {
        exit: Exit::NotNow,
        what: words.what,
        hint: words.hint,
    }
}

/// A connection from the source address that the config wants, if it wants one.
fn connected(address: SocketAddr, from: Option<IpAddr>, wait: Duration) -> io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stream = runtime.block_on(async {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        if let Some(from) = from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        tokio::time::timeout(wait, socket.connect(address))
            .await
            .map_err(|_| io::Error::from(ErrorKind::TimedOut))??
            .into_std()
    })?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}
