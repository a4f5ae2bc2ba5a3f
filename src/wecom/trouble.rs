//! What broke on the way to WeCom, told apart for whoever has to mend it.
//!
//! The words are made from the kind of an error and from names of our own, never from a URL.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// What to look at where names, routes or firewalls are at fault.
const NAME_SERVER: &str =
    "check the network of this machine, and the name servers in /etc/resolv.conf";
const NETWORK: &str =
    "check the network of this machine: its link, its route, a firewall on the way";
const PROXY: &str =
    "check [network] proxy in the config, or https_proxy and all_proxy in the environment";

/// How far a try has come.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    Connecting = 0,
    LookingUp = 1,
    /// The message is on its way, perhaps all of it.
    Sending = 2,
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
    /// The proxy in between, without its password.
    pub(super) proxy: Option<String>,
    pub(super) local_address: Option<IpAddr>,
}

impl Way {
    /// Words for a try that ran out of time.
    pub(super) fn too_late(&self, stage: Stage) -> Words {
        let host = &self.host;
        match stage {
            Stage::LookingUp => {
                Words::new("no name server answers in time".to_owned(), NAME_SERVER)
            }
            Stage::Connecting => Words::new(
                format!("no answer from {} in time", self.next_hop()),
                NETWORK,
            ),
            Stage::Sending => Words {
                what: format!("{host} was sent the message, but has not answered in time"),
                hint: None,
            },
        }
    }

    /// Words for a try that broke.
    pub(super) fn broken(&self, error: &reqwest::Error, stage: Stage) -> Words {
        if error.is_connect() && error.is_timeout() {
            return self.too_late(stage);
        }
        for cause in causes(error) {
            if let Some(NoAddress { name, why }) = cause.downcast_ref() {
                return no_address(name, why);
            }
            if let Some(error) = tls_error(cause) {
                return self.tls(error);
            }
            if let Some(error) = cause.downcast_ref::<io::Error>()
                && error.get_ref().is_none()
                && error_is_of_connecting(error)
            {
                return self.unconnected(error);
            }
            let text = cause.to_string();
            if let Some(trouble) = text.strip_prefix("tunnel error: ")
                // Else what lies below it says more.
                && cause.source().is_none()
            {
                return self.tunnel(trouble);
            }
            if let Some(trouble) = text.strip_prefix("SOCKS error: ") {
                return self.tunnel(trouble);
            }
        }
        let cause = causes(error)
            .last()
            .map_or(String::new(), ToString::to_string);
        let what = if error.is_connect() {
            format!("cannot connect to {}: {cause}", self.next_hop())
        } else {
            format!("the connection to {} broke: {cause}", self.host)
        };
        Words { what, hint: None }
    }

    /// Whom we connect to: the proxy if there is one.
    fn next_hop(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("the proxy {proxy}"),
            None => self.host.clone(),
        }
    }

    fn unconnected(&self, error: &io::Error) -> Words {
        let peer = self.next_hop();
        match (error.kind(), self.local_address) {
            (ErrorKind::AddrNotAvailable, Some(address)) => Words::new(
                format!("local_address {address} is not an address of this machine"),
                "mend [network] local_address: `ip address` lists what there is",
            ),
            (ErrorKind::ConnectionRefused, _) => Words::new(
                format!("{peer} refuses the connection: nothing listens there"),
                if self.proxy.is_some() {
                    PROXY
                } else {
                    "check host and port of [network] api_base, and whether its service runs"
                },
            ),
            _ => Words::new(format!("{peer} cannot be reached: {error}"), NETWORK),
        }
    }

    fn tunnel(&self, trouble: &str) -> Words {
        let (peer, host) = (self.next_hop(), &self.host);
        match trouble {
            "proxy authorization required" => Words::new(
                format!("{peer} wants a user and a password"),
                "write them into the proxy's URL: http://user:password@host:port",
            ),
            // SOCKS keeps to itself what lies below.
            "failed to create underlying connection" => {
                Words::new(format!("{peer} cannot be reached"), PROXY)
            }
            "unsuccessful" => {
                Words::new(format!("{peer} does not let us through to {host}"), PROXY)
            }
            _ => Words::new(format!("{peer} gives no way to {host}: {trouble}"), PROXY),
        }
    }

    fn tls(&self, error: &TlsError) -> Words {
        let host = &self.host;
        let clock = chrono::Utc::now().format("%Y-%m-%d %H:%M UTC");
        let certificate = match error {
            TlsError::InvalidCertificate(certificate) => certificate,
            TlsError::AlertReceived(AlertDescription::ProtocolVersion)
            | TlsError::PeerIncompatible(_) => {
                return Words::new(
                    format!("{host} speaks no TLS that is safe: TLS 1.2 or 1.3 is needed"),
                    "a relay or proxy of yours needs newer TLS; WeCom itself has it",
                );
            }
            TlsError::InvalidMessage(_) => {
                return Words::new(
                    format!("{host} does not speak TLS"),
                    "check the port of [network] api_base; a portal or proxy may stand in between",
                );
            }
            other => {
                return Words {
                    what: format!("no TLS with {host}: {other}"),
                    hint: None,
                };
            }
        };
        let clock_first = format!(
            "if the clock is wrong, set it (timedatectl); if it is right, {host} needs another certificate"
        );
        match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Words::new(
                format!(
                    "the certificate of {host} has expired, by the clock of this machine: {clock}"
                ),
                clock_first,
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Words::new(
                    format!(
                        "the certificate of {host} is not valid yet, by the clock of this machine: {clock}"
                    ),
                    clock_first,
                )
            }
            CertificateError::UnknownIssuer => Words::new(
                format!(
                    "the certificate of {host} is signed by nobody whom this machine trusts (clock: {clock})"
                ),
                "a portal or proxy may stand in between; where it is yours, put its authority into [network] ca_file",
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Words::new(
                    format!(
                        "the certificate that came is not {host}'s but another's (clock: {clock})"
                    ),
                    "a portal or proxy may stand in between; a relay needs a certificate for the name in api_base",
                )
            }
            other => Words::new(
                format!("the certificate of {host} is not valid: {other} (clock: {clock})"),
                "a portal or proxy may stand in between; a relay needs a certificate signed by an authority",
            ),
        }
    }
}

/// Whether nobody whom we trust has signed the certificate that came.
pub(super) fn is_unknown_issuer(error: &reqwest::Error) -> bool {
    let unknown = TlsError::InvalidCertificate(CertificateError::UnknownIssuer);
    causes(error).any(|cause| tls_error(cause) == Some(&unknown))
}

fn no_address(name: &str, why: &io::Error) -> Words {
    // The standard library gives the resolver's reason in words alone.
    let reason = why.to_string();
    if reason.contains("not known") || reason.contains("No address associated") {
        return Words::new(
            format!("no such host: {name}"),
            "check its spelling in [network] api_base or proxy, and the name servers in /etc/resolv.conf",
        );
    }
    let reason = reason
        .rsplit_once(": ")
        .map_or(&*reason, |(_, reason)| reason);
    Words::new(format!("cannot look up {name}: {reason}"), NAME_SERVER)
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
