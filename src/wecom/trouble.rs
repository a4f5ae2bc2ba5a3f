//! What broke on the way to WeCom, told apart for whoever has to mend it.
//!
//! The words are made from the kind of an error and from names of our own, never from a URL.

mod advice;
mod tls;

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::Errno;
use rustls::{CertificateError, Error as TlsError};

use crate::lang::{say, spoken};
pub(super) use tls::{hung_up, no_tls};

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
pub(super) struct Peer {
    name: String,
    is_proxy: bool,
}

impl Peer {
    fn hint(&self, of_the_host: &str) -> String {
        if self.is_proxy {
            advice::proxy()
        } else {
            of_the_host
        }
        .to_owned()
    }
}

impl Way {
    /// Words for a try that ran out of time.
    pub(super) fn too_late(&self, stage: Stage) -> Words {
        let host = self.far_end();
        match stage {
            Stage::LookingUp => {
                let what = say!("域名服务器没有及时答复", "no name server answers in time");
                Words::new(what, advice::name_server())
            }
            Stage::Connecting => {
                let slow = spoken().of(
                    "检查本机网络、路由和防火墙；都没问题，就是对方主机或中转过载了",
                    "check the network of this machine, its route and firewall; if these are well, the host or a relay is overloaded",
                );
                let what = say!(
                    "没有及时等到 {host} 的答复",
                    "no answer from {host} in time"
                );
                Words::new(
                    what,
                    if self.proxy.is_some() {
                        advice::proxy()
                    } else {
                        slow
                    },
                )
            }
            Stage::Sending | Stage::Unreadable => Words {
                what: say!(
                    "消息已发给 {host}，但没有及时等到答复",
                    "{host} was sent the message, but has not answered in time"
                ),
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
                return Broken::Words(no_tls(&self.peer(at_proxy), error));
            }
            if let Some(error) = cause.downcast_ref::<io::Error>()
                && is_out_of_descriptors(error)
            {
                let what = unconnectable(&self.far_end(), &error.to_string());
                let hint = say!(
                    "打开的文件太多：看 `ulimit -n`",
                    "too many files are open: see `ulimit -n`"
                );
                return Broken::Words(Words::new(what, hint));
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
            // By others, and so in English.
            unconnectable(&host, &say!("（{cause}）", "{cause}"))
        } else {
            say!(
                "与 {host} 的连接断了（{cause}）",
                "the connection to {host} broke: {cause}"
            )
        };
        let hint = match self.local_address {
            Some(_) if error.is_connect() => Some(say!(
                "local_address 和对方主机可能不是同一种地址，或不在同一个网络",
                "local_address may be of another family or network than the host"
            )),
            _ if self.plain => Some(say!(
                "如果对方用 TLS，api_base 要以 https:// 开头",
                "if it speaks TLS, api_base must begin with https://"
            )),
            _ => None,
        };
        Words { what, hint }
    }

    /// The host, and the proxy on the way to it.
    fn far_end(&self) -> String {
        match &self.proxy {
            Some(proxy) => say!(
                "{} (经代理 {proxy})",
                "{} through the proxy {proxy}",
                self.host
            ),
            None => self.host.clone(),
        }
    }

    pub(super) fn peer(&self, at_proxy: bool) -> Peer {
        match &self.proxy {
            Some(proxy) if at_proxy => Peer {
                name: say!("代理 {proxy}", "the proxy {proxy}"),
                is_proxy: true,
            },
            _ => Peer {
                name: self.far_end(),
                is_proxy: false,
            },
        }
    }

    pub(super) fn no_address(&self, name: &str, why: &io::Error) -> Words {
        let proxy = self.proxy.as_deref().unwrap_or_default();
        let is_proxy = proxy.rsplit_once(':').map_or(proxy, |(host, _)| host) == name;
        let role = if is_proxy {
            spoken().of(" (代理)", ", the proxy")
        } else {
            ""
        };
        // The standard library gives the resolver's reason in words alone.
        let reason = why.to_string();
        if reason.contains("not known") || reason.contains("No address associated") {
            let spelling = spoken().of(
                "检查 [network] api_base 的拼写，以及 /etc/resolv.conf 里的域名服务器",
                "check its spelling in [network] api_base, and the name servers in /etc/resolv.conf",
            );
            let hint = if is_proxy { advice::proxy() } else { spelling };
            let what = say!("没有这个主机：{name}{role}", "no such host: {name}{role}");
            return Words::new(what, hint);
        }
        let reason = reason
            .rsplit_once(": ")
            .map_or(&*reason, |(_, reason)| reason);
        let what = say!(
            "查不到 {name}{role} 的地址（{reason}）",
            "cannot look up {name}{role}: {reason}"
        );
        Words::new(what, advice::name_server())
    }

    pub(super) fn unconnected(&self, peer: &Peer, error: &io::Error) -> Words {
        let name = &peer.name;
        match (error.kind(), self.local_address) {
            (ErrorKind::AddrNotAvailable, Some(address)) => Words::new(
                say!(
                    "local_address {address} 不是本机的地址",
                    "local_address {address} is not an address of this machine"
                ),
                say!(
                    "改 [network] local_address：`ip address` 列出本机有哪些",
                    "mend [network] local_address: `ip address` lists what there is"
                ),
            ),
            (ErrorKind::ConnectionRefused, _) => Words::new(
                say!(
                    "{name} 拒绝连接：那里没有程序在监听",
                    "{name} refuses the connection: nothing listens there"
                ),
                peer.hint(spoken().of(
                    "检查 [network] api_base 的主机和端口，以及它的服务是否在运行",
                    "check host and port of [network] api_base, and whether its service runs",
                )),
            ),
            _ => Words::new(
                say!(
                    "{name} 连不上：{error}",
                    "{name} cannot be reached: {error}"
                ),
                peer.hint(advice::network()),
            ),
        }
    }

    /// What a proxy does instead of letting us through.
    fn tunnel(&self, trouble: &str) -> Broken {
        let (peer, host) = (self.peer(true).name, &self.host);
        let what = match trouble {
            "proxy authorization required"
            | "credentials not accepted"
            | "server does not support user/pass authentication" => return Broken::WantsLogin,
            // SOCKS keeps to itself what lies below.
            "failed to create underlying connection" => {
                say!("{peer} 连不上", "{peer} cannot be reached")
            }
            "unsuccessful" => say!(
                "{peer} 不放行到 {host} 的连接",
                "{peer} does not let us through to {host}"
            ),
            _ => say!(
                "{peer} 到不了 {host}（{trouble}）",
                "{peer} gives no way to {host}: {trouble}"
            ),
        };
        Broken::Words(Words::new(what, advice::proxy()))
    }
}

fn unconnectable(host: &str, why: &str) -> String {
    say!("连不上 {host}：{why}", "cannot connect to {host}: {why}")
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
