//! A block: the points of all series of some time at one resolution, in chunks of a log.

use serde::{Deserialize, Serialize};

/// As stored under its tier and number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct BlockRow {
    /// Seconds of its oldest and its newest point.
    pub(in crate::cloudwatch) first_s: u32,
    pub(in crate::cloudwatch) last_s: u32,
    /// The log's record that is its first chunk; the others follow it.
    pub(in crate::cloudwatch) first_ordinal: u64,
    /// The first series of each chunk; series ascend.
    pub(in crate::cloudwatch) chunks: Vec<u32>,
    /// Bytes of the chunks.
    pub(in crate::cloudwatch) bytes: u64,
    /// When its last chunk was written, in ms by the store's clock.
    pub(in crate::cloudwatch) written_ms: i64,
}

impl BlockRow {
    pub(in crate::cloudwatch) const PREFIX: &str = "block/";

    pub(in crate::cloudwatch) fn key(tier: usize, number: u64) -> Vec<u8> {
        format!("{}{tier}/{number:020}", Self::PREFIX).into_bytes()
    }

    /// Tier and number in a key.
    pub(in crate::cloudwatch) fn parse_key(key: &[u8]) -> Option<(usize, u64)> {
        let (tier, number) =
            std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?.split_once('/')?;
        Some((tier.parse().ok()?, number.parse().ok()?))
    }
}

/// Where the points are: the numbers of the logs, and which puts are in blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct PointsRow {
    /// The log of puts.
    pub(in crate::cloudwatch) puts: u64,
    /// The logs of blocks, from the finest tier on.
    pub(in crate::cloudwatch) tiers: Vec<u64>,
    /// Puts below this one are in blocks.
    pub(in crate::cloudwatch) next_put: u64,
}

impl PointsRow {
    pub(in crate::cloudwatch) const KEY: &[u8] = b"points";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        kit::rows::check_round_trip(&BlockRow {
            first_s: 1,
            last_s: u32::MAX,
            first_ordinal: 7,
            chunks: vec![0, 9],
            bytes: 1 << 40,
            written_ms: -1,
        });
        kit::rows::check_round_trip(&PointsRow { puts: 1, tiers: vec![2, 3], next_put: 9 });
        assert_eq!(BlockRow::parse_key(&BlockRow::key(2, u64::MAX)), Some((2, u64::MAX)));
    }
}
