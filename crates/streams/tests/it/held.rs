//! An engine whose disk does not answer: what waits for it, and what must not.

use crate::house::{ACCOUNT, create, cx};
use api::kinesis::*;
use base::env::ClockGuard;
use base::metrics::Registry;
use base::{AccountId, Cx, Region};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use store::catalog::MemoryCatalog;
use store::memory::{MemoryLog, MemoryOptions};
use store::{BatchBuilder, Job, Log, LogId, Pending, RecordBatch, ShardLog, Tail};
use streams::{KeyTrouble, Keys, Options, Parts, Streams};
use testkit::{FakeEnv, fake_env};
use tokio::sync::watch;

/// Logs whose seals a test can hold back.
struct HeldLogs {
    inner: Arc<MemoryLog>,
    gate: watch::Sender<bool>,
}

struct HeldLog {
    inner: Arc<dyn Log>,
    gate: watch::Receiver<bool>,
}

impl ShardLog for HeldLogs {
    fn open(&self, id: LogId) -> store::Result<Arc<dyn Log>> {
        let (inner, gate) = (self.inner.open(id)?, self.gate.subscribe());
        Ok(Arc::new(HeldLog { inner, gate }))
    }

    fn remove(&self, ids: &[LogId]) -> Job<'_, ()> {
        self.inner.remove(ids)
    }

    fn clock(&self) -> &Arc<ClockGuard> {
        self.inner.clock()
    }

    fn written(&self) -> Vec<LogId> {
        self.inner.written()
    }

    fn close(&self) -> Job<'_, ()> {
        self.inner.close()
    }

    fn trouble(&self) -> Option<String> {
        self.inner.trouble()
    }
}

impl Log for HeldLog {
    fn append(&self, batch: BatchBuilder, key_id: Option<&str>) -> store::Result<Pending> {
        self.inner.append(batch, key_id)
    }

    fn tail(&self) -> Tail {
        self.inner.tail()
    }

    fn read(&self, from: u64, records_max: usize, bytes_max: usize) -> Job<'_, RecordBatch> {
        self.inner.read(from, records_max, bytes_max)
    }

    fn find_arrival(&self, arrival_ms: i64) -> Job<'_, u64> {
        self.inner.find_arrival(arrival_ms)
    }

    fn wait_beyond(&self, beyond: u64) -> Job<'_, ()> {
        self.inner.wait_beyond(beyond)
    }

    fn seal(&self) -> Job<'_, Tail> {
        let mut gate = self.gate.clone();
        Box::pin(async move {
            gate.wait_for(|open| *open).await.expect("the sender lives as long as the logs");
            self.inner.seal().await
        })
    }

    fn trim(&self, arrival_ms: i64) {
        self.inner.trim(arrival_ms);
    }
}

struct NoKeys;

impl Keys for NoKeys {
    fn resolve<'a>(
        &'a self,
        _: AccountId,
        _: &'a Region,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<String, KeyTrouble>> + Send + 'a>> {
        Box::pin(async { Err(KeyTrouble::NotFound) })
    }
}

async fn rest(fake: &FakeEnv) {
    for _ in 0..50 {
        fake.clock.advance(Duration::from_millis(20));
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

async fn status(streams: &Streams, cx: &Cx, name: &str) -> Option<StreamStatus> {
    let input = DescribeStreamSummaryInput {
        stream_name: Some(name.into()),
        ..DescribeStreamSummaryInput::default()
    };
    let output = streams.describe_stream_summary(cx, input).await.ok()?;
    Some(output.stream_description_summary.stream_status)
}

/// A split waits for the disk of the records; streams of other accounts, and its own end, do not.
#[tokio::test(flavor = "current_thread")]
async fn a_split_that_waits_holds_up_nobody() {
    let fake = fake_env(1);
    let inner = MemoryLog::new(fake.env(), MemoryOptions::default());
    let logs = Arc::new(HeldLogs { inner, gate: watch::Sender::new(true) });
    let parts = Parts {
        env: fake.env(),
        catalog: MemoryCatalog::new(),
        logs: logs.clone(),
        keys: Arc::new(NoKeys),
        registry: Registry::default(),
    };
    let streams = Streams::open(parts, Options::default()).await.unwrap();
    let (ours, others) = (cx(ACCOUNT, "us-east-1"), cx("111111111111", "us-east-1"));
    for name in ["a", "gone"] {
        streams.create_stream(&ours, create(name, 1)).await.unwrap();
    }
    rest(&fake).await;
    logs.gate.send_replace(false);
    for name in ["a", "gone"] {
        let input = SplitShardInput {
            stream_name: Some(name.into()),
            shard_to_split: "shardId-000000000000".into(),
            new_starting_hash_key: (1_u128 << 127).to_string().into(),
            ..SplitShardInput::default()
        };
        streams.split_shard(&ours, input).await.unwrap();
    }
    rest(&fake).await;
    assert_eq!(status(&streams, &ours, "a").await, Some(StreamStatus::Updating));
    streams.create_stream(&others, create("b", 1)).await.unwrap();
    let delete =
        DeleteStreamInput { stream_name: Some("gone".into()), ..DeleteStreamInput::default() };
    streams.delete_stream(&ours, delete).await.unwrap();
    rest(&fake).await;
    assert_eq!(status(&streams, &others, "b").await, Some(StreamStatus::Active));
    assert_eq!(status(&streams, &ours, "gone").await, None);
    logs.gate.send_replace(true);
    rest(&fake).await;
    assert_eq!(status(&streams, &ours, "a").await, Some(StreamStatus::Active));
    let list = ListShardsInput { stream_name: Some("a".into()), ..ListShardsInput::default() };
    assert_eq!(streams.list_shards(&ours, list).await.unwrap().shards.unwrap().len(), 3);
    streams.close().await;
}
