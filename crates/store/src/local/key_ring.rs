//! Encryption of bodies: AES-256-GCM under keys that the owner puts into a ring while it runs.
//!
//! | bytes | stored body |
//! | --- | --- |
//! | 1 | length of the key id |
//! | n | key id |
//! | 16 | life: random, one for each ring |
//! | 12 | nonce: a number counted up from 0 in each life, little endian |
//! | m | ciphertext |
//! | 16 | tag |
//!
//! Each life encrypts under a key of its own, HKDF-SHA256 of the owner's key with the life as salt.
//! So no nonce is used twice under one key, however many frames are written: random nonces would
//! have to stop after 2^32, which a busy node reaches in days.

use super::frame::HEADER_BYTES;
use crate::{Error, ErrorKind, LogId, Result};
use base::env::Rng;
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

const LIFE_BYTES: usize = 16;
/// Keys of lives that are kept for reading; each is some 600 bytes.
const LIVES_MAX: usize = 256;
const TAG_BYTES: usize = 16;

type Life = [u8; LIFE_BYTES];

/// The keys that an engine may encrypt and read with, by their id.
///
/// Keys are added while the engine runs; an id's key never changes.
#[derive(Default)]
pub struct KeyRing {
    keys: RwLock<BTreeMap<String, OwnerKey>>,
    life: OnceLock<Life>,
    nonces: AtomicU64,
}

struct OwnerKey {
    secret: [u8; KEY_BYTES],
    /// The keys that encrypt.
    of_lives: Mutex<HashMap<Life, Arc<LessSafeKey>>>,
}

impl OwnerKey {
    fn of_life(&self, life: Life) -> Arc<LessSafeKey> {
        let mut of_lives = self.of_lives.lock();
        if of_lives.len() >= LIVES_MAX && !of_lives.contains_key(&life) {
            of_lives.clear();
        }
        let key = of_lives.entry(life).or_insert_with(|| {
            let secret = Salt::new(HKDF_SHA256, &life).extract(&self.secret);
            let made = secret.expand(&[b"millweir body"], &AES_256_GCM);
            let key = UnboundKey::from(made.expect("HKDF makes keys of this length"));
            Arc::new(LessSafeKey::new(key))
        });
        Arc::clone(key)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.read().keys()).finish()
    }
}

impl KeyRing {
    /// Adds a key. An id that is already there keeps its key: frames lie encrypted under it.
    ///
    /// # Errors
    /// `Invalid` an id of 0 or more than 255 bytes.
    pub fn insert(&self, id: &str, key: &[u8; KEY_BYTES]) -> Result<()> {
        if id.is_empty() || u8::try_from(id.len()).is_err() {
            return Err(Error::new(ErrorKind::Invalid, "a key id has 1 to 255 bytes"));
        }
        let new = || OwnerKey { secret: *key, of_lives: Mutex::default() };
        self.keys.write().entry(id.to_owned()).or_insert_with(new);
        Ok(())
    }

    /// Whether the ring has this key.
    pub fn contains(&self, id: &str) -> bool {
        self.keys.read().contains_key(id)
    }

    /// Encrypts the body of the batch at a place: a log and its first ordinal. In place of a copy:
    /// the answer is the stored form.
    pub(crate) fn seal(
        &self,
        id: &str,
        at: (LogId, u64),
        plain: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>> {
        let life = *self.life.get_or_init(|| rng.bytes16());
        let key = {
            let keys = self.keys.read();
            keys.get(id).ok_or_else(|| unknown(id, ErrorKind::Invalid))?.of_life(life)
        };
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.nonces.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        let head_bytes = 1 + id.len() + LIFE_BYTES + NONCE_LEN;
        let mut stored = Vec::with_capacity(head_bytes + plain.len() + TAG_BYTES);
        stored.push(u8::try_from(id.len()).expect("ids in the ring have at most 255 bytes"));
        stored.extend_from_slice(id.as_bytes());
        stored.extend_from_slice(&life);
        stored.extend_from_slice(&nonce);
        stored.extend_from_slice(plain);
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to(at, id.as_bytes())),
                &mut stored[head_bytes..],
            )
            .map_err(|_| Error::new(ErrorKind::Invalid, "the batch is too large to encrypt"))?;
        stored.extend_from_slice(tag.as_ref());
        Ok(stored)
    }

    /// Decrypts the stored body of the batch at a place; the caller has verified its checksum.
    ///
    /// # Errors
    /// `Unavailable` naming the key id when the ring does not have it; `Corrupt` when it does not
    /// decrypt, without saying where: the caller knows.
    pub(crate) fn open(&self, at: (LogId, u64), stored: &[u8]) -> Result<Bytes> {
        let (id, rest) = stored
            .split_first()
            .and_then(|(len, rest)| rest.split_at_checked(usize::from(*len)))
            .ok_or_else(undecryptable)?;
        let (life, rest) = rest.split_first_chunk().ok_or_else(undecryptable)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or_else(undecryptable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| undecryptable())?;
        let name = std::str::from_utf8(id).map_err(|_| undecryptable())?;
        let key = {
            let keys = self.keys.read();
            keys.get(name).ok_or_else(|| unknown(name, ErrorKind::Unavailable))?.of_life(*life)
        };
        let mut plain = sealed.to_vec();
        let plain_bytes = key
            .open_in_place(nonce, Aad::from(bound_to(at, id)), &mut plain)
            .map_err(|_| undecryptable())?
            .len();
        plain.truncate(plain_bytes);
        Ok(Bytes::from(plain))
    }
}

