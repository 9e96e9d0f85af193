//! `SubscribeToShard`: records pushed to a registered consumer as soon as they are durable.
//!
//! ```text
//! claim -> stream of events: read a portion -> event
//!                            nothing there  -> wait: records | change | keep-alive | end
//! ```
//!
//! The stream is pulled: the next event is made when the last one was taken, so a slow reader holds
//! one event and nothing else, and no task runs for it. Room for the event is taken before the
//! records are read; while there is none, nothing but keep-alives is sent. Invariants: an event
//! without continuation number is the last and names child shards, every other one has the number
//! and no children; continuation numbers only grow, and each is a place to read on from.

use crate::admission::{Bucket, READ_BYTES};
use crate::consumer::Consumer;
use crate::errors::Result;
use crate::metrics::PushMetrics;
use crate::ops::get_shard_iterator::find;
use crate::options::Limits;
use crate::portion::{self, Most, Portion, Reading};
use crate::rows::{ConsumerStatus, Status};
use crate::sequence::SequenceNumber;
use crate::service::Streams;
use crate::shard::Shard;
use crate::start::Start;
use crate::stream::Stream;
use crate::subscription::Claim;
use crate::texts::{
    self, consumer_not_active, consumer_not_found, shard_does_not_exist, stream_not_found,
    subscription_in_use,
};
use api::EventStream;
use api::kinesis::{
    Error, SubscribeToShardEvent, SubscribeToShardEventStream, SubscribeToShardInput,
};
use base::Cx;
use base::budget::Room;
use futures_util::StreamExt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Bounds of one event; a record above it still comes, alone.
const MOST: Most = Most { records: 10_000, bytes: 1 << 20 };

/// Longest silence. AWS's is about five seconds and Java's client gives up after ten.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// Pause before room for an event is looked for again.
const ROOM_PAUSE: Duration = Duration::from_millis(100);

/// Starts a subscription; it ends after `Options::subscription`, at the shard's end, or when
/// another call takes over.
///
/// # Errors
/// `ResourceNotFound` no such consumer or shard; `ResourceInUse` the consumer is not `ACTIVE`, or
/// it subscribed to this shard less than five seconds ago; `InvalidArgument` a starting position
/// that makes no sense. The stream's own: `ResourceInUse` taken over, `ResourceNotFound` deleted,
/// `InternalFailure` a record cannot be read.
pub(crate) async fn subscribe_to_shard(
    streams: &Streams,
    cx: &Cx,
    input: SubscribeToShardInput,
) -> Result<EventStream<SubscribeToShardEventStream, Error>> {
    let inner = &streams.inner;
    let (stream, consumer) =
        inner.directory.find_consumer(cx, "SubscribeToShard", &input.consumer_arn)?;
    if stream.view().row.status == Status::Creating {
        return Err(stream_not_found(&stream.key));
    }
    let shard = find(&stream, &stream.view(), &input.shard_id)?.clone();
    if consumer.row().status != ConsumerStatus::Active {
        return Err(consumer_not_active(&consumer));
    }
    let start = Start {
        operation: "SubscribeToShard",
        kind: input.starting_position.type_,
        sequence_number: input.starting_position.sequence_number.as_ref(),
        timestamp: input.starting_position.timestamp,
    };
    let next = start.ordinal(cx, &stream, &shard, inner.latest_ms()).await?;
    if input.dry_run == Some(true) {
        return Err(texts::dry_run());
    }
    let now = inner.env.clock.monotonic();
    let claim = inner.subscriptions.claim(&consumer.arn, shard.row.index, now);
    inner.metrics.subscribed(&stream.key, &consumer.key.name, claim.is_some());
    let claim = claim.ok_or_else(|| subscription_in_use(&consumer, &shard))?;
    let reader = Reader {
        metrics: inner.metrics.push(&stream, &consumer.key.name, &shard),
        streams: streams.clone(),
        cx: cx.clone(),
        pace: (inner.options.limits == Limits::Aws).then(|| Bucket::full(READ_BYTES)),
        ends_at: now.saturating_add(inner.options.subscription),
        silent_since: now,
        sent_ms: None,
        newest_ms: 0,
        ended: false,
        room: None,
        sending: None,
        stream,
        consumer,
        shard,
        next,
        claim,
    };
    Ok(Box::pin(futures_util::stream::unfold(reader, Reader::step).fuse()))
}

/// One consumer's place in one shard.
struct Reader {
    streams: Streams,
    cx: Cx,
    stream: Arc<Stream>,
    consumer: Arc<Consumer>,
    /// As it was when the subscription began; log and place in the stream stay.
    shard: Arc<Shard>,
    claim: Claim,
    /// Ordinal of the next record.
    next: u64,
    /// What the consumer may still get this second; `None` = no limit.
    pace: Option<Bucket>,
    /// When it ends, on the monotonic clock.
    ends_at: Duration,
    /// When the last event was made.
    silent_since: Duration,
    /// Latest time that a continuation number showed.
    newest_ms: i64,
    /// When the last record that it sent arrived.
    sent_ms: Option<i64>,
    metrics: PushMetrics,
    ended: bool,
    /// That of the last event, until it was taken.
    room: Option<Room>,
    /// That of the one before: HTTP asks for an event before it has sent the last one.
    sending: Option<Room>,
}

type Item = Result<SubscribeToShardEventStream>;

/// Why a wait is over.
enum Woken {
    Look,
    KeepAlive,
}

impl Reader {
    async fn step(mut self) -> Option<(Item, Self)> {
        if self.ended {
            return None;
        }
        let item = self.next_item().await.transpose()?;
        self.ended |= item.is_err();
        Some((item.map(SubscribeToShardEventStream::SubscribeToShardEvent), self))
    }

