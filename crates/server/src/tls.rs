//! Certificates: made here by a local authority, or read from files.
//!
//! On disk, in `<data>/tls`: `ca-key.pem` (PKCS #8) and `ca.pem`, which clients are told to trust.
//! The server's own certificate is never stored: it is issued anew at each start and twice a day,
//! so that it neither expires nor keeps names that the configuration dropped. Files that somebody
//! else renews are looked at every minute.

use base::Env;
use base::env::{Disk, Open};
use parking_lot::RwLock;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// Where certificates come from.
#[derive(Clone, Debug)]
pub enum TlsOptions {
    /// From an authority of our own.
    Generated {
        /// Directory of the authority's key and certificate, made when absent; without one the
        /// authority lives in memory.
        dir: Option<PathBuf>,
        /// Host names and addresses beside `localhost`, 127.0.0.1, ::1 and the machine's name.
        names: Vec<String>,
    },
    /// From files in PEM.
    Files {
        /// The server's certificate, then those between it and its authority.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// No TLS.
    Off,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self::Generated { dir: None, names: Vec::new() }
    }
}

/// Why there are no certificates.
#[derive(Debug)]
pub struct TlsError(String);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

fn failed<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> TlsError + use<E> {
    let what = what.to_owned();
    move |e| TlsError(format!("{what}: {e}"))
}

/// Lifetime of an authority: longer than the machines that trust it.
const AUTHORITY_DAYS: u64 = 20 * 365;
/// Lifetime of a server certificate: the longest that all clients accept.
const LEAF_DAYS: u64 = 397;
/// How far in the past certificates begin, for clients whose clock is behind.
const BACKDATED_DAYS: u64 = 1;
/// Time between two issues of the server's certificate.
const RENEWAL: Duration = Duration::from_hours(12);
/// Time between two looks at certificates that others renew.
const LOOK: Duration = Duration::from_mins(1);
/// Largest file read.
const FILE_BYTES_MAX: u64 = 1 << 20;

const DAY: Duration = Duration::from_hours(24);
const CA_FILE: &str = "ca.pem";
const CA_KEY_FILE: &str = "ca-key.pem";

/// The server's end of TLS.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    current: Arc<Current>,
    source: Source,
    env: Env,
}

enum Source {
    Authority(Box<Authority>),
    Files { certificate: PathBuf, key: PathBuf },
}

/// The certificate that handshakes show.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

impl Tls {
    /// Makes or reads certificates; nothing when TLS is off.
    pub(crate) fn new(options: &TlsOptions, env: &Env) -> Result<Option<Self>, TlsError> {
        let source = match options {
            TlsOptions::Off => return Ok(None),
            TlsOptions::Generated { dir, names } => {
                Source::Authority(Box::new(Authority::open(dir.as_deref(), names, env)?))
            }
            TlsOptions::Files { certificate, key } => {
                Source::Files { certificate: certificate.clone(), key: key.clone() }
            }
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let current = source.issue(env, &provider)?;
        source.check_life(&current, now(env));
        let current = Arc::new(Current(RwLock::new(Arc::new(current))));
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed("cannot set up TLS"))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as _);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Some(Self { acceptor, current, source, env: env.clone() }))
    }

    /// The authority's certificate in PEM, when it is ours.
    pub(crate) fn ca_pem(&self) -> Option<&str> {
        match &self.source {
            Source::Authority(authority) => Some(&authority.pem),
            Source::Files { .. } => None,
        }
    }

    /// Time until the next [`Tls::renew`].
    pub(crate) fn renewal(&self) -> Duration {
        match self.source {
            Source::Authority(_) => RENEWAL,
            Source::Files { .. } => LOOK,
        }
    }

    /// Issues or reads the server's certificate again; the old one stays when that fails.
    pub(crate) fn renew(&self) {
        let provider = rustls::crypto::ring::default_provider();
        match self.source.issue(&self.env, &provider) {
            Ok(fresh) if fresh.cert == self.current.0.read().cert => {}
            Ok(fresh) => {
                tracing::info!("the TLS certificate is a new one");
                self.source.check_life(&fresh, now(&self.env));
                *self.current.0.write() = Arc::new(fresh);
            }
            Err(error) => tracing::warn!(%error, "the TLS certificate could not be renewed"),
        }
    }
}

impl Source {
    fn issue(&self, env: &Env, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let (chain, key) = match self {
            Self::Authority(authority) => authority.issue(now(env))?,
            Self::Files { certificate, key } => {
                let (chain, secret) = (read(&*env.disk, certificate)?, read(&*env.disk, key)?);
                return pair((certificate, &chain), (key, &secret), provider);
            }
        };
        certified(chain, key, provider)
    }
}

impl Source {
    /// Says so when clients will refuse a certificate of a file because of its time.
    fn check_life(&self, certified: &CertifiedKey, now: Duration) {
        let Self::Files { certificate, .. } = self else { return };
        if let Err(error) = life(&certified.cert, now) {
            let file = certificate.display();
            tracing::warn!(%file, %error, "clients will refuse the TLS certificate");
        }
    }
}

