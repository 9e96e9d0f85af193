//! What `PutRecord` and `PutRecords` share: checks, the append, refusals, the wait for a reshard.
//!
//! Cost per record beyond the codec: one MD5 of the key (0.14 us for a short one), one copy of the
//! data into the batch, 56 digits rendered (0.05 us), no allocation of its own. Per request and
//! shard touched: one allocation, one lock of the budget, one append.

use crate::admission::Exceeded;
use crate::errors::{Result, fail};
use crate::hash::HashKey;
use crate::rows::StreamRow;
use crate::service::Inner;
use crate::shard::Shard;
use crate::stream::{Stream, StreamView};
use crate::texts::{self, stream_not_found};
use api::kinesis::Error;
use api::{LateViolations, Text};
use base::Cx;
use base::env::Clock;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::{BatchBuilder, Pending};

/// How long a write waits for the shards that take over from a sealed one.
const RESHARD_WAIT: Duration = Duration::from_secs(5);

/// One record of a request, as far as placing it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) data: &'a Bytes,
    pub(crate) partition_key: Option<&'a Text>,
    pub(crate) explicit_hash_key: Option<&'a Text>,
}

impl<'a> Entry<'a> {
    /// The key as it is stored; empty = none.
    pub(crate) fn key(&self) -> &'a str {
        self.partition_key.map_or("", |key| key.as_str())
    }

    /// What limits count.
    pub(crate) fn bytes(&self) -> usize {
        self.data.len() + self.key().len()
    }

    /// Notes what breaks the model's constraints as this stream has them: more data than a record
    /// may have, no partition key. `at`: where the entry stands in the request, as AWS writes it
    /// before a member's name.
    pub(crate) fn note(
        &self,
        row: &StreamRow,
        at: impl Fn() -> String,
        found: &mut LateViolations,
    ) {
        let bytes_max = row.record_kib_max * 1024;
        if self.data.len() > bytes_max as usize {
            found.too_long(|| at() + "data", bytes_max);
        }
        if self.partition_key.is_none() && !row.auto_distribution {
            found.missing(|| at() + "partitionKey");
        }
    }

    /// Refuses what is too long only together.
    ///
    /// # Errors
    /// `InvalidArgument` data and partition key are more than a record of this stream may have.
    pub(crate) fn check_bytes(&self, row: &StreamRow) -> Result<()> {
        let bytes_max = row.record_kib_max as usize * 1024;
        let bytes = self.bytes();
        if bytes <= bytes_max { Ok(()) } else { Err(texts::record_too_long(bytes, bytes_max)) }
    }

    /// The hash key that decides over the shard.
    ///
    /// # Errors
    /// `InvalidArgument` an `ExplicitHashKey` above 2^128 - 1.
    pub(crate) fn hash_key(&self) -> Result<HashKey> {
        let Some(explicit) = self.explicit_hash_key else {
            return Ok(HashKey::of(self.key()));
        };
        HashKey::parse(explicit).ok_or_else(|| texts::hash_key_above(explicit))
    }
}

/// Refuses a request for all that was noted of it.
///
/// # Errors
/// `Validation`.
pub(crate) fn refuse(found: &LateViolations) -> Result<()> {
    found.message().map_or(Ok(()), |message| Err(Error::Validation(message)))
}

/// Appends entries to a shard as one batch, in their order, encrypted as the view says.
///
/// # Errors
/// The log's; one that is at its end was closed by a reshard.
pub(crate) fn append<'a>(
    view: &StreamView,
    shard: &Shard,
    entries: impl Iterator<Item = Entry<'a>> + Clone,
) -> store::Result<Pending> {
    let record_bytes = |entry: Entry<'_>| entry.bytes() + BatchBuilder::RECORD_OVERHEAD_BYTES;
    let mut batch = BatchBuilder::with_capacity(entries.clone().map(record_bytes).sum());
    for entry in entries {
        batch.push(entry.key().as_bytes(), entry.data);
    }
    shard.log.append(batch, view.row.encryption.as_ref().map(|e| e.data_key.as_str()))
}

/// A write that waited for a reshard in vain, or whose stream was deleted meanwhile.
pub(crate) fn late(cx: &Cx, stream: &Stream, e: &store::Error) -> Error {
    if stream.is_gone() { stream_not_found(&stream.key) } else { fail(cx, e) }
}

impl Inner {
    /// The first of `turns` turns in a row.
    pub(crate) fn next_turn(&self, turns: usize) -> usize {
        self.turn.fetch_add(turns, Ordering::Relaxed)
    }
}

impl StreamView {
    /// The open shard whose turn it is; `None` before a stream is active.
    pub(crate) fn open_in_turn(&self, turn: usize) -> Option<&Arc<Shard>> {
        self.open.get(turn.checked_rem(self.open.len())?)
    }
}

/// A stop-watch for writes that meet a sealed shard.
pub(crate) struct Reshard<'a> {
    clock: &'a dyn Clock,
    deadline: Option<Duration>,
}

impl<'a> Reshard<'a> {
    pub(crate) fn new(clock: &'a dyn Clock) -> Self {
        Self { clock, deadline: None }
    }

    /// Waits until the stream shows another view than `seen`; false when it takes too long, counted
    /// from the first wait, or the stream is deleted.
    pub(crate) async fn other_view(&mut self, stream: &Stream, seen: &Arc<StreamView>) -> bool {
        let now = self.clock.monotonic();
        let deadline = *self.deadline.get_or_insert(now + RESHARD_WAIT);
        // Subscribed before the look, so that a change between the two is not missed.
        let mut changes = stream.changes();
        let mut timeout = self.clock.sleep(deadline.saturating_sub(now));
        loop {
            if stream.is_gone() || self.clock.monotonic() >= deadline {
                return false;
            }
            if !Arc::ptr_eq(&stream.view(), seen) {
                return true;
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return false },
                () = &mut timeout => return false,
            }
        }
    }
}

/// Counts refused records.
pub(crate) fn count_throttled(metrics: &crate::metrics::ShardMetrics, by: Exceeded, records: u64) {
    match by {
        Exceeded::Bytes => metrics.write_throttled_bytes.add(records),
        Exceeded::Records | Exceeded::Calls => metrics.write_throttled_records.add(records),
    }
}
