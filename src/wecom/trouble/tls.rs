//! TLS that did not come about, and certificates that we don't take, in words.

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::{Peer, Words, advice};
use crate::lang::{say, spoken};

/// Words for TLS that did not come about.
pub(in crate::wecom) fn no_tls(peer: &Peer, error: &TlsError) -> Words {
    let name = &peer.name;
    let certificate = match error {
        TlsError::InvalidCertificate(certificate) => certificate,
        TlsError::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
        )
        | TlsError::PeerIncompatible(_) => {
            let what = say!(
                "{name} 没有安全的 TLS：需要 TLS 1.2 或 1.3",
                "{name} speaks no TLS that is safe: TLS 1.2 or 1.3 is needed"
            );
            let hint = say!(
                "您的中转或代理要升级 TLS；企业微信自己是支持的",
                "a relay or proxy of yours needs newer TLS; WeCom itself has it"
            );
            return Words::new(what, hint);
        }
        TlsError::InvalidMessage(_) => {
            let hint = if peer.is_proxy {
                say!(
                    "代理的 URL 要以 http:// 开头，除非代理本身用 TLS",
                    "the proxy's URL must begin with http://, unless the proxy itself speaks TLS"
                )
            } else {
                say!(
                    "检查 [network] api_base 的端口；中间可能隔着上网认证页或代理",
                    "check the port of [network] api_base; a portal or proxy may stand in between"
                )
            };
            return Words::new(say!("{name} 不用 TLS", "{name} does not speak TLS"), hint);
        }
        TlsError::AlertReceived(_) => return hung_up(peer),
        _ => {
            let what = say!("与 {name} 没能建立 TLS", "no TLS came about with {name}");
            return Words::new(what, peer.hint(advice::portal()));
        }
    };
    of_certificate(name, certificate)
}

/// Words for a certificate that we don't take.
fn of_certificate(name: &str, error: &CertificateError) -> Words {
    let now = chrono::Utc::now().format("%Y-%m-%d %H:%M UTC");
    let between = spoken().of(
        "中间可能隔着上网认证页或代理",
        "a portal or proxy may stand in between",
    );
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Words::new(
            say!(
                "{name} 的证书已过期，本机时钟是 {now}",
                "the certificate of {name} has expired, by the clock of this machine: {now}"
            ),
            advice::clock(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Words::new(
            say!(
                "{name} 的证书还没生效，本机时钟是 {now}",
                "the certificate of {name} is not valid yet, by the clock of this machine: {now}"
            ),
            advice::clock(),
        ),
        CertificateError::UnknownIssuer => Words::new(
            say!(
                "{name} 的证书不是本机信任的机构签发的（时钟 {now}）",
                "the certificate of {name} is signed by nobody whom this machine trusts (clock: {now})"
            ),
            say!(
                "{between}；如果是你们自己的，把它的 CA 证书放进 [network] ca_file",
                "{between}; where it is yours, put its authority into [network] ca_file"
            ),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Words::new(
                say!(
                    "收到的证书不是 {name} 的，是别人的（时钟 {now}）",
                    "the certificate that came is not {name}'s but another's (clock: {now})"
                ),
                say!(
                    "{between}；自建的中转要有 api_base 里那个域名的证书",
                    "{between}; a relay needs a certificate for the name in api_base"
                ),
            )
        }
        // webpki's name for it is CaUsedAsEndEntity, and rustls hands it on without one.
        CertificateError::Other(_) => Words::new(
            say!(
                "{name} 的证书是 CA 自己的，或者是自签名的（时钟 {now}）",
                "the certificate of {name} is an authority's own, or signed by itself (clock: {now})"
            ),
            say!(
                "给它换成带 basicConstraints CA:FALSE 的证书，并把签发者放进 [network] ca_file",
                "give it a certificate with basicConstraints CA:FALSE, and put who signed that into [network] ca_file"
            ),
        ),
        CertificateError::Revoked => Words::new(
            say!(
                "{name} 的证书已被吊销（时钟 {now}）",
                "the certificate of {name} has been revoked (clock: {now})"
            ),
            advice::portal(),
        ),
        _ => Words::new(
            say!(
                "{name} 的证书无效（时钟 {now}）",
                "the certificate of {name} is not valid (clock: {now})"
            ),
            advice::portal(),
        ),
    }
}

/// Words for a peer that went away during the handshake.
pub(in crate::wecom) fn hung_up(peer: &Peer) -> Words {
    let what = say!(
        "{} 在 TLS 建立之前挂断了",
        "{} hung up before there was TLS",
        peer.name
    );
    Words::new(what, peer.hint(advice::portal()))
}
