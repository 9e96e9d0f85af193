//! One shard by SubscribeToShard, and the consumer it is read as.

use super::reading::Reading;
use super::{Ended, From, Shared};
use crate::{Client, Error, ErrorKind};
use api::kinesis::{
    ChildShard, ConsumerDescription, ConsumerStatus, DeregisterStreamConsumerInput,
    DescribeStreamConsumerInput, DescribeStreamSummaryInput, RegisterStreamConsumerInput,
    ShardIteratorType, StartingPosition, SubscribeToShardInput, ops,
};
use std::time::Duration;
use wire::{Text, Timestamp};

/// How often a consumer is looked at until it is ACTIVE.
const ACTIVE_POLL: Duration = Duration::from_millis(50);
/// Time for a consumer to become ACTIVE: as the commands wait for a stream.
const ACTIVE_WAIT: Duration = Duration::from_mins(5);

/// How the server refuses to make what is there.
const THERE: &str = "ResourceInUseException";
/// How the server refuses what is not there.
const NOT_THERE: &str = "ResourceNotFoundException";

/// A fan-out consumer.
pub(super) struct FanOut {
    stream_arn: Text,
    name: Text,
    /// Whether it was not there before: then it is registered here, and goes with its reader.
    own: bool,
}

impl FanOut {
    /// Looks whether there is such a consumer.
    ///
    /// Why before it is registered: when an attempt to register breaks off and the next one finds
    /// it, that tells an own one from somebody else's, which must stay.
    pub(super) async fn find(client: &Client, stream: &str, name: &str) -> Result<Self, Error> {
        let input = DescribeStreamSummaryInput {
            stream_name: Some(stream.into()),
            ..DescribeStreamSummaryInput::default()
        };
        let summary = client.call::<ops::DescribeStreamSummary>(&input).await?;
        let stream_arn = summary.stream_description_summary.stream_arn;
        let mut found = Self { stream_arn, name: name.into(), own: false };
        match found.describe(client).await {
            Err(e) if e.code() == NOT_THERE => found.own = true,
            other => drop(other?),
        }
        Ok(found)
    }

    /// Registers it if it was not there, and gives its ARN once it is ACTIVE.
    pub(super) async fn activate(&mut self, client: &Client) -> Result<Text, Error> {
        if self.own {
            let input = RegisterStreamConsumerInput {
                stream_arn: self.stream_arn.clone(),
                consumer_name: self.name.clone(),
                ..RegisterStreamConsumerInput::default()
            };
            match client.call::<ops::RegisterStreamConsumer>(&input).await {
                Err(e) if e.code() == THERE => self.own = e.tells_done(THERE),
                other => drop(other?),
            }
        }
        let clock = &client.env().clock;
        let give_up = clock.monotonic() + ACTIVE_WAIT;
        loop {
            let found = self.describe(client).await?;
            if found.consumer_status == ConsumerStatus::Active {
                return Ok(found.consumer_arn);
            }
            if clock.monotonic() > give_up {
                let (name, seconds) = (&self.name, ACTIVE_WAIT.as_secs());
                let text = format!("consumer `{name}` did not become ACTIVE within {seconds} s");
                return Err(Error::local(ErrorKind::Broken, text));
            }
            clock.sleep(ACTIVE_POLL).await;
        }
    }

    /// Deregisters it if it was not there before.
    pub(super) async fn leave(&self, client: &Client) -> Result<(), Error> {
        if !self.own {
            return Ok(());
        }
        let input = DeregisterStreamConsumerInput {
            stream_arn: Some(self.stream_arn.clone()),
            consumer_name: Some(self.name.clone()),
            ..DeregisterStreamConsumerInput::default()
        };
        match client.call::<ops::DeregisterStreamConsumer>(&input).await {
            Err(e) if e.tells_done(NOT_THERE) => Ok(()),
            other => other,
        }
    }

    async fn describe(&self, client: &Client) -> Result<ConsumerDescription, Error> {
        let input = DescribeStreamConsumerInput {
            stream_arn: Some(self.stream_arn.clone()),
            consumer_name: Some(self.name.clone()),
            ..DescribeStreamConsumerInput::default()
        };
        let answer = client.call::<ops::DescribeStreamConsumer>(&input).await?;
        Ok(answer.consumer_description)
    }
}

/// Reads a shard to its end; gives its children.
pub(super) async fn read(
    shared: &Shared,
    shard_id: &Text,
    consumer_arn: Text,
    from: From,
) -> Ended {
    let mut input = SubscribeToShardInput {
        consumer_arn,
        shard_id: shard_id.clone(),
        starting_position: position(from),
        ..SubscribeToShardInput::default()
    };
    let mut reading = Reading::new(shared, shard_id);
    loop {
        match subscription(&mut input, &mut reading).await {
            Ok(Some(children)) => return Ok(children),
            Ok(None) => {
                let text = format!("each subscription of shard `{shard_id}` ends at once");
                reading.renew(Error::local(ErrorKind::Broken, text)).await?;
            }
            // Why borne: after a broken connection the server may hold the old subscription for up
            // to five seconds and refuses a second one so long (AWS).
            Err(e) if e.code() == THERE => reading.wait(e).await?,
            Err(e) => reading.bear(e).await?,
        }
    }
}

