//! Many records into one stream: batches, bounded in flight, failed entries again.
//!
//! ```text
//! send --(room for its bytes)--> lane of its partition key --PutRecords--> Receipt resolves
//!                                      \-- failed entries again, before anything newer --/
//! ```
//!
//! Order per partition key: a lane has one call on its way at a time and sends failed entries again
//! before it takes new ones. Within one call AWS may refuse an entry and take a later one of the
//! same key; the API gives no way around that but one record per call (`batch_records_max: 1`).
//!
//! Cost per record: one channel slot, one semaphore acquire, one oneshot; its bytes are never
//! copied before the encoder.

use crate::{Client, Error, ErrorKind, Retry};
use api::kinesis::{PutRecordsInput, PutRecordsRequestEntry, PutRecordsResultEntry, ops};
use api::limits::kinesis::{ENTRIES_MAX, REQUEST_BYTES_MAX};
use bytes::Bytes;
use std::collections::VecDeque;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use wire::Text;

/// Most bytes of data and keys of one call: half of what it may have, so that a batch in base64
/// stays under proxies' usual caps.
const CALL_BYTES_MAX: usize = REQUEST_BYTES_MAX / 2;
/// Records that wait in front of one lane.
const LANE_RECORDS_MAX: usize = 2 * ENTRIES_MAX;

/// Options of a [`Producer`].
#[derive(Clone, Debug)]
pub struct ProducerOptions {
    /// Name of the stream.
    pub stream_name: String,
    /// Calls on their way at once; records of one key always take the same lane. At least 1.
    pub lanes: usize,
    /// Most records of one call, 1 ..= 500.
    pub batch_records_max: usize,
    /// Most bytes accepted and not yet answered; a larger record waits for all of it.
    pub in_flight_bytes_max: usize,
    /// How long a batch that is not full waits for more.
    pub linger: Duration,
    /// How long one batch is tried before its remaining records fail. What waited behind a batch
    /// that was tried in vain is tried once more, not for as long again.
    pub patience: Duration,
}

impl ProducerOptions {
    /// Four lanes, full batches, 32 MiB in flight, no lingering, half a minute of patience.
    pub fn new(stream_name: impl Into<String>) -> Self {
        Self {
            stream_name: stream_name.into(),
            lanes: 4,
            batch_records_max: ENTRIES_MAX,
            in_flight_bytes_max: 32 << 20,
            linger: Duration::ZERO,
            patience: Duration::from_secs(30),
        }
    }
}

/// One record to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// 1 to 256 characters.
    pub partition_key: Text,
    /// Decimal, below 2^128; overrides the key's hash.
    pub explicit_hash_key: Option<Text>,
    /// The payload.
    pub data: Bytes,
}

/// Where a record was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// The shard.
    pub shard_id: Text,
    /// Its number there.
    pub sequence_number: Text,
}

/// The outcome of one record, once it is known. May be dropped.
pub struct Receipt(oneshot::Receiver<Result<Placed, Error>>);

impl Future for Receipt {
    type Output = Result<Placed, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|done| done.unwrap_or_else(|_| Err(stopped())))
    }
}

struct Waiting {
    entry: Entry,
    receipt: oneshot::Sender<Result<Placed, Error>>,
    _room: OwnedSemaphorePermit,
}

impl Waiting {
    fn bytes(&self) -> usize {
        weight(&self.entry)
    }
}

/// A running producer. Dropping it gives up what is not yet written.
pub struct Producer {
    lanes: Vec<mpsc::Sender<Waiting>>,
    tasks: JoinSet<()>,
    room: Arc<Semaphore>,
    room_bytes: usize,
    throttled: Arc<AtomicU64>,
}

impl Producer {
    /// Starts the lanes; needs a tokio runtime.
    pub fn start(client: &Client, options: &ProducerOptions) -> Self {
        let mut tasks = JoinSet::new();
        let throttled = Arc::new(AtomicU64::new(0));
        let mut start_lane = || {
            let (sender, waiting) = mpsc::channel(LANE_RECORDS_MAX);
            let lane = Lane {
                client: client.clone(),
                options: options.clone(),
                waiting,
                throttled: throttled.clone(),
                vain_since: None,
            };
            tasks.spawn(lane.run());
            sender
        };
        let lanes = (0..options.lanes.max(1)).map(|_| start_lane()).collect();
        let room_bytes = options.in_flight_bytes_max.clamp(1, u32::MAX as usize);
        Self { lanes, tasks, room: Arc::new(Semaphore::new(room_bytes)), room_bytes, throttled }
    }

    /// Entries that the server put off because of a rate, each time that it did.
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Takes a record once there is room for it.
    ///
    /// # Errors
    /// `Broken` when the producer has stopped.
    /// # Cancel safety
    /// Dropped before it resolves, the record was not taken.
    pub async fn send(&self, entry: Entry) -> Result<Receipt, Error> {
        let bytes = weight(&entry).min(self.room_bytes) as u32;
        let room = self.room.clone().acquire_many_owned(bytes).await.map_err(|_| stopped())?;
        let mut hasher = DefaultHasher::new();
        entry.partition_key.hash(&mut hasher);
        let lane = (hasher.finish() % self.lanes.len() as u64) as usize;
        let (receipt, outcome) = oneshot::channel();
        let waiting = Waiting { entry, receipt, _room: room };
        self.lanes[lane].send(waiting).await.map_err(|_| stopped())?;
        Ok(Receipt(outcome))
    }

