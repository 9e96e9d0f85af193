//! A table of leases that are renewed all the time, beside a stream that is written, in one run.
//!
//! ```text
//! leases put -> stream alone -> for each rate: leases renewed at it, stream written as before
//!   --> renewals/s, their latency, the stream's latency as a ratio to alone, the catalog's bytes
//! ```
//!
//! Load and server share the processors: what is measured is what one machine does with both.

use crate::server::Server;
use anyhow::{Context as _, Result};
use api::dynamodb::{
    AttributeDefinition, AttributeValue, BillingMode, CreateTableInput, GlobalSecondaryIndex,
    KeySchemaElement, KeyType, Projection, ProjectionType, PutItemInput, ScalarAttributeType,
    UpdateItemInput, ops as dynamodb,
};
use api::kinesis::{CreateStreamInput, PutRecordInput, ops as kinesis};
use base::Env;
use client::Client;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use wire::Protocol;

/// Measures renewals of leases beside a stream.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Leases of the table.
    #[arg(long, default_value_t = 100_000)]
    leases: u64,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Records a second that are put into the stream all the time.
    #[arg(long, default_value_t = 200)]
    records: u64,
}

const TABLE: &str = "leases";
const STREAM: &str = "beside";
/// Requests on their way at once: of leases, and of records.
const RENEWERS: u64 = 64;
const WRITERS: u64 = 8;
/// Every lease is renewed once in so many seconds.
const PERIODS: [u64; 3] = [60, 30, 10];

/// # Errors
/// The server does not start, or refuses something.
pub(crate) async fn run(program: &Path, args: &Args) -> Result<()> {
    let env = client::system_env();
    let server = Server::start(program)?;
    let of = |protocol| {
        Client::new(client::Config { protocol, ..client::Config::new(server.endpoint()) })
    };
    let clients = Clients {
        tables: Arc::new(of(Protocol::Json10)?),
        streams: Arc::new(of(Protocol::Json11)?),
    };
    make(&clients).await?;
    let bytes_empty = server.catalog_bytes()?;
    let put = spread(&env, args.leases, RENEWERS, {
        let client = clients.tables.clone();
        move |lease| put_lease(client.clone(), lease)
    });
    let took = put.await?.elapsed;
    let rate = args.leases as f64 / took.as_secs_f64();
    println!("{} leases put at {rate:.0}/s", args.leases);
    let alone = beside(&env, &clients, args, None).await?.records;
    println!("stream alone: {} records/s, {alone}", args.records);
    println!("catalog: {} MiB empty, {} MiB now", mib(bytes_empty), mib(server.catalog_bytes()?));
    for period in PERIODS {
        let rate = args.leases / period;
        let both = beside(&env, &clients, args, Some(rate)).await?;
        let renewals = both.renewals.context("leases were renewed")?;
        let made = renewals.times.len() as u64 / args.seconds;
        println!(
            "renewed every {period} s: {made} of {rate}/s, {renewals}; stream {}, ratio of medians \
             {:.2}; catalog {} MiB",
            both.records,
            alone.at(50).as_secs_f64() / both.records.at(50).as_secs_f64(),
            mib(server.catalog_bytes()?)
        );
    }
    Ok(())
}

fn mib(bytes: u64) -> u64 {
    bytes >> 20
}

/// A client each, as DynamoDB and Kinesis speak different versions of JSON.
struct Clients {
    tables: Arc<Client>,
    streams: Arc<Client>,
}

/// The table as KCL 3 has it, and a stream.
async fn make(clients: &Clients) -> Result<()> {
    let attribute = |name: &str| AttributeDefinition {
        attribute_name: name.into(),
        attribute_type: ScalarAttributeType::S,
    };
    let element = |name: &str, key_type| KeySchemaElement { attribute_name: name.into(), key_type };
    let index = GlobalSecondaryIndex {
        index_name: "LeaseOwnerToLeaseKeyIndex".into(),
        key_schema: vec![element("leaseOwner", KeyType::Hash), element("leaseKey", KeyType::Range)],
        projection: Projection {
            projection_type: Some(ProjectionType::KeysOnly),
            ..Projection::default()
        },
        ..GlobalSecondaryIndex::default()
    };
    let table = CreateTableInput {
        table_name: TABLE.into(),
        attribute_definitions: Some(vec![attribute("leaseKey"), attribute("leaseOwner")]),
        key_schema: Some(vec![element("leaseKey", KeyType::Hash)]),
        billing_mode: Some(BillingMode::PayPerRequest),
        global_secondary_indexes: Some(vec![index]),
        ..CreateTableInput::default()
    };
    clients.tables.call::<dynamodb::CreateTable>(&table).await?;
    let stream = CreateStreamInput {
        stream_name: STREAM.into(),
        shard_count: Some(4),
        ..CreateStreamInput::default()
    };
    clients.streams.call::<kinesis::CreateStream>(&stream).await?;
    // A put that finds the stream in `CREATING` is tried again by the client's own rules.
    Ok(())
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue { s: Some(text.into().into()), ..AttributeValue::default() }
}