/// One subscription, at most five minutes; children when the shard ended, nothing when it goes on
/// at the position that `input` then holds.
async fn subscription(
    input: &mut SubscribeToShardInput,
    reading: &mut Reading<'_>,
) -> Result<Option<Vec<ChildShard>>, Error> {
    let clock = &reading.shared.client.env().clock;
    let now_ms = clock.now_ms();
    let mut events = reading.shared.client.subscribe(input).await?;
    let begun = clock.monotonic();
    // Why a time: a connection that breaks before the first event leaves no number to go on from,
    // and `Latest` asked for again would skip what was written in between.
    if input.starting_position.type_ == ShardIteratorType::Latest {
        input.starting_position = position(From::Timestamp(now_ms));
    }
    loop {
        let next = events.next().await;
        // Why not after any event: a server that gives one and ends would be asked for ever.
        if clock.monotonic().saturating_sub(begun) >= Reading::PAUSE_MAX {
            reading.reset();
        }
        let Some(event) = next else { return Ok(None) };
        let event = event?;
        let next = event.continuation_sequence_number;
        if !event.records.is_empty() || next != input.starting_position.sequence_number {
            reading.reset();
        }
        if !reading.give(event.records, event.millis_behind_latest, next.is_none()).await {
            return Ok(Some(Vec::new()));
        }
        // The shard has ended when there is nothing to continue with.
        let Some(continuation) = next else {
            return Ok(Some(event.child_shards.unwrap_or_default()));
        };
        input.starting_position = StartingPosition {
            type_: ShardIteratorType::AfterSequenceNumber,
            sequence_number: Some(continuation),
            ..StartingPosition::default()
        };
    }
}

