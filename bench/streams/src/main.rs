//! The same work on Millweir and its peers in one run, printed as rates and ratios.
//!
//! ```text
//! cargo run --release -p bench-streams                  # every server that is installed
//! cargo run --release -p bench-streams -- --only millweir,redis --rounds 20
//! cargo run --release -p bench-streams -- --before ../old/target/release/millweir
//! cargo run --release -p bench-streams -- --growth      # one server, from 1 to 10,000 shards
//! ```
//!
//! `bench/streams/peers/install` fetches the peers. One thread generates the load, over plain
//! keep-alive HTTP/1.1 with JSON and a signature that no peer checks; Redis gets RESP.
//!
//! All servers run at once and take turns: a slice of work for each, then the next round, forwards
//! and backwards. A ratio is the median of the rounds' ratios, because the speed of a shared disk
//! changes within minutes by more than what is measured. Each slice waits for a quiet machine, so
//! that no server works off its leftovers in another one's time.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time on real files")]
#![expect(clippy::print_stdout, reason = "the table is the program's answer")]

mod aws;
mod growth;
mod http;
mod load;
mod quiet;
mod redis;
mod report;
mod servers;

use anyhow::Result;
use clap::Parser;
use load::Work;
use std::time::Duration;

/// Benchmarks Data Streams side by side; every claim it prints is a ratio of this run.
#[derive(Parser)]
struct Args {
    /// Servers to measure, of millweir, kinesalite, kinesis-local, moto, ferrokinesis,
    /// ferrokinesis-durable, redis.
    #[arg(long, value_delimiter = ',', default_values_t = servers::NAMES.map(String::from))]
    only: Vec<String>,
    /// Slices of each work for each server.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Length of a slice.
    #[arg(long, default_value_t = 1000)]
    milliseconds: u64,
    /// The Millweir program.
    #[arg(long, default_value = "target/release/millweir")]
    millweir: std::path::PathBuf,
    /// Another Millweir program, to compare with.
    #[arg(long)]
    before: Option<std::path::PathBuf>,
    /// Print instead how one server does with 1, 4, 100, 1,000 and 10,000 shards.
    #[arg(long)]
    growth: bool,
    /// Measure only works with this in their names, as `measuring` tells them.
    #[arg(long, default_value = "")]
    work: String,
    /// Exit with an error when a floor is not reached.
    #[arg(long)]
    floors: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if args.growth {
        return runtime.block_on(growth::run(&args.millweir));
    }
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
    let mut peers = Vec::new();
    let ours = servers::Programs { millweir: args.millweir.clone(), before: args.before.clone() };
    for name in servers::NAMES.into_iter().filter(|n| args.only.iter().any(|o| o == n)) {
        let Some(server) = servers::start(name, &ours).await? else {
            if name != "before" {
                eprintln!("{name}: not installed, left out (bench/streams/peers/install)");
            }
            continue;
        };
        eprintln!("{name}: getting ready");
        server.prepare().await?;
        let column = report::Column::new(name, server.durability);
        peers.push((server, column));
    }
    for work in Work::ALL.into_iter().filter(|w| format!("{w:?}").contains(&args.work)) {
        eprintln!("measuring {work:?}");
        take_turns(&mut peers, work, args).await?;
    }
    let mut report = report::Report::default();
    for (server, column) in peers {
        report.add(column, server.stop()?);
    }
    if args.only.iter().any(|o| o == "millweir") {
        report.footprint(servers::footprint(&args.millweir).await?);
    }
    Ok(report)
}

async fn take_turns(
    peers: &mut [(servers::Server, report::Column)],
    work: Work,
    args: &Args,
) -> Result<()> {
    let length = Duration::from_millis(args.milliseconds);
    // A consumer is registered once.
    let rounds = if work == Work::FanOut { 1 } else { args.rounds };
    let mut order: Vec<usize> = (0..peers.len()).collect();
    for _ in 0..rounds {
        for at in &order {
            let (server, column) = &mut peers[*at];
            if !server.takes(work) {
                continue;
            }
            quiet::wait().await?;
            match server.measure(work, length).await {
                Ok(sample) => column.add(work, sample),
                Err(e) if work == Work::FanOut => eprintln!("{}: no fan-out: {e}", server.name),
                Err(e) => return Err(e.context(server.name)),
            }
        }
        order.reverse();
    }
    Ok(())
}
