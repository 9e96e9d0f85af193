//! Batches between the appenders and whoever commits, already gathered into commits.
//!
//! Appenders push while they hold their log's lock, so the order here is the order of ordinals.
//! A gather is closed when the next batch would take it past the commit's size.

use super::engine::Engine;
use super::frame::{self, HEADER_BYTES};
use super::group::{Group, Ticket};
use super::shard::{self, LocalLog};
use crate::{Error, ErrorKind, LogId, Result};
use base::Env;
use base::env::Gate;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A batch on its way; the commit adds what the header lacks.
pub(crate) struct Entry {
    pub(crate) id: LogId,
    /// None for restarts.
    pub(crate) log: Option<Arc<LocalLog>>,
    pub(crate) first_ordinal: u64,
    pub(crate) arrival_ms: i64,
    pub(crate) records: u32,
    pub(crate) body_crc: u32,
    pub(crate) flags: u16,
    /// As it will lie on disk.
    pub(crate) body: Bytes,
}

impl Entry {
    /// An event of the engine.
    pub(crate) fn control(id: LogId) -> Self {
        Self {
            id,
            log: None,
            first_ordinal: 0,
            arrival_ms: 0,
            records: 0,
            body_crc: 0,
            flags: frame::FLAG_CONTROL,
            body: Bytes::new(),
        }
    }

    /// Ordinals of a log that have no records, from its next one on.
    pub(crate) fn gap(log: &LocalLog, state: &shard::State) -> Self {
        Self {
            log: Some(log.arc()),
            first_ordinal: state.next_ordinal,
            arrival_ms: state.last_arrival_ms,
            records: frame::GAP_ORDINALS,
            flags: frame::FLAG_GAP,
            ..Self::control(log.id)
        }
    }

    pub(crate) fn is_control(&self) -> bool {
        self.flags & frame::FLAG_CONTROL != 0
    }

    /// Whether both add records to one log.
    pub(crate) fn same_log(a: &Self, b: &Self) -> bool {
        a.id == b.id && !a.is_control() && !b.is_control()
    }

    pub(crate) fn frame_bytes(&self) -> usize {
        frame::padded(HEADER_BYTES + self.body.len())
    }
}

/// What one commit writes.
#[derive(Default)]
pub(crate) struct Gather {
    pub(crate) group: Arc<Group>,
    pub(crate) entries: Vec<Entry>,
    /// Sum of the frames.
    pub(crate) bytes: usize,
    /// The group has its outcome already: no batch may join it.
    answered: bool,
    /// Why its commit failed, when another thread is to go on with it.
    pub(crate) failed: Option<io::Error>,
}

impl Gather {
    /// Whether somebody waits for the sync, however durable appends are.
    pub(crate) fn wants_sync(&self) -> bool {
        // The owner of a removed log forgets it: were its removal lost, it would be nobody's.
        self.entries.iter().any(Entry::is_control)
    }
}

/// What the commit thread waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Waited {
    /// There is something.
    Filled,
    /// Nothing came within the time.
    Idle,
    /// Closed and empty.
    Done,
}

/// See the module.
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Gate,
    bytes_max: usize,
    commit_bytes_max: usize,
}

#[derive(Default)]
struct State {
    gathers: VecDeque<Gather>,
    bytes: usize,
    closed: Option<Error>,
    /// The commit thread sleeps, and nobody told it to wake up.
    asleep: bool,
    /// An emptied list of entries, to save its growth.
    spare: Vec<Entry>,
}

impl Queue {
    pub(crate) fn new(env: &Env, bytes_max: usize, commit_bytes_max: usize) -> Self {
        Self { state: Mutex::default(), filled: env.gate(), bytes_max, commit_bytes_max }
    }

