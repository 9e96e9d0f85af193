//! The tail cache: a bound on the bodies that all logs together keep in memory, oldest out first.
//!
//! The bodies live in the logs' tails; this only remembers, per commit, whose they are. Only the
//! commit thread touches it, so it has no lock.

use super::shard::LocalLog;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a cached batch costs beside its frame.
const BATCH_OVERHEAD_BYTES: usize = 128;

/// See the module.
pub(crate) struct Cache {
    commits: VecDeque<Commit>,
    bytes: usize,
    bytes_max: usize,
}

struct Commit {
    /// Logs and up to which ordinal this commit filled them.
    logs: Vec<(Arc<LocalLog>, u64)>,
    bytes: usize,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { commits: VecDeque::new(), bytes: 0, bytes_max }
    }

    /// Counts a commit's bodies and drops the oldest ones past the bound.
    pub(crate) fn add(
        &mut self,
        logs: Vec<(Arc<LocalLog>, u64)>,
        frame_bytes: usize,
        batches: usize,
    ) {
        let bytes = frame_bytes + batches * BATCH_OVERHEAD_BYTES;
        self.bytes += bytes;
        self.commits.push_back(Commit { logs, bytes });
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.commits.pop_front() else { return };
            self.bytes -= oldest.bytes;
            for (log, to) in oldest.logs {
                log.state.lock().tail.evict(to);
            }
        }
    }
}
