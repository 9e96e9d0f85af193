//! `bench`: rates and latencies of one server, bounded in time and records.

mod work;

use super::{connect, stream, temporary_name};
use crate::cli::{BenchArgs, BenchMode};
use crate::config::units;
use crate::exit::Usage;
use crate::latencies::Latencies;
use crate::output::{self, Table};
use crate::stop::Stop;
use anyhow::Result;
use api::kinesis::CreateStreamInput;
use api::limits::kinesis::{ENTRIES_MAX, REQUEST_BYTES_MAX};
use base::env::Clock;
use client::{Client, system_env};
use indicatif::ProgressBar;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};

/// Pause between two looks at how far a run is.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);
/// Largest record there can be, and the most bytes of one PutRecords call.
const SIZE_MAX: u64 = REQUEST_BYTES_MAX as u64;
/// Data of one PutRecords call when nobody says how many records it has: half of what a call takes.
const BATCH_BYTES: u64 = SIZE_MAX / 2;
/// Longest key that the workers make.
const KEY_BYTES: u64 = 32;

pub(super) async fn run(args: BenchArgs) -> Result<()> {
    let batch = check(&args).map_err(Usage)?;
    let client = connect(&args.client)?;
    let mut stop = Stop::listen()?;
    let stream = args.stream.clone().unwrap_or_else(|| temporary_name("bench"));
    if args.stream.is_none() {
        let input = CreateStreamInput {
            stream_name: stream.as_str().into(),
            shard_count: Some(args.shards),
            max_record_size_in_kib: record_kib_max(args.size),
            ..CreateStreamInput::default()
        };
        stop.patiently("the stream", stream::create_stream(&client, &input)).await??;
    }
    let done = match stop.seen() {
        Some(stopped) => Err(stopped.into()),
        None => tokio::select! {
            done = measure(&client, &stream, &args, batch) => done,
            // Not at once: the stream made above must not be left behind.
            stopped = stop.next() => Err(stopped.into()),
        },
    };
    let deleted = match args.stream {
        None => {
            let deleting = stream::delete_stream(&client, &stream, true);
            stop.patiently("the stream to be deleted", deleting).await?
        }
        Some(_) => Ok(()),
    };
    report(&args, &done?)?;
    deleted
}

/// Gives the records of one PutRecords call, or says what cannot be measured.
fn check(args: &BenchArgs) -> Result<u64, String> {
    if !(1..=SIZE_MAX - KEY_BYTES).contains(&args.size) {
        return Err(format!(
            "a record has 1 byte to 10 MiB, {KEY_BYTES} bytes for its key included"
        ));
    }
    if args.records == 0 {
        return Err("--records is at least 1".into());
    }
    let Some(batch) = args.batch.map(u64::from) else {
        return Ok((BATCH_BYTES / args.size).clamp(1, ENTRIES_MAX as u64));
    };
    let batch_max = SIZE_MAX / (args.size + KEY_BYTES);
    if args.mode == BenchMode::PutRecord || batch <= batch_max {
        return Ok(batch);
    }
    Err(format!(
        "{batch} records of {} and their keys are more than the 10 MiB of one PutRecords call: \
         --batch is at most {batch_max} here",
        units::bytes_text(args.size)
    ))
}

/// What the created stream must be set to; nothing when its default will do.
fn record_kib_max(size: u64) -> Option<i32> {
    let kib = (size + KEY_BYTES).div_ceil(1024);
    (kib > 1024).then(|| i32::try_from(kib.min(SIZE_MAX >> 10)).unwrap_or(i32::MAX))
}

/// What one worker, or all of them, did.
#[derive(Default)]
struct Done {
    latencies: Latencies,
    records: u64,
    bytes: u64,
    throttled: u64,
    failed: u64,
    last_failure: Option<client::Error>,
    took: Duration,
}

impl Done {
    fn merge(&mut self, other: Done) {
        self.latencies.merge(&other.latencies);
        self.records += other.records;
        self.bytes += other.bytes;
        self.throttled += other.throttled;
        self.failed += other.failed;
        self.last_failure = self.last_failure.take().or(other.last_failure);
    }

    /// Says why calls failed; when no record went through, that is the failure of the whole run.
    fn tell_failure(&self) -> Result<()> {
        match &self.last_failure {
            Some(e) if self.records == 0 => return Err(e.clone().into()),
            Some(e) => output::note(&format!("last failure: {e}")),
            None => {}
        }
        Ok(())
    }
}

/// What all workers share.
#[derive(Clone)]
struct Shared {
    client: Client,
    stream: Arc<str>,
    clock: Arc<dyn Clock>,
    deadline: Duration,
    /// Records not yet begun.
    left: Arc<AtomicU64>,
    size: usize,
    batch: u64,
}