/// Checks that now is within the life of the certificate that begins a chain.
fn life(chain: &[CertificateDer<'static>], now: Duration) -> Result<(), CertificateError> {
    // Who vouches for it is the clients' business: the time is looked at before that.
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(chain.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let (Ok(verifier), Ok(name), Some(leaf)) =
        (verifier, ServerName::try_from("localhost"), chain.first())
    else {
        return Ok(());
    };
    let now = UnixTime::since_unix_epoch(now);
    match verifier.verify_server_cert(leaf, &chain[1..], &name, &[], now) {
        Err(rustls::Error::InvalidCertificate(
            e @ (CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }),
        )) => Err(e),
        _ => Ok(()),
    }
}

/// Whether a certificate can hold this host name or address.
pub fn is_name(name: &str) -> bool {
    ServerName::try_from(name).is_ok()
}

/// Checks what the files of [`TlsOptions::Files`] hold; their paths are for the message.
///
/// # Errors
/// One is not what it should be, or they do not fit.
pub fn check_pair(certificate: (&Path, &[u8]), key: (&Path, &[u8])) -> Result<(), TlsError> {
    let provider = rustls::crypto::ring::default_provider();
    pair(certificate, key, &provider).map(drop)
}

fn pair(
    (certificate, chain): (&Path, &[u8]),
    (key, secret): (&Path, &[u8]),
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let of = |path: &Path| failed(&format!("cannot use {}", path.display()));
    let chain = match CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>() {
        Ok(chain) if chain.is_empty() => Err(pem::Error::NoItemsFound),
        chain => chain,
    };
    let chain = chain.map_err(of(certificate))?;
    let secret = PrivateKeyDer::from_pem_slice(secret).map_err(of(key))?;
    certified(chain, secret, provider)
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    CertifiedKey::from_der(chain, key, provider)
        .map_err(failed("the certificate and its key do not fit"))
}

/// A certificate authority of our own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    names: Vec<String>,
}

impl Authority {
    /// Reads the authority of `dir`, or makes one.
    fn open(dir: Option<&Path>, names: &[String], env: &Env) -> Result<Self, TlsError> {
        let stored = dir.map(|dir| stored(dir, &*env.disk)).transpose()?.flatten();
        let fresh = stored.is_none();
        let (key, pem) = match stored {
            Some(stored) => stored,
            None => make(now(env))?,
        };
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(failed("the authority's certificate is no certificate"))?;
        let key_pem = key.serialize_pem();
        let issuer = Issuer::new(authority_params(&key), key);
        let authority = Self { issuer, certificate, pem, names: all_names(names) };
        authority.check(now(env)).map_err(|e| match dir {
            Some(dir) => TlsError(format!(
                "{}: {e}; remove `{CA_FILE}` and `{CA_KEY_FILE}` there to make a new authority",
                dir.display()
            )),
            None => e,
        })?;
        if let (true, Some(dir)) = (fresh, dir) {
            store(dir, &key_pem, &authority.pem, &*env.disk)?;
        }
        Ok(authority)
    }

    /// A certificate for all names, with a key of its own, and the authority's behind it.
    fn issue(
        &self,
        now: Duration,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let cannot = "cannot make a certificate";
        let key = KeyPair::generate().map_err(failed(cannot))?;
        let mut params = CertificateParams::new(self.names.clone()).map_err(failed(cannot))?;
        params.distinguished_name.push(DnType::CommonName, "Millweir");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_life(&mut params, now, LEAF_DAYS);
        let leaf = params.signed_by(&key, &self.issuer).map_err(failed(cannot))?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Ok((vec![leaf.der().clone(), self.certificate.clone()], key))
    }

    /// Checks that clients which trust the certificate trust what its key issues.
    fn check(&self, now: Duration) -> Result<(), TlsError> {
        let cannot = "the authority's certificate does not fit its key";
        let (chain, _) = self.issue(now)?;
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).map_err(failed(cannot))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(failed(cannot))?;
        let name = ServerName::try_from("localhost").map_err(failed(cannot))?;
        let now = UnixTime::since_unix_epoch(now);
        verifier
            .verify_server_cert(&chain[0], &[], &name, &[], now)
            .map(drop)
            .map_err(failed(cannot))
    }
}

/// Time since the epoch; certificates cannot begin before it.
fn now(env: &Env) -> Duration {
    Duration::from_millis(env.clock.now_ms().max(0) as u64)
}

fn make(now: Duration) -> Result<(KeyPair, String), TlsError> {
    let cannot = "cannot make a certificate authority";
    let key = KeyPair::generate().map_err(failed(cannot))?;
    let mut params = authority_params(&key);
    set_life(&mut params, now, AUTHORITY_DAYS);
    let certificate = params.self_signed(&key).map_err(failed(cannot))?;
    Ok((key, certificate.pem()))
}

