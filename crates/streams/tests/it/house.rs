//! A service that can be stopped and started again over what it stored, for tests of the control
//! plane.

use api::Text;
use api::kinesis::*;
use base::metrics::Registry;
use base::{AccountId, Cx, Origin, Region, RequestId};
use bytes::Bytes;
use kit::{DataKeys, KeyTrouble};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::catalog::MemoryCatalog;
use store::memory::{MemoryLog, MemoryOptions};
use store::{Catalog, Error as StoreError, ErrorKind, Job, Store, Transaction};
use streams::{Options, Parts, Streams};
use testkit::{FakeEnv, fake_env};
use tokio::task::AbortHandle;

pub(crate) const ACCOUNT: &str = "000000000000";

/// A service and everything that outlives it.
pub(crate) struct House {
    pub(crate) fake: FakeEnv,
    pub(crate) streams: Streams,
    /// Removes logs for as long as the service lives.
    removals: AbortHandle,
    pub(crate) catalog: Arc<CrashCatalog>,
    pub(crate) logs: Arc<MemoryLog>,
    pub(crate) registry: Registry,
    pub(crate) cx: Cx,
    pub(crate) options: Options,
}

/// A catalog that stops taking commits at a chosen one, as a process does that is killed there.
pub(crate) struct CrashCatalog {
    inner: Arc<MemoryCatalog>,
    commits: AtomicUsize,
    /// Commits that succeed.
    before: AtomicUsize,
    /// Whether the one after them is stored all the same, its answer lost.
    stored: bool,
    /// Which one from now on finds the disk full, counted from 1; 0 = none.
    full: AtomicUsize,
}

impl CrashCatalog {
    fn new(inner: Arc<MemoryCatalog>, before: usize, stored: bool) -> Arc<Self> {
        let (commits, before) = (AtomicUsize::new(0), AtomicUsize::new(before));
        Arc::new(Self { inner, commits, before, stored, full: AtomicUsize::new(0) })
    }

