//! The journal's files: zero-written once, filled one after another, recycled forever.
//!
//! ```text
//! make (zeros, fdatasync, rename, roster) --> Free --take--> Current --> Full --checkpoint--> Free
//!                                              failed write--> Abandoned --> roster --> removed
//! ```
//!
//! Why zero-written: writing into preallocated but unwritten extents turns every fdatasync into a
//! commit of the file system's metadata. Files grow from small to large with the load, so that an
//! empty directory serves at once and an idle one stays small.

use super::buffer::Buffer;
use super::frame::BLOCK_BYTES;
use super::roster::{Keep, Roster};
use crate::Error;
use base::Env;
use base::env::Gate;
use base::env::{DiskFile, Open};
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes of zeros per write while a file is made.
const PREFILL_BYTES: usize = 1 << 20;
/// Free files below which another one is made, or the full ones are recycled.
const FREE_FILES_MIN: usize = 2;
const SUFFIX: &str = "journal";
const UNFINISHED: &str = "new";

/// One file.
pub(crate) struct JournalFile {
    pub(crate) number: u32,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// For whole blocks only: past the page cache, which a start would wait for to be filled.
    pub(crate) writer: Arc<dyn DiskFile>,
    /// Through the page cache.
    pub(crate) reader: Arc<dyn DiskFile>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    Free,
    Current,
    Full,
    Abandoned,
}

/// What the commit thread is told while it changes files.
pub(crate) enum Wait {
    /// A file is wanted now, or was taken: look whether another one should be made.
    Wanted,
    /// There will be none soon.
    Stuck(Error),
}

/// How large the journal may become, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) first: u64,
    pub(crate) file_max: u64,
    pub(crate) files_max: usize,
    /// Of all files; the three that a journal needs are made all the same.
    pub(crate) journal_max: u64,
}

/// Where a commit lies or will lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Position {
    pub(crate) file: u32,
    pub(crate) offset: u64,
    pub(crate) lsn: u64,
    /// The commit there has this incarnation or a higher one; lower ones are of a former life.
    pub(crate) incarnation: u32,
}

/// See the module.
pub(crate) struct Journal {
    env: Env,
    dir: PathBuf,
    direct: bool,
    state: Mutex<State>,
    freed: Gate,
    stopped: AtomicBool,
    /// Never taken while `state` is held.
    roster: Mutex<Keep>,
    /// The newest commit that was written.
    written_lsn: AtomicU64,
    /// The newest commit known to be durable.
    durable_lsn: AtomicU64,
}

#[derive(Default)]
struct State {
    files: BTreeMap<u32, (Arc<JournalFile>, Use)>,
    /// Start of the current file.
    current: Position,
    /// Bytes used of the current file.
    current_used: u64,
    /// Bytes that the commit thread waits for.
    wanted: Option<u64>,
    /// Why it will wait long.
    stuck: Option<Error>,
    making: bool,
}

impl State {
    /// Files that only a checkpoint frees. Not the one that was current last, even when the commit
    /// thread has left it and waits for the next: the position that a checkpoint names is in it.
    fn waiting_for_checkpoint(&self) -> impl Iterator<Item = &Arc<JournalFile>> {
        let used = |u: &Use| matches!(u, Use::Full | Use::Abandoned);
        let current = self.current.file;
        self.files.values().filter(move |(f, u)| used(u) && f.number != current).map(|(f, _)| f)
    }

    /// The size of the largest file that is free, or will be after a checkpoint.
    fn largest_to_come(&self) -> u64 {
        let to_come = |(file, u): &&(Arc<JournalFile>, Use)| {
            file.number != self.current.file && *u != Use::Abandoned
        };
        self.files.values().filter(to_come).map(|(file, _)| file.bytes).max().unwrap_or(0)
    }

    fn free(&self) -> usize {
        self.files.values().filter(|(_, u)| *u == Use::Free).count()
    }
}

impl Journal {
    /// The journal in `dir`, which must exist, with no files known yet.
    pub(crate) fn new(env: &Env, dir: PathBuf, direct: bool) -> Self {
        Self {
            env: env.clone(),
            dir,
            direct,
            state: Mutex::default(),
            freed: env.gate(),
            stopped: AtomicBool::new(false),
            roster: Mutex::new(Keep::new(direct)),
            written_lsn: AtomicU64::new(0),
            durable_lsn: AtomicU64::new(0),
        }
    }

    /// Goes on with the roster that a start found.
    pub(crate) fn adopt(&self, roster: Roster) {
        self.roster.lock().now = roster;
    }