    /// The next event; `None` at the regular end.
    async fn next_item(&mut self) -> Result<Option<SubscribeToShardEvent>> {
        self.sending = self.room.take();
        loop {
            // Subscribed before the looks below, so that no change falls between.
            let changes = self.stream.changes();
            self.check()?;
            let now = self.now();
            if now >= self.ends_at {
                return Ok(None);
            }
            let mut debt = self.pace.as_mut().map_or(Duration::ZERO, |p| p.debt(READ_BYTES, now));
            if debt.is_zero() {
                let bytes = MOST.memory_bytes(&self.stream, &self.shard, self.next);
                if let Some(room) = self.cx.memory.take(bytes) {
                    let portion = self.read().await?;
                    self.next = portion.next_ordinal;
                    if !portion.records.is_empty() || portion.children.is_some() {
                        return Ok(Some(self.event(portion, room)));
                    }
                } else {
                    debt = ROOM_PAUSE;
                }
            }
            if let Woken::KeepAlive = self.wait(changes, debt).await {
                return Ok(Some(self.keep_alive()));
            }
        }
    }

    fn now(&self) -> Duration {
        self.streams.inner.env.clock.monotonic()
    }

    /// Whether this subscription still has its right to read.
    fn check(&mut self) -> Result<()> {
        if self.claim.is_taken_over() {
            return Err(subscription_in_use(&self.consumer, &self.shard));
        }
        if self.stream.is_gone() {
            return Err(stream_not_found(&self.stream.key));
        }
        if self.consumer.is_gone() {
            return Err(consumer_not_found(&self.consumer.key));
        }
        if self.stream.view().shard(self.shard.row.index).is_none() {
            return Err(shard_does_not_exist(&self.stream.key, &self.shard.id));
        }
        Ok(())
    }

    async fn read(&self) -> Result<Portion> {
        let (stream, shard, from) = (&*self.stream, &*self.shard, self.next);
        let now_ms = self.streams.inner.now_ms();
        portion::read(&self.cx, Reading { stream, shard, from, now_ms }, MOST).await
    }

    async fn wait(&mut self, mut changes: watch::Receiver<u64>, debt: Duration) -> Woken {
        let env = &self.streams.inner.env;
        let now = env.clock.monotonic();
        let until = |at: Duration| env.clock.sleep(at.saturating_sub(now));
        let silence = until(self.silent_since + KEEP_ALIVE);
        let end = until(self.ends_at);
        let paid = (!debt.is_zero()).then(|| env.clock.sleep(debt));
        let more = more(&self.shard, self.next);
        let ready = async {
            match paid {
                Some(paid) => paid.await,
                None => more.await,
            }
        };
        tokio::select! {
            biased;
            () = self.claim.taken_over() => Woken::Look,
            // An error cannot be: the stream is held, and the sender with it.
            _ = changes.changed() => Woken::Look,
            () = ready => Woken::Look,
            () = end => Woken::Look,
            () = silence => Woken::KeepAlive,
        }
    }

    fn event(&mut self, portion: Portion, mut room: Room) -> SubscribeToShardEvent {
        let bytes = portion::memory_bytes(portion.bytes, portion.records.len()).min(room.bytes());
        self.room = room.resize(bytes).then_some(room);
        let inner = &self.streams.inner;
        if let Some(pace) = &mut self.pace {
            pace.charge(READ_BYTES, portion.bytes, inner.env.clock.monotonic());
        }
        if !portion.records.is_empty() {
            self.metrics.pushed.add(portion.records.len() as u64, portion.bytes as u64);
            self.sent_ms = Some(inner.now_ms() - portion.age_ms);
        }
        self.metrics.behind.set_time(Duration::from_millis(portion.behind_ms.unsigned_abs()));
        self.silent_since = self.now();
        self.ended = portion.children.is_some();
        SubscribeToShardEvent {
            continuation_sequence_number: (!self.ended).then(|| self.continuation()),
            records: portion.records,
            millis_behind_latest: portion.behind_ms,
            child_shards: portion.children,
        }
    }

    /// An event without records, before the client takes the silence for a fault.
    fn keep_alive(&mut self) -> SubscribeToShardEvent {
        // It was taken long ago, or HTTP would not have asked.
        self.sending = None;
        self.silent_since = self.now();
        SubscribeToShardEvent {
            continuation_sequence_number: Some(self.continuation()),
            millis_behind_latest: self.behind_ms(),
            ..SubscribeToShardEvent::default()
        }
    }

    /// Not zero only while the consumer waits for its rate.
    fn behind_ms(&self) -> i64 {
        let tail = self.shard.log.tail();
        let now_ms = self.streams.inner.now_ms();
        let at_ms = self.sent_ms.unwrap_or(tail.last_arrival_ms);
        if self.next >= tail.next_ordinal { 0 } else { (now_ms - at_ms).max(1) }
    }

    /// Where to go on, as a number no record has; later than all before it, whatever the clock
    /// does.
    fn continuation(&mut self) -> api::Text {
        self.newest_ms = self.newest_ms.max(self.streams.inner.now_ms());
        let row = &self.shard.row;
        SequenceNumber::behind(row.index, row.created_s, self.next, self.newest_ms)
            .to_string()
            .into()
    }
}

/// Resolves when there is a record at `next`; never when there will be none.
fn more(shard: &Shard, next: u64) -> impl Future<Output = ()> + use<> {
    let log = shard.log.clone();
    async move {
        // A sealed or removed log wakes at once and for ever: its end is a change of the stream.
        if !log.tail().sealed && log.tail().next_ordinal <= next {
            let _removed = log.wait_beyond(next).await;
        }
        if log.tail().next_ordinal <= next {
            pending::<()>().await;
        }
    }
}
