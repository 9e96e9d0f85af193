//! The service over the local engine and catalog on a simulated disk that loses power, or whose
//! program is killed, in the middle of whatever is being done.

use crate::house::{ACCOUNT, ask, check_cover, is_open, range, texts};
use crate::script::members;
use api::Text;
use api::kinesis::*;
use base::metrics::Registry;
use base::{AccountId, Cx, Region};
use kit::{DataKeys, KeyTrouble};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use store::catalog::{LocalCatalog, LocalCatalogOptions};
use store::local::{KEY_BYTES, KeyRing, Local};
use store::{Store, data_dir};
use streams::{Lifecycle, Limits, Options, Parts, Streams};
use testkit::script::{Names, cx};
use testkit::{FakeEnv, SeededRng, fake_env, seeds};
use tokio::task::AbortHandle;
use wire::Refusal;

const DATA: &str = "/data";

/// One key, in the ring from the start.
struct OneKey;

impl DataKeys for OneKey {
    fn resolve<'a>(
        &'a self,
        _: AccountId,
        _: &'a Region,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<String, KeyTrouble>> + Send + 'a>> {
        Box::pin(async { Ok("key".to_owned()) })
    }
}

/// A service on a disk, and what a client knows of it.
struct Machine {
    fake: FakeEnv,
    rng: SeededRng,
    cx: Cx,
    running: Option<(Streams, Arc<Local>)>,
    removals: Option<AbortHandle>,
    /// Records by their data: whether they were acknowledged.
    records: BTreeMap<String, bool>,
}

#[test]
fn acknowledged_records_and_whole_shards_survive_any_loss() {
    for seed in seeds(12) {
        println!("seed {seed}");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut machine = Machine::new(seed);
            for life in 0..6 {
                machine.start().await;
                machine.check(life).await;
                machine.fake.disk.power_off_after(machine.rng.below(160));
                while !machine.fake.disk.is_off() {
                    machine.step().await;
                }
                machine.stop().await;
                if machine.rng.chance(50) {
                    machine.fake.disk.crash(machine.rng.next_u64());
                } else {
                    machine.fake.disk.kill();
                }
            }
            machine.start().await;
            machine.check(6).await;
            machine.stop().await;
        });
    }
}

impl Machine {
    fn new(seed: u64) -> Self {
        let fake = fake_env(seed);
        let disk = fake.env().disk;
        disk.create_dir_all(Path::new(DATA)).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let (rng, cx) = (SeededRng::new(seed), cx(ACCOUNT, "us-east-1"));
        Self { fake, rng, cx, running: None, removals: None, records: BTreeMap::new() }
    }

    async fn start(&mut self) {
        let env = self.fake.env();
        let data = data_dir::open(Path::new(DATA), &env).unwrap();
        let bounds = LocalCatalogOptions { log_bytes: 64 << 10, ..LocalCatalogOptions::default() };
        let catalog = LocalCatalog::open_with(Path::new(DATA), &env, bounds).unwrap();
        let keys = KeyRing::default();
        keys.insert("key", &[7; KEY_BYTES]).unwrap();
        let engine = store::local::Options {
            journal_first_bytes: 256 << 10,
            journal_file_bytes_max: 256 << 10,
            journal_files_max: 3,
            keys: Arc::new(keys),
            ..store::local::Options::default()
        };
        let (local, _) = Local::open_in(&data, engine).unwrap();
        let store = Store::open(catalog, local.clone(), false).unwrap();
        self.removals = Some(tokio::spawn(store.remove_logs(env.clock.clone())).abort_handle());
        let parts = Parts {
            env,
            store: store.part(streams::SERVICE),
            keys: Arc::new(OneKey),
            registry: Registry::default(),
        };
        let at_once = Duration::ZERO;
        let options = Options {
            limits: Limits::Hardware,
            lifecycle: Lifecycle { creating: at_once, updating: at_once, deleting: at_once },
            scaling_limits: false,
            ..Options::default()
        };
        let streams = Streams::open(parts, options).await.unwrap();
        self.running = Some((streams, local));
        if self.status().await.is_none() {
            self.ask::<ops::CreateStream>("ShardCount=2").await.unwrap();
        }
        self.settled().await;
    }

    async fn stop(&mut self) {
        let (streams, local) = self.running.take().unwrap();
        streams.close().await;
        drop(streams);
        self.removals.take().unwrap().abort();
        // The task holds the store until it is dropped.
        tokio::task::yield_now().await;
        // Without `close`, as a process ends that is killed.
        drop(local);
    }

