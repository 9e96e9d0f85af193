//! The commit thread: the only one that changes the catalog's files and rows.

use super::files::{self, MakeError};
use super::format::{self, FRAMES_AT, FileHeader};
use super::queue::{Queue, Request};
use super::recover::{self, Depth, Recovered};
use super::{LocalCatalogOptions, Shared};
use crate::catalog::rows::{self, Rows};
use crate::{Error, ErrorKind, Result};
use base::Env;
use base::env::{Disk, DiskFile, Open};
use bytes::Bytes;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of rows after which waiting transactions go into a frame of their own.
const GROUP_BYTES: usize = 4 << 20;

/// What the commit thread owns.
pub(super) struct Writer {
    dir: PathBuf,
    env: Env,
    options: LocalCatalogOptions,
    /// `None` while no log could be made (the disk is full): the next commit tries again.
    log: Option<CurrentLog>,
    /// Sequence of the last durable frame.
    sequence: u64,
    snapshot_bytes: u64,
    /// Bytes of frames that the newest snapshot does not hold.
    unsaved_bytes: u64,
    /// Rows come from an earlier process's log: the next snapshot does not wait for more bytes.
    snapshot_due: bool,
    unreadable: BTreeSet<PathBuf>,
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
    /// Recovers the rows and makes everything they rest on durable.
    pub(super) fn open(
        dir: PathBuf,
        env: Env,
        options: LocalCatalogOptions,
    ) -> Result<(Self, Rows)> {
        make_directory(env.disk.as_ref(), &dir)?;
        let recovered = recover::recover(env.disk.as_ref(), &dir, Depth::Needed)
            .map_err(|refused| refused.error)?;
        report(&recovered);
        settle(env.disk.as_ref(), &dir, &recovered)?;
        let Recovered { rows, sequence, replayed, unreadable, .. } = recovered;
        let mut writer = Self {
            dir,
            env,
            options,
            log: None,
            sequence,
            snapshot_bytes: 0,
            unsaved_bytes: 0,
            snapshot_due: replayed,
            unreadable,
            poison: None,
        };
        match writer.need_room(0).and_then(|_| writer.need_snapshot(&rows)) {
            // Reads go on when the disk is full, and so do commits once there is room.
            Err(e) if e.kind() == ErrorKind::Full && writer.poison.is_none() => {
                tracing::warn!(error = %e, "the catalog opens read-only: the disk is full");
            }
            Err(e) if writer.log.is_some() => {
                tracing::warn!(error = %e, "the catalog opens read-only: no snapshot");
            }
            other => other?,
        }
        Ok((writer, rows))
    }

