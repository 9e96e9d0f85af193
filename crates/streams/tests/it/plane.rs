//! A whole service over memory engines with a clock that the test moves, for tests of reading and
//! writing.

use api::EventStream;
use api::Text;
use api::kinesis::*;
use base::metrics::Registry;
use base::{AccountId, Cx, Origin, Region, RequestId};
use futures_util::StreamExt;
use kit::{DataKeys, KeyTrouble};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use store::catalog::MemoryCatalog;
use store::memory::{MemoryLog, MemoryOptions};
use store::{Catalog, Job, Store, Transaction};
use streams::{Limits, Options, Parts, Streams};
use testkit::{FakeClock, FakeEnv, fake_env};

pub(crate) const MIB: usize = 1 << 20;

/// A service, its world and its only client.
pub(crate) struct World {
    pub(crate) fake: FakeEnv,
    pub(crate) streams: Streams,
    pub(crate) catalog: Arc<GatedCatalog>,
    pub(crate) registry: Registry,
    pub(crate) cx: Cx,
}

/// Keys that every request gets.
struct AnyKey;

impl DataKeys for AnyKey {
    fn resolve<'a>(
        &'a self,
        _: AccountId,
        _: &'a Region,
        key_id: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<String, KeyTrouble>> + Send + 'a>> {
        Box::pin(async move { Ok(key_id.to_owned()) })
    }
}

/// A catalog whose commits a test can hold back.
pub(crate) struct GatedCatalog {
    inner: Arc<MemoryCatalog>,
    gate: tokio::sync::watch::Sender<bool>,
}

impl GatedCatalog {
    fn new() -> Arc<Self> {
        Arc::new(Self { inner: MemoryCatalog::new(), gate: tokio::sync::watch::Sender::new(true) })
    }

    /// Lets commits through, or none.
    pub(crate) fn set_open(&self, open: bool) {
        self.gate.send_replace(open);
    }
}

impl Catalog for GatedCatalog {
    fn get(&self, key: &[u8]) -> Option<bytes::Bytes> {
        self.inner.get(key)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        rows_max: usize,
    ) -> Vec<(bytes::Bytes, bytes::Bytes)> {
        self.inner.scan(prefix, after, rows_max)
    }

    fn commit(&self, transaction: Transaction) -> Job<'_, ()> {
        Box::pin(async move {
            let mut gate = self.gate.subscribe();
            gate.wait_for(|open| *open).await.expect("the sender lives as long as the catalog");
            self.inner.commit(transaction).await
        })
    }

    fn close(&self) -> Job<'_, ()> {
        self.inner.close()
    }

    fn trouble(&self) -> Option<String> {
        self.inner.trouble()
    }
}

pub(crate) fn cx(account: &str) -> Cx {
    Cx {
        request_id: RequestId::from_random([7; 16]),
        account: AccountId::parse(account).unwrap(),
        region: Region::default(),
        caller_arn: format!("arn:aws:iam::{account}:root").into(),
        access_key: None,
        permissions: base::policy::Permissions::All,
        origin: Origin::default(),
        memory: base::budget::Share::unbounded(),
    }
}

/// A service with AWS's limits, closed when the test ends.
pub(crate) fn run<F: AsyncFnOnce(&World)>(test: F) {
    run_with(Options::default(), MemoryOptions::default(), test);
}

/// A service without rates.
pub(crate) fn run_unlimited<F: AsyncFnOnce(&World)>(test: F) {
    let options = Options { limits: Limits::Hardware, ..Options::default() };
    run_with(options, MemoryOptions::default(), test);
}

pub(crate) fn run_with<F: AsyncFnOnce(&World)>(options: Options, memory: MemoryOptions, test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let world = World::open(options, memory).await;
        test(&world).await;
        world.streams.close().await;
    });
}

impl World {
    async fn open(options: Options, memory: MemoryOptions) -> Self {
        let fake = fake_env(1);
        let catalog = GatedCatalog::new();
        let registry = Registry::default();
        let store =
            Store::open(catalog.clone(), MemoryLog::new(fake.env(), memory), false).unwrap();
        let parts = Parts {
            env: fake.env(),
            store: store.part(streams::SERVICE),
            keys: Arc::new(AnyKey),
            registry: registry.clone(),
        };
        let streams = Streams::open(parts, options).await.unwrap();
        Self { fake, streams, catalog, registry, cx: cx("000000000000") }
    }

    pub(crate) fn clock(&self) -> &FakeClock {
        &self.fake.clock
    }

    /// Lets every other task run until it waits.
    pub(crate) async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    /// Moves time on and lets every task run.
    pub(crate) async fn pass(&self, time: Duration) {
        self.clock().advance(time);
        self.settle().await;
    }

    /// Makes a stream and waits until it is active.
    pub(crate) async fn create(&self, name: &str, shards: i32) {
        let input = CreateStreamInput {
            stream_name: name.into(),
            shard_count: Some(shards),
            ..CreateStreamInput::default()
        };
        self.streams.create_stream(&self.cx, input).await.unwrap();
        self.active(name).await;
    }

