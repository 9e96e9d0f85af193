//! Signatures of messages: the key, made when it is needed first, and its certificate.
//!
//! ```text
//! first message -> RSA key (2048 bits) -> self-signed certificate -> KeyRow: the key sealed
//! message -> text to sign -> SHA-1 (version 1) or SHA-256 (version 2) -> signature, remembered
//! ```
//!
//! A message's signature is the same for all its subscriptions, so that it is computed once; a key
//! that cannot be opened any more is left as it is, and another one is made.
//!
//! A key is stored as PKCS #8, sealed under its certificate's id (see `crate::sealing`).
//!
//! Why RustCrypto's `rsa`: `ring`, which everything else here uses, makes no RSA keys and signs no
//! SHA-1, which version 1 asks for.

use super::rows::KeyRow;
use super::topics::unreadable;
use crate::sealing::SealingKey;
use base::{Env, hex};
use kit::rows;
use parking_lot::Mutex;
use rcgen::{CertificateParams, DnType, KeyPair};
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use store::{Error, ErrorKind, Part, Transaction};
use tokio::sync::OnceCell;

const KEY_BITS: usize = 2048;
/// Life of a certificate; clients look at its signature, not at its life.
const CERTIFICATE_DAYS: u64 = 3650;
const DAY: Duration = Duration::from_secs(86_400);
/// Signatures that are remembered.
const REMEMBERED_MAX: usize = 256;

/// How messages of a topic are signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Version {
    /// SHA-1 with RSA.
    One,
    /// SHA-256 with RSA.
    Two,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "1" => Some(Self::One),
            "2" => Some(Self::Two),
            _ => None,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }
}

/// A signature, and whose.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) version: Version,
    /// Base64.
    pub(super) signature: Arc<str>,
    pub(super) certificate_id: Arc<str>,
}

/// What the path of a certificate has around its id.
const PATH_START: &str = "/SimpleNotificationService-";
const PATH_END: &str = ".pem";

impl Signed {
    pub(super) fn certificate_path(&self) -> String {
        format!("{PATH_START}{}{PATH_END}", self.certificate_id)
    }
}

