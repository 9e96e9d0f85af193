//! The door of logs: what every engine offers.
//!
//! ```text
//! BatchBuilder --append--> engine queue --commit (write + fdatasync)--> Pending resolves
//!                                            \--> tail moves --> watchers wake --> read
//! ```

use crate::Result;
use crate::local::Ticket;
use base::env::ClockGuard;
use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A log's name: given once in a data directory, see [`crate::Part::take_logs`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LogId(pub u64);

/// One record as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Position in the log, dense from 0.
    pub ordinal: u64,
    /// When the engine took it, in milliseconds since the epoch; never decreases within a log.
    pub arrival_ms: i64,
    /// The caller's key, UTF-8.
    pub key: Bytes,
    /// The payload.
    pub data: Bytes,
    /// Whether it lies encrypted on disk.
    pub encrypted: bool,
}

/// Records of one request for one log, in order, encoded as they will lie on disk.
///
/// Body layout, repeated per record: key length (u16 LE), data length (u32 LE), key, data.
/// The body and its CRC-32C are made outside any lock; the engine adds the header.
#[derive(Debug, Default, Clone)]
pub struct BatchBuilder {
    body: Vec<u8>,
    records: u32,
}

impl BatchBuilder {
    /// Bytes of a record beside its key and data.
    pub const RECORD_OVERHEAD_BYTES: usize = 6;

    /// Makes a batch with room for this many body bytes.
    pub fn with_capacity(body_bytes: usize) -> Self {
        Self { body: Vec::with_capacity(body_bytes), records: 0 }
    }

    /// Adds a record. `key` is at most 64 KiB - 1, `data` at most 4 GiB - 1 bytes.
    pub fn push(&mut self, key: &[u8], data: &[u8]) {
        let key_len = u16::try_from(key.len()).expect("keys are bounded by the API");
        let data_len = u32::try_from(data.len()).expect("records are bounded by the API");
        self.body.extend_from_slice(&key_len.to_le_bytes());
        self.body.extend_from_slice(&data_len.to_le_bytes());
        self.body.extend_from_slice(key);
        self.body.extend_from_slice(data);
        self.records += 1;
    }

    /// Records so far.
    pub fn records(&self) -> u32 {
        self.records
    }

    /// Body bytes so far.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, for an engine.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// Where a durable batch lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Ordinal of the batch's first record.
    pub first_ordinal: u64,
    /// Arrival time of all its records.
    pub arrival_ms: i64,
}

/// State of a log as readers may know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tail {
    /// Oldest ordinal still kept.
    pub first_ordinal: u64,
    /// Ordinal of the next record; everything below is durable.
    pub next_ordinal: u64,
    /// Arrival time of the newest durable record; 0 when there never was one.
    pub last_arrival_ms: i64,
    /// Whether the log was sealed: `next_ordinal` is final once `seal` has returned.
    pub sealed: bool,
}

/// Records read, in order.
#[derive(Clone, Debug, Default)]
pub struct RecordBatch {
    /// The records; views into shared blocks, so drop them soon.
    pub records: Vec<Record>,
    /// Where the next read goes on.
    pub next_ordinal: u64,
}

/// A batch on its way to the disk; resolves when it is durable.
///
/// # Cancel safety
/// Dropping it does not take the append back: the outcome is then unknown to the caller.
pub struct Pending(Outcome);

/// How a [`Pending`] learns its fate. The ordinals are known from the start, so that a batch on its
/// way costs no allocation of its own: it shares its commit's group with all batches of the commit.
enum Outcome {
    Ready(Option<Result<Appended>>),
    Group(Appended, Ticket),
    Boxed(Pin<Box<dyn Future<Output = Result<Appended>> + Send>>),
}

impl Pending {
    /// One that is already decided.
    pub fn ready(outcome: Result<Appended>) -> Self {
        Self(Outcome::Ready(Some(outcome)))
    }

    /// One that resolves as `future` does; costs a box, which test doubles and wrappers can afford.
    pub fn boxed(future: impl Future<Output = Result<Appended>> + Send + 'static) -> Self {
        Self(Outcome::Boxed(Box::pin(future)))
    }

