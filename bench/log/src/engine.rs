//! The engine under load.

use crate::{Args, Row, system};
use anyhow::{Context, Result};
use base::Env;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::local::{Local, LoopThread, Options, relay};
use store::{BatchBuilder, Log, LogId, Logs};

/// Time before the measurement, in which the journal grows to the load.
const WARM_UP: Duration = Duration::from_secs(2);

/// What was measured.
pub(crate) struct Measured {
    pub(crate) records_per_second: f64,
    pub(crate) commits_per_second: f64,
    pub(crate) commit_bytes: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// The thread of all producers.
struct Thread {
    lone: bool,
}

impl LoopThread for Thread {
    fn may_block(&self) -> bool {
        self.lone
    }

    fn set_blocked(&self, _: bool) {}
}

/// Runs one row in a new data directory.
pub(crate) async fn run(dir: &Path, args: &Args, row: Row, time: Duration) -> Result<Measured> {
    let env = system::env();
    let options = Options { direct: !args.buffered, ..Options::default() };
    let registry = options.metrics.clone();
    let (local, _) = Local::open(dir, &env, options)?;
    if !args.no_relay {
        tokio::spawn(relay(Thread { lone: row.producers == 1 }));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicBool::new(false));
    let mut producers = Vec::new();
    for n in 0..row.producers {
        let log = local.open(LogId((n % row.logs) as u64 + 1)).await?;
        let (env, stop, count) = (env.clone(), Arc::clone(&stop), Arc::clone(&count));
        let load = Load { records: row.records, bytes: args.bytes, stop, count };
        producers.push(tokio::spawn(produce(log, env, load)));
    }
    env.clock.sleep(WARM_UP).await;
    let before = commits(&registry.render())?;
    count.store(true, Ordering::Relaxed);
    let began = env.clock.monotonic();
    env.clock.sleep(time).await;
    let commits = commits(&registry.render())? - before;
    let seconds = env.clock.monotonic().saturating_sub(began).as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    for producer in producers {
        latencies.append(&mut producer.await??);
    }
    local.close().await?;
    latencies.sort_unstable();
    let records = (latencies.len() * row.records) as f64;
    let frame_bytes = row.records * (args.bytes + 6 + 8) + 64;
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    Ok(Measured {
        records_per_second: records / seconds,
        commits_per_second: commits as f64 / seconds,
        commit_bytes: latencies.len() * frame_bytes / commits.max(1) as usize,
        p50: at(50),
        p99: at(99),
    })
}

/// What a producer does until it is stopped.
struct Load {
    /// Of a batch.
    records: usize,
    /// Of a record.
    bytes: usize,
    stop: Arc<AtomicBool>,
    /// Whether latencies count.
    count: Arc<AtomicBool>,
}

async fn produce(log: Arc<dyn Log>, env: Env, load: Load) -> Result<Vec<Duration>> {
    let Load { records, bytes, stop, count } = load;
    let data = vec![b'x'; bytes];
    let mut latencies = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let counted = count.load(Ordering::Relaxed);
        let began = env.clock.monotonic();
        let mut batch = BatchBuilder::with_capacity(records * (bytes + 14));
        for _ in 0..records {
            batch.push(b"key-0001", &data);
        }
        log.append(batch, None)?.await?;
        if counted {
            latencies.push(env.clock.monotonic().saturating_sub(began));
        }
        // A commit in place never waits, and then no other task of the thread would run.
        tokio::task::yield_now().await;
    }
    Ok(latencies)
}

/// Commits so far, from the metrics that the engine keeps.
fn commits(metrics: &str) -> Result<u64> {
    let name = "millweir_storage_fsync_seconds_count{} ";
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.context("the engine counts its commits")?.parse().context("a count is a number")
}