/// What a ciphertext is bound to, so that a frame moved to another log, or to another place in its
/// own, does not decrypt.
fn bound_to((log, first_ordinal): (LogId, u64), key_id: &[u8]) -> Vec<u8> {
    let mut bound = Vec::with_capacity(HEADER_BYTES);
    bound.extend_from_slice(&log.0.to_le_bytes());
    bound.extend_from_slice(&first_ordinal.to_le_bytes());
    bound.extend_from_slice(key_id);
    bound
}

fn unknown(id: &str, kind: ErrorKind) -> Error {
    Error::new(kind, format!("the key ring has no key `{id}`"))
}

fn undecryptable() -> Error {
    Error::new(ErrorKind::Corrupt, "an encrypted batch does not decrypt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::SeededRng;

    const AT: (LogId, u64) = (LogId(5), 9);

    fn ring() -> KeyRing {
        let ring = KeyRing::default();
        ring.insert("alias/a", &[7; KEY_BYTES]).unwrap();
        ring
    }

    #[test]
    fn only_the_same_place_key_and_bytes_decrypt() {
        let (ring, rng) = (ring(), SeededRng::new(1));
        let stored = ring.seal("alias/a", AT, b"secret words", &rng).unwrap();
        assert!(!stored.windows(6).any(|w| w == b"secret"));
        assert_eq!(ring.open(AT, &stored).unwrap(), "secret words");
        for other in [(LogId(6), 9), (LogId(5), 8)] {
            assert_eq!(ring.open(other, &stored).unwrap_err().kind(), ErrorKind::Corrupt);
        }
        for at in [8, 21, stored.len() - 1] {
            let mut changed = stored.clone();
            changed[at] ^= 1;
            assert_eq!(ring.open(AT, &changed).unwrap_err().kind(), ErrorKind::Corrupt);
        }
        for cut in 0..stored.len() {
            assert!(ring.open(AT, &stored[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn no_nonce_comes_twice_under_one_key() {
        let rng = SeededRng::new(1);
        let mut heads = std::collections::BTreeSet::new();
        let first = ring();
        for ring in [&first, &ring(), &ring()] {
            for _ in 0..100 {
                let stored = ring.seal("alias/a", AT, b"x", &rng).unwrap();
                assert_eq!(first.open(AT, &stored).unwrap(), "x", "whoever wrote it");
                assert!(heads.insert(stored[8..8 + LIFE_BYTES + NONCE_LEN].to_vec()));
            }
        }
        for n in 0..2 * LIVES_MAX {
            let stored = ring().seal("alias/a", AT, b"x", &rng).unwrap();
            assert_eq!(first.open(AT, &stored).unwrap(), "x", "life {n}");
        }
        let kept = first.keys.read()["alias/a"].of_lives.lock().len();
        assert!(kept <= LIVES_MAX, "{kept}");
    }

    #[test]
    fn an_unknown_key_is_named() {
        let (full, empty, rng) = (ring(), KeyRing::default(), SeededRng::new(1));
        let stored = full.seal("alias/a", AT, b"x", &rng).unwrap();
        let refused = empty.open(AT, &stored).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        assert!(refused.to_string().contains("`alias/a`"));
        let refused = empty.seal("alias/b", AT, b"x", &rng).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn an_id_keeps_its_first_key() {
        let (ring, rng) = (ring(), SeededRng::new(1));
        let stored = ring.seal("alias/a", AT, b"x", &rng).unwrap();
        ring.insert("alias/a", &[8; KEY_BYTES]).unwrap();
        assert_eq!(ring.open(AT, &stored).unwrap(), "x");
        assert!(ring.insert("", &[0; KEY_BYTES]).is_err());
        assert!(ring.insert(&"k".repeat(256), &[0; KEY_BYTES]).is_err());
    }
}
