//! Trimming: records are hidden at once, whole segments are removed later.
//!
//! ```text
//! trim --> first ordinal moves (readers: `Trimmed`) --> keeper: checkpoint that says so
//!      --> segments that end at or below it are removed
//! ```
//!
//! A segment is removed only after a durable checkpoint has the new first ordinal: a missing file
//! is then never mistaken for a lost one.

use super::engine::Engine;
use super::journal::failed;
use super::shard::LocalLog;
use crate::Result;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;

impl LocalLog {
    /// See [`crate::Log::trim`]. Reads one index block when the cut lies in a segment.
    pub(crate) fn trim_arrived(&self, arrival_ms: i64) {
        {
            let state = self.state.lock();
            let nothing = state.first_ordinal == state.durable_next;
            if state.removed || nothing || arrival_ms <= state.kept_since_ms {
                return;
            }
        }
        if arrival_ms > self.engine.guard.now_ms() {
            return;
        }
        let first = match self.find_disk(arrival_ms) {
            Ok(first) => first,
            Err(e) => {
                tracing::warn!(log = self.id.0, error = %e, "cannot trim");
                return;
            }
        };
        let moved = {
            let mut state = self.state.lock();
            // Why not more: a batch on its way may have arrived before the cut, and stays.
            state.kept_since_ms = arrival_ms.min(state.durable_arrival_ms).max(state.kept_since_ms);
            let moved = first > state.first_ordinal;
            state.first_ordinal = state.first_ordinal.max(first);
            moved
        };
        if moved {
            self.retire_segments();
        }
    }

    /// See [`crate::Log::trim_to`].
    pub(crate) fn trim_below(&self, ordinal: u64) {
        let moved = {
            let mut state = self.state.lock();
            let first = ordinal.min(state.durable_next);
            let moved = !state.removed && first > state.first_ordinal;
            if moved {
                state.first_ordinal = first;
            }
            moved
        };
        if moved {
            self.retire_segments();
        }
    }

    fn retire_segments(&self) {
        if self.segments.lock().count > 0 {
            self.engine.keeper.retire(self.arc());
        }
    }

    /// Removes segments whose records are all below `first_ordinal`, which a durable checkpoint
    /// has.
    pub(crate) fn remove_below(&self, first_ordinal: u64) -> Result<()> {
        let _spilling = self.spilling.lock();
        let dead = self.with_segments(|segments, list| {
            let spilled_to = self.state.lock().tail.spilled_to();
            let ends = list.iter().skip(1).map(|s| s.first_ordinal).chain([spilled_to]);
            // A log can be asked about again after its last segment is gone.
            let ends = ends.take(list.len());
            let dead = ends.take_while(|end| *end <= first_ordinal).count();
            if dead == list.len() {
                segments.active_bytes = 0;
            }
            list[..dead].to_vec()
        })?;
        for segment in dead {
            self.engine.open_files.forget((self.id, segment.first_ordinal));
            let path = self.dir().join(segment.name());
            self.engine.unsynced.note_dir(&self.dir());
            match self.engine.env.disk.remove(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(failed("remove", &path, &e));
                }
                _ => self.with_segments(|_, list| _ = list.remove(0))?,
            }
            self.engine.metrics.segments.dec();
        }
        Ok(())
    }

    /// Removes the log's directory.
    fn remove_dir(&self) -> Result<()> {
        let _spilling = self.spilling.lock();
        let mut segments = self.segments.lock();
        let dir = self.dir();
        let disk = &self.engine.env.disk;
        disk.remove_dir_all(&dir).map_err(|e| failed("remove", &dir, &e))?;
        for segment in segments.list.take().unwrap_or_default() {
            self.engine.open_files.forget((self.id, segment.first_ordinal));
        }
        for _ in 0..std::mem::take(&mut segments.count) {
            self.engine.metrics.segments.dec();
        }
        segments.list = Some(Vec::new());
        Ok(())
    }
}

/// Removes the directories of logs, as far as it can.
///
/// # Errors
/// The first failure: not all of them are gone for good.
pub(crate) fn remove_files(engine: &Engine, logs: &[Arc<LocalLog>]) -> Result<()> {
    let mut outcome = Ok(());
    for log in logs {
        outcome = outcome.and(log.remove_dir());
    }
    // The owner forgets the logs now: what came back after a power failure would stay for ever.
    let dirs: Vec<_> = logs.iter().map(|log| log.dir()).collect();
    let parents: BTreeSet<_> = dirs.iter().filter_map(|dir| dir.parent()).collect();
    for parent in parents {
        match engine.env.disk.sync_dir(parent) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                outcome = outcome.and(Err(failed("sync", parent, &e)));
            }
            _ => {}
        }
    }
    outcome
}
