//! The keys a server knows, and the signing keys derived from them.

use super::canonical::signing_key;
use super::{Credential, Secret};
use crate::Refusal;
use base::AccountId;
use base::policy::Permissions;
use ring::hmac;
use std::collections::HashMap;
use std::fmt;
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
    /// ARN of who it is of: a user, or a session of a role.
    pub caller_arn: Arc<str>,
    /// The holder's unique id: `AIDA...`, of a session `AROA...:name`.
    pub user_id: Arc<str>,
    /// Of a session the ARN of its role.
    pub role_arn: Option<Arc<str>>,
    /// What the user's policies let him do.
    pub permissions: Permissions,
}

/// Keys that come and go while the server runs, as users and sessions have them.
pub trait Issuer: Send + Sync + 'static {
    /// The key of this id, if it is one of these. `session_token`: as the request shows it.
    ///
    /// # Errors
    /// Of one that was one of these: `UnrecognizedClientException` it is switched off, or its role
    /// is gone; `ExpiredTokenException`.
    fn find(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
        now_ms: i64,
    ) -> Result<Option<Key>, Refusal>;
}

/// A key and its id.
pub type Known = (Arc<str>, Arc<Key>);

/// Access keys by their id.
#[derive(Default)]
pub struct Keyring {
    keys: HashMap<Arc<str>, Arc<Key>>,
    /// Who is asked for keys that are not here.
    issuer: Option<Arc<dyn Issuer>>,
    /// By `keyid/date/region/service`.
    derived: Mutex<HashMap<String, hmac::Key>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Keyring {
    /// A keyring of these keys; a later one of the same id wins.
    pub fn new(keys: impl IntoIterator<Item = (String, Key)>) -> Self {
        let keys = keys.into_iter().map(|(id, key)| (id.into(), Arc::new(key))).collect();
        Self { keys, issuer: None, derived: Mutex::default() }
    }

    /// Has this one asked for keys that are not in it.
    #[must_use]
    pub fn with_issuer(self, issuer: Arc<dyn Issuer>) -> Self {
        Self { issuer: Some(issuer), ..self }
    }

    /// The key of this id, and the id.
    ///
    /// # Errors
    /// As [`Issuer::find`].
    pub fn find(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
        now_ms: i64,
    ) -> Result<Option<Known>, Refusal> {
        if let Some((id, key)) = self.keys.get_key_value(access_key_id) {
            return Ok(Some((Arc::clone(id), Arc::clone(key))));
        }
        let Some(issuer) = &self.issuer else { return Ok(None) };
        let key = issuer.find(access_key_id, session_token, now_ms)?;
        Ok(key.map(|key| (access_key_id.into(), Arc::new(key))))
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
