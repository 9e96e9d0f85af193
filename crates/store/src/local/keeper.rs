//! The keeper thread: spills, checkpoints, recycles, grows the journal, watches the disk's room.
//!
//! ```text
//! asked, or every second --> vouch for what was synced --> room? --> spill logs that asked
//!   --> checkpoint due? spill what old journal files alone hold --> sync --> checkpoint
//!                       --> recycle the files, remove dead segments
//!   --> else a journal file wanted? make it
//! ```
//!
//! Disk-full errors are retried every second, other spill errors too: the journal still has the
//! records. How segments are synced: `unsynced`; what follows a failure: `unspill`.

use super::ballast::Ballast;
use super::buffer::Buffer;
use super::checkpoint::{Checkpoint, Row};
use super::engine::Engine;
use super::journal::{Position, failed};
use super::shard::LocalLog;
use crate::{Error, ErrorKind, Result};
use base::Env;
use base::env::Gate;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Time between two looks at what nobody asks for, such as how far the journal is durable.
const TICK: Duration = Duration::from_secs(1);
/// Time after which removing dead segments is worth a checkpoint of its own, and after which a
/// checkpoint is preferred to another journal file.
const CALM: Duration = Duration::from_secs(10);
/// Room of the spill buffer that is kept from tick to tick.
const BUFFER_KEPT_BYTES: usize = 1 << 20;
/// Tries to write a segment that a checkpoint needs.
const SPILL_TRIES: usize = 3;
/// Ticks between two tries to make a journal file that failed.
const GROW_RETRY_TICKS: u32 = 30;

/// How the keeper is asked.
pub(crate) struct Keeper {
    asked: Mutex<Asked>,
    changed: Gate,
    doubt: Mutex<Doubt>,
    synced: Gate,
}

/// Whether segments say what was written: see `unspill`.
#[derive(Default)]
struct Doubt {
    syncing: bool,
    /// Counts begins and ends: odd while segments are being taken back.
    taken_back: u64,
}

#[derive(Default)]
struct Asked {
    spill: Vec<Arc<LocalLog>>,
    retire: Vec<Arc<LocalLog>>,
    poked: bool,
    stop: bool,
}

impl Keeper {
    pub(crate) fn new(env: &Env) -> Self {
        let (asked, doubt) = (Mutex::default(), Mutex::default());
        Self { asked, changed: env.gate(), doubt, synced: env.gate() }
    }

    /// Asks for a spill; the log's flag keeps it from asking twice.
    pub(crate) fn spill(&self, log: Arc<LocalLog>) {
        self.asked.lock().spill.push(log);
        self.changed.notify_one();
    }

    /// Asks for the removal of dead segments, some time.
    pub(crate) fn retire(&self, log: Arc<LocalLog>) {
        let mut asked = self.asked.lock();
        if !asked.retire.iter().any(|queued| Arc::ptr_eq(queued, &log)) {
            asked.retire.push(log);
        }
        self.changed.notify_one();
    }

    /// Asks for a look at the journal.
    pub(crate) fn poke(&self) {
        self.asked.lock().poked = true;
        self.changed.notify_one();
    }

    /// How often segments were taken back so far; to be asked before it is decided to read one.
    pub(crate) fn doubts(&self) -> u64 {
        self.doubt.lock().taken_back
    }

    /// Whether no segment was being taken back since `doubts` said `since`.
    pub(crate) fn is_certain(&self, since: u64) -> bool {
        since.is_multiple_of(2) && self.doubts() == since
    }

    /// Whether what was read of segments since `doubts` said `since` may be wrong because a sync of
    /// them failed; waits until that is known. Then it is in the journal, or in other segments.
    pub(crate) fn was_in_doubt(&self, since: u64) -> bool {
        let mut doubt = self.doubt.lock();
        let waited = doubt.syncing;
        while doubt.syncing {
            self.synced.wait(&mut doubt);
        }
        waited || doubt.taken_back != since
    }

    fn set_syncing(&self, syncing: bool) {
        self.doubt.lock().syncing = syncing;
        self.synced.notify_all();
    }

    fn note_taking_back(&self) {
        self.doubt.lock().taken_back += 1;
    }

    /// Ends the thread after what it does now.
    pub(crate) fn stop(&self) {
        self.asked.lock().stop = true;
        self.changed.notify_one();
    }

    /// Drops what was asked and not done.
    pub(crate) fn forget(&self) {
        let asked = std::mem::take(&mut *self.asked.lock());
        drop(asked);
    }

