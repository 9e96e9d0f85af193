//! From what lies in a data directory to a running engine.
//!
//! ```text
//! roster, checkpoint --> walk the journal from its position --> less than the roster vouches for,
//!     or a later commit behind the end: damage. Refuse, or (as the owner asks) salvage
//!   --> each log: spilled ordinals from the checkpoint, the rest by place in the journal
//!   --> segments that know more than that: damage too, see `remains`
//!   --> begin a higher incarnation, see `restart`
//! ```
//!
//! Nothing but copies of the checkpoint and unfinished files is touched before all of that was
//! judged.

use super::ballast::Ballast;
use super::checkpoint::{Checkpoint, Row};
use super::commit::Committer;
use super::engine::{self, Engine};
use super::frame::{BLOCK_BYTES, FLAG_CONTROL, FLAG_GAP, Header, RESTART, Salt};
use super::journal::{Journal, JournalFile, Position, failed};
use super::keeper::Keeping;
use super::options::Durability;
use super::present;
use super::remains::{self, Known};
use super::restart;
use super::roster::Roster;
use super::salvage::salvage;
use super::segment::Segments;
use super::shard::{LocalLog, State};
use super::tail::{TailBatch, TailBatches};
use super::walk::{Commit, Walk};
use crate::{Error, ErrorKind, LogId, Result};
use base::Env;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Replayed batches past which all logs are spilled at once: each stands in memory until then.
const REPLAYED_MAX: u64 = 1 << 16;

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
    /// Bytes of intact batches given up, because the owner said so: what comes before them in their
    /// log is lost.
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
    roster: Roster,
    files: Vec<Arc<JournalFile>>,
    journal: Option<Journal>,
}

/// Opens the journal's files, their roster and the checkpoint; makes them in an empty directory.
///
/// # Errors
/// `Corrupt` one of them is damaged or missing; `Full`, `Unavailable` the disk refused.
pub(crate) fn find(env: &Env, dir: &Path, journal: Journal, first_bytes: u64) -> Result<Found> {
    let load = |journal: &Journal| journal.load().map_err(|e| failed("open", dir, &e));
    let mut files = load(&journal)?;
    let checkpoint = Checkpoint::load(env, dir)?;
    let fresh = checkpoint.is_none();
    let checkpoint = match checkpoint {
        Some(checkpoint) => {
            let roster = roster_of(env, dir, &files)?;
            repair(env, dir, &checkpoint, first_bytes)?;
            journal.adopt(roster);
            checkpoint
        }
        None => {
            refuse_used(env, dir, &files)?;
            if files.is_empty() {
                journal.make(first_bytes).map_err(|e| failed("fill", dir, &e))?;
                files = load(&journal)?;
            }
            journal.note_start(false, false).map_err(|e| failed("write", dir, &e))?;
            first_checkpoint(env, dir, files[0].number)?
        }
    };
    let recovery = Recovery { fresh, ..Recovery::default() };
    let roster = journal.roster();
    Ok(Found { checkpoint, recovery, roster, files, journal: Some(journal) })
}