    pub(crate) async fn summary(&self, name: &str) -> Result<StreamDescriptionSummary, Error> {
        let input = DescribeStreamSummaryInput {
            stream_name: Some(name.into()),
            ..DescribeStreamSummaryInput::default()
        };
        let output = self.streams.describe_stream_summary(&self.cx, input).await?;
        Ok(output.stream_description_summary)
    }

    /// Waits, in fake time, until a stream is active.
    pub(crate) async fn active(&self, name: &str) {
        for _ in 0..10_000 {
            if self.summary(name).await.unwrap().stream_status == StreamStatus::Active {
                return;
            }
            self.pass(Duration::from_millis(1)).await;
        }
        panic!("stream {name} never became active");
    }

    /// Waits, in fake time, until a stream is gone.
    pub(crate) async fn gone(&self, name: &str) {
        for _ in 0..10_000 {
            if self.summary(name).await.is_err() {
                return;
            }
            self.pass(Duration::from_millis(1)).await;
        }
        panic!("stream {name} was never deleted");
    }

    pub(crate) async fn delete(&self, name: &str) {
        let input = DeleteStreamInput {
            stream_name: Some(name.into()),
            enforce_consumer_deletion: Some(true),
            ..DeleteStreamInput::default()
        };
        self.streams.delete_stream(&self.cx, input).await.unwrap();
        self.gone(name).await;
    }

    pub(crate) async fn shards(&self, name: &str) -> Vec<Shard> {
        let input =
            ListShardsInput { stream_name: Some(name.into()), ..ListShardsInput::default() };
        let output = self.streams.list_shards(&self.cx, input).await.unwrap();
        output.shards.unwrap_or_default()
    }

    /// Splits a shard in its middle; does not wait.
    pub(crate) async fn split(&self, name: &str, shard: &str) {
        let shards = self.shards(name).await;
        let range = &shards.iter().find(|s| s.shard_id == shard).unwrap().hash_key_range;
        let start: u128 = range.starting_hash_key.parse().unwrap();
        let end: u128 = range.ending_hash_key.parse().unwrap();
        let input = SplitShardInput {
            stream_name: Some(name.into()),
            shard_to_split: shard.into(),
            new_starting_hash_key: (start + (end - start) / 2).to_string().into(),
            ..SplitShardInput::default()
        };
        self.streams.split_shard(&self.cx, input).await.unwrap();
    }

    /// Merges two shards, the lower one first; does not wait.
    pub(crate) async fn merge(&self, name: &str, lower: &str, upper: &str) {
        let input = MergeShardsInput {
            stream_name: Some(name.into()),
            shard_to_merge: lower.into(),
            adjacent_shard_to_merge: upper.into(),
            ..MergeShardsInput::default()
        };
        self.streams.merge_shards(&self.cx, input).await.unwrap();
    }

    pub(crate) async fn put(
        &self,
        name: &str,
        key: &str,
        data: &[u8],
    ) -> Result<PutRecordOutput, Error> {
        self.streams.put_record(&self.cx, put_input(name, key, data)).await
    }

    pub(crate) async fn put_all(
        &self,
        name: &str,
        records: Vec<PutRecordsRequestEntry>,
    ) -> Result<PutRecordsOutput, Error> {
        let input = PutRecordsInput {
            stream_name: Some(name.into()),
            records,
            ..PutRecordsInput::default()
        };
        self.streams.put_records(&self.cx, input).await
    }

    pub(crate) async fn iterator_of(&self, input: GetShardIteratorInput) -> Result<Text, Error> {
        let output = self.streams.get_shard_iterator(&self.cx, input).await?;
        Ok(output.shard_iterator.unwrap())
    }

    /// An iterator of a type that takes nothing else.
    pub(crate) async fn iterator(&self, name: &str, shard: &str, kind: ShardIteratorType) -> Text {
        self.iterator_of(iterator_input(name, shard, kind)).await.unwrap()
    }

    pub(crate) async fn get(&self, iterator: &Text) -> Result<GetRecordsOutput, Error> {
        self.streams.get_records(&self.cx, get_input(iterator)).await
    }

    /// Everything a shard holds, read from its horizon to its tip or end, in the order of reading.
    pub(crate) async fn drain(&self, name: &str, shard: &str) -> Vec<Record> {
        let mut at = Some(self.iterator(name, shard, ShardIteratorType::TrimHorizon).await);
        let mut records = Vec::new();
        while let Some(iterator) = at {
            let output = self.get(&iterator).await.unwrap();
            check_end(&output);
            let tip = output.records.is_empty() && output.millis_behind_latest == Some(0);
            records.extend(output.records);
            at = output.next_shard_iterator.filter(|_| !tip);
        }
        records
    }

