//! One shard as the running service holds it.

use crate::admission::{ReadBudget, WriteBudget};
use crate::hash::HashRange;
use crate::metrics::ShardMetrics;
use crate::rows::ShardRow;
use api::Text;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};
use store::Log;

/// An open or closed shard. The row never changes in place: closing a shard makes a new `Shard`
/// that shares log and budgets, inside a new view of the stream.
pub(crate) struct Shard {
    /// What the catalog says.
    pub(crate) row: ShardRow,
    /// `shardId-` and twelve digits.
    pub(crate) id: Text,
    /// The records.
    pub(crate) log: Arc<dyn Log>,
    /// Spent and left of this second's writes.
    pub(crate) writes: Arc<Mutex<WriteBudget>>,
    /// Spent and left of this second's reads.
    pub(crate) reads: Arc<Mutex<ReadBudget>>,
    /// Counters, made at the first record: an idle shard has none.
    pub(crate) metrics: Arc<OnceLock<ShardMetrics>>,
}

impl Shard {
    /// A shard of this row and log, with fresh budgets.
    pub(crate) fn new(row: ShardRow, log: Arc<dyn Log>) -> Self {
        Self {
            id: shard_id(row.index),
            row,
            log,
            writes: Arc::default(),
            reads: Arc::default(),
            metrics: Arc::default(),
        }
    }

    /// The same shard under a new row.
    pub(crate) fn with_row(&self, row: ShardRow) -> Self {
        Self {
            row,
            id: self.id.clone(),
            log: self.log.clone(),
            writes: self.writes.clone(),
            reads: self.reads.clone(),
            metrics: self.metrics.clone(),
        }
    }

    /// The hash keys it owns or owned.
    pub(crate) fn range(&self) -> HashRange {
        self.row.range
    }

    /// When it was made, as its sequence numbers have it: nothing arrives before (observed). A
    /// child is made in the second after its parents', so that its numbers follow theirs, and what
    /// comes sooner is told of as having come then.
    pub(crate) fn created_ms(&self) -> i64 {
        self.row.created_s * 1000
    }

    /// Whether it takes records.
    pub(crate) fn is_open(&self) -> bool {
        self.row.closed.is_none()
    }
}

/// The identifier of a shard: `shardId-` and its index in twelve digits.
pub(crate) fn shard_id(index: u32) -> Text {
    Text::from(format!("shardId-{index:012}"))
}

/// Reads a shard id as AWS does: bare digits, or digits behind the first `-` of anything, name the
/// shard of that number; numbers above 2^31 - 1 name none (observed).
pub(crate) fn parse_shard_id(id: &str) -> Option<u32> {
    let digits = id.split_once('-').map_or(id, |(_, digits)| digits);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|index| i32::try_from(*index).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_ids_are_read_leniently() {
        assert_eq!(shard_id(7), "shardId-000000000007");
        for id in ["shardId-000000000007", "shardId-7", "x-7", "7", "-7", "007"] {
            assert_eq!(parse_shard_id(id), Some(7), "{id}");
        }
        assert_eq!(parse_shard_id("shardId-2147483647"), Some(2_147_483_647));
        for id in ["", "a", "shardId-", "shardId-2147483648", "a-b-7", "7-x", "shardId-+7"] {
            assert_eq!(parse_shard_id(id), None, "{id}");
        }
    }
}