    /// Logs to spill, and whether nobody asked for a tick; None when the thread is to end.
    fn wait(&self) -> Option<(Vec<Arc<LocalLog>>, bool)> {
        let mut asked = self.asked.lock();
        let mut quiet = false;
        if asked.spill.is_empty() && !asked.poked && !asked.stop {
            quiet = self.changed.wait_for(&mut asked, TICK);
        }
        asked.poked = false;
        (!asked.stop).then(|| (std::mem::take(&mut asked.spill), quiet))
    }
}

/// State of the thread.
pub(crate) struct Keeping {
    engine: Arc<Engine>,
    /// The newest one whose segments are durable.
    checkpoint: Checkpoint,
    checkpointed_at: Option<Duration>,
    buffer: Buffer,
    /// Logs whose spill failed.
    again: Vec<Arc<LocalLog>>,
    ticked_at: Duration,
    grow_pause_ticks: u32,
    no_room: Option<String>,
    low_space: bool,
    ballast: Ballast,
}

impl Keeping {
    pub(crate) fn new(engine: &Arc<Engine>, checkpoint: Checkpoint) -> Self {
        let first_bytes = engine.options.journal_first_bytes;
        Self {
            ballast: Ballast::new(&engine.env, &engine.journal_dir, first_bytes),
            engine: Arc::clone(engine),
            checkpoint,
            checkpointed_at: None,
            buffer: Buffer::default(),
            again: Vec::new(),
            ticked_at: engine.env.clock.monotonic(),
            grow_pause_ticks: 0,
            no_room: None,
            low_space: false,
        }
    }

    /// Keeps until it is stopped.
    pub(crate) fn run(mut self) -> Self {
        let _alarm = Alarm(Arc::clone(&self.engine));
        while let Some((mut spill, quiet)) = self.engine.keeper.wait() {
            self.engine.env.pass();
            let now = self.engine.env.clock.monotonic();
            if quiet || now.saturating_sub(self.ticked_at) >= TICK {
                self.ticked_at = now;
                self.grow_pause_ticks = self.grow_pause_ticks.saturating_sub(1);
                spill.append(&mut self.again);
                self.vouch();
                self.engine.spare.shrink();
                self.buffer.shrink_above(BUFFER_KEPT_BYTES);
            }
            self.watch_room();
            for log in spill {
                self.spill(log);
                if self.engine.unsynced.is_much() {
                    self.keep_journal();
                }
            }
            self.keep_journal();
            self.keep_ballast();
            self.engine.clock.lock().keep(&self.engine.guard);
            self.engine.metrics.wal_bytes.set(self.engine.journal.live_bytes());
        }
        self
    }

    /// Lets the next start know which commits were durable: damaged, the last one would pass for
    /// one that was never whole.
    fn vouch(&self) {
        if self.engine.health.is_broken() {
            return;
        }
        if let Err(e) = self.engine.journal.note_durable() {
            tracing::warn!(error = %e, "the roster stays as it is: trying again");
        }
    }

    fn spill(&mut self, log: Arc<LocalLog>) {
        if self.engine.health.is_broken() {
            return;
        }
        match log.spill(&mut self.buffer) {
            Ok(()) => self.no_room = None,
            Err(e) => {
                self.note(&e, "cannot move records to a segment: trying again");
                // Keeps the log from asking meanwhile.
                log.state.lock().spill_queued = true;
                self.again.push(log);
            }
        }
    }

    /// Spills what a checkpoint needs. Each try after a failed write starts another file.
    fn spill_now(&mut self, log: &Arc<LocalLog>) -> Result<()> {
        let mut spilled = log.spill(&mut self.buffer);
        for _ in 1..SPILL_TRIES {
            match &spilled {
                Err(e) if e.kind() == ErrorKind::Unavailable => {
                    tracing::error!(error = %e, "cannot write a segment: starting another");
                }
                _ => break,
            }
            spilled = log.spill(&mut self.buffer);
        }
        spilled
    }

    fn note(&mut self, e: &Error, what: &'static str) {
        if e.kind() == ErrorKind::Full && self.no_room.is_none() {
            self.no_room = Some(format!("the disk has no room: {e}"));
        }
        tracing::error!(error = %e, "{what}");
    }

    fn watch_room(&mut self) {
        let engine = &self.engine;
        let Ok(space) = engine.env.disk.space(&engine.segments_dir) else { return };
        engine.metrics.disk_free.set(space.free_bytes);
        let used = space.total_bytes.saturating_sub(space.free_bytes).saturating_mul(100);
        let percent = used.checked_div(space.total_bytes).unwrap_or(100);
        self.low_space = percent >= engine.options.low_space_percent;
        let full = (percent >= engine.options.no_space_percent)
            .then(|| format!("the disk is {percent} % full"));
        engine.health.set_full(full.or_else(|| self.no_room.clone()));
        if self.low_space
            && let Some(hook) = &engine.options.low_space_hook
        {
            (hook.0)(space);
        }
    }