/// The roster of a journal that has a checkpoint.
///
/// # Errors
/// `Corrupt` it is damaged or missing, or a file that it lists is.
pub(crate) fn roster_of(env: &Env, dir: &Path, files: &[Arc<JournalFile>]) -> Result<Roster> {
    let Some(roster) = Roster::load(env, dir)? else {
        let message = format!("there is a checkpoint in `{}` but no roster", dir.display());
        return Err(Error::new(ErrorKind::Corrupt, message));
    };
    roster.refuse_missing(dir, files)?;
    Ok(roster)
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

    /// Rebuilds the logs and begins a new incarnation; who commits in it, and who keeps it.
    pub(crate) fn resume(mut self, engine: &Arc<Engine>) -> Result<(Committer, Keeping, Recovery)> {
        let mut walk = Walk::new(&self.files, engine.salt, self.checkpoint.at)?;
        let mut replay = Replay::new(&self.checkpoint.rows);
        let mut end = self.walk(&mut walk, &mut replay)?;
        let damage = self.judge_end(engine, &mut walk)?;
        if let Some(damage) = &damage {
            give_up(engine, Error::new(ErrorKind::Corrupt, damage.clone()))?;
            let unproven = std::mem::take(&mut end.unproven);
            unproven.iter().for_each(|commit| replay.commit(commit));
            let found = salvage(&self.files, engine.salt, walk.at(), |header, file, offset| {
                replay.frame(header, file, offset);
            })?;
            end.live.extend(found.files);
            walk.went_to(found.lsn_max, found.incarnation_max);
        }
        let damage = damage.or(replay.gap(engine, &end.unproven)?);
        let unclean = !self.checkpoint.clean || walk.at() != self.checkpoint.at;
        self.recovery.cut_bytes = replay.cut_bytes;
        let mut lossy = damage.is_some() || self.roster.relaxed && unclean;
        let known = replay.known(&end.unproven);
        present::check(engine, &known).or_else(|missing| give_up(engine, missing))?;
        if unclean {
            if !lossy && let Err(lost) = remains::judge(engine, &known, false) {
                give_up(engine, lost)?;
                lossy = true;
            }
            *engine.strays.lock() = remains::judge(engine, &known, lossy)?;
        }
        // The same for names: a process killed between a rename and the sync of its directory
        // leaves a checkpoint that a power failure could still take.
        let dir = &engine.journal_dir;
        engine.env.disk.sync_dir(dir).map_err(|e| failed("sync", dir, &e))?;
        let next = Position { incarnation: walk.incarnation_max() + 1, ..end.next(&walk) };
        engine.journal.resume(&end.live, end.start, next.offset);
        let damaged = damage.is_some();
        let (committer, keeping) =
            self.begin(engine, next, Walked { replay, unproven: end.unproven, damaged })?;
        self.open_for(engine, committer, keeping, lossy)
    }

    /// Replays commits up to the last one of which somebody says that it is durable.
    fn walk(&mut self, walk: &mut Walk, replay: &mut Replay) -> Result<End> {
        let at = self.checkpoint.at;
        let mut end = End { live: vec![at.file], start: at, unproven: Vec::new() };
        while let Some(commit) = walk.next()? {
            self.recovery.commits += 1;
            if end.start.file != commit.file.number {
                end.live.push(commit.file.number);
                end.start = commit.at();
            }
            let proven = commit.synced_lsn().max(self.roster.durable_lsn);
            end.unproven.push(commit);
            let done = end.unproven.partition_point(|c| c.at().lsn <= proven);
            end.unproven.drain(..done).for_each(|commit| replay.commit(&commit));
        }
        Ok(end)
    }

    /// Tells a torn tail from damage, which is the answer.
    fn judge_end(&mut self, engine: &Engine, walk: &mut Walk) -> Result<Option<String>> {
        let vouched = self.roster.durable_lsn;
        let at = walk.at();
        let path = self.files.iter().find(|f| f.number == at.file).map(|f| f.path.clone());
        let place = format!("`{}` offset {}", path.unwrap_or_default().display(), at.offset);
        if vouched >= at.lsn {
            let what = format!(
                "{place}: commit {} is damaged or missing: commits up to {vouched} were durable",
                at.lsn
            );
            return Ok(Some(what));
        }
        if self.checkpoint.clean && at == self.checkpoint.at {
            // The first commit of the next life would have been noted before anything was taken.
            return Ok(None);
        }
        let past = walk.look_past(false)?;
        self.recovery.torn_bytes = past.torn_bytes;
        engine.metrics.truncated.add(past.torn_bytes);
        Ok(past.proof.map(|(proof, proof_at)| {
            let proof = proof.display();
            format!(
                "{place}: commit {} is damaged: it was durable when `{proof}` offset {proof_at} \
                 was written",
                at.lsn
            )
        }))
    }

    /// Hands the logs to the engine and begins the incarnation of `next`.
    fn begin(
        &mut self,
        engine: &Arc<Engine>,
        next: Position,
        Walked { mut replay, unproven, damaged }: Walked,
    ) -> Result<(Committer, Keeping)> {
        let mut keeping = Keeping::new(engine, self.checkpoint.clone());
        if !damaged && !restart::needs_room(engine, &unproven)? {
            let (committer, rewritten) = restart::restart(engine, next, &unproven)?;
            rewritten.iter().for_each(|commit| replay.commit(commit));
            self.recovery.records = replay.install(engine);
            return Ok((committer, keeping));
        }
        unproven.iter().for_each(|commit| replay.commit(commit));
        self.recovery.records = replay.install(engine);
        if !damaged {
            keeping.checkpoint(Some(next))?;
            // Nothing before it is needed any more, nor known to be durable where it lies.
            engine.journal.resume(&[], next, next.offset);
            return Ok((restart::restart(engine, next, &[])?.0, keeping));
        }
        // Behind damage nothing can be written: in a file of its own, and the damaged ones are
        // freed before anything is served. A start that is cut short does it all again.
        let committer = restart::elsewhere(engine, next)?;
        keeping.checkpoint(None)?;
        Ok((committer, keeping))
    }

    /// Makes certain that no record of this life takes the name of one that was lost, and says in
    /// the roster how far this life may be trusted.
    fn open_for(
        self,
        engine: &Arc<Engine>,
        mut committer: Committer,
        keeping: Keeping,
        lossy: bool,
    ) -> Result<(Committer, Keeping, Recovery)> {
        let dir = &engine.journal_dir;
        if lossy {
            restart::write_gaps(engine, &mut committer)?;
        }
        let relaxed = engine.options.durability == Durability::Relaxed;
        // Until the next clean stop: logs that their owner opens now begin behind a gap, which is
        // durable some time later.
        let lacks_logs = lossy || self.roster.lacks_logs;
        engine.may_lack_logs.store(lacks_logs, Ordering::Relaxed);
        let noted = engine.journal.note_start(relaxed, lacks_logs);
        noted.map_err(|e| failed("write", dir, &e))?;
        let logs = engine.logs.lock().len() as u64;
        Ok((committer, keeping, Recovery { logs, ..self.recovery }))
    }
}

