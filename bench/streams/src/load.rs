//! Closed-loop load: each connection sends its next request when the last one is answered.

use anyhow::Result;
use std::future::Future;
use std::time::{Duration, Instant};

/// One kind of work, which every server is given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Work {
    /// One record of 1 KiB a request, over so many connections.
    PutRecord(usize),
    /// 500 records of 1 KiB a request.
    PutRecords,
    /// Reading from the oldest record on, of records that fit every server's memory.
    GetRecords,
    /// The same from segments on disk, so many records a request; our own server only.
    CatchUp(usize),
    /// From PutRecord to event, one record at a time.
    FanOut,
}

impl Work {
    /// In the order of the table.
    pub(crate) const ALL: [Self; 8] = [
        Self::PutRecord(1),
        Self::PutRecord(16),
        Self::PutRecord(64),
        Self::PutRecords,
        Self::GetRecords,
        Self::CatchUp(10_000),
        Self::CatchUp(2_000),
        Self::FanOut,
    ];
}

/// What a server did in one or more slices of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// Records, requests or events.
    pub(crate) units: u64,
    pub(crate) took: Duration,
    /// Time of the processors that the server took.
    pub(crate) cpu: Duration,
    pub(crate) latencies: Vec<Duration>,
}

impl Sample {
    /// Units per second.
    pub(crate) fn rate(&self) -> f64 {
        self.units as f64 / self.took.as_secs_f64()
    }

    /// Time of the processors for a unit, in microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.units.max(1) as f64
    }

    /// All of them as one.
    pub(crate) fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for one in all {
            sum.units += one.units;
            sum.took += one.took;
            sum.cpu += one.cpu;
            sum.latencies.extend(&one.latencies);
        }
        sum.latencies.sort_unstable();
        sum
    }

    /// The latency that so large a part of them does not exceed; they must be sorted.
    pub(crate) fn latency(&self, part: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * part) as usize).copied().unwrap_or_default()
    }
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
    Ok(Sample { units, took, latencies, ..Sample::default() })
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
