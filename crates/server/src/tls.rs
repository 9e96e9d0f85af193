//! Certificates: made here by a local authority, or read from files.
//!
//! On disk, in `<data>/tls`: `ca-key.pem` (PKCS #8) and `ca.pem`, which clients are told to trust.
//! The server's own certificate is never stored: it is issued anew at each start and twice a day,
//! so that it neither expires nor keeps names that the configuration dropped. Files that somebody
//! else renews are looked at every minute.
//!
//! The authority may vouch for the names that the server had when it was made and for no other, so
//! its key, stolen, makes no certificate of any other site. A further name needs another authority,
//! which clients have to trust anew.

use base::Env;
use base::env::{Disk, Open};
use parking_lot::RwLock;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
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
use std::net::IpAddr;
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
const LOCALHOST: &str = "localhost";
/// A name that no server has (RFC 2606).
const NOBODY: &str = "nobody.invalid";
/// Name of the authority's key in its directory.
pub const CA_KEY_FILE: &str = "ca-key.pem";

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
            Self::Authority(authority) => authority.issue(&authority.names, now(env))?,
            Self::Files { certificate, key } => {
                let (chain, secret) = (read(&*env.disk, certificate)?, read(&*env.disk, key)?);
                let chain = Pem { path: certificate, bytes: &chain };
                return pair(chain, Pem { path: key, bytes: &secret }, provider);
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

/// A file of [`TlsOptions::Files`] that was read.
#[derive(Clone, Copy, Debug)]
pub struct Pem<'a> {
    /// Where it lies, for messages.
    pub path: &'a Path,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// Checks what the files of [`TlsOptions::Files`] hold.
///
/// # Errors
/// One is not what it should be, or they do not fit.
pub fn check_pair(certificate: Pem<'_>, key: Pem<'_>) -> Result<(), TlsError> {
    let provider = rustls::crypto::ring::default_provider();
    pair(certificate, key, &provider).map(drop)
}

fn pair(
    certificate: Pem<'_>,
    key: Pem<'_>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let of = |file: Pem<'_>| failed(&format!("cannot use {}", file.path.display()));
    let chain =
        match CertificateDer::pem_slice_iter(certificate.bytes).collect::<Result<Vec<_>, _>>() {
            Ok(chain) if chain.is_empty() => Err(pem::Error::NoItemsFound),
            chain => chain,
        };
    let chain = chain.map_err(of(certificate))?;
    let secret = PrivateKeyDer::from_pem_slice(key.bytes).map_err(of(key))?;
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
        let names = Names::of(names);
        if let Some(dir) = dir
            && let Some((key, pem)) = stored(dir, &*env.disk)?
            && let Some(authority) = Self::read(key, pem, dir, (&names, now(env)))?
        {
            return Ok(authority);
        }
        let all = names.all();
        let (key, pem) = make(&all, now(env))?;
        let key_pem = key.serialize_pem();
        let authority = Self { names: all, ..Self::of(key, pem)? };
        authority.check(&authority.names, now(env))?;
        if let Some(dir) = dir {
            store(dir, &key_pem, &authority.pem, &*env.disk)?;
        }
        Ok(authority)
    }

    fn of(key: KeyPair, pem: String) -> Result<Self, TlsError> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(failed("the authority's certificate is no certificate"))?;
        let issuer = Issuer::new(authority_params(&key), key);
        Ok(Self { issuer, certificate, pem, names: Vec::new() })
    }

    /// An authority that was stored; nothing when it may not vouch for what this server is called.
    fn read(
        key: KeyPair,
        pem: String,
        dir: &Path,
        (names, now): (&Names, Duration),
    ) -> Result<Option<Self>, TlsError> {
        let authority = Self::of(key, pem)?;
        authority.check(&[LOCALHOST.to_owned()], now).map_err(|e| {
            TlsError(format!(
                "{}: {e}; remove `{CA_FILE}` and `{CA_KEY_FILE}` there to make a new authority",
                dir.display()
            ))
        })?;
        let file = dir.join(CA_FILE);
        let file = file.display();
        let vouches = |names: &[String]| authority.check(names, now).is_ok();
        if vouches(&[LOCALHOST.to_owned(), NOBODY.to_owned()]) {
            // Of an older version. Clients trust it, so it stays until its owner decides.
            tracing::warn!(
                %file,
                "this certificate authority may vouch for any name: remove `{CA_FILE}` and \
                 `{CA_KEY_FILE}` to have one made that may not, which clients must then trust"
            );
        }
        let all = names.all();
        let names = if vouches(&all) {
            all
        } else if vouches(&names.given) {
            // Containers get a new name at each start.
            tracing::info!(%file, "the authority is of another machine's name, which is left out");
            names.given.clone()
        } else {
            tracing::warn!(
                %file,
                "the certificate authority may not vouch for every name of this server, so another \
                 one takes its place: clients must trust the new file"
            );
            return Ok(None);
        };
        Ok(Some(Self { names, ..authority }))
    }

    /// A certificate for these names, with a key of its own, and the authority's behind it.
    fn issue(
        &self,
        names: &[String],
        now: Duration,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let cannot = "cannot make a certificate";
        let key = KeyPair::generate().map_err(failed(cannot))?;
        let mut params = CertificateParams::new(names).map_err(failed(cannot))?;
        params.distinguished_name.push(DnType::CommonName, "Millweir");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_life(&mut params, now, LEAF_DAYS);
        let leaf = params.signed_by(&key, &self.issuer).map_err(failed(cannot))?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Ok((vec![leaf.der().clone(), self.certificate.clone()], key))
    }

    /// Checks that clients which trust the certificate trust what its key issues for these names,
    /// of which one is `localhost`.
    fn check(&self, names: &[String], now: Duration) -> Result<(), TlsError> {
        let cannot = "the authority's certificate does not fit its key";
        let (chain, _) = self.issue(names, now)?;
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).map_err(failed(cannot))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(failed(cannot))?;
        let name = ServerName::try_from(LOCALHOST).map_err(failed(cannot))?;
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