    /// Writes what was taken and stops. All receipts have resolved when it returns.
    pub async fn finish(mut self) {
        self.lanes.clear();
        while self.tasks.join_next().await.is_some() {}
    }
}

fn weight(entry: &Entry) -> usize {
    entry.data.len() + entry.partition_key.len()
}

fn stopped() -> Error {
    Error::local(ErrorKind::Broken, "the producer has stopped")
}

struct Lane {
    client: Client,
    options: ProducerOptions,
    waiting: mpsc::Receiver<Waiting>,
    throttled: Arc<AtomicU64>,
    /// Since when nothing was written, once a batch was given up and while others wait behind it.
    vain_since: Option<Duration>,
}

impl Lane {
    async fn run(mut self) {
        let mut left: VecDeque<Waiting> = VecDeque::new();
        loop {
            if left.is_empty() {
                match self.first().await {
                    Some(first) => left.push_back(first),
                    None => return,
                }
            }
            let batch = self.gather(&mut left).await;
            self.write(batch).await;
        }
    }

    async fn first(&mut self) -> Option<Waiting> {
        if let Ok(first) = self.waiting.try_recv() {
            return Some(first);
        }
        // What comes after a pause did not wait in vain so far.
        self.vain_since = None;
        self.waiting.recv().await
    }

    /// Takes what is there, up to a full call; `left` keeps the record that did not fit.
    async fn gather(&mut self, left: &mut VecDeque<Waiting>) -> Vec<Waiting> {
        let records_max = self.options.batch_records_max.clamp(1, ENTRIES_MAX);
        let mut batch: Vec<Waiting> = left.drain(..).collect();
        let mut bytes: usize = batch.iter().map(Waiting::bytes).sum();
        let mut linger = (!self.options.linger.is_zero())
            .then(|| self.client.env().clock.sleep(self.options.linger));
        while batch.len() < records_max {
            let next = match (self.waiting.try_recv(), &mut linger) {
                (Ok(next), _) => next,
                (Err(_), None) => break,
                (Err(_), Some(pause)) => tokio::select! {
                    next = self.waiting.recv() => match next {
                        Some(next) => next,
                        None => break,
                    },
                    () = pause => break,
                },
            };
            bytes += next.bytes();
            if bytes > CALL_BYTES_MAX {
                left.push_back(next);
                break;
            }
            batch.push(next);
        }
        batch
    }

    /// Sends a batch until each record is written, refused for good, or patience is over.
    async fn write(&mut self, mut batch: Vec<Waiting>) {
        let clock = self.client.env().clock.clone();
        let begun = clock.monotonic();
        let mut since = self.vain_since.take().unwrap_or(begun);
        let mut pause = Retry::default().pause;
        loop {
            let outcomes = self.put(&batch).await;
            if outcomes.iter().any(Result::is_ok) {
                since = begun;
            }
            let is_over = clock.monotonic() >= since + self.options.patience;
            let throttled = outcomes.iter().filter_map(|o| o.as_ref().err());
            let throttled = throttled.filter(|e| e.is_throttling()).count();
            self.throttled.fetch_add(throttled as u64, Ordering::Relaxed);
            let mut again = Vec::new();
            for (waiting, mut outcome) in batch.into_iter().zip(outcomes) {
                if let Err(e) = &mut outcome
                    && e.is_transient()
                {
                    if !is_over {
                        again.push(waiting);
                        continue;
                    }
                    let text = format!("{} (tried for {:?})", e.message(), self.options.patience);
                    *e = e.clone().reworded(text);
                    self.vain_since = Some(since);
                }
                // The caller may have dropped the receipt; nobody is left to tell then.
                drop(waiting.receipt.send(outcome));
            }
            if again.is_empty() {
                return;
            }
            batch = again;
            clock.sleep(pause).await;
            pause = (pause * 2).min(Retry::default().pause_max);
        }
    }

    /// What became of each record of a batch.
    async fn put(&self, batch: &[Waiting]) -> Vec<Result<Placed, Error>> {
        let entry = |waiting: &Waiting| PutRecordsRequestEntry {
            data: waiting.entry.data.clone(),
            partition_key: Some(waiting.entry.partition_key.clone()),
            explicit_hash_key: waiting.entry.explicit_hash_key.clone(),
        };
        let input = PutRecordsInput {
            records: batch.iter().map(entry).collect(),
            stream_name: Some(self.options.stream_name.as_str().into()),
            ..PutRecordsInput::default()
        };
        let e = match self.client.call_with::<ops::PutRecords>(&input, Retry::NONE).await {
            Ok(answer) if answer.records.len() == batch.len() => {
                return answer.records.into_iter().map(outcome).collect();
            }
            Ok(_) => Error::local(ErrorKind::Malformed, "PutRecords answered other entries"),
            Err(e) => e,
        };
        vec![Err(e); batch.len()]
    }
}

fn outcome(entry: PutRecordsResultEntry) -> Result<Placed, Error> {
    match (entry.shard_id, entry.sequence_number, entry.error_code) {
        (Some(shard_id), Some(sequence_number), None) => Ok(Placed { shard_id, sequence_number }),
        (_, _, Some(code)) => Err(Error::coded(&code, &entry.error_message.unwrap_or_default())),
        _ => {
            let text = "an entry was neither written nor refused";
            Err(Error::local(ErrorKind::Malformed, text))
        }
    }
}
