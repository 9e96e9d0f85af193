//! The commit thread: the only one that changes the catalog's files and rows.

use super::files::{self, MakeError};
use super::format::{self, FRAMES_AT, FileHeader};
use super::queue::{Queue, Request};
use super::recover::{self, Depth, Recovered};
use super::witness::Witness;
use super::{LocalCatalogOptions, Shared};
use crate::catalog::Transaction;
use crate::catalog::rows::{self, Rows};
use crate::local::ballast::Ballast;
use crate::{Error, ErrorKind, Result};
use base::Env;
use base::env::{Disk, DiskFile};
use bytes::Bytes;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which part of a log's size is kept for a full disk, beside what the rows need.
const KEPT_PART: usize = 4;
/// Logs of a full disk are so much smaller than others, so that several fit.
const SMALL_PART: usize = 8 * KEPT_PART;
/// Times the size of the rows that is kept: a snapshot, and both copies of a removal of all.
const KEPT_ROWS: u64 = 3;
/// Bytes of rows after which waiting transactions go into a frame of their own.
const GROUP_BYTES: usize = 4 << 20;

/// What the commit thread owns.
pub(super) struct Writer {
    dir: PathBuf,
    env: Env,
    options: LocalCatalogOptions,
    /// `None` while no log could be made (the disk is full): the next commit tries again.
    log: Option<CurrentLog>,
    /// The last log may hold a frame that nobody was told of, void once there is another log.
    is_torn: bool,
    /// Sequence of the last durable frame.
    sequence: u64,
    /// Bytes of the rows, as of the newest snapshot.
    snapshot_bytes: u64,
    /// Bytes of frames that the newest snapshot does not hold.
    unsaved_bytes: u64,
    /// Rows come from an earlier process's log: the next snapshot does not wait for more bytes.
    snapshot_due: bool,
    unreadable: BTreeSet<PathBuf>,
    witness: Witness,
    /// Room for changes that free some.
    ballast: Ballast,
    /// Why nothing can be written until a restart.
    poison: Option<Error>,
}

struct CurrentLog {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    incarnation: u64,
    at: usize,
    end: usize,
}

impl Writer {
    /// Recovers the rows and makes everything they rest on durable: what cannot be is not shown.
    pub(super) fn open(
        dir: PathBuf,
        env: Env,
        options: LocalCatalogOptions,
    ) -> Result<(Self, Rows)> {
        let disk = Arc::clone(&env.disk);
        make_directories(disk.as_ref(), &dir)?;
        let recovered = recover::recover(disk.as_ref(), &dir, (Depth::Needed, u64::MAX))
            .map_err(|refused| refused.error)?;
        report(&recovered);
        settle(disk.as_ref(), &dir)?;
        let (recovered, voided) = prove(disk.as_ref(), &dir, recovered)?;
        let Recovered { rows, sequence, replayed, unreadable, said, .. } = recovered;
        let mut ballast = Ballast::of(&env, &dir, (options.log_bytes / KEPT_PART) as u64);
        let begin = || Witness::begin(disk.as_ref(), &dir, said, sequence);
        let mut writer = Self {
            witness: ballast.make_room(begin)?,
            ballast,
            dir,
            env,
            options,
            log: None,
            is_torn: false,
            sequence,
            snapshot_bytes: rows.iter().map(|(k, v)| format::row_bytes(k, Some(v)) as u64).sum(),
            unsaved_bytes: 0,
            snapshot_due: replayed,
            unreadable,
            poison: None,
        };
        match writer.first_log(voided) {
            // Reads go on when the disk is full, and so do commits once there is room. Only not
            // while a frame that was left out would be back at the next start.
            Err(e) if e.kind() == ErrorKind::Full && writer.poison.is_none() && !voided => {
                tracing::warn!(error = %e, "the catalog opens read-only: the disk is full");
            }
            made => {
                made?;
                writer.keep_ballast();
                writer.save_when_due(&rows, false);
            }
        }
        Ok((writer, rows))
    }

