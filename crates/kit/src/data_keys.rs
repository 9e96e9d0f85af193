//! Encryption keys: what a client's `KeyId` stands for, and the file that keeps made ones.
//!
//! A key id that the configuration names is that key, for every account and region. Every other id
//! gets a key of its own per account and region the first time a stream asks for it, unless
//! `encryption.make_keys` is off. A made key is in the file, and the file on the disk, before the
//! engine may encrypt with it.
//!
//! Before the engine may encrypt with a key the catalog has its fingerprint, so that a key file
//! that was lost or replaced is told, and no second key is ever made under the name of a lost one.
//!
//! One more key in the file is the server's own: what services keep of clients' secrets is sealed
//! with it, so that who has the catalog alone has no secret.

mod key_file;

use crate::Secret;
use base::{AccountId, Env, Region};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use store::local::{KEY_BYTES, KeyRing};
use store::{Scope, Transaction};
use tokio::sync::Mutex;

/// Why a key cannot be used; each is one of the modeled KMS errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyTrouble {
    /// No such key, and the owner does not want keys made on demand.
    NotFound,
    /// The owner disabled it.
    Disabled,
    /// It could not be read or written just now; the cause is in the log.
    Unavailable,
}

/// Where keys come from: a local key file or the configuration.
pub trait DataKeys: Send + Sync + 'static {
    /// Name in the log engine's key ring of the key that `key_id` stands for in this account and
    /// region: a UUID, an ARN, or `alias/` and a name.
    ///
    /// When it resolves the key is durable: data encrypted under it can be read after any crash.
    fn resolve<'a>(
        &'a self,
        account: AccountId,
        region: &'a Region,
        key_id: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<String, KeyTrouble>> + Send + 'a>>;
}

/// Longest name that the key ring takes, in bytes.
const RING_NAME_BYTES_MAX: usize = 255;
/// Whose the rows in the catalog are.
pub const KMS: &str = "kms";
/// Catalog keys of fingerprints; the key's name in the ring follows.
const FINGERPRINTS: &str = "encryption-key/";

/// Name of the server's own key; no account's key can have it: accounts are digits.
const OWN: &str = "server/secrets";

/// A key of the configuration.
#[derive(Clone)]
pub struct GivenKey {
    /// The `KeyId` that clients use.
    pub id: String,
    /// The key.
    pub key: [u8; KEY_BYTES],
}

impl std::fmt::Debug for GivenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GivenKey({})", self.id)
    }
}

/// Where the keys of a server come from.
#[derive(Clone, Copy, Debug)]
pub struct KeySource<'a> {
    /// Where made keys are kept; none keeps them in memory only.
    pub file: Option<&'a Path>,
    /// Keys of the configuration.
    pub given: &'a [GivenKey],
    /// Whether keys are made on demand.
    pub make_keys: bool,
}

/// The keys of one server.
pub struct LocalDataKeys {
    env: Env,
    ring: Arc<KeyRing>,
    given: BTreeMap<String, Fingerprint>,
    /// Of the keys in the file.
    kept: Mutex<Kept>,
    make_keys: bool,
    catalog: Scope,
    /// What is told of keys that were used and are not there.
    missing: Vec<String>,
}

/// The start of the SHA-256 of a key.
type Fingerprint = String;

/// The made keys, and where they are kept.
struct Kept {
    /// None in memory mode.
    path: Option<PathBuf>,
    text: String,
    fingerprints: BTreeMap<String, Fingerprint>,
}

