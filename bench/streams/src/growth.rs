//! How one server does as its shards grow in number: rate, worst acknowledgement, memory, open
//! files and the restart after a kill.

use crate::load::Sample;
use crate::servers::{self, memory};
use crate::{aws, quiet};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

const SHARDS: [usize; 5] = [1, 4, 100, 1_000, 10_000];
/// Largest stream; more shards are more streams.
const STREAM_SHARDS_MAX: usize = 1_000;
/// How long records are written to each number of shards.
const WRITING: Duration = Duration::from_secs(5);

/// Prints a row for each number of shards; each has a data directory of its own.
pub(crate) async fn run(millweir: &Path) -> Result<()> {
    println!(
        "PutRecords 500 x 1 KiB over 8 connections for {} s, keys over all shards\n{:>7} {:>12} \
         {:>12} {:>12} {:>10} {:>10} {:>16}",
        WRITING.as_secs(),
        "shards",
        "records/s",
        "p99 ack",
        "worst ack",
        "memory",
        "files",
        "start after kill"
    );
    for shards in SHARDS {
        let folder = servers::folder(&format!("growth-{shards}"))?;
        let row = measure(millweir, &folder, shards).await;
        std::fs::remove_dir_all(&folder).ok();
        println!("{}", row.with_context(|| format!("{shards} shards"))?);
    }
    Ok(())
}

async fn measure(millweir: &Path, folder: &Path, shards: usize) -> Result<String> {
    let (child, port, _) = servers::ready(servers::unlimited(millweir, folder, "0"))?;
    let mut server = Running(child);
    let streams = shards.div_ceil(STREAM_SHARDS_MAX);
    for index in 0..streams {
        aws::create_with(port, &name(index), shards / streams).await?;
    }
    quiet::wait().await?;
    let names: Vec<String> = (0..streams).map(name).collect();
    let written = aws::put_records(port, &names, WRITING).await?;
    let sum = Sample::sum([&written]);
    let pid = server.0.id();
    let bytes = memory(pid, "VmHWM:")?;
    let files = std::fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    server.0.kill()?;
    server.0.wait()?;
    let (child, _, start) = servers::ready(servers::unlimited(millweir, folder, "0"))?;
    server = Running(child);
    servers::stop_cleanly(&mut server.0)?;
    let ms = |part| sum.latency(part).as_secs_f64() * 1e3;
    Ok(format!(
        "{shards:>7} {:>12.0} {:>9.1} ms {:>9.1} ms {:>6} MiB {files:>10} {:>13.0} ms",
        sum.rate(),
        ms(0.99),
        ms(1.0),
        bytes >> 20,
        start.as_secs_f64() * 1e3
    ))
}

fn name(index: usize) -> String {
    format!("growth-{index}")
}

/// Ended with what measures it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            self.0.kill().ok();
            self.0.wait().ok();
        }
    }
}
