//! What broke on the way to WeCom, told apart for whoever has to mend it.
//!
//! The words are made from the kind of an error and from names of our own, never from a URL.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::Errno;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// What to look at where names, routes or firewalls are at fault.
const NAME_SERVER: &str =
    "check the network of this machine, and the name servers in /etc/resolv.conf";
const NETWORK: &str =
    "check the network of this machine: its link, its route, a firewall on the way";
const PROXY: &str =
    "check [network] proxy in the config, or https_proxy and all_proxy in the environment";

const DESCRIPTORS: &str = "too many files are open: see `ulimit -n`";
const SLOW: &str = "check the network of this machine, its route and firewall; if these are well, the host or a relay is overloaded";
const SPELLING: &str =
    "check its spelling in [network] api_base, and the name servers in /etc/resolv.conf";
const PORTAL: &str = "a portal, proxy or firewall may stand in between, or a relay needs a certificate signed by an authority";
const CLOCK: &str = "if the clock is wrong, set it (timedatectl); if it is right, a new certificate is needed there";

/// How far a try has come.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    Connecting = 0,
    LookingUp = 1,
    /// The message is on its way, perhaps all of it.
    Sending = 2,
    /// What was to follow could not be read, so that it never was whole.
    Unreadable = 3,
}

/// The stage of the try under way, seen from the places where it changes.
#[derive(Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    pub(super) fn set(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    pub(super) fn stage(&self) -> Stage {
        match self.0.load(Ordering::Relaxed) {
            1 => Stage::LookingUp,
            2 => Stage::Sending,
            3 => Stage::Unreadable,
            _ => Stage::Connecting,
        }
    }
}

/// A name that could not be looked up.
#[derive(Debug)]
pub(super) struct NoAddress {
    pub(super) name: String,
    pub(super) why: io::Error,
}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot look up {}: {}", self.name, self.why)
    }
}

impl StdError for NoAddress {}

/// What happened, and what to do next.
pub(super) struct Words {
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

/// What came of a try that broke.
pub(super) enum Broken {
    Words(Words),
    /// The proxy wants a user and a password, or other ones.
    WantsLogin,
}

impl Words {
    fn new(what: String, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into());
        Self { what, hint }
    }
}

/// The way that requests take, by the names that a person knows.
pub(super) struct Way {
    /// WeCom's host, or the relay's.
    pub(super) host: String,
    /// Whether the request itself is plain http, and the first hop all that there is of TLS.
    pub(super) plain: bool,
    /// The proxy in between, without its password.
    pub(super) proxy: Option<String>,
    pub(super) local_address: Option<IpAddr>,
}

/// Who broke it: the host at the end of the way, or the proxy before it.
struct Peer {
    name: String,
    is_proxy: bool,
}

impl Peer {
    fn hint(&self, of_the_host: &str) -> String {
        if self.is_proxy { PROXY } else { of_the_host }.to_owned()
    }
}

impl Way {
    /// Words for a try that ran out of time.
    pub(super) fn too_late(&self, stage: Stage) -> Words {
        let host = self.far_end();
        match stage {
            Stage::LookingUp => {
                Words::new("no name server answers in time".to_owned(), NAME_SERVER)
            }
            Stage::Connecting => Words::new(format!("no answer from {host} in time"), {
                if self.proxy.is_some() { PROXY } else { SLOW }
            }),
            Stage::Sending | Stage::Unreadable => Words {
                what: format!("{host} was sent the message, but has not answered in time"),
                hint: None,
            },
        }
    }

