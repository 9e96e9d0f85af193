//! The nearest work Redis Streams can do, over RESP, with `appendfsync always`.

use crate::load::{Sample, Step, Work, closed_loop};
use anyhow::{Result, bail, ensure};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PAYLOAD_BYTES: usize = 1024;
const BATCH_RECORDS: usize = 500;
const SHARDS: usize = 4;
const READ_RECORDS: usize = 10_000;
const CATCH_UP_RECORDS: usize = 40_000;
const FAN_OUT_RECORDS: usize = 200;

/// Lays down what is read.
pub(crate) async fn prepare(port: u16) -> Result<()> {
    let mut connection = Resp::open(port).await?;
    for shard in 0..SHARDS {
        let one = xadd(&format!("read-{shard}"), "*");
        for _ in 0..CATCH_UP_RECORDS / SHARDS / BATCH_RECORDS {
            connection.call(&one.repeat(BATCH_RECORDS), BATCH_RECORDS).await?;
        }
    }
    Ok(())
}

/// One slice of the work.
pub(crate) async fn measure(port: u16, work: Work, length: Duration) -> Result<Sample> {
    match work {
        Work::PutRecord(connections) => add(port, connections, 1, length).await,
        Work::PutRecords => add(port, 8, BATCH_RECORDS, length).await,
        Work::GetRecords => range(port, length).await,
        Work::FanOut => fan_out(port).await,
        Work::CatchUp(_) => anyhow::bail!("Redis has no segments"),
    }
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len());
    for word in words {
        let header = format!("${}\r\n", word.len());
        out.extend([&header, *word, "\r\n"]);
    }
    out.into_bytes()
}

fn xadd(key: &str, id: &str) -> Vec<u8> {
    command(&["XADD", key, id, "d", &"x".repeat(PAYLOAD_BYTES)])
}

struct Resp {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Resp {
    async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends `request` and reads `replies` whole replies; returns how many bulk strings they held.
    async fn call(&mut self, request: &[u8], replies: usize) -> Result<u64> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let (mut at, mut bulks, mut open) = (0, 0, replies);
        while open > 0 {
            let Some(line_end) = memchr::memmem::find(&self.buffer[at..], b"\r\n") else {
                self.more().await?;
                continue;
            };
            let line = &self.buffer[at..at + line_end];
            let number =
                || std::str::from_utf8(&line[1..])?.parse::<i64>().map_err(anyhow::Error::new);
            match line.first() {
                Some(b'*') => open += usize::try_from(number()?.max(0))?,
                Some(b'$') => {
                    let len = usize::try_from(number()?.max(-2) + 2)?;
                    while self.buffer.len() < at + line_end + 2 + len {
                        self.more().await?;
                    }
                    at += len;
                    bulks += 1;
                }
                Some(b'-') => bail!("{}", String::from_utf8_lossy(line)),
                _ => {}
            }
            at += line_end + 2;
            open -= 1;
        }
        Ok(bulks)
    }

    async fn more(&mut self) -> Result<()> {
        self.buffer.reserve(64 * 1024);
        ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "redis closed the connection");
        Ok(())
    }
}

struct Add {
    connection: Resp,
    request: Vec<u8>,
    records: usize,
}

impl Step for Add {
    async fn step(&mut self) -> Result<u64> {
        self.connection.call(&self.request, self.records).await?;
        Ok(self.records as u64)
    }
}

async fn add(port: u16, connections: usize, records: usize, length: Duration) -> Result<Sample> {
    // Trimmed as it grows, or the machine's memory would be the limit.
    let capped = |i: usize| {
        let key = format!("put-{}", i % SHARDS);
        command(&["XADD", &key, "MAXLEN", "~", "100000", "*", "d", &"x".repeat(PAYLOAD_BYTES)])
    };
    closed_loop(connections, length, async |index| {
        let request = capped(index).repeat(records);
        Ok(Add { connection: Resp::open(port).await?, request, records })
    })
    .await
}

struct Range {
    connection: Resp,
    request: Vec<u8>,
}

impl Step for Range {
    async fn step(&mut self) -> Result<u64> {
        // Each entry is an id, a field name and a value.
        Ok(self.connection.call(&self.request, 1).await? / 3)
    }
}

async fn range(port: u16, length: Duration) -> Result<Sample> {
    closed_loop(SHARDS, length, async |shard| {
        let key = format!("read-{shard}");
        let count = READ_RECORDS.to_string();
        let request = command(&["XRANGE", &key, "-", "+", "COUNT", &count]);
        Ok(Range { connection: Resp::open(port).await?, request })
    })
    .await
}

async fn fan_out(port: u16) -> Result<Sample> {
    let mut put = Resp::open(port).await?;
    let mut push = Resp::open(port).await?;
    let start = Instant::now();
    let mut latencies = Vec::new();
    for i in 1..=FAN_OUT_RECORDS {
        let after = (i - 1).to_string();
        let read = command(&["XREAD", "BLOCK", "10000", "STREAMS", "push", &after]);
        let id = format!("{i}-0");
        let reader = async {
            push.call(&read, 1).await?;
            anyhow::Ok(Instant::now())
        };
        let writer = async {
            let sent = Instant::now();
            put.call(&xadd("push", &id), 1).await?;
            anyhow::Ok(sent)
        };
        let (seen, sent) = tokio::try_join!(reader, writer)?;
        latencies.push(seen - sent);
    }
    let (units, took) = (FAN_OUT_RECORDS as u64, start.elapsed());
    Ok(Sample { units, took, latencies, ..Sample::default() })
}
