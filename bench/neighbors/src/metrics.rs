//! Many series with a point a minute each: what a minute of them costs.
//!
//! ```text
//! put each series once -> for each minute: all series again, a thousand a request -> read some
//!   --> processor time of the server a minute, its memory, bytes on the disk a point
//! ```
//!
//! The minutes are those just past, sent as fast as the server takes them: a share of a processor
//! is the time that one minute's points took, over a minute.

use crate::server::Server;
use anyhow::{Context as _, Result};
use api::Timestamp;
use api::cloudwatch::{
    Dimension, GetMetricDataInput, Metric, MetricDataQuery, MetricDatum, MetricStat,
    PutMetricDataInput, StandardUnit, ops,
};
use client::Client;
use std::path::Path;
use std::time::Duration;
use wire::Protocol;

/// Measures many series with a point a minute each.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Series.
    #[arg(long, default_value_t = 10_000)]
    series: usize,
    /// Minutes of points.
    #[arg(long, default_value_t = 60)]
    minutes: i64,
}

const NAMESPACE: &str = "bench";
const DATA_A_REQUEST: usize = 1000;
const MINUTE_MS: i64 = 60_000;

/// # Errors
/// The server does not start, or refuses something.
pub(crate) async fn run(program: &Path, args: &Args) -> Result<()> {
    let clock = client::system_env().clock;
    let server = Server::start(program)?;
    let protocol = Protocol::Json10;
    let config = client::Config { protocol, ..client::Config::new(server.endpoint()) };
    let client = Client::new(config)?;
    let now_ms = clock.now_ms();
    let last_ms = now_ms - now_ms.rem_euclid(MINUTE_MS);
    let first_ms = last_ms - args.minutes * MINUTE_MS;
    let resident_before = server.resident_bytes()?;
    put(&client, args.series, first_ms).await?;
    let (began, began_cpu) = (clock.monotonic(), server.processor_time()?);
    for minute in 1..args.minutes {
        put(&client, args.series, first_ms + minute * MINUTE_MS).await?;
    }
    let took = clock.monotonic().saturating_sub(began);
    let minutes = (args.minutes - 1).max(1) as f64;
    let cpu = server.processor_time()?.saturating_sub(began_cpu).as_secs_f64() / minutes;
    println!(
        "{} series, {} minutes: {:.0} points/s; a minute of them takes {:.0} ms of the server's \
         processor, {:.2} % of one",
        args.series,
        args.minutes,
        args.series as f64 * minutes / took.as_secs_f64(),
        cpu * 1000.0,
        cpu / 60.0 * 100.0,
    );
    let resident = server.resident_bytes()?.saturating_sub(resident_before);
    println!("memory: {} MiB more than before the first point", resident >> 20);
    let bytes = server.segment_bytes()?;
    let points = args.series as f64 * args.minutes as f64;
    println!("disk: {:.1} bytes a point, the log of puts included", bytes as f64 / points);
    let began = clock.monotonic();
    let values = read(&client, (first_ms, last_ms)).await?;
    let took = clock.monotonic().saturating_sub(began);
    println!("100 series over {} minutes: {values} values in {took:?}", args.minutes);
    Ok(())
}

fn metric(series: usize) -> (String, Vec<Dimension>) {
    let dimension =
        |name: &str, value: String| Dimension { name: name.into(), value: value.into() };
    let shard = dimension("ShardId", format!("shardId-{:012}", series % 100));
    let operation = dimension("Operation", "ProcessTask".into());
    (format!("Metric{}", series / 100), vec![operation, shard])
}

async fn put(client: &Client, series: usize, at_ms: i64) -> Result<()> {
    let all: Vec<usize> = (0..series).collect();
    for some in all.chunks(DATA_A_REQUEST) {
        let datum = |series: &usize| {
            let (name, dimensions) = metric(*series);
            MetricDatum {
                metric_name: name.into(),
                dimensions: Some(dimensions),
                timestamp: Some(Timestamp(at_ms)),
                value: Some(((at_ms / MINUTE_MS * 31 + *series as i64) % 977) as f64),
                unit: Some(StandardUnit::Count),
                ..MetricDatum::default()
            }
        };
        let input = PutMetricDataInput {
            namespace: NAMESPACE.into(),
            metric_data: Some(some.iter().map(datum).collect()),
            ..PutMetricDataInput::default()
        };
        client.call::<ops::PutMetricData>(&input).await?;
    }
    Ok(())
}

async fn read(client: &Client, (from_ms, to_ms): (i64, i64)) -> Result<usize> {
    let query = |series: usize| {
        let (name, dimensions) = metric(series);
        let metric = Metric {
            namespace: Some(NAMESPACE.into()),
            metric_name: Some(name.into()),
            dimensions: Some(dimensions),
        };
        let stat = MetricStat { metric, period: 60, stat: "Sum".into(), unit: None };
        MetricDataQuery {
            id: format!("m{series}").into(),
            metric_stat: Some(stat),
            ..MetricDataQuery::default()
        }
    };
    let input = GetMetricDataInput {
        metric_data_queries: (0..100).map(query).collect(),
        start_time: Timestamp(from_ms),
        end_time: Timestamp(to_ms + MINUTE_MS),
        ..GetMetricDataInput::default()
    };
    let answer = client.call::<ops::GetMetricData>(&input).await?;
    let results = answer.metric_data_results.context("results")?;
    Ok(results.iter().map(|result| result.values.as_ref().map_or(0, Vec::len)).sum())
}

/// Clock ticks of a second, as Linux counts processor time for everybody.
const TICKS: u64 = 100;

impl Server {
    /// What the server's process has computed until now.
    fn processor_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        let (_, fields) = stat.rsplit_once(')').context("its name")?;
        let ticks =
            |at: usize| fields.split_whitespace().nth(at).and_then(|n| n.parse::<u64>().ok());
        let ticks = ticks(11).zip(ticks(12)).context("its times")?;
        Ok(Duration::from_millis((ticks.0 + ticks.1) * 1000 / TICKS))
    }

    fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    }
}
