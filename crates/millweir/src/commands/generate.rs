//! `generate`.

use super::connect;
use super::sending::Sending;
use crate::cli::GenerateArgs;
use crate::exit::Usage;
use crate::output;
use crate::presets::{Generator, Made};
use anyhow::{Result, bail};
use base::env::{Clock, Rng as _, Sleep, SystemRng};
use bytes::Bytes;
use client::{Entry, Producer, ProducerOptions, system_env};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// The time in the first record of a given seed: 2026-01-01T00:00:00Z.
const SEEDED_START_MS: i64 = 1_767_225_600_000;
/// Why a run ends this much after its duration: its last record is due a moment before the end, and
/// a busy machine may be late with it.
const LATE_MAX: Duration = Duration::from_millis(500);
/// Lowest rate, about a record a day: the time of no record lies beyond what can be told.
const RATE_MIN: f64 = 0.00001;
/// Highest rate: what one sender can make and hand over.
const RATE_MAX: f64 = 1_000_000.0;

pub(super) async fn run(args: GenerateArgs) -> Result<()> {
    if !(RATE_MIN..=RATE_MAX).contains(&args.rate) {
        let text =
            format!("a rate is at least {RATE_MIN} and at most {RATE_MAX} records per second");
        bail!(Usage(text));
    }
    match &args.stream {
        None => print(&args),
        Some(stream) => write(&args, stream).await,
    }
}

/// Times and number of the records of one run.
struct Schedule {
    clock: Arc<dyn Clock>,
    start: Duration,
    seeded: bool,
    rate: f64,
    records_max: u64,
    duration: Option<Duration>,
}

impl Schedule {
    fn new(args: &GenerateArgs) -> Self {
        let by_time = args.duration.map(|d| (d.as_secs_f64() * args.rate).ceil() as u64);
        let records_max = args.records.unwrap_or(u64::MAX).min(by_time.unwrap_or(u64::MAX));
        let clock = system_env().clock;
        let (start, seeded) = (clock.monotonic(), args.seed.is_some());
        Self { clock, start, seeded, rate: args.rate, records_max, duration: args.duration }
    }

    /// Number of the records; nothing when only a signal ends them.
    fn planned(&self) -> Option<u64> {
        (self.records_max < u64::MAX).then_some(self.records_max)
    }

    /// Resolves when no more may be written, however many are: a throttled run would go on long
    /// after its duration.
    fn over(&self) -> Sleep {
        match self.duration {
            Some(duration) => self.clock.sleep(duration.saturating_add(LATE_MAX)),
            None => Box::pin(std::future::pending()),
        }
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
        SystemRng.fill(&mut bytes);
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
    let planned = Schedule::new(args).planned();
    let mut sending = Sending::new(Some("record"), None, planned.unwrap_or(0))?;
    sending.look(&client, stream).await?;
    let options =
        ProducerOptions { linger: Duration::from_millis(5), ..ProducerOptions::new(stream) };
    let producer = Producer::start(&client, &options);
    send_all(args, &producer, &mut sending).await?;
    let ended = sending.finish().await?;
    output::note(&outcome(ended.written, planned));
    if producer.throttled() > 0 {
        output::note(output::THROTTLED);
    }
    ended.unless_given_up()
}

fn outcome(written: u64, planned: Option<u64>) -> String {
    match planned {
        Some(planned) if written < planned => format!("{written} of {planned} records written"),
        _ => format!("{written} records written"),
    }
}

async fn send_all(args: &GenerateArgs, producer: &Producer, sending: &mut Sending) -> Result<()> {
    let (schedule, mut generator) = (Schedule::new(args), generator(args));
    let mut over = schedule.over();
    for n in 0..schedule.records_max {
        let made = async {
            schedule.wait(n).await;
            producer.send(entry(generator.next(schedule.time_ms(n)))).await
        };
        let sent = tokio::select! {
            biased;
            sent = sending.during(made) => sent?,
            () = &mut over => None,
        };
        let Some(receipt) = sent else { break };
        sending.begin();
        sending.push(receipt?);
    }
    Ok(())
}

fn entry(made: Made) -> Entry {
    Entry { partition_key: made.key.into(), explicit_hash_key: None, data: Bytes::from(made.data) }
}
