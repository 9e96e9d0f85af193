//! What is done again and again, by two tasks: the server's own numbers and alarms; blocks.
//!
//! ```text
//! every 10 s: alarms with short periods; at the first turn of a minute: own numbers -> points,
//! then all alarms, but of those that look at more than a day only at the first of an hour
//!
//! every 10 s, if an hour began or the head is half full: points -> blocks
//! ```
//!
//! Own numbers come first, so that alarms of a minute see them. Blocks are a task of their own, so
//! that alarms that take long keep nobody's points in memory.

use super::own::Own;
use super::rows::MetricConfig;
use super::service::Inner;
use base::env::Clock;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Time between turns.
const TURN_MS: i64 = 10_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// Alarms with periods below it are looked at in each turn, those that look at more than a day once
/// an hour (AWS's documentation).
const SHORT_PERIOD_S: u32 = 60;
const LONG_SPAN_S: u64 = 86_401;

/// Publishes own numbers and evaluates alarms for as long as the service lives.
pub(super) async fn run(service: Weak<Inner>, clock: Arc<dyn Clock>, mut own: Own) {
    let mut last_ms = match service.upgrade() {
        Some(inner) => {
            inner.catch_up().await;
            inner.now_ms()
        }
        None => return,
    };
    own.skip();
    while let Some((inner, now_ms)) = next_turn(&service, &*clock, last_ms).await {
        turn(&inner, &mut own, (last_ms, now_ms)).await;
        last_ms = now_ms;
    }
}

/// Makes blocks for as long as the service lives.
pub(super) async fn run_rolls(service: Weak<Inner>, clock: Arc<dyn Clock>) {
    let Some(mut last_ms) = service.upgrade().map(|inner| inner.now_ms()) else { return };
    while let Some((inner, now_ms)) = next_turn(&service, &*clock, last_ms).await {
        let is_hour = last_ms.div_euclid(HOUR_MS) != now_ms.div_euclid(HOUR_MS);
        if (is_hour || inner.points.is_half_full())
            && let Err(e) = roll(&inner, now_ms).await
        {
            tracing::warn!(kind = ?e.kind(), "points stay in memory, will try again: {e}");
        }
        last_ms = now_ms;
    }
}

/// Sleeps until the next turn; tells its time.
async fn next_turn(
    service: &Weak<Inner>,
    clock: &dyn Clock,
    last_ms: i64,
) -> Option<(Arc<Inner>, i64)> {
    let pause_ms = TURN_MS - last_ms.rem_euclid(TURN_MS);
    clock.sleep(Duration::from_millis(pause_ms.unsigned_abs())).await;
    let inner = service.upgrade()?;
    let now_ms = inner.now_ms();
    Some((inner, now_ms))
}

async fn turn(inner: &Arc<Inner>, own: &mut Own, (last_ms, now_ms): (i64, i64)) {
    let is_new = |unit_ms: i64| last_ms.div_euclid(unit_ms) != now_ms.div_euclid(unit_ms);
    let is_minute = is_new(MINUTE_MS);
    if is_minute {
        own.publish(inner, now_ms - now_ms.rem_euclid(MINUTE_MS) - MINUTE_MS).await;
    }
    for alarm in inner.alarms.directory.all() {
        let is_due = |metric: &MetricConfig| match metric.span_s() {
            LONG_SPAN_S.. => is_new(HOUR_MS),
            _ => is_minute || metric.period_s() < SHORT_PERIOD_S,
        };
        if alarm.row().metric().is_some_and(is_due)
            && let Err(e) = inner.evaluate(&alarm).await
        {
            tracing::warn!(alarm = %alarm.name, "alarm cannot be evaluated: {e}");
        }
        // One may take long: others' requests come in between.
        tokio::task::yield_now().await;
    }
}

/// Points into blocks; what is too old goes.
async fn roll(inner: &Arc<Inner>, now_ms: i64) -> store::Result<()> {
    inner.see_points();
    inner.points.roll().await?;
    let today = u32::try_from(now_ms / (24 * HOUR_MS)).unwrap_or_default();
    inner.metrics.keep_up(today).await?;
    inner.forget_history().await
}
