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
//! The file, one line per key, owner-only; a damaged line refuses the start, since a wrong key
//! would make records unreadable one by one:
//!
//! | field | what |
//! | --- | --- |
//! | 1 | name in the key ring, without blanks |
//! | 2 | 64 hexadecimal digits: the key |
//! | 3 | 16 hexadecimal digits: start of the SHA-256 of the two fields and the blank between |

use base::env::Open;
use base::{AccountId, Env, Region};
use bytes::Bytes;
use ring::digest;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use store::local::{KEY_BYTES, KeyRing};
use store::{Scope, Transaction};
use streams::{KeyTrouble, Keys};
use tokio::sync::Mutex;

/// Longest name that the key ring takes, in bytes.
const RING_NAME_BYTES_MAX: usize = 255;
const CHECK_BYTES: usize = 8;
/// Whose the rows in the catalog are.
pub(crate) const SERVICE: &str = "kms";
/// Catalog keys of fingerprints; the key's name in the ring follows.
const FINGERPRINTS: &str = "encryption-key/";

/// A key of the configuration.
#[derive(Clone)]
pub(crate) struct GivenKey {
    /// The `KeyId` that clients use.
    pub(crate) id: String,
    /// The key.
    pub(crate) key: [u8; KEY_BYTES],
}

impl std::fmt::Debug for GivenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GivenKey({})", self.id)
    }
}

