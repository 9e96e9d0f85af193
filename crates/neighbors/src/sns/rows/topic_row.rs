//! A topic: the attributes that were set. Its policy and its tags are rows of their own.

use base::{AccountId, Region};
use serde::{Deserialize, Serialize};

/// As stored under account, region and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sns) struct TopicRow {
    pub(in crate::sns) display_name: String,
    /// JSON, as it was sent.
    pub(in crate::sns) delivery_policy: Option<String>,
    /// `1` or `2`.
    pub(in crate::sns) signature_version: Option<Box<str>>,
    pub(in crate::sns) tracing_config: Option<Box<str>>,
    pub(in crate::sns) created_ms: i64,
}

impl TopicRow {
    pub(in crate::sns) const PREFIX: &str = "topic/";

    pub(in crate::sns) fn key(account: AccountId, region: &Region, name: &str) -> Vec<u8> {
        format!("{}{account}/{region}/{name}", Self::PREFIX).into_bytes()
    }

    /// Account, region and name in a key.
    pub(in crate::sns) fn parse_key(key: &[u8]) -> Option<(AccountId, Region, Box<str>)> {
        let rest = std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?;
        let mut parts = rest.splitn(3, '/');
        let account = AccountId::parse(parts.next()?).ok()?;
        let region = Region::parse(parts.next()?).ok()?;
        Some((account, region, parts.next()?.into()))
    }
}

/// The key of a topic's policy, a `kit::PolicyRow`.
pub(in crate::sns) fn policy_key(account: AccountId, region: &Region, name: &str) -> Vec<u8> {
    format!("policy/{account}/{region}/{name}").into_bytes()
}

/// The key of a topic's tags.
pub(in crate::sns) fn tags_key(account: AccountId, region: &Region, name: &str) -> Vec<u8> {
    format!("tags/{account}/{region}/{name}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&TopicRow {
            display_name: "é".into(),
            delivery_policy: Some("{}".into()),
            signature_version: Some("2".into()),
            tracing_config: None,
            created_ms: -1,
        });
        let (account, region) = (AccountId::DEFAULT, Region::parse("eu-west-1").unwrap());
        let key = TopicRow::key(account, &region, "a-b");
        assert_eq!(TopicRow::parse_key(&key), Some((account, region, "a-b".into())));
    }
}