impl LocalDataKeys {
    /// Puts the given and the kept keys into the ring.
    ///
    /// # Errors
    /// The file cannot be read or is damaged, the message names the line; a key is not the one that
    /// records were encrypted with.
    pub fn open(
        env: Env,
        ring: Arc<KeyRing>,
        catalog: Scope,
        KeySource { file, given, make_keys }: KeySource<'_>,
    ) -> io::Result<Self> {
        let text = file.map_or(Ok(String::new()), |path| key_file::read(&env, path))?;
        let mut fingerprints = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let (name, key) =
                key_file::parse(line).ok_or_else(|| key_file::damaged(file, index + 1))?;
            insert(&ring, name, &key)?;
            fingerprints.insert(name.to_owned(), fingerprint(&key));
        }
        for key in given {
            insert(&ring, &given_name(&key.id), &key.key)?;
        }
        let of_given = |key: &GivenKey| (key.id.clone(), fingerprint(&key.key));
        let kept = Mutex::new(Kept { path: file.map(Path::to_owned), text, fingerprints });
        let given = given.iter().map(of_given).collect();
        let mut keys = Self { env, ring, given, kept, make_keys, catalog, missing: Vec::new() };
        keys.compare()?;
        Ok(keys)
    }

    /// Compares the keys with those that were used.
    fn compare(&mut self) -> io::Result<()> {
        let kept = self.kept.get_mut();
        let mut of_ring = kept.fingerprints.clone();
        of_ring.extend(self.given.iter().map(|(id, print)| (given_name(id), print.clone())));
        let used = self.catalog.scan(FINGERPRINTS.as_bytes(), None, usize::MAX);
        for (name, differs) in not_the_same(&of_ring, &used) {
            if differs {
                return Err(io::Error::new(io::ErrorKind::InvalidData, another(&name)));
            }
            let file = kept.path.as_deref().unwrap_or(Path::new("")).display();
            let told = missing(&name);
            tracing::warn!(%file, "{told}");
            self.missing.push(told);
        }
        Ok(())
    }

    /// What an owner should know: keys that are missing since the start.
    pub fn troubles(&self) -> &[String] {
        &self.missing
    }

    /// The server's own key, made at its first start whether or not clients' keys are.
    ///
    /// # Errors
    /// It was made and is not in the file any more; it cannot be kept.
    pub async fn server_secret(&self) -> io::Result<Secret> {
        let mut kept = self.kept.lock().await;
        if !kept.fingerprints.contains_key(OWN) {
            if self.catalog.get(&row_key(OWN)).is_some() {
                return Err(io::Error::new(io::ErrorKind::NotFound, missing(OWN)));
            }
            self.make(&mut kept, OWN).map_err(|e| unkept(kept.path.as_deref(), &e))?;
        }
        let noted = self.note(OWN, &kept.fingerprints[OWN]).await;
        noted.map_err(|_| io::Error::other("the server's own key cannot be noted"))?;
        let mut lines = kept.text.lines().filter_map(key_file::parse);
        let key = lines.find_map(|(name, key)| (name == OWN).then_some(key));
        Ok(Secret::of(key.expect("its fingerprint is that of a line")))
    }

    async fn find(&self, scope: String, id: &str) -> Result<String, KeyTrouble> {
        if let Some(print) = self.given.get(id) {
            let name = given_name(id);
            self.note(&name, print).await?;
            return Ok(name);
        }
        let name = format!("{scope}/{id}");
        if name.len() > RING_NAME_BYTES_MAX || name.contains(char::is_whitespace) {
            return Err(KeyTrouble::NotFound);
        }
        let mut kept = self.kept.lock().await;
        if !kept.fingerprints.contains_key(&name) {
            if self.catalog.get(&row_key(&name)).is_some() {
                tracing::error!(key = name, "an encryption key is missing: restore the key file");
                return Err(KeyTrouble::Unavailable);
            }
            if !self.make_keys || !is_key_id(id) {
                return Err(KeyTrouble::NotFound);
            }
            self.make(&mut kept, &name).map_err(|e| {
                tracing::error!(error = %e, "cannot keep a new encryption key");
                KeyTrouble::Unavailable
            })?;
        }
        self.note(&name, &kept.fingerprints[&name]).await?;
        Ok(name)
    }

    /// Writes a key's fingerprint to the catalog, unless it is there.
    async fn note(&self, name: &str, print: &Fingerprint) -> Result<(), KeyTrouble> {
        if self.catalog.get(&row_key(name)).is_some() {
            return Ok(());
        }
        let mut transaction = Transaction::default();
        transaction.put(row_key(name), print.clone().into_bytes());
        self.catalog.commit(transaction).await.map_err(|e| {
            tracing::error!(error = %e, "cannot note an encryption key");
            KeyTrouble::Unavailable
        })
    }

    fn make(&self, kept: &mut Kept, name: &str) -> io::Result<()> {
        let mut key = [0; KEY_BYTES];
        self.env.rng.fill(&mut key);
        let text = format!("{}{}\n", kept.text, key_file::line(name, &key));
        if let Some(path) = &kept.path {
            key_file::write(&self.env, path, &text)?;
        }
        kept.text = text;
        kept.fingerprints.insert(name.to_owned(), fingerprint(&key));
        insert(&self.ring, name, &key)
    }
}

/// Names of keys that were used, by the catalog's `rows`, and are not there, or differ (`true`).
fn not_the_same(
    keys: &BTreeMap<String, Fingerprint>,
    rows: &[(Bytes, Bytes)],
) -> Vec<(String, bool)> {
    let used = rows.iter().filter_map(|(key, used)| {
        let name = key.strip_prefix(FINGERPRINTS.as_bytes())?;
        Some((String::from_utf8_lossy(name).into_owned(), used))
    });
    used.filter_map(|(name, used)| match keys.get(&name) {
        Some(print) if *print.as_bytes() == **used => None,
        found => Some((name, found.is_some())),
    })
    .collect()
}

fn another(name: &str) -> String {
    format!(
        "the encryption key `{name}` is not the one that records were encrypted with: restore it"
    )
}

