//! What expires: records, then the closed shards that held them.
//!
//! ```text
//! each period: horizon -> Log::trim of every shard -> closed shards before it leave the catalog
//! ```
//!
//! Trimming hides; only the engine and the removal of a shard free bytes. Both wait out a wall
//! clock that jumped ahead, since what it would expire cannot be brought back.

use crate::errors::Result;
use crate::lifecycle::schedule_removal;
use crate::rows::{self, Removal, ShardRow, StreamRow};
use crate::service::Inner;
use crate::stream::{Stream, StreamView};
use crate::texts;
use base::env::Clock;
use std::sync::Arc;
use std::time::Duration;
use store::Transaction;

const HOUR_MS: i64 = 3_600_000;

/// How far the wall clock may run ahead of the monotonic one between two looks.
const JUMP_MS: i64 = HOUR_MS / 4;

/// How long nothing expires after a jump: time for an owner to set the clock right.
const PAUSE: Duration = Duration::from_hours(1);

/// Hides and frees what has expired of a stream. Never fails: the next look comes.
pub(crate) async fn keep(inner: &Arc<Inner>, stream: &Stream) {
    trim(inner, stream);
    if let Err(e) = drop_expired(inner, stream).await {
        tracing::warn!(kind = ?e.kind(), "expired shards stay until later: {e}");
    }
}

/// Now, for what expires: the wall clock, unless it jumped ahead. See [`ClockGuard`].
pub(crate) fn now_ms(inner: &Inner) -> i64 {
    inner.guard.lock().now_ms(&*inner.env.clock)
}

/// Arrival time before which a stream's records are gone: retention, what was gone before retention
/// was extended, and the stream's own beginning.
pub(crate) fn horizon_ms(row: &StreamRow, now_ms: i64) -> i64 {
    let kept_ms = i64::from(row.retention_hours) * HOUR_MS;
    // A mark from a time that has not come is one of a clock that was ahead.
    let trimmed_ms = if row.trimmed_ms <= now_ms { row.trimmed_ms } else { i64::MIN };
    (now_ms - kept_ms).max(trimmed_ms).max(row.created_ms)
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
    let horizon_ms = horizon_ms(&view.row, now_ms(inner));
    // Everything arrived after the stream was made, unless the clock was set back.
    if horizon_ms > view.row.created_ms {
        for shard in &view.shards {
            shard.log.trim(horizon_ms);
        }
    }
}

/// Takes expired shards out of the catalog and frees their logs.
async fn drop_expired(inner: &Arc<Inner>, stream: &Stream) -> store::Result<()> {
    let horizon_ms = horizon_ms(&stream.view().row, now_ms(inner));
    if !stream.view().shards.iter().any(|shard| is_expired(&shard.row, horizon_ms)) {
        return Ok(());
    }
    let _one_at_a_time = inner.control.lock().await;
    if stream.is_gone() {
        return Ok(());
    }
    let view = stream.view();
    let (gone, kept): (Vec<_>, Vec<_>) =
        view.shards.iter().cloned().partition(|shard| is_expired(&shard.row, horizon_ms));
    let removals: Vec<_> = gone.iter().map(|shard| Removal::of(shard.row.log())).collect();
    let mut transaction = Transaction::default();
    for (shard, removal) in gone.iter().zip(&removals) {
        transaction.remove(ShardRow::key(&stream.key, shard.row.index));
        rows::put(&mut transaction, removal.key(), removal);
    }
    inner.catalog.commit(transaction).await?;
    stream.replace(StreamView::new(view.row.clone(), kept));
    for shard in gone {
        inner.metrics.forget_shard(&stream.key, &shard);
    }
    for removal in removals {
        schedule_removal(inner, removal);
    }
    Ok(())
}

/// Notices a wall clock that jumped ahead while the process ran.
pub(crate) struct ClockGuard {
    wall_ms: i64,
    monotonic: Duration,
    /// Nothing expires before this.
    paused_until: Duration,
    /// The last time that was trusted, and when that was.
    trusted: (i64, Duration),
}

impl ClockGuard {
    /// Trusts the clock as it is.
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        let (wall_ms, monotonic) = (clock.now_ms(), clock.monotonic());
        Self { wall_ms, monotonic, paused_until: Duration::ZERO, trusted: (wall_ms, monotonic) }
    }

    /// Whether something may expire by the wall clock now.
    pub(crate) fn trusts(&mut self, clock: &dyn Clock) -> bool {
        let (wall_ms, monotonic) = (clock.now_ms(), clock.monotonic());
        let passed_ms = monotonic.saturating_sub(self.monotonic).as_millis() as i64;
        if wall_ms - self.wall_ms - passed_ms > JUMP_MS {
            self.paused_until = monotonic + PAUSE;
            tracing::warn!("the wall clock jumped ahead: nothing expires for an hour");
        }
        (self.wall_ms, self.monotonic) = (wall_ms, monotonic);
        let trusted = monotonic >= self.paused_until;
        if trusted {
            self.trusted = (wall_ms, monotonic);
        }
        trusted
    }

    /// The wall clock's time, or while it is not trusted what it would be had it not jumped.
    pub(crate) fn now_ms(&mut self, clock: &dyn Clock) -> i64 {
        if self.trusts(clock) {
            return self.wall_ms;
        }
        let (trusted_ms, then) = self.trusted;
        let passed = self.monotonic.saturating_sub(then).as_millis() as i64;
        // Once the clock is set back it is right again, though not yet trusted.
        self.wall_ms.min(trusted_ms + passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;

    struct SetClock(Mutex<(i64, u64)>);

    impl Clock for SetClock {
        fn now_ms(&self) -> i64 {
            self.0.lock().0
        }
        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.lock().1)
        }
        fn sleep(&self, _: Duration) -> base::env::Sleep {
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn a_clock_that_jumps_ahead_is_not_trusted_for_an_hour() {
        let clock = SetClock(Mutex::new((0, 0)));
        let mut guard = ClockGuard::new(&clock);
        let mut at = |wall_ms, s| {
            *clock.0.lock() = (wall_ms, s);
            guard.trusts(&clock)
        };
        assert!(at(10_000, 10));
        assert!(at(10_000 + JUMP_MS, 10), "a small step is no jump");
        assert!(!at(9_000_000_000, 20));
        assert!(!at(9_000_010_000, 30));
        assert!(at(9_003_600_000, 20 + 3600));
        assert!(at(0, 20 + 3610), "a clock set back expires nothing");
    }

    #[test]
    fn time_goes_on_beside_a_clock_that_is_not_trusted() {
        let clock = SetClock(Mutex::new((0, 0)));
        let mut guard = ClockGuard::new(&clock);
        let mut at = |wall_ms, s| {
            *clock.0.lock() = (wall_ms, s);
            guard.now_ms(&clock)
        };
        assert_eq!(at(10_000, 10), 10_000);
        assert_eq!(at(9_000_000_000, 20), 20_000);
        assert_eq!(at(9_000_010_000, 30), 30_000);
        assert_eq!(at(40_000, 40), 40_000, "set right");
        assert_eq!(at(4_000_000, 4000), 4_000_000, "trusted again");
    }
}
