//! HTTPS with certificates that are good, or bad in one way each.
//!
//! Every certificate but the self-signed one and the stranger's is signed by the authority that the client
//! is told to trust, so that nothing but the named fault can be why it is refused.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, GeneralSubtree, IsCa,
    KeyPair, NameConstraints, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A fatal `protocol_version` alert, in a record of TLS 1.0.
const PROTOCOL_VERSION_ALERT: [u8; 7] = [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];

/// A name that a constrained authority may not sign.
const FORBIDDEN: &str = "forbidden.example";

/// What is right or wrong with the server's TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing is wrong.
    Good,
    /// The certificate is signed by nobody but itself.
    SelfSigned,
    /// The certificate is an authority's own, and trusted: what `openssl req -x509` makes.
    Authority,
    /// The certificate is another host's.
    WrongName,
    /// The certificate has a name, besides the right one, that its authority may not sign.
    ForbiddenName,
    /// The certificate ended in 2020.
    Expired,
    /// The certificate begins in 2999.
    NotYetValid,
    /// The certificate is signed by an authority that nobody trusts.
    UnknownCa,
    /// Nothing is wrong, but the server speaks TLS 1.2 and no later.
    Tls12Only,
    /// The server speaks TLS 1.0 and tells later clients so.
    Tls10,
}

impl Kind {
    /// Every kind whose server must not be spoken to.
    pub const BAD: [Self; 7] = [
        Self::SelfSigned,
        Self::WrongName,
        Self::ForbiddenName,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownCa,
        Self::Tls10,
    ];
}

/// The server's end of TLS.
pub struct Tls {
    /// The authority to trust, as PEM.
    pub ca_pem: String,
    acceptor: Option<TlsAcceptor>,
}

impl Tls {
    /// Makes an authority, a certificate and a server of this kind.
    pub fn new(kind: Kind) -> Self {
        Self::make(kind).expect("the certificate is within rcgen's and rustls' means")
    }

    fn make(kind: Kind) -> Result<Self, Box<dyn std::error::Error>> {
        let ca = authority("stand-in authority", kind == Kind::ForbiddenName)?;
        let names = if kind == Kind::WrongName {
            &["elsewhere.example"][..]
        } else {
            &["127.0.0.1", "localhost"]
        };
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names)?;
        match kind {
            Kind::ForbiddenName => {
                let forbidden = SanType::DnsName(FORBIDDEN.try_into()?);
                params.subject_alt_names.push(forbidden);
            }
            Kind::Expired => params.not_after = date_time_ymd(2020, 1, 1),
            Kind::Authority => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            Kind::NotYetValid => params.not_before = date_time_ymd(2999, 1, 1),
            _ => {}
        }
        let key = KeyPair::generate()?;
        let certificate = match kind {
            Kind::SelfSigned | Kind::Authority => params.self_signed(&key)?,
            Kind::UnknownCa => params.signed_by(&key, &*authority("stranger", false)?)?,
            _ => params.signed_by(&key, &ca)?,
        };
        let versions = if kind == Kind::Tls12Only {
            &[&TLS12][..]
        } else {
            &[&TLS12, &TLS13]
        };
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key).into(),
            )?;
        let acceptor = (kind != Kind::Tls10).then(|| TlsAcceptor::from(Arc::new(config)));
        Ok(Self {
            ca_pem: if kind == Kind::Authority {
                certificate.pem()
            } else {
                ca.pem()
            },
            acceptor,
        })
    }

    /// Shakes hands, or fails as its kind does.
    pub async fn accept(&self, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        if let Some(acceptor) = &self.acceptor {
            return acceptor.accept(stream).await;
        }
        // The whole hello is read first: closing on unread bytes would reset and lose the alert.
        let mut record = [0; 5];
        stream.read_exact(&mut record).await?;
        let mut hello = vec![0; usize::from(u16::from_be_bytes([record[3], record[4]]))];
        stream.read_exact(&mut hello).await?;
        stream.write_all(&PROTOCOL_VERSION_ALERT).await?;
        stream.shutdown().await?;
        Err(io::Error::other("the client speaks no TLS 1.0"))
    }
}

/// Makes an authority; names differ, or a stranger's certificate would seem forged and not unknown.
fn authority(name: &str, is_constrained: bool) -> Result<CertifiedIssuer<'static, KeyPair>, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.name_constraints = is_constrained.then(|| NameConstraints {
        permitted_subtrees: Vec::new(),
        excluded_subtrees: vec![GeneralSubtree::DnsName(FORBIDDEN.to_owned())],
    });
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}