    /// What came of a try that broke.
    pub(super) fn broken(&self, error: &reqwest::Error, stage: Stage) -> Broken {
        if error.is_connect() && error.is_timeout() {
            return Broken::Words(self.too_late(stage));
        }
        // Plain http goes to the proxy itself, and so does whatever a tunnel's error is about.
        let mut at_proxy = self.plain;
        for cause in causes(error) {
            if let Some(NoAddress { name, why }) = cause.downcast_ref() {
                return Broken::Words(self.no_address(name, why));
            }
            if let Some(error) = tls_error(cause) {
                return Broken::Words(tls(&self.peer(at_proxy), error));
            }
            if let Some(error) = cause.downcast_ref::<io::Error>()
                && is_out_of_descriptors(error)
            {
                let what = format!("cannot connect to {}: {error}", self.far_end());
                return Broken::Words(Words::new(what, DESCRIPTORS));
            }
            if let Some(error) = cause.downcast_ref::<io::Error>()
                && error.get_ref().is_none()
                && error_is_of_connecting(error)
            {
                return Broken::Words(self.unconnected(&self.peer(at_proxy), error));
            }
            let text = cause.to_string();
            if text == "tls handshake eof" {
                return Broken::Words(hung_up(&self.peer(at_proxy)));
            }
            if let Some(trouble) = text.strip_prefix("tunnel error: ") {
                at_proxy = true;
                // Else what lies below it says more.
                if cause.source().is_none() {
                    return self.tunnel(trouble);
                }
            }
            if let Some(trouble) = text.strip_prefix("SOCKS error: ") {
                return self.tunnel(trouble);
            }
        }
        Broken::Words(self.otherwise(error))
    }

    fn otherwise(&self, error: &reqwest::Error) -> Words {
        let cause = causes(error)
            .last()
            .map_or(String::new(), ToString::to_string);
        let host = self.far_end();
        let what = if error.is_connect() {
            format!("cannot connect to {host}: {cause}")
        } else {
            format!("the connection to {host} broke: {cause}")
        };
        let hint = match self.local_address {
            Some(_) if error.is_connect() => {
                Some("local_address may be of another family or network than the host")
            }
            _ if self.plain => Some("if it speaks TLS, api_base must begin with https://"),
            _ => None,
        };
        Words {
            what,
            hint: hint.map(str::to_owned),
        }
    }

    /// The host, and the proxy on the way to it.
    fn far_end(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("{} through the proxy {proxy}", self.host),
            None => self.host.clone(),
        }
    }

    fn peer(&self, at_proxy: bool) -> Peer {
        match &self.proxy {
            Some(proxy) if at_proxy => Peer {
                name: format!("the proxy {proxy}"),
                is_proxy: true,
            },
            _ => Peer {
                name: self.far_end(),
                is_proxy: false,
            },
        }
    }

    fn no_address(&self, name: &str, why: &io::Error) -> Words {
        let proxy = self.proxy.as_deref().unwrap_or_default();
        let is_proxy = proxy.rsplit_once(':').map_or(proxy, |(host, _)| host) == name;
        let role = if is_proxy { ", the proxy" } else { "" };
        // The standard library gives the resolver's reason in words alone.
        let reason = why.to_string();
        if reason.contains("not known") || reason.contains("No address associated") {
            let hint = if is_proxy { PROXY } else { SPELLING };
            return Words::new(format!("no such host: {name}{role}"), hint);
        }
        let reason = reason
            .rsplit_once(": ")
            .map_or(&*reason, |(_, reason)| reason);
        Words::new(
            format!("cannot look up {name}{role}: {reason}"),
            NAME_SERVER,
        )
    }

    fn unconnected(&self, peer: &Peer, error: &io::Error) -> Words {
        let name = &peer.name;
        match (error.kind(), self.local_address) {
            (ErrorKind::AddrNotAvailable, Some(address)) => Words::new(
                format!("local_address {address} is not an address of this machine"),
                "mend [network] local_address: `ip address` lists what there is",
            ),
            (ErrorKind::ConnectionRefused, _) => Words::new(
                format!("{name} refuses the connection: nothing listens there"),
                peer.hint(
                    "check host and port of [network] api_base, and whether its service runs",
                ),
            ),
            _ => Words::new(
                format!("{name} cannot be reached: {error}"),
                peer.hint(NETWORK),
            ),
        }
    }

    /// What a proxy does instead of letting us through.
    fn tunnel(&self, trouble: &str) -> Broken {
        let peer = self.peer(true).name;
        let what = match trouble {
            "proxy authorization required"
            | "credentials not accepted"
            | "server does not support user/pass authentication" => return Broken::WantsLogin,
            // SOCKS keeps to itself what lies below.
            "failed to create underlying connection" => format!("{peer} cannot be reached"),
            "unsuccessful" => format!("{peer} does not let us through to {}", self.host),
            _ => format!("{peer} gives no way to {}: {trouble}", self.host),
        };
        Broken::Words(Words::new(what, PROXY))
    }
}

