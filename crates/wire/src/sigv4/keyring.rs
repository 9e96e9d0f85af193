//! The keys a server knows, and the signing keys derived from them.

use super::canonical::signing_key;
use super::{Credential, Secret};
use base::AccountId;
use base::policy::Permissions;
use ring::hmac;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most derived keys kept; past it all are dropped and derived again. A derivation is five HMACs.
const DERIVED_MAX: usize = 1024;

/// One access key.
#[derive(Clone, Debug)]
pub struct Key {
    /// Signs.
    pub secret_access_key: Secret,
    /// Must come along with every request when set, and must not when unset.
    pub session_token: Option<Secret>,
    /// When the session token stops being good, in milliseconds since the epoch.
    pub expires_ms: Option<i64>,
    /// Whose streams the key reaches.
    pub account: AccountId,
    /// Name of the user, as error messages and policies show it.
    pub user_name: Arc<str>,
    /// What the user's policies let him do.
    pub permissions: Permissions,
}

/// Access keys by their id.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: HashMap<Arc<str>, Key>,
    /// By `keyid/date/region/service`.
    derived: Mutex<HashMap<String, hmac::Key>>,
}

impl Keyring {
    /// A keyring of these keys; a later one of the same id wins.
    pub fn new(keys: impl IntoIterator<Item = (String, Key)>) -> Self {
        let keys = keys.into_iter().map(|(id, key)| (id.into(), key)).collect();
        Self { keys, derived: Mutex::default() }
    }

    /// The key of this id, and the id as the keyring holds it.
    pub fn get(&self, access_key_id: &str) -> Option<(&Arc<str>, &Key)> {
        self.keys.get_key_value(access_key_id)
    }

    /// Whether no request could be verified.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key that signs what `credential` covers.
    pub(crate) fn derived(&self, key: &Key, credential: &Credential<'_>) -> hmac::Key {
        let Credential { access_key_id, date, region, service, .. } = credential;
        let name = format!("{access_key_id}/{date}/{region}/{service}");
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = derived.get(&name) {
            return key.clone();
        }
        if derived.len() >= DERIVED_MAX {
            derived.clear();
        }
        let made = signing_key(key.secret_access_key.reveal(), date, region, service);
        derived.entry(name).or_insert(made).clone()
    }
}