fn number(number: u64) -> AttributeValue {
    AttributeValue { n: Some(number.to_string().into()), ..AttributeValue::default() }
}

fn key(lease: u64) -> String {
    format!("shardId-{lease:012}")
}

/// A lease with all that the KCL stores.
async fn put_lease(client: Arc<Client>, lease: u64) -> Result<()> {
    let item = [
        ("leaseKey", text(key(lease))),
        ("leaseOwner", text(format!("worker-{:04}", lease % 100))),
        ("leaseCounter", number(0)),
        ("ownerSwitchesSinceCheckpoint", number(0)),
        ("checkpoint", text("49680713571305324813635008361695403984802557193302835218")),
        ("checkpointSubSequenceNumber", number(0)),
        ("startingHashKey", text("0")),
        ("endingHashKey", text("340282366920938463463374607431768211455")),
        ("throughputKBps", number(12)),
    ];
    let put = PutItemInput {
        table_name: TABLE.into(),
        item: item.map(|(name, value)| (name.into(), value)).into(),
        ..PutItemInput::default()
    };
    client.call::<dynamodb::PutItem>(&put).await?;
    Ok(())
}

async fn renew(client: Arc<Client>, lease: u64) -> Result<()> {
    let update = UpdateItemInput {
        table_name: TABLE.into(),
        key: [("leaseKey".into(), text(key(lease)))].into(),
        update_expression: Some("SET leaseCounter = leaseCounter + :one".into()),
        condition_expression: Some("leaseOwner = :owner".into()),
        expression_attribute_values: Some(
            [
                (":one".into(), number(1)),
                (":owner".into(), text(format!("worker-{:04}", lease % 100))),
            ]
            .into(),
        ),
        ..UpdateItemInput::default()
    };
    client.call::<dynamodb::UpdateItem>(&update).await?;
    Ok(())
}

async fn put_record(client: Arc<Client>, number: u64) -> Result<()> {
    let put = PutRecordInput {
        stream_name: Some(STREAM.into()),
        partition_key: Some(number.to_string().into()),
        data: vec![b'x'; 1024].into(),
        ..PutRecordInput::default()
    };
    client.call::<kinesis::PutRecord>(&put).await?;
    Ok(())
}

/// What both loads came to.
struct Both {
    records: Latencies,
    renewals: Option<Latencies>,
}

/// Puts records, and renews leases at a rate when there is one, for the seconds of a measurement.
async fn beside(env: &Env, clients: &Clients, args: &Args, renewals: Option<u64>) -> Result<Both> {
    let records = paced(env, (args.records, args.seconds, WRITERS), {
        let client = clients.streams.clone();
        move |number| put_record(client.clone(), number)
    });
    let Some(rate) = renewals else {
        return Ok(Both { records: records.await?, renewals: None });
    };
    let (leases, client) = (args.leases, clients.tables.clone());
    let renewals = paced(env, (rate, args.seconds, RENEWERS), move |number| {
        renew(client.clone(), number % leases)
    });
    let (records, renewals) = tokio::try_join!(records, renewals)?;
    Ok(Both { records, renewals: Some(renewals) })
}

/// Latencies, in order.
struct Latencies {
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Latencies {
    fn at(&self, percent: usize) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times.get(last * percent / 100).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {:.1?} p99 {:.1?}", self.at(50), self.at(99))
    }
}

/// Does things as fast as it goes, so many at once.
async fn spread<F>(
    env: &Env,
    count: u64,
    workers: u64,
    work: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Result<Latencies>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    work_off(env, (u64::MAX, count, workers), work).await
}

/// Does so many things a second, for some seconds, with at most so many workers. What is late is
/// done at once; its latency counts from when it was due.
async fn paced<F>(
    env: &Env,
    (rate, seconds, workers): (u64, u64, u64),
    work: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Result<Latencies>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    work_off(env, (rate, rate * seconds, workers), work).await
}

async fn work_off<F>(
    env: &Env,
    (rate, count, workers): (u64, u64, u64),
    work: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Result<Latencies>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let next = Arc::new(AtomicU64::new(0));
    let began = env.clock.monotonic();
    let mut set = JoinSet::new();
    for _ in 0..workers {
        let (next, work, clock) = (next.clone(), work.clone(), env.clock.clone());
        set.spawn(async move {
            let mut times = Vec::new();
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= count {
                    return anyhow::Ok(times);
                }
                let is_paced = rate != u64::MAX;
                let due =
                    Duration::from_secs_f64(if is_paced { nth as f64 / rate as f64 } else { 0.0 });
                let now = clock.monotonic().saturating_sub(began);
                let start = if is_paced { due } else { now };
                if now < due {
                    clock.sleep(due.saturating_sub(now)).await;
                }
                work(nth).await?;
                times.push(clock.monotonic().saturating_sub(began).saturating_sub(start));
            }
        });
    }
    let mut times = Vec::new();
    while let Some(worker) = set.join_next().await {
        times.extend(worker??);
    }
    times.sort_unstable();
    let elapsed = env.clock.monotonic().saturating_sub(began);
    Ok(Latencies { times, elapsed })
}
