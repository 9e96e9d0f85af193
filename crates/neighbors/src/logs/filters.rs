//! A subscription filter: what it wants, and what waits for its destination.
//!
//! ```text
//! put -> events that it wants -> a record of its queue, with the put's own commit
//! queue, from the cursor on -> deliverer -> destination -> cursor (a row)
//! ```
//!
//! The queue is a log of its own: what waits outlives a stop, and costs no memory.

use super::groups::GroupId;
use super::pattern::Pattern;
use super::record;
use super::rows::FilterRow;
use super::stream::{READ_BYTES, READ_RECORDS};
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::{BatchBuilder, Log, LogId, Pending, Result};
use tokio::sync::Notify;

/// See the module.
pub(super) struct Filter {
    pub(super) group: GroupId,
    pub(super) name: Arc<str>,
    pub(super) log_id: LogId,
    pub(super) queue: Arc<dyn Log>,
    wants: RwLock<Arc<Wants>>,
    /// The first record of the queue that the destination does not have.
    cursor: AtomicU64,
    /// Bytes of the queue's records behind the cursor.
    waiting_bytes: AtomicU64,
    /// Most of them.
    bytes_max: u64,
    is_gone: AtomicBool,
    /// Told when it is gone, changes, or too much waits.
    pub(super) changed: Notify,
}

/// What is asked of it, as it is now.
pub(super) struct Wants {
    pub(super) row: FilterRow,
    pub(super) pattern: Pattern,
}

impl Filter {
    pub(super) fn new(
        (group, log_id): (GroupId, LogId),
        queue: Arc<dyn Log>,
        wants: Wants,
        (cursor, bytes_max): (u64, usize),
    ) -> Self {
        Self {
            bytes_max: bytes_max as u64,
            group,
            name: wants.row.name.as_ref().into(),
            log_id,
            queue,
            wants: RwLock::new(Arc::new(wants)),
            cursor: AtomicU64::new(cursor),
            waiting_bytes: AtomicU64::new(0),
            is_gone: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    pub(super) fn wants(&self) -> Arc<Wants> {
        self.wants.read().clone()
    }

    pub(super) fn set_wants(&self, wants: Wants) {
        *self.wants.write() = Arc::new(wants);
        self.changed.notify_one();
    }

    pub(super) fn cursor(&self) -> u64 {
        self.cursor.load(Ordering::Acquire)
    }

    /// The destination has everything before this record: the catalog says so.
    pub(super) fn advance(&self, cursor: u64, bytes: u64) {
        self.cursor.store(cursor, Ordering::Release);
        let less = |waiting: u64| Some(waiting.saturating_sub(bytes));
        let _before = self.waiting_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.queue.trim_to(cursor);
    }

    /// Counts what waits since before the start.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub(super) async fn count(&self) -> Result<()> {
        let mut next = self.cursor();
        while next < self.queue.tail().next_ordinal {
            let batch = self.queue.read(next, READ_RECORDS, READ_BYTES).await?;
            let bytes = batch.records.iter().map(|record| record.data.len() as u64).sum();
            self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel);
            next = batch.next_ordinal;
        }
        Ok(())
    }

    /// Whether more waits than may.
    pub(super) fn is_overfull(&self) -> bool {
        self.waiting_bytes.load(Ordering::Acquire) > self.bytes_max
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    /// The catalog lost it.
    pub(super) fn end(&self) {
        self.is_gone.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Queues what it wants of a put; `None`: nothing.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub(super) fn offer(
        &self,
        stream: &str,
        (log, ordinal): (LogId, u64),
        events: &[record::Event<'_>],
    ) -> Result<Option<Pending>> {
        let wants = self.wants();
        let numbered = (0..).zip(events.iter().copied());
        let matched: Vec<(u32, record::Event<'_>)> =
            numbered.filter(|(_, (_, message))| wants.pattern.matches(message)).collect();
        if matched.is_empty() {
            return Ok(None);
        }
        let bytes = record::write_matched(stream, (log.0, ordinal), &matched);
        let mut batch = BatchBuilder::with_capacity(bytes.len() + 8);
        batch.push(b"", &bytes);
        let pending = self.queue.append(batch, None)?;
        self.waiting_bytes.fetch_add(bytes.len() as u64, Ordering::AcqRel);
        if self.is_overfull() {
            self.changed.notify_one();
        }
        Ok(Some(pending))
    }
}
