//! A subscription filter, and how far its destination has got.

use serde::{Deserialize, Serialize};

/// As stored under the number of the log that is its queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::logs) struct FilterRow {
    /// Whose it is: the account, the region and the name of its group.
    pub(in crate::logs) account: Box<str>,
    pub(in crate::logs) region: Box<str>,
    pub(in crate::logs) group: Box<str>,
    pub(in crate::logs) name: Box<str>,
    pub(in crate::logs) pattern: String,
    pub(in crate::logs) destination_arn: String,
    pub(in crate::logs) role_arn: String,
    /// Whether each record goes to a shard of its own choice, not to that of its stream.
    pub(in crate::logs) is_random: bool,
    pub(in crate::logs) created_ms: i64,
}

impl FilterRow {
    pub(in crate::logs) const PREFIX: &str = "filter/";

    pub(in crate::logs) fn key(log: u64) -> Vec<u8> {
        format!("{}{log:020}", Self::PREFIX).into_bytes()
    }

    /// The number of the log in a key.
    pub(in crate::logs) fn parse_key(key: &[u8]) -> Option<u64> {
        std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?.parse().ok()
    }
}

/// The first record of a filter's queue that its destination does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::logs) struct CursorRow {
    pub(in crate::logs) next_ordinal: u64,
}

impl CursorRow {
    pub(in crate::logs) fn key(log: u64) -> Vec<u8> {
        format!("cursor/{log:020}").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&FilterRow {
            account: "000000000000".into(),
            region: "eu-west-1".into(),
            group: "/aws/lambda/a".into(),
            name: "f".into(),
            pattern: "{ $.a = \"é\" }".into(),
            destination_arn: "arn:x".into(),
            role_arn: "arn:y".into(),
            is_random: true,
            created_ms: 7,
        });
        kit::rows::check_round_trip(&CursorRow { next_ordinal: u64::MAX });
        assert_eq!(FilterRow::parse_key(&FilterRow::key(9)), Some(9));
    }
}
