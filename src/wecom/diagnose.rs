//! Diagnoses failed requests: what broke, at which phase and at which hop.
//!
//! A diagnosis is made from kinds of errors and from names of our own, never from a URL.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::Errno;
use rustls::{AlertDescription, CertificateError, Error as RustlsError};
use serde::{Deserialize, Serialize};

/// A request that got no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NetworkTrouble {
    pub(crate) error: NetworkError,
    /// Whether the proxy broke it, rather than the host behind it.
    pub(crate) at_proxy: bool,
    pub(crate) route: Route,
    /// Whether the request may have reached WeCom.
    pub(crate) maybe_sent: bool,
}

/// What broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NetworkError {
    /// The name servers answer that there is no such host.
    UnknownHost {
        name: String,
    },
    /// The name could not be looked up.
    Lookup {
        name: String,
        reason: String,
    },
    /// Time ran out at this phase.
    Timeout(Phase),
    /// `local_address` is not an address of this machine.
    NotOurAddress(IpAddr),
    /// Nothing listens at the host's or the proxy's port.
    Refused,
    /// The connection failed for another reason, the system's.
    Unreachable(String),
    /// This process or this machine has too many files open.
    OutOfDescriptors(String),
    Tls(TlsFault),
    Proxy(ProxyFault),
    /// No connection, for a reason that only the library words.
    Unconnected(String),
    /// The connection broke later.
    Broken(String),
}

/// Why there is no TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TlsFault {
    /// Neither TLS 1.2 nor 1.3.
    TooOld,
    /// The other side speaks something else.
    NotTls,
    HungUp,
    /// Anything else.
    Failed,
    Certificate(CertificateFault),
}

/// Why a certificate is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CertificateFault {
    Expired,
    NotYetValid,
    UnknownIssuer,
    WrongName,
    /// It is an authority's, or self-signed.
    IsAuthority,
    Revoked,
    Invalid,
}

/// What a proxy does instead of forwarding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ProxyFault {
    Unreachable,
    /// It wants a user and a password, or other ones; an `Error` has that as status 407.
    WantsLogin,
    Denied,
    Failed(String),
}

/// How far a try has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub(crate) enum Phase {
    Connecting = 0,
    LookingUp = 1,
    /// The request is on its way, perhaps all of it.
    Sending = 2,
    /// The rest of the body could not be read, so that the request never was whole.
    Unreadable = 3,
}

/// The phase of the current try, shared with the places where it changes.
#[derive(Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    pub(super) fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            1 => Phase::LookingUp,
            2 => Phase::Sending,
            3 => Phase::Unreadable,
            _ => Phase::Connecting,
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

/// The route of requests, by names that a person knows and without passwords.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    /// WeCom's host, or the relay's.
    pub(crate) host: String,
    /// Whether the request is plain http, so that only the proxy may speak TLS.
    pub(crate) plain: bool,
    /// Host and port of the proxy.
    pub(crate) proxy: Option<String>,
    pub(crate) local_address: Option<IpAddr>,
}

impl Route {
    /// A diagnosis of trouble on this route before anything was sent.
    pub(super) fn trouble(self, error: NetworkError, at_proxy: bool) -> NetworkTrouble {
        let proxy = self.proxy.as_deref().unwrap_or_default();
        let proxy_host = proxy.rsplit_once(':').map_or(proxy, |(host, _)| host);
        let at_proxy = match &error {
            NetworkError::UnknownHost { name } | NetworkError::Lookup { name, .. } => {
                proxy_host == name
            }
            _ => at_proxy && self.proxy.is_some(),
        };
        NetworkTrouble {
            error,
            at_proxy,
            route: self,
            maybe_sent: false,
        }
    }

    /// Diagnoses a try that failed at `phase`.
    pub(super) fn diagnose(self, error: &reqwest::Error, phase: Phase) -> NetworkTrouble {
        let (error, at_proxy) = self.find_cause(error, phase);
        self.trouble(error, at_proxy)
    }