impl Shared {
    /// Takes up to `wanted` of the records that are left; 0 when it is over.
    fn take(&self, wanted: u64) -> u64 {
        if self.clock.monotonic() >= self.deadline {
            return 0;
        }
        let minus = |left: u64| Some(left.saturating_sub(wanted));
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, minus);
        before.unwrap_or(0).min(wanted)
    }
}

async fn measure(client: &Client, stream: &str, args: &BenchArgs, batch: u64) -> Result<Done> {
    let clock = system_env().clock;
    let shared = |deadline| Shared {
        client: client.clone(),
        stream: stream.into(),
        clock: Arc::clone(&clock),
        deadline,
        left: Arc::new(AtomicU64::new(args.records)),
        size: args.size as usize,
        batch,
    };
    let mut shards = Vec::new();
    if args.mode == BenchMode::GetRecords {
        if args.stream.is_none() {
            output::note("writing the records to read");
            let filling = shared(Duration::MAX);
            let filled = fan(args, |_| work::put_records(filling.clone())).await?;
            filled.tell_failure()?;
        }
        shards = work::shards(client, stream).await?;
    }
    let start = clock.monotonic();
    let measured = shared(start + args.duration);
    let _progress = Progress::show(&measured, args.records);
    let mut done = match args.mode {
        BenchMode::PutRecord => fan(args, |n| work::put_record(measured.clone(), n)).await?,
        BenchMode::PutRecords => fan(args, |_| work::put_records(measured.clone())).await?,
        BenchMode::GetRecords => {
            let of = |n: usize| shards[n % shards.len()].clone();
            fan(args, |n| work::get_records(measured.clone(), of(n as usize))).await?
        }
    };
    done.took = clock.monotonic().saturating_sub(start);
    Ok(done)
}

/// How far a run is, on stderr; gone when it is dropped.
struct Progress {
    bar: ProgressBar,
    task: JoinHandle<()>,
}

impl Progress {
    fn show(shared: &Shared, records: u64) -> Self {
        let bar = output::progress(records, "records");
        let (shared, shown) = (shared.clone(), bar.clone());
        let task = tokio::spawn(async move {
            loop {
                shared.clock.sleep(PROGRESS_PAUSE).await;
                shown.set_position(records - shared.left.load(Ordering::Relaxed));
            }
        });
        Self { bar, task }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        self.bar.finish_and_clear();
    }
}

/// Runs one worker per connection and adds up what they did.
async fn fan<W>(args: &BenchArgs, worker: impl Fn(u32) -> W) -> Result<Done>
where
    W: Future<Output = Done> + Send + 'static,
{
    let mut workers = JoinSet::new();
    for n in 0..args.connections {
        workers.spawn(worker(n));
    }
    let mut all = Done::default();
    while let Some(done) = workers.join_next().await {
        all.merge(done?);
    }
    Ok(all)
}

fn report(args: &BenchArgs, done: &Done) -> Result<()> {
    let ms = |took: Duration| (took.as_secs_f64() * 1e5).round() / 100.0;
    let seconds = done.took.as_secs_f64().max(1e-9);
    let rate = |n: u64| (n as f64 / seconds * 10.0).round() / 10.0;
    let (p50, p99) = (done.latencies.percentile(0.5), done.latencies.percentile(0.99));
    let value = json!({
        "mode": mode(args.mode),
        "connections": args.connections,
        "recordBytes": args.size,
        "seconds": (seconds * 1000.0).round() / 1000.0,
        "calls": done.latencies.total(),
        "callsPerSecond": rate(done.latencies.total()),
        "records": done.records,
        "recordsPerSecond": rate(done.records),
        "bytesPerSecond": rate(done.bytes),
        "p50Ms": ms(p50),
        "p99Ms": ms(p99),
        "maxMs": ms(done.latencies.longest()),
        "throttled": done.throttled,
        "failed": done.failed,
    });
    let mut table = Table::new(&[
        "mode",
        "conns",
        "calls/s",
        "records/s",
        "data/s",
        "p50",
        "p99",
        "max",
        "throttled",
        "failed",
    ]);
    let shown = |took| format!("{:.2} ms", ms(took));
    table.row(vec![
        mode(args.mode).into(),
        args.connections.to_string(),
        format!("{:.0}", rate(done.latencies.total())),
        format!("{:.0}", rate(done.records)),
        units::bytes_round(rate(done.bytes) as u64),
        shown(p50),
        shown(p99),
        shown(done.latencies.longest()),
        done.throttled.to_string(),
        done.failed.to_string(),
    ]);
    output::answer(args.output, &value, &table)?;
    if done.throttled > 0 {
        output::note(output::THROTTLED);
    }
    done.tell_failure()
}

fn mode(mode: BenchMode) -> &'static str {
    match mode {
        BenchMode::PutRecord => "put-record",
        BenchMode::PutRecords => "put-records",
        BenchMode::GetRecords => "get-records",
    }
}
