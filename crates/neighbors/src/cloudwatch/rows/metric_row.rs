//! A series of numbers: what it is called.

use base::{AccountId, Region};
use serde::{Deserialize, Serialize};

/// As stored under its account, region and number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct MetricRow {
    pub(in crate::cloudwatch) namespace: Box<str>,
    pub(in crate::cloudwatch) name: Box<str>,
    /// By name.
    pub(in crate::cloudwatch) dimensions: Vec<(Box<str>, Box<str>)>,
    pub(in crate::cloudwatch) unit: Box<str>,
    /// Whether it has ever had more than one point a minute.
    pub(in crate::cloudwatch) is_fine: bool,
    /// Day since the epoch of its newest point, about.
    pub(in crate::cloudwatch) seen_day: u32,
}

impl MetricRow {
    pub(in crate::cloudwatch) const PREFIX: &str = "metric/";

    pub(in crate::cloudwatch) fn key(account: AccountId, region: &Region, id: u32) -> Vec<u8> {
        format!("{}{account}/{region}/{id:010}", Self::PREFIX).into_bytes()
    }

    /// Account, region and number in a key.
    pub(in crate::cloudwatch) fn parse_key(key: &[u8]) -> Option<(AccountId, Region, u32)> {
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
        kit::rows::check_round_trip(&MetricRow {
            namespace: "AWS/Kinesis".into(),
            name: "IncomingBytes".into(),
            dimensions: vec![("StreamName".into(), "s\"".into())],
            unit: "Bytes".into(),
            is_fine: false,
            seen_day: 20_000,
        });
        let (account, region) = (AccountId::DEFAULT, Region::parse("eu-west-1").unwrap());
        let key = MetricRow::key(account, &region, u32::MAX);
        assert_eq!(MetricRow::parse_key(&key), Some((account, region, u32::MAX)));
    }
}