    /// What the roster says.
    pub(crate) fn roster(&self) -> Roster {
        self.roster.lock().now.clone()
    }

    fn note(&self, change: impl FnOnce(&mut Roster)) -> io::Result<()> {
        self.roster.lock().change(&self.env, &self.dir, change)
    }

    /// Writes down that an incarnation begins: with these files, and nothing in doubt that is older
    /// than its first commit, but for logs that may be lost whole.
    pub(crate) fn note_start(&self, relaxed: bool, lacks_logs: bool) -> io::Result<()> {
        let files = self.all().iter().map(|file| (file.number, file.bytes)).collect();
        let durable_lsn = self.durable_lsn.load(Ordering::Relaxed);
        self.note(|roster| {
            let before = std::mem::take(roster);
            *roster = Roster { relaxed, lacks_logs, durable_lsn, files, ..before };
        })
    }

    /// Writes down that every log is there whose owner wants it.
    pub(crate) fn note_complete(&self) -> io::Result<()> {
        if !self.roster.lock().now.lacks_logs {
            return Ok(());
        }
        self.note(|roster| roster.lacks_logs = false)
    }

    /// Says that the commits up to this one are durable.
    pub(crate) fn synced(&self, lsn: u64) {
        self.durable_lsn.store(lsn, Ordering::Release);
    }

    /// Writes down which commits are durable, unless the roster says so already.
    pub(crate) fn note_durable(&self) -> io::Result<()> {
        let durable_lsn = self.durable_lsn.load(Ordering::Relaxed);
        let mut roster = self.roster.lock();
        if roster.now.durable_lsn == durable_lsn {
            return Ok(());
        }
        roster.change(&self.env, &self.dir, |roster| roster.durable_lsn = durable_lsn)
    }

    /// Opens the files that exist, all of them free, and removes unfinished ones.
    pub(crate) fn load(&self) -> io::Result<Vec<Arc<JournalFile>>> {
        let how = if self.direct { Open::WriteDirect } else { Open::Write };
        for path in self.env.disk.list(&self.dir)? {
            if path.extension().is_some_and(|e| e == UNFINISHED) {
                self.env.disk.remove(&path)?;
            }
        }
        let files = self.open_all(how)?;
        let mut state = self.state.lock();
        state.files = files.iter().map(|f| (f.number, (Arc::clone(f), Use::Free))).collect();
        Ok(files)
    }

    /// Opens the files that exist, for reading only.
    pub(crate) fn peek(&self) -> io::Result<Vec<Arc<JournalFile>>> {
        self.open_all(Open::Read)
    }

    fn open_all(&self, how: Open) -> io::Result<Vec<Arc<JournalFile>>> {
        let mut files = Vec::new();
        for path in self.env.disk.list(&self.dir)? {
            if let Some(number) = number_of(&path) {
                files.push(self.open_file(number, path, how)?);
            }
        }
        Ok(files)
    }

    fn open_file(&self, number: u32, path: PathBuf, how: Open) -> io::Result<Arc<JournalFile>> {
        let writer = self.env.disk.open(&path, how)?;
        let reader = self.env.disk.open(&path, Open::Read)?;
        let bytes = reader.len()? / BLOCK_BYTES as u64 * BLOCK_BYTES as u64;
        Ok(Arc::new(JournalFile { number, path, bytes, writer, reader }))
    }

    /// Makes a file of at least `bytes` and adds it to the free ones.
    pub(crate) fn make(&self, bytes: u64) -> io::Result<()> {
        let number = {
            let mut state = self.state.lock();
            let next = state.files.keys().next_back().map_or(Some(0), |last| last.checked_add(1));
            let next = next.ok_or_else(|| io::Error::other("journal files have no number left"))?;
            state.making = true;
            next
        };
        let made = self.prefill(number, bytes.next_multiple_of(PREFILL_BYTES as u64));
        // Listed before it is used.
        let listed = |roster: &mut Roster, bytes| _ = roster.files.insert(number, bytes);
        let made = made.and_then(|file| {
            self.note(|roster| listed(roster, file.bytes))?;
            Ok(file)
        });
        let mut state = self.state.lock();
        state.making = false;
        state.files.insert(number, (made?, Use::Free));
        drop(state);
        self.freed.notify_all();
        Ok(())
    }

    fn prefill(&self, number: u32, bytes: u64) -> io::Result<Arc<JournalFile>> {
        let disk = &self.env.disk;
        let unfinished = self.dir.join(format!("{number:04}.{UNFINISHED}"));
        if let Err(e) = self.write_zeros(&unfinished, bytes) {
            // Give the space back: on a full disk it is what others need.
            drop(disk.remove(&unfinished));
            return Err(e);
        }
        let path = path_of(&self.dir, number);
        disk.rename(&unfinished, &path)?;
        disk.sync_dir(&self.dir)?;
        self.open_file(number, path, if self.direct { Open::WriteDirect } else { Open::Write })
    }

