//! A stream: its log, and which times are where in it.
//!
//! ```text
//! put -> a record -> durable -> the last chunk, or a new one behind it
//! open: rows of chunks -> chunks; records behind the last one -> read again, once
//! ```
//!
//! A chunk is as many records as come before it has [`CHUNK_BYTES`]: the times of all its events
//! are known, so that a search reads no chunk in vain. A put costs one record: its messages are
//! copied once, with 3 to 8 bytes an event beside them; no row is written, no index of events kept.
//! A chunk takes about 70 bytes of memory and a row of 120, which upkeep writes.

use super::record;
use super::rows::{ChunkRow, StreamRow};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use store::{BatchBuilder, ErrorKind, Log, LogId, Part, Pending, Result};

/// Bytes after which a chunk ends: what is read when one event of it is wanted.
const CHUNK_BYTES: u64 = 256 << 10;
/// Records and bytes that are read at once.
pub(super) const READ_RECORDS: usize = 1000;
pub(super) const READ_BYTES: usize = 1 << 20;

/// See the module.
pub(super) struct Stream {
    pub(super) name: Arc<str>,
    pub(super) log_id: LogId,
    pub(super) created_ms: i64,
    pub(super) log: Arc<dyn Log>,
    state: Mutex<State>,
}

struct State {
    /// Puts that are not known to be durable, by their ordinals.
    incoming: VecDeque<ChunkRow>,
    /// The ordinal of the next put.
    next_ordinal: u64,
    /// In order of their records; never none once there was one.
    chunks: VecDeque<Chunk>,
    bytes: u64,
}

struct Chunk {
    row: ChunkRow,
    /// Whether the catalog has it so.
    is_saved: bool,
}

/// What is known of a stream's events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_field_names, reason = "all of them are times")]
pub(super) struct Extent {
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    pub(super) arrival_ms: i64,
}

/// Chunks that go, and what is stored instead.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) gone: Vec<ChunkRow>,
    pub(super) saved: Vec<ChunkRow>,
}

impl Stream {
    /// One that the catalog has: with its chunks, in order. An empty one counts only where there is
    /// no other.
    ///
    /// # Errors
    /// `Corrupt` a record cannot be read; as [`Log::read`].
    pub(super) async fn open(
        store: &Part,
        (log_id, row): (LogId, &StreamRow),
        mut chunks: Vec<ChunkRow>,
    ) -> Result<Self> {
        if chunks.len() > 1 {
            chunks.retain(|row| row.events > 0);
        }
        let log = store.open_log(log_id).await?;
        let bytes = chunks.iter().map(|row| row.bytes).sum();
        let chunks = chunks.into_iter().map(|row| Chunk { row, is_saved: true }).collect();
        let mut state = State { incoming: VecDeque::new(), next_ordinal: 0, chunks, bytes };
        // A trim is not durable by itself.
        log.trim_to(state.chunks.front().map_or(0, |chunk| chunk.row.first_ordinal));
        let mut next = state.chunks.back().map_or(0, |chunk| chunk.row.next_ordinal);
        next = next.max(log.tail().first_ordinal);
        while next < log.tail().next_ordinal {
            let batch = log.read(next, READ_RECORDS, READ_BYTES).await?;
            for record in &batch.records {
                let put = read_summary(record).ok_or_else(|| corrupt(log_id, record.ordinal))?;
                state.add(&put);
            }
            next = batch.next_ordinal;
        }
        state.next_ordinal = log.tail().next_ordinal;
        let (name, created_ms) = (row.name.as_ref().into(), row.created_ms);
        Ok(Self { name, log_id, created_ms, log, state: Mutex::new(state) })
    }

    /// Hands a put to the log: events in order of time, at least one. Gives its ordinal.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub(super) fn append(
        &self,
        events: &[record::Event<'_>],
        now_ms: i64,
    ) -> Result<(u64, Pending)> {
        let bytes = record::write_put(events.iter().copied());
        let mut batch = BatchBuilder::with_capacity(bytes.len() + 8);
        batch.push(b"", &bytes);
        let mut put = summary(0, events, now_ms);
        put.bytes = bytes.len() as u64;
        let mut state = self.state.lock();
        let pending = self.log.append(batch, None)?;
        let ordinal = state.next_ordinal;
        state.next_ordinal += 1;
        (put.first_ordinal, put.next_ordinal) = (ordinal, ordinal + 1);
        state.incoming.push_back(put);
        Ok((ordinal, pending))
    }

    /// Tells how a put ended.
    pub(super) fn settle(&self, ordinal: u64, is_durable: bool) {
        let mut state = self.state.lock();
        if !is_durable {
            state.incoming.retain(|put| put.first_ordinal != ordinal);
        }
        state.settle(&*self.log);
    }

    /// What clients once had to send with the next put, in AWS's form: 56 digits.
    pub(super) fn sequence_token(&self) -> String {
        format!("49{:054}", self.state.lock().next_ordinal + 1)
    }