/// What describes an authority. Its name follows from its key, so that certificates can be issued
/// with the key alone, and two authorities on one machine are told apart.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let digest = ring::digest::digest(&ring::digest::SHA256, key.public_key_raw());
    let id = digest.as_ref().iter().take(4).fold(0_u32, |id, byte| id << 8 | u32::from(*byte));
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "Millweir");
    params.distinguished_name.push(DnType::CommonName, format!("Millweir authority {id:08x}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn set_life(params: &mut CertificateParams, now: Duration, days: u64) {
    let begin = now.saturating_sub(DAY * BACKDATED_DAYS as u32);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    // Whole seconds: certificates hold no finer time.
    params.not_before = epoch + Duration::from_secs(begin.as_secs());
    params.not_after = epoch + Duration::from_secs(now.as_secs()) + DAY * days as u32;
}

fn all_names(further: &[String]) -> Vec<String> {
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let own = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), machine];
    let known: BTreeSet<String> = own.into_iter().chain(further.iter().cloned()).collect();
    // What is neither a name nor an address, as an empty machine name, has no place there.
    known.into_iter().filter(|name| is_name(name)).collect()
}

/// The key and certificate in `dir`; nothing when there are none.
fn stored(dir: &Path, disk: &dyn Disk) -> Result<Option<(KeyPair, String)>, TlsError> {
    let (certificate, key) = (dir.join(CA_FILE), dir.join(CA_KEY_FILE));
    // The certificate is written last: without it the making was cut short.
    if !disk.exists(&certificate).map_err(failed(&certificate.display().to_string()))? {
        return Ok(None);
    }
    let text = |path: &Path| {
        let bytes = read(disk, path)?;
        String::from_utf8(bytes).map_err(failed(&format!("{} is no PEM", path.display())))
    };
    let key_pair = KeyPair::from_pem(&text(&key)?)
        .map_err(failed(&format!("cannot use {}", key.display())))?;
    Ok(Some((key_pair, text(&certificate)?)))
}

fn store(dir: &Path, key: &str, certificate: &str, disk: &dyn Disk) -> Result<(), TlsError> {
    let write = |name: &str, text: &str| {
        let (part, whole) = (dir.join(format!("{name}.part")), dir.join(name));
        let file = disk.open(&part, Open::Write)?;
        file.set_len(0)?;
        file.write_at(text.as_bytes(), 0)?;
        file.sync_data()?;
        disk.rename(&part, &whole)?;
        disk.sync_dir(dir)
    };
    disk.create_dir_all(dir)
        .and_then(|()| write(CA_KEY_FILE, key))
        .and_then(|()| write(CA_FILE, certificate))
        .map_err(failed(&format!("cannot write to {}", dir.display())))
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, TlsError> {
    let attempt = || {
        let file = disk.open(path, Open::Read)?;
        let mut bytes = vec![0; file.len()?.min(FILE_BYTES_MAX) as usize];
        let count = file.read_at(&mut bytes, 0)?;
        bytes.truncate(count);
        Ok::<_, std::io::Error>(bytes)
    };
    attempt().map_err(failed(&format!("cannot read {}", path.display())))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test renews files behind the server's back")]
mod tests {
    use super::*;

    const YEAR_S: u64 = 365 * 86_400;

    fn own_certificate(now: Duration, days: u64) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".into()]).unwrap();
        set_life(&mut params, now, days);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_life_ends_and_begins() {
        let now = Duration::from_secs(50 * YEAR_S);
        let authority = Authority::open(None, &[], &crate::system_env()).unwrap();
        let (chain, _) = authority.issue(now).unwrap();
        let (own, _) = own_certificate(now, 397);
        let own = vec![CertificateDer::from_pem_slice(own.as_bytes()).unwrap()];
        for chain in [&chain[..], &chain[..1], &own] {
            assert_eq!(life(chain, now), Ok(()));
            let ended = life(chain, now + 2 * Duration::from_secs(YEAR_S)).unwrap_err();
            assert!(matches!(ended, CertificateError::ExpiredContext { .. }), "{ended}");
            let early = life(chain, now.saturating_sub(2 * DAY)).unwrap_err();
            assert!(matches!(early, CertificateError::NotValidYetContext { .. }), "{early}");
        }
    }

    #[test]
    fn certificates_that_others_renew_are_read_within_a_minute() {
        let (dir, env) = (tempfile::tempdir().unwrap(), crate::system_env());
        let (certificate, key) = (dir.path().join("c.pem"), dir.path().join("k.pem"));
        let put = || {
            let (chain, secret) = own_certificate(now(&env), 30);
            std::fs::write(&certificate, chain).unwrap();
            std::fs::write(&key, secret).unwrap();
        };
        put();
        let options = TlsOptions::Files { certificate: certificate.clone(), key: key.clone() };
        let tls = Tls::new(&options, &env).unwrap().unwrap();
        assert_eq!(tls.renewal(), Duration::from_mins(1));
        let shown = || Arc::clone(&tls.current.0.read());
        let first = shown();
        tls.renew();
        assert!(Arc::ptr_eq(&first, &shown()), "the files are the same");
        put();
        tls.renew();
        let second = shown();
        assert_ne!(second.cert, first.cert);
        std::fs::write(&key, "no key").unwrap();
        tls.renew();
        assert!(Arc::ptr_eq(&second, &shown()), "half a renewal changes nothing");
    }
}
