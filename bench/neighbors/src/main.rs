//! What the neighbours' services cost, in one run each.
//!
//! `cargo run --release -p bench-neighbors -- leases --leases 100000 --seconds 10`
//! `cargo run --release -p bench-neighbors -- metrics --series 10000 --minutes 60`

#![expect(clippy::print_stdout, reason = "its output is a table for people")]

mod leases;
mod metrics;
mod server;

use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;

/// Measures what leases and metrics cost.
#[derive(Parser, Debug)]
struct Args {
    /// The program.
    #[arg(long, default_value = "target/release/millweir", global = true)]
    millweir: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// A table of leases that are renewed all the time, beside a stream that is written
    Leases(leases::Args),
    /// Many series with a point a minute each
    Metrics(metrics::Args),
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    match &args.what {
        What::Leases(leases) => leases::run(&args.millweir, leases).await,
        What::Metrics(metrics) => metrics::run(&args.millweir, metrics).await,
    }
}
