//! Something that an alarm is to do and has not done yet.

use base::{AccountId, Region};
use serde::{Deserialize, Serialize};

/// As stored under account, region and a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct ActionRow {
    pub(in crate::cloudwatch) alarm: Box<str>,
    pub(in crate::cloudwatch) is_composite: bool,
    /// The ARN of a topic, or the URL of a web hook.
    pub(in crate::cloudwatch) action: String,
    pub(in crate::cloudwatch) subject: String,
    /// JSON.
    pub(in crate::cloudwatch) message: String,
    /// When the alarm's state changed.
    pub(in crate::cloudwatch) changed_ms: i64,
}

impl ActionRow {
    pub(in crate::cloudwatch) const PREFIX: &str = "action/";

    /// `number`: which of all that were ever written.
    pub(in crate::cloudwatch) fn key(account: AccountId, region: &Region, number: u64) -> Vec<u8> {
        format!("{}{account}/{region}/{number:020}", Self::PREFIX).into_bytes()
    }

    /// Account, region and number in a key.
    pub(in crate::cloudwatch) fn parse_key(key: &[u8]) -> Option<(AccountId, Region, u64)> {
        let mut parts = std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?.splitn(3, '/');
        let account = AccountId::parse(parts.next()?).ok()?;
        let region = Region::parse(parts.next()?).ok()?;
        Some((account, region, parts.next()?.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&ActionRow {
            alarm: "a".into(),
            is_composite: true,
            action: "arn:x".into(),
            subject: "é".into(),
            message: "{}".into(),
            changed_ms: 7,
        });
        let (account, region) = (AccountId::DEFAULT, Region::parse("eu-west-1").unwrap());
        let key = ActionRow::key(account, &region, 9);
        assert_eq!(ActionRow::parse_key(&key), Some((account, region, 9)));
    }
}
