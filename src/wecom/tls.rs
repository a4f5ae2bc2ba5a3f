//! The trusted certificates. Verification cannot be switched off.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::error::{CaFault, ClientError};
use crate::config::Network;
use crate::disk::{self, FileError};

/// The largest CA file, in bytes; a system's whole bundle has about 230 KB.
const CA_FILE_MAX: u64 = 4 << 20;

/// Returns the TLS settings: `ring`, the built-in roots, and those of the CA file.
pub(super) fn settings(network: &Network) -> Result<rustls::ClientConfig, ClientError> {
    settings_with(network, Vec::new())
}

/// Returns the same settings with additional authorities.
pub(super) fn settings_with(
    network: &Network,
    more: Vec<CertificateDer<'static>>,
) -> Result<rustls::ClientConfig, ClientError> {
    let mut roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = &network.ca_file {
        add_ca_file(&mut roots, path).map_err(|fault| ClientError::CaFile(path.clone(), fault))?;
    }
    // Certificates of a system's store that rustls cannot parse are skipped.
    roots.add_parsable_certificates(more);
    let provider = rustls::crypto::ring::default_provider();
    Ok(rustls::ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)
        .map_err(|error| ClientError::Settings(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Adds the certificates of a CA file.
fn add_ca_file(roots: &mut rustls::RootCertStore, path: &Path) -> Result<(), CaFault> {
    let bytes = read_ca_file(path)?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| CaFault::Bad(error.to_string()))?;
        let added = roots.add(certificate);
        added.map_err(|error| CaFault::Bad(error.to_string()))?;
    }
    if roots.len() == before {
        return Err(CaFault::Empty);
    }
    Ok(())
}

fn read_ca_file(path: &Path) -> Result<Vec<u8>, CaFault> {
    let read = disk::read_named(path, CA_FILE_MAX);
    let (bytes, _) = read.map_err(|error| match FileError::of(&error) {
        Some(FileError::NotRegular) => CaFault::NotAFile,
        Some(FileError::TooLarge { max }) => CaFault::TooLarge(*max),
        _ => CaFault::Unread(error),
    })?;
    Ok(bytes)
}

/// Returns the authorities that this system trusts. Reading them takes longer than a whole send.
pub(super) fn system_store() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}
