//! What one connection of `bench` does until it is over.

use super::{Done, Shared};
use anyhow::{Result, ensure};
use api::kinesis::{
    GetRecordsInput, GetShardIteratorInput, ListShardsInput, PutRecordInput, PutRecordsInput,
    PutRecordsRequestEntry, ShardIteratorType, ops,
};

use bytes::Bytes;
use client::{Client, Error, Retry};
use std::time::Duration;
use wire::Text;

/// Pause after a refusal, so that a throttled run does not spin.
const PAUSE: Duration = Duration::from_millis(20);
/// Failures after which a worker gives up.
const FAILURES_MAX: u64 = 100;

impl Done {
    /// Counts a call that was done.
    fn call(&mut self, shared: &Shared, began: Duration) {
        self.latencies.add(shared.clock.monotonic().saturating_sub(began));
    }

    /// Counts a call that was not done; false when the worker should give up.
    async fn refused(&mut self, shared: &Shared, e: Error) -> bool {
        if e.is_throttling() {
            self.throttled += 1;
        } else {
            self.failed += 1;
            self.last_failure = Some(e);
        }
        shared.clock.sleep(PAUSE).await;
        self.failed < FAILURES_MAX
    }
}

/// Payload that is not all zeros, so that nothing on the way can shrink it to nothing.
fn payload(size: usize) -> Bytes {
    (0..size).map(|n| (n.wrapping_mul(31) >> 3) as u8).collect::<Vec<u8>>().into()
}

pub(super) async fn put_record(shared: Shared, worker: u32) -> Done {
    let mut done = Done::default();
    let mut input = PutRecordInput {
        stream_name: Some((&*shared.stream).into()),
        data: payload(shared.size),
        ..PutRecordInput::default()
    };
    for n in 0_u64.. {
        if shared.take(1) == 0 {
            break;
        }
        input.partition_key = Some(format!("{worker}-{n}").into());
        let began = shared.clock.monotonic();
        match shared.client.call_with::<ops::PutRecord>(&input, Retry::NONE).await {
            Ok(_) => {
                done.call(&shared, began);
                done.records += 1;
                done.bytes += shared.size as u64;
            }
            Err(e) => {
                if !done.refused(&shared, e).await {
                    break;
                }
            }
        }
    }
    done
}

pub(super) async fn put_records(shared: Shared) -> Done {
    let mut done = Done::default();
    let data = payload(shared.size);
    for call in 0_u64.. {
        let records = shared.take(shared.batch);
        if records == 0 {
            break;
        }
        let entry = |n| PutRecordsRequestEntry {
            data: data.clone(),
            partition_key: Some(format!("{call}-{n}").into()),
            ..PutRecordsRequestEntry::default()
        };
        let input = PutRecordsInput {
            records: (0..records).map(entry).collect(),
            stream_name: Some((&*shared.stream).into()),
            ..PutRecordsInput::default()
        };
        let began = shared.clock.monotonic();
        match shared.client.call_with::<ops::PutRecords>(&input, Retry::NONE).await {
            Ok(answer) => {
                done.call(&shared, began);
                let refused =
                    answer.records.iter().filter(|r| r.error_code.is_some()).count() as u64;
                done.throttled += refused;
                done.records += records - refused;
                done.bytes += (records - refused) * shared.size as u64;
                if refused > 0 {
                    shared.clock.sleep(PAUSE).await;
                }
            }
            Err(e) => {
                if !done.refused(&shared, e).await {
                    break;
                }
            }
        }
    }
    done
}

/// Names of the shards to read.
pub(super) async fn shards(client: &Client, stream: &str) -> Result<Vec<Text>> {
    let input = ListShardsInput { stream_name: Some(stream.into()), ..ListShardsInput::default() };
    let page = client.call::<ops::ListShards>(&input).await?;
    let shards: Vec<Text> =
        page.shards.unwrap_or_default().into_iter().map(|shard| shard.shard_id).collect();
    ensure!(!shards.is_empty(), "stream {stream} has no shards");
    Ok(shards)
}

/// Reads one shard from its beginning, over and over.
pub(super) async fn get_records(shared: Shared, shard_id: Text) -> Done {
    let mut done = Done::default();
    let mut iterator: Option<Text> = None;
    while !over(&shared) {
        let Some(from) = iterator.take() else {
            match horizon(&shared, &shard_id).await {
                Ok(found) => iterator = Some(found),
                Err(e) => {
                    if !done.refused(&shared, e).await {
                        break;
                    }
                }
            }
            continue;
        };
        let input = GetRecordsInput { shard_iterator: from, ..GetRecordsInput::default() };
        let began = shared.clock.monotonic();
        match shared.client.call_with::<ops::GetRecords>(&input, Retry::NONE).await {
            // The tip: from the beginning again, after a pause in case the shard is empty.
            Ok(page) if page.records.is_empty() => shared.clock.sleep(PAUSE).await,
            Ok(page) => {
                done.call(&shared, began);
                let taken = shared.take(page.records.len() as u64);
                done.records += taken;
                let bytes = |r: &api::kinesis::Record| r.data.len() as u64;
                done.bytes += page.records.iter().take(taken as usize).map(bytes).sum::<u64>();
                iterator = page.next_shard_iterator;
            }
            Err(e) => {
                iterator = Some(input.shard_iterator);
                if !done.refused(&shared, e).await {
                    break;
                }
            }
        }
    }
    done
}

fn over(shared: &Shared) -> bool {
    let none_left = shared.left.load(std::sync::atomic::Ordering::Relaxed) == 0;
    none_left || shared.clock.monotonic() >= shared.deadline
}

async fn horizon(shared: &Shared, shard_id: &Text) -> Result<Text, Error> {
    let input = GetShardIteratorInput {
        stream_name: Some((&*shared.stream).into()),
        shard_id: shard_id.clone(),
        shard_iterator_type: ShardIteratorType::TrimHorizon,
        ..GetShardIteratorInput::default()
    };
    let answer = shared.client.call_with::<ops::GetShardIterator>(&input, Retry::NONE).await?;
    Ok(answer.shard_iterator.unwrap_or_default())
}
