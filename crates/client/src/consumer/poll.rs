//! One shard by GetRecords.

use super::{Bearing, Ended, From, Mode, Received, Shared};
use crate::{Error, Retry};
use api::kinesis::{
    GetRecordsInput, GetRecordsOutput, GetShardIteratorInput, ShardIteratorType, ops,
};
use std::time::Duration;
use wire::{Text, Timestamp};

/// Reads a shard to its end; gives its children.
pub(super) async fn read(shared: &Shared, shard_id: &Text, from: From) -> Ended {
    let Mode::Poll { idle } = shared.options.mode else { return Ok(Vec::new()) };
    let mut shard = Polled { shared, shard_id, from, after: None, iterator: None };
    let mut bearing = Bearing::new(shared);
    loop {
        let page = match shard.next_page().await {
            Ok(page) => page,
            Err(e) if e.code() == "ExpiredIteratorException" => {
                shard.iterator = None;
                continue;
            }
            Err(e) => {
                bearing.bear(e).await?;
                continue;
            }
        };
        bearing.reset();
        let empty = page.records.is_empty();
        let behind = page.millis_behind_latest.unwrap_or_default();
        let ended = shard.iterator.is_none();
        let received = Received {
            shard_id: shard_id.clone(),
            records: page.records,
            millis_behind_latest: behind,
        };
        if !shared.give(received).await || ended {
            return Ok(page.child_shards.unwrap_or_default());
        }
        if empty {
            shared.client.env().clock.sleep(if behind == 0 { idle } else { Duration::ZERO }).await;
        }
    }
}

struct Polled<'a> {
    shared: &'a Shared,
    shard_id: &'a Text,
    from: From,
    /// Sequence number of the last record given.
    after: Option<Text>,
    iterator: Option<Text>,
}

impl Polled<'_> {
    /// One page; afterwards `iterator` is none when the shard has ended.
    async fn next_page(&mut self) -> Result<GetRecordsOutput, Error> {
        let calls = self.shared.calls.acquire().await;
        let iterator = match self.iterator.clone() {
            Some(iterator) => iterator,
            None => self.find_iterator().await?,
        };
        self.iterator = Some(iterator.clone());
        let input = GetRecordsInput { shard_iterator: iterator, ..GetRecordsInput::default() };
        let client = &self.shared.client;
        let mut page = client.call_with::<ops::GetRecords>(&input, Retry::NONE).await?;
        drop(calls);
        self.iterator = page.next_shard_iterator.take();
        if let Some(last) = page.records.last() {
            self.after = Some(last.sequence_number.clone());
        }
        Ok(page)
    }

    async fn find_iterator(&self) -> Result<Text, Error> {
        let (type_, number, time) = match (&self.after, self.from) {
            (Some(after), _) => (ShardIteratorType::AfterSequenceNumber, Some(after.clone()), None),
            (None, From::TrimHorizon) => (ShardIteratorType::TrimHorizon, None, None),
            (None, From::Latest) => (ShardIteratorType::Latest, None, None),
            (None, From::Timestamp(ms)) => {
                (ShardIteratorType::AtTimestamp, None, Some(Timestamp(ms)))
            }
        };
        let input = GetShardIteratorInput {
            stream_name: Some(self.shared.options.stream_name.as_str().into()),
            shard_id: self.shard_id.clone(),
            shard_iterator_type: type_,
            starting_sequence_number: number,
            timestamp: time,
            ..GetShardIteratorInput::default()
        };
        let answer =
            self.shared.client.call_with::<ops::GetShardIterator>(&input, Retry::NONE).await?;
        Ok(answer.shard_iterator.unwrap_or_default())
    }
}
