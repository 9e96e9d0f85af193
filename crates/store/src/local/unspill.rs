//! What the keeper does when the sync of segments fails: those written since the last checkpoint
//! are in doubt.
//!
//! ```text
//! sync fails --> walk the journal from the last checkpoint
//!   --> logs' tails say again what is only there --> the segments in doubt are removed
//!   --> spill into new files --> sync again
//!   --> fails again: the same once more, so that readers read the journal, then read-only
//! ```
//!
//! Why not sync again: after a failed sync the kernel takes the lost pages for clean. The journal
//! itself was synced commit by commit, and no file of it is recycled before a checkpoint.

use super::checkpoint::{Checkpoint, Row};
use super::engine::Engine;
use super::frame::FLAG_CONTROL;
use super::segment::Segment;
use super::shard::LocalLog;
use super::tail::TailBatch;
use super::walk::Walk;
use crate::{Error, ErrorKind, LogId, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// Tries to read the journal: without it readers would be told of damage that is none.
const READ_TRIES: usize = 3;

impl Engine {
    /// Makes the logs forget what was spilled since `checkpoint`, the last one that is durable.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt` the journal cannot be walked.
    pub(crate) fn unspill(&self, checkpoint: &Checkpoint) -> Result<()> {
        let mut journal = self.batches_since(checkpoint);
        for _ in 1..READ_TRIES {
            if journal.is_ok() {
                break;
            }
            journal = self.batches_since(checkpoint);
        }
        let mut journal = journal?;
        let logs: Vec<Arc<LocalLog>> = self.logs.lock().values().cloned().collect();
        for log in logs {
            let row = checkpoint.rows.binary_search_by_key(&log.id, |row| row.id);
            let row = row.ok().map(|at| checkpoint.rows[at]);
            log.unspill(row, journal.remove(&log.id).unwrap_or_default())?;
        }
        Ok(())
    }

    fn batches_since(&self, checkpoint: &Checkpoint) -> Result<HashMap<LogId, Vec<TailBatch>>> {
        let mut found: HashMap<LogId, Vec<TailBatch>> = HashMap::new();
        let mut walk = Walk::new(&self.journal.all(), self.salt, checkpoint.at)?;
        while let Some(commit) = walk.next()? {
            for (header, offset) in &commit.frames {
                match header.is(FLAG_CONTROL) {
                    true => drop(found.remove(&header.log)),
                    false => found.entry(header.log).or_default().push(TailBatch::in_journal(
                        header,
                        commit.file.number,
                        *offset,
                    )),
                }
            }
        }
        Ok(found)
    }
}

impl LocalLog {
    fn unspill(&self, row: Option<Row>, mut journal: Vec<TailBatch>) -> Result<()> {
        let _spilling = self.spilling.lock();
        let (to, arrival_ms) = row.map_or((0, 0), |row| (row.spilled_to, row.last_arrival_ms));
        if self.state.lock().tail.spilled_to() == to {
            return Ok(());
        }
        journal.retain(|batch| batch.first_ordinal >= to);
        if !self.state.lock().tail.continues(to, &journal) {
            let message = format!("the journal lacks records of log {} from {to} on", self.id.0);
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let stale: Vec<Segment> = self.with_segments(|segments, list| {
            self.state.lock().tail.unspill(to, arrival_ms, journal);
            // The last segment that stays may end in doubt: it grows no more.
            segments.active_bytes = 0;
            let kept = list.partition_point(|s| s.first_ordinal < to);
            let stale = list.split_off(kept);
            segments.orphans.extend(&stale);
            stale
        })?;
        for segment in stale {
            self.engine.open_files.forget((self.id, segment.first_ordinal));
            self.engine.metrics.segments.dec();
        }
        // When it fails the next spill or checkpoint tries again.
        drop(self.remove_orphans());
        Ok(())
    }
}
