//! The local engine: logs on the disks of this machine.
//!
//! ```text
//!   append --> queue --> commit: write + fdatasync --> tail in memory --> readers at the tip
//!                              |                                  |
//!                        journal/NNNN.journal             keeper thread: spill
//!                        shared by all logs,                      v
//!                        zero-written, recycled     segments/xx/<log>/*.seg --> readers behind
//! ```
//!
//! Invariants: an append resolves after its commit's fdatasync; readers see durable records only; a
//! 4 KiB block that holds acknowledged bytes is never written again before a checkpoint vouches for
//! its records elsewhere; a journal file is recycled only after a sync of the segments
//! (`unsynced`) and two copies of a checkpoint; nothing is deleted because something cannot be
//! read.

pub(crate) mod ballast;
mod buffer;
mod cache;
mod checkpoint;
mod clock;
mod commit;
mod engine;
mod frame;
mod group;
mod health;
mod index;
mod journal;
mod keeper;
mod key_ring;
mod metrics;
mod open_files;
pub mod options;
mod pool;
mod present;
mod queue;
mod reader;
mod recovery;
mod remains;
mod restart;
mod retention;
mod roster;
mod salvage;
mod scan;
mod segment;
mod shard;
mod spare;
mod spill;
mod tail;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod unspill;
mod unsynced;
mod verify;
mod wakes;
mod walk;

pub(crate) use group::Ticket;
pub use key_ring::{KEY_BYTES, KeyRing};
pub use options::{Durability, LowSpaceHook, Options};
pub use recovery::Recovery;
pub use verify::{Progress, Report, verify};
pub use wakes::{LoopThread, relay};

use crate::data_dir::{self, DataDir};
use crate::{Error, ErrorKind, Job, Log, LogId, Logs, Result};
use base::Env;
use base::env::{ClockGuard, Thread};
use engine::Engine;
use journal::{Journal, Position, failed};
use keeper::Keeping;
use parking_lot::Mutex;
use queue::Entry;
use shard::{LocalLog, State};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A [`Logs`] on local disks.
///
/// Dropping it without `close` is like a crash: what was acknowledged is there at the next start.
pub struct Local {
    engine: Arc<Engine>,
    threads: Arc<Mutex<Option<Threads>>>,
    // Behind the threads: the lock is given up when nothing writes any more.
    _directory: Arc<DataDir>,
}

struct Threads {
    commit: Thread<Position>,
    keeper: Thread<Keeping>,
}

impl Local {
    /// Opens the logs of a data directory that nothing else of this process uses.
    ///
    /// # Errors
    /// As [`data_dir::open`] and [`Local::open_in`].
    pub fn open(dir: &Path, env: &Env, options: Options) -> Result<(Arc<Self>, Recovery)> {
        Self::open_in(&data_dir::open(dir, env)?, options)
    }

    /// Opens the logs of an open data directory, making them in a new one.
    ///
    /// # Errors
    /// `Corrupt` naming file and offset: the journal or checkpoint is damaged, or all segments of a
    /// log are missing; `Full`, `Unavailable` the disk refused; `Invalid` sizes that files cannot
    /// have.
    pub fn open_in(
        directory: &Arc<DataDir>,
        mut options: Options,
    ) -> Result<(Arc<Self>, Recovery)> {
        let (dir, env) = (directory.path(), directory.env());
        let started = env.clock.monotonic();
        options.check()?;
        options.journal_files_max =
            options.journal_files_max.clamp(3, options::JOURNAL_FILES_LIMIT);
        for part in [engine::journal_dir(dir), engine::segments_dir(dir)] {
            let made = env.disk.create_dir_all(&part).and_then(|()| env.disk.sync_dir(dir));
            made.map_err(|e| failed("make", &part, &e))?;
        }
        let journal_dir = engine::journal_dir(dir);
        options.fit(env.disk.space(dir).map_err(|e| failed("read the room of", dir, &e))?);
        let journal = Journal::new(env, journal_dir.clone(), options.direct);
        let mut found = recovery::find(env, &journal_dir, journal, options.journal_first_bytes)?;
        let salt = found.checkpoint.salt;
        let engine = Arc::new(Engine::new(env, dir, options, found.take_journal(), salt)?);
        let (committer, keeping, recovery) = found.resume(&engine)?;
        engine.clock.lock().save(&engine.guard);
        let took = env.clock.monotonic().saturating_sub(started);
        engine.metrics.recovery.set_time(took);
        let threads =
            start(env, committer, keeping).map_err(|e| failed("start a thread in", dir, &e))?;
        let local = Self {
            engine,
            threads: Arc::new(Mutex::new(Some(threads))),
            _directory: Arc::clone(directory),
        };
        Ok((Arc::new(local), Recovery { took, ..recovery }))
    }

    /// Whether an open data directory has logs, or had some.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable` the checkpoint cannot be read.
    pub fn is_in(directory: &DataDir) -> Result<bool> {
        let journal_dir = engine::journal_dir(directory.path());
        Ok(checkpoint::Checkpoint::load(directory.env(), &journal_dir)?.is_some())
    }

    /// The keys of encrypted logs; more may be added at any time.
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.engine.options.keys
    }
}

