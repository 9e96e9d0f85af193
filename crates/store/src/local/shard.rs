//! One log of the engine.
//!
//! ```text
//! append: body, CRC --> lock { ordinal, arrival time, queue.push } --> Pending
//! commit: publish --> lock { tail grows } --> watchers wake
//! ```
//!
//! Cost of an append beside the caller's body: one CRC pass over it, two uncontended locks, one
//! entry of about 100 bytes in the queue; no allocation, no system call unless the commit thread
//! sleeps. An idle log is this struct: no buffer, no task, no channel.
//!
//! A batch is encrypted while its log is locked, as the ciphertext is bound to the ordinal: a third
//! of a millisecond for 1 MiB, in which others wait that use the same log.

use super::engine::Engine;
use super::frame::{FLAG_ENCRYPTED, RESTART};
use super::keeper::Keeper;
use super::options::Durability;
use super::queue::Entry;
use super::segment::Segments;
use super::tail::{TailBatch, TailBatches};
use super::wakes::{Waiter, Wakes};
use crate::{
    Appended, BatchBuilder, Error, ErrorKind, Job, Log, LogId, Pending, RecordBatch, Result, Tail,
};
use bytes::Bytes;
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

/// See the module.
pub(crate) struct LocalLog {
    pub(crate) id: LogId,
    pub(crate) engine: Arc<Engine>,
    me: Weak<LocalLog>,
    pub(crate) state: Mutex<State>,
    pub(crate) segments: Mutex<Segments>,
    /// Held while segment files change; taken before `segments` and `state`.
    pub(crate) spilling: Mutex<()>,
}

/// What changes with every batch.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) tail: TailBatches,
    /// Oldest ordinal that is kept.
    pub(crate) first_ordinal: u64,
    /// Every kept record arrived at or after this.
    pub(crate) kept_since_ms: i64,
    /// Everything below is durable.
    pub(crate) durable_next: u64,
    pub(crate) durable_arrival_ms: i64,
    /// The next ordinal to assign.
    pub(crate) next_ordinal: u64,
    pub(crate) last_arrival_ms: i64,
    pub(crate) sealed: bool,
    /// Gone for everyone outside.
    pub(crate) removed: bool,
    /// The removal is durable: no checkpoint names the log any more.
    pub(crate) gone: bool,
    pub(crate) spill_queued: bool,
    next_watcher: u32,
    watchers: Vec<(u32, Waiter)>,
}

impl State {
    pub(crate) fn refuse_removed(&self) -> Result<()> {
        if self.removed {
            return Err(Error::new(ErrorKind::Removed, "the log was removed"));
        }
        Ok(())
    }

    pub(crate) fn tail(&self) -> Tail {
        Tail {
            first_ordinal: self.first_ordinal,
            next_ordinal: self.durable_next,
            last_arrival_ms: self.durable_arrival_ms,
            sealed: self.sealed,
        }
    }

    /// Adds a durable batch.
    pub(crate) fn publish(&mut self, batch: TailBatch) {
        if self.gone {
            return;
        }
        self.durable_next = batch.end_ordinal();
        self.durable_arrival_ms = batch.arrival_ms;
        self.tail.push(batch);
    }

    /// Adds those who watch to `wakes`; they watch no more.
    pub(crate) fn take_watchers(&mut self, wakes: &mut Wakes) {
        for (_, watcher) in std::mem::take(&mut self.watchers) {
            wakes.add(watcher);
        }
    }

    fn watch(&mut self, ticket: &mut Option<u32>, waker: &Waker) {
        if let Some((_, kept)) = self.watchers.iter_mut().find(|(t, _)| Some(*t) == *ticket) {
            kept.waker().clone_from(waker);
            return;
        }
        let fresh = self.next_watcher;
        self.next_watcher = self.next_watcher.wrapping_add(1);
        *ticket = Some(fresh);
        self.watchers.push((fresh, Waiter::here(waker)));
    }
}

