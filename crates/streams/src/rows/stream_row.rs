//! `stream/<account>/<region>/<name>`: everything of a stream but its shards, consumers, tags and
//! policy.

use crate::stream::StreamKey;
use base::{AccountId, Region};
use serde::{Deserialize, Serialize};

/// A stream as stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct StreamRow {
    pub(crate) created_ms: i64,
    pub(crate) status: Status,
    pub(crate) mode: Mode,
    pub(crate) retention_hours: u32,
    /// `None` = not encrypted.
    pub(crate) encryption: Option<Encryption>,
    pub(crate) record_kib_max: u32,
    /// `true` = `AUTO`: records may come without a partition key.
    pub(crate) auto_distribution: bool,
    /// AWS's metric names, as asked for.
    pub(crate) monitoring: Vec<String>,
    pub(crate) warm_mibps: Option<u32>,
    /// Index of the next shard.
    pub(crate) next_shard: u32,
    /// Consumers are created after this second: that of the newest one that was deregistered, or
    /// the last of a stream that had the name before.
    pub(crate) consumer_s: i64,
    /// What turns `UPDATING` into `ACTIVE`; finished after a restart.
    pub(crate) change: Option<Change>,
    /// When the shard count was updated, epoch ms, last 24 h.
    pub(crate) scaled_ms: Vec<i64>,
    /// When the key was changed, epoch ms, last 24 h.
    pub(crate) rekeyed_ms: Vec<i64>,
    /// When the mode was switched, epoch ms, last 24 h.
    pub(crate) switched_ms: Vec<i64>,
    /// Records that arrived before this are gone, however long retention is now: extending it
    /// brings nothing back (model).
    pub(crate) trimmed_ms: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Mode {
    Provisioned,
    OnDemand,
}

/// Under what new records are encrypted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Encryption {
    /// The `KeyId` the client gave.
    pub(crate) key_id: String,
    /// What the log engine's key ring calls the key; goes with each append.
    pub(crate) data_key: String,
}

/// A change that was acknowledged and is on its way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Change {
    Split {
        shard: u32,
        at: u128,
    },
    Merge {
        lower: u32,
        upper: u32,
    },
    Scale {
        target: u32,
    },
    /// The new encryption, `None` = none any more.
    Encrypt {
        encryption: Option<Encryption>,
    },
    /// The new warm throughput, and how many shards it needs.
    Warm {
        mibps: u32,
        target: u32,
    },
    /// The row already holds the new values; only the status is left to flip.
    Settle,
}

impl Change {
    /// Open shards that it brings to a stream that has `open`; none when it takes some away.
    pub(crate) fn more_shards(&self, open: u32) -> u32 {
        match self {
            Self::Split { .. } => 1,
            Self::Scale { target } | Self::Warm { target, .. } => target.saturating_sub(open),
            Self::Merge { .. } | Self::Encrypt { .. } | Self::Settle => 0,
        }
    }
}

impl StreamRow {
    /// AWS's default maximum record size, and the least there is.
    pub(crate) const RECORD_KIB_MIN: u32 = 1024;

    /// Shards of a stream that was made without a number, and the least of an on-demand one.
    pub(crate) const SHARDS_DEFAULT: u32 = 4;

    /// Shortest retention, and the default.
    pub(crate) const RETENTION_HOURS_MIN: u32 = 24;

    /// Longest retention.
    pub(crate) const RETENTION_HOURS_MAX: u32 = 8760;

    /// The catalog key.
    pub(crate) fn key(stream: &StreamKey) -> Vec<u8> {
        format!("{}{}/{}/{}", Self::PREFIX, stream.account, stream.region, stream.name).into_bytes()
    }

    /// What the keys of all streams start with.
    pub(crate) const PREFIX: &str = "stream/";

    /// The stream that a catalog key names.
    pub(crate) fn parse_key(key: &[u8]) -> Option<StreamKey> {
        let mut parts = std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?.split('/');
        let account = AccountId::parse(parts.next()?).ok()?;
        let region = Region::parse(parts.next()?).ok()?;
        let name = parts.next()?.into();
        parts.next().is_none().then_some(StreamKey { account, region, name })
    }
}

impl Status {
    /// AWS's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let encryption = Some(Encryption { key_id: "alias/a".into(), data_key: "k1".into() });
        let row = StreamRow {
            created_ms: 1,
            status: Status::Updating,
            mode: Mode::OnDemand,
            retention_hours: 24,
            encryption: encryption.clone(),
            record_kib_max: 1024,
            auto_distribution: true,
            monitoring: vec!["ALL".into()],
            warm_mibps: Some(4),
            next_shard: 5,
            consumer_s: 6,
            change: Some(Change::Split { shard: 1, at: u128::MAX }),
            scaled_ms: vec![1],
            rekeyed_ms: vec![2],
            switched_ms: vec![3],
            trimmed_ms: 4,
        };
        super::super::check_round_trip(&row);
        for change in [
            Change::Merge { lower: 1, upper: 2 },
            Change::Scale { target: 3 },
            Change::Warm { mibps: 5, target: 6 },
            Change::Encrypt { encryption },
            Change::Settle,
        ] {
            super::super::check_round_trip(&StreamRow { change: Some(change), ..row.clone() });
        }
        let key = StreamKey::for_tests("s.a-b_c");
        assert_eq!(StreamRow::parse_key(&StreamRow::key(&key)), Some(key));
        assert_eq!(StreamRow::parse_key(b"stream/000000000000/us-east-1/s/x"), None);
    }
}
