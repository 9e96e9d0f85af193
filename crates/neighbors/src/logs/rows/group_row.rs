//! A group. Its tags are a row of their own.

use base::{AccountId, Region};
use serde::{Deserialize, Serialize};

/// As stored under account, region and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::logs) struct GroupRow {
    pub(in crate::logs) created_ms: i64,
    /// How long events are kept; none: as long as there is room.
    pub(in crate::logs) retention_days: Option<u32>,
    /// Whether it is one of infrequent access, which has no subscription filters.
    pub(in crate::logs) is_infrequent: bool,
}

impl GroupRow {
    pub(in crate::logs) const PREFIX: &str = "group/";

    pub(in crate::logs) fn key(account: AccountId, region: &Region, name: &str) -> Vec<u8> {
        format!("{}{account}/{region}/{name}", Self::PREFIX).into_bytes()
    }

    /// Account, region and name in a key; a name may have slashes.
    pub(in crate::logs) fn parse_key(key: &[u8]) -> Option<(AccountId, Region, Box<str>)> {
        let rest = std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?;
        let mut parts = rest.splitn(3, '/');
        let account = AccountId::parse(parts.next()?).ok()?;
        let region = Region::parse(parts.next()?).ok()?;
        Some((account, region, parts.next()?.into()))
    }
}

/// The key of a group's tags.
pub(in crate::logs) fn tags_key(account: AccountId, region: &Region, name: &str) -> Vec<u8> {
    format!("tags/{account}/{region}/{name}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&GroupRow {
            created_ms: -1,
            retention_days: Some(3653),
            is_infrequent: true,
        });
        let (account, region) = (AccountId::DEFAULT, Region::parse("eu-west-1").unwrap());
        let key = GroupRow::key(account, &region, "/aws/lambda/a");
        assert_eq!(GroupRow::parse_key(&key), Some((account, region, "/aws/lambda/a".into())));
    }
}
