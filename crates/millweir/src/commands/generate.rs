//! `generate`.

use super::connect;
use crate::cli::GenerateArgs;
use crate::output;
use crate::presets::{Generator, Made};
use anyhow::{Result, bail};
use base::env::{Clock as _, Rng as _};
use bytes::Bytes;
use client::{Entry, Producer, ProducerOptions, Receipt, SystemClock, SystemRng};
use std::collections::VecDeque;
use std::io::Write as _;
use std::time::Duration;

/// The time in the first record of a given seed: 2026-01-01T00:00:00Z.
const SEEDED_START_MS: i64 = 1_767_225_600_000;
/// Records whose outcome is waited for before more are made.
const RECEIPTS_MAX: usize = 8192;
/// Highest rate: what one sender can make and hand over.
const RATE_MAX: f64 = 1_000_000.0;

pub(super) async fn run(args: GenerateArgs) -> Result<()> {
    if !(args.rate > 0.0 && args.rate <= RATE_MAX) {
        bail!("a rate lies above 0 and is at most {RATE_MAX} records per second");
    }
    match &args.stream {
        None => print(&args),
        Some(stream) => write(&args, stream).await,
    }
}

/// Times and number of the records of one run.
struct Schedule {
    clock: SystemClock,
    start: Duration,
    seeded: bool,
    rate: f64,
    records_max: u64,
}

impl Schedule {
    fn new(args: &GenerateArgs) -> Self {
        let by_time = args.duration.map(|d| (d.as_secs_f64() * args.rate).ceil() as u64);
        let records_max = args.records.unwrap_or(u64::MAX).min(by_time.unwrap_or(u64::MAX));
        let clock = SystemClock::default();
        let (start, seeded) = (clock.monotonic(), args.seed.is_some());
        Self { clock, start, seeded, rate: args.rate, records_max }
    }

    /// When record `n` is due, counted from the start.
    fn due(&self, n: u64) -> Duration {
        Duration::from_secs_f64(n as f64 / self.rate)
    }

    /// The time that stands in record `n`.
    fn time_ms(&self, n: u64) -> i64 {
        if self.seeded {
            SEEDED_START_MS + self.due(n).as_millis() as i64
        } else {
            self.clock.now_ms()
        }
    }

    /// Waits until record `n` is due; returns at once when it is late.
    async fn wait(&self, n: u64) {
        let early = (self.start + self.due(n)).saturating_sub(self.clock.monotonic());
        if early > Duration::from_millis(1) {
            self.clock.sleep(early).await;
        }
    }
}

fn generator(args: &GenerateArgs) -> Generator {
    let random = || {
        let mut bytes = [0; 8];
        SystemRng::default().fill(&mut bytes);
        u64::from_le_bytes(bytes)
    };
    Generator::new(args.preset, args.seed.unwrap_or_else(random))
}

fn print(args: &GenerateArgs) -> Result<()> {
    let (schedule, mut generator) = (Schedule::new(args), generator(args));
    let mut out = output::stdout();
    for n in 0..schedule.records_max {
        writeln!(out, "{}", generator.next(schedule.time_ms(n)).data)?;
    }
    Ok(out.flush()?)
}

async fn write(args: &GenerateArgs, stream: &str) -> Result<()> {
    let client = connect(&args.client)?;
    let options =
        ProducerOptions { linger: Duration::from_millis(5), ..ProducerOptions::new(stream) };
    let mut run = Run {
        producer: Producer::start(&client, &options),
        schedule: Schedule::new(args),
        generator: generator(args),
        receipts: VecDeque::new(),
        written: 0,
    };
    tokio::select! {
        done = run.send_all() => done?,
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    // A second ctrl-c gives up what is on its way.
    tokio::select! {
        done = run.settle_all() => done?,
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    output::note(&format!("{} records written", run.written));
    Ok(())
}

struct Run {
    producer: Producer,
    schedule: Schedule,
    generator: Generator,
    receipts: VecDeque<Receipt>,
    written: u64,
}

impl Run {
    async fn send_all(&mut self) -> Result<()> {
        let records = self.schedule.records_max;
        let progress = output::progress(if records == u64::MAX { 0 } else { records }, "records");
        for n in 0..records {
            self.schedule.wait(n).await;
            let made = self.generator.next(self.schedule.time_ms(n));
            self.receipts.push_back(self.producer.send(entry(made)).await?);
            if self.receipts.len() > RECEIPTS_MAX {
                self.settle_first().await?;
            }
            progress.set_position(n + 1);
        }
        progress.finish_and_clear();
        Ok(())
    }

    async fn settle_all(&mut self) -> Result<()> {
        while !self.receipts.is_empty() {
            self.settle_first().await?;
        }
        Ok(())
    }

    async fn settle_first(&mut self) -> Result<()> {
        if let Some(receipt) = self.receipts.front_mut() {
            receipt.await?;
            self.receipts.pop_front();
            self.written += 1;
        }
        Ok(())
    }
}

fn entry(made: Made) -> Entry {
    Entry { partition_key: made.key.into(), explicit_hash_key: None, data: Bytes::from(made.data) }
}
