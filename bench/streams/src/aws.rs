//! The work over the Kinesis protocol.

use crate::http::{Answer, Connection};
use crate::load::{Sample, Step, Work, closed_loop};
use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const PAYLOAD_BYTES: usize = 1024;
const SHARDS: usize = 4;
const BATCH_RECORDS: usize = 500;
/// Records laid down before reading back.
const READ_RECORDS: usize = 20_000;
/// Records of the stream that is read from segments, and of one that is written behind it: more
/// than the server keeps in memory, so that it keeps none of the first one's.
const DEEP_RECORDS: usize = 400_000;
/// Longest time a slow peer may take to lay them down.
const FILL_MAX: Duration = Duration::from_secs(20);
const FAN_OUT_RECORDS: usize = 200;

/// Creates the streams and lays down what is read.
pub(crate) async fn prepare(port: u16) -> Result<()> {
    for stream in ["single", "batch", "read", "push"] {
        create_with(port, stream, SHARDS).await?;
    }
    fill(port, "read", READ_RECORDS).await
}

/// Lays down what is read from segments.
pub(crate) async fn prepare_deep(port: u16) -> Result<()> {
    create_with(port, "deep", SHARDS).await?;
    fill(port, "deep", DEEP_RECORDS).await?;
    create_with(port, "behind", SHARDS).await?;
    fill(port, "behind", DEEP_RECORDS).await
}

/// One slice of the work.
pub(crate) async fn measure(port: u16, work: Work, length: Duration) -> Result<Sample> {
    match work {
        Work::PutRecord(connections) => put_record(port, connections, length).await,
        Work::PutRecords => put_records(port, &["batch".to_owned()], length).await,
        Work::GetRecords => get_records(port, ("read", 10_000), length).await,
        Work::CatchUp(limit) => get_records(port, ("deep", limit), length).await,
        Work::FanOut => fan_out(port).await,
    }
}

/// A whole request, ready to be sent many times.
fn request(operation: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: Kinesis_20131202.{operation}\r\nX-Amz-Date: 20260101T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/kinesis/\
         aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature={:064}\r\n\
         Content-Length: {length}\r\n\r\n{body}",
        0
    )
    .into_bytes()
}

fn ok<'a>(answer: &Answer<'a>) -> Result<&'a [u8]> {
    ensure!(answer.status == 200, "{}: {}", answer.status, String::from_utf8_lossy(answer.body));
    Ok(answer.body)
}

/// What may stand behind the records of an answer.
const END_BYTES: usize = 4096;

/// The text value of a JSON member, which holds no escapes in these answers.
fn member<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let quoted = format!("\"{name}\"");
    // Behind the records with most servers: megabytes that are not looked through again.
    let end = body.len().saturating_sub(END_BYTES);
    let at = match memchr::memmem::find(&body[end..], quoted.as_bytes()) {
        Some(at) => end + at,
        None => memchr::memmem::find(body, quoted.as_bytes())?,
    } + quoted.len();
    let open = at + memchr::memchr(b'"', &body[at..])? + 1;
    let close = open + memchr::memchr(b'"', &body[open..])?;
    std::str::from_utf8(&body[open..close]).ok()
}

