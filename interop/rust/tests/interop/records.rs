//! Records go in by both operations and come out by all five iterator types, byte for byte.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::get_shard_iterator::builders::GetShardIteratorFluentBuilder;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::ShardIteratorType;
use millweir_interop::{
    BOTH, Brief, Placed, Transport, awkward, briefs, client, delete, drain, horizon, numbered,
    owner, put_all, put_one_by_one, shard, stream,
};

#[tokio::test]
async fn awkward_records_come_back_intact_from_put_record() {
    for transport in BOTH {
        let client = client(transport);
        let (name, _) = stream(&client, 2).await;
        let placed = put_one_by_one(&client, &name, &awkward()).await;
        check_intact(&client, &name, placed).await;
    }
}

#[tokio::test]
async fn awkward_records_come_back_intact_from_put_records() {
    for transport in BOTH {
        let client = client(transport);
        let (name, _) = stream(&client, 2).await;
        let placed = put_all(&client, &name, &awkward()).await;
        check_intact(&client, &name, placed).await;
    }
}

async fn check_intact(client: &Client, name: &str, placed: Placed) {
    let listed = client.list_shards().stream_name(name).send().await.unwrap();
    assert_eq!(placed.values().map(Vec::len).sum::<usize>(), awkward().len());
    for (shard, want) in placed {
        for brief in &want {
            assert_eq!(owner(listed.shards(), &brief.key), shard);
            assert_eq!(brief.number.len(), 56);
        }
        assert_eq!(briefs(&drain(client, horizon(client, name, &shard).await).await), want);
    }
    delete(client, name).await;
}

#[tokio::test]
async fn every_iterator_type() {
    for transport in BOTH {
        let client = client(transport);
        let (name, _) = stream(&client, 2).await;
        for (shard, want) in put_all(&client, &name, &numbered(5, 8, 0)).await {
            read_every_way(&client, &name, &shard, &want).await;
        }
        delete(&client, &name).await;
    }
}

async fn read_every_way(client: &Client, name: &str, shard: &str, want: &[Brief]) {
    let from = |kind| {
        let call = client.get_shard_iterator().stream_name(name).shard_id(shard);
        call.shard_iterator_type(kind)
    };
    let every = read(client, from(ShardIteratorType::TrimHorizon)).await;
    assert_eq!(briefs(&every), want);
    let at = from(ShardIteratorType::AtSequenceNumber).starting_sequence_number(&want[2].number);
    assert_eq!(briefs(&read(client, at).await), want[2..]);
    let after =
        from(ShardIteratorType::AfterSequenceNumber).starting_sequence_number(&want[2].number);
    assert_eq!(briefs(&read(client, after).await), want[3..]);
    let stamp = *every.last().unwrap().approximate_arrival_timestamp().unwrap();
    let since = every.iter().filter(|r| *r.approximate_arrival_timestamp().unwrap() >= stamp);
    let since: Vec<_> = since.cloned().collect();
    let call = from(ShardIteratorType::AtTimestamp).timestamp(stamp);
    assert_eq!(briefs(&read(client, call).await), briefs(&since));

    let latest = from(ShardIteratorType::Latest).send().await.unwrap();
    let put = client.put_record().stream_name(name).partition_key(&want[0].key);
    let placed = put.data(Blob::new("new")).send().await.unwrap();
    let number = placed.sequence_number().to_owned();
    let new = Brief { key: want[0].key.clone(), data: b"new".to_vec(), number };
    assert_eq!(briefs(&drain(client, latest.shard_iterator.unwrap()).await), [new]);
}

async fn read(
    client: &Client,
    call: GetShardIteratorFluentBuilder,
) -> Vec<aws_sdk_kinesis::types::Record> {
    drain(client, call.send().await.unwrap().shard_iterator.unwrap()).await
}

#[tokio::test]
async fn explicit_hash_keys() {
    let client = client(Transport::Plain);
    let (name, _) = stream(&client, 2).await;
    let put = |hash: String| {
        let call =
            client.put_record().stream_name(&name).partition_key("same").explicit_hash_key(hash);
        call.data(Blob::new("x")).send()
    };
    assert_eq!(put(((1_u128 << 127) - 1).to_string()).await.unwrap().shard_id(), shard(0));
    assert_eq!(put((1_u128 << 127).to_string()).await.unwrap().shard_id(), shard(1));
    let above = put("340282366920938463463374607431768211456".to_owned()).await;
    assert!(above.unwrap_err().into_service_error().is_invalid_argument_exception());
    delete(&client, &name).await;
}
