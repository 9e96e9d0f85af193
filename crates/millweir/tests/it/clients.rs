//! The `client` crate against the real server: formats, TLS, producer and consumer.

use crate::support::{Running, read};
use api::kinesis::{ListStreamsInput, PutRecordInput, ops};
use bytes::Bytes;
use client::{
    Client, Config, Consumer, ConsumerOptions, Credentials, Entry, ErrorKind, Mode, Producer,
    ProducerOptions, Retry, Secret,
};
use std::collections::BTreeMap;
use std::time::Duration;
use wire::Protocol;

fn server() -> Running {
    let server = Running::start(&["--limits", "hardware"]);
    server.run(&["stream", "create", "s", "--shards", "4"]);
    server
}

fn entry(key: &str, data: String) -> Entry {
    Entry { partition_key: key.into(), explicit_hash_key: None, data: Bytes::from(data) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_with_the_written_authority() {
    let server = server();
    let ca_pem = read(&server.data().join("tls/ca.pem")).into_bytes();
    let mut config = Config::new(format!("https://localhost:{}", server.address().port()));
    config.retry = Retry::NONE;
    config.ca_pem = Some(ca_pem);
    let client = Client::new(config.clone()).unwrap();
    let streams = client.call::<ops::ListStreams>(&ListStreamsInput::default()).await.unwrap();
    assert_eq!(streams.stream_names, ["s"]);

    // An authority of another server is not trusted.
    let other = Running::start(&[]);
    config.ca_pem = Some(read(&other.data().join("tls/ca.pem")).into_bytes());
    let stranger = Client::new(config).unwrap();
    let refused = stranger.call::<ops::ListStreams>(&ListStreamsInput::default()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unreachable);
}

async fn check_round_trip(protocol: Protocol, mode: Mode) {
    let server = server();
    let client = Client::new(Config { protocol, ..Config::new(server.endpoint()) }).unwrap();
    let producer = Producer::start(&client, &ProducerOptions::new("s"));
    let mut receipts = Vec::new();
    for n in 0..2000 {
        let key = format!("key-{}", n % 50);
        receipts.push(producer.send(entry(&key, format!("{n} \u{fffd}"))).await.unwrap());
    }
    producer.finish().await;
    let mut placed = BTreeMap::new();
    for (n, receipt) in receipts.into_iter().enumerate() {
        let at = receipt.await.unwrap();
        placed.insert((at.shard_id, at.sequence_number), format!("{n} \u{fffd}"));
    }
    assert_eq!(placed.len(), 2000);

    let options = ConsumerOptions { mode, ..ConsumerOptions::new("s") };
    let mut consumer = Consumer::start(client, options).await.unwrap();
    let mut read = BTreeMap::new();
    while read.len() < 2000 {
        let batch = consumer.next().await.unwrap().unwrap();
        for record in batch.records {
            let data = String::from_utf8(record.data.to_vec()).unwrap();
            let again = read.insert((batch.shard_id.clone(), record.sequence_number), data);
            assert_eq!(again, None);
        }
    }
    assert_eq!(read, placed);
    consumer.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_and_polling() {
    check_round_trip(Protocol::Json11, Mode::Poll { idle: Duration::from_millis(20) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cbor_and_fan_out() {
    check_round_trip(Protocol::Cbor11, Mode::FanOut { consumer_name: "app".into() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_and_a_producer_outlive_a_killed_server() {
    let mut server = server();
    let client = server.client();
    let producer = Producer::start(&client, &ProducerOptions::new("s"));
    let mut consumer = Consumer::start(client.clone(), ConsumerOptions::new("s")).await.unwrap();
    producer.send(entry("k", "before".into())).await.unwrap().await.unwrap();
    assert_eq!(next_data(&mut consumer).await, "before");
    server.kill();
    let receipt = producer.send(entry("k", "after".into())).await.unwrap();
    server.restart();
    receipt.await.unwrap();
    assert_eq!(next_data(&mut consumer).await, "after");
}

async fn next_data(consumer: &mut Consumer) -> String {
    loop {
        let batch = consumer.next().await.unwrap().unwrap();
        if let Some(record) = batch.records.into_iter().next() {
            return String::from_utf8(record.data.to_vec()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttled_entries_go_again() {
    let server = Running::start(&["--memory"]);
    server.run(&["stream", "create", "s"]);
    let client = server.client();
    let producer = Producer::start(&client, &ProducerOptions::new("s"));
    let mut receipts = Vec::new();
    // Half as much again as a shard takes in a second.
    for n in 0..1500 {
        receipts.push(producer.send(entry("k", n.to_string())).await.unwrap());
    }
    for receipt in receipts {
        receipt.await.unwrap();
    }
    assert!(producer.throttled() > 0);
    let (_, metrics) = server.get("/metrics");
    let throttled = metrics.lines().any(|line| {
        let count = line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        line.starts_with("millweir_kinesis_throttled_total") && count > 0
    });
    assert!(throttled, "the test wrote too slowly to be throttled:\n{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_wait_behind_a_failure_share_its_patience() {
    let nobody = Client::new(Config::new("http://127.0.0.1:1")).unwrap();
    let patience = Duration::from_millis(500);
    let options =
        ProducerOptions { lanes: 1, batch_records_max: 1, patience, ..ProducerOptions::new("s") };
    let producer = Producer::start(&nobody, &options);
    let clock = client::system_env().clock;
    let mut receipts = Vec::new();
    for n in 0..40 {
        receipts.push(producer.send(entry("k", n.to_string())).await.unwrap());
    }
    for receipt in receipts {
        let e = receipt.await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Unreachable);
        assert!(e.message().contains("tried for 500ms"), "{e}");
    }
    assert!(base::env::Clock::monotonic(&*clock) < patience * 20, "each waited for itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_carry_code_message_and_status() {
    let server = Running::start(&["--memory"]);
    for protocol in [Protocol::Json11, Protocol::Cbor11] {
        let client = Client::new(Config { protocol, ..Config::new(server.endpoint()) }).unwrap();
        let input = PutRecordInput {
            stream_name: Some("none".into()),
            partition_key: Some("k".into()),
            ..PutRecordInput::default()
        };
        let e = client.call::<ops::PutRecord>(&input).await.unwrap_err();
        assert_eq!((e.code(), e.status()), ("ResourceNotFoundException", 400));
        assert_eq!(e.message(), "Stream none under account 000000000000 not found.");
    }
    let mut config = Config::new("http://127.0.0.1:1");
    config.retry = Retry::NONE;
    let nobody = Client::new(config).unwrap();
    let e = nobody.call::<ops::ListStreams>(&ListStreamsInput::default()).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Unreachable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_digits_name_an_account() {
    let server = Running::start(&["--memory"]);
    let mut config = Config::new(server.endpoint());
    config.credentials = Credentials {
        access_key_id: "123456789012".into(),
        secret_access_key: Secret::new("any"),
        session_token: Some(Secret::new("token")),
    };
    let client = Client::new(config).unwrap();
    let input = PutRecordInput { stream_name: Some("none".into()), ..PutRecordInput::default() };
    let input = PutRecordInput { partition_key: Some("k".into()), ..input };
    let e = client.call::<ops::PutRecord>(&input).await.unwrap_err();
    assert!(e.message().contains("account 123456789012"), "{e}");
}
