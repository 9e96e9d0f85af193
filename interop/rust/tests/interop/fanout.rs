//! SubscribeToShard: an event stream that the SDK decodes, pushed as records become durable.

use std::time::{Duration, Instant};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::subscribe_to_shard::SubscribeToShardOutput;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{
    Record, ShardIteratorType, StartingPosition, SubscribeToShardEvent, SubscribeToShardEventStream,
};
use millweir_interop::{BOTH, Transport, client, consumer, delete, every_byte, shard, stream};

async fn put(client: &Client, name: &str, data: &[u8]) -> String {
    let call = client.put_record().stream_name(name).partition_key("k").explicit_hash_key("0");
    call.data(Blob::new(data)).send().await.unwrap().sequence_number().to_owned()
}

async fn subscribe(
    client: &Client,
    consumer: &str,
    kind: ShardIteratorType,
) -> SubscribeToShardOutput {
    let position = StartingPosition::builder().r#type(kind).build().unwrap();
    let call = client.subscribe_to_shard().consumer_arn(consumer).shard_id(shard(0));
    call.starting_position(position).send().await.unwrap()
}

/// The next event, or `None` when the subscription has ended.
async fn next(subscription: &mut SubscribeToShardOutput) -> Option<SubscribeToShardEvent> {
    let event = tokio::time::timeout(Duration::from_secs(8), subscription.event_stream.recv());
    match event.await.expect("an event in time").expect("no error")? {
        SubscribeToShardEventStream::SubscribeToShardEvent(event) => Some(event),
        other => panic!("{other:?} is not expected"),
    }
}

async fn take(subscription: &mut SubscribeToShardOutput, count: usize) -> Vec<Record> {
    let mut records = Vec::new();
    while records.len() < count {
        records.extend(next(subscription).await.expect("the subscription goes on").records);
    }
    records
}

#[tokio::test]
async fn events_are_pushed() {
    for transport in BOTH {
        let client = client(transport);
        let (name, arn) = stream(&client, 2).await;
        let consumer = consumer(&client, &arn).await;
        put(&client, &name, b"before").await;
        let mut subscription = subscribe(&client, &consumer, ShardIteratorType::TrimHorizon).await;
        assert_eq!(take(&mut subscription, 1).await[0].data().as_ref(), b"before");
        let number = put(&client, &name, &every_byte()).await;
        let started = Instant::now();
        let pushed = take(&mut subscription, 1).await;
        assert!(started.elapsed() < Duration::from_secs(2), "pushed, not polled");
        assert_eq!(pushed[0].data().as_ref(), every_byte());
        assert_eq!(pushed[0].sequence_number(), number);
        delete(&client, &name).await;
    }
}

#[tokio::test]
async fn a_second_subscription_within_five_seconds_is_refused() {
    let client = client(Transport::Plain);
    let (name, arn) = stream(&client, 1).await;
    let consumer = consumer(&client, &arn).await;
    let _first = subscribe(&client, &consumer, ShardIteratorType::Latest).await;
    let position = StartingPosition::builder().r#type(ShardIteratorType::Latest).build().unwrap();
    let call = client.subscribe_to_shard().consumer_arn(&consumer).shard_id(shard(0));
    let second = call.starting_position(position).send().await;
    assert!(second.unwrap_err().into_service_error().is_resource_in_use_exception());
    delete(&client, &name).await;
}

#[tokio::test]
async fn a_subscription_ends_with_the_children_of_its_shard() {
    for transport in BOTH {
        let client = client(transport);
        let (name, arn) = stream(&client, 1).await;
        let consumer = consumer(&client, &arn).await;
        put(&client, &name, b"n0").await;
        let mut subscription = subscribe(&client, &consumer, ShardIteratorType::TrimHorizon).await;
        assert_eq!(take(&mut subscription, 1).await[0].data().as_ref(), b"n0");
        let half = (1_u128 << 127).to_string();
        let split = client.split_shard().stream_name(&name).shard_to_split(shard(0));
        split.new_starting_hash_key(&half).send().await.unwrap();
        let event = loop {
            let event = next(&mut subscription).await.expect("children come before the end");
            if !event.child_shards().is_empty() {
                break event;
            }
        };
        let children = event.child_shards().iter();
        let children: Vec<_> = children
            .map(|c| (c.parent_shards(), c.hash_key_range().unwrap().starting_hash_key()))
            .collect();
        let parents: &[String] = &[shard(0)];
        assert_eq!(children, [(parents, "0"), (parents, half.as_str())]);
        assert!(next(&mut subscription).await.is_none());
        delete(&client, &name).await;
    }
}
