//! A dashboard: a document that is kept as it was sent.

use base::AccountId;
use serde::{Deserialize, Serialize};

/// As stored under its account and name; it belongs to no region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct DashboardRow {
    pub(in crate::cloudwatch) body: String,
    pub(in crate::cloudwatch) modified_ms: i64,
}

impl DashboardRow {
    /// What the keys of an account begin with.
    pub(in crate::cloudwatch) fn prefix(account: AccountId) -> String {
        format!("dashboard/{account}/")
    }

    pub(in crate::cloudwatch) fn key(account: AccountId, name: &str) -> Vec<u8> {
        format!("{}{name}", Self::prefix(account)).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&DashboardRow { body: "{\"\"}".into(), modified_ms: -1 });
    }
}