impl LocalLog {
    /// A log with what is known of it.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        id: LogId,
        state: State,
        segments: Segments,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            id,
            engine: Arc::clone(engine),
            me: Weak::clone(me),
            state: Mutex::new(state),
            segments: Mutex::new(segments),
            spilling: Mutex::new(()),
        })
    }

    pub(crate) fn arc(&self) -> Arc<Self> {
        self.me.upgrade().expect("the log that runs this exists")
    }

    /// Asks for a spill when records below `to` are in no segment and nobody asked yet.
    pub(crate) fn ask_spill(&self, to: u64, keeper: &Keeper) {
        let mut state = self.state.lock();
        if state.tail.spilled_to() < to && !std::mem::replace(&mut state.spill_queued, true) {
            drop(state);
            keeper.spill(self.arc());
        }
    }

    /// Wakes those who watch, after a change that they wait for.
    pub(crate) fn wake_watchers(&self, change: impl FnOnce(&mut State)) {
        let mut wakes = Wakes::default();
        {
            let mut state = self.state.lock();
            change(&mut state);
            state.take_watchers(&mut wakes);
        }
        wakes.wake();
    }

    /// Fails readers and appenders; the engine goes on with the log until its removal is durable.
    pub(crate) fn mark_removed(&self) {
        self.wake_watchers(|state| state.removed = true);
    }

    /// Forgets the records: their removal is durable.
    pub(crate) fn mark_gone(&self) {
        let tail = {
            let mut state = self.state.lock();
            (state.removed, state.gone) = (true, true);
            std::mem::take(&mut state.tail)
        };
        drop(tail);
    }

    /// The plain body, with no more room than it needs.
    fn body(&self, batch: BatchBuilder) -> Result<Bytes> {
        let max = self.engine.options.batch_bytes_max;
        let (records, bytes) = (batch.records(), batch.body().len());
        if records == 0 {
            return Err(Error::new(ErrorKind::Invalid, "an empty batch"));
        }
        if bytes > max {
            let message = format!("a batch of {bytes} bytes is over {max} bytes");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let mut body = batch.into_body();
        // Why not always: the copy costs more than a little spare room in the cache.
        if body.capacity() > bytes + bytes / 4 + 64 {
            body.shrink_to_fit();
        }
        Ok(Bytes::from(body))
    }

    fn seal_body(&self, key_id: &str, first_ordinal: u64, plain: &[u8]) -> Result<Bytes> {
        let engine = &self.engine;
        let at = (self.id, first_ordinal);
        engine.options.keys.seal(key_id, at, plain, &*engine.env.rng).map(Bytes::from)
    }

    /// Hands a batch to the queue; its place in the log and its arrival time.
    fn push(&self, state: &mut State, entry: Entry) -> Result<Pending> {
        let here = self.engine.may_commit_here().then_some(&self.engine);
        let (first_ordinal, arrival_ms) = (entry.first_ordinal, entry.arrival_ms);
        let records = entry.records;
        let ticket = self.engine.queue.push(entry, here)?;
        state.next_ordinal += u64::from(records);
        state.last_arrival_ms = arrival_ms;
        Ok(Pending::of(Appended { first_ordinal, arrival_ms }, ticket))
    }

    /// Begins an empty log behind a gap, see `frame`, before anything is appended that could take a
    /// lost record's name. Shown at once: there is nothing in it to read.
    pub(crate) fn begin_behind_gap(&self) -> Result<()> {
        let mut state = self.state.lock();
        let entry = Entry::gap(self, &state);
        drop(self.push(&mut state, entry)?);
        (state.first_ordinal, state.durable_next) = (state.next_ordinal, state.next_ordinal);
        Ok(())
    }
}

