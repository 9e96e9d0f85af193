//! The tail cache: a bound on the bodies that all logs together keep in memory, oldest out first.
//!
//! ```text
//! commits: [ old: spill asked for | young ] --past the bound--> bodies dropped
//! ```
//!
//! The bodies live in the logs' tails; this only remembers, per commit, whose they are. Only
//! whoever commits touches it, so it has no lock of its own. Logs whose batches reach the older
//! half are spilled while their bodies are still here: nothing is read back for it, and what stands
//! in memory for records that only the journal has stays bounded, too.

use super::keeper::Keeper;
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
    /// Commits at the front whose logs were asked to spill, and their bytes.
    old: usize,
    old_bytes: usize,
}

struct Commit {
    /// Logs and up to which ordinal this commit filled them.
    logs: Vec<(Arc<LocalLog>, u64)>,
    bytes: usize,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { commits: VecDeque::new(), bytes: 0, bytes_max, old: 0, old_bytes: 0 }
    }

    /// Counts a commit of `batches` batches and drops the oldest bodies past the bound.
    pub(crate) fn add(
        &mut self,
        logs: Vec<(Arc<LocalLog>, u64)>,
        (batches, frame_bytes): (usize, usize),
        keeper: &Keeper,
    ) {
        let bytes = frame_bytes + batches * BATCH_OVERHEAD_BYTES;
        self.bytes += bytes;
        self.commits.push_back(Commit { logs, bytes });
        while self.bytes - self.old_bytes > self.bytes_max / 2 {
            let Some(commit) = self.commits.get(self.old) else { break };
            self.old += 1;
            self.old_bytes += commit.bytes;
            for (log, to) in &commit.logs {
                log.ask_spill(*to, keeper);
            }
        }
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.commits.pop_front() else { return };
            self.bytes -= oldest.bytes;
            self.old -= 1;
            self.old_bytes -= oldest.bytes;
            for (log, to) in oldest.logs {
                log.state.lock().tail.evict(to);
            }
        }
    }
}
