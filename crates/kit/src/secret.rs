//! A service's own secret, row `secret/tokens`: what it seals iterators and paging tokens with, so
//! that they survive a restart.

use crate::rows;
use base::Env;
use ring::hmac;
use serde::{Deserialize, Serialize};
use store::{Part, Result, Transaction};

/// Thirty-two random bytes; their debug form shows none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The catalog key.
    const KEY: &[u8] = b"secret/tokens";

    /// The stored secret, made at the first start.
    ///
    /// # Errors
    /// `Corrupt` it cannot be read; any failure of the commit that stores it.
    pub async fn open(env: &Env, store: &Part) -> Result<Self> {
        if let Some(secret) = rows::get(store, Self::KEY)? {
            return Ok(secret);
        }
        let mut bytes = [0; 32];
        env.rng.fill(&mut bytes);
        let secret = Self(bytes);
        let mut transaction = Transaction::default();
        transaction.check(Self::KEY.to_vec(), None);
        rows::put(&mut transaction, Self::KEY.to_vec(), &secret);
        store.commit(transaction).await?;
        Ok(secret)
    }

    pub(crate) fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key for one purpose; those of two purposes tell nothing of each other.
    ///
    /// # Panics
    /// Never: the tag has as many bytes as the key.
    pub fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), purpose);
        tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Store;
    use store::catalog::MemoryCatalog;
    use store::memory::{MemoryLog, MemoryOptions};
    use testkit::{block_on, fake_env};

    #[test]
    fn round_trip() {
        rows::check_round_trip(&Secret([9; 32]));
        assert_eq!(format!("{:?}", Secret([9; 32])), "Secret");
    }

    #[test]
    fn it_is_made_once_for_each_service() {
        let fake = fake_env(1);
        let env = fake.env();
        let logs = MemoryLog::new(env.clone(), MemoryOptions::default());
        let store = Store::open(MemoryCatalog::new(), logs, false).unwrap();
        let open = |service| block_on(Secret::open(&env, &store.part(service))).unwrap();
        let first = open("a");
        assert_eq!(open("a"), first);
        assert_ne!(open("b"), first);
        assert_eq!(first.derive(b"x"), first.derive(b"x"));
        assert_ne!(first.derive(b"x"), first.derive(b"y"));
    }
}
