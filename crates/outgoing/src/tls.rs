//! Whom `https` believes.

use crate::Trouble;
use base::Env;
use base::env::{Disk, Open};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Where systems keep the certificates that their programs believe, the first one counts.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Largest bundle that is read.
const BUNDLE_BYTES_MAX: u64 = 16 << 20;

/// The certificates that this machine believes, PEM; empty where there are none.
pub fn system_roots(env: &Env) -> Vec<u8> {
    let bundle = BUNDLES.iter().find_map(|path| read(&*env.disk, Path::new(path)).ok());
    bundle.unwrap_or_default()
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path, Open::Read)?;
    let mut bytes = vec![0; file.len()?.min(BUNDLE_BYTES_MAX) as usize];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// A configuration that believes these certificates alone. Those of a bundle that cannot be used
/// are left out, as others of it may do.
///
/// # Errors
/// `Refused` the bundle is no PEM.
pub(crate) fn config(roots_pem: &[u8]) -> Result<Arc<ClientConfig>, Trouble> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(roots_pem) {
        let unreadable = |e| Trouble::refused(format!("unreadable certificate: {e}"));
        roots.add_parsable_certificates([certificate.map_err(unreadable)?]);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Trouble::refused(e.to_string()))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