    fn write_zeros(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let how = if self.direct { Open::WriteDirect } else { Open::Write };
        let file = self.env.disk.open(path, how)?;
        let mut zeros = Buffer::default();
        let zeros = zeros.take(PREFILL_BYTES);
        zeros.fill(0);
        for offset in (0..bytes).step_by(PREFILL_BYTES) {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(io::Error::other("the engine is closing"));
            }
            file.write_at(zeros, offset)?;
        }
        file.sync_data()
    }

    /// Marks what recovery found: files with live commits, and where the next commit goes.
    pub(crate) fn resume(&self, live: &[u32], current: Position, used: u64) {
        let mut state = self.state.lock();
        for number in live {
            if let Some((_, used_for)) = state.files.get_mut(number) {
                *used_for = Use::Full;
            }
        }
        if let Some((_, used_for)) = state.files.get_mut(&current.file) {
            *used_for = Use::Current;
        }
        state.current = current;
        state.current_used = used;
    }

    /// Every file.
    pub(crate) fn all(&self) -> Vec<Arc<JournalFile>> {
        self.state.lock().files.values().map(|(file, _)| Arc::clone(file)).collect()
    }

    /// Whether a file is free that holds `bytes`.
    pub(crate) fn has_free(&self, bytes: u64) -> bool {
        let state = self.state.lock();
        state.files.values().any(|(file, u)| *u == Use::Free && file.bytes >= bytes)
    }

    /// The file of this number, while it exists.
    pub(crate) fn file(&self, number: u32) -> Option<Arc<JournalFile>> {
        self.state.lock().files.get(&number).map(|(file, _)| Arc::clone(file))
    }

    /// Notes how far the current file is used, with which commit.
    pub(crate) fn used(&self, offset: u64, lsn: u64) {
        self.written_lsn.store(lsn, Ordering::Release);
        self.state.lock().current_used = offset;
    }

    /// Whether every commit that was written is durable.
    pub(crate) fn is_durable(&self) -> bool {
        self.written_lsn.load(Ordering::Acquire) <= self.durable_lsn.load(Ordering::Acquire)
    }

    /// Leaves the current file and makes the largest free one that holds `bytes` current; waits for
    /// one. `due` is the commit that goes there; `tell` hears what it waits for. None when the
    /// journal was stopped.
    pub(crate) fn switch(
        &self,
        bytes: u64,
        due: Position,
        abandon: bool,
        tell: impl Fn(Wait),
    ) -> Option<Arc<JournalFile>> {
        let mut state = self.state.lock();
        let left = state.current.file;
        if let Some((_, used_for)) = state.files.get_mut(&left)
            && *used_for == Use::Current
        {
            *used_for = if abandon { Use::Abandoned } else { Use::Full };
        }
        loop {
            if self.stopped.load(Ordering::Relaxed) {
                return None;
            }
            let free =
                state.files.values_mut().filter(|(f, u)| *u == Use::Free && f.bytes >= bytes);
            if let Some((file, used_for)) = free.max_by_key(|(f, _)| f.bytes) {
                *used_for = Use::Current;
                let file = Arc::clone(file);
                state.current = Position { file: file.number, offset: 0, ..due };
                state.current_used = 0;
                (state.wanted, state.stuck) = (None, None);
                drop(state);
                tell(Wait::Wanted);
                return Some(file);
            }
            let wanted = state.wanted.replace(bytes).is_none().then_some(Wait::Wanted);
            match wanted.or_else(|| state.stuck.take().map(Wait::Stuck)) {
                Some(wait) => MutexGuard::unlocked(&mut state, || tell(wait)),
                None => self.freed.wait(&mut state),
            }
        }
    }

    /// Gives up the current file, as what was written to it is unknown: it is never written again.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        let current = state.current.file;
        if let Some((_, used_for)) = state.files.get_mut(&current) {
            *used_for = Use::Abandoned;
        }
    }

    /// The start of the current file and the numbers of the files that only a checkpoint frees.
    pub(crate) fn snapshot(&self) -> (Position, Vec<u32>) {
        let state = self.state.lock();
        let full = state.waiting_for_checkpoint().map(|f| f.number).collect();
        (state.current, full)
    }

    /// Frees files whose commits are all in durable segments; those above `files_max`, which starts
    /// had to make, and abandoned ones are removed.
    pub(crate) fn release(&self, numbers: &[u32], files_max: usize) -> io::Result<()> {
        let removed = self.free_or_abandon(numbers, files_max);
        self.freed.notify_all();
        if removed.is_empty() {
            return Ok(());
        }
        // Before they go: a start must not miss them. If this fails they stay abandoned, for the
        // next checkpoint to free.
        self.note(|roster| {
            for file in &removed {
                roster.files.remove(&file.number);
            }
        })?;
        let kept = |number: &u32| removed.iter().all(|file| file.number != *number);
        self.state.lock().files.retain(|number, _| kept(number));
        for file in &removed {
            self.env.disk.remove(&file.path)?;
        }
        self.env.disk.sync_dir(&self.dir)
    }

    /// Those to be removed.
    fn free_or_abandon(&self, numbers: &[u32], files_max: usize) -> Vec<Arc<JournalFile>> {
        let mut removed = Vec::new();
        let mut state = self.state.lock();
        let usable = state.files.values().filter(|(_, u)| *u != Use::Abandoned).count();
        let mut surplus = usable.saturating_sub(files_max);
        for number in numbers {
            match state.files.get_mut(number) {
                Some((_, used_for)) if *used_for == Use::Full && surplus == 0 => {
                    *used_for = Use::Free;
                }
                Some((file, used_for)) if matches!(used_for, Use::Full | Use::Abandoned) => {
                    surplus -= usize::from(*used_for == Use::Full);
                    *used_for = Use::Abandoned;
                    removed.push(Arc::clone(file));
                }
                _ => {}
            }
        }
        removed
    }

    /// Bytes that a restart would have to walk.
    pub(crate) fn live_bytes(&self) -> u64 {
        let state = self.state.lock();
        let full = state.files.values().filter(|(_, u)| *u == Use::Full).map(|(f, _)| f.bytes);
        full.sum::<u64>() + state.current_used
    }

    /// Whether a checkpoint is due: the files that wait for it hold half of the journal, or the
    /// commit thread waits, or (when `calm`) it saves making another file.
    pub(crate) fn wants_checkpoint(&self, calm: bool) -> bool {
        let state = self.state.lock();
        let full: u64 = state.waiting_for_checkpoint().map(|f| f.bytes).sum();
        let total: u64 = state.files.values().map(|(f, _)| f.bytes).sum();
        let scarce = calm && state.free() < FREE_FILES_MIN;
        full > 0 && (full * 2 >= total || state.wanted.is_some() || scarce)
    }

    /// The size of the next file to make, when one is needed: less than two are free, or the commit
    /// thread waits for a larger one than can become free. Sizes double, as far as the whole
    /// journal stays within its share of the disk.
    pub(crate) fn wants_file(&self, sizes: Sizes) -> Option<u64> {
        let state = self.state.lock();
        if state.making {
            return None;
        }
        let usable = state.files.values().filter(|(_, u)| *u != Use::Abandoned);
        let (count, largest, total) = usable.fold((0, 0, 0), |(count, largest, total), (f, _)| {
            (count + 1, f.bytes.max(largest), f.bytes + total)
        });
        let ladder = (largest * 2).min(sizes.file_max).max(sizes.first);
        let left =
            sizes.journal_max.saturating_sub(total) / PREFILL_BYTES as u64 * PREFILL_BYTES as u64;
        let next = ladder.min(left.max(sizes.first));
        if let Some(wanted) = state.wanted.filter(|wanted| *wanted > state.largest_to_come()) {
            return Some(wanted.max(next));
        }
        if state.free() >= FREE_FILES_MIN || count >= sizes.files_max {
            return None;
        }
        (left >= next || count <= FREE_FILES_MIN).then_some(next)
    }

    /// Lets the commit thread answer those whose batches it holds while it waits.
    pub(crate) fn set_stuck(&self, why: Error) {
        self.state.lock().stuck = Some(why);
        self.freed.notify_all();
    }

    /// Whether the commit thread waits for a file.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.state.lock().wanted.is_some()
    }

    /// Ends waits and unfinished files.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        drop(self.state.lock());
        self.freed.notify_all();
    }
}

/// Where the file of this number lies.
pub(crate) fn path_of(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:04}.{SUFFIX}"))
}

fn number_of(path: &Path) -> Option<u32> {
    if path.extension()? != SUFFIX {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

/// An error of the journal with its file.
pub(crate) fn failed(what: &str, path: &Path, e: &io::Error) -> Error {
    let kind = Error::from(io::Error::from(e.kind())).kind();
    Error::new(kind, format!("cannot {what} `{}`: {e}", path.display()))
}