fn position(from: From) -> StartingPosition {
    let (type_, timestamp) = match from {
        From::TrimHorizon => (ShardIteratorType::TrimHorizon, None),
        From::Latest => (ShardIteratorType::Latest, None),
        From::Timestamp(ms) => (ShardIteratorType::AtTimestamp, Some(Timestamp(ms))),
    };
    StartingPosition { type_, timestamp, ..StartingPosition::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::fake::{CUT, sent_ms, serve};
    use crate::{Config, Consumer, ConsumerOptions, Mode};
    use api::EventShape as _;
    use api::kinesis::{SubscribeToShardEvent, SubscribeToShardEventStream};
    use bytes::Bytes;
    use std::sync::Arc;
    use tokio::sync::{Semaphore, mpsc};
    use wire::{Protocol, event_stream};

    #[test]
    fn positions() {
        assert_eq!(position(From::Latest).type_, ShardIteratorType::Latest);
        let at = position(From::Timestamp(7));
        assert_eq!((at.type_, at.timestamp), (ShardIteratorType::AtTimestamp, Some(Timestamp(7))));
    }

    #[tokio::test]
    async fn a_subscription_from_latest_that_broke_goes_on_where_it_began() {
        let begun = event_stream::initial_response(Protocol::Json11);
        let child_shards = Some(vec![ChildShard::default()]);
        let last = SubscribeToShardEvent { child_shards, ..SubscribeToShardEvent::default() };
        let last = SubscribeToShardEventStream::SubscribeToShardEvent(last).frame(Protocol::Json11);
        let (endpoint, server) = serve(vec![(200, begun), (200, last)]);
        let client = Client::new(Config::new(endpoint)).unwrap();
        let before_ms = client.env().clock.now_ms();
        let (batches, _received) = mpsc::channel(1);
        let shared = Shared {
            client: client.clone(),
            options: Arc::new(ConsumerOptions::new("s")),
            consumer_arn: None,
            calls: Arc::new(Semaphore::new(1)),
            batches,
        };
        let children = read(&shared, &"shard".into(), "arn".into(), From::Latest).await.unwrap();
        assert_eq!(children.len(), 1);
        let sent: Vec<String> = server.try_iter().collect();
        assert!(sent[0].contains("LATEST"), "{}", sent[0]);
        assert!(sent[1].contains("AT_TIMESTAMP"), "{}", sent[1]);
        let (from_ms, now_ms) = (sent_ms(&sent[1]), client.env().clock.now_ms());
        assert!((before_ms..=now_ms).contains(&from_ms), "{before_ms} {from_ms} {now_ms}");
    }

    const STREAM: &str = r#"{"StreamDescriptionSummary":{"StreamName":"s","StreamARN":"stream",
        "StreamStatus":"ACTIVE","RetentionPeriodHours":24,"StreamCreationTimestamp":1,
        "EnhancedMonitoring":[],"OpenShardCount":0}}"#;
    const ACTIVE: &str = r#"{"ConsumerDescription":{"ConsumerName":"app","ConsumerARN":"arn",
        "ConsumerStatus":"ACTIVE","ConsumerCreationTimestamp":1,"StreamARN":"stream"}}"#;
    const REGISTERED: &str = r#"{"Consumer":{"ConsumerName":"app","ConsumerARN":"arn",
        "ConsumerStatus":"CREATING","ConsumerCreationTimestamp":1}}"#;
    const DENIED: &str = r#"{"__type":"AccessDeniedException","message":"no"}"#;
    const REFUSED_THERE: &str = r#"{"__type":"ResourceInUseException","message":"there"}"#;
    const REFUSED_GONE: &str = r#"{"__type":"ResourceNotFoundException","message":"none"}"#;

    /// Starts and closes a consumer of a stream without shards that is answered so after the look
    /// at the stream; the operations must be these.
    async fn check(answers: &[(u16, &'static str)], want: &[&str]) -> Result<(), Error> {
        let answers = [(200, STREAM)].iter().chain(answers);
        let (endpoint, server) =
            serve(answers.map(|(status, body)| (*status, Bytes::from(*body))).collect());
        let mode = Mode::FanOut { consumer_name: "app".into() };
        let options = ConsumerOptions { mode, ..ConsumerOptions::new("s") };
        let client = Client::new(Config::new(endpoint)).unwrap();
        let ended = match Consumer::start(client, options).await {
            Ok(consumer) => consumer.close().await,
            Err(e) => Err(e),
        };
        let sent: Vec<String> = server.try_iter().collect();
        let sent: Vec<&str> = sent[1..].iter().map(|s| s.split_once(' ').unwrap().0).collect();
        assert_eq!(sent, want);
        ended
    }

    #[tokio::test]
    async fn what_a_cut_connection_registered_or_deregistered_is_done() {
        let answers = [
            (400, REFUSED_GONE),
            (CUT, ""),
            (400, REFUSED_THERE),
            (200, ACTIVE),
            (200, r#"{"Shards":[]}"#),
            (CUT, ""),
            (400, REFUSED_GONE),
        ];
        let want = [
            "DescribeStreamConsumer",
            "RegisterStreamConsumer",
            "RegisterStreamConsumer",
            "DescribeStreamConsumer",
            "ListShards",
            "DeregisterStreamConsumer",
            "DeregisterStreamConsumer",
        ];
        check(&answers, &want).await.unwrap();
    }

    #[tokio::test]
    async fn a_consumer_that_was_there_stays() {
        let answers = [(200, ACTIVE), (200, ACTIVE), (200, r#"{"Shards":[]}"#)];
        let want = ["DescribeStreamConsumer", "DescribeStreamConsumer", "ListShards"];
        check(&answers, &want).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_registered_does_not_outlive_a_failed_start() {
        let unlisted = [(400, REFUSED_GONE), (200, REGISTERED), (200, ACTIVE), (403, DENIED)];
        let registering = ["DescribeStreamConsumer", "RegisterStreamConsumer"];
        let unseen = [(400, REFUSED_GONE), (200, REGISTERED), (403, DENIED)];
        for (answers, then) in [
            (&unlisted[..], &["DescribeStreamConsumer", "ListShards"][..]),
            (&unseen[..], &["DescribeStreamConsumer"][..]),
        ] {
            let answers = [answers, &[(200, "")]].concat();
            let want = [&registering[..], then, &["DeregisterStreamConsumer"]].concat();
            let e = check(&answers, &want).await.unwrap_err();
            assert_eq!(e.code(), "AccessDeniedException");
        }
    }

    #[tokio::test]
    async fn a_consumer_that_was_there_outlives_a_failed_start() {
        let answers = [(200, ACTIVE), (200, ACTIVE), (403, DENIED)];
        let want = ["DescribeStreamConsumer", "DescribeStreamConsumer", "ListShards"];
        check(&answers, &want).await.unwrap_err();
    }

    #[tokio::test]
    async fn what_may_be_registered_does_not_outlive_a_failed_start() {
        let cut = [(CUT, ""); 4];
        let answers = [&[(400, REFUSED_GONE)], &cut[..], &[(200, "")]].concat();
        let registering = ["RegisterStreamConsumer"; 4];
        let then = ["DeregisterStreamConsumer"];
        let want = [&["DescribeStreamConsumer"], &registering[..], &then].concat();
        assert_eq!(check(&answers, &want).await.unwrap_err().kind(), ErrorKind::Broken);
    }
}
