//! From what lies in a data directory to a running engine.
//!
//! ```text
//! checkpoint --> walk the journal from its position --> look past the end (damage: refuse)
//!   --> begin a higher incarnation, see `restart`
//!   --> each log: spilled ordinals from the checkpoint, the rest by place in the journal
//! ```

use super::ballast::Ballast;
use super::checkpoint::{Checkpoint, Row};
use super::commit::Committer;
use super::engine::{self, Engine};
use super::frame::{BLOCK_BYTES, FLAG_CONTROL, Header, RESTART, Salt};
use super::journal::{Journal, JournalFile, Position, failed};
use super::restart::restart;
use super::segment::Segments;
use super::shard::{LocalLog, State};
use super::tail::{TailBatch, TailBatches};
use super::walk::{Commit, Walk, reach};
use crate::{Error, ErrorKind, LogId, Result};
use base::Env;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Replayed batches past which all logs are spilled at once: each stands in memory until then.
const REPLAYED_MAX: u64 = 1 << 16;

/// How far other files are looked through after a clean shutdown: the next start left a restart
/// record of one block behind its end, and what it acknowledged begins behind that.
const UNUSED_REACH_BYTES: u64 = 1 << 20;

/// What a start found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// How long it took.
    pub took: Duration,
    /// Commits that were read back from the journal.
    pub commits: u64,
    /// Records in them that are not in segments.
    pub records: u64,
    /// Bytes of torn, never acknowledged commits that were dropped.
    pub torn_bytes: u64,
    /// Bytes of acknowledged commits given up, because the owner said so.
    pub cut_bytes: u64,
    /// Logs known.
    pub logs: u64,
    /// Whether the directory was new.
    pub fresh: bool,
}

/// What the journal and the checkpoint say.
pub(crate) struct Found {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) recovery: Recovery,
    files: Vec<Arc<JournalFile>>,
    journal: Option<Journal>,
}

/// Opens the journal's files and the checkpoint; makes both in an empty directory.
pub(crate) fn find(env: &Env, dir: &Path, journal: Journal, first_bytes: u64) -> Result<Found> {
    let load = |journal: &Journal| journal.load().map_err(|e| failed("open", dir, &e));
    let mut files = load(&journal)?;
    let checkpoint = Checkpoint::load(env, dir)?;
    let fresh = checkpoint.is_none();
    let checkpoint = match checkpoint {
        Some(checkpoint) => {
            repair(env, dir, &checkpoint, first_bytes)?;
            checkpoint
        }
        None => {
            refuse_used(env, dir, &files)?;
            if files.is_empty() {
                journal.make(first_bytes).map_err(|e| failed("fill", dir, &e))?;
                files = load(&journal)?;
            }
            first_checkpoint(env, dir, files[0].number)?
        }
    };
    let recovery = Recovery { fresh, ..Recovery::default() };
    Ok(Found { checkpoint, recovery, files, journal: Some(journal) })
}

/// Writes the copies again unless both say the same. Before anything else is written: files that
/// only the older one needs would be recycled, and then it must not be what a start finds.
fn repair(env: &Env, dir: &Path, checkpoint: &Checkpoint, first_bytes: u64) -> Result<()> {
    if checkpoint.is_twice(env, dir) {
        return Ok(());
    }
    Ballast::new(env, dir, first_bytes).make_room(|| save(env, dir, checkpoint))
}

fn save(env: &Env, dir: &Path, checkpoint: &Checkpoint) -> Result<()> {
    checkpoint.save(env, dir).map_err(|e| failed("write", &dir.join("checkpoint"), &e))
}

