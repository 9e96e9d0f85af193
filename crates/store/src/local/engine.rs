//! What the threads and the logs of one engine share.

use super::clock::ClockFile;
use super::commit::Committer;
use super::frame::Salt;
use super::health::Health;
use super::journal::{Journal, failed};
use super::keeper::Keeper;
use super::metrics::Metrics;
use super::open_files::OpenFiles;
use super::options::{Durability, Options};
use super::pool::Pool;
use super::queue::Queue;
use super::recovery::give_up;
use super::segment::dir_of;
use super::shard::LocalLog;
use super::spare::Spare;
use super::unsynced::Unsynced;
use super::wakes;
use crate::{Error, ErrorKind, LogId, Result};
use base::Env;
use base::env::ClockGuard;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// See the module.
pub(crate) struct Engine {
    pub(crate) env: Env,
    pub(crate) options: Options,
    pub(crate) salt: Salt,
    pub(crate) journal_dir: PathBuf,
    pub(crate) segments_dir: PathBuf,
    pub(crate) unsynced: Unsynced,
    pub(crate) journal: Journal,
    pub(crate) queue: Queue,
    /// Whoever holds it commits. It ends with the commit thread.
    pub(crate) committer: OnceLock<Weak<Mutex<Committer>>>,
    pub(crate) keeper: Keeper,
    pub(crate) logs: Mutex<BTreeMap<LogId, Arc<LocalLog>>>,
    /// Logs that have segments though neither the journal nor the checkpoint knows them.
    pub(crate) strays: Mutex<BTreeSet<LogId>>,
    /// Acknowledged records were lost, perhaps all of a log: one that is unknown may be such a one.
    pub(crate) may_lack_logs: AtomicBool,
    pub(crate) open_files: OpenFiles,
    pub(crate) spare: Arc<Spare>,
    /// Reads.
    pub(crate) pool: Pool,
    /// What takes long, such as removing files: it must not stand before reads.
    pub(crate) chores: Pool,
    pub(crate) health: Health,
    pub(crate) guard: Arc<ClockGuard>,
    pub(crate) clock: Mutex<ClockFile>,
    pub(crate) metrics: Metrics,
    pub(crate) closed: AtomicBool,
}

/// Chores that wait; more are refused, and asked for again.
const CHORES_QUEUED_MAX: usize = 64;

/// Name of the segments' directory, beside the journal's.
pub(crate) const SEGMENTS: &str = "segments";

/// Where the journal of a data directory lies.
pub(crate) fn journal_dir(dir: &Path) -> PathBuf {
    dir.join(crate::data_dir::RECORDS)
}

/// Where the segments of a data directory lie.
pub(crate) fn segments_dir(dir: &Path) -> PathBuf {
    dir.join(SEGMENTS)
}

impl Engine {
    pub(crate) fn new(
        env: &Env,
        dir: &Path,
        options: Options,
        journal: Journal,
        salt: Salt,
    ) -> Result<Self> {
        let segments_dir = segments_dir(dir);
        let guard = ClockGuard::new(Arc::clone(&env.clock));
        let (clock, known) = ClockFile::load(env, dir);
        known.into_iter().for_each(|known| guard.recall(known));
        let file_system = env.disk.file_system(&segments_dir);
        let file_system = file_system.map_err(|e| failed("open", &segments_dir, &e))?;
        Ok(Self {
            env: env.clone(),
            salt,
            journal_dir: journal_dir(dir),
            unsynced: Unsynced::new(file_system, options.unsynced_files_max()),
            segments_dir,
            journal,
            queue: Queue::new(env, options.queue_bytes_max, options.commit_bytes_max),
            committer: OnceLock::new(),
            keeper: Keeper::new(env),
            logs: Mutex::default(),
            strays: Mutex::default(),
            may_lack_logs: AtomicBool::new(false),
            open_files: OpenFiles::new(options.open_segments_max),
            spare: Arc::default(),
            pool: Pool::new(env, "log-read", options.readers, options.reads_queued_max),
            chores: Pool::new(env, "log-chore", 1, CHORES_QUEUED_MAX),
            health: Health::default(),
            guard: Arc::new(guard),
            clock: Mutex::new(clock),
            metrics: Metrics::of(&options.metrics),
            closed: AtomicBool::new(false),
            options,
        })
    }

    /// Whether an append may be committed by the thread that calls this.
    pub(crate) fn may_commit_here(&self) -> bool {
        // What is not synced at once needs the commit thread awake.
        self.options.durability == Durability::Always && wakes::may_block()
    }

    /// Commits what waits on this thread, unless another one commits already or more than a write
    /// and a sync is needed; then the commit thread does it.
    pub(crate) fn commit_here(&self) {
        let committer = self.committer.get().and_then(Weak::upgrade);
        if let Some(mut committer) = committer.as_ref().and_then(|c| c.try_lock()) {
            wakes::block(|| _ = committer.commit_next(false));
        }
        self.queue.tell();
    }

    /// Refuses to make a log that has segments already: its owner knows it, and the journal has
    /// lost it. After a loss that was given up they go.
    ///
    /// # Errors
    /// `Corrupt` naming the directory; `Unavailable` the disk refused.
    pub(crate) fn refuse_stray(&self, id: LogId) -> Result<()> {
        let mut strays = self.strays.lock();
        if !strays.contains(&id) {
            return Ok(());
        }
        let dir = dir_of(&self.segments_dir, id);
        if !self.may_lack_logs.load(Ordering::Relaxed) {
            let message = format!(
                "`{}` holds records of log {}, of which the journal knows nothing: acknowledged \
                 records are lost",
                dir.display(),
                id.0
            );
            give_up(self, Error::new(ErrorKind::Corrupt, message))?;
            self.may_lack_logs.store(true, Ordering::Relaxed);
        }
        let removed = self.env.disk.remove_dir_all(&dir);
        removed.map_err(|e| failed("remove", &dir, &e))?;
        strays.remove(&id);
        Ok(())
    }

    /// Why nothing can be written, if so.
    pub(crate) fn trouble(&self) -> Option<String> {
        let closed =
            || self.closed.load(Ordering::Relaxed).then(|| "the engine is closed".to_owned());
        self.health.trouble().or_else(closed)
    }

    /// Makes the engine read-only until a restart.
    pub(crate) fn break_down(&self, why: &str) -> Error {
        let error = self.health.break_down(why);
        self.abort_queue(&error);
        // A commit that was under way must not wait for a file that nobody makes any more.
        self.journal.stop();
        error
    }

    /// Answers what waits for a commit that will not come soon; the batches stay queued.
    pub(crate) fn answer_waiting(&self, error: &Error) {
        self.journal.set_stuck(error.clone());
        for group in self.queue.answer() {
            group.resolve(Err(error.clone()));
        }
        self.wake_sealers();
    }

    /// Fails what waits for a commit and everything that comes later.
    pub(crate) fn abort_queue(&self, error: &Error) {
        for gather in self.queue.abort(error.clone()) {
            gather.group.resolve(Err(error.clone()));
        }
        self.wake_sealers();
    }

    /// Lets those who wait for a seal hear that it will not come soon.
    fn wake_sealers(&self) {
        let logs: Vec<_> = self.logs.lock().values().cloned().collect();
        for log in logs {
            log.wake_watchers(|_| ());
        }
    }
}