impl Local {
    /// Nothing is waited for: what is known of every log is in memory since the start.
    fn open_log(&self, id: LogId) -> Result<Arc<LocalLog>> {
        shard::check_id(id)?;
        if self.engine.closed.load(Ordering::Relaxed) {
            return Err(closed());
        }
        let mut logs = self.engine.logs.lock();
        if let Some(log) = logs.get(&id) {
            return Ok(Arc::clone(log));
        }
        self.engine.refuse_stray(id)?;
        let segments = segment::Segments::default();
        let log = LocalLog::new(&self.engine, id, State::default(), segments);
        if self.engine.may_lack_logs.load(Ordering::Relaxed) {
            // It may have had records that were lost whole.
            log.begin_behind_gap()?;
        }
        logs.insert(id, Arc::clone(&log));
        Ok(log)
    }
}

fn start(env: &Env, committer: commit::Committer, keeping: Keeping) -> std::io::Result<Threads> {
    let committer = Arc::new(Mutex::new(committer));
    committer.lock().share(&committer);
    let commit = env.spawn("log-commit".to_owned(), move || commit::run(&committer))?;
    let keeper = env.spawn("log-keep".to_owned(), move || keeping.run())?;
    Ok(Threads { commit, keeper })
}

impl Logs for Local {
    fn open(&self, id: LogId) -> Job<'_, Arc<dyn Log>> {
        let opened = self.open_log(id).map(|log| log as Arc<dyn Log>);
        Box::pin(std::future::ready(opened))
    }

    fn remove(&self, ids: &[LogId]) -> Job<'_, ()> {
        let ids = ids.to_vec();
        Box::pin(async move {
            let engine = Arc::clone(&self.engine);
            let (mut logs, mut written) = (Vec::with_capacity(ids.len()), Vec::new());
            for id in ids {
                shard::check_id(id)?;
                let known = engine.logs.lock().get(&id).cloned();
                let is_known = known.is_some();
                let log = known.unwrap_or_else(|| {
                    LocalLog::new(&engine, id, State::default(), segment::Segments::default())
                });
                log.mark_removed();
                engine.strays.lock().remove(&id);
                if is_known {
                    let removal = Entry { log: Some(Arc::clone(&log)), ..Entry::control(id) };
                    written.push((id, engine.queue.push(removal, None)?));
                }
                logs.push(log);
            }
            // All on their way: one commit carries them.
            for (id, ticket) in written {
                ticket.await?;
                engine.logs.lock().remove(&id);
            }
            self.engine.chores.run(move || retention::remove_files(&engine, &logs)).await
        })
    }

    fn written(&self) -> Vec<LogId> {
        let logs = self.engine.logs.lock();
        // A gap at the beginning has no time, and nothing that anybody could lose.
        let written = logs.values().filter(|log| log.state.lock().last_arrival_ms > 0);
        written.map(|log| log.id).collect()
    }

    fn close(&self) -> Job<'_, ()> {
        self.engine.closed.store(true, Ordering::Relaxed);
        self.engine.queue.close(closed());
        let (engine, threads) = (Arc::clone(&self.engine), Arc::clone(&self.threads));
        Box::pin(self.engine.pool.run(move || finish(&engine, &threads)))
    }

    fn clock(&self) -> &Arc<ClockGuard> {
        &self.engine.guard
    }

    fn trouble(&self) -> Option<String> {
        let engine = &self.engine;
        let overdue = || engine.health.overdue.trouble(&*engine.env.clock, "a commit of records");
        engine.trouble().or_else(overdue)
    }
}

/// Ends the threads after what is accepted, and writes a clean checkpoint.
fn finish(engine: &Engine, threads: &Mutex<Option<Threads>>) -> Result<()> {
    // Held to the end: a second close returns when the first one has finished.
    let mut threads = threads.lock();
    let Some(Threads { commit, keeper }) = threads.take() else { return Ok(()) };
    let broken = |_| Error::new(ErrorKind::Internal, "a thread of the engine panicked");
    let end = commit.join().map_err(broken)?;
    engine.keeper.stop();
    engine.journal.stop();
    let mut keeping = keeper.join().map_err(broken)?;
    engine.clock.lock().save(&engine.guard);
    match engine.health.is_broken() {
        true => Err(Error::new(ErrorKind::Unavailable, engine.trouble().unwrap_or_default())),
        false => {
            keeping.checkpoint(Some(end))?;
            let noted = engine.journal.note_complete();
            noted.map_err(|e| failed("write", &engine.journal_dir, &e))
        }
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Unavailable, "the engine is closed")
}

impl Drop for Local {
    fn drop(&mut self) {
        let engine = &self.engine;
        engine.closed.store(true, Ordering::Relaxed);
        engine.abort_queue(&closed());
        engine.journal.stop();
        engine.keeper.stop();
        if let Some(Threads { commit, keeper }) = self.threads.lock().take() {
            drop(commit.join());
            drop(keeper.join());
        }
        engine.pool.stop();
        engine.chores.stop();
        // Logs hold the engine and the engine its logs: cut the circle.
        engine.logs.lock().clear();
        engine.keeper.forget();
    }
}
