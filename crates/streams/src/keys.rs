//! The seam to encryption keys: what a client's `KeyId` stands for.

use base::{AccountId, Region};
use std::future::Future;
use std::pin::Pin;

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
pub trait Keys: Send + Sync + 'static {
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
