//! What a damaged journal still holds, when the owner gives up what the damage took.
//!
//! ```text
//! every file, every byte --> intact frames that are due --> in order of their commits
//!   --> without those that a later incarnation made void --> replay, each log by itself
//! ```
//!
//! A frame is taken alone, not its commit: damage takes the batches it lies in and, of the same
//! logs, what comes behind them. Costs a pass over the whole journal and 100 bytes of memory a
//! frame.

use super::frame::{HEADER_BYTES, Header, Salt};
use super::journal::{JournalFile, Position, failed};
use super::scan::{Window, find_in};
use crate::Result;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Bytes per read.
const SALVAGE_BYTES: usize = 4 << 20;

/// What was looked through.
#[derive(Default)]
pub(crate) struct Salvaged {
    /// Files with frames that were due.
    pub(crate) files: Vec<u32>,
    pub(crate) lsn_max: u64,
    pub(crate) incarnation_max: u32,
}

/// Hands every intact frame from the commit that was due at `at` on to `take`, in order.
///
/// # Errors
/// `Unavailable` a file cannot be read.
pub(crate) fn salvage(
    files: &[Arc<JournalFile>],
    salt: Salt,
    at: Position,
    mut take: impl FnMut(&Header, &JournalFile, u64),
) -> Result<Salvaged> {
    let mut found = Vec::new();
    for (n, file) in files.iter().enumerate() {
        let frames = frames_in(file, salt, at).map_err(|e| failed("read", &file.path, &e))?;
        found.extend(frames.into_iter().map(|(offset, header)| (header, n, offset)));
    }
    found.sort_by_key(|(header, n, offset)| (header.lsn, header.incarnation, *n, *offset));
    let begins = begins_of(&found, at);
    let mut salvaged = Salvaged::default();
    for (header, n, offset) in &found {
        salvaged.incarnation_max = salvaged.incarnation_max.max(header.incarnation);
        let mut later = begins.range(header.incarnation + 1..).map(|(_, begin)| *begin);
        if later.any(|begin| begin <= header.lsn) {
            continue;
        }
        let file = &files[*n];
        salvaged.lsn_max = salvaged.lsn_max.max(header.lsn);
        if !salvaged.files.contains(&file.number) {
            salvaged.files.push(file.number);
        }
        take(header, file, *offset);
    }
    Ok(salvaged)
}

/// Where each incarnation begins, as far as frames tell.
fn begins_of(found: &[(Header, usize, u64)], at: Position) -> BTreeMap<u32, u64> {
    let mut begins = BTreeMap::from([(at.incarnation, at.lsn.saturating_sub(1))]);
    for (header, _, _) in found {
        let begin = begins.entry(header.incarnation).or_insert(header.lsn);
        *begin = (*begin).min(header.lsn);
    }
    begins
}

/// The intact frames of a file that are due.
fn frames_in(file: &JournalFile, salt: Salt, at: Position) -> io::Result<Vec<(u64, Header)>> {
    let mut frames = Vec::new();
    let mut window = Window::new(&*file.writer, file.bytes, SALVAGE_BYTES);
    let mut from = 0;
    while let Some((offset, header)) = find_in(&mut window, from, salt)? {
        let due = header.lsn >= at.lsn && header.incarnation >= at.incarnation;
        let whole = match due {
            true => window.frame(offset, salt)?.is_some_and(|(_, body)| header.fits(&body)),
            false => false,
        };
        if whole {
            frames.push((offset, header));
        }
        from = offset + if whole { header.frame_bytes() } else { HEADER_BYTES } as u64;
    }
    Ok(frames)
}
