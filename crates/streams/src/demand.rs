//! On-demand streams grow with what is written to them: one that refused writes since the last look
//! gets twice its shards, as far as the account may, when what came would have filled half of them.
//!
//! ```text
//! each period: what came for each shard, a shard's worth at most -> sum, against the open shards
//!              -> Scale
//! ```
//!
//! Why a shard's worth at most: a hot partition key fills its shard and none of those that a
//! growth makes, however often it is refused and tried again. It stays throttled, as in AWS.
//!
//! AWS grows within minutes; it also shrinks a stream that is idle for long, which is left out
//! here: an idle shard costs next to nothing.

use crate::admission::{Arrived, WRITE_BYTES, WRITE_RECORDS};
use crate::directory::Directory;
use crate::lifecycle;
use crate::limits::Quota;
use crate::rows::{Change, Mode, Status};
use crate::service::Inner;
use crate::stream::{Stream, StreamKey, StreamView};
use base::Cx;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The last look at each on-demand stream, by stream and its beginning.
#[derive(Default)]
pub(crate) struct Demand(HashMap<(StreamKey, i64), Look>);

/// What had come for each shard by a moment.
struct Look {
    /// Of the monotonic clock.
    at: Duration,
    arrived: HashMap<u32, Arrived>,
}

impl Demand {
    /// Doubles a stream that refused writes since the last look; the first look says only where
    /// to count from. Never fails: the next look comes.
    pub(crate) async fn meet(&mut self, inner: &Arc<Inner>, stream: &Arc<Stream>) {
        let view = stream.view();
        if view.row.mode != Mode::OnDemand {
            return;
        }
        let look = Look::new(&view, inner.env.clock.monotonic());
        let key = (stream.key.clone(), view.row.created_ms);
        let is_short = self.0.get(&key).is_some_and(|before| look.is_short(before, &view));
        self.0.insert(key, look);
        if is_short && let Err(e) = grow(inner, stream).await {
            tracing::info!("on-demand stream {} does not grow: {}", stream.arn, e.message());
        }
    }

    /// Lets go of streams that are no more, or not on-demand any more.
    pub(crate) fn forget_others(&mut self, directory: &Directory) {
        self.0.retain(|(key, created_ms), _| {
            directory.get(key.account, &key.region, &key.name).is_some_and(|stream| {
                let row = &stream.view().row;
                row.created_ms == *created_ms && row.mode == Mode::OnDemand
            })
        });
    }
}

impl Look {
    fn new(view: &StreamView, at: Duration) -> Self {
        let arrived = view.shards.iter().map(|s| (s.row.index, s.writes.lock().arrived()));
        Self { at, arrived: arrived.collect() }
    }

    /// Whether writes were refused since `before` that more shards would have taken.
    fn is_short(&self, before: &Self, view: &StreamView) -> bool {
        let time = self.at.saturating_sub(before.at);
        let (bytes_max, records_max) = (WRITE_BYTES.over(time), WRITE_RECORDS.over(time));
        let mut sum = Arrived::default();
        for (index, now) in &self.arrived {
            let then = before.arrived.get(index).copied().unwrap_or_default();
            sum.bytes += now.bytes.saturating_sub(then.bytes).min(bytes_max);
            sum.records += now.records.saturating_sub(then.records).min(records_max);
            sum.refused += now.refused.saturating_sub(then.refused);
        }
        let open = view.open.len() as u64;
        let is_half_full =
            sum.bytes * 2 >= bytes_max * open || sum.records * 2 >= records_max * open;
        sum.refused > 0 && is_half_full
    }
}

async fn grow(inner: &Arc<Inner>, stream: &Arc<Stream>) -> crate::errors::Result<()> {
    let _one_at_a_time = inner.changes.lock().await;
    let view = stream.view();
    let is_ready = view.row.mode == Mode::OnDemand && view.row.status == Status::Active;
    if stream.is_gone() || !is_ready {
        return Ok(());
    }
    let open = view.open.len() as u32;
    let cx = Cx::of_service(stream.key.account, stream.key.region.clone());
    let quota = Quota::of(inner, &cx);
    let most = (open + quota.shards_left(inner)).min(inner.options.stream_shards_max);
    let target = open.saturating_mul(2).min(most);
    if target <= open {
        // Says which limit that is.
        return quota.check_growth(inner, &cx, open, open + 1);
    }
    lifecycle::begin(inner, &cx, stream, |row| {
        row.change = Some(Change::Scale { target });
        Ok(())
    })
    .await
}