    /// Makes a log to go on in; when it `must` be, in the room that is kept.
    fn first_log(&mut self, must: bool) -> Result<()> {
        match self.need_room(0, false) {
            Err(e) if must && e.kind() == ErrorKind::Full && self.ballast.give() => {
                let made = self.need_room(0, true);
                self.ballast.take_back();
                made
            }
            made => made,
        }
    }

    /// Commits what comes until the queue is closed.
    pub(super) fn run(mut self, shared: &Shared) {
        let _abort = AbortOnExit(&shared.queue);
        while let Some(requests) = shared.queue.take() {
            self.env.pass();
            let mut group = Group::default();
            for request in requests {
                group.stage(request, shared);
                if group.body.len() >= GROUP_BYTES {
                    self.commit(std::mem::take(&mut group), shared);
                }
            }
            self.commit(group, shared);
        }
    }

    fn commit(&mut self, group: Group, shared: &Shared) {
        let clock = Arc::clone(&self.env.clock);
        let _wait = shared.overdue.wait(&*clock);
        let result = match &self.poison {
            Some(poison) => Err(poison.clone()),
            None if group.body.is_empty() => Ok(()),
            None => self.append(&group, shared),
        };
        if result.is_ok() {
            let mut rows = shared.rows.write();
            for (request, outcome) in &group.requests {
                if outcome.is_ok() {
                    rows.apply(&request.transaction.writes);
                }
            }
        }
        if !group.body.is_empty() {
            (*shared.trouble.write()).clone_from(&result.as_ref().err().cloned());
        }
        for (request, outcome) in group.requests {
            // That of a close needs nothing of the disk. A conflict may be one with a transaction
            // of the same group that just failed.
            let Transaction { writes, checks, .. } = &request.transaction;
            let is_close = writes.is_empty() && checks.is_empty();
            let result = if is_close { Ok(()) } else { result.clone() };
            request.answer(result.and(outcome));
        }
        if group.frees_room && result.is_ok() {
            self.keep_ballast();
        }
    }

    fn append(&mut self, group: &Group, shared: &Shared) -> Result<()> {
        let appended = match self.append_once(group, shared, false) {
            Err(e) if e.kind() == ErrorKind::Full && (group.frees_room || self.is_torn) => {
                self.append_given(group, shared, e)
            }
            appended => appended,
        };
        match appended {
            Err(e) if self.is_torn && self.poison.is_none() => Err(self.poison(&e)),
            appended => appended,
        }
    }

    /// As [`Self::append_once`] in the room that was kept, for what frees some. For all else only a
    /// log is made there, behind which the frame that did not fit is void.
    fn append_given(&mut self, group: &Group, shared: &Shared, full: Error) -> Result<()> {
        if !self.ballast.give() {
            return Err(full);
        }
        let appended = match group.frees_room {
            true => self.append_once(group, shared, true),
            false => self.need_room(0, true).and(Err(full)),
        };
        self.ballast.take_back();
        appended
    }

    /// Writes a frame down, in the room that was kept if that was `given`.
    fn append_once(&mut self, group: &Group, shared: &Shared, given: bool) -> Result<()> {
        let bytes = 2 * format::frame_bytes(group.body.len());
        self.need_room(bytes, given)?;
        self.save_when_due(&shared.rows.read(), given);
        let log = self.log.as_mut().expect("`need_room` made a log");
        let frame = format::encode_frame(log.incarnation, self.sequence + 1, &group.body);
        let written = log.file.write_at(&frame, log.at as u64).and_then(|()| log.file.sync_data());
        let written = written.map_err(|e| files::failed("write", &log.path, &e));
        if let Err(full) = &written
            && full.kind() == ErrorKind::Full
        {
            // Some file systems need room for what is written over.
            (self.log, self.is_torn) = (None, true);
            return written;
        }
        // Before anybody hears of it: what the witness does not know of may be void.
        let (witness, sequence) = (&mut self.witness, self.sequence + 1);
        let said = written.and_then(|()| self.ballast.make_room(|| witness.say(sequence)));
        if let Err(e) = said {
            // The frame may or may not be there after a restart, so nothing may follow it.
            return Err(self.poison(&e));
        }
        log.at += bytes;
        self.sequence += 1;
        self.unsaved_bytes += bytes as u64;
        Ok(())
    }

