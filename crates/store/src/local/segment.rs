//! The segment files of one log: names, order, and which part of the log each holds.
//!
//! ```text
//! segments/<id mod 256>/<id>/<first ordinal>-<first arrival ms>.seg     (hexadecimal)
//! ```
//!
//! A segment holds the records from its first ordinal to the next segment's, the last one to where
//! the log was spilled. The list is read when it is first needed: an idle log has none in memory.
//! Ordinals in names are trusted as far as frames confirm them on read.

use super::index::{Index, Source};
use super::journal::failed;
use super::open_files::OpenSegment;
use super::shard::LocalLog;
use crate::{LogId, Result};
use base::Env;
use base::env::Open;
use parking_lot::Mutex;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// One file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) first_ordinal: u64,
    pub(crate) first_arrival_ms: i64,
}

/// A log's files.
#[derive(Default, Debug)]
pub(crate) struct Segments {
    /// In order; None until listed.
    pub(crate) list: Option<Vec<Segment>>,
    /// How many there are, as far as known.
    pub(crate) count: u32,
    /// First ordinal of the one that grows: after a crash in the middle of removals it may be gone
    /// while older ones are still there.
    pub(crate) active_first: u64,
    /// Its bytes; 0 when the next spill starts a new one.
    pub(crate) active_bytes: u32,
    /// Files that are no part of the log and could not be removed yet. A checkpoint waits for them:
    /// a start would take them for segments.
    pub(crate) orphans: Vec<Segment>,
}

/// Directories that a new segment may be the first in, `segments/` included.
pub(crate) const SEGMENT_DIRS: usize = 3;

/// Where `segments/` keeps a log.
pub(crate) fn dir_of(segments: &Path, id: LogId) -> PathBuf {
    segments.join(format!("{:02x}", id.0 & 0xff)).join(format!("{:016x}", id.0))
}

impl Segment {
    /// Its file name.
    pub(crate) fn name(self) -> String {
        format!("{:016x}-{:016x}.seg", self.first_ordinal, self.first_arrival_ms)
    }

    /// The segment of a file name; None when it is not one.
    pub(crate) fn parse(path: &Path) -> Option<Self> {
        let (ordinal, arrival) =
            path.file_name()?.to_str()?.strip_suffix(".seg")?.split_once('-')?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok().filter(|_| text.len() == 16);
        let first_arrival_ms = number(arrival)?.cast_signed();
        Some(Self { first_ordinal: number(ordinal)?, first_arrival_ms })
    }
}