fn make(names: &[String], now: Duration) -> Result<(KeyPair, String), TlsError> {
    let cannot = "cannot make a certificate authority";
    let key = KeyPair::generate().map_err(failed(cannot))?;
    let mut params = authority_params(&key);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.iter().map(|name| subtree(name)).collect(),
        excluded_subtrees: Vec::new(),
    });
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

/// What is permitted when this name is.
fn subtree(name: &str) -> GeneralSubtree {
    match name.parse() {
        Ok(IpAddr::V4(ip)) => GeneralSubtree::IpAddress(CidrSubnet::V4(ip.octets(), [255; 4])),
        Ok(IpAddr::V6(ip)) => GeneralSubtree::IpAddress(CidrSubnet::V6(ip.octets(), [255; 16])),
        Err(_) => GeneralSubtree::DnsName(name.to_owned()),
    }
}

/// Names of a server.
struct Names {
    /// That it must be known by.
    given: Vec<String>,
    /// The machine's.
    machine: String,
}

impl Names {
    fn of(further: &[String]) -> Self {
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let own = [LOCALHOST, "127.0.0.1", "::1"].map(str::to_owned);
        let given: BTreeSet<_> = own.into_iter().chain(further.iter().cloned()).collect();
        Self { given: given.into_iter().filter(|name| is_name(name)).collect(), machine }
    }

    fn all(&self) -> Vec<String> {
        let known: BTreeSet<_> = self.given.iter().chain([&self.machine]).collect();
        // What is neither a name nor an address, as an empty machine name, has no place there.
        known.into_iter().filter(|name| is_name(name)).cloned().collect()
    }
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
    // Without a certificate a key is none: never one beside a certificate of another.
    let forget = || match disk.exists(&dir.join(CA_FILE))? {
        true => disk.remove(&dir.join(CA_FILE)).and_then(|()| disk.sync_dir(dir)),
        false => Ok(()),
    };
    disk.create_dir_all(dir)
        .and_then(|()| forget())
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
        let (chain, _) = authority.issue(&authority.names, now).unwrap();
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

    /// As versions before name constraints stored one.
    fn store_unconstrained(dir: &Path, env: &Env) -> String {
        let key = KeyPair::generate().unwrap();
        let mut params = authority_params(&key);
        set_life(&mut params, now(env), AUTHORITY_DAYS);
        let pem = params.self_signed(&key).unwrap().pem();
        store(dir, &key.serialize_pem(), &pem, &*env.disk).unwrap();
        pem
    }

    #[test]
    fn authorities_vouch_for_the_names_they_were_made_for() {
        let (dir, env) = (tempfile::tempdir().unwrap(), crate::system_env());
        let open = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            Authority::open(Some(dir.path()), &names, &env).unwrap()
        };
        let now = now(&env);
        let named = |names: &[&str]| -> Vec<String> {
            [LOCALHOST].iter().chain(names).map(|name| (*name).to_owned()).collect()
        };
        let first = open(&["streams.test", "10.1.2.3"]);
        assert!(first.check(&first.names, now).is_ok());
        for other in ["bank.example", "test", "10.1.2.4", "::2"] {
            assert!(first.check(&named(&[other]), now).is_err(), "{other}");
        }
        assert_eq!(open(&["streams.test"]).pem, first.pem, "fewer names need no other");
        let second = open(&["more.test"]);
        assert_ne!(second.pem, first.pem);
        assert!(second.check(&second.names, now).is_ok());
        assert_eq!(open(&["more.test"]).pem, second.pem, "it is stored");
    }

    #[test]
    fn authorities_of_older_versions_stay() {
        let (dir, env) = (tempfile::tempdir().unwrap(), crate::system_env());
        let pem = store_unconstrained(dir.path(), &env);
        let authority = Authority::open(Some(dir.path()), &["any.test".into()], &env).unwrap();
        assert_eq!(authority.pem, pem);
        assert!(authority.names.contains(&"any.test".to_owned()));
    }

    #[test]
    fn another_machines_name_is_left_out() {
        let (dir, env) = (tempfile::tempdir().unwrap(), crate::system_env());
        let here = Names { given: Names::of(&[]).given, machine: "here.test".into() };
        let (key, pem) = make(&here.all(), now(&env)).unwrap();
        let there = Names { machine: "there.test".into(), ..here };
        let read = Authority::read(key, pem, dir.path(), (&there, now(&env))).unwrap().unwrap();
        assert_eq!(read.names, there.given);
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
