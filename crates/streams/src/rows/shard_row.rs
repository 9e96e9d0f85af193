//! `shard/<account>/<region>/<stream>/<index>`: a shard's place in its stream.

use crate::hash::HashRange;
use crate::stream::StreamKey;
use serde::{Deserialize, Serialize};
use store::LogId;

/// A shard as stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ShardRow {
    /// Number within the stream, never reused.
    pub(crate) index: u32,
    /// Name of its log in the store.
    pub(crate) log_id: u64,
    /// Both ends inclusive.
    pub(crate) range: HashRange,
    /// Epoch second that its sequence numbers start with; later than every parent's.
    pub(crate) created_s: i64,
    /// When it began to take records, in milliseconds since the epoch; its parents closed then.
    pub(crate) opened_ms: i64,
    /// The shard it was split or merged from.
    pub(crate) parent: Option<u32>,
    /// The other shard it was merged from.
    pub(crate) adjacent_parent: Option<u32>,
    /// Set once it takes no more records.
    pub(crate) closed: Option<Closed>,
}

/// How a shard ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Closed {
    /// When, in milliseconds since the epoch.
    pub(crate) at_ms: i64,
    /// One past its last record.
    pub(crate) next_ordinal: u64,
    /// The shards that took over its hash keys.
    pub(crate) children: Vec<u32>,
}

impl ShardRow {
    /// What the keys of all shards start with.
    pub(crate) const PREFIX: &str = "shard/";

    /// The catalog key.
    pub(crate) fn key(stream: &StreamKey, index: u32) -> Vec<u8> {
        format!("{}{index:010}", Self::prefix(stream)).into_bytes()
    }

    /// What the keys of a stream's shards start with.
    pub(crate) fn prefix(stream: &StreamKey) -> String {
        format!("{}{}/{}/{}/", Self::PREFIX, stream.account, stream.region, stream.name)
    }

    /// Its log.
    pub(crate) fn log(&self) -> LogId {
        LogId(self.log_id)
    }

    /// The shards it was made from.
    pub(crate) fn parents(&self) -> impl Iterator<Item = u32> {
        self.parent.into_iter().chain(self.adjacent_parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let row = ShardRow {
            index: 3,
            log_id: 9,
            range: HashRange { start: 1, end: u128::MAX },
            created_s: 17,
            opened_ms: 16_999,
            parent: Some(1),
            adjacent_parent: Some(2),
            closed: Some(Closed { at_ms: 5, next_ordinal: 6, children: vec![7, 8] }),
        };
        super::super::check_round_trip(&row);
        super::super::check_round_trip(&ShardRow { closed: None, parent: None, ..row });
        let key = ShardRow::key(&StreamKey::for_tests("s"), 12);
        assert_eq!(key, b"shard/000000000000/us-east-1/s/0000000012");
    }
}
