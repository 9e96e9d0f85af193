//! `account/<account>/<region>`: what `UpdateAccountSettings` set; regions that AWS does not have
//! share one row, so that their number is bounded.

use base::{AccountId, Region};
use serde::{Deserialize, Serialize};

/// An account's settings in a region as stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AccountRow {
    /// The minimum throughput billing commitment; `None` = never made.
    pub(crate) commitment: Option<Commitment>,
}

/// A commitment, running or ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Commitment {
    pub(crate) started_ms: i64,
    /// When it ends or ended; `None` = it goes on.
    pub(crate) end_ms: Option<i64>,
}

impl AccountRow {
    /// The catalog key.
    pub(crate) fn key(account: AccountId, region: &Region) -> Vec<u8> {
        format!("account/{account}/{}", region.quota_name()).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let commitment = Some(Commitment { started_ms: 1, end_ms: Some(2) });
        super::super::check_round_trip(&AccountRow { commitment });
        assert_eq!(
            AccountRow::key(AccountId::DEFAULT, &Region::default()),
            b"account/000000000000/us-east-1"
        );
        let made_up = ["x1", "elsewhere"].map(|name| Region::parse(name).unwrap());
        let [one, other] = made_up.map(|region| AccountRow::key(AccountId::DEFAULT, &region));
        assert_eq!(one, other);
    }
}
