//! The service: what it is made of, how it starts.

use crate::iam::{Iam, SECRET_BYTES, secret_of};
use crate::sealing::SealingKey;
use api::sts::Error;
use base::Env;
use base::policy::Policy;
use kit::Secret;
use parking_lot::Mutex;
use ring::hmac;
use std::collections::HashMap;
use std::sync::Arc;

/// AWS's name of the service in policies.
pub const SERVICE: &str = "sts";

/// Session policies that are kept read; past it all are dropped and read again.
const POLICIES_MAX: usize = 1024;

/// Shorthand of this service.
pub(super) type Result<T> = std::result::Result<T, Error>;

/// What the service is built upon.
#[derive(Clone)]
pub struct Parts {
    /// Time, randomness and files.
    pub env: Env,
    /// What sessions are sealed with.
    pub secret: Secret,
    /// Whose roles are taken on.
    pub iam: Iam,
}

/// STS; cheap to clone.
#[derive(Clone)]
pub struct Sts {
    pub(super) inner: Arc<Inner>,
}

/// What all handles share.
pub(super) struct Inner {
    pub(super) env: Env,
    pub(super) iam: Iam,
    /// Seals sessions.
    pub(super) tokens: SealingKey,
    /// Makes secret access keys of access keys' ids.
    secrets: hmac::Key,
    /// Session policies by the access keys' ids of their sessions.
    policies: Mutex<HashMap<String, Arc<Policy>>>,
}

impl Sts {
    /// The service; it keeps nothing.
    pub fn new(parts: Parts) -> Self {
        let Parts { env, secret, iam } = parts;
        let tokens = SealingKey::new(&secret.derive(b"sts: session tokens"));
        let secrets = hmac::Key::new(hmac::HMAC_SHA256, &secret.derive(b"sts: access keys"));
        let policies = Mutex::default();
        Self { inner: Arc::new(Inner { env, iam, tokens, secrets, policies }) }
    }
}

impl Inner {
    /// The secret access key of temporary credentials: it follows from their id, so nobody need
    /// keep it.
    pub(super) fn secret_of(&self, access_key_id: &str) -> String {
        let tag = hmac::sign(&self.secrets, access_key_id.as_bytes());
        let mut bytes = [0; SECRET_BYTES];
        bytes.copy_from_slice(&tag.as_ref()[..SECRET_BYTES]);
        secret_of(&bytes)
    }

    /// A session's own policy, read once. `document`: what the token of this access key has; there
    /// is no other token of the key.
    pub(super) fn policy_of(&self, access_key_id: &str, document: &str) -> Arc<Policy> {
        let mut policies = self.policies.lock();
        if let Some(policy) = policies.get(access_key_id) {
            return Arc::clone(policy);
        }
        // What an older server understood and this one does not lets nobody in.
        let policy = Policy::parse_identity(document).unwrap_or_else(|_| Policy::nothing());
        if policies.len() >= POLICIES_MAX {
            policies.clear();
        }
        let policy = Arc::new(policy);
        policies.insert(access_key_id.to_owned(), Arc::clone(&policy));
        policy
    }
}
