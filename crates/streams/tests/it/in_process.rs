//! The readers and the writer of `client` on the service itself, as other services here use them.

use crate::house::{ACCOUNT, SomeKeys};
use api::kinesis::{CreateStreamInput, SplitShardInput, ops};
use base::Cx;
use base::metrics::Registry;
use client::{Client, Config, Consumer, ConsumerOptions, Entry, Mode, Producer, ProducerOptions};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::catalog::MemoryCatalog;
use store::memory::{MemoryLog, MemoryOptions};
use streams::{Lifecycle, Options, Parts, Streams};
use testkit::script::cx;

async fn serve() -> Arc<api::kinesis::Server<Streams>> {
    let env = client::system_env();
    let logs = MemoryLog::new(env.clone(), MemoryOptions::default());
    let store = Store::open(MemoryCatalog::new(), logs, false).unwrap();
    let parts = Parts {
        env,
        store: store.part(streams::SERVICE),
        keys: Arc::new(SomeKeys),
        registry: Registry::default(),
    };
    let at_once = Duration::ZERO;
    let lifecycle = Lifecycle { creating: at_once, updating: at_once, deleting: at_once };
    let options = Options { lifecycle, ..Options::default() };
    let streams = Streams::open(parts, options).await.unwrap();
    Arc::new(api::kinesis::Server::new(Arc::new(streams)))
}

fn client(service: &Arc<api::kinesis::Server<Streams>>, cx: Cx) -> Client {
    Client::of_service(service.clone(), cx, Config::new("in this process"))
}

/// All of a stream across a split, polled and pushed.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_stream_is_read_without_the_wire() {
    let service = serve().await;
    let client = client(&service, cx(ACCOUNT, "us-east-1"));
    let create =
        CreateStreamInput { stream_name: "s".into(), shard_count: Some(1), ..Default::default() };
    client.call::<ops::CreateStream>(&create).await.unwrap();
    let put = async |from: usize| {
        let producer = Producer::start(&client, &ProducerOptions::new("s"));
        for n in from..from + 50 {
            let (key, data) = (format!("k{n}"), n.to_string().into_bytes());
            let (partition_key, data) = (key.into(), data.into());
            let entry = Entry { partition_key, explicit_hash_key: None, data };
            drop(producer.send(entry).await.unwrap());
        }
        producer.finish().await;
    };
    put(0).await;
    let split = SplitShardInput {
        stream_name: Some("s".into()),
        shard_to_split: "shardId-000000000000".into(),
        new_starting_hash_key: (u128::MAX / 2).to_string().into(),
        ..Default::default()
    };
    client.call::<ops::SplitShard>(&split).await.unwrap();
    put(50).await;
    let fan_out = Mode::FanOut { consumer_name: "c".into() };
    for mode in [Mode::Poll { idle: Duration::from_millis(5) }, fan_out] {
        let options = ConsumerOptions { mode, ..ConsumerOptions::new("s") };
        let mut consumer = Consumer::start(client.clone(), options).await.unwrap();
        let mut seen = BTreeSet::new();
        while seen.len() < 100 {
            let batch = consumer.next().await.expect("more is there").unwrap();
            for record in batch.records {
                let n: usize = String::from_utf8(record.data.to_vec()).unwrap().parse().unwrap();
                assert!(seen.insert(n), "{n} twice");
            }
        }
        consumer.close().await.unwrap();
    }
}

/// What is refused is refused as over the network.
#[tokio::test]
async fn errors_have_codes() {
    let service = serve().await;
    let client = client(&service, cx(ACCOUNT, "us-east-1"));
    let input = api::kinesis::DescribeStreamSummaryInput {
        stream_name: Some("gone".into()),
        ..Default::default()
    };
    let refused = client.call::<ops::DescribeStreamSummary>(&input).await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), (400, "ResourceNotFoundException"));
}