    fn keep_journal(&mut self) {
        let engine = Arc::clone(&self.engine);
        if engine.health.is_broken() {
            return;
        }
        let now = engine.env.clock.monotonic();
        let calm = self.checkpointed_at.is_none_or(|at| now.saturating_sub(at) >= CALM);
        let retire = (calm || self.low_space) && !engine.keeper.asked.lock().retire.is_empty();
        let mut kept = Ok(());
        let much = engine.unsynced.is_much();
        if much || retire || engine.journal.wants_checkpoint(calm && self.checkpointed_at.is_some())
        {
            kept = self.checkpoint(None);
            self.checkpointed_at = Some(now);
        }
        if let Err(e) = kept.and_then(|()| self.grow()) {
            self.note(&e, "cannot recycle or extend the journal: trying again");
            self.tell_waiting(&e);
        }
    }

    /// A commit that waits for a journal file must not leave its writers without an answer: a full
    /// disk may get room again, after any other failure the engine is read-only.
    fn tell_waiting(&self, e: &Error) {
        let engine = &self.engine;
        if !engine.journal.is_waited_for() {
            return;
        }
        if e.kind() == ErrorKind::Full {
            engine.health.set_full(self.no_room.clone());
            let message = format!("no room for the journal, the outcome is unknown: {e}");
            engine.answer_waiting(&Error::new(ErrorKind::Full, message));
        } else {
            engine.break_down(&format!("the journal has no file left: {e}"));
        }
    }

    /// Makes another journal file when one is wanted.
    ///
    /// # Errors
    /// `Full`, `Unavailable`: the commit thread waits for it. While it does not, what the journal
    /// has takes what comes, and a disk without room for more of it is no reason to refuse that.
    fn grow(&mut self) -> Result<()> {
        let engine = Arc::clone(&self.engine);
        let sizes = engine.options.journal_sizes(engine.env.disk.space(&engine.journal_dir).ok());
        let Some(bytes) = engine.journal.wants_file(sizes) else {
            return Ok(());
        };
        if self.grow_pause_ticks > 0 && !engine.journal.is_waited_for() {
            return Ok(());
        }
        self.checkpointed_at.get_or_insert(engine.env.clock.monotonic());
        if let Err(e) = engine.journal.make(bytes) {
            self.grow_pause_ticks = GROW_RETRY_TICKS;
            let error = failed("extend", &engine.journal_dir, &e);
            if engine.journal.is_waited_for() {
                return Err(error);
            }
            tracing::warn!(%error, "the journal stays as large as it is: trying again");
            return Ok(());
        }
        self.no_room = None;
        // Perhaps another one.
        engine.keeper.poke();
        Ok(())
    }

    /// Makes what the journal alone holds durable in segments and frees it. `clean`: the end of the
    /// journal when no commit follows any more; then everything is spilled.
    ///
    /// # Errors
    /// `Full`, `Unavailable`: nothing was freed, or it was and is not written down yet.
    pub(crate) fn checkpoint(&mut self, clean: Option<Position>) -> Result<()> {
        let engine = Arc::clone(&self.engine);
        let tried = self.try_twice(clean);
        engine.keeper.set_syncing(false);
        let (next, full) = tried?;
        // Before it is saved, as a failed save may have left one copy: what it vouches for is
        // synced and must not be taken back any more.
        self.checkpoint = next;
        self.save()?;
        let files_max = engine.options.journal_files_max;
        let released = engine.journal.release(&full, files_max);
        released.map_err(|e| failed("recycle", &engine.journal_dir, &e))?;
        self.remove_dead();
        Ok(())
    }

    /// Writes the checkpoint down; on a full disk in the room kept for that.
    fn save(&mut self) -> Result<()> {
        let (engine, checkpoint) = (&self.engine, &self.checkpoint);
        self.ballast.make_room(|| {
            let saved = checkpoint.save(&engine.env, &engine.journal_dir);
            saved.map_err(|e| failed("write", &engine.journal_dir.join("checkpoint"), &e))
        })
    }

    fn keep_ballast(&mut self) {
        if self.low_space || self.no_room.is_some() || self.engine.health.is_broken() {
            return;
        }
        if let Err(e) = self.ballast.keep() {
            tracing::debug!(error = %e, "no room is kept for a full disk");
        }
    }

