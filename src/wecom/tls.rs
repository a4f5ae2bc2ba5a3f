//! Whom we believe to be WeCom. Verification cannot be switched off.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::config::Network;
use crate::error::{Exit, Failure};

/// The TLS settings: `ring`, the built-in roots, and those of the CA file.
pub(super) fn settings(network: &Network) -> anyhow::Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = &network.ca_file {
        let cannot = |why: String| {
            Failure::new(Exit::Config, format!("ca_file {}: {why}", path.display())).hint(
                "it must hold certificates in PEM, and be readable by the user that runs wxpush",
            )
        };
        let certificates =
            CertificateDer::pem_file_iter(path).map_err(|error| cannot(error.to_string()))?;
        let before = roots.len();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| cannot(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| cannot(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(cannot("there is no certificate in it".to_owned()).into());
        }
    }
    let provider = rustls::crypto::ring::default_provider();
    Ok(rustls::ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
