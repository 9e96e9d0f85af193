//! Reads: the tip from memory, the rest from segments.

use crate::{Args, system};
use anyhow::Result;
use base::Env;
use std::sync::Arc;
use std::time::Duration;
use store::local::{Local, Options};
use store::{BatchBuilder, Log, LogId, Logs};

/// Records of the log that is read.
const RECORDS: u64 = 200_000;
/// Records of one append and of one read.
const STEP: usize = 500;

/// Prints records per second of one reader, from memory and from segments.
pub(crate) async fn run(args: &Args, time: Duration) -> Result<()> {
    for (name, cache_bytes_max) in [("memory", 1 << 30), ("segments", 0)] {
        let env = system::env();
        let dir = tempfile::tempdir_in(&args.dir)?;
        let options = Options { cache_bytes_max, ..Options::default() };
        let (local, _) = Local::open(dir.path(), &env, options.clone())?;
        fill(&local.open(LogId(1)).await?, args.bytes).await?;
        let local = if cache_bytes_max == 0 {
            local.close().await?;
            drop(local);
            Local::open(dir.path(), &env, options)?.0
        } else {
            local
        };
        let rate = read(&local.open(LogId(1)).await?, &env, time).await?;
        println!("read from {name}: {rate:.0} records/s, one reader, {STEP} at a time");
    }
    Ok(())
}

async fn fill(log: &Arc<dyn Log>, bytes: usize) -> Result<()> {
    let data = vec![b'x'; bytes];
    for _ in 0..RECORDS / STEP as u64 {
        let mut batch = BatchBuilder::with_capacity(STEP * (bytes + 14));
        for _ in 0..STEP {
            batch.push(b"key-0001", &data);
        }
        log.append(batch, None)?.await?;
    }
    Ok(())
}

async fn read(log: &Arc<dyn Log>, env: &Env, time: Duration) -> Result<f64> {
    let began = env.clock.monotonic();
    let (mut at, mut records) = (0, 0);
    while env.clock.monotonic().saturating_sub(began) < time {
        let read = log.read(at % RECORDS, STEP, 10 << 20).await?;
        at = read.next_ordinal;
        records += read.records.len();
    }
    let took = env.clock.monotonic().saturating_sub(began);
    Ok(records as f64 / took.as_secs_f64())
}