    /// Adds a batch. With an engine `here` the commit thread is not woken for it when it sleeps:
    /// the ticket commits when it is polled, or else tells.
    ///
    /// # Errors
    /// `Unavailable` the queue is full; the closing error once closed.
    pub(crate) fn push(&self, entry: Entry, here: Option<&Arc<Engine>>) -> Result<Ticket> {
        let bytes = entry.frame_bytes();
        let mut state = self.state.lock();
        if let Some(closed) = &state.closed {
            return Err(closed.clone());
        }
        if state.bytes + bytes > self.bytes_max && state.bytes > 0 {
            let message = format!("{} bytes wait for the disk already", state.bytes);
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        state.bytes += bytes;
        let open = |g: &Gather| !g.answered && g.bytes + bytes <= self.commit_bytes_max;
        if !state.gathers.back().is_some_and(open) {
            let entries = std::mem::take(&mut state.spare);
            state.gathers.push_back(Gather { entries, ..Gather::default() });
        }
        let untold = here.filter(|_| state.asleep).cloned();
        let gather = state.gathers.back_mut().expect("one was just made");
        gather.bytes += bytes;
        gather.entries.push(entry);
        let ticket = Ticket::new(&gather.group, untold);
        if here.is_none() && std::mem::take(&mut state.asleep) {
            drop(state);
            self.filled.notify_one();
        }
        Ok(ticket)
    }

    /// Wakes the commit thread if something waits that it was not told of.
    pub(crate) fn tell(&self) {
        let mut state = self.state.lock();
        if !state.gathers.is_empty() && std::mem::take(&mut state.asleep) {
            drop(state);
            self.filled.notify_one();
        }
    }

    /// Waits until there is something, at most for `time` when given.
    pub(crate) fn wait(&self, time: Option<Duration>) -> Waited {
        let mut state = self.state.lock();
        loop {
            if !state.gathers.is_empty() {
                return Waited::Filled;
            }
            if state.closed.is_some() {
                return Waited::Done;
            }
            state.asleep = true;
            let timed_out = match time {
                None => {
                    self.filled.wait(&mut state);
                    false
                }
                Some(time) => self.filled.wait_for(&mut state, time),
            };
            state.asleep = false;
            if timed_out && state.gathers.is_empty() {
                return Waited::Idle;
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn is_asleep(&self) -> bool {
        self.state.lock().asleep
    }

    /// The oldest gather, if there is one and it suits. Only whoever commits may call this: gathers
    /// are written in this order.
    pub(crate) fn pop(&self, suits: impl FnOnce(&Gather) -> bool) -> Option<Gather> {
        let mut state = self.state.lock();
        let gather = state.gathers.pop_front_if(|gather| suits(gather))?;
        state.bytes -= gather.bytes;
        Some(gather)
    }

    /// Puts an answered gather that was popped back in front of all others.
    pub(crate) fn put_back(&self, mut gather: Gather) {
        gather.answered = true;
        let mut state = self.state.lock();
        state.bytes += gather.bytes;
        state.gathers.push_front(gather);
    }

    /// The groups of everything inside, which nobody joins any more; their batches stay.
    pub(crate) fn answer(&self) -> Vec<Arc<Group>> {
        let mut state = self.state.lock();
        let open = state.gathers.iter_mut().filter(|gather| !gather.answered);
        open.map(|gather| {
            gather.answered = true;
            Arc::clone(&gather.group)
        })
        .collect()
    }

    /// Gives an emptied list back for reuse.
    pub(crate) fn give_back(&self, mut entries: Vec<Entry>) {
        entries.clear();
        let mut state = self.state.lock();
        if state.spare.capacity() < entries.capacity() {
            state.spare = entries;
        }
    }

    /// Refuses further batches with `error`; what is inside is still taken. The first close counts.
    pub(crate) fn close(&self, error: Error) {
        self.state.lock().closed.get_or_insert(error);
        self.filled.notify_all();
    }

    /// As `close`, and hands back what was inside.
    pub(crate) fn abort(&self, error: Error) -> Vec<Gather> {
        let mut state = self.state.lock();
        state.closed.get_or_insert(error);
        state.bytes = 0;
        let gathers = state.gathers.drain(..).collect();
        drop(state);
        self.filled.notify_all();
        gathers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::testing::os_env;

    fn entry(bytes: usize) -> Entry {
        Entry { body: Bytes::from(vec![0; bytes - HEADER_BYTES]), ..Entry::control(LogId(1)) }
    }

    fn sizes(queue: &Queue) -> Vec<usize> {
        let mut sizes = Vec::new();
        while let Some(gather) = queue.pop(|_| true) {
            sizes.push(gather.bytes);
        }
        sizes
    }

    #[test]
    fn gathers_keep_to_the_commit_size_unless_one_batch_is_larger() {
        let queue = Queue::new(&os_env(), 10_000, 1000);
        for bytes in [400, 600, 8, 2000, 8].map(|b: usize| b.max(64)) {
            queue.push(entry(bytes), None).map(drop).unwrap();
        }
        assert_eq!(sizes(&queue), [1000, 64, 2000, 64]);
    }

    #[test]
    fn a_full_queue_refuses_and_recovers() {
        let queue = Queue::new(&os_env(), 1000, 500);
        // One batch always fits into an empty queue.
        queue.push(entry(2000), None).map(drop).unwrap();
        let Err(refused) = queue.push(entry(64), None) else { panic!("took more than it holds") };
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        assert_eq!(sizes(&queue), [2000]);
        queue.push(entry(64), None).map(drop).unwrap();
    }

    #[test]
    fn nobody_joins_an_answered_group() {
        let queue = Queue::new(&os_env(), 1000, 500);
        queue.push(entry(64), None).map(drop).unwrap();
        assert_eq!(queue.answer().len(), 1);
        assert_eq!(queue.answer().len(), 0);
        queue.push(entry(64), None).map(drop).unwrap();
        assert_eq!(sizes(&queue), [64, 64]);
    }

    #[test]
    fn a_closed_queue_is_drained_first() {
        let queue = Queue::new(&os_env(), 1000, 500);
        queue.push(entry(64), None).map(drop).unwrap();
        queue.close(Error::new(ErrorKind::Unavailable, "closing"));
        assert!(queue.push(entry(64), None).is_err());
        assert_eq!(sizes(&queue), [64]);
        assert_eq!(queue.wait(None), Waited::Done);
    }
}
