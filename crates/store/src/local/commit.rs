//! Commits: one write and one fdatasync for everything that came meanwhile.
//!
//! ```text
//! queue.pop --> headers + bodies into one aligned buffer --> write --> fdatasync
//!            --> publish to each log's tail --> resolve the group --> evict from the cache
//! ```
//!
//! The commit thread does them, and on a loop that serves one connection the thread that appends
//! (see `wakes`); one at a time, in the order of the queue. No timer: while one commit runs, the
//! next one gathers. Cost per record of 1 KiB: one copy into the buffer, one CRC over 56 bytes, one
//! push onto the tail; per commit one write, one sync, one wake-up of each event loop that waits.
//!
//! A failed write or sync: the waiters fail (outcome unknown), the file is never written again, and
//! the same frames go under a higher incarnation to the start of another file, so that ordinals
//! stay dense and a retry never syncs the same pages. Commits before it were synced and stay where
//! they are. When that fails too the engine is read-only until a restart. All of this is the commit
//! thread's: it may have to wait for another file, which a loop must not.

use super::buffer::Buffer;
use super::cache::Cache;
use super::engine::Engine;
use super::frame::{BLOCK_BYTES, BODY_FLAGS, FLAG_LAST, HEADER_BYTES, Header, padded};
use super::group::{Group, outcome_unknown};
use super::journal::{JournalFile, Position, Wait};
use super::options::{Durability, RELAXED_SYNC_MS};
use super::queue::{Entry, Gather, Waited};
use super::shard::LocalLog;
use super::tail::TailBatch;
use super::wakes::Wakes;
use super::walk::Commit;
use crate::Error;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Commits that may stay unsynced under relaxed durability; a header counts them in 16 bits.
const UNSYNCED_MAX: u64 = 60_000;

/// State of whoever commits.
pub(crate) struct Committer {
    engine: Arc<Engine>,
    file: Arc<JournalFile>,
    /// Where the next commit goes.
    offset: u64,
    /// The next commit's number.
    lsn: u64,
    incarnation: u32,
    synced_lsn: u64,
    /// Monotonic time of the last sync.
    synced_at: Duration,
    buffer: Buffer,
    cache: Cache,
}

/// The commit thread: commits until the queue is closed and empty; where the next commit would go.
pub(crate) fn run(committer: &Mutex<Committer>) -> Position {
    let engine = Arc::clone(&committer.lock().engine);
    loop {
        let unsynced = committer.lock().has_unsynced();
        let waited = engine.queue.wait(unsynced.then(|| Duration::from_millis(RELAXED_SYNC_MS)));
        engine.env.pass();
        let mut committer = committer.lock();
        match waited {
            Waited::Filled => _ = committer.commit_next(true),
            Waited::Idle => {
                let alive = committer.sync_late();
                committer.give_up_unless(alive);
            }
            // A commit in place may have failed since.
            Waited::Done if committer.commit_next(true) => {}
            Waited::Done => {
                committer.sync_late();
                return committer.at();
            }
        }
    }
}

impl Committer {
    /// One that begins the incarnation of `at` there.
    pub(crate) fn new(engine: &Arc<Engine>, file: Arc<JournalFile>, at: Position) -> Self {
        Self {
            engine: Arc::clone(engine),
            file,
            offset: at.offset,
            lsn: at.lsn,
            incarnation: at.incarnation,
            synced_lsn: at.lsn - 1,
            synced_at: engine.env.clock.monotonic(),
            buffer: Buffer::default(),
            cache: Cache::new(engine.options.cache_bytes_max),
        }
    }

    /// Writes a commit before the thread runs, at any place and not yet synced.
    pub(crate) fn rewrite(
        &mut self,
        entries: &[Entry],
        total: usize,
        file: &Arc<JournalFile>,
        at: Position,
    ) -> io::Result<()> {
        self.file = Arc::clone(file);
        (self.offset, self.lsn) = (at.offset, at.lsn);
        self.write(entries, total)
    }

    /// Goes on behind what was rewritten, all of which is durable.
    pub(crate) fn go_on_behind(&mut self, last: &Commit) {
        self.file = Arc::clone(&last.file);
        self.synced_lsn = last.at().lsn;
        self.engine.journal.synced(self.synced_lsn);
        self.lsn = self.synced_lsn + 1;
        self.offset = last.at().offset + last.bytes() as u64;
        self.engine.journal.used(self.offset, self.synced_lsn);
    }

    /// Writes a commit before the thread runs, and makes it durable.
    pub(crate) fn write_synced(&mut self, entries: &[Entry], total: usize) -> io::Result<()> {
        self.write(entries, total)?;
        self.sync(self.lsn)?;
        self.advance(total);
        Ok(())
    }

    /// Writes records of these logs before the thread runs, makes them durable and shows them: an
    /// entry without a body for each.
    pub(crate) fn write_shown(
        &mut self,
        logs: &[Arc<LocalLog>],
        mut entries: Vec<Entry>,
        total: usize,
    ) -> io::Result<()> {
        let mut offset = u32::try_from(self.offset).expect("journal files are below 4 GiB");
        self.write_synced(&entries, total)?;
        for (log, entry) in logs.iter().zip(&mut entries) {
            let mut state = log.state.lock();
            let shown = TailBatch { body: None, ..batch_of(entry, self.file.number, offset) };
            state.publish(shown);
            state.next_ordinal = state.durable_next;
            offset += entry.frame_bytes() as u32;
        }
        Ok(())
    }

