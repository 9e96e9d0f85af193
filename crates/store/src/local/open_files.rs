//! Segments that are open, with their index: the ones used last, at most so many.

use super::index::Index;
use crate::LogId;
use base::env::{Disk, DiskFile, Open};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// One open segment.
pub(crate) struct OpenSegment {
    /// Through the page cache, for reading.
    pub(crate) file: Arc<dyn DiskFile>,
    /// For whole blocks only; opened when the segment grows.
    pub(crate) writer: OnceLock<Arc<dyn DiskFile>>,
    pub(crate) path: PathBuf,
    /// Made when the first reader needs it; the spiller extends it when it is there.
    pub(crate) index: Mutex<Option<Arc<Index>>>,
}

impl OpenSegment {
    /// The handle for whole blocks.
    ///
    /// Why past the page cache, if the owner lets it: a growing file's pages are allocated one by
    /// one, which took a third of the time of a busy engine, and the newest records are read from
    /// memory anyway.
    pub(crate) fn writer(&self, disk: &dyn Disk, how: Open) -> io::Result<&Arc<dyn DiskFile>> {
        if let Some(writer) = self.writer.get() {
            return Ok(writer);
        }
        let opened = disk.open(&self.path, how)?;
        Ok(self.writer.get_or_init(|| opened))
    }
}

/// A segment's name: its log and its first ordinal.
pub(crate) type SegmentKey = (LogId, u64);

/// See the module.
pub(crate) struct OpenFiles {
    state: Mutex<State>,
    open_max: usize,
}

#[derive(Default)]
struct State {
    open: HashMap<SegmentKey, (Arc<OpenSegment>, u64)>,
    uses: u64,
}

impl OpenFiles {
    pub(crate) fn new(open_max: usize) -> Self {
        Self { state: Mutex::default(), open_max: open_max.max(2) }
    }

    /// The open segment, if it is.
    pub(crate) fn get(&self, key: SegmentKey) -> Option<Arc<OpenSegment>> {
        let mut state = self.state.lock();
        state.uses += 1;
        let now = state.uses;
        state.open.get_mut(&key).map(|(segment, used)| {
            *used = now;
            Arc::clone(segment)
        })
    }

    /// Keeps a segment that was just opened; the one that another thread opened first wins.
    pub(crate) fn put(&self, key: SegmentKey, segment: OpenSegment) -> Arc<OpenSegment> {
        self.keep(&mut self.state.lock(), key, segment)
    }

    /// Keeps a segment that was just made, in the place of one that is open under its name.
    pub(crate) fn replace(&self, key: SegmentKey, segment: OpenSegment) -> Arc<OpenSegment> {
        let mut state = self.state.lock();
        state.open.remove(&key);
        self.keep(&mut state, key, segment)
    }

    fn keep(&self, state: &mut State, key: SegmentKey, segment: OpenSegment) -> Arc<OpenSegment> {
        state.uses += 1;
        let now = state.uses;
        if state.open.len() >= self.open_max && !state.open.contains_key(&key) {
            // Why a scan: opening a file costs more than looking at a thousand numbers.
            let oldest = state.open.iter().min_by_key(|(_, (_, used))| *used).map(|(k, _)| *k);
            oldest.and_then(|oldest| state.open.remove(&oldest));
        }
        let (kept, used) = state.open.entry(key).or_insert_with(|| (Arc::new(segment), now));
        *used = now;
        Arc::clone(kept)
    }

    /// Closes a segment; readers that have it keep it.
    pub(crate) fn forget(&self, key: SegmentKey) {
        self.state.lock().open.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_one_used_longest_ago_is_closed() {
        let env = testkit::fake_env(1).env();
        let open = || OpenSegment {
            file: env.disk.open(Path::new("/f"), Open::Write).unwrap(),
            writer: OnceLock::new(),
            path: PathBuf::new(),
            index: Mutex::default(),
        };
        let files = OpenFiles::new(2);
        let first = files.put((LogId(1), 0), open());
        files.put((LogId(2), 0), open());
        assert!(Arc::ptr_eq(&first, &files.put((LogId(1), 0), open())));
        files.put((LogId(3), 0), open());
        assert!(files.get((LogId(2), 0)).is_none());
        assert!(files.get((LogId(1), 0)).is_some() && files.get((LogId(3), 0)).is_some());
        let again = files.replace((LogId(1), 0), open());
        assert!(!Arc::ptr_eq(&first, &again));
        assert!(Arc::ptr_eq(&again, &files.put((LogId(1), 0), open())));
        files.forget((LogId(1), 0));
        assert!(files.get((LogId(1), 0)).is_none());
    }
}