    /// Registers a consumer, waits until it is active and returns its ARN.
    pub(crate) async fn consumer(&self, stream: &str, name: &str) -> Text {
        let stream_arn = self.summary(stream).await.unwrap().stream_arn;
        let input = RegisterStreamConsumerInput {
            stream_arn: stream_arn.clone(),
            consumer_name: name.into(),
            ..RegisterStreamConsumerInput::default()
        };
        let made = self.streams.register_stream_consumer(&self.cx, input).await.unwrap().consumer;
        for _ in 0..1000 {
            let input = DescribeStreamConsumerInput {
                consumer_arn: Some(made.consumer_arn.clone()),
                ..DescribeStreamConsumerInput::default()
            };
            let output = self.streams.describe_stream_consumer(&self.cx, input).await.unwrap();
            if output.consumer_description.consumer_status == ConsumerStatus::Active {
                return made.consumer_arn;
            }
            self.pass(Duration::from_millis(1)).await;
        }
        panic!("consumer {name} never became active");
    }

    pub(crate) async fn subscribe(
        &self,
        input: SubscribeToShardInput,
    ) -> Result<Subscription, Error> {
        self.streams.subscribe_to_shard(&self.cx, input).await.map(Subscription)
    }

    /// The number behind a metric of exactly these labels.
    pub(crate) fn metric(&self, line_start: &str) -> Option<f64> {
        let text = self.registry.render();
        let line = text.lines().find(|line| line.starts_with(line_start))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }
}

/// The events of one subscription.
pub(crate) struct Subscription(pub(crate) EventStream<SubscribeToShardEventStream, Error>);

impl Subscription {
    /// The next event, whenever it comes.
    pub(crate) async fn next(&mut self) -> Option<Result<SubscribeToShardEvent, Error>> {
        let item = self.0.next().await?;
        Some(item.map(|SubscribeToShardEventStream::SubscribeToShardEvent(event)| {
            let ended = event.continuation_sequence_number.is_none();
            let children = event.child_shards.as_ref().is_some_and(|c| !c.is_empty());
            assert_eq!(ended, children, "an end without children or the reverse: {event:?}");
            event
        }))
    }

    /// The next event, which must be there without any time passing.
    pub(crate) async fn now(
        &mut self,
        world: &World,
    ) -> Option<Result<SubscribeToShardEvent, Error>> {
        let item = self.poll(world).await;
        item.expect("an event without delay")
    }

    /// The next item if it is there without any time passing.
    pub(crate) async fn poll(
        &mut self,
        world: &World,
    ) -> Option<Option<Result<SubscribeToShardEvent, Error>>> {
        tokio::select! {
            biased;
            item = self.next() => Some(item),
            () = world.settle() => None,
        }
    }
}

/// Begins a split and stops it between the seal of the parent and the children's birth, until the
/// catalog is opened again.
pub(crate) async fn half_split(world: &World, name: &str, shard: &str) {
    world.split(name, shard).await;
    world.catalog.set_open(false);
    world.pass(Duration::from_millis(30)).await;
}

/// Null next iterator if and only if there are child shards, each with its parents.
pub(crate) fn check_end(output: &GetRecordsOutput) {
    let children = output.child_shards.as_deref().unwrap_or_default();
    assert_eq!(output.next_shard_iterator.is_none(), !children.is_empty(), "{output:?}");
    assert!(children.iter().all(|c| !c.parent_shards.is_empty()), "{children:?}");
}

pub(crate) fn entry(key: &str, data: &[u8]) -> PutRecordsRequestEntry {
    PutRecordsRequestEntry {
        data: bytes::Bytes::copy_from_slice(data),
        partition_key: Some(key.into()),
        ..PutRecordsRequestEntry::default()
    }
}

pub(crate) fn put_input(name: &str, key: &str, data: &[u8]) -> PutRecordInput {
    PutRecordInput {
        stream_name: Some(name.into()),
        data: bytes::Bytes::copy_from_slice(data),
        partition_key: Some(key.into()),
        ..PutRecordInput::default()
    }
}

pub(crate) fn iterator_input(
    name: &str,
    shard: &str,
    kind: ShardIteratorType,
) -> GetShardIteratorInput {
    GetShardIteratorInput {
        stream_name: Some(name.into()),
        shard_id: shard.into(),
        shard_iterator_type: kind,
        ..GetShardIteratorInput::default()
    }
}

pub(crate) fn get_input(iterator: &Text) -> GetRecordsInput {
    GetRecordsInput { shard_iterator: iterator.clone(), ..GetRecordsInput::default() }
}

pub(crate) fn subscribe_input(
    consumer: &Text,
    shard: &str,
    kind: ShardIteratorType,
) -> SubscribeToShardInput {
    SubscribeToShardInput {
        consumer_arn: consumer.clone(),
        shard_id: shard.into(),
        starting_position: StartingPosition { type_: kind, ..StartingPosition::default() },
        ..SubscribeToShardInput::default()
    }
}

/// The code and the message of a refusal.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, code: &str, message: &str) {
    let e = outcome.expect_err("a refusal");
    assert_eq!((e.code(), e.message()), (code, message));
}

pub(crate) fn texts(records: &[Record]) -> Vec<&str> {
    records.iter().map(|r| std::str::from_utf8(&r.data).unwrap()).collect()
}