    fn streams(&self) -> &Streams {
        &self.running.as_ref().expect("the machine runs").0
    }

    /// Asks the one stream for something.
    async fn ask<O: api::Operation>(&self, what: &str) -> Result<O::Output, Refusal> {
        let body = members(&Names::new(), &format!("StreamName=s {what}"));
        ask::<O>(self.streams(), &self.cx, body).await
    }

    async fn status(&self) -> Option<StreamStatus> {
        let output = self.ask::<ops::DescribeStreamSummary>("").await.ok()?;
        Some(output.stream_description_summary.stream_status)
    }

    /// Waits until nothing is passing, or the power is off.
    async fn settled(&self) {
        while self.status().await.is_some_and(|status| status != StreamStatus::Active) {
            if self.fake.disk.is_off() {
                return;
            }
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    }

    /// Waits for an answer, or until the power is off.
    async fn answer<T>(&self, call: impl Future<Output = Result<T, Refusal>>) -> Option<T> {
        let off = async {
            while !self.fake.disk.is_off() {
                std::thread::yield_now();
                tokio::task::yield_now().await;
            }
            // What the engine still says is heard.
            for _ in 0..100 {
                std::thread::yield_now();
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            outcome = call => outcome.ok(),
            () = off => None,
        }
    }

    async fn shards(&self) -> Vec<Shard> {
        self.ask::<ops::ListShards>("").await.unwrap().shards.unwrap()
    }

    async fn step(&mut self) {
        self.fake.clock.advance(Duration::from_millis(self.rng.below(50)));
        match self.rng.below(10) {
            0 => self.scale().await,
            1 => self.split().await,
            2 => self.encrypt().await,
            _ => self.put().await,
        }
        self.settled().await;
    }

    async fn put(&mut self) {
        let data = format!("record {}", self.records.len());
        let put = format!("PartitionKey='{data}' Data='{data}'");
        let acked = self.answer(self.ask::<ops::PutRecord>(&put)).await.is_some();
        self.records.insert(data, acked);
    }

    async fn scale(&self) {
        let target = 1 + self.rng.below(5);
        let scaling = format!("TargetShardCount={target} ScalingType=UNIFORM_SCALING");
        let _maybe = self.answer(self.ask::<ops::UpdateShardCount>(&scaling)).await;
    }

    async fn split(&self) {
        let open = self.shards().await.into_iter().rfind(is_open).unwrap();
        let at = range(&open).0 + 2 + u128::from(self.rng.below(99));
        let split = format!("ShardToSplit={} NewStartingHashKey='{at}'", open.shard_id);
        let _maybe = self.answer(self.ask::<ops::SplitShard>(&split)).await;
    }

    async fn encrypt(&self) {
        let start = "EncryptionType=KMS KeyId=alias/a";
        let _maybe = self.answer(self.ask::<ops::StartStreamEncryption>(start)).await;
    }

    /// Shards without a hole; acknowledged records once, others at most once, nothing else.
    async fn check(&self, life: u32) {
        assert_eq!(self.status().await, Some(StreamStatus::Active), "life {life}");
        let shards = self.shards().await;
        check_cover(&shards);
        let mut found = BTreeMap::new();
        for shard in &shards {
            for data in self.read(&shard.shard_id).await {
                *found.entry(data).or_insert(0) += 1;
            }
        }
        for (data, acked) in &self.records {
            let times = found.remove(data).unwrap_or(0);
            assert!(times == 1 || (times == 0 && !acked), "life {life}: {data} {times} times");
        }
        assert!(found.is_empty(), "life {life}: never written: {found:?}");
    }

    async fn read(&self, shard: &Text) -> Vec<String> {
        let place = format!("ShardId={shard} ShardIteratorType=TRIM_HORIZON");
        let mut at = self.ask::<ops::GetShardIterator>(&place).await.unwrap().shard_iterator;
        let mut all = Vec::new();
        while let Some(iterator) = at {
            let body = members(&Names::new(), &format!("ShardIterator={iterator}"));
            let got = ask::<ops::GetRecords>(self.streams(), &self.cx, body).await.unwrap();
            all.extend(texts(&got.records).into_iter().map(str::to_owned));
            at = got.next_shard_iterator.filter(|_| !got.records.is_empty());
        }
        all
    }
}