    /// One that resolves when its commit group does.
    pub(crate) fn of(appended: Appended, ticket: Ticket) -> Self {
        Self(Outcome::Group(appended, ticket))
    }
}

impl Future for Pending {
    type Output = Result<Appended>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Outcome::Ready(outcome) => {
                Poll::Ready(outcome.take().expect("a future is not polled after it resolved"))
            }
            Outcome::Group(appended, ticket) => {
                ticket.poll(cx).map(|outcome| outcome.map(|()| *appended))
            }
            Outcome::Boxed(future) => future.as_mut().poll(cx),
        }
    }
}

/// A boxed future of the store.
pub type Job<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// One open log. An idle one costs at most 1 KiB.
pub trait Log: Send + Sync + 'static {
    /// Hands a batch to the engine. Ordinals and arrival time are assigned before this returns, in
    /// the order of the calls.
    ///
    /// `key_id`: when set, the body is encrypted on disk under this key of the engine's key ring.
    ///
    /// # Errors
    /// `Sealed`, `Removed` the log was; `Fenced` another process owns it; `Full`, `Unavailable` the
    /// engine cannot take it now; `Invalid`
    /// an unknown key, an empty batch or one over the engine's bound. Nothing was written then.
    fn append(&self, batch: BatchBuilder, key_id: Option<&str>) -> Result<Pending>;

    /// What is durable now; no I/O.
    fn tail(&self) -> Tail;

    /// Reads durable records from `from` on.
    ///
    /// `records_max` >= 1; `bytes_max` counts key and data bytes: at least one record is returned
    /// when one exists, however large. An empty answer means `from` is the tail.
    ///
    /// # Errors
    /// `Trimmed` `from` is older than what is kept; `Corrupt` naming file and offset.
    fn read(&self, from: u64, records_max: usize, bytes_max: usize) -> Job<'_, RecordBatch>;

    /// Ordinal of the first kept record that arrived at or after `arrival_ms`; the tail's
    /// `next_ordinal` when none did.
    fn find_arrival(&self, arrival_ms: i64) -> Job<'_, u64>;

    /// Resolves when `tail().next_ordinal > beyond`, or the log is sealed or removed.
    fn wait_beyond(&self, beyond: u64) -> Job<'_, ()>;

    /// Refuses further appends and resolves once all earlier ones are durable. Not itself durable:
    /// the owner records it in the catalog and seals again after a restart.
    fn seal(&self) -> Job<'_, Tail>;

    /// Hides records that arrived before `arrival_ms` and lets the engine free them in time. Never
    /// moves backwards. Cheap when there is nothing to do. A time that has not come by
    /// [`Logs::clock`] is one of a wrong clock and is passed over.
    ///
    /// Not itself durable: after a crash the owner trims again.
    fn trim(&self, arrival_ms: i64);

    /// As [`Log::trim`], of the records below `ordinal`, for an owner that is done with them: what
    /// is not durable yet stays.
    fn trim_to(&self, ordinal: u64);
}

/// An engine: many logs, one journal.
pub trait Logs: Send + Sync + 'static {
    /// Opens a log, making it when it does not exist; the same handle for the same name.
    ///
    /// # Errors
    /// `Corrupt` it is known to have lost records; `Fenced` another process owns it; `Unavailable`
    /// the engine is closed or the disk refused; `Invalid` no log may have this name.
    fn open(&self, id: LogId) -> Job<'_, Arc<dyn Log>>;

    /// Removes logs and their bytes; many at once cost little more than one. Fine when absent;
    /// after an error some may be gone, and the owner asks again, also after a restart. Readers
    /// that hold one get `Removed`.
    fn remove(&self, ids: &[LogId]) -> Job<'_, ()>;

    /// The time that records are stamped with, and by which alone they may be trimmed.
    fn clock(&self) -> &Arc<ClockGuard>;

    /// The logs that records were ever written to, in any order: after a start all that hold some.
    fn written(&self) -> Vec<LogId>;

    /// Makes what is accepted durable and stops; later appends are `Unavailable`.
    fn close(&self) -> Job<'_, ()>;

    /// Why the engine cannot write now, if it cannot (`/readyz` shows it).
    fn trouble(&self) -> Option<String>;
}
