//! What happened to an alarm.

use base::{AccountId, Region};
use serde::{Deserialize, Serialize};

/// As stored under account, region, time and a number. It stays when its alarm goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct HistoryRow {
    pub(in crate::cloudwatch) alarm: Box<str>,
    pub(in crate::cloudwatch) is_composite: bool,
    pub(in crate::cloudwatch) at_ms: i64,
    /// As the model's `HistoryItemType`.
    pub(in crate::cloudwatch) item: Box<str>,
    pub(in crate::cloudwatch) summary: String,
    /// JSON.
    pub(in crate::cloudwatch) data: String,
}

impl HistoryRow {
    pub(in crate::cloudwatch) const PREFIX: &str = "history/";

    /// What the keys of an account and region begin with.
    pub(in crate::cloudwatch) fn prefix(account: AccountId, region: &Region) -> String {
        format!("{}{account}/{region}/", Self::PREFIX)
    }

    /// How many bytes it takes, nearly.
    pub(in crate::cloudwatch) fn bytes(&self) -> usize {
        self.alarm.len() + self.summary.len() + self.data.len() + 200
    }

    /// What the keys of an account begin with.
    pub(in crate::cloudwatch) fn prefix_of_account(account: AccountId) -> String {
        format!("{}{account}/", Self::PREFIX)
    }

    /// Whose a key is.
    pub(in crate::cloudwatch) fn account(key: &[u8]) -> Option<AccountId> {
        let rest = std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?;
        AccountId::parse(rest.split('/').next()?).ok()
    }

    /// `number`: which of all that were ever written.
    pub(in crate::cloudwatch) fn key(
        account: AccountId,
        region: &Region,
        (at_ms, number): (i64, u64),
    ) -> Vec<u8> {
        format!("{}{at_ms:015}/{number:020}", Self::prefix(account, region)).into_bytes()
    }

    /// Its time and number.
    pub(in crate::cloudwatch) fn parse_key(key: &[u8]) -> Option<(i64, u64)> {
        let mut parts = std::str::from_utf8(key).ok()?.rsplit('/');
        let number = parts.next()?.parse().ok()?;
        Some((parts.next()?.parse().ok()?, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&HistoryRow {
            alarm: "a/b".into(),
            is_composite: false,
            at_ms: 1,
            item: "Action".into(),
            summary: "é".into(),
            data: "{}".into(),
        });
        let (account, region) = (AccountId::DEFAULT, Region::parse("eu-west-1").unwrap());
        let key = HistoryRow::key(account, &region, (7, u64::MAX));
        assert_eq!(HistoryRow::parse_key(&key), Some((7, u64::MAX)));
        assert_eq!(HistoryRow::account(&key), Some(account));
    }
}
