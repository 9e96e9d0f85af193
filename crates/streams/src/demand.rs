//! On-demand streams grow with what is written to them: one that refused writes since the last look
//! gets twice its shards, as far as the account may.
//!
//! AWS does so within minutes; it also shrinks a stream that is idle for long, which is left out
//! here: an idle shard costs next to nothing.

use crate::directory::Directory;
use crate::lifecycle;
use crate::limits::Quota;
use crate::rows::{Change, Mode, Status};
use crate::service::Inner;
use crate::stream::{Stream, StreamKey};
use base::Cx;
use std::collections::HashMap;
use std::sync::Arc;

/// Refused writes that were seen, by stream.
#[derive(Default)]
pub(crate) struct Demand(HashMap<StreamKey, u64>);

impl Demand {
    /// Doubles a stream that refused writes since the last look. Never fails: the next look comes.
    pub(crate) async fn meet(&mut self, inner: &Arc<Inner>, stream: &Arc<Stream>) {
        let view = stream.view();
        if view.row.mode != Mode::OnDemand {
            return;
        }
        // Closed shards count too: the sum must not fall when a stream grows.
        let counters = view.shards.iter().filter_map(|shard| shard.metrics.get());
        let refused = counters
            .map(|m| m.write_throttled_bytes.get() + m.write_throttled_records.get())
            .sum::<u64>();
        let before = self.0.insert(stream.key.clone(), refused).unwrap_or(0);
        if refused > before
            && let Err(e) = grow(inner, stream).await
        {
            tracing::info!("on-demand stream {} does not grow: {}", stream.arn, e.message());
        }
    }

    /// Lets go of streams that are no more.
    pub(crate) fn forget_deleted(&mut self, directory: &Directory) {
        self.0.retain(|key, _| directory.get(key.account, &key.region, &key.name).is_some());
    }
}

async fn grow(inner: &Arc<Inner>, stream: &Arc<Stream>) -> crate::errors::Result<()> {
    let _one_at_a_time = inner.control.lock().await;
    let view = stream.view();
    let is_ready = view.row.mode == Mode::OnDemand && view.row.status == Status::Active;
    if stream.is_gone() || !is_ready {
        return Ok(());
    }
    let open = view.open.len() as u32;
    let target = open.saturating_mul(2).min(inner.options.stream_shards_max);
    if target <= open {
        return Ok(());
    }
    let cx = Cx::of_service(stream.key.account, stream.key.region.clone());
    Quota::of(inner, &cx).check_shards(inner, &cx, target - open)?;
    lifecycle::begin(inner, &cx, stream, |row| {
        row.change = Some(Change::Scale { target });
        Ok(())
    })
    .await
}
