//! A whole service over memory engines with a clock that the test moves, which can be stopped and
//! started again over what it stored.

use crate::script::members;
use api::kinesis::*;
use api::{EventStream, Text};
use base::metrics::Registry;
use base::{AccountId, Cx, Region};
use bytes::Bytes;
use futures_util::StreamExt;
use kit::{DataKeys, KeyTrouble};
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::catalog::MemoryCatalog;
use store::memory::{MemoryLog, MemoryOptions};
use store::{Catalog, Error as StoreError, ErrorKind, Job, Keys, Logs, Order, Store, Transaction};
use streams::{Limits, Options, Parts, Streams};
use testkit::script::{self, Names, Stage as _, cx};
use testkit::{FakeEnv, fake_env};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use wire::{Format, Refusal};

pub(crate) const MIB: usize = 1 << 20;
pub(crate) const ACCOUNT: &str = "000000000000";

/// A service and everything that outlives it.
pub(crate) struct House {
    pub(crate) fake: FakeEnv,
    pub(crate) streams: Streams,
    /// Removes logs for as long as the service lives.
    removals: AbortHandle,
    pub(crate) catalog: Arc<TestCatalog>,
    pub(crate) logs: Arc<MemoryLog>,
    /// The logs, or what stands before them.
    engine: Arc<dyn Logs>,
    pub(crate) registry: Registry,
    pub(crate) cx: Cx,
    options: Options,
    /// Values that scripts keep.
    pub(crate) names: Names,
    /// Subscriptions that scripts keep.
    pub(crate) events: BTreeMap<String, Subscription>,
}

/// A catalog whose commits a test can hold back, and that stops taking them at a chosen one, as a
/// process does that is killed there.
pub(crate) struct TestCatalog {
    inner: Arc<MemoryCatalog>,
    gate: watch::Sender<bool>,
    commits: AtomicUsize,
    /// Commits that succeed.
    before: usize,
    /// Whether the one after them is stored all the same, its answer lost.
    stored: bool,
    /// Which one from now on finds the disk full, counted from 1; 0 = none.
    full: AtomicUsize,
}

impl TestCatalog {
    fn new(inner: Arc<MemoryCatalog>, before: usize, stored: bool) -> Arc<Self> {
        let (gate, commits, full) = (watch::Sender::new(true), 0.into(), 0.into());
        Arc::new(Self { inner, gate, commits, before, stored, full })
    }

    /// Lets commits through, or none.
    pub(crate) fn set_open(&self, open: bool) {
        self.gate.send_replace(open);
    }

    /// Takes so many commits, refuses one, and takes those after it.
    pub(crate) fn refuse_after(&self, commits: usize) {
        self.full.store(commits + 1, Ordering::Relaxed);
    }

    /// Commits asked for so far.
    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }
}

impl Catalog for TestCatalog {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.inner.get(key)
    }

    fn range(&self, keys: &Keys, order: Order, rows_max: usize) -> Vec<(Bytes, Bytes)> {
        self.inner.range(keys, order, rows_max)
    }

    fn commit(&self, transaction: Transaction) -> Job<'_, ()> {
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        let left =
            self.full.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        Box::pin(async move {
            let mut gate = self.gate.subscribe();
            gate.wait_for(|open| *open).await.expect("the sender lives as long as the catalog");
            if left == Ok(1) {
                return Err(StoreError::new(ErrorKind::Full, "no room on the disk"));
            }
            if number < self.before || (number == self.before && self.stored) {
                self.inner.commit(transaction).await?;
            }
            if number < self.before {
                return Ok(());
            }
            Err(StoreError::new(ErrorKind::Unavailable, "the process was killed"))
        })
    }

    fn close(&self) -> Job<'_, ()> {
        self.inner.close()
    }

    fn trouble(&self) -> Option<String> {
        self.inner.trouble()
    }
}

/// Keys for every id but `alias/none`, `alias/off` and `alias/broken`.
pub(crate) struct SomeKeys;