/// The id of the certificate that a path is of.
pub(super) fn certificate_of(path: &str) -> Option<&str> {
    let id = path.strip_prefix(PATH_START)?.strip_suffix(PATH_END)?;
    Some(id).filter(|id| id.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// See the module.
pub(super) struct Signer {
    env: Env,
    store: Part,
    sealing: SealingKey,
    current: OnceCell<Arc<Current>>,
    remembered: Mutex<Remembered>,
}

/// Signatures by what they are of: the version, and the text's SHA-256.
type Remembered = HashMap<(Version, [u8; 32]), Arc<str>>;

/// The key that signs now.
struct Current {
    certificate_id: Arc<str>,
    one: SigningKey<Sha1>,
    two: SigningKey<Sha256>,
}

impl Current {
    fn new(certificate_id: &str, key: PrivateKey) -> Arc<Self> {
        let (one, two) = (SigningKey::new(key.clone()), SigningKey::new(key));
        Arc::new(Self { certificate_id: certificate_id.into(), one, two })
    }
}

impl Signer {
    pub(super) fn new(env: Env, store: Part, sealing: SealingKey) -> Self {
        let (current, remembered) = (OnceCell::new(), Mutex::default());
        Self { env, store, sealing, current, remembered }
    }

    /// Signs a text.
    ///
    /// # Errors
    /// The key cannot be made, stored or used now.
    pub(super) async fn sign(&self, version: Version, text: &str) -> store::Result<Signed> {
        let current = self.current.get_or_try_init(|| self.open()).await?;
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let remembered = self.remembered.lock().get(&(version, digest)).cloned();
        let signature = match remembered {
            Some(signature) => signature,
            None => {
                let mut rng = Random(&self.env);
                let made = match version {
                    Version::One => current.one.try_sign_with_rng(&mut rng, text.as_bytes()),
                    Version::Two => current.two.try_sign_with_rng(&mut rng, text.as_bytes()),
                };
                let made =
                    made.map_err(|e| internal(format!("a message cannot be signed: {e}")))?;
                let signature: Arc<str> =
                    base64_simd::STANDARD.encode_to_string(made.to_bytes()).into();
                let mut remembered = self.remembered.lock();
                if remembered.len() == REMEMBERED_MAX {
                    remembered.clear();
                }
                remembered.insert((version, digest), signature.clone());
                signature
            }
        };
        let certificate_id = current.certificate_id.clone();
        Ok(Signed { version, signature, certificate_id })
    }

    /// A certificate, PEM, by its id.
    ///
    /// # Errors
    /// `Corrupt` it cannot be read.
    pub(super) fn certificate(&self, id: &str) -> store::Result<Option<String>> {
        let row: Option<KeyRow> = rows::get(&self.store, &KeyRow::key(id))?;
        Ok(row.map(|row| row.certificate_pem))
    }

    /// The newest stored key that can be opened, or a new one.
    async fn open(&self) -> store::Result<Arc<Current>> {
        let mut stored = rows::scan::<KeyRow>(&self.store, KeyRow::PREFIX)?;
        stored.sort_by_key(|(_, row)| std::cmp::Reverse(row.made_ms));
        for (key, row) in stored {
            let id = std::str::from_utf8(&key).ok();
            let id = id.and_then(|key| key.strip_prefix(KeyRow::PREFIX));
            let id = id.ok_or_else(|| unreadable(&key))?;
            match self.unseal(id, &row.sealed) {
                Some(key) => return Ok(Current::new(id, key)),
                None => tracing::warn!(id, "the key of this certificate cannot be opened"),
            }
        }
        self.make().await
    }

    async fn make(&self) -> store::Result<Arc<Current>> {
        let (env, now_ms) = (self.env.clone(), self.store.clock().now_ms());
        // It takes as long as some hundred thousand requests.
        let made = tokio::task::spawn_blocking(move || make(&env, now_ms)).await;
        let made = made.map_err(|e| internal(format!("no signing key was made: {e}")))?;
        let (key, certificate_pem, id) = made.map_err(internal)?;
        let sealed = self.seal(&id, &key).map_err(internal)?;
        let row = KeyRow { certificate_pem, sealed, made_ms: now_ms };
        let mut transaction = Transaction::default();
        rows::put(&mut transaction, KeyRow::key(&id), &row);
        self.store.commit(transaction).await?;
        tracing::info!(id, "made a key that messages are signed with");
        Ok(Current::new(&id, key))
    }

    fn seal(&self, id: &str, key: &PrivateKey) -> Result<String, String> {
        let document = key.to_pkcs8_der().map_err(|e| e.to_string())?;
        let sealed = self.sealing.seal(&*self.env.rng, id.as_bytes(), document.as_bytes());
        Ok(base64_simd::STANDARD.encode_to_string(sealed))
    }

    fn unseal(&self, id: &str, stored: &str) -> Option<PrivateKey> {
        let sealed = base64_simd::STANDARD.decode_to_vec(stored.as_bytes()).ok()?;
        PrivateKey::from_pkcs8_der(&self.sealing.open(id.as_bytes(), &sealed)?).ok()
    }
}

/// A new key, its certificate, and its id.
fn make(env: &Env, now_ms: i64) -> Result<(PrivateKey, String, String), String> {
    let told = |e: rcgen::Error| format!("no certificate was made: {e}");
    let key = PrivateKey::new(&mut Random(env), KEY_BITS).map_err(|e| e.to_string())?;
    let document = key.to_pkcs8_der().map_err(|e| e.to_string())?;
    let pair = KeyPair::try_from(document.as_bytes()).map_err(told)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "Millweir");
    params.distinguished_name.push(DnType::CommonName, "Millweir notifications");
    let now = Duration::from_secs(u64::try_from(now_ms / 1000).unwrap_or_default());
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(DAY);
    params.not_after = epoch + now + DAY * CERTIFICATE_DAYS as u32;
    let certificate = params.self_signed(&pair).map_err(told)?;
    let id: [u8; 32] = Sha256::digest(certificate.der()).into();
    Ok((key, certificate.pem(), hex::encode(&id[..16])))
}

fn internal(text: String) -> Error {
    Error::new(ErrorKind::Internal, text)
}

/// The environment's randomness, as `rsa` takes it.
struct Random<'a>(&'a Env);

impl TryRng for Random<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.rng.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.rng.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.rng.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Random<'_> {}