    /// The chunks that have events of a time, from the oldest record on.
    pub(super) fn chunks(&self, from_ms: i64, to_ms: i64) -> Vec<ChunkRow> {
        let mut state = self.state.lock();
        state.settle(&*self.log);
        let has = |row: &ChunkRow| row.events > 0 && row.first_ms < to_ms && row.last_ms >= from_ms;
        state.chunks.iter().map(|chunk| chunk.row).filter(has).collect()
    }

    /// Bytes of its events.
    pub(super) fn bytes(&self) -> u64 {
        let mut state = self.state.lock();
        state.settle(&*self.log);
        state.bytes
    }

    /// The times of its events; `None`: it has none.
    pub(super) fn extent(&self) -> Option<Extent> {
        let mut state = self.state.lock();
        state.settle(&*self.log);
        let rows = state.chunks.iter().map(|chunk| &chunk.row).filter(|row| row.events > 0);
        let extent = |row: &ChunkRow| Extent {
            first_ms: row.first_ms,
            last_ms: row.last_ms,
            arrival_ms: row.arrival_ms,
        };
        rows.map(extent).reduce(|a, b| Extent {
            first_ms: a.first_ms.min(b.first_ms),
            last_ms: a.last_ms.max(b.last_ms),
            arrival_ms: a.arrival_ms.max(b.arrival_ms),
        })
    }

    /// What the catalog must be told so that it knows the chunks as they are without the first
    /// `gone`.
    pub(super) fn changes(&self, gone: usize) -> Changes {
        let mut state = self.state.lock();
        state.settle(&*self.log);
        let mut changes = Changes::default();
        for (at, chunk) in state.chunks.iter().enumerate() {
            if at < gone {
                changes.gone.push(chunk.row);
            } else if !chunk.is_saved {
                changes.saved.push(chunk.row);
            }
        }
        if let Some(last) = state.chunks.back().filter(|_| gone >= state.chunks.len()) {
            changes.saved.push(ChunkRow::empty(last.row.next_ordinal));
        }
        changes
    }

    /// Makes changes that the catalog has now. A last chunk that grew meanwhile stays until the
    /// next time; the row of the empty one behind it means nothing then, see [`Stream::open`].
    pub(super) fn apply(&self, changes: &Changes) {
        let mut state = self.state.lock();
        for gone in &changes.gone {
            let first = state.chunks.front().map(|chunk| chunk.row);
            let Some(first) = first.filter(|first| first.first_ordinal == gone.first_ordinal)
            else {
                continue;
            };
            if first == *gone {
                state.chunks.pop_front();
                state.bytes -= gone.bytes;
            }
        }
        for row in &changes.saved {
            let at = state.chunks.iter().position(|c| c.row.first_ordinal == row.first_ordinal);
            if let Some(chunk) = at.and_then(|at| state.chunks.get_mut(at)) {
                chunk.is_saved = chunk.row == *row;
            } else if state.chunks.is_empty() {
                state.chunks.push_back(Chunk { row: *row, is_saved: true });
            }
        }
        let kept_from = state.chunks.front().map_or(0, |chunk| chunk.row.first_ordinal);
        drop(state);
        self.log.trim_to(kept_from);
    }

    /// The keys of all its rows of chunks.
    pub(super) fn chunk_keys(&self, store: &Part) -> Vec<Vec<u8>> {
        let prefix = ChunkRow::prefix(self.log_id.0);
        let rows = store.scan(&prefix, None, usize::MAX);
        rows.into_iter().map(|(key, _)| key.to_vec()).collect()
    }
}

impl State {
    /// Takes in puts that are durable by now.
    fn settle(&mut self, log: &dyn Log) {
        if self.incoming.is_empty() {
            return;
        }
        let next = log.tail().next_ordinal;
        while let Some(put) = self.incoming.pop_front_if(|put| put.first_ordinal < next) {
            self.add(&put);
        }
    }

    fn add(&mut self, put: &ChunkRow) {
        self.bytes += put.bytes;
        match self.chunks.back_mut().filter(|chunk| chunk.row.bytes < CHUNK_BYTES) {
            Some(chunk) => {
                chunk.row.add(put);
                chunk.is_saved = false;
            }
            None => self.chunks.push_back(Chunk { row: *put, is_saved: false }),
        }
    }
}

/// What a put adds to its chunk, without its bytes.
fn summary(ordinal: u64, events: &[record::Event<'_>], arrival_ms: i64) -> ChunkRow {
    ChunkRow {
        next_ordinal: ordinal + 1,
        first_ms: events.first().map_or(0, |(at_ms, _)| *at_ms),
        last_ms: events.last().map_or(0, |(at_ms, _)| *at_ms),
        arrival_ms,
        events: events.len() as u64,
        ..ChunkRow::empty(ordinal)
    }
}

fn read_summary(record: &store::Record) -> Option<ChunkRow> {
    let events = record::read_put(&record.data)?;
    let bytes = record.data.len() as u64;
    Some(ChunkRow { bytes, ..summary(record.ordinal, &events, record.arrival_ms) })
}

pub(super) fn corrupt(log: LogId, ordinal: u64) -> store::Error {
    let what = format!("events: record {ordinal} of log {} cannot be read", log.0);
    store::Error::new(ErrorKind::Corrupt, what)
}
