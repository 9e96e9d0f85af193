//! What segments know that the journal and the checkpoint do not, after a stop that was no clean
//! one.
//!
//! ```text
//! each log's newest segment --> its last frame --> within what the journal replays: spilled again
//!                                             \--> behind it: the journal has lost commits
//! ```
//!
//! Only what was durable is ever written to a segment, unless commits were acknowledged before they
//! were synced. So a frame, or a file, that begins behind the end of its log proves that the
//! journal does not have what it had, and is perhaps the only copy of it: the start is refused and
//! nothing is cut. Where the end is known to be in doubt (relaxed durability, or damage that the
//! owner gave up) what lies behind it goes, before records of this life take the same names.

use super::checkpoint::Row;
use super::engine::Engine;
use super::frame::{HEADER_BYTES, Header, Salt, find_header};
use super::journal::failed;
use super::segment::{Segment, Segments, list};
use super::shard::State;
use crate::{Error, ErrorKind, LogId, Result};
use base::Env;
use base::env::{DiskFile, Open};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Bytes per read, from the end of a segment to its front.
const CHUNK_BYTES: u64 = 1 << 20;

/// How far a log goes, as the journal and the checkpoint say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Known {
    pub(crate) next_ordinal: u64,
    pub(crate) first_ordinal: u64,
    pub(crate) spilled_to: u64,
    pub(crate) active_first: u64,
    pub(crate) active_bytes: u32,
}

impl Known {
    pub(crate) fn of_row(row: &Row) -> Self {
        let Row { first_ordinal, spilled_to, active_first, active_bytes, .. } = *row;
        Self { next_ordinal: spilled_to, first_ordinal, spilled_to, active_first, active_bytes }
    }

    pub(crate) fn of(state: &State, segments: &Segments) -> Self {
        Self {
            next_ordinal: state.durable_next,
            first_ordinal: state.first_ordinal,
            spilled_to: state.tail.spilled_to(),
            active_first: segments.active_first,
            active_bytes: segments.active_bytes,
        }
    }
}

/// A segment with records behind the end of its log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Remain {
    pub(crate) path: PathBuf,
    /// Where they begin, or something before them.
    pub(crate) offset: u64,
    pub(crate) what: String,
    /// What the checkpoint vouches for of the file.
    kept_bytes: u64,
}

/// Refuses segments that know more than `known`, or when `lossy` cuts them to it. The logs that
/// have segments but are not known: removed ones, unless their owner opens them.
///
/// # Errors
/// `Corrupt` naming file and offset; `Unavailable` the disk refused.
pub(crate) fn judge(
    engine: &Engine,
    known: &BTreeMap<LogId, Known>,
    lossy: bool,
) -> Result<BTreeSet<LogId>> {
    let (env, dir) = (&engine.env, &engine.segments_dir);
    let mut strays = BTreeSet::new();
    for (id, log_dir) in logs_in(env, dir).map_err(|e| failed("list", dir, &e))? {
        let Some(known) = known.get(&id) else {
            strays.insert(id);
            continue;
        };
        let found = look(env, engine.salt, (id, &log_dir), known);
        let found = found.map_err(|e| failed("read", &log_dir, &e))?;
        if let Some(remain) = found.first().filter(|_| !lossy) {
            let (path, offset) = (remain.path.display(), remain.offset);
            let message = format!("`{path}` offset {offset}: {}", remain.what);
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        for remain in &found {
            remain.cut(env).map_err(|e| failed("cut", &remain.path, &e))?;
        }
    }
    Ok(strays)
}

/// The logs that have a directory for segments, and it. What else lies there, such as a file
/// system's `lost+found`, is passed over.
pub(crate) fn logs_in(env: &Env, segments: &Path) -> io::Result<Vec<(LogId, PathBuf)>> {
    let mut logs = Vec::new();
    if !env.disk.exists(segments)? {
        return Ok(logs);
    }
    for part in env.disk.list(segments)? {
        if number_of(&part, 2).is_none() {
            continue;
        }
        for path in env.disk.list(&part)? {
            logs.extend(number_of(&path, 16).map(|id| (LogId(id), path)));
        }
    }
    Ok(logs)
}

/// The number that a name of so many hexadecimal digits is.
fn number_of(path: &Path, digits: usize) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    u64::from_str_radix(name, 16).ok().filter(|_| name.len() == digits)
}