impl DataKeys for SomeKeys {
    fn resolve<'a>(
        &'a self,
        account: AccountId,
        _: &'a Region,
        key_id: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<String, KeyTrouble>> + Send + 'a>> {
        Box::pin(async move {
            match key_id {
                "alias/none" => Err(KeyTrouble::NotFound),
                "alias/off" => Err(KeyTrouble::Disabled),
                "alias/broken" => Err(KeyTrouble::Unavailable),
                _ => Ok(format!("{account}/{key_id}")),
            }
        })
    }
}

/// Runs a test with a service of its own, which has AWS's limits and is closed when the test ends.
pub(crate) fn run<F: AsyncFnOnce(&mut House)>(test: F) {
    run_with(Options::default(), test);
}

/// A service without rates.
pub(crate) fn run_unlimited<F: AsyncFnOnce(&mut House)>(test: F) {
    run_with(unlimited(), test);
}

pub(crate) fn run_with<F: AsyncFnOnce(&mut House)>(options: Options, test: F) {
    run_on(MemoryOptions::default(), options, test);
}

pub(crate) fn run_on<F: AsyncFnOnce(&mut House)>(memory: MemoryOptions, options: Options, test: F) {
    let same = |logs: Arc<MemoryLog>| logs;
    run_all(memory, options, same, async |house, _| test(house).await);
}

/// A service over logs of the test's own, which are made of those in memory.
pub(crate) fn run_over<L: Logs, F: AsyncFnOnce(&mut House, &L)>(
    over: impl FnOnce(Arc<MemoryLog>) -> Arc<L>,
    test: F,
) {
    run_all(MemoryOptions::default(), Options::default(), over, test);
}

fn run_all<L: Logs, F: AsyncFnOnce(&mut House, &L)>(
    memory: MemoryOptions,
    options: Options,
    over: impl FnOnce(Arc<MemoryLog>) -> Arc<L>,
    test: F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let fake = fake_env(1);
        let memory = MemoryLog::new(fake.env(), memory);
        let logs = over(memory.clone());
        let engine: Arc<dyn Logs> = logs.clone();
        let mut house = House::build(fake, (memory, engine), options).await;
        test(&mut house, &logs).await;
        house.streams.close().await;
    });
}

/// Runs a script with a service of its own.
pub(crate) fn check_with(options: Options, script: &str) {
    run_with(options, async |house| house.check(script).await);
}

/// Options without rates.
pub(crate) fn unlimited() -> Options {
    Options { limits: Limits::Hardware, ..Options::default() }
}

/// Options without AWS's rations of changes.
pub(crate) fn free() -> Options {
    Options { scaling_limits: false, ..Options::default() }
}

impl House {
    async fn build(
        fake: FakeEnv,
        (logs, engine): (Arc<MemoryLog>, Arc<dyn Logs>),
        options: Options,
    ) -> Self {
        let catalog = TestCatalog::new(MemoryCatalog::new(), usize::MAX, false);
        let registry = Registry::default();
        let store = Store::open(catalog.clone(), engine.clone(), false).unwrap();
        let removals = removals(&fake, &store);
        let parts = parts(&fake, &store, &registry);
        let streams = Streams::open(parts, options.clone()).await.unwrap();
        let cx = cx(ACCOUNT, "us-east-1");
        let names = [("arn", "s"), ("stream", "")].map(|(name, stream)| {
            (name.to_owned(), stream_arn(stream).trim_end_matches('/').to_owned())
        });
        let (names, events) = (Names::from(names), BTreeMap::new());
        Self {
            fake,
            streams,
            removals,
            catalog,
            logs,
            engine,
            registry,
            cx,
            options,
            names,
            events,
        }
    }

    /// Kills the service where it stands and starts another one over what is stored.
    pub(crate) async fn restart(&mut self) {
        self.crash_after(usize::MAX, false).await;
    }

