//! Sealing: bytes that only this server can read and make.
//!
//! ```text
//! nonce (12 random bytes) | AES-256-GCM of the plain bytes | tag (16)
//! ```
//!
//! What is sealed is bound to a name that is not in it, so that it opens nowhere else.

use base::env::Rng;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// What seals and opens.
pub(crate) struct SealingKey(LessSafeKey);

impl SealingKey {
    /// From a key that must serve nothing else, see [`kit::Secret::derive`].
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("the key has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Seals bytes under a name. Random nonces bound what a key may seal to some 2^32 times:
    /// two a second for sixty years.
    pub(crate) fn seal(&self, rng: &dyn Rng, name: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut sealed = nonce.to_vec();
        sealed.extend_from_slice(plain);
        let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(name));
        let body = &mut sealed[NONCE_LEN..];
        let tag = self.0.seal_in_place_separate_tag(nonce, aad, body);
        let tag = tag.expect("a few thousand bytes are below every bound of the cipher");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// What was sealed under a name; nothing when it was not, or not here.
    pub(crate) fn open(&self, name: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let (nonce, aad) = (Nonce::assume_unique_for_key(*nonce), Aad::from(name));
        let mut body = body.to_vec();
        let plain = self.0.open_in_place(nonce, aad, &mut body).ok()?;
        Some(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::fake_env;

    #[test]
    fn what_is_sealed_opens_under_its_name_alone() {
        let env = fake_env(1).env();
        let key = SealingKey::new(&[1; 32]);
        for plain in [&b""[..], b"x", &[7; 5000]] {
            let sealed = key.seal(&*env.rng, b"name", plain);
            assert_eq!(key.open(b"name", &sealed).as_deref(), Some(plain));
            assert_eq!(key.open(b"other", &sealed), None);
            assert_eq!(SealingKey::new(&[2; 32]).open(b"name", &sealed), None);
            assert_eq!(key.open(b"name", &sealed[..sealed.len() - 1]), None);
            assert_ne!(key.seal(&*env.rng, b"name", plain), sealed, "no two are equal");
        }
        let sealed = key.seal(&*env.rng, b"name", b"plain");
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 1;
            assert_eq!(key.open(b"name", &forged), None, "byte {at}");
        }
        assert_eq!(key.open(b"name", b""), None);
    }
}
