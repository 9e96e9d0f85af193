//! The memory engine: the door of logs without a disk, for tests and for `--memory`.
//!
//! Nothing survives the process. Everything else holds as on the local engine: dense ordinals,
//! arrival times that never decrease, a bound on bytes, `Sealed` after a seal, `Removed` after a
//! removal.
//!
//! ```text
//! append --> block at the end of the log --> watchers wake --> read
//! trim   --> blocks leave from the front once all their records are trimmed
//! ```
//!
//! A key id only marks records as encrypted: no byte lies on a disk, so there is nothing to hide.

use crate::{
    Appended, BatchBuilder, Error, ErrorKind, Job, Log, LogId, Logs, Pending, Record, RecordBatch,
    Result, Tail,
};
use base::Env;
use base::env::ClockGuard;
use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

/// Bounds of the memory engine.
#[derive(Clone, Copy, Debug)]
pub struct MemoryOptions {
    /// Bytes of all logs together, [`MemoryLog::BLOCK_OVERHEAD_BYTES`] for each batch included.
    pub bytes_max: usize,
    /// Body bytes of one batch.
    pub batch_bytes_max: usize,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { bytes_max: 1 << 30, batch_bytes_max: 64 << 20 }
    }
}

/// A [`Logs`] in memory.
pub struct MemoryLog {
    shared: Arc<Shared>,
    logs: Mutex<HashMap<LogId, Arc<MemoryShard>>>,
}

struct Shared {
    guard: Arc<ClockGuard>,
    options: MemoryOptions,
    used_bytes: AtomicUsize,
    closed: AtomicBool,
}

impl MemoryLog {
    /// What a batch costs beside its body.
    pub const BLOCK_OVERHEAD_BYTES: usize = 96;

    /// An empty engine; the clock is the environment's.
    pub fn new(env: Env, options: MemoryOptions) -> Arc<Self> {
        let shared = Shared {
            guard: Arc::new(ClockGuard::new(env.clock)),
            options,
            used_bytes: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        };
        Arc::new(Self { shared: Arc::new(shared), logs: Mutex::default() })
    }

    /// Logs that are open.
    pub fn open_logs(&self) -> usize {
        self.logs.lock().len()
    }

    /// Bytes held by all logs now.
    pub fn used_bytes(&self) -> usize {
        self.shared.used_bytes.load(Ordering::Relaxed)
    }
}

impl Logs for MemoryLog {
    fn open(&self, id: LogId) -> Job<'_, Arc<dyn Log>> {
        let opened = self.shared.refuse_closed().map(|()| {
            let mut logs = self.logs.lock();
            let shard = logs.entry(id).or_insert_with(|| {
                Arc::new(MemoryShard { shared: Arc::clone(&self.shared), state: Mutex::default() })
            });
            Arc::clone(shard) as Arc<dyn Log>
        });
        Box::pin(std::future::ready(opened))
    }

    fn remove(&self, ids: &[LogId]) -> Job<'_, ()> {
        for id in ids {
            let shard = self.logs.lock().remove(id);
            if let Some(shard) = shard {
                shard.remove();
            }
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn written(&self) -> Vec<LogId> {
        let logs = self.logs.lock();
        let written = logs.iter().filter(|(_, log)| log.tail().next_ordinal > 0);
        written.map(|(id, _)| *id).collect()
    }

    fn close(&self) -> Job<'_, ()> {
        self.shared.closed.store(true, Ordering::Relaxed);
        Box::pin(std::future::ready(Ok(())))
    }

    fn clock(&self) -> &Arc<ClockGuard> {
        &self.shared.guard
    }

    fn trouble(&self) -> Option<String> {
        let (used, max) = (self.used_bytes(), self.shared.options.bytes_max);
        if self.shared.closed.load(Ordering::Relaxed) {
            return Some("the memory engine is closed".to_owned());
        }
        (used >= max).then(|| format!("the memory engine is full: {used} of {max} bytes"))
    }
}

