//! kill -9 under load, again and again: nothing acknowledged is missing, altered or out of order.

use super::ledger::{Item, Ledger, create, pause, read_shard};
use crate::support::Running;
use api::kinesis::{ListShardsInput, MergeShardsInput, Shard, SplitShardInput, ops};
use client::Client;
use std::sync::Arc;

/// Rounds without `MILLWEIR_KILL_ROUNDS`.
const ROUNDS: u64 = 50;
const PRODUCERS: u64 = 8;
const BATCHES_MAX: u64 = 60;
const BATCH_RECORDS: u64 = 10;
const STREAM: &str = "ledger";
const SHARDS: i32 = 4;
/// Every how many rounds all of it is read back; the last one always is.
const FULL_CHECK_ROUNDS: u64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_nothing_acknowledged() {
    let rounds = std::env::var("MILLWEIR_KILL_ROUNDS").map_or(ROUNDS, |n| n.parse().unwrap());
    let ledger = Arc::new(Ledger::default());
    let mut server = Running::start(&["--limits", "hardware"]);
    create(&server.client(), STREAM, SHARDS).await;
    for round in 0..rounds {
        let client = server.client();
        let shards = open_shards(&client).await;
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|p| tokio::spawn(produce(ledger.clone(), client.clone(), round, p)))
            .collect();
        let resharding = tokio::spawn(reshard(client, shards, round));
        pause(5 + round * 37 % 190).await;
        server.kill();
        for producer in producers {
            producer.await.expect("a producer's own asserts");
        }
        resharding.await.expect("resharding ends");
        server.restart();
        if round % FULL_CHECK_ROUNDS == FULL_CHECK_ROUNDS - 1 || round == rounds - 1 {
            check_all(&server.client(), &ledger).await;
        }
    }
    assert!(ledger.len() as u64 > rounds * BATCH_RECORDS, "the load never got through");
}

/// Until the server is gone or the round's share is written.
async fn produce(ledger: Arc<Ledger>, client: Client, round: u64, producer: u64) {
    for batch in 0..BATCHES_MAX {
        let items = (0..BATCH_RECORDS).map(|i| item(round, producer, batch, i)).collect();
        if !ledger.put(&client, STREAM, items, 1).await {
            return;
        }
    }
}

fn item(round: u64, producer: u64, batch: u64, i: u64) -> Item {
    let place = (round * BATCHES_MAX + batch) * BATCH_RECORDS + i;
    let seed = place.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ producer;
    let text = format!("{producer}/{place}/{seed:x} ");
    let data = text.repeat(1 + (seed >> 60) as usize * 3).into_bytes();
    (format!("producer-{producer}-{}", i % 4).into(), data.into(), place)
}

/// Splits or merges while records come in; whether it is done before the kill is chance.
async fn reshard(client: Client, shards: Vec<Shard>, round: u64) {
    if shards.len() < 6 {
        let shard = &shards[round as usize % shards.len()];
        let start: u128 = shard.hash_key_range.starting_hash_key.parse().unwrap();
        let end: u128 = shard.hash_key_range.ending_hash_key.parse().unwrap();
        let input = SplitShardInput {
            stream_name: Some(STREAM.into()),
            shard_to_split: shard.shard_id.clone(),
            new_starting_hash_key: (start / 2 + end / 2).to_string().into(),
            ..Default::default()
        };
        // The kill may come first: then it is done or not done, never half.
        _ = client.call_with::<ops::SplitShard>(&input, client::Retry::NONE).await;
    } else {
        let at = round as usize % (shards.len() - 1);
        let input = MergeShardsInput {
            stream_name: Some(STREAM.into()),
            shard_to_merge: shards[at].shard_id.clone(),
            adjacent_shard_to_merge: shards[at + 1].shard_id.clone(),
            ..Default::default()
        };
        _ = client.call_with::<ops::MergeShards>(&input, client::Retry::NONE).await;
    }
}

async fn all_shards(client: &Client) -> Vec<Shard> {
    let mut shards = Vec::new();
    let mut next_token = None;
    loop {
        let stream_name = next_token.is_none().then(|| STREAM.into());
        let input = ListShardsInput { stream_name, next_token, ..Default::default() };
        let output = client.call::<ops::ListShards>(&input).await.expect("a list of shards");
        shards.extend(output.shards.unwrap_or_default());
        next_token = output.next_token;
        if next_token.is_none() {
            return shards;
        }
    }
}

/// By their hash keys.
async fn open_shards(client: &Client) -> Vec<Shard> {
    let mut shards = all_shards(client).await;
    shards.retain(|s| s.sequence_number_range.ending_sequence_number.is_none());
    shards.sort_by_key(|s| s.hash_key_range.starting_hash_key.parse::<u128>().unwrap());
    shards
}

async fn check_all(client: &Client, ledger: &Ledger) {
    let mut next = Some(0);
    for shard in open_shards(client).await {
        let start: u128 = shard.hash_key_range.starting_hash_key.parse().unwrap();
        let end: u128 = shard.hash_key_range.ending_hash_key.parse().unwrap();
        assert_eq!(next, Some(start), "the open shards have a hole or overlap");
        next = end.checked_add(1);
    }
    assert_eq!(next, None, "the open shards end before the last hash key");
    let mut seen = 0;
    for shard in all_shards(client).await {
        let records = read_shard(client, STREAM, &shard.shard_id).await;
        seen += ledger.check(&shard.shard_id, &records);
    }
    assert_eq!(seen, ledger.len(), "a shard with acknowledged records is gone");
}
