//! An outside account of what the server acknowledged, and the check of what it gives back.

use api::kinesis::{
    CreateStreamInput, DescribeStreamSummaryInput, GetRecordsInput, GetShardIteratorInput,
    PutRecordsInput, PutRecordsRequestEntry, Record, ShardIteratorType, StreamStatus, ops,
};
use client::{Client, Retry};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;
use wire::Text;

/// One acknowledged record.
pub(crate) struct Acked {
    pub(crate) key: Text,
    pub(crate) data: bytes::Bytes,
    /// Place in the producer's own order.
    pub(crate) place: u64,
}

/// By shard and sequence number (56 digits each, so that their texts sort as numbers do).
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<Text, BTreeMap<Text, Acked>>>);

/// What a producer wants written: key, data, place in its order.
pub(crate) type Item = (Text, bytes::Bytes, u64);

impl Ledger {
    /// Acknowledged records so far.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().values().map(BTreeMap::len).sum()
    }

    /// Whether this record was acknowledged.
    pub(crate) fn holds(&self, shard: &Text, sequence_number: &Text) -> bool {
        let shards = self.0.lock().unwrap();
        shards.get(shard).is_some_and(|s| s.contains_key(sequence_number))
    }

    /// Sends one batch until every entry is acknowledged; `false` when `patience` ran out. Entries
    /// of an unanswered call are sent again, so they may be stored twice but are acknowledged once.
    pub(crate) async fn put(
        &self,
        client: &Client,
        stream: &str,
        mut items: Vec<Item>,
        attempts_max: u32,
    ) -> bool {
        for _ in 0..attempts_max {
            let records = items
                .iter()
                .map(|(key, data, _)| PutRecordsRequestEntry {
                    partition_key: Some(key.clone()),
                    data: data.clone(),
                    ..Default::default()
                })
                .collect();
            let stream_name = Some(stream.into());
            let input = PutRecordsInput { records, stream_name, ..Default::default() };
            if let Ok(output) = client.call_with::<ops::PutRecords>(&input, Retry::NONE).await {
                assert_eq!(output.records.len(), items.len());
                let mut shards = self.0.lock().unwrap();
                let mut failed = Vec::new();
                for ((key, data, place), result) in items.into_iter().zip(output.records) {
                    let (Some(shard), Some(number)) = (result.shard_id, result.sequence_number)
                    else {
                        assert!(result.error_code.is_some(), "neither stored nor refused");
                        failed.push((key, data, place));
                        continue;
                    };
                    let acked = Acked { key, data, place };
                    let before = shards.entry(shard).or_default().insert(number, acked);
                    assert!(before.is_none(), "a sequence number was acknowledged twice");
                }
                items = failed;
            }
            if items.is_empty() {
                return true;
            }
            pause(20).await;
        }
        false
    }

    /// Every acknowledged record of `shard` is among `read` exactly once and unaltered, `read` is
    /// in order, and the records of one key are in the producer's order. Returns how many were
    /// acked.
    pub(crate) fn check(&self, shard: &Text, read: &[Record]) -> usize {
        let shards = self.0.lock().unwrap();
        let empty = BTreeMap::new();
        let acked = shards.get(shard).unwrap_or(&empty);
        for pair in read.windows(2) {
            assert!(
                pair[0].sequence_number < pair[1].sequence_number,
                "{shard}: {} is followed by {}",
                pair[0].sequence_number,
                pair[1].sequence_number
            );
        }
        let by_number: HashMap<&Text, &Record> =
            read.iter().map(|r| (&r.sequence_number, r)).collect();
        let mut places: HashMap<&Text, u64> = HashMap::new();
        for (number, acked) in acked {
            let record = by_number
                .get(number)
                .unwrap_or_else(|| panic!("{shard}: acknowledged {number} is missing"));
            assert_eq!(record.data, acked.data, "{shard}: {number} was altered");
            assert_eq!(
                record.partition_key.as_ref(),
                Some(&acked.key),
                "{shard}: {number} has another key"
            );
            if let Some(before) = places.insert(&acked.key, acked.place) {
                assert!(before < acked.place, "{shard}: key {} out of order", acked.key);
            }
        }
        acked.len()
    }
}

/// Lets real time pass.
pub(crate) async fn pause(ms: u64) {
    client::system_env().clock.sleep(Duration::from_millis(ms)).await;
}

/// Creates a stream and waits until it is `ACTIVE`.
pub(crate) async fn create(client: &Client, stream: &str, shards: i32) {
    let stream_name = stream.into();
    let shard_count = Some(shards);
    let input = CreateStreamInput { stream_name, shard_count, ..Default::default() };
    client.call::<ops::CreateStream>(&input).await.expect("a new stream");
    let input =
        DescribeStreamSummaryInput { stream_name: Some(stream.into()), ..Default::default() };
    loop {
        let output = client.call::<ops::DescribeStreamSummary>(&input).await.expect("a summary");
        if output.stream_description_summary.stream_status == StreamStatus::Active {
            return;
        }
        pause(10).await;
    }
}

/// Everything of a shard, from the oldest record to the tip.
pub(crate) async fn read_shard(client: &Client, stream: &str, shard: &Text) -> Vec<Record> {
    let input = GetShardIteratorInput {
        stream_name: Some(stream.into()),
        shard_id: shard.clone(),
        shard_iterator_type: ShardIteratorType::TrimHorizon,
        ..Default::default()
    };
    let answer = client.call::<ops::GetShardIterator>(&input).await.expect("an iterator");
    let mut iterator = answer.shard_iterator;
    let mut records = Vec::new();
    while let Some(shard_iterator) = iterator {
        let input = GetRecordsInput { shard_iterator, ..Default::default() };
        let answer = client.call::<ops::GetRecords>(&input).await.expect("records");
        let at_tip = answer.records.is_empty() && answer.millis_behind_latest == Some(0);
        records.extend(answer.records);
        let children = answer.child_shards.unwrap_or_default();
        assert_eq!(
            answer.next_shard_iterator.is_none(),
            !children.is_empty(),
            "no next iterator exactly when there are child shards"
        );
        iterator = answer.next_shard_iterator.filter(|_| !at_tip);
    }
    records
}