impl Shared {
    fn refuse_closed(&self) -> Result<()> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unavailable, "the memory engine is closed"));
        }
        Ok(())
    }

    fn take(&self, bytes: usize) -> Result<()> {
        let max = self.options.bytes_max;
        let take = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= max);
        match self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => Ok(()),
            Err(used) => Err(Error::new(
                ErrorKind::Full,
                format!("{bytes} bytes do not fit: {used} of {max} bytes are taken"),
            )),
        }
    }

    fn give_back(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// One batch; its records share the arrival time.
#[derive(Clone)]
struct Block {
    first_ordinal: u64,
    records: u32,
    arrival_ms: i64,
    encrypted: bool,
    body: Bytes,
}

impl Block {
    fn cost_bytes(&self) -> usize {
        self.body.len() + MemoryLog::BLOCK_OVERHEAD_BYTES
    }

    fn end_ordinal(&self) -> u64 {
        self.first_ordinal + u64::from(self.records)
    }

    /// Adds this block's records from ordinal `from` on; false once the answer is full.
    fn read(&self, from: u64, limit: &mut Limit, into: &mut Vec<Record>) -> bool {
        let mut rest = self.body.clone();
        for ordinal in self.first_ordinal..self.end_ordinal() {
            let key_len = usize::from(rest.get_u16_le());
            let data_len = rest.get_u32_le() as usize;
            let key = rest.split_to(key_len);
            let data = rest.split_to(data_len);
            if ordinal < from {
                continue;
            }
            if !limit.admit(key_len + data_len) {
                return false;
            }
            let (arrival_ms, encrypted) = (self.arrival_ms, self.encrypted);
            into.push(Record { ordinal, arrival_ms, key, data, encrypted });
        }
        true
    }
}

/// What a read may still take. The first record always fits.
struct Limit {
    records: usize,
    bytes: usize,
    first: bool,
}

impl Limit {
    fn admit(&mut self, bytes: usize) -> bool {
        if !self.first && (self.records == 0 || bytes > self.bytes) {
            return false;
        }
        self.first = false;
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        true
    }
}

#[derive(Default)]
struct State {
    blocks: VecDeque<Block>,
    first_ordinal: u64,
    next_ordinal: u64,
    last_arrival_ms: i64,
    sealed: bool,
    removed: bool,
    watchers: BTreeMap<u64, Waker>,
    next_watcher: u64,
}

impl State {
    fn tail(&self) -> Tail {
        Tail {
            first_ordinal: self.first_ordinal,
            next_ordinal: self.next_ordinal,
            last_arrival_ms: self.last_arrival_ms,
            sealed: self.sealed,
        }
    }

    fn refuse_removed(&self) -> Result<()> {
        if self.removed {
            return Err(Error::new(ErrorKind::Removed, "the log was removed"));
        }
        Ok(())
    }
}

struct MemoryShard {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

fn wake_all(watchers: BTreeMap<u64, Waker>) {
    watchers.into_values().for_each(Waker::wake);
}

impl MemoryShard {
    fn remove(&self) {
        let (blocks, watchers) = {
            let mut state = self.state.lock();
            state.removed = true;
            (std::mem::take(&mut state.blocks), std::mem::take(&mut state.watchers))
        };
        self.shared.give_back(blocks.iter().map(Block::cost_bytes).sum());
        wake_all(watchers);
    }

    /// Hides what is below the ordinal that `first` says, and drops blocks without any other.
    fn trim_where(&self, first: impl FnOnce(&State) -> u64) {
        let mut state = self.state.lock();
        if state.removed {
            return;
        }
        state.first_ordinal = first(&state).max(state.first_ordinal);
        let first_ordinal = state.first_ordinal;
        let trimmed = state.blocks.partition_point(|block| block.end_ordinal() <= first_ordinal);
        if trimmed == 0 {
            return;
        }
        let blocks: Vec<Block> = state.blocks.drain(..trimmed).collect();
        let left = state.blocks.len();
        state.blocks.shrink_to(left * 2);
        drop(state);
        self.shared.give_back(blocks.iter().map(Block::cost_bytes).sum());
    }

    fn check_batch(&self, batch: &BatchBuilder) -> Result<()> {
        let (bytes, max) = (batch.body().len(), self.shared.options.batch_bytes_max);
        if batch.records() == 0 {
            return Err(Error::new(ErrorKind::Invalid, "an empty batch"));
        }
        if bytes > max {
            let message = format!("a batch of {bytes} bytes is over {max} bytes");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(())
    }

    /// Blocks from the one that holds `from` on, as many as `records_max` can touch.
    fn blocks_from(&self, from: u64, records_max: usize) -> Result<(Vec<Block>, u64)> {
        let state = self.state.lock();
        state.refuse_removed()?;
        if from < state.first_ordinal {
            let first = state.first_ordinal;
            let message = format!("ordinal {from} is trimmed: the oldest kept is {first}");
            return Err(Error::new(ErrorKind::Trimmed, message));
        }
        let after = state.blocks.partition_point(|b| b.first_ordinal <= from);
        let blocks = state.blocks.range(after.saturating_sub(1)..).take(records_max.max(1));
        Ok((blocks.cloned().collect(), state.next_ordinal))
    }

    fn read_now(&self, from: u64, records_max: usize, bytes_max: usize) -> Result<RecordBatch> {
        let (blocks, next_ordinal) = self.blocks_from(from, records_max)?;
        if from >= next_ordinal {
            return Ok(RecordBatch { records: Vec::new(), next_ordinal: from });
        }
        let mut limit = Limit { records: records_max.max(1), bytes: bytes_max, first: true };
        let mut records = Vec::new();
        for block in &blocks {
            if !block.read(from, &mut limit, &mut records) {
                break;
            }
        }
        let next_ordinal = records.last().map_or(from, |r| r.ordinal + 1);
        Ok(RecordBatch { records, next_ordinal })
    }
}

impl Log for MemoryShard {
    fn append(&self, batch: BatchBuilder, key_id: Option<&str>) -> Result<Pending> {
        self.shared.refuse_closed()?;
        self.check_batch(&batch)?;
        let records = batch.records();
        let mut body = batch.into_body();
        body.shrink_to_fit();
        let body = Bytes::from(body);
        let cost_bytes = body.len() + MemoryLog::BLOCK_OVERHEAD_BYTES;
        let mut state = self.state.lock();
        state.refuse_removed()?;
        if state.sealed {
            return Err(Error::new(ErrorKind::Sealed, "the log is sealed"));
        }
        self.shared.take(cost_bytes)?;
        let first_ordinal = state.next_ordinal;
        let arrival_ms = self.shared.guard.now_ms().max(state.last_arrival_ms);
        let encrypted = key_id.is_some();
        state.blocks.push_back(Block { first_ordinal, records, arrival_ms, encrypted, body });
        state.next_ordinal += u64::from(records);
        state.last_arrival_ms = arrival_ms;
        let watchers = std::mem::take(&mut state.watchers);
        drop(state);
        wake_all(watchers);
        Ok(Pending::ready(Ok(Appended { first_ordinal, arrival_ms })))
    }

    fn tail(&self) -> Tail {
        self.state.lock().tail()
    }

    fn read(&self, from: u64, records_max: usize, bytes_max: usize) -> Job<'_, RecordBatch> {
        Box::pin(async move { self.read_now(from, records_max, bytes_max) })
    }

    fn find_arrival(&self, arrival_ms: i64) -> Job<'_, u64> {
        Box::pin(async move {
            let state = self.state.lock();
            state.refuse_removed()?;
            let at = state.blocks.partition_point(|b| b.arrival_ms < arrival_ms);
            let found = state.blocks.get(at).map_or(state.next_ordinal, |b| b.first_ordinal);
            Ok(found.max(state.first_ordinal))
        })
    }

    fn wait_beyond(&self, beyond: u64) -> Job<'_, ()> {
        Box::pin(WaitBeyond { shard: self, beyond, ticket: None })
    }

    fn seal(&self) -> Job<'_, Tail> {
        Box::pin(async move {
            let (tail, watchers) = {
                let mut state = self.state.lock();
                state.refuse_removed()?;
                state.sealed = true;
                (state.tail(), std::mem::take(&mut state.watchers))
            };
            wake_all(watchers);
            Ok(tail)
        })
    }

    fn trim(&self, arrival_ms: i64) {
        if arrival_ms > self.shared.guard.now_ms() {
            return;
        }
        self.trim_where(|state| {
            let kept = state.blocks.iter().find(|block| block.arrival_ms >= arrival_ms);
            kept.map_or(state.next_ordinal, |block| block.first_ordinal)
        });
    }

    fn trim_to(&self, ordinal: u64) {
        self.trim_where(|state| ordinal.min(state.next_ordinal));
    }
}

struct WaitBeyond<'a> {
    shard: &'a MemoryShard,
    beyond: u64,
    ticket: Option<u64>,
}

impl Future for WaitBeyond<'_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut state = self.shard.state.lock();
        if state.next_ordinal > self.beyond || state.sealed || state.removed {
            return Poll::Ready(Ok(()));
        }
        let ticket = self.ticket.unwrap_or(state.next_watcher);
        if self.ticket.is_none() {
            state.next_watcher += 1;
        }
        state.watchers.insert(ticket, cx.waker().clone());
        drop(state);
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl Drop for WaitBeyond<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shard.state.lock().watchers.remove(&ticket);
        }
    }
}
