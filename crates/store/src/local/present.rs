//! Whether the segments are there that a checkpoint vouches for.
//!
//! A single segment that is missing is told when it is read, and the rest stays readable. A log
//! whose directory is gone was taken away from outside, mostly with all others: then the start is
//! refused, so that nothing is built upon half a data directory.
//!
//! Cost: one look at a name for each log that has segments.

use super::engine::Engine;
use super::journal::failed;
use super::remains::Known;
use super::segment::dir_of;
use crate::{Error, ErrorKind, LogId, Result};
use std::collections::BTreeMap;

/// Looks for the segments of every log that is known to have some.
///
/// # Errors
/// `Corrupt` naming the directory of a log whose segments are all gone; `Unavailable` the disk
/// refused.
pub(crate) fn check(engine: &Engine, logs: &BTreeMap<LogId, Known>) -> Result<()> {
    for (id, known) in logs {
        let (first, end) = (known.first_ordinal, known.spilled_to);
        let dir = dir_of(&engine.segments_dir, *id);
        if first >= end || engine.env.disk.exists(&dir).map_err(|e| failed("read", &dir, &e))? {
            continue;
        }
        let (dir, id, last) = (dir.display(), id.0, end - 1);
        let message = format!(
            "the segments of log {id} are missing in `{dir}`, with its records {first} to {last}: \
             put back a copy of the whole data directory"
        );
        return Err(Error::new(ErrorKind::Corrupt, message));
    }
    Ok(())
}