    /// Refuses the next commit, and takes those after it.
    pub(crate) fn refuse_next(&self) {
        self.refuse_after(0);
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

impl Catalog for CrashCatalog {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.inner.get(key)
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, rows_max: usize) -> Vec<(Bytes, Bytes)> {
        self.inner.scan(prefix, after, rows_max)
    }

    fn commit(&self, transaction: Transaction) -> Job<'_, ()> {
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        let before = self.before.load(Ordering::Relaxed);
        let left =
            self.full.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        let is_full = left == Ok(1);
        Box::pin(async move {
            if is_full {
                return Err(StoreError::new(ErrorKind::Full, "no room on the disk"));
            }
            if number < before || (number == before && self.stored) {
                self.inner.commit(transaction).await?;
            }
            if number < before {
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

pub(crate) fn cx(account: &str, region: &str) -> Cx {
    Cx {
        request_id: RequestId::from_random([7; 16]),
        account: AccountId::parse(account).unwrap(),
        region: Region::parse(region).unwrap(),
        caller_arn: format!("arn:aws:iam::{account}:user/ann").into(),
        access_key: None,
        permissions: base::policy::Permissions::All,
        origin: Origin::default(),
        memory: base::budget::Share::unbounded(),
    }
}

/// Runs a test with a service of its own.
pub(crate) fn run<F: AsyncFnOnce(&mut House)>(test: F) {
    run_with(Options::default(), test);
}

pub(crate) fn run_with<F: AsyncFnOnce(&mut House)>(options: Options, test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut house = House::build(options).await;
        test(&mut house).await;
        house.streams.close().await;
    });
}

/// Options without AWS's rations of changes.
pub(crate) fn free() -> Options {
    Options { scaling_limits: false, ..Options::default() }
}

impl House {
    async fn build(options: Options) -> Self {
        let fake = fake_env(1);
        let catalog = CrashCatalog::new(MemoryCatalog::new(), usize::MAX, false);
        let logs = MemoryLog::new(fake.env(), MemoryOptions::default());
        let registry = Registry::default();
        let store = Store::open(catalog.clone(), logs.clone(), false).unwrap();
        let removals = removals(&fake, &store);
        let parts = parts(&fake, &store, &registry);
        let streams = Streams::open(parts, options.clone()).await.unwrap();
        let cx = cx(ACCOUNT, "us-east-1");
        Self { fake, streams, removals, catalog, logs, registry, cx, options }
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
        self.catalog = CrashCatalog::new(self.catalog.inner.clone(), commits, stored);
        let store = Store::open(self.catalog.clone(), self.logs.clone(), false).unwrap();
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

    pub(crate) async fn create(&self, name: &str, shards: i32) {
        self.streams.create_stream(&self.cx, create(name, shards)).await.unwrap();
        self.rest().await;
    }

    pub(crate) async fn summary(&self, name: &str) -> Result<StreamDescriptionSummary, Error> {
        let input = DescribeStreamSummaryInput {
            stream_name: Some(name.into()),
            ..DescribeStreamSummaryInput::default()
        };
        let output = self.streams.describe_stream_summary(&self.cx, input).await?;
        Ok(output.stream_description_summary)
    }

    pub(crate) async fn status(&self, name: &str) -> Option<StreamStatus> {
        self.summary(name).await.ok().map(|summary| summary.stream_status)
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<(), Error> {
        let input =
            DeleteStreamInput { stream_name: Some(name.into()), ..DeleteStreamInput::default() };
        self.streams.delete_stream(&self.cx, input).await
    }

    pub(crate) async fn split(&self, name: &str, shard: &str, at: u128) -> Result<(), Error> {
        let input = SplitShardInput {
            stream_name: Some(name.into()),
            shard_to_split: shard.into(),
            new_starting_hash_key: at.to_string().into(),
            ..SplitShardInput::default()
        };
        self.streams.split_shard(&self.cx, input).await
    }

    pub(crate) async fn merge(&self, name: &str, lower: &str, upper: &str) -> Result<(), Error> {
        let input = MergeShardsInput {
            stream_name: Some(name.into()),
            shard_to_merge: lower.into(),
            adjacent_shard_to_merge: upper.into(),
            ..MergeShardsInput::default()
        };
        self.streams.merge_shards(&self.cx, input).await
    }

    pub(crate) async fn scale(
        &self,
        name: &str,
        target: i32,
    ) -> Result<UpdateShardCountOutput, Error> {
        let input = UpdateShardCountInput {
            stream_name: Some(name.into()),
            target_shard_count: target,
            ..UpdateShardCountInput::default()
        };
        self.streams.update_shard_count(&self.cx, input).await
    }

    /// The shards that a filter shows.
    pub(crate) async fn list(&self, name: &str, filter: Option<ShardFilter>) -> Vec<Shard> {
        let input = ListShardsInput {
            stream_name: Some(name.into()),
            shard_filter: filter,
            ..ListShardsInput::default()
        };
        self.streams.list_shards(&self.cx, input).await.unwrap().shards.unwrap()
    }

    pub(crate) async fn put(&self, name: &str, key: &str, data: &str) -> Result<Text, Error> {
        let input = PutRecordInput {
            stream_name: Some(name.into()),
            data: Bytes::copy_from_slice(data.as_bytes()),
            partition_key: Some(key.into()),
            ..PutRecordInput::default()
        };
        Ok(self.streams.put_record(&self.cx, input).await?.shard_id)
    }

    /// Everything a shard holds.
    pub(crate) async fn read(&self, name: &str, shard: &str) -> Vec<String> {
        let input = GetShardIteratorInput {
            stream_name: Some(name.into()),
            shard_id: shard.into(),
            shard_iterator_type: ShardIteratorType::TrimHorizon,
            ..GetShardIteratorInput::default()
        };
        let mut at = self.streams.get_shard_iterator(&self.cx, input).await.unwrap().shard_iterator;
        let mut all = Vec::new();
        while let Some(shard_iterator) = at {
            let input = GetRecordsInput { shard_iterator, ..GetRecordsInput::default() };
            let output = self.streams.get_records(&self.cx, input).await.unwrap();
            let tip = output.records.is_empty();
            all.extend(output.records.iter().map(|r| String::from_utf8(r.data.to_vec()).unwrap()));
            at = output.next_shard_iterator.filter(|_| !tip);
        }
        all
    }

    pub(crate) async fn register(&self, stream: &str, name: &str) -> Result<Consumer, Error> {
        let input = RegisterStreamConsumerInput {
            stream_arn: stream_arn(stream),
            consumer_name: name.into(),
            ..RegisterStreamConsumerInput::default()
        };
        Ok(self.streams.register_stream_consumer(&self.cx, input).await?.consumer)
    }

    /// Keys of all stored rows that start with this, after the name of whose they are.
    pub(crate) fn rows(&self, prefix: &str) -> Vec<String> {
        let rows = self.catalog.scan(prefix.as_bytes(), None, usize::MAX);
        rows.into_iter().map(|(key, _)| String::from_utf8(key.to_vec()).unwrap()).collect()
    }
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

pub(crate) fn create(name: &str, shards: i32) -> CreateStreamInput {
    CreateStreamInput {
        stream_name: name.into(),
        shard_count: Some(shards),
        ..CreateStreamInput::default()
    }
}

/// ARN of a stream of the tests' account and region.
pub(crate) fn stream_arn(name: &str) -> Text {
    format!("arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}").into()
}

/// The code and the message of a refusal.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, code: &str, message: &str) {
    let e = outcome.expect_err("a refusal");
    assert_eq!((e.code(), e.message()), (code, message));
}

/// The numbers of shards, as their ids end.
pub(crate) fn numbers(shards: &[Shard]) -> Vec<u32> {
    shards.iter().map(|s| s.shard_id.rsplit('-').next().unwrap().parse().unwrap()).collect()
}

/// Shards that take no more records have an end.
pub(crate) fn is_open(shard: &Shard) -> bool {
    shard.sequence_number_range.ending_sequence_number.is_none()
}

/// Panics unless the open ones of these shards own every hash key once.
#[track_caller]
pub(crate) fn check_cover(shards: &[Shard]) {
    let key = |text: &Text| text.parse::<u128>().unwrap();
    let mut ranges: Vec<(u128, u128)> = shards
        .iter()
        .filter(|s| is_open(s))
        .map(|s| (key(&s.hash_key_range.starting_hash_key), key(&s.hash_key_range.ending_hash_key)))
        .collect();
    ranges.sort_unstable();
    assert_eq!(ranges.first().unwrap().0, 0, "{ranges:?}");
    assert_eq!(ranges.last().unwrap().1, u128::MAX, "{ranges:?}");
    assert!(ranges.windows(2).all(|w| w[0].1 + 1 == w[1].0), "{ranges:?}");
}
