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

/// Refused writes that were seen, by stream and its beginning, and by shard.
#[derive(Default)]
pub(crate) struct Demand(HashMap<(StreamKey, i64), HashMap<u32, u64>>);

impl Demand {
    /// Doubles a stream that refused writes since the last look. Never fails: the next look comes.
    pub(crate) async fn meet(&mut self, inner: &Arc<Inner>, stream: &Arc<Stream>) {
        let view = stream.view();
        if view.row.mode != Mode::OnDemand {
            return;
        }
        let seen = self.0.entry((stream.key.clone(), view.row.created_ms)).or_default();
        let before = std::mem::take(seen);
        for shard in &view.shards {
            let Some(m) = shard.metrics.get() else { continue };
            let refused = m.write_throttled_bytes.get() + m.write_throttled_records.get();
            seen.insert(shard.row.index, refused);
        }
        let news = seen.iter().any(|(index, n)| *n > before.get(index).copied().unwrap_or(0));
        if news && let Err(e) = grow(inner, stream).await {
            tracing::info!("on-demand stream {} does not grow: {}", stream.arn, e.message());
        }
    }

    /// Lets go of streams that are no more.
    pub(crate) fn forget_deleted(&mut self, directory: &Directory) {
        self.0.retain(|(key, created_ms), _| {
            let stream = directory.get(key.account, &key.region, &key.name);
            stream.is_some_and(|stream| stream.view().row.created_ms == *created_ms)
        });
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
    let cx = Cx::of_service(stream.key.account, stream.key.region.clone());
    let quota = Quota::of(inner, &cx);
    let most = (open + quota.shards_left(inner)).min(inner.options.stream_shards_max);
    let target = open.saturating_mul(2).min(most);
    if target <= open {
        // Says which limit that is.
        return quota.check_growth(inner, &cx, (open, open + 1));
    }
    lifecycle::begin(inner, &cx, stream, |row| {
        row.change = Some(Change::Scale { target });
        Ok(())
    })
    .await
}
