//! What expires: records, then the closed shards that held them.
//!
//! ```text
//! each period: horizon -> Log::trim of every shard -> closed shards before it leave the catalog
//! ```
//!
//! Trimming hides; only the engine and the removal of a shard free bytes. Both go by the time that
//! stamps records, which no wrong wall clock moves (`base::env::ClockGuard`): what expires cannot
//! be brought back.

use crate::errors::Result;
use crate::lifecycle::take_shards;
use crate::rows::{ShardRow, StreamRow};
use crate::service::Inner;
use crate::stream::{Stream, StreamView};
use crate::texts;
use base::env::ClockGuard;
use std::sync::Arc;
use store::Transaction;

const HOUR_MS: i64 = 3_600_000;

/// Hides and frees what has expired of a stream. Never fails: the next look comes.
pub(crate) async fn keep(inner: &Arc<Inner>, stream: &Stream) {
    trim(inner, stream);
    if let Err(e) = drop_expired(inner, stream).await {
        tracing::warn!(kind = ?e.kind(), "expired shards stay until later: {e}");
    }
}

/// Arrival time before which a stream's records are gone: retention, what was gone before retention
/// was extended, and the stream's own beginning.
pub(crate) fn horizon_ms(row: &StreamRow, guard: &ClockGuard) -> i64 {
    let kept_ms = i64::from(row.retention_hours) * HOUR_MS;
    // A mark from a time that has not come is one of a clock that was ahead.
    let trimmed_ms = if row.trimmed_ms <= guard.now_ms() { row.trimmed_ms } else { i64::MIN };
    guard.horizon_ms(kept_ms).max(trimmed_ms).max(row.created_ms)
}

/// Whether a shard's records have all expired, and it with them.
pub(crate) fn is_expired(row: &ShardRow, horizon_ms: i64) -> bool {
    row.closed.as_ref().is_some_and(|closed| closed.at_ms < horizon_ms)
}

/// Checks a `RetentionPeriodHours`, which the model leaves open.
///
/// # Errors
/// `InvalidArgument` below 24 or above 8,760 hours.
pub(crate) fn check_hours(hours: i32) -> Result<u32> {
    let (min, max) = (StreamRow::RETENTION_HOURS_MIN, StreamRow::RETENTION_HOURS_MAX);
    match u32::try_from(hours) {
        Ok(hours) if (min..=max).contains(&hours) => Ok(hours),
        Ok(above) if above > max => Err(texts::retention_above(hours, max)),
        _ => Err(texts::retention_below(hours, min)),
    }
}

/// Hides expired records of all shards.
pub(crate) fn trim(inner: &Inner, stream: &Stream) {
    let view = stream.view();
    let horizon_ms = horizon_ms(&view.row, &inner.guard);
    // Everything arrived after the stream was made, unless the clock was set back.
    if horizon_ms > view.row.created_ms {
        for shard in &view.shards {
            shard.log.trim(horizon_ms);
        }
    }
}

/// Takes expired shards out of the catalog and frees their logs.
async fn drop_expired(inner: &Arc<Inner>, stream: &Stream) -> store::Result<()> {
    let horizon_ms = horizon_ms(&stream.view().row, &inner.guard);
    if !stream.view().shards.iter().any(|shard| is_expired(&shard.row, horizon_ms)) {
        return Ok(());
    }
    let _one_at_a_time = inner.changes.lock().await;
    if stream.is_gone() {
        return Ok(());
    }
    let view = stream.view();
    let (gone, kept): (Vec<_>, Vec<_>) =
        view.shards.iter().cloned().partition(|shard| is_expired(&shard.row, horizon_ms));
    let mut transaction = Transaction::default();
    take_shards(transaction.frees_room(), stream, &gone);
    inner.store.commit(transaction).await?;
    stream.replace(StreamView::new(view.row.clone(), kept));
    for shard in gone {
        inner.metrics.forget_shard(&stream.key, &shard);
    }
    Ok(())
}
