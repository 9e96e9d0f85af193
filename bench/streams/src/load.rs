//! Closed-loop load: each connection sends its next request when the last one is answered.

use anyhow::Result;
use std::future::Future;
use std::time::{Duration, Instant};

/// What one measurement found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// Units (records or requests) per second.
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Runs one loop per connection until the time is over; a loop reports each step's units.
pub(crate) async fn closed_loop<L, F, S>(count: usize, length: Duration, open: L) -> Result<Sample>
where
    L: Fn(usize) -> F,
    F: Future<Output = Result<S>>,
    S: Step + 'static,
{
    let mut loops = Vec::with_capacity(count);
    for index in 0..count {
        loops.push(open(index).await?);
    }
    let local = tokio::task::LocalSet::new();
    let start = Instant::now();
    let tasks: Vec<_> =
        loops.into_iter().map(|step| local.spawn_local(run(step, start, length))).collect();
    let results = local
        .run_until(async {
            let mut all = Vec::new();
            for task in tasks {
                all.push(task.await?);
            }
            anyhow::Ok(all)
        })
        .await?;
    let took = start.elapsed();
    let mut latencies = Vec::new();
    let mut units = 0;
    for result in results {
        let (n, l) = result?;
        units += n;
        latencies.extend(l);
    }
    Ok(summary(units, took, latencies))
}

/// One connection's next request.
pub(crate) trait Step {
    /// Does one request; returns how many units it moved.
    fn step(&mut self) -> impl Future<Output = Result<u64>>;
}

async fn run(
    mut step: impl Step,
    start: Instant,
    length: Duration,
) -> Result<(u64, Vec<Duration>)> {
    let mut latencies = Vec::with_capacity(100_000);
    let mut units = 0;
    while start.elapsed() < length {
        let before = Instant::now();
        units += step.step().await?;
        latencies.push(before.elapsed());
    }
    Ok((units, latencies))
}

/// Rate and percentiles.
pub(crate) fn summary(units: u64, took: Duration, mut latencies: Vec<Duration>) -> Sample {
    latencies.sort_unstable();
    let at = |part: f64| {
        let last = latencies.len().saturating_sub(1);
        latencies.get((last as f64 * part) as usize).copied().unwrap_or_default()
    };
    Sample { per_second: units as f64 / took.as_secs_f64(), p50: at(0.5), p99: at(0.99) }
}