/// What of a log's segments lies behind its end.
pub(crate) fn look(
    env: &Env,
    salt: Salt,
    (id, dir): (LogId, &Path),
    known: &Known,
) -> io::Result<Vec<Remain>> {
    let mut found = Vec::new();
    // Ordinals rise from file to file: behind the newest one that does not reach the end there is
    // nothing to find.
    for segment in list(env, dir)?.into_iter().rev() {
        let path = dir.join(segment.name());
        let Some(kept_bytes) = kept_bytes(segment, known) else { break };
        if segment.first_ordinal >= known.next_ordinal && segment.first_ordinal > 0 {
            let what = format!(
                "a segment begins at ordinal {} of log {}, which the journal has up to {}: \
                 acknowledged records are lost",
                segment.first_ordinal, id.0, known.next_ordinal
            );
            found.push(Remain { path, offset: 0, what, kept_bytes });
            continue;
        }
        let file = env.disk.open(&path, Open::Read)?;
        let last = last_frame(&*file, kept_bytes, (salt, id))?;
        let beyond = |(_, header): &(u64, Header)| header.end_ordinal() > known.next_ordinal;
        if let Some((offset, header)) = last.filter(beyond) {
            let what = format!(
                "a segment has records up to ordinal {} of log {}, which the journal has up to {}: \
                 acknowledged records are lost",
                header.end_ordinal(),
                id.0,
                known.next_ordinal
            );
            found.push(Remain { path, offset, what, kept_bytes });
        }
        break;
    }
    Ok(found)
}

/// How many bytes of a segment the checkpoint vouches for, if it may have more.
fn kept_bytes(segment: Segment, known: &Known) -> Option<u64> {
    if segment.first_ordinal == known.active_first && known.active_bytes > 0 {
        return Some(u64::from(known.active_bytes));
    }
    (segment.first_ordinal >= known.spilled_to).then_some(0)
}

/// The last frame of a log in its file, at or behind `from`.
fn last_frame(
    file: &dyn DiskFile,
    from: u64,
    (salt, id): (Salt, LogId),
) -> io::Result<Option<(u64, Header)>> {
    let mut end = file.len()?;
    let mut bytes = Vec::new();
    while end > from {
        let start = from.max(end.saturating_sub(CHUNK_BYTES) / 8 * 8);
        // With what of a header may begin here and end in the piece behind.
        bytes.resize((end - start) as usize + HEADER_BYTES - 8, 0);
        let read = file.read_at(&mut bytes, start)?;
        let (mut at, mut last) = (0, None);
        while let Some((found, header)) = find_header(&bytes[..read], at, salt) {
            if header.log == id {
                last = Some((start + found as u64, header));
            }
            at = found + HEADER_BYTES;
        }
        if last.is_some() {
            return Ok(last);
        }
        end = start;
    }
    Ok(None)
}

impl Remain {
    /// Leaves, durably, what the checkpoint vouches for: the journal has the rest of what is known.
    fn cut(&self, env: &Env) -> io::Result<()> {
        tracing::error!(file = %self.path.display(), offset = self.offset,
            "cutting records whose acknowledgement was lost with the end of the journal");
        if self.kept_bytes == 0 {
            env.disk.remove(&self.path)?;
            return self.path.parent().map_or(Ok(()), |dir| env.disk.sync_dir(dir));
        }
        let file = env.disk.open(&self.path, Open::Write)?;
        file.set_len(self.kept_bytes)?;
        file.sync_data()
    }
}