/// The segments in a log's directory, in order; none when there is no directory.
pub(crate) fn list(env: &Env, dir: &Path) -> io::Result<Vec<Segment>> {
    match env.disk.list(dir) {
        Ok(paths) => {
            let mut list: Vec<_> = paths.iter().filter_map(|p| Segment::parse(p)).collect();
            list.sort_by_key(|s| s.first_ordinal);
            Ok(list)
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

impl LocalLog {
    pub(crate) fn dir(&self) -> PathBuf {
        dir_of(&self.engine.segments_dir, self.id)
    }

    /// Runs `with` on the list, which is read first when it was not.
    pub(crate) fn with_segments<T>(
        &self,
        with: impl FnOnce(&mut Segments, &mut Vec<Segment>) -> T,
    ) -> Result<T> {
        let mut segments = self.segments.lock();
        let mut list = match segments.list.take() {
            Some(list) => list,
            None => self.first_list().map_err(|e| failed("list", &self.dir(), &e))?,
        };
        let answer = with(&mut segments, &mut list);
        segments.count = list.len() as u32;
        segments.list = Some(list);
        Ok(answer)
    }

    /// Lists the directory after a start. Segments that begin where the checkpoint says nothing was
    /// spilled are remains of a spill that was not yet durable: the journal has their records.
    fn first_list(&self) -> io::Result<Vec<Segment>> {
        let spilled_to = self.state.lock().tail.spilled_to();
        // Also for what the last process removed: until its directory is synced a power failure
        // brings it back, and a checkpoint that went on behind it would take it for a segment.
        self.engine.unsynced.note_dir(&self.dir());
        let mut list = list(&self.engine.env, &self.dir())?;
        let kept = list.partition_point(|s| s.first_ordinal < spilled_to);
        for stale in list.drain(kept..) {
            self.engine.env.disk.remove(&self.dir().join(stale.name()))?;
        }
        Ok(list)
    }

    /// Removes files that are no part of the log. The caller holds `spilling`.
    pub(crate) fn remove_orphans(&self) -> Result<()> {
        let mut segments = self.segments.lock();
        while let Some(orphan) = segments.orphans.last() {
            let path = self.dir().join(orphan.name());
            self.engine.unsynced.note_dir(&self.dir());
            match self.engine.env.disk.remove(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", &path, &e));
                }
                _ => segments.orphans.pop(),
            };
        }
        Ok(())
    }

    /// The segment that holds `ordinal`, and the ordinal where it ends.
    pub(crate) fn segment_of(&self, ordinal: u64) -> Result<Option<(Segment, u64)>> {
        self.with_segments(|_, list| {
            // Taken while the list is locked: a spill adds a segment before it moves this.
            let spilled_to = self.state.lock().tail.spilled_to();
            let after = list.partition_point(|s| s.first_ordinal <= ordinal);
            let segment = *list.get(after.checked_sub(1)?)?;
            Some((segment, list.get(after).map_or(spilled_to, |next| next.first_ordinal)))
        })
    }

    /// Opens a segment, or finds it open.
    pub(crate) fn open_segment(&self, segment: Segment) -> io::Result<Arc<OpenSegment>> {
        let (files, key) = (&self.engine.open_files, (self.id, segment.first_ordinal));
        if let Some(open) = files.get(key) {
            return Ok(open);
        }
        let path = self.dir().join(segment.name());
        let file = self.engine.env.disk.open(&path, Open::Read)?;
        let writer = OnceLock::new();
        Ok(files.put(key, OpenSegment { file, writer, path, index: Mutex::default() }))
    }

    /// The index of an open segment that ends at ordinal `limit`: from memory, from its footer when
    /// that says the same, or made anew.
    pub(crate) fn index_of(
        &self,
        open: &OpenSegment,
        segment: Segment,
        limit: u64,
    ) -> io::Result<Arc<Index>> {
        let mut slot = open.index.lock();
        if let Some(index) = slot.as_ref().filter(|index| index.looked_to >= limit) {
            return Ok(Arc::clone(index));
        }
        let footer = Index::read_footer(&*open.file, self.engine.salt)?;
        let index = match footer.filter(|footer| footer.end_ordinal == limit) {
            Some(footer) => footer,
            None => Index::build(&*open.file, &self.source_of(segment, limit))?,
        };
        Ok(Arc::clone(slot.insert(Arc::new(index))))
    }

    fn source_of(&self, segment: Segment, limit: u64) -> Source {
        let (salt, log) = (self.engine.salt, self.id);
        Source { salt, log, first_ordinal: segment.first_ordinal, limit, end: u64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        let segment = Segment { first_ordinal: 0xabc, first_arrival_ms: 1_767_225_600_000 };
        assert_eq!(segment.name(), "0000000000000abc-0000019b76daa800.seg");
        assert_eq!(Segment::parse(Path::new("/x").join(segment.name()).as_path()), Some(segment));
        for name in
            ["abc-1.seg", "0000000000000abc.seg", "0000000000000abc-0000019b76daa800", "x.seg"]
        {
            assert_eq!(Segment::parse(Path::new(name)), None, "{name}");
        }
        let dir = dir_of(Path::new("s"), LogId(0x1234));
        assert_eq!(dir, Path::new("s/34/0000000000001234"));
    }
}