/// Words for TLS that did not come about.
fn tls(peer: &Peer, error: &TlsError) -> Words {
    let name = &peer.name;
    let certificate = match error {
        TlsError::InvalidCertificate(certificate) => certificate,
        TlsError::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
        )
        | TlsError::PeerIncompatible(_) => {
            return Words::new(
                format!("{name} speaks no TLS that is safe: TLS 1.2 or 1.3 is needed"),
                "a relay or proxy of yours needs newer TLS; WeCom itself has it",
            );
        }
        TlsError::InvalidMessage(_) => {
            let hint = if peer.is_proxy {
                "the proxy's URL must begin with http://, unless the proxy itself speaks TLS"
            } else {
                "check the port of [network] api_base; a portal or proxy may stand in between"
            };
            return Words::new(format!("{name} does not speak TLS"), hint);
        }
        TlsError::AlertReceived(_) => return hung_up(peer),
        _ => {
            return Words::new(format!("no TLS came about with {name}"), peer.hint(PORTAL));
        }
    };
    let clock = chrono::Utc::now().format("%Y-%m-%d %H:%M UTC");
    let (what, hint) = match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("the certificate of {name} has expired, by the clock of this machine: {clock}"),
            CLOCK,
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            format!(
                "the certificate of {name} is not valid yet, by the clock of this machine: {clock}"
            ),
            CLOCK,
        ),
        CertificateError::UnknownIssuer => (
            format!(
                "the certificate of {name} is signed by nobody whom this machine trusts (clock: {clock})"
            ),
            "a portal or proxy may stand in between; where it is yours, put its authority into [network] ca_file",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("the certificate that came is not {name}'s but another's (clock: {clock})"),
            "a portal or proxy may stand in between; a relay needs a certificate for the name in api_base",
        ),
        // webpki's name for it is CaUsedAsEndEntity, and rustls hands it on without one.
        CertificateError::Other(_) => (
            format!(
                "the certificate of {name} is an authority's own, or signed by itself (clock: {clock})"
            ),
            "give it a certificate with basicConstraints CA:FALSE, and put who signed that into [network] ca_file",
        ),
        CertificateError::Revoked => (
            format!("the certificate of {name} has been revoked (clock: {clock})"),
            PORTAL,
        ),
        _ => (
            format!("the certificate of {name} is not valid (clock: {clock})"),
            PORTAL,
        ),
    };
    Words::new(what, hint)
}

fn hung_up(peer: &Peer) -> Words {
    let what = format!("{} hung up before there was TLS", peer.name);
    Words::new(what, peer.hint(PORTAL))
}

/// Whether nobody whom we trust has signed the certificate that came.
pub(super) fn is_unknown_issuer(error: &reqwest::Error) -> bool {
    let unknown = TlsError::InvalidCertificate(CertificateError::UnknownIssuer);
    causes(error).any(|cause| tls_error(cause) == Some(&unknown))
}

/// Whether there is something wrong with the certificate that came.
pub(super) fn is_of_certificate(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| matches!(tls_error(cause), Some(TlsError::InvalidCertificate(_))))
}

/// Whether it is a limit of ours, and nobody's network.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}

fn error_is_of_connecting(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable
            | ErrorKind::PermissionDenied
            | ErrorKind::InvalidInput
            | ErrorKind::TimedOut
    )
}

/// An error and all that lies below it.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source())
}

/// TLS's own error; I/O errors, one in the other, carry it without naming it as their source.
fn tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a TlsError> {
    let Some(error) = cause.downcast_ref::<io::Error>() else {
        return cause.downcast_ref();
    };
    let carried: &(dyn StdError + 'static) = error.get_ref()?;
    tls_error(carried)
}