/// A journal with content whose checkpoint is gone is not a new one, nor is one beside segments:
/// they would be taken for remains of a crash and removed.
pub(crate) fn refuse_used(env: &Env, dir: &Path, files: &[Arc<JournalFile>]) -> Result<()> {
    let segments = dir.with_file_name(engine::SEGMENTS);
    let exists = env.disk.exists(&segments).and_then(|there| match there {
        true => env.disk.list(&segments).map(|dirs| !dirs.is_empty()),
        false => Ok(false),
    });
    if exists.map_err(|e| failed("read", &segments, &e))? {
        let (segments, dir) = (segments.display(), dir.display());
        let message = format!("`{segments}` holds records but there is no checkpoint in `{dir}`");
        return Err(Error::new(ErrorKind::Corrupt, message));
    }
    for file in files {
        let mut block = [0; BLOCK_BYTES];
        file.reader.read_at(&mut block, 0).map_err(|e| failed("read", &file.path, &e))?;
        if block.iter().any(|b| *b != 0) {
            let message =
                format!("`{}` holds commits but there is no checkpoint", file.path.display());
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
    }
    Ok(())
}

fn first_checkpoint(env: &Env, dir: &Path, file: u32) -> Result<Checkpoint> {
    let mut salt = [0; 8];
    env.rng.fill(&mut salt);
    let checkpoint = Checkpoint {
        sequence: 1,
        salt: Salt(u64::from_le_bytes(salt)),
        clean: true,
        at: Position { file, offset: 0, lsn: 1, incarnation: 0 },
        rows: Vec::new(),
    };
    save(env, dir, &checkpoint)?;
    Ok(checkpoint)
}

impl Found {
    /// The journal, for the engine.
    pub(crate) fn take_journal(&mut self) -> Journal {
        self.journal.take().expect("the journal is taken once")
    }

    /// Rebuilds the logs and begins a new incarnation; who commits in it.
    pub(crate) fn resume(&mut self, engine: &Arc<Engine>) -> Result<Committer> {
        let checkpoint = &self.checkpoint;
        let mut walk = Walk::new(&self.files, engine.salt, checkpoint.at)?;
        let mut replay = Replay::new(&checkpoint.rows);
        let mut live = vec![checkpoint.at.file];
        // Where the last file begins to be needed: a later checkpoint names it.
        let mut start = checkpoint.at;
        // Commits that no later one saw durable: under `Always` the last one.
        let mut unproven = Vec::new();
        while let Some(commit) = walk.next()? {
            self.recovery.commits += 1;
            if start.file != commit.file.number {
                live.push(commit.file.number);
                start = commit.at();
            }
            let proven = commit.synced_lsn();
            unproven.push(commit);
            let done = unproven.partition_point(|c| c.at().lsn <= proven);
            unproven.drain(..done).for_each(|commit| replay.commit(&commit));
        }
        self.judge_end(engine, &mut walk)?;
        // The same for names: a process killed between a rename and the sync of its directory
        // leaves a checkpoint that a power failure could still take.
        let dir = &engine.journal_dir;
        engine.env.disk.sync_dir(dir).map_err(|e| failed("sync", dir, &e))?;
        let mut end = walk.at();
        // Restart records hold nothing: the next one is written over the last one, so that a
        // server that is restarted again and again uses up no file.
        while let Some(restart) = unproven.pop_if(|commit| commit.is_restart()) {
            end = restart.at();
        }
        let next = Position { incarnation: walk.incarnation_max() + 1, ..end };
        engine.journal.resume(&live, start, next.offset);
        let (committer, rewritten) = restart(engine, next, unproven)?;
        rewritten.iter().for_each(|commit| replay.commit(commit));
        replay.check(engine.options.cut_damaged_journal)?;
        self.recovery.records = replay.install(engine);
        self.recovery.logs = engine.logs.lock().len() as u64;
        Ok(committer)
    }

    /// Tells a torn tail from damage.
    fn judge_end(&mut self, engine: &Engine, walk: &mut Walk) -> Result<()> {
        let unused = self.checkpoint.clean && walk.at() == self.checkpoint.at;
        let reach = reach(&engine.options);
        let mut past = walk.look_past(reach, if unused { UNUSED_REACH_BYTES } else { reach })?;
        self.recovery.torn_bytes = past.torn_bytes;
        engine.metrics.truncated.add(past.torn_bytes);
        let Some((proof, proof_at)) = past.proof.take() else { return Ok(()) };
        let end = walk.at();
        let path = self.files.iter().find(|f| f.number == end.file).map(|f| f.path.clone());
        let message = format!(
            "`{}` offset {}: commit {} is damaged: it was durable when `{}` offset {proof_at} was \
             written",
            path.unwrap_or_default().display(),
            end.offset,
            end.lsn,
            proof.display(),
        );
        engine.metrics.checksum_failures.add(1);
        if !engine.options.cut_damaged_journal {
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        tracing::error!(damage = %message, "giving up what lies behind the damage, as asked");
        // Every byte, for the highest incarnation: what is cut must stay cut.
        self.recovery.cut_bytes = walk.look_past(u64::MAX, u64::MAX)?.cut_bytes;
        Ok(())
    }
}

/// Logs as they are put together.
struct Replay {
    logs: BTreeMap<LogId, (State, Segments)>,
    /// Logs with records missing before a batch that is there, and where that lies.
    gaps: HashMap<LogId, String>,
    records: u64,
    batches: u64,
}

impl Replay {
    fn new(rows: &[Row]) -> Self {
        let logs = rows.iter().map(|row| (row.id, of_row(row))).collect();
        Self { logs, gaps: HashMap::new(), records: 0, batches: 0 }
    }

    fn commit(&mut self, commit: &Commit) {
        for (header, offset) in &commit.frames {
            if !header.is(FLAG_CONTROL) {
                self.batch(header, &commit.file, *offset);
            } else if header.log != RESTART {
                self.logs.remove(&header.log);
                self.gaps.remove(&header.log);
            }
        }
    }

    fn batch(&mut self, header: &Header, file: &JournalFile, offset: u64) {
        let (state, _) = self.logs.entry(header.log).or_default();
        if header.end_ordinal() <= state.durable_next {
            return;
        }
        if header.first_ordinal != state.durable_next {
            let (expected, found) = (state.durable_next, header.first_ordinal);
            let path = file.path.display();
            self.gaps.entry(header.log).or_insert_with(|| {
                format!(
                    "`{path}` offset {offset}: log {} goes on at ordinal {found}, not {expected}",
                    header.log.0
                )
            });
            return;
        }
        self.records += u64::from(header.records);
        self.batches += 1;
        state.publish(TailBatch::in_journal(header, file.number, offset));
    }

    fn check(&mut self, forgive: bool) -> Result<()> {
        let Some(gap) = self.gaps.values().min() else { return Ok(()) };
        if !forgive {
            return Err(Error::new(ErrorKind::Corrupt, gap.clone()));
        }
        tracing::error!(damage = %gap, "giving up the records behind the gap, as asked");
        Ok(())
    }

    /// Hands the logs to the engine; how many records the journal alone holds.
    fn install(self, engine: &Arc<Engine>) -> u64 {
        let mut logs = engine.logs.lock();
        let mut segment_count = 0;
        for (id, (mut state, segments)) in self.logs {
            segment_count += u64::from(segments.count);
            state.next_ordinal = state.durable_next;
            state.last_arrival_ms = state.durable_arrival_ms;
            state.first_ordinal = state.first_ordinal.min(state.durable_next);
            let all_trimmed = segments.count > 0 && state.first_ordinal == state.durable_next;
            let log = LocalLog::new(engine, id, state, segments);
            if self.batches > REPLAYED_MAX {
                log.ask_spill(u64::MAX, &engine.keeper);
            }
            if all_trimmed {
                // The last life may have ended before their files were gone.
                engine.keeper.retire(Arc::clone(&log));
            }
            logs.insert(id, log);
        }
        engine.metrics.segments.set(segment_count);
        self.records
    }
}

fn of_row(row: &Row) -> (State, Segments) {
    let mut state = State::default();
    state.tail = TailBatches::after(row.spilled_to, row.last_arrival_ms);
    state.first_ordinal = row.first_ordinal;
    state.durable_next = row.spilled_to;
    state.durable_arrival_ms = row.last_arrival_ms;
    let segments = Segments {
        count: row.segments,
        active_first: row.active_first,
        active_bytes: row.active_bytes,
        ..Segments::default()
    };
    (state, segments)
}