    /// What broke, and whether that was at the proxy.
    fn find_cause(&self, error: &reqwest::Error, phase: Phase) -> (NetworkError, bool) {
        if error.is_connect() && error.is_timeout() {
            return (NetworkError::Timeout(phase), false);
        }
        // Plain http goes to the proxy itself, and so does the request for a tunnel.
        let mut at_proxy = self.plain;
        for cause in causes(error) {
            if let Some(NoAddress { name, why }) = cause.downcast_ref() {
                return (NetworkError::of_lookup(name, why), at_proxy);
            }
            if let Some(error) = tls_error(cause) {
                return (NetworkError::Tls(TlsFault::of(error)), at_proxy);
            }
            if let Some(error) = cause.downcast_ref::<io::Error>()
                && (is_out_of_descriptors(error)
                    || error.get_ref().is_none() && is_of_connecting(error))
            {
                return (self.of_connecting(error), at_proxy);
            }
            let text = cause.to_string();
            if text == "tls handshake eof" {
                return (NetworkError::Tls(TlsFault::HungUp), at_proxy);
            }
            let in_tunnel = text.strip_prefix("tunnel error: ");
            at_proxy |= in_tunnel.is_some();
            // Unless a cause below it says more.
            let in_tunnel = in_tunnel.filter(|_| cause.source().is_none());
            if let Some(trouble) = in_tunnel.or(text.strip_prefix("SOCKS error: ")) {
                return (NetworkError::Proxy(ProxyFault::of(trouble)), true);
            }
        }
        let cause = causes(error).last();
        let cause = cause.map_or(String::new(), ToString::to_string);
        let kind = if error.is_connect() {
            NetworkError::Unconnected
        } else {
            NetworkError::Broken
        };
        (kind(cause), false)
    }

    /// What kept a connection from being made.
    fn of_connecting(&self, error: &io::Error) -> NetworkError {
        match (error.kind(), self.local_address) {
            _ if is_out_of_descriptors(error) => NetworkError::OutOfDescriptors(error.to_string()),
            (ErrorKind::AddrNotAvailable, Some(address)) => NetworkError::NotOurAddress(address),
            (ErrorKind::ConnectionRefused, _) => NetworkError::Refused,
            _ => NetworkError::Unreachable(error.to_string()),
        }
    }
}

impl NetworkError {
    /// What kept a name from being looked up.
    fn of_lookup(name: &str, error: &io::Error) -> Self {
        let name = name.to_owned();
        // The standard library gives the resolver's reason only as text.
        let text = error.to_string();
        if text.contains("not known") || text.contains("No address associated") {
            return Self::UnknownHost { name };
        }
        let reason = text.rsplit_once(": ").map_or(&*text, |(_, reason)| reason);
        let reason = reason.to_owned();
        Self::Lookup { name, reason }
    }
}

impl TlsFault {
    fn of(error: &RustlsError) -> Self {
        match error {
            RustlsError::InvalidCertificate(error) => {
                Self::Certificate(CertificateFault::of(error))
            }
            RustlsError::AlertReceived(
                AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
            )
            | RustlsError::PeerIncompatible(_) => Self::TooOld,
            RustlsError::InvalidMessage(_) => Self::NotTls,
            RustlsError::AlertReceived(_) => Self::HungUp,
            _ => Self::Failed,
        }
    }
}

impl CertificateFault {
    fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            // webpki calls it CaUsedAsEndEntity, and rustls passes it on without a name.
            CertificateError::Other(_) => Self::IsAuthority,
            CertificateError::Revoked => Self::Revoked,
            _ => Self::Invalid,
        }
    }
}

impl ProxyFault {
    /// Reads the words of hyper-util for a tunnel or SOCKS.
    fn of(trouble: &str) -> Self {
        match trouble {
            "proxy authorization required"
            | "credentials not accepted"
            | "server does not support user/pass authentication" => Self::WantsLogin,
            // SOCKS does not pass on the cause.
            "failed to create underlying connection" => Self::Unreachable,
            "unsuccessful" => Self::Denied,
            _ => Self::Failed(trouble.to_owned()),
        }
    }
}

/// Whether the certificate's issuer is not among those that we trust.
pub(super) fn is_unknown_issuer(error: &reqwest::Error) -> bool {
    let unknown = RustlsError::InvalidCertificate(CertificateError::UnknownIssuer);
    causes(error).any(|cause| tls_error(cause) == Some(&unknown))
}

/// Whether the certificate is not accepted.
pub(super) fn is_of_certificate(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| matches!(tls_error(cause), Some(RustlsError::InvalidCertificate(_))))
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}

fn is_of_connecting(error: &io::Error) -> bool {
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

/// An error, and each cause below it.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source())
}

/// Finds TLS's own error: I/O errors carry it without naming it as their source.
fn tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a RustlsError> {
    let Some(error) = cause.downcast_ref::<io::Error>() else {
        return cause.downcast_ref();
    };
    let carried: &(dyn StdError + 'static) = error.get_ref()?;
    tls_error(carried)
}