    fn poison(&mut self, cause: &Error) -> Error {
        let message = format!("{cause}; the catalog is read-only until a restart");
        let poison = Error::new(ErrorKind::Unavailable, message);
        tracing::error!(error = %poison, "the catalog stops writing");
        self.poison = Some(poison.clone());
        poison
    }

    /// Makes sure that the current log has room for `bytes`; a new one is small in the room that
    /// was kept.
    fn need_room(&mut self, bytes: usize, given: bool) -> Result<()> {
        if self.log.as_ref().is_some_and(|log| log.at + bytes <= log.end) {
            return Ok(());
        }
        let part = if given { SMALL_PART } else { 1 };
        let end = (self.options.log_bytes / part).max(FRAMES_AT + bytes);
        let made = CurrentLog::make(&self.env, &self.dir, self.sequence + 1, end);
        let made = made.map_err(|e| if e.visible { self.poison(&e.error) } else { e.error });
        (self.log, self.is_torn) = (Some(made?), false);
        Ok(())
    }

    /// Writes the rows down when the logs outweigh the last snapshot, or an earlier process left
    /// them. Only before the first frame of a log: a snapshot ends where a log ends.
    fn save_when_due(&mut self, rows: &Rows, given: bool) {
        let due = self.snapshot_due || self.unsaved_bytes >= self.saved_bytes_min();
        if !due || self.log.as_ref().is_none_or(|log| log.at > FRAMES_AT) {
            return;
        }
        // Failing is no harm: the logs hold the same, and the next one brings another try.
        if let Err(e) = self.snapshot(rows, given) {
            tracing::warn!(error = %e, "the catalog keeps its logs: no snapshot");
        }
    }

    /// Bytes of frames that are worth a snapshot.
    fn saved_bytes_min(&self) -> u64 {
        self.snapshot_bytes.max(self.options.log_bytes as u64 / 2)
    }

    /// Takes the room that is kept for a full disk, unless it is kept already or there is none.
    fn keep_ballast(&mut self) {
        let log_bytes = (self.options.log_bytes / KEPT_PART) as u64;
        self.ballast.grow(log_bytes + KEPT_ROWS * self.snapshot_bytes);
        if let Err(e) = self.ballast.keep() {
            tracing::debug!(error = %e, "no room is kept for changes on a full disk");
        }
    }

    /// Writes the rows down and removes what is then not needed.
    fn snapshot(&mut self, rows: &Rows, given: bool) -> Result<()> {
        let disk = Arc::clone(&self.env.disk);
        let (rows, unreadable) = ((rows, self.sequence), &mut self.unreadable);
        let made = make_snapshot(disk.as_ref(), &self.dir, rows, unreadable);
        self.snapshot_bytes = made.map_err(|e| e.error)?;
        self.unsaved_bytes = 0;
        self.snapshot_due = false;
        if let Err(e) = files::clean(disk.as_ref(), &self.dir, &self.unreadable) {
            tracing::warn!(error = %e, "old files of the catalog stay for now");
        }
        // Given away, it is needed for the frame that comes next.
        if !given {
            self.keep_ballast();
        }
        Ok(())
    }
}

fn make_snapshot(
    disk: &dyn Disk,
    dir: &Path,
    (rows, sequence): (&Rows, u64),
    unreadable: &mut BTreeSet<PathBuf>,
) -> std::result::Result<u64, MakeError> {
    let path = files::snapshot_path(dir, sequence);
    if unreadable.contains(&path) {
        let aside = files::set_aside(disk, &path);
        aside.map_err(|error| MakeError { error, visible: false })?;
        unreadable.remove(&path);
    }
    files::make_snapshot(disk, dir, rows, sequence)
}

