//! The same work on Millweir and its peers in one run, printed as rates and ratios.
//!
//! ```text
//! cargo run --release -p bench-streams                  # every server that is installed
//! cargo run --release -p bench-streams -- --only millweir,redis --seconds 3
//! ```
//!
//! `bench/streams/peers/install` fetches the peers. One thread generates the load, over plain
//! keep-alive HTTP/1.1 with JSON and a signature that no peer checks; Redis gets RESP.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time on real files")]
#![expect(clippy::print_stdout, reason = "the table is the program's answer")]

mod aws;
mod http;
mod load;
mod redis;
mod report;
mod servers;

use anyhow::Result;
use clap::Parser;
use std::time::Duration;

/// Benchmarks Data Streams side by side; every claim it prints is a ratio of this run.
#[derive(Parser)]
struct Args {
    /// Servers to measure, of millweir, kinesalite, kinesis-local, moto, redis.
    #[arg(long, value_delimiter = ',', default_values_t = servers::NAMES.map(String::from))]
    only: Vec<String>,
    /// Length of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// The Millweir program.
    #[arg(long, default_value = "target/release/millweir")]
    millweir: std::path::PathBuf,
    /// Exit with an error when a floor is not reached.
    #[arg(long)]
    floors: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measure_all(&args))?;
    print!("{}", report.render());
    let missed = report.missed_floors();
    for line in &missed {
        println!("below its floor: {line}");
    }
    anyhow::ensure!(!args.floors || missed.is_empty(), "{} floors missed", missed.len());
    Ok(())
}

async fn measure_all(args: &Args) -> Result<report::Report> {
    let length = Duration::from_secs(args.seconds);
    let mut report = report::Report::default();
    for name in servers::NAMES.into_iter().filter(|n| args.only.iter().any(|o| o == n)) {
        let Some(server) = servers::start(name, &args.millweir).await? else {
            eprintln!("{name}: not installed, left out (bench/streams/peers/install)");
            continue;
        };
        eprintln!("{name}: measuring");
        let column = match name {
            "redis" => redis::measure(&server, length).await,
            _ => aws::measure(&server, length).await,
        };
        report.add(name, server.durability, column?, server.stop()?);
    }
    if args.only.iter().any(|o| o == "millweir") {
        report.footprint(servers::footprint(&args.millweir).await?);
    }
    Ok(report)
}
