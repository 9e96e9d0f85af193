//! Whether the segments are there that a checkpoint vouches for.
//!
//! A single segment that is missing is told when it is read, and the rest stays readable. A log
//! without any was taken away from outside, mostly with all others: then the start is refused, so
//! that nothing is built upon half a data directory.
//!
//! Cost: one listing for each log that has segments.

use super::engine::Engine;
use super::journal::failed;
use super::segment;
use super::shard::LocalLog;
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;

/// Looks for the segments of every recovered log.
///
/// # Errors
/// `Corrupt` naming the directory of a log whose segments are all gone; `Unavailable` it cannot be
/// listed.
pub(crate) fn check(engine: &Engine) -> Result<()> {
    let mut logs: Vec<_> = engine.logs.lock().values().map(Arc::clone).collect();
    logs.sort_by_key(|log| log.id);
    logs.iter().try_for_each(|log| check_log(log))
}

fn check_log(log: &LocalLog) -> Result<()> {
    let (first, end) = {
        let state = log.state.lock();
        (state.first_ordinal, state.tail.spilled_to())
    };
    if first >= end {
        return Ok(());
    }
    let dir = log.dir();
    let list = segment::list(&log.engine.env, &dir).map_err(|e| failed("list", &dir, &e))?;
    if list.iter().any(|segment| segment.first_ordinal < end) {
        return Ok(());
    }
    let (dir, id, last) = (dir.display(), log.id.0, end - 1);
    let message = format!(
        "the segments of log {id} are missing in `{dir}`, with its records {first} to {last}: put \
         back a copy of the whole data directory"
    );
    Err(Error::new(ErrorKind::Corrupt, message))
}