    /// Commits what comes until the queue is closed.
    pub(super) fn run(mut self, shared: &Shared) {
        let _abort = AbortOnExit(&shared.queue);
        while let Some(requests) = shared.queue.take() {
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
        let result = match &self.poison {
            Some(poison) => Err(poison.clone()),
            None if group.body.is_empty() => Ok(()),
            None => self.append(&group.body, shared),
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
            // A conflict may be one with a transaction of the same group that just failed.
            request.answer(result.clone().and(outcome));
        }
    }

    fn append(&mut self, body: &[u8], shared: &Shared) -> Result<()> {
        let bytes = 2 * format::frame_bytes(body.len());
        let is_new = self.need_room(bytes)?;
        self.need_snapshot(&shared.rows.read())?;
        if is_new && self.unsaved_bytes >= self.saved_bytes_min() {
            // Failing is no harm: the logs hold the same, and the next full log brings another try.
            if let Err(e) = self.snapshot(&shared.rows.read()) {
                tracing::warn!(error = %e, "the catalog keeps its logs: no snapshot");
            }
        }
        let log = self.log.as_mut().expect("`need_room` made a log");
        let frame = format::encode_frame(log.incarnation, self.sequence + 1, body);
        let written = log.file.write_at(&frame, log.at as u64).and_then(|()| log.file.sync_data());
        if let Err(e) = written {
            // The frame may or may not be there after a restart, so nothing may follow it.
            let error = files::failed("write", &log.path, &e);
            return Err(self.poison(&error));
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

    /// Makes sure that the current log has room for `bytes`; whether it is a new one.
    fn need_room(&mut self, bytes: usize) -> Result<bool> {
        if self.log.as_ref().is_some_and(|log| log.at + bytes <= log.end) {
            return Ok(false);
        }
        let log = self.make_log(bytes).map_err(|e| self.failed_to_make(e))?;
        self.log = Some(log);
        Ok(true)
    }

    /// Bytes of frames that are worth a snapshot.
    fn saved_bytes_min(&self) -> u64 {
        self.snapshot_bytes.max(self.options.log_bytes as u64 / 2)
    }

    /// Writes down the rows that came from an earlier process's log. Why nothing is committed
    /// before: if that process ended because a sync failed, its last frame may be in the page cache
    /// only, for ever, and a frame that follows it would be out of reach without it.
    fn need_snapshot(&mut self, rows: &Rows) -> Result<()> {
        if self.snapshot_due { self.snapshot(rows) } else { Ok(()) }
    }

    fn make_log(&self, bytes: usize) -> std::result::Result<CurrentLog, MakeError> {
        let start = self.sequence + 1;
        let mut incarnation = [0; 8];
        self.env.rng.fill(&mut incarnation);
        let incarnation = u64::from_le_bytes(incarnation);
        let header = FileHeader { incarnation, sequence: start, ..FileHeader::default() };
        let path = files::log_path(&self.dir, start);
        let end = self.options.log_bytes.max(FRAMES_AT + bytes);
        let file = files::make_log(self.env.disk.as_ref(), &path, header, end)?;
        Ok(CurrentLog { file, path, incarnation, at: FRAMES_AT, end })
    }

    fn failed_to_make(&mut self, e: MakeError) -> Error {
        if e.visible { self.poison(&e.error) } else { e.error }
    }

    /// Writes the rows down and removes what is then not needed.
    fn snapshot(&mut self, rows: &Rows) -> Result<()> {
        self.snapshot_bytes = self.make_snapshot(rows)?;
        self.unsaved_bytes = 0;
        self.snapshot_due = false;
        if let Err(e) = files::clean(self.env.disk.as_ref(), &self.dir, &self.unreadable) {
            tracing::warn!(error = %e, "old files of the catalog stay for now");
        }
        Ok(())
    }

    fn make_snapshot(&mut self, rows: &Rows) -> Result<u64> {
        let disk = Arc::clone(&self.env.disk);
        let path = files::snapshot_path(&self.dir, self.sequence);
        if self.unreadable.contains(&path) {
            files::set_aside(disk.as_ref(), &path)?;
            self.unreadable.remove(&path);
        }
        files::make_snapshot(disk.as_ref(), &self.dir, rows, self.sequence).map_err(|e| e.error)
    }
}

fn make_directory(disk: &dyn Disk, dir: &Path) -> Result<()> {
    disk.create_dir_all(dir).map_err(|e| files::failed("make", dir, &e))?;
    let parent = dir.parent().unwrap_or(dir);
    disk.sync_dir(parent).map_err(|e| files::failed("sync", parent, &e))
}

fn report(recovered: &Recovered) {
    for damage in &recovered.damages {
        let (file, offset) = (damage.file.display(), damage.offset);
        tracing::warn!(%file, offset, what = damage.what, "repaired damage of the catalog");
    }
}

/// Makes durable what was read, as a killed process leaves it in the page cache only, and removes
/// what it left unfinished.
fn settle(disk: &dyn Disk, dir: &Path, recovered: &Recovered) -> Result<()> {
    if let Some(path) = &recovered.last_log {
        let synced = disk.open(path, Open::Write).and_then(|file| file.sync_data());
        synced.map_err(|e| files::failed("sync", path, &e))?;
    }
    disk.sync_dir(dir).map_err(|e| files::failed("sync", dir, &e))?;
    for path in files::list(disk, dir)?.unfinished {
        disk.remove(&path).map_err(|e| files::failed("remove", &path, &e))?;
    }
    Ok(())
}

/// Transactions that become durable together.
#[derive(Default)]
struct Group {
    requests: Vec<(Request, Result<()>)>,
    body: Vec<u8>,
    staged: HashMap<Vec<u8>, Option<Bytes>>,
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
