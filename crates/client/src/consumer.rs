//! All shards of a stream, parents before children.
//!
//! ```text
//! ListShards (what is open at the start) --> one reader per shard --batches--> Consumer::next
//!                 reader ends with child shards --> Lineage --> readers of the children
//! ```
//!
//! A child starts when all that comes before it has been read to its end, so that a record is never
//! given before an earlier one of its key, across splits and merges. Within a shard order is the
//! shard's.
//!
//! A reader survives throttling, expired iterators, subscriptions that end, broken connections and
//! restarts of the server for [`ConsumerOptions::patience`]; then the whole consumer ends with that
//! error.

#[cfg(test)]
mod fake;
mod lineage;
mod poll;
mod push;
mod reading;

use crate::{Client, Error, ErrorKind};
use api::kinesis::{ChildShard, ListShardsInput, Record, Shard, ShardFilter, ShardFilterType, ops};
use lineage::Lineage;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use wire::{Text, Timestamp};

/// Batches read ahead of the caller, over all shards.
const BATCHES_AHEAD: usize = 16;

/// Where reading starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum From {
    /// The oldest record kept.
    TrimHorizon,
    /// Only what is written from now on.
    Latest,
    /// The first record at or after this time, in milliseconds since the epoch.
    Timestamp(i64),
}

/// How records are fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// GetRecords, again after `idle` when there was nothing new.
    Poll {
        /// Pause at the tip of a shard.
        idle: Duration,
    },
    /// SubscribeToShard as this consumer, registered (and deregistered by `close`) when absent.
    FanOut {
        /// Name of the consumer.
        consumer_name: String,
    },
}

/// Options of a [`Consumer`].
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    /// Name of the stream.
    pub stream_name: String,
    /// Where to start.
    pub from: From,
    /// How to read.
    pub mode: Mode,
    /// How long failures of one shard in a row are borne.
    pub patience: Duration,
    /// GetRecords calls on their way at once, over all shards.
    pub calls_max: usize,
}

impl ConsumerOptions {
    /// Polls from the oldest record on, four times a second at the tip.
    pub fn new(stream_name: impl Into<String>) -> Self {
        Self {
            stream_name: stream_name.into(),
            from: From::TrimHorizon,
            mode: Mode::Poll { idle: Duration::from_millis(250) },
            patience: Duration::from_secs(30),
            calls_max: 64,
        }
    }
}

/// Records of one shard, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Received {
    /// The shard.
    pub shard_id: Text,
    /// At least one, except in the last batch of a shard and when only the distance changed (or
    /// was told for the first time).
    pub records: Vec<Record>,
    /// Distance from the tip of the shard, in milliseconds.
    pub millis_behind_latest: i64,
}

/// A running consumer. Dropping it stops the readers at once.
pub struct Consumer {
    batches: mpsc::Receiver<Result<Received, Error>>,
    tasks: JoinSet<()>,
    client: Client,
    /// Set for fan-out.
    fan_out: Option<push::FanOut>,
}

/// What every reader of one consumer shares.
#[derive(Clone)]
struct Shared {
    client: Client,
    options: Arc<ConsumerOptions>,
    /// Set for fan-out.
    consumer_arn: Option<Text>,
    calls: Arc<Semaphore>,
    batches: mpsc::Sender<Result<Received, Error>>,
}

/// A shard was read to its end; these continue it.
type Ended = Result<Vec<ChildShard>, Error>;

impl Consumer {
    /// Finds the shards (and registers the fan-out consumer) and starts reading.
    ///
    /// # Errors
    /// The server's answer when the stream cannot be listed or the consumer not registered.
    pub async fn start(client: Client, options: ConsumerOptions) -> Result<Self, Error> {
        let fan_out = match &options.mode {
            Mode::Poll { .. } => None,
            Mode::FanOut { consumer_name } => {
                Some(push::FanOut::find(&client, &options.stream_name, consumer_name).await?)
            }
        };
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let mut consumer = Self { batches, tasks: JoinSet::new(), client, fan_out };
        match consumer.begin(options, sender).await {
            Ok(()) => Ok(consumer),
            Err(e) => {
                // What may be registered by now must not stay; why it did not start says more.
                drop(consumer.close().await);
                Err(e)
            }
        }
    }

