//! Durable appends of the local engine beside the raw disk, in one run.
//!
//! ```text
//! for each row: producers append and wait --> records/s, latencies, mean commit
//!               then pwrite + fdatasync of that commit size on a zero-written file --> ratio
//! ```
//!
//! `cargo run --release -p bench-log -- --seconds 3 --dir /some/disk`

#![expect(clippy::print_stdout, reason = "its output is a table for people")]

mod engine;
mod idle;
mod raw;
mod reads;
mod system;

use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Measures durable appends against the raw disk.
#[derive(Parser, Debug)]
struct Args {
    /// Seconds per row and measurement.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Directory on the disk to measure; a new directory is made in it and removed.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Bytes of a record's data.
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// Journal through the page cache.
    #[arg(long)]
    buffered: bool,
    /// Without the task that passes wake-ups on, and without commits on the appending thread.
    #[arg(long)]
    no_relay: bool,
    /// Only rows whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Producers that each append so many records at a time, over so many logs.
#[derive(Clone, Copy, Debug)]
struct Row {
    producers: usize,
    records: usize,
    logs: usize,
}

const ROWS: [Row; 5] = [
    Row { producers: 1, records: 1, logs: 1 },
    Row { producers: 64, records: 1, logs: 8 },
    Row { producers: 256, records: 1, logs: 64 },
    Row { producers: 16, records: 100, logs: 8 },
    Row { producers: 8, records: 500, logs: 8 },
];

fn main() -> Result<()> {
    let args = Args::parse();
    // As in the program each loop that appends is one thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let time = Duration::from_secs(args.seconds);
    println!("durable appends of {}-byte records, fdatasync before each answer", args.bytes);
    println!(
        "{:>10} {:>11} {:>9} {:>9} {:>9} {:>10} {:>11} {:>11} {:>6}",
        "row",
        "records/s",
        "p50 us",
        "p99 us",
        "commits/s",
        "commit KiB",
        "raw syncs/s",
        "raw rec/s",
        "ratio"
    );
    appends(&args, &runtime, time)?;
    if args.only.is_empty() || args.only == "reads" {
        runtime.block_on(reads::run(&args, time))?;
    }
    if args.only.is_empty() || args.only == "idle" {
        runtime.block_on(idle::run(&args))?;
    }
    Ok(())
}

fn appends(args: &Args, runtime: &tokio::runtime::Runtime, time: Duration) -> Result<()> {
    for row in ROWS {
        let name = format!("{}x{}", row.producers, row.records);
        if !name.contains(&args.only) {
            continue;
        }
        let dir = tempfile::tempdir_in(&args.dir)?;
        let ours = runtime.block_on(engine::run(dir.path(), args, row, time))?;
        drop(dir);
        let dir = tempfile::tempdir_in(&args.dir)?;
        let raw = raw::run(dir.path(), ours.commit_bytes, time, !args.buffered)?;
        let raw_records = raw.syncs_per_second * ours.records_per_second / ours.commits_per_second;
        println!(
            "{name:>10} {:>11.0} {:>9.0} {:>9.0} {:>9.0} {:>10.1} {:>11.0} {:>11.0} {:>6.2}",
            ours.records_per_second,
            ours.p50.as_micros(),
            ours.p99.as_micros(),
            ours.commits_per_second,
            ours.commit_bytes as f64 / 1024.0,
            raw.syncs_per_second,
            raw_records,
            ours.records_per_second / raw_records,
        );
    }
    Ok(())
}
