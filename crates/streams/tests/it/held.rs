//! An engine whose disk does not answer: what waits for it, and what must not.

use crate::house::{ACCOUNT, SomeKeys, create, cx};
use api::kinesis::*;
use base::Cx;
use base::env::ClockGuard;
use base::metrics::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::catalog::MemoryCatalog;
use store::memory::{MemoryLog, MemoryOptions};
use store::{BatchBuilder, ErrorKind, Job, Log, LogId, Logs, Pending, RecordBatch, Store, Tail};
use streams::{Options, Parts, Streams};
use testkit::{FakeEnv, fake_env};
use tokio::sync::watch;

/// Logs whose seals a test can hold back, and which it can give to another owner.
struct HeldLogs {
    inner: Arc<MemoryLog>,
    gate: watch::Sender<bool>,
    fenced: Arc<AtomicBool>,
}

struct HeldLog {
    inner: Arc<dyn Log>,
    gate: watch::Receiver<bool>,
    fenced: Arc<AtomicBool>,
}

impl HeldLogs {
    fn new(fake: &FakeEnv) -> Arc<Self> {
        let inner = MemoryLog::new(fake.env(), MemoryOptions::default());
        Arc::new(Self { inner, gate: watch::Sender::new(true), fenced: Arc::default() })
    }
}

impl HeldLog {
    fn refuse_fenced(&self) -> store::Result<()> {
        if self.fenced.load(Ordering::Relaxed) {
            return Err(store::Error::new(ErrorKind::Fenced, "another process owns the log"));
        }
        Ok(())
    }
}

impl Logs for HeldLogs {
    fn open(&self, id: LogId) -> Job<'_, Arc<dyn Log>> {
        Box::pin(async move {
            let (inner, gate) = (self.inner.open(id).await?, self.gate.subscribe());
            Ok(Arc::new(HeldLog { inner, gate, fenced: self.fenced.clone() }) as Arc<dyn Log>)
        })
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
        self.refuse_fenced()?;
        self.inner.append(batch, key_id)
    }

    fn tail(&self) -> Tail {
        self.inner.tail()
    }

    fn read(&self, from: u64, records_max: usize, bytes_max: usize) -> Job<'_, RecordBatch> {
        Box::pin(async move {
            self.refuse_fenced()?;
            self.inner.read(from, records_max, bytes_max).await
        })
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

    fn trim_to(&self, ordinal: u64) {
        self.inner.trim_to(ordinal);
    }
}

async fn open(fake: &FakeEnv, logs: &Arc<HeldLogs>) -> Streams {
    let parts = Parts {
        env: fake.env(),
        store: Store::open(MemoryCatalog::new(), logs.clone(), false)
            .unwrap()
            .part(streams::SERVICE),
        keys: Arc::new(SomeKeys),
        registry: Registry::default(),
    };
    Streams::open(parts, Options::default()).await.unwrap()
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
    let logs = HeldLogs::new(&fake);
    let streams = open(&fake, &logs).await;
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

/// Where another process owns a log its stream is not gone, and no writer waits for its children.
#[tokio::test(flavor = "current_thread")]
async fn a_log_of_another_owner_is_no_reshard_and_no_deletion() {
    let fake = fake_env(1);
    let logs = HeldLogs::new(&fake);
    let streams = open(&fake, &logs).await;
    let ours = cx(ACCOUNT, "us-east-1");
    streams.create_stream(&ours, create("a", 1)).await.unwrap();
    rest(&fake).await;
    let iterator = GetShardIteratorInput {
        stream_name: Some("a".into()),
        shard_id: "shardId-000000000000".into(),
        shard_iterator_type: ShardIteratorType::TrimHorizon,
        ..GetShardIteratorInput::default()
    };
    let iterator = streams.get_shard_iterator(&ours, iterator).await.unwrap().shard_iterator;
    let record = PutRecordInput {
        stream_name: Some("a".into()),
        partition_key: Some("k".into()),
        data: bytes::Bytes::from_static(b"x"),
        ..PutRecordInput::default()
    };
    let read = GetRecordsInput { shard_iterator: iterator.unwrap(), ..GetRecordsInput::default() };
    streams.put_record(&ours, record.clone()).await.unwrap();
    logs.fenced.store(true, Ordering::Relaxed);
    // Nobody moves the clock: what waited for five seconds would wait for ever.
    let written = streams.put_record(&ours, record).await.err();
    assert!(matches!(written, Some(Error::ServiceUnavailable(_))), "{written:?}");
    let read = streams.get_records(&ours, read).await.err();
    assert!(matches!(read, Some(Error::ServiceUnavailable(_))), "{read:?}");
    streams.close().await;
}
