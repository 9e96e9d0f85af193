//! A user with his access keys.

use super::Entity;
use base::AccountId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As stored under its account and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::iam) struct UserRow {
    pub(in crate::iam) entity: Entity,
    /// Access keys by their ids.
    pub(in crate::iam) keys: BTreeMap<String, KeyRow>,
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::iam) struct KeyRow {
    /// The secret, sealed under the key's id (see `crate::sealing`), in base64: a signature can
    /// be verified with the secret alone, but rows are no place for it.
    pub(in crate::iam) sealed_secret: String,
    pub(in crate::iam) is_active: bool,
    pub(in crate::iam) created_ms: i64,
}

impl UserRow {
    /// What all keys begin with.
    pub(in crate::iam) const PREFIX: &str = "user/";

    pub(in crate::iam) fn key(account: AccountId, name: &str) -> Vec<u8> {
        format!("{}{account}/{}", Self::PREFIX, name.to_ascii_lowercase()).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let key = KeyRow { sealed_secret: "c2VjcmV0".into(), is_active: true, created_ms: 7 };
        let keys = BTreeMap::from([("AKIAABCDEFGHIJKLMNOP".into(), key)]);
        kit::rows::check_round_trip(&UserRow { entity: Entity::sample(), keys });
        assert_eq!(UserRow::key(AccountId::DEFAULT, "aB"), b"user/000000000000/ab");
    }
}