/// Creates a stream and waits until it is `ACTIVE`.
pub(crate) async fn create_with(port: u16, stream: &str, shards: usize) -> Result<()> {
    let mut connection = Connection::open(port).await?;
    let body = format!(r#"{{"StreamName":"{stream}","ShardCount":{shards}}}"#);
    ok(&connection.call(&request("CreateStream", &body)).await?)?;
    let describe = request("DescribeStreamSummary", &format!(r#"{{"StreamName":"{stream}"}}"#));
    for _ in 0..300 {
        let answer = connection.call(&describe).await?;
        if memchr::memmem::find(answer.body, b"ACTIVE").is_some() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{stream} never became ACTIVE")
}

/// One connection that sends a ring of prepared requests.
struct Ring {
    connection: Connection,
    requests: std::rc::Rc<Vec<Vec<u8>>>,
    next: usize,
    units: u64,
}

impl Step for Ring {
    async fn step(&mut self) -> Result<u64> {
        self.next = (self.next + 1) % self.requests.len();
        let answer = self.connection.call(&self.requests[self.next]).await?;
        let body = ok(&answer)?;
        if self.units > 1 {
            // A null code is kinesis-local's way to say that an entry succeeded.
            let failed = memchr::memmem::find(body, b"\"ErrorCode\":\"").is_some();
            ensure!(!failed, "an entry failed: {}", String::from_utf8_lossy(body));
        }
        Ok(self.units)
    }
}

fn payload(seed: usize) -> String {
    let mut state = seed as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    let bytes: Vec<u8> = (0..PAYLOAD_BYTES).map(|_| next()).collect();
    base64_simd::STANDARD.encode_to_string(bytes)
}

async fn put_record(port: u16, connections: usize, length: Duration) -> Result<Sample> {
    let requests = (0..64).map(|i| {
        let data = payload(i);
        let body = format!(r#"{{"StreamName":"single","Data":"{data}","PartitionKey":"key-{i}"}}"#);
        request("PutRecord", &body)
    });
    ring(port, connections, length, requests.collect(), 1).await
}

/// Full requests to each of the streams in turn.
pub(crate) async fn put_records(port: u16, streams: &[String], length: Duration) -> Result<Sample> {
    let requests = streams.iter().cycle().take(4 * streams.len()).enumerate();
    let requests = requests.map(|(i, stream)| request("PutRecords", &batch(stream, i % 4)));
    ring(port, 8, length, requests.collect(), BATCH_RECORDS as u64).await
}

async fn ring(
    port: u16,
    connections: usize,
    length: Duration,
    requests: Vec<Vec<u8>>,
    units: u64,
) -> Result<Sample> {
    let requests = std::rc::Rc::new(requests);
    closed_loop(connections, length, async |index| {
        let connection = Connection::open(port).await?;
        Ok(Ring { connection, requests: requests.clone(), next: index, units })
    })
    .await
}

fn batch(stream: &str, seed: usize) -> String {
    let mut body = format!(r#"{{"StreamName":"{stream}","Records":["#);
    for i in 0..BATCH_RECORDS {
        let comma = if i == 0 { "" } else { "," };
        let number = seed * BATCH_RECORDS + i;
        let data = payload(number);
        write!(body, r#"{comma}{{"Data":"{data}","PartitionKey":"key-{number}"}}"#)
            .expect("writing to a string cannot fail");
    }
    body + "]}"
}

/// Lays down records for the catch-up read; slow peers get as far as the time allows.
async fn fill(port: u16, stream: &str, records: usize) -> Result<()> {
    let mut connection = Connection::open(port).await?;
    let start = Instant::now();
    let mut stored = 0;
    while stored < records && start.elapsed() < FILL_MAX {
        let body = batch(stream, stored / BATCH_RECORDS % 8);
        ok(&connection.call(&request("PutRecords", &body)).await?)?;
        stored += BATCH_RECORDS;
    }
    ensure!(stored > 0, "nothing was stored to be read back");
    Ok(())
}

/// One reader of one shard, from the oldest record on, again and again.
struct Reader {
    connection: Connection,
    stream: &'static str,
    shard: String,
    limit: usize,
    iterator: Option<String>,
}

impl Step for Reader {
    async fn step(&mut self) -> Result<u64> {
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => oldest(&mut self.connection, self.stream, &self.shard).await?,
        };
        let limit = self.limit;
        let body = format!(r#"{{"ShardIterator":"{iterator}","Limit":{limit}}}"#);
        let answer = self.connection.call(&request("GetRecords", &body)).await?;
        let (body, records) = (ok(&answer)?, answer.count);
        if records > 0 {
            self.iterator = member(body, "NextShardIterator").map(str::to_owned);
        }
        Ok(records)
    }
}

async fn oldest(connection: &mut Connection, stream: &str, shard: &str) -> Result<String> {
    let body = format!(
        r#"{{"StreamName":"{stream}","ShardId":"{shard}","ShardIteratorType":"TRIM_HORIZON"}}"#
    );
    let answer = connection.call(&request("GetShardIterator", &body)).await?;
    Ok(member(ok(&answer)?, "ShardIterator").context("no ShardIterator")?.to_owned())
}

async fn get_records(
    port: u16,
    (stream, limit): (&'static str, usize),
    length: Duration,
) -> Result<Sample> {
    closed_loop(SHARDS, length, async |index| {
        let connection = Connection::counting(port, b"\"SequenceNumber\"").await?;
        let shard = format!("shardId-{index:012}");
        Ok(Reader { connection, stream, shard, limit, iterator: None })
    })
    .await
}

/// Time from sending a PutRecord to seeing it in a subscription, one record at a time.
async fn fan_out(port: u16) -> Result<Sample> {
    let mut put = Connection::open(port).await?;
    let mut push = Connection::open(port).await?;
    let answer = put.call(&request("DescribeStreamSummary", r#"{"StreamName":"push"}"#)).await?;
    let arn = member(ok(&answer)?, "StreamARN").context("no StreamARN")?.to_owned();
    let body = format!(r#"{{"StreamARN":"{arn}","ConsumerName":"bench"}}"#);
    let answer = put.call(&request("RegisterStreamConsumer", &body)).await?;
    let consumer = member(ok(&answer)?, "ConsumerARN").context("no ConsumerARN")?.to_owned();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let body = format!(
        r#"{{"ConsumerARN":"{consumer}","ShardId":"shardId-000000000000","StartingPosition":{{"Type":"LATEST"}}}}"#
    );
    push.send(&request("SubscribeToShard", &body)).await?;
    push.more().await?;
    let start = Instant::now();
    let mut latencies = Vec::new();
    for marker in 0..FAN_OUT_RECORDS {
        if start.elapsed() > Duration::from_secs(10) {
            break;
        }
        let data = base64_simd::STANDARD.encode_to_string(format!("marker-{marker:06}!!"));
        let body = format!(
            r#"{{"StreamName":"push","Data":"{data}","PartitionKey":"k","ExplicitHashKey":"0"}}"#
        );
        let sent = Instant::now();
        ok(&put.call(&request("PutRecord", &body)).await?)?;
        wait_for(&mut push, data.as_bytes()).await?;
        latencies.push(sent.elapsed());
    }
    let (units, took) = (latencies.len() as u64, start.elapsed());
    Ok(Sample { units, took, latencies, ..Sample::default() })
}

async fn wait_for(push: &mut Connection, marker: &[u8]) -> Result<()> {
    let search = async {
        let mut tail = Vec::new();
        while memchr::memmem::find(&tail, marker).is_none() {
            tail.extend_from_slice(push.more().await?);
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(10), search).await.context("no event in 10 s")?
}