impl Log for LocalLog {
    fn append(&self, batch: BatchBuilder, key_id: Option<&str>) -> Result<Pending> {
        self.engine.health.admit()?;
        let records = batch.records();
        let plain = self.body(batch)?;
        // Before the lock, unless the body depends on its place.
        let plain_crc = key_id.is_none().then(|| crc32c::crc32c(&plain));
        let now_ms = self.engine.guard.now_ms();
        let mut state = self.state.lock();
        state.refuse_removed()?;
        if state.sealed {
            return Err(Error::new(ErrorKind::Sealed, "the log is sealed"));
        }
        let first_ordinal = state.next_ordinal;
        let (body, flags) = match key_id {
            Some(key_id) => (self.seal_body(key_id, first_ordinal, &plain)?, FLAG_ENCRYPTED),
            None => (plain, 0),
        };
        let body_crc = plain_crc.unwrap_or_else(|| crc32c::crc32c(&body));
        let arrival_ms = now_ms.max(state.last_arrival_ms);
        let (id, log) = (self.id, Some(self.arc()));
        let entry = Entry { id, log, first_ordinal, arrival_ms, records, body_crc, flags, body };
        self.push(&mut state, entry)
    }

    fn tail(&self) -> Tail {
        self.state.lock().tail()
    }

    fn read(&self, from: u64, records_max: usize, bytes_max: usize) -> Job<'_, RecordBatch> {
        self.read_job(from, records_max, bytes_max)
    }

    fn find_arrival(&self, arrival_ms: i64) -> Job<'_, u64> {
        self.find_job(arrival_ms)
    }

    fn wait_beyond(&self, beyond: u64) -> Job<'_, ()> {
        let done =
            move |s: &State| (s.durable_next > beyond || s.sealed || s.removed).then_some(Ok(()));
        Box::pin(Watch { log: self, ticket: None, done })
    }

    fn seal(&self) -> Job<'_, Tail> {
        self.wake_watchers(|state| state.sealed = !state.removed);
        let done = move |s: &State| {
            if let Err(removed) = s.refuse_removed() {
                return Some(Err(removed));
            }
            if s.durable_next == s.next_ordinal {
                return Some(Ok(s.tail()));
            }
            self.engine.trouble().map(|why| Err(Error::new(ErrorKind::Unavailable, why)))
        };
        let durable = Watch { log: self, ticket: None, done };
        let at_rest = |state: &State| state.durable_next == state.next_ordinal;
        let synced = at_rest(&self.state.lock()) && self.engine.journal.is_durable();
        if synced || self.engine.options.durability == Durability::Always {
            return Box::pin(durable);
        }
        // What is shown is not yet synced, and the owner writes down where the log ends.
        let synced = self.engine.queue.push(Entry::control(RESTART), None);
        Box::pin(async move {
            let whatever = Appended { first_ordinal: 0, arrival_ms: 0 };
            Pending::of(whatever, synced?).await?;
            durable.await
        })
    }

    fn trim(&self, arrival_ms: i64) {
        self.trim_arrived(arrival_ms);
    }

    fn trim_to(&self, ordinal: u64) {
        self.trim_below(ordinal);
    }
}

/// Waits until `done` says what to answer; costs nothing while nobody waits.
struct Watch<'a, F> {
    log: &'a LocalLog,
    ticket: Option<u32>,
    done: F,
}

impl<T, F: Fn(&State) -> Option<Result<T>> + Unpin> Future for Watch<'_, F> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        let mut state = this.log.state.lock();
        if let Some(answer) = (this.done)(&state) {
            return Poll::Ready(answer);
        }
        state.watch(&mut this.ticket, cx.waker());
        drop(state);
        // It may wait for a batch whose owner does not poll.
        this.log.engine.queue.tell();
        Poll::Pending
    }
}

impl<F> Drop for Watch<'_, F> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.log.state.lock().watchers.retain(|(t, _)| *t != ticket);
        }
    }
}

/// Whether a log may have this name.
pub(crate) fn check_id(id: LogId) -> Result<()> {
    if id == RESTART {
        return Err(Error::new(ErrorKind::Invalid, "this log id is reserved"));
    }
    Ok(())
}
