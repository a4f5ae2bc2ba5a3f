//! Whom we believe to be WeCom. Verification cannot be switched off.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::config::Network;
use crate::disk;
use crate::error::{Exit, Failure};
use crate::lang::say;

/// Largest CA file, in bytes; a system's whole bundle has about 230 KB.
const CA_FILE_MAX: u64 = 4 << 20;

/// The TLS settings: `ring`, the built-in roots, and those of the CA file.
///
/// # Errors
/// `Exit::Config` where the CA file cannot be used.
pub(super) fn settings(network: &Network) -> anyhow::Result<rustls::ClientConfig> {
    settings_with(network, Vec::new())
}

/// The same with more authorities.
pub(super) fn settings_with(
    network: &Network,
    more: Vec<CertificateDer<'static>>,
) -> anyhow::Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = &network.ca_file {
        let cannot = |why: String| {
            let what = say!(
                "ca_file {} 用不了：{why}",
                "ca_file {}: {why}",
                path.display()
            );
            Failure::new(Exit::Config, what).hint(say!(
                "里面要有 PEM 格式的证书，而且运行 wxpush 的用户要能读它",
                "it must hold certificates in PEM, and be readable by the user that runs wxpush"
            ))
        };
        // By others, and so in English.
        let unusable = |why: String| cannot(say!("里面的证书不对（{why}）", "{why}"));
        let (bytes, _) =
            disk::read_named(path, CA_FILE_MAX).map_err(|error| cannot(error.to_string()))?;
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| unusable(error.to_string()))?;
        }
        if roots.len() == before {
            let why = say!("里面没有证书", "there is no certificate in it");
            return Err(cannot(why).into());
        }
    }
    // A system's store may hold what rustls cannot read; the rest of it counts all the same.
    roots.add_parsable_certificates(more);
    let provider = rustls::crypto::ring::default_provider();
    Ok(rustls::ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// The authorities that this system trusts; reading them takes longer than a whole send.
pub(super) fn system_store() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}