    /// Goes on at the start of another file, before the thread runs.
    pub(crate) fn go_to(&mut self, file: Arc<JournalFile>) {
        self.file = file;
        self.offset = 0;
    }

    /// Whether a commit of so many bytes fits behind the last one.
    pub(crate) fn has_room(&self, total: usize) -> bool {
        self.offset + total as u64 <= self.file.bytes
    }

    /// Lets other threads commit too.
    pub(crate) fn share(&self, me: &Arc<Mutex<Self>>) {
        drop(self.engine.committer.set(Arc::downgrade(me)));
    }

    /// Commits the oldest gather; whether there was one. In the commit thread: elsewhere only what
    /// takes one write and one sync, the rest stays in the queue.
    pub(crate) fn commit_next(&mut self, in_thread: bool) -> bool {
        let in_place =
            |g: &Gather| g.failed.is_none() && self.has_room(g.bytes.next_multiple_of(BLOCK_BYTES));
        let Some(gather) = self.engine.queue.pop(|gather| in_thread || in_place(gather)) else {
            return false;
        };
        let _alarm = Alarm(Arc::clone(&self.engine), Arc::clone(&gather.group));
        let alive = self.commit(gather, in_thread);
        self.give_up_unless(alive);
        true
    }

    fn give_up_unless(&self, alive: bool) {
        if !alive {
            self.engine.abort_queue(&Error::new(
                crate::ErrorKind::Unavailable,
                self.engine.trouble().unwrap_or_else(|| "the engine is stopped".to_owned()),
            ));
        }
    }

    fn has_unsynced(&self) -> bool {
        self.synced_lsn + 1 < self.lsn
    }

    /// Where the next commit goes.
    pub(crate) fn at(&self) -> Position {
        let (file, offset, lsn) = (self.file.number, self.offset, self.lsn);
        Position { file, offset, lsn, incarnation: self.incarnation }
    }

    fn commit(&mut self, mut gather: Gather, in_thread: bool) -> bool {
        let engine = Arc::clone(&self.engine);
        let _wait = engine.health.overdue.wait(&*engine.env.clock);
        let total = gather.bytes.next_multiple_of(BLOCK_BYTES);
        if let Some(error) = gather.failed.take() {
            return self.rescue(gather, total, &error);
        }
        if !self.has_room(total) && !self.switch(&gather, total, false) {
            gather.group.resolve(Err(outcome_unknown(&"the engine is stopped")));
            return false;
        }
        let durable_now = self.durable_now() || gather.wants_sync();
        let written = self.write(&gather.entries, total).and_then(|()| match durable_now {
            true => self.sync(self.lsn),
            false => Ok(()),
        });
        match written {
            Ok(()) => {
                self.publish(gather, total);
                true
            }
            Err(e) if in_thread => self.rescue(gather, total, &e),
            Err(e) => {
                // Its waiters need not wait for the thread.
                gather.group.resolve(Err(outcome_unknown(&e)));
                gather.failed = Some(e);
                self.engine.queue.put_back(gather);
                true
            }
        }
    }

    /// Whether this commit must be synced before it counts.
    fn durable_now(&self) -> bool {
        self.engine.options.durability == Durability::Always
            || self.lsn - self.synced_lsn > UNSYNCED_MAX
            || self.engine.env.clock.monotonic().saturating_sub(self.synced_at)
                > Duration::from_millis(RELAXED_SYNC_MS)
    }

    fn sync_late(&mut self) -> bool {
        if self.synced_lsn + 1 == self.lsn || self.engine.health.is_broken() {
            return true;
        }
        if let Err(e) = self.sync(self.lsn - 1) {
            self.break_down(&e);
        }
        !self.engine.health.is_broken()
    }

    /// Goes on in another file; waits for one. On a disk without room those who wait for this
    /// gather are answered meanwhile: its frames are written when there is room, ordinals stay
    /// dense.
    fn switch(&mut self, gather: &Gather, total: usize, abandon: bool) -> bool {
        if !abandon && !self.sync_late() {
            return false;
        }
        let engine = &self.engine;
        let due = self.at();
        let next = engine.journal.switch(total as u64, due, abandon, |wait| match wait {
            Wait::Wanted => engine.keeper.poke(),
            Wait::Stuck(why) => gather.group.resolve(Err(why)),
        });
        let Some(next) = next else { return false };
        self.file = next;
        self.offset = 0;
        true
    }