fn missing(name: &str) -> String {
    format!(
        "the encryption key `{name}` is missing: what was encrypted with it cannot be read until \
         it is restored"
    )
}

/// Why: a file that only its owner may write is fine for keys that are given, not for this one.
fn unkept(path: Option<&Path>, e: &io::Error) -> io::Error {
    let path = path.unwrap_or(Path::new("")).display();
    let text = format!(
        "the server's own key cannot be written to `{path}`, which it must be at the first start: {e}"
    );
    io::Error::new(e.kind(), text)
}

/// What is wrong with a key file, beside all rows of its catalog. Keys that the configuration gives
/// are not in it.
pub fn verify_data_keys(env: &Env, file: &Path, rows: &[(Bytes, Bytes)]) -> Vec<String> {
    let text = match key_file::read(env, file) {
        Ok(text) => text,
        Err(e) => return vec![e.to_string()],
    };
    let mut found = Vec::new();
    let mut keys = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        match key_file::parse(line) {
            Some((name, key)) => _ = keys.insert(name.to_owned(), fingerprint(&key)),
            None => found.push(key_file::damaged(Some(file), index + 1).to_string()),
        }
    }
    let ours = |(key, value): &(Bytes, Bytes)| {
        let key = key.strip_prefix(KMS.as_bytes())?.strip_prefix(b"/")?;
        Some((Bytes::copy_from_slice(key), value.clone()))
    };
    let used: Vec<_> = rows.iter().filter_map(ours).collect();
    let of_file = not_the_same(&keys, &used).into_iter().filter(|(name, _)| !is_given(name));
    found.extend(of_file.map(|(name, differs)| match differs {
        true => another(&name),
        false => missing(&name),
    }));
    found
}

fn row_key(name: &str) -> Vec<u8> {
    format!("{FINGERPRINTS}{name}").into_bytes()
}

fn fingerprint(key: &[u8; KEY_BYTES]) -> Fingerprint {
    key_file::check(key)
}

impl DataKeys for LocalDataKeys {
    fn resolve<'a>(
        &'a self,
        account: AccountId,
        region: &'a Region,
        key_id: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<String, KeyTrouble>> + Send + 'a>> {
        let scope = format!("{account}/{region}");
        Box::pin(self.find(scope, bare(key_id)))
    }
}

/// The key's own name in an ARN: `alias/NAME` or the UUID; other texts are names themselves.
fn bare(key_id: &str) -> &str {
    let Some(resource) = key_id.strip_prefix("arn:").and_then(|arn| arn.splitn(5, ':').nth(4))
    else {
        return key_id;
    };
    resource.strip_prefix("key/").unwrap_or(resource)
}

/// Whether a key of this name can be: `alias/` and a name, a UUID, or `mrk-` and its digits.
fn is_key_id(id: &str) -> bool {
    let hex = |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(alias) = id.strip_prefix("alias/") {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"/_-".contains(&b);
        return !alias.is_empty() && alias.bytes().all(fits);
    }
    if let Some(digits) = id.strip_prefix("mrk-") {
        return hex(digits, 32);
    }
    let parts: Vec<&str> = id.split('-').collect();
    parts.len() == 5 && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, len)| hex(part, len))
}

/// A name that no account's key can have: accounts are digits.
fn given_name(id: &str) -> String {
    format!("given/{id}")
}

fn is_given(name: &str) -> bool {
    name.starts_with("given/")
}

