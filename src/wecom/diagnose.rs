//! Diagnoses failed requests: the fault, its phase and its hop.
//!
//! A diagnosis consists of error kinds and of our own names, never of a URL.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::Errno;
use rustls::{AlertDescription, CertificateError, Error as RustlsError};
use serde::{Deserialize, Serialize};

/// A request without a complete answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NetworkTrouble {
    pub(crate) error: NetworkError,
    /// Whether the proxy failed, rather than the host behind it.
    pub(crate) at_proxy: bool,
    pub(crate) route: Route,
    /// Whether the request may have reached WeCom.
    pub(crate) maybe_sent: bool,
}

/// The fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NetworkError {
    /// According to the name servers there is no such host.
    UnknownHost {
        name: String,
    },
    /// The name could not be looked up.
    Lookup {
        name: String,
        reason: String,
    },
    /// The timeout in this phase.
    Timeout(Phase),
    /// `local_address` is not an address of this machine.
    NotOurAddress(IpAddr),
    /// No program listens at the port of the host or proxy.
    Refused,
    /// The connection failed for another reason of the system's.
    Unreachable(String),
    /// This process or this machine has too many files open.
    OutOfDescriptors(String),
    Tls(TlsFault),
    Proxy(ProxyFault),
    /// No connection, for a reason known only as the library's text.
    Unconnected(String),
    /// The connection broke after it was made.
    Broken(String),
}

/// The reason why there is no TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TlsFault {
    /// Neither TLS 1.2 nor 1.3.
    TooOld,
    /// The other side speaks another protocol.
    NotTls,
    HungUp,
    /// Anything else.
    Failed,
    Certificate(CertificateFault),
}

/// The reason why a certificate is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CertificateFault {
    Expired,
    NotYetValid,
    UnknownIssuer,
    WrongName,
    /// It has a name that the name constraints of its issuer exclude.
    ForbiddenName,
    /// It is a CA certificate, or self-signed.
    IsAuthority,
    Revoked,
    Invalid,
}

/// The failure of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ProxyFault {
    Unreachable,
    /// It requires credentials, or other ones; an `Error` represents this as status 407.
    WantsLogin,
    Denied,
    Failed(String),
}

/// The progress of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub(crate) enum Phase {
    Connecting = 0,
    LookingUp = 1,
    /// Connected, and agreeing on TLS, with the host or with a proxy before it.
    Handshaking = 2,
    /// Connected, with TLS if it is used, and nothing of a body sent yet.
    Connected = 3,
    /// The request is being sent, perhaps completely.
    Sending = 4,
    /// The rest of the body could not be read, so the request was never complete.
    Unreadable = 5,
}

/// The phase of the current try, shared with the code that changes it.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    /// Starts a try.
    pub(super) fn begin(&self) {
        self.0.store(Phase::Connecting as u8, Ordering::Relaxed);
    }

    /// Notes a phase, unless the body is already being sent: a second connection, begun while an
    /// idle one was on its way back, must not hide that.
    pub(super) fn set(&self, phase: Phase) {
        let sending = Phase::Sending as u8;
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                (phase as u8 >= sending || now < sending).then_some(phase as u8)
            });
    }

    pub(super) fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            1 => Phase::LookingUp,
            2 => Phase::Handshaking,
            3 => Phase::Connected,
            4 => Phase::Sending,
            5 => Phase::Unreadable,
            _ => Phase::Connecting,
        }
    }
}

/// A failed name lookup.
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

/// The route of requests, with names that a person knows and without passwords.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    /// WeCom's host, or the relay's.
    pub(crate) host: String,
    /// Whether the request is plain HTTP, so that only the proxy may speak TLS.
    pub(crate) plain: bool,
    /// The host and port of the proxy.
    pub(crate) proxy: Option<String>,
    pub(crate) local_address: Option<IpAddr>,
}

impl Route {
    /// Returns the diagnosis of an error on this route before anything was sent.
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

    /// Returns the fault, and whether the proxy caused it.
    fn find_cause(&self, error: &reqwest::Error, phase: Phase) -> (NetworkError, bool) {
        if error.is_connect() && error.is_timeout() {
            return (NetworkError::Timeout(phase), false);
        }
        // Plain HTTP goes to the proxy itself, and so does the request for a tunnel.
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
            // Unless a deeper cause says more.
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

    /// Returns the fault of a failed connection.
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
    /// Returns the fault of a failed name lookup.
    fn of_lookup(name: &str, error: &io::Error) -> Self {
        // The standard library exposes the resolver's reason only as text: glibc's, and musl's.
        const UNKNOWN: [&str; 4] = [
            "not known",
            "No address associated",
            "does not resolve",
            "no usable address",
        ];
        let name = name.to_owned();
        let text = error.to_string();
        if UNKNOWN.iter().any(|words| text.contains(words)) {
            return Self::UnknownHost { name };
        }
        let reason = match text.rsplit_once(": ").map_or(&*text, |(_, reason)| reason) {
            // musl's, which would read as our advice.
            "Try again" => "Temporary failure in name resolution",
            reason => reason,
        };
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
            CertificateError::Revoked => Self::Revoked,
            // rustls passes these on without a name of its own; webpki shows them by theirs.
            CertificateError::Other(error) => match &*error.to_string() {
                "CaUsedAsEndEntity" => Self::IsAuthority,
                "NameConstraintViolation" => Self::ForbiddenName,
                _ => Self::Invalid,
            },
            _ => Self::Invalid,
        }
    }
}

impl ProxyFault {
    /// Parses the error text of hyper-util for a tunnel or SOCKS.
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

/// Whether the certificate's issuer is not among our trusted ones.
pub(super) fn is_unknown_issuer(error: &reqwest::Error) -> bool {
    let unknown = RustlsError::InvalidCertificate(CertificateError::UnknownIssuer);
    causes(error).any(|cause| tls_error(cause) == Some(&unknown))
}

/// Whether the certificate was rejected.
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

/// Returns an error and all of its causes.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source())
}

/// Finds the TLS error: I/O errors contain it, but not as their source.
fn tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a RustlsError> {
    let Some(error) = cause.downcast_ref::<io::Error>() else {
        return cause.downcast_ref();
    };
    let carried: &(dyn StdError + 'static) = error.get_ref()?;
    tls_error(carried)
}
