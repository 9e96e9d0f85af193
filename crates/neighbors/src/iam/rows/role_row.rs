//! A role.

use super::Entity;
use base::AccountId;
use serde::{Deserialize, Serialize};

/// As stored under its account and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::iam) struct RoleRow {
    pub(in crate::iam) entity: Entity,
    /// The policy that says who may take it on, as it was sent.
    pub(in crate::iam) trust: String,
    pub(in crate::iam) description: Option<String>,
    /// Longest session, in seconds.
    pub(in crate::iam) session_seconds_max: i32,
}

impl RoleRow {
    /// What all keys begin with.
    pub(in crate::iam) const PREFIX: &str = "role/";

    pub(in crate::iam) fn key(account: AccountId, name: &str) -> Vec<u8> {
        format!("{}{account}/{}", Self::PREFIX, name.to_ascii_lowercase()).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for description in [None, Some("d".into())] {
            let (entity, trust) = (Entity::sample(), "{}".into());
            let row = RoleRow { entity, trust, description, session_seconds_max: 3600 };
            kit::rows::check_round_trip(&row);
        }
        assert_eq!(RoleRow::key(AccountId::DEFAULT, "aB"), b"role/000000000000/ab");
    }
}