/// The keys of one server.
pub(crate) struct LocalKeys {
    env: Env,
    ring: Arc<KeyRing>,
    given: BTreeMap<String, Fingerprint>,
    /// Of the keys in the file.
    kept: Mutex<Kept>,
    make_keys: bool,
    catalog: Scope,
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

impl LocalKeys {
    /// Puts the given and the kept keys into the ring.
    ///
    /// `file`: where made keys are kept; none keeps them in memory only.
    ///
    /// # Errors
    /// The file cannot be read or is damaged, the message names the line; a key is not the one that
    /// records were encrypted with.
    pub(crate) fn open(
        env: Env,
        ring: Arc<KeyRing>,
        catalog: Scope,
        file: Option<&Path>,
        (given, make_keys): (&[GivenKey], bool),
    ) -> io::Result<Self> {
        let text = file.map_or(Ok(String::new()), |path| read(&env, path))?;
        let mut fingerprints = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let (name, key) = parse(line).ok_or_else(|| damaged(file, index + 1))?;
            insert(&ring, name, &key)?;
            fingerprints.insert(name.to_owned(), fingerprint(&key));
        }
        for key in given {
            insert(&ring, &given_name(&key.id), &key.key)?;
        }
        let of_given = |key: &GivenKey| (key.id.clone(), fingerprint(&key.key));
        let kept = Mutex::new(Kept { path: file.map(Path::to_owned), text, fingerprints });
        let given = given.iter().map(of_given).collect();
        let mut keys = Self { env, ring, given, kept, make_keys, catalog };
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
            tracing::warn!(%file, "{}", missing(&name));
        }
        Ok(())
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
        let text = format!("{}{}\n", kept.text, line(name, &key));
        if let Some(path) = &kept.path {
            write(&self.env, path, &text)?;
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

/// What is wrong with a key file, beside all rows of its catalog. Keys that the configuration gives
/// are not in it.
pub(crate) fn verify(env: &Env, file: &Path, rows: &[(Bytes, Bytes)]) -> Vec<String> {
    let text = match read(env, file) {
        Ok(text) => text,
        Err(e) => return vec![e.to_string()],
    };
    let mut found = Vec::new();
    let mut keys = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        match parse(line) {
            Some((name, key)) => _ = keys.insert(name.to_owned(), fingerprint(&key)),
            None => found.push(damaged(Some(file), index + 1).to_string()),
        }
    }
    let ours = |(key, value): &(Bytes, Bytes)| {
        let key = key.strip_prefix(SERVICE.as_bytes())?.strip_prefix(b"/")?;
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
    check(key)
}

impl Keys for LocalKeys {
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

fn damaged(file: Option<&Path>, line: usize) -> io::Error {
    let file = file.map_or_else(String::new, |path| path.display().to_string());
    let text = format!("line {line} of `{file}` is damaged: restore the file from a backup");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn read(env: &Env, path: &Path) -> io::Result<String> {
    if !env.disk.exists(path)? {
        return Ok(String::new());
    }
    let file = env.disk.open(path, Open::Read)?;
    let mut bytes = vec![0; file.len()? as usize];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    String::from_utf8(bytes).map_err(|_| damaged(Some(path), 1))
}

/// The directory of a file, and a name in it for the next version.
fn beside(path: &Path) -> (&Path, PathBuf) {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    (dir.unwrap_or(Path::new(".")), new.into())
}

/// Why a new file and a rename: a crash leaves the old keys or the new ones, never half a line.
fn write(env: &Env, path: &Path, text: &str) -> io::Result<()> {
    let (dir, new) = beside(path);
    let file = env.disk.open(&new, Open::Write)?;
    file.set_len(0)?;
    file.write_at(text.as_bytes(), 0)?;
    file.sync_data()?;
    env.disk.rename(&new, path)?;
    env.disk.sync_dir(dir)
}

fn line(name: &str, key: &[u8; KEY_BYTES]) -> String {
    let body = format!("{name} {}", base::hex::encode(key));
    let check = check(body.as_bytes());
    format!("{body} {check}")
}

fn parse(line: &str) -> Option<(&str, [u8; KEY_BYTES])> {
    let (body, sum) = line.rsplit_once(' ')?;
    let (name, key) = body.split_once(' ')?;
    (check(body.as_bytes()) == sum).then_some(())?;
    Some((name, base::hex::decode(key)?))
}

fn check(bytes: &[u8]) -> String {
    base::hex::encode(&digest::digest(&digest::SHA256, bytes).as_ref()[..CHECK_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;
    use server::system_env;
    use store::catalog::MemoryCatalog;

    async fn resolve(keys: &LocalKeys, key_id: &str) -> Result<String, KeyTrouble> {
        keys.resolve(AccountId::DEFAULT, &Region::default(), key_id).await
    }

    fn open(file: Option<&Path>, given: &[GivenKey], make: bool) -> io::Result<LocalKeys> {
        open_with(MemoryCatalog::new(), file, given, make)
    }

    fn open_with(
        catalog: Arc<MemoryCatalog>,
        file: Option<&Path>,
        given: &[GivenKey],
        make: bool,
    ) -> io::Result<LocalKeys> {
        let catalog = Scope::new(catalog, SERVICE);
        LocalKeys::open(system_env(), Arc::default(), catalog, file, (given, make))
    }

    #[test]
    fn any_name_has_a_place_beside_it() {
        for (path, dir, new) in [
            ("keys", ".", "keys.new"),
            ("/a/keys", "/a", "/a/keys.new"),
            ("b.new", ".", "b.new.new"),
        ] {
            assert_eq!(beside(Path::new(path)), (Path::new(dir), new.into()));
        }
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
        assert!(resolve(&keys, "alias/a").await.is_ok());
        assert_eq!(resolve(&keys, "alias/b").await, Err(KeyTrouble::Unavailable));
        assert!(resolve(&keys, "alias/c").await.is_ok());
        // A file of another directory has another key under this name.
        put(line("000000000000/us-east-1/alias/b", &[1; KEY_BYTES]).as_bytes());
        let told = open(&[]).err().unwrap();
        assert!(told.to_string().contains("alias/b"), "{told}");

        put(&whole);
        let given = |byte| [GivenKey { id: "alias/given".into(), key: [byte; KEY_BYTES] }];
        resolve(&open(&given(1)).unwrap(), "alias/given").await.unwrap();
        assert!(open(&given(1)).is_ok());
        assert!(open(&given(2)).err().unwrap().to_string().contains("alias/given"));
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
