//! The service over the local engine and catalog on a simulated disk that loses power, or whose
//! program is killed, in the middle of whatever is being done.

use crate::house::{ACCOUNT, check_cover, create, cx, stream_arn};
use api::Text;
use api::kinesis::*;
use base::metrics::Registry;
use base::{AccountId, Cx, Region};
use bytes::Bytes;
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
use testkit::{FakeEnv, SeededRng, fake_env, seeds};
use tokio::task::AbortHandle;

const DATA: &str = "/data";
const NAME: &str = "s";

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
        let wanted = create(NAME, 2);
        if self.status().await.is_none() {
            self.streams().create_stream(&self.cx, wanted).await.unwrap();
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

    async fn status(&self) -> Option<StreamStatus> {
        let input = DescribeStreamSummaryInput {
            stream_name: Some(NAME.into()),
            ..DescribeStreamSummaryInput::default()
        };
        let output = self.streams().describe_stream_summary(&self.cx, input).await.ok()?;
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
    async fn answer<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Option<T> {
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
        let input =
            ListShardsInput { stream_name: Some(NAME.into()), ..ListShardsInput::default() };
        self.streams().list_shards(&self.cx, input).await.unwrap().shards.unwrap()
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
        let input = PutRecordInput {
            stream_name: Some(NAME.into()),
            data: Bytes::copy_from_slice(data.as_bytes()),
            partition_key: Some(data.as_str().into()),
            ..PutRecordInput::default()
        };
        let acked = self.answer(self.streams().put_record(&self.cx, input)).await.is_some();
        self.records.insert(data, acked);
    }

    async fn scale(&self) {
        let input = UpdateShardCountInput {
            stream_name: Some(NAME.into()),
            target_shard_count: 1 + self.rng.below(5) as i32,
            ..UpdateShardCountInput::default()
        };
        let _maybe = self.answer(self.streams().update_shard_count(&self.cx, input)).await;
    }

    async fn split(&self) {
        let open = self.shards().await.into_iter().rfind(crate::house::is_open).unwrap();
        let start: u128 = open.hash_key_range.starting_hash_key.parse().unwrap();
        let input = SplitShardInput {
            stream_arn: Some(stream_arn(NAME)),
            shard_to_split: open.shard_id,
            new_starting_hash_key: (start + 2 + u128::from(self.rng.below(99))).to_string().into(),
            ..SplitShardInput::default()
        };
        let _maybe = self.answer(self.streams().split_shard(&self.cx, input)).await;
    }

    async fn encrypt(&self) {
        let input = StartStreamEncryptionInput {
            stream_name: Some(NAME.into()),
            encryption_type: EncryptionType::Kms,
            key_id: "alias/a".into(),
            ..StartStreamEncryptionInput::default()
        };
        let _maybe = self.answer(self.streams().start_stream_encryption(&self.cx, input)).await;
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
        let input = GetShardIteratorInput {
            stream_name: Some(NAME.into()),
            shard_id: shard.clone(),
            shard_iterator_type: ShardIteratorType::TrimHorizon,
            ..GetShardIteratorInput::default()
        };
        let output = self.streams().get_shard_iterator(&self.cx, input).await.unwrap();
        let mut at = output.shard_iterator;
        let mut all = Vec::new();
        while let Some(shard_iterator) = at {
            let input = GetRecordsInput { shard_iterator, ..GetRecordsInput::default() };
            let output = self.streams().get_records(&self.cx, input).await.unwrap();
            let tip = output.records.is_empty();
            all.extend(output.records.iter().map(|r| String::from_utf8(r.data.to_vec()).unwrap()));
            at = output.next_shard_iterator.filter(|_| !tip);
        }
        all
    }
}