fn insert(ring: &KeyRing, name: &str, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    ring.insert(name, key).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use server::system_env;
    use store::catalog::MemoryCatalog;

    async fn resolve(keys: &LocalDataKeys, key_id: &str) -> Result<String, KeyTrouble> {
        keys.resolve(AccountId::DEFAULT, &Region::default(), key_id).await
    }

    fn open(file: Option<&Path>, given: &[GivenKey], make: bool) -> io::Result<LocalDataKeys> {
        open_with(MemoryCatalog::new(), file, given, make)
    }

    fn open_with(
        catalog: Arc<MemoryCatalog>,
        file: Option<&Path>,
        given: &[GivenKey],
        make: bool,
    ) -> io::Result<LocalDataKeys> {
        let catalog = Scope::new(catalog, KMS);
        let source = KeySource { file, given, make_keys: make };
        LocalDataKeys::open(system_env(), Arc::default(), catalog, source)
    }

    #[tokio::test]
    async fn made_keys_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        let keys = open(Some(&file), &[], true).unwrap();
        let name = resolve(&keys, "alias/orders").await.unwrap();
        let arn = "arn:aws:kms:us-east-1:000000000000:alias/orders";
        assert_eq!(resolve(&keys, arn).await.unwrap(), name);
        resolve(&keys, "alias/other").await.unwrap();

        let again = open(Some(&file), &[], false).unwrap();
        assert!(again.ring.contains(&name));
        assert_eq!(resolve(&again, "alias/orders").await.unwrap(), name);
        assert_eq!(resolve(&again, "alias/new").await, Err(KeyTrouble::NotFound));
    }

    #[tokio::test]
    async fn given_keys_are_taken_as_they_are() {
        let given = [GivenKey { id: "alias/given".into(), key: [7; KEY_BYTES] }];
        let keys = open(None, &given, false).unwrap();
        assert_eq!(resolve(&keys, "alias/given").await.unwrap(), "given/alias/given");
        assert_eq!(resolve(&keys, "alias/made").await, Err(KeyTrouble::NotFound));
        assert!(!format!("{given:?}").contains('7'));
    }

    #[tokio::test]
    async fn a_lost_key_is_told_and_never_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        let catalog = MemoryCatalog::new();
        let open = |given: &[GivenKey]| open_with(catalog.clone(), Some(&file), given, true);
        let keys = open(&[]).unwrap();
        resolve(&keys, "alias/a").await.unwrap();
        let whole = std::fs::read(&file).unwrap();
        resolve(&keys, "alias/b").await.unwrap();
        let put = |bytes: &[u8]| {
            #[expect(clippy::disallowed_methods, reason = "the test loses a part of the file")]
            std::fs::write(&file, bytes).unwrap();
        };
        put(&whole);
        let keys = open(&[]).unwrap();
        let [told] = keys.troubles() else { panic!("{:?}", keys.troubles()) };
        assert!(told.contains("alias/b"), "{told}");
        assert!(resolve(&keys, "alias/a").await.is_ok());
        assert_eq!(resolve(&keys, "alias/b").await, Err(KeyTrouble::Unavailable));
        assert!(resolve(&keys, "alias/c").await.is_ok());
        // A file of another directory has another key under this name.
        put(key_file::line("000000000000/us-east-1/alias/b", &[1; KEY_BYTES]).as_bytes());
        let told = open(&[]).err().unwrap();
        assert!(told.to_string().contains("alias/b"), "{told}");

        put(&whole);
        let given = |byte| [GivenKey { id: "alias/given".into(), key: [byte; KEY_BYTES] }];
        resolve(&open(&given(1)).unwrap(), "alias/given").await.unwrap();
        assert!(open(&given(1)).is_ok());
        assert!(open(&given(2)).err().unwrap().to_string().contains("alias/given"));
    }

    #[tokio::test]
    async fn the_servers_own_key_is_made_once_and_refuses_to_be_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        let catalog = MemoryCatalog::new();
        let open = |file| open_with(catalog.clone(), Some(file), &[], false).unwrap();
        let first = open(&file).server_secret().await.unwrap();
        assert_eq!(open(&file).server_secret().await.unwrap(), first);
        let told = open(&dir.path().join("other")).server_secret().await.unwrap_err().to_string();
        assert!(told.contains("server/secrets") && told.contains("missing"), "{told}");
        assert!(!dir.path().join("other").exists(), "no second key under its name");
        let other = open_with(MemoryCatalog::new(), None, &[], false).unwrap();
        assert_ne!(other.server_secret().await.unwrap(), first);
    }

    #[tokio::test]
    async fn a_flipped_bit_refuses_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        resolve(&open(Some(&file), &[], true).unwrap(), "alias/a").await.unwrap();
        let good = std::fs::read(&file).unwrap();
        for at in 0..good.len() - 1 {
            let mut bad = good.clone();
            bad[at] ^= 1;
            #[expect(clippy::disallowed_methods, reason = "the test damages the file")]
            std::fs::write(&file, bad).unwrap();
            assert!(open(Some(&file), &[], true).is_err(), "byte {at}");
        }
    }

    #[tokio::test]
    async fn what_is_no_key_id_gets_no_key() {
        let keys = open(None, &[], true).unwrap();
        for id in ["garbage", "alias/", "alias/a b", "mrk-1", "1234-ab", ""] {
            assert_eq!(resolve(&keys, id).await, Err(KeyTrouble::NotFound), "{id}");
        }
        let arn = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        for id in [arn, "alias/aws/kinesis", "mrk-1234abcd12ab34cd56ef1234567890ab"] {
            assert!(resolve(&keys, id).await.is_ok(), "{id}");
        }
    }

    #[test]
    fn names_in_arns() {
        assert_eq!(bare("arn:aws:kms:eu-west-1:111122223333:key/1234-ab"), "1234-ab");
        assert_eq!(bare("arn:aws:kms:eu-west-1:111122223333:alias/a:b"), "alias/a:b");
        assert_eq!(bare("alias/aws/kinesis"), "alias/aws/kinesis");
        assert_eq!(bare("1234-ab"), "1234-ab");
    }
}
