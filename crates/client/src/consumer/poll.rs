//! One shard by GetRecords.

use super::reading::Reading;
use super::{Ended, From, Mode, Shared};
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
    let mut reading = Reading::new(shared, shard_id);
    loop {
        let page = match shard.next_page().await {
            Ok(page) => page,
            Err(e) if e.code() == "ExpiredIteratorException" => {
                shard.iterator = None;
                reading.renew(e).await?;
                continue;
            }
            Err(e) => {
                reading.bear(e).await?;
                continue;
            }
        };
        reading.reset();
        let empty = page.records.is_empty();
        let behind = page.millis_behind_latest.unwrap_or_default();
        let ended = shard.iterator.is_none();
        if !reading.give(page.records, behind, ended).await || ended {
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

    /// Why `Latest` becomes a time once it was found: asked for again after the iterator expired,
    /// it would skip what was written in between. The first time, before the call, is the one that
    /// loses nothing.
    async fn find_iterator(&mut self) -> Result<Text, Error> {
        let now_ms = self.shared.client.env().clock.now_ms();
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
        if self.from == From::Latest {
            self.from = From::Timestamp(now_ms);
        }
        Ok(answer.shard_iterator.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use crate::consumer::fake::{sent_ms, serve};
    use crate::{Client, Config, Consumer, ConsumerOptions, From};

    const SHARDS: &str = r#"{"Shards":[{"ShardId":"shardId-000000000000",
        "HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"1"},
        "SequenceNumberRange":{"StartingSequenceNumber":"1"}}]}"#;
    const RECORDS: &str = r#"{"MillisBehindLatest":0,
        "Records":[{"SequenceNumber":"7","Data":"eA==","PartitionKey":"k"}]}"#;

    #[tokio::test]
    async fn an_iterator_of_latest_that_expired_goes_on_where_it_began() {
        let (endpoint, server) = serve(vec![
            (200, SHARDS.into()),
            (200, r#"{"ShardIterator":"first"}"#.into()),
            (400, r#"{"__type":"ExpiredIteratorException","message":"late"}"#.into()),
            (200, r#"{"ShardIterator":"second"}"#.into()),
            (200, RECORDS.into()),
        ]);
        let client = Client::new(Config::new(endpoint)).unwrap();
        let before_ms = client.env().clock.now_ms();
        let options = ConsumerOptions { from: From::Latest, ..ConsumerOptions::new("s") };
        let mut consumer = Consumer::start(client.clone(), options).await.unwrap();
        let received = consumer.next().await.unwrap().unwrap();
        assert_eq!(received.records[0].sequence_number.as_str(), "7");
        let sent: Vec<String> = server.try_iter().collect();
        assert!(sent[1].contains("LATEST"), "{}", sent[1]);
        assert!(sent[3].contains("AT_TIMESTAMP"), "{}", sent[3]);
        let (from_ms, now_ms) = (sent_ms(&sent[3]), client.env().clock.now_ms());
        assert!((before_ms..=now_ms).contains(&from_ms), "{before_ms} {from_ms} {now_ms}");
    }
}