/// The catalog's directory, and the one of its witness.
fn make_directories(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let parent = dir.parent().unwrap_or(dir);
    for dir in [dir, &parent.join(crate::data_dir::RECORDS)] {
        disk.create_dir_all(dir).map_err(|e| files::failed("make", dir, &e))?;
    }
    disk.sync_dir(parent).map_err(|e| files::failed("sync", parent, &e))
}

fn report(recovered: &Recovered) {
    for damage in &recovered.damages {
        let (file, offset) = (damage.file.display(), damage.offset);
        tracing::warn!(%file, offset, what = damage.what, "repaired damage of the catalog");
    }
}

/// Makes the names durable that were read, and removes what an earlier process left unfinished.
fn settle(disk: &dyn Disk, dir: &Path) -> Result<()> {
    disk.sync_dir(dir).map_err(|e| files::failed("sync", dir, &e))?;
    for path in files::list(disk, dir)?.unfinished {
        disk.remove(&path).map_err(|e| files::failed("remove", &path, &e))?;
    }
    Ok(())
}

/// Makes what was recovered certain. The witness does not know of a last frame whose commit failed
/// or was cut short: it may be in the page cache only, for ever. It counts once a snapshot holds
/// it; without one it is left out, as nobody was told of it, and the next log makes it void.
/// Whether one was left out.
fn prove(disk: &dyn Disk, dir: &Path, mut recovered: Recovered) -> Result<(Recovered, bool)> {
    if recovered.is_proven() {
        return Ok((recovered, false));
    }
    let rows = (&recovered.rows, recovered.sequence);
    let Err(failed) = make_snapshot(disk, dir, rows, &mut recovered.unreadable) else {
        return Ok((recovered, false));
    };
    match recovered.void_after() {
        Some(last) if !failed.visible => {
            tracing::warn!(error = %failed.error, "an unacknowledged change is dropped");
            let again = recover::recover(disk, dir, (Depth::Needed, last));
            again.map(|again| (again, true)).map_err(|refused| refused.error)
        }
        _ => Err(failed.error),
    }
}

impl CurrentLog {
    fn make(env: &Env, dir: &Path, start: u64, end: usize) -> std::result::Result<Self, MakeError> {
        let mut incarnation = [0; 8];
        env.rng.fill(&mut incarnation);
        let incarnation = u64::from_le_bytes(incarnation);
        let header =
            FileHeader { incarnation, sequence: start, witnessed: true, ..FileHeader::default() };
        let path = files::log_path(dir, start);
        let file = files::make_log(env.disk.as_ref(), &path, header, end)?;
        Ok(Self { file, path, incarnation, at: FRAMES_AT, end })
    }
}

/// Transactions that become durable together.
#[derive(Default)]
struct Group {
    requests: Vec<(Request, Result<()>)>,
    body: Vec<u8>,
    staged: HashMap<Vec<u8>, Option<Bytes>>,
    frees_room: bool,
}

impl Group {
    /// Checks a transaction as if those before it were durable, and adds its writes.
    fn stage(&mut self, request: Request, shared: &Shared) {
        let rows = shared.rows.read();
        let outcome = rows::check(&request.transaction.checks, |key| match self.staged.get(key) {
            Some(staged) => staged.clone(),
            None => rows.get(key),
        });
        drop(rows);
        if outcome.is_ok() {
            self.frees_room |= request.transaction.frees_room;
            for (key, value) in &request.transaction.writes {
                format::encode_row(&mut self.body, key, value.as_deref());
                let value = value.as_deref().map(Bytes::copy_from_slice);
                self.staged.insert(key.clone(), value);
            }
        }
        self.requests.push((request, outcome));
    }
}

struct AbortOnExit<'a>(&'a Queue);

impl Drop for AbortOnExit<'_> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