    fn try_twice(&mut self, clean: Option<Position>) -> Result<(Checkpoint, Vec<u32>)> {
        let engine = Arc::clone(&self.engine);
        let e = match self.try_checkpoint(clean)? {
            Ok(made) => return Ok(made),
            Err(e) => e,
        };
        tracing::error!(error = %e, "segments could not be synced: writing what is in doubt anew");
        self.take_back()?;
        self.try_checkpoint(clean)?.or_else(|again| {
            // Readers find in the journal what the segments may have lost.
            self.take_back()?;
            let why = failed("sync", &engine.segments_dir, &again).to_string();
            Err(engine.break_down(&why))
        })
    }

    /// Makes the logs forget what a failed sync of their segments may have lost.
    ///
    /// # Errors
    /// The engine is read-only: a later sync would succeed without having saved what is in doubt.
    fn take_back(&self) -> Result<()> {
        let engine = &self.engine;
        engine.keeper.note_taking_back();
        let taken_back = engine.unspill(&self.checkpoint);
        engine.keeper.note_taking_back();
        taken_back.map_err(|e| engine.break_down(&format!("segments may lack what they show: {e}")))
    }

    /// Spills what must be and syncs it: the checkpoint that says so, not yet written, and the
    /// journal files that it frees. The inner error is that of the sync.
    fn try_checkpoint(
        &mut self,
        clean: Option<Position>,
    ) -> Result<std::io::Result<(Checkpoint, Vec<u32>)>> {
        let engine = Arc::clone(&self.engine);
        let (mut start, mut full) = engine.journal.snapshot();
        let mut logs: Vec<_> = engine.logs.lock().values().cloned().collect();
        logs.sort_by_key(|log| log.id);
        let mut fits = true;
        for log in &logs {
            let oldest = log.state.lock().tail.unspilled().next().map(|b| b.file);
            if !log.segments.lock().orphans.is_empty() {
                let _spilling = log.spilling.lock();
                log.remove_orphans()?;
            }
            if !oldest.is_some_and(|file| clean.is_some() || full.contains(&file)) {
                continue;
            }
            match self.spill_now(log) {
                // What was trimmed must be removable on a full disk: without moving the position.
                Err(e) if e.kind() == ErrorKind::Full && clean.is_none() => {
                    self.note(&e, "cannot move records to a segment: trying again");
                    (start, full) = (self.checkpoint.at, Vec::new());
                    fits = false;
                    self.tell_waiting(&e);
                }
                spilled => spilled?,
            }
            if engine.unsynced.is_much() {
                if let Err(e) = engine.sync_segments() {
                    return Ok(Err(e));
                }
                engine.keeper.set_syncing(false);
            }
        }
        if fits {
            self.no_room = None;
        }
        let rows = logs.iter().filter_map(row_of).collect();
        let synced = engine.sync_segments();
        let next = Checkpoint {
            sequence: self.checkpoint.sequence + 1,
            salt: engine.salt,
            clean: clean.is_some(),
            at: clean.unwrap_or(start),
            rows,
        };
        Ok(synced.map(|()| (next, full)))
    }

    /// Removes the segments of which the checkpoint that was just made says that they are trimmed.
    fn remove_dead(&self) {
        let rows = &self.checkpoint.rows;
        let retired = std::mem::take(&mut self.engine.keeper.asked.lock().retire);
        for log in retired {
            let Ok(at) = rows.binary_search_by_key(&log.id, |row| row.id) else { continue };
            let first_ordinal = rows[at].first_ordinal;
            let removed = log.remove_below(first_ordinal);
            if let Err(e) = &removed {
                tracing::warn!(log = log.id.0, error = %e, "cannot remove a trimmed segment");
            }
            // Trimmed once more while the checkpoint was made, or failed: for the next one.
            if removed.is_err() || log.state.lock().first_ordinal > first_ordinal {
                self.engine.keeper.retire(log);
            }
        }
    }
}

/// Without the keeper nothing is freed: once the journal is full writers would wait for ever.
struct Alarm(Arc<Engine>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.break_down("the keeper of the journal ended in a panic");
        }
    }
}

impl Engine {
    /// Makes segments durable. What is read of them is in doubt from here on, until the caller has
    /// seen to a failure.
    fn sync_segments(&self) -> std::io::Result<()> {
        self.keeper.set_syncing(true);
        self.unsynced.sync(&*self.env.disk)
    }
}

/// What the checkpoint says of a log; None for one that has nothing outside the journal.
fn row_of(log: &Arc<LocalLog>) -> Option<Row> {
    let segments = log.segments.lock();
    let state = log.state.lock();
    if state.gone || state.tail.spilled_to() == 0 {
        return None;
    }
    Some(Row {
        id: log.id,
        first_ordinal: state.first_ordinal,
        spilled_to: state.tail.spilled_to(),
        last_arrival_ms: state.tail.spilled_arrival_ms(),
        active_first: segments.active_first,
        active_bytes: segments.active_bytes,
        segments: segments.count,
    })
}