    /// As `restart`; the new one is killed after this many commits, the next of which is `stored`
    /// or not.
    pub(crate) async fn crash_after(&mut self, commits: usize, stored: bool) {
        // Tasks stop where they wait, as if the process were gone.
        self.streams.close().await;
        self.removals.abort();
        self.catalog = TestCatalog::new(self.catalog.inner.clone(), commits, stored);
        let store = Store::open(self.catalog.clone(), self.engine.clone(), false).unwrap();
        let parts = parts(&self.fake, &store, &self.registry);
        self.streams = Streams::open(parts, self.options.clone()).await.unwrap();
        self.removals = removals(&self.fake, &store);
    }

    /// Opens the same logs with a catalog that knows nothing of them.
    pub(crate) fn open_over_nothing(&self) -> store::Result<Arc<Store>> {
        Store::open(MemoryCatalog::new(), self.logs.clone(), false)
    }

    /// Lets every task run until it waits.
    pub(crate) async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    /// Moves time on and lets every task run.
    pub(crate) async fn pass(&self, time: Duration) {
        self.fake.clock.advance(time);
        self.settle().await;
    }

    /// Moves time on until nothing is passing any more.
    pub(crate) async fn rest(&self) {
        for _ in 0..20 {
            self.pass(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.fake.env().clock.now_ms()
    }

    /// An operation's members as in scripts, its answer as shapes.
    pub(crate) async fn ask<O: api::Operation>(&self, text: &str) -> Result<O::Output, Refusal> {
        ask::<O>(&self.streams, &self.cx, members(&self.names, text)).await
    }

    /// Makes a stream and waits until it is active.
    pub(crate) async fn create(&self, name: &str, shards: i32) {
        self.streams.create_stream(&self.cx, create(name, shards)).await.unwrap();
        self.active(name).await;
    }

    pub(crate) async fn summary(&self, name: &str) -> Result<StreamDescriptionSummary, Refusal> {
        let output = self.ask::<ops::DescribeStreamSummary>(&format!("StreamName={name}")).await?;
        Ok(output.stream_description_summary)
    }

    pub(crate) async fn status(&self, name: &str) -> Option<StreamStatus> {
        self.summary(name).await.ok().map(|summary| summary.stream_status)
    }

    /// Waits, in fake time, until a stream is active.
    pub(crate) async fn active(&self, name: &str) {
        for _ in 0..10_000 {
            if self.status(name).await == Some(StreamStatus::Active) {
                return;
            }
            self.pass(Duration::from_millis(1)).await;
        }
        panic!("stream {name} never became active");
    }

    /// Deletes a stream with its consumers and waits until it is gone.
    pub(crate) async fn delete(&self, name: &str) {
        let members = format!("StreamName={name} EnforceConsumerDeletion=true");
        self.ask::<ops::DeleteStream>(&members).await.unwrap();
        self.rest().await;
        assert_eq!(self.status(name).await, None);
    }

    pub(crate) async fn shards(&self, name: &str) -> Vec<Shard> {
        let output = self.ask::<ops::ListShards>(&format!("StreamName={name}")).await.unwrap();
        output.shards.unwrap()
    }

    /// Splits a shard in its middle; does not wait.
    pub(crate) async fn split(&self, name: &str, shard: &str) -> Result<(), Refusal> {
        let (shards, shard) = (self.shards(name).await, shard_id(shard));
        let (start, end) = range(shards.iter().find(|s| s.shard_id == *shard).unwrap());
        let at = start + (end - start) / 2;
        let members = format!("StreamName={name} ShardToSplit={shard} NewStartingHashKey='{at}'");
        self.ask::<ops::SplitShard>(&members).await
    }

    /// Begins a split and stops it between the seal of the parent and the children's birth, until
    /// the catalog is opened again.
    pub(crate) async fn half_split(&self, name: &str, shard: &str) {
        self.split(name, shard).await.unwrap();
        self.catalog.set_open(false);
        self.pass(Duration::from_millis(30)).await;
    }

    pub(crate) async fn put(
        &self,
        name: &str,
        key: &str,
        data: impl AsRef<[u8]>,
    ) -> Result<PutRecordOutput, Error> {
        let input = PutRecordInput {
            stream_name: Some(name.into()),
            data: Bytes::copy_from_slice(data.as_ref()),
            partition_key: Some(key.into()),
            ..PutRecordInput::default()
        };
        self.streams.put_record(&self.cx, input).await
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

    /// An iterator of a type that takes nothing else, or with what else it takes.
    pub(crate) async fn iterator(&self, name: &str, shard: &str, kind: &str) -> Text {
        let shard = shard_id(shard);
        let members = format!("StreamName={name} ShardId='{shard}' ShardIteratorType={kind}");
        self.ask::<ops::GetShardIterator>(&members).await.unwrap().shard_iterator.unwrap()
    }

    /// What an iterator gives; other members can follow it.
    pub(crate) async fn get(&self, iterator: &str) -> GetRecordsOutput {
        let output = self.ask::<ops::GetRecords>(&format!("ShardIterator={iterator}")).await;
        let output = output.unwrap();
        // Null next iterator if and only if there are child shards, each with its parents.
        let children = output.child_shards.as_deref().unwrap_or_default();
        assert_eq!(output.next_shard_iterator.is_none(), !children.is_empty(), "{output:?}");
        assert!(children.iter().all(|c| !c.parent_shards.is_empty()), "{children:?}");
        output
    }

    /// Everything a shard holds, read from its horizon to its tip or end, in the order of reading.
    pub(crate) async fn drain(&self, name: &str, shard: &str) -> Vec<Record> {
        let mut at = Some(self.iterator(name, shard, "TRIM_HORIZON").await);
        let mut records = Vec::new();
        while let Some(iterator) = at {
            let output = self.get(&iterator).await;
            let tip = output.records.is_empty() && output.millis_behind_latest == Some(0);
            records.extend(output.records);
            at = output.next_shard_iterator.filter(|_| !tip);
        }
        records
    }

    /// As `drain`: the data alone.
    pub(crate) async fn read(&self, name: &str, shard: &str) -> Vec<String> {
        let records = self.drain(name, shard).await;
        texts(&records).into_iter().map(str::to_owned).collect()
    }

    /// Registers a consumer, waits until it is active and returns its ARN.
    pub(crate) async fn consumer(&self, stream: &str, name: &str) -> Text {
        let members = format!("StreamARN={} ConsumerName={name}", stream_arn(stream));
        let made = self.ask::<ops::RegisterStreamConsumer>(&members).await.unwrap().consumer;
        let members = format!("ConsumerARN={}", made.consumer_arn);
        for _ in 0..1000 {
            let output = self.ask::<ops::DescribeStreamConsumer>(&members).await.unwrap();
            if output.consumer_description.consumer_status == ConsumerStatus::Active {
                return made.consumer_arn;
            }
            self.pass(Duration::from_millis(1)).await;
        }
        panic!("consumer {name} never became active");
    }

    /// What a consumer is told of a shard from a place on.
    pub(crate) async fn subscribe(
        &self,
        consumer: &str,
        shard: &str,
        position: &str,
    ) -> Subscription {
        let position = format!("ShardId={shard} StartingPosition={{Type={position}}}");
        let members = members(&self.names, &format!("ConsumerARN={consumer} {position}"));
        let body = members.to_string().into();
        let input = wire::decode(Format::Json, body, SubscribeToShardInput::read).unwrap();
        Subscription(self.streams.subscribe_to_shard(&self.cx, input).await.unwrap())
    }

    /// Keys of all stored rows that start with this, after the name of whose they are.
    pub(crate) fn rows(&self, prefix: &str) -> Vec<String> {
        let rows = self.catalog.scan(prefix.as_bytes(), None, usize::MAX);
        rows.into_iter().map(|(key, _)| String::from_utf8(key.to_vec()).unwrap()).collect()
    }

    /// The number behind a metric of stream `s` with exactly these more labels, as `a=b`.
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let more = labels.iter().map(|label| {
            let (label, value) = label.split_once('=').unwrap();
            format!(",{label}=\"{}\"", shard_id(value))
        });
        let whose = "account=\"000000000000\",region=\"us-east-1\",stream=\"s\"";
        let labels: String = more.collect();
        let begin = format!("millweir_kinesis_{name}{{{whose}{labels}}} ");
        let text = self.registry.render();
        text.lines().find_map(|line| line.strip_prefix(&begin))?.parse().ok()
    }
}

/// The answer to an operation's JSON; empty where it streams events.
pub(crate) async fn answer(
    streams: &Streams,
    cx: Cx,
    operation: &str,
    body: Value,
) -> Result<Bytes, Refusal> {
    let server = Server::new(Arc::new(streams.clone()));
    script::answer(&server, cx, operation, &body).await
}

/// The answer to an operation as shapes.
pub(crate) async fn ask<O: api::Operation>(
    streams: &Streams,
    cx: &Cx,
    body: Value,
) -> Result<O::Output, Refusal> {
    O::decode(Format::Json, answer(streams, cx.clone(), O::NAME, body).await?)
}

fn removals(fake: &FakeEnv, store: &Arc<Store>) -> AbortHandle {
    tokio::spawn(store.remove_logs(fake.env().clock)).abort_handle()
}

fn parts(fake: &FakeEnv, store: &Arc<Store>, registry: &Registry) -> Parts {
    Parts {
        env: fake.env(),
        store: store.part(streams::SERVICE),
        keys: Arc::new(SomeKeys),
        registry: registry.clone(),
    }
}

/// The events of one subscription.
pub(crate) struct Subscription(EventStream<SubscribeToShardEventStream, Error>);

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
        house: &House,
    ) -> Option<Result<SubscribeToShardEvent, Error>> {
        self.poll(house).await.expect("an event without delay")
    }