/// Damage ends the start unless the owner gives up what it took; so does any other failure.
pub(crate) fn give_up(engine: &Engine, damage: Error) -> Result<()> {
    if damage.kind() != ErrorKind::Corrupt {
        return Err(damage);
    }
    engine.metrics.checksum_failures.add(1);
    if !engine.options.cut_damaged_journal {
        return Err(damage);
    }
    tracing::error!(%damage, "giving up what the damage took, as asked");
    Ok(())
}

/// What the journal's commits say.
struct Walked {
    replay: Replay,
    /// The last ones, of which nobody says that they are durable.
    unproven: Vec<Commit>,
    /// Whether damage ends them.
    damaged: bool,
}

/// Where the walk ended.
struct End {
    /// Files with commits.
    live: Vec<u32>,
    /// Where the last of them begins to be needed: a later checkpoint names it.
    start: Position,
    /// Commits of which nobody says that they are durable: under `Always` at most the last one.
    unproven: Vec<Commit>,
}

impl End {
    /// Where the next commit goes. Restart records that are not known to be durable hold nothing:
    /// the next one is written over them, so that a server that is restarted again and again uses
    /// up no file.
    fn next(&mut self, walk: &Walk) -> Position {
        let mut next = walk.at();
        while let Some(restart) = self.unproven.pop_if(|commit| commit.is_restart()) {
            next = restart.at();
        }
        next
    }
}

/// Logs as they are put together.
struct Replay {
    logs: BTreeMap<LogId, (State, Segments)>,
    /// Logs with records missing before a batch that is there, and where that lies.
    gaps: HashMap<LogId, String>,
    records: u64,
    batches: u64,
    cut_bytes: u64,
}

impl Replay {
    fn new(rows: &[Row]) -> Self {
        let logs = rows.iter().map(|row| (row.id, of_row(row))).collect();
        Self { logs, gaps: HashMap::new(), records: 0, batches: 0, cut_bytes: 0 }
    }

    fn commit(&mut self, commit: &Commit) {
        for (header, offset) in &commit.frames {
            self.frame(header, &commit.file, *offset);
        }
    }

    fn frame(&mut self, header: &Header, file: &JournalFile, offset: u64) {
        if !header.is(FLAG_CONTROL) {
            self.batch(header, file, offset);
        } else if header.log != RESTART {
            self.logs.remove(&header.log);
            self.gaps.remove(&header.log);
        }
    }

    /// How far each log goes with these commits, which are not replayed yet.
    fn known(&self, unproven: &[Commit]) -> BTreeMap<LogId, Known> {
        let mut known: BTreeMap<LogId, Known> = self
            .logs
            .iter()
            .map(|(id, (state, segments))| (*id, Known::of(state, segments)))
            .collect();
        for (header, _) in unproven.iter().flat_map(|commit| &commit.frames) {
            if header.is(FLAG_CONTROL) {
                known.remove(&header.log);
            } else {
                let known = known.entry(header.log).or_default();
                known.next_ordinal = known.next_ordinal.max(header.end_ordinal());
            }
        }
        known
    }

    fn batch(&mut self, header: &Header, file: &JournalFile, offset: u64) {
        let (state, _) = self.logs.entry(header.log).or_default();
        if header.end_ordinal() <= state.durable_next {
            return;
        }
        if header.first_ordinal != state.durable_next {
            self.cut_bytes += header.frame_bytes() as u64;
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
        self.records += u64::from(header.records) * u64::from(!header.is(FLAG_GAP));
        self.batches += 1;
        state.publish(TailBatch::in_journal(header, file.number, offset));
    }

    /// Where a log goes on behind records that are lost, if the owner gives them up. Not one that
    /// the last commits remove: a checkpoint that knew of it passed it over.
    fn gap(&self, engine: &Engine, unproven: &[Commit]) -> Result<Option<String>> {
        let removed = |id: &LogId| {
            let mut frames = unproven.iter().flat_map(|commit| &commit.frames);
            frames.any(|(header, _)| header.is(FLAG_CONTROL) && header.log == *id)
        };
        let gaps = self.gaps.iter().filter(|(id, _)| !removed(id));
        let Some(gap) = gaps.map(|(_, gap)| gap).min() else { return Ok(None) };
        give_up(engine, Error::new(ErrorKind::Corrupt, gap.clone()))?;
        Ok(Some(gap.clone()))
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