    /// Fills the buffer with the commit and writes it at the current offset.
    fn write(&mut self, entries: &[Entry], total: usize) -> io::Result<()> {
        let behind = u16::try_from(self.lsn - 1 - self.synced_lsn).unwrap_or(u16::MAX);
        let buffer = self.buffer.take(total);
        let mut at = 0;
        for (n, entry) in entries.iter().enumerate() {
            let last = if n + 1 == entries.len() { FLAG_LAST } else { 0 };
            let header = Header {
                body_crc: entry.body_crc,
                body_bytes: u32::try_from(entry.body.len()).expect("batches are bounded"),
                incarnation: self.incarnation,
                records: entry.records,
                lsn: self.lsn,
                log: entry.id,
                first_ordinal: entry.first_ordinal,
                arrival_ms: entry.arrival_ms,
                flags: entry.flags | last,
                behind,
            };
            let (body_at, end) = (at + HEADER_BYTES, at + HEADER_BYTES + entry.body.len());
            buffer[at..body_at].copy_from_slice(&header.encode(self.engine.salt));
            buffer[body_at..end].copy_from_slice(&entry.body);
            at = padded(end);
            buffer[end..at].fill(0);
        }
        buffer[at..].fill(0);
        self.file.writer.write_at(buffer, self.offset)
    }

    /// Makes everything written durable; `lsn` is the newest of it.
    fn sync(&mut self, lsn: u64) -> io::Result<()> {
        let clock = &self.engine.env.clock;
        let started = clock.monotonic();
        self.file.writer.sync_data()?;
        self.synced_at = clock.monotonic();
        self.engine.metrics.fsync.observe(self.synced_at.saturating_sub(started));
        self.synced_lsn = lsn;
        self.engine.journal.synced(lsn);
        Ok(())
    }

    fn advance(&mut self, total: usize) {
        self.offset += total as u64;
        self.engine.journal.used(self.offset, self.lsn);
        self.lsn += 1;
    }

    /// Shows the commit to readers, then to its waiters.
    fn publish(&mut self, mut gather: Gather, total: usize) {
        let mut offset = u32::try_from(self.offset).expect("journal files are below 4 GiB");
        self.advance(total);
        let mut logs: Vec<(Arc<LocalLog>, u64)> = Vec::new();
        let mut watchers = Wakes::default();
        for run in gather.entries.chunk_by_mut(Entry::same_log) {
            let Some(log) = run[0].log.take() else {
                offset += run.iter().map(Entry::frame_bytes).sum::<usize>() as u32;
                continue;
            };
            if run[0].is_control() {
                // Before the next checkpoint looks: it would name a log whose removal it passes
                // over.
                log.mark_gone();
                offset += run[0].frame_bytes() as u32;
                continue;
            }
            let mut state = log.state.lock();
            for entry in run {
                let frame_bytes = entry.frame_bytes() as u32;
                state.publish(batch_of(entry, self.file.number, offset));
                offset += frame_bytes;
            }
            state.take_watchers(&mut watchers);
            let end = state.durable_next;
            let spill = state.tail.unspilled_bytes() >= self.engine.options.spill_bytes
                && !std::mem::replace(&mut state.spill_queued, true);
            drop(state);
            if spill {
                self.engine.keeper.spill(Arc::clone(&log));
            }
            logs.push((log, end));
        }
        gather.group.resolve(Ok(()));
        watchers.wake();
        let size = (gather.entries.len(), gather.bytes);
        self.cache.add(logs, size, &self.engine.keeper);
        self.buffer.shrink_above(2 * self.engine.options.commit_bytes_max);
        self.engine.queue.give_back(gather.entries);
    }

    /// See the module: what happens after a failed write or sync.
    fn rescue(&mut self, gather: Gather, total: usize, error: &io::Error) -> bool {
        let (path, offset) = (self.file.path.display(), self.offset);
        tracing::error!(%error, file = %path, offset, "a commit failed: going on in another file");
        gather.group.resolve(Err(outcome_unknown(error)));
        if self.engine.options.durability == Durability::Relaxed {
            self.break_down(error);
            return false;
        }
        self.incarnation += 1;
        if !self.switch(&gather, total, true) {
            return false;
        }
        match self.write(&gather.entries, total).and_then(|()| self.sync(self.lsn)) {
            Ok(()) => {
                self.publish(gather, total);
                true
            }
            Err(again) => {
                self.break_down(&again);
                false
            }
        }
    }

    fn break_down(&self, error: &io::Error) {
        let why = format!("cannot write `{}`: {error}", self.file.path.display());
        tracing::error!(reason = %why, "the engine is read-only");
        self.engine.break_down(&why);
    }
}

/// A commit that ends in a panic leaves nobody who knows what was written: nothing may follow it.
struct Alarm(Arc<Engine>, Arc<Group>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(engine, group) = self;
            group.resolve(Err(engine.break_down("a commit ended in a panic")));
        }
    }
}

fn batch_of(entry: &mut Entry, file: u32, offset: u32) -> TailBatch {
    TailBatch {
        first_ordinal: entry.first_ordinal,
        arrival_ms: entry.arrival_ms,
        records: entry.records,
        body_crc: entry.body_crc,
        body_bytes: u32::try_from(entry.body.len()).expect("batches are bounded"),
        flags: entry.flags & BODY_FLAGS,
        body: Some(std::mem::take(&mut entry.body)),
        file,
        offset,
    }
}
