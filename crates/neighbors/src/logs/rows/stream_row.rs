//! A stream of a group.

use serde::{Deserialize, Serialize};

/// As stored under the number of its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::logs) struct StreamRow {
    /// Whose it is: the account, the region and the name of its group.
    pub(in crate::logs) account: Box<str>,
    pub(in crate::logs) region: Box<str>,
    pub(in crate::logs) group: Box<str>,
    pub(in crate::logs) name: Box<str>,
    pub(in crate::logs) created_ms: i64,
}

impl StreamRow {
    pub(in crate::logs) const PREFIX: &str = "stream/";

    pub(in crate::logs) fn key(log: u64) -> Vec<u8> {
        format!("{}{log:020}", Self::PREFIX).into_bytes()
    }

    /// The number of the log in a key.
    pub(in crate::logs) fn parse_key(key: &[u8]) -> Option<u64> {
        std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&StreamRow {
            account: "000000000000".into(),
            region: "eu-west-1".into(),
            group: "/aws/lambda/a".into(),
            name: "2026/01/31/[$LATEST]é".into(),
            created_ms: 7,
        });
        assert_eq!(StreamRow::parse_key(&StreamRow::key(u64::MAX)), Some(u64::MAX));
    }
}