    async fn begin(
        &mut self,
        options: ConsumerOptions,
        batches: mpsc::Sender<Result<Received, Error>>,
    ) -> Result<(), Error> {
        let client = self.client.clone();
        let consumer_arn = match &mut self.fan_out {
            Some(fan_out) => Some(fan_out.activate(&client).await?),
            None => None,
        };
        let shards = list_shards(&client, &options).await?;
        let calls = Arc::new(Semaphore::new(options.calls_max.max(1)));
        let shared = Shared { client, options: Arc::new(options), consumer_arn, calls, batches };
        self.tasks.spawn(follow(shared, shards));
        Ok(())
    }

    /// The next batch of any shard; `None` when every shard was read to its end.
    ///
    /// # Errors
    /// A shard could not be read for longer than the patience; nothing comes after it.
    /// # Cancel safety
    /// Safe: no batch is lost.
    pub async fn next(&mut self) -> Option<Result<Received, Error>> {
        self.batches.recv().await
    }

    /// Stops and deregisters the fan-out consumer if `start` registered it.
    ///
    /// # Errors
    /// The server's answer to the deregistration.
    pub async fn close(mut self) -> Result<(), Error> {
        self.tasks.shutdown().await;
        match &self.fan_out {
            Some(fan_out) => fan_out.leave(&self.client).await,
            None => Ok(()),
        }
    }
}

/// Runs the readers of all shards; ends when all shards ended, one failed, or nobody listens.
async fn follow(shared: Shared, shards: Vec<Shard>) {
    let mut lineage = Lineage::default();
    let mut readers: JoinSet<(Text, Ended)> = JoinSet::new();
    for shard in shards {
        let parents = [shard.parent_shard_id, shard.adjacent_parent_shard_id];
        lineage.found(
            shard.shard_id,
            parents.into_iter().flatten().collect(),
            &shard.hash_key_range,
        );
    }
    let mut from = shared.options.from;
    loop {
        for shard_id in lineage.ready() {
            readers.spawn(read(shared.clone(), shard_id, from));
        }
        from = From::TrimHorizon;
        let Some(joined) = readers.join_next().await else { return };
        let (shard_id, ended) = match joined {
            Ok(done) => done,
            Err(e) => (Text::default(), Err(Error::local(ErrorKind::Broken, e.to_string()))),
        };
        match ended {
            Ok(children) => {
                lineage.ended(&shard_id);
                for child in children {
                    lineage.found(child.shard_id, child.parent_shards, &child.hash_key_range);
                }
            }
            Err(e) => {
                // Why before the error is told: it is the last that comes.
                readers.shutdown().await;
                // Nobody listens any more: then there is nobody to tell either.
                drop(shared.batches.send(Err(e)).await);
                return;
            }
        }
    }
}

async fn read(shared: Shared, shard_id: Text, from: From) -> (Text, Ended) {
    let ended = match shared.consumer_arn.clone() {
        Some(consumer_arn) => push::read(&shared, &shard_id, consumer_arn, from).await,
        None => poll::read(&shared, &shard_id, from).await,
    };
    (shard_id, ended)
}

/// The shards that are open at the starting point.
async fn list_shards(client: &Client, options: &ConsumerOptions) -> Result<Vec<Shard>, Error> {
    let (type_, timestamp) = match options.from {
        From::TrimHorizon => (ShardFilterType::AtTrimHorizon, None),
        From::Latest => (ShardFilterType::AtLatest, None),
        From::Timestamp(ms) => (ShardFilterType::AtTimestamp, Some(Timestamp(ms))),
    };
    let mut input = ListShardsInput {
        stream_name: Some(options.stream_name.as_str().into()),
        shard_filter: Some(ShardFilter { type_, timestamp, ..ShardFilter::default() }),
        ..ListShardsInput::default()
    };
    let mut shards = Vec::new();
    loop {
        let page = client.call::<ops::ListShards>(&input).await?;
        shards.extend(page.shards.unwrap_or_default());
        let Some(next_token) = page.next_token else { return Ok(shards) };
        input = ListShardsInput { next_token: Some(next_token), ..ListShardsInput::default() };
    }
}