    /// The next item if it is there without any time passing.
    pub(crate) async fn poll(
        &mut self,
        house: &House,
    ) -> Option<Option<Result<SubscribeToShardEvent, Error>>> {
        tokio::select! {
            biased;
            item = self.next() => Some(item),
            () = house.settle() => None,
        }
    }
}

pub(crate) fn create(name: &str, shards: i32) -> CreateStreamInput {
    CreateStreamInput {
        stream_name: name.into(),
        shard_count: Some(shards),
        ..CreateStreamInput::default()
    }
}

pub(crate) fn entry(key: &str, data: &[u8]) -> PutRecordsRequestEntry {
    PutRecordsRequestEntry {
        data: Bytes::copy_from_slice(data),
        partition_key: Some(key.into()),
        ..PutRecordsRequestEntry::default()
    }
}

pub(crate) fn texts(records: &[Record]) -> Vec<&str> {
    records.iter().map(|r| std::str::from_utf8(&r.data).unwrap()).collect()
}

/// An id of which `#3` is the short form, in full.
pub(crate) fn shard_id(text: &str) -> String {
    text.strip_prefix('#').map_or(text.to_owned(), |number| format!("shardId-{number:0>12}"))
}

/// A time as a starting place, or the middle of a filter.
pub(crate) fn at_time(ms: i64) -> String {
    format!("AT_TIMESTAMP Timestamp={}.{:03}", ms / 1000, ms % 1000)
}

/// ARN of a stream of the tests' account and region.
pub(crate) fn stream_arn(name: &str) -> Text {
    format!("arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}").into()
}

/// Shards that take no more records have an end.
pub(crate) fn is_open(shard: &Shard) -> bool {
    shard.sequence_number_range.ending_sequence_number.is_none()
}

/// The first and the last hash key of a shard.
pub(crate) fn range(shard: &Shard) -> (u128, u128) {
    let range = &shard.hash_key_range;
    (range.starting_hash_key.parse().unwrap(), range.ending_hash_key.parse().unwrap())
}

/// Panics unless the open ones of these shards own every hash key once.
#[track_caller]
pub(crate) fn check_cover(shards: &[Shard]) {
    let mut ranges: Vec<_> = shards.iter().filter(|s| is_open(s)).map(range).collect();
    ranges.sort_unstable();
    assert_eq!(ranges.first().unwrap().0, 0, "{ranges:?}");
    assert_eq!(ranges.last().unwrap().1, u128::MAX, "{ranges:?}");
    assert!(ranges.windows(2).all(|w| w[0].1 + 1 == w[1].0), "{ranges:?}");
}
