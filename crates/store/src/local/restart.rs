//! The begin of an incarnation: what the journal ends with is made certain, what lies behind is
//! void.
//!
//! ```text
//! the last commit is certain (clean shutdown) --> a restart record behind it, synced
//! it is not: nobody says that its sync succeeded --> the same frames under the same number and the
//!   new incarnation to the start of another file, synced: from now on that file counts
//! ```
//!
//! Why not sync the file again: after a kill -9 the tail is whole in the page cache but perhaps not
//! on the disk; if the sync failed then, the kernel takes the lost pages for clean and a second
//! sync succeeds without saving anything. Why not write it again in place: a block that holds
//! acknowledged bytes is never rewritten.

use super::commit::Committer;
use super::engine::Engine;
use super::frame::{BLOCK_BYTES, FLAG_LAST, HEADER_BYTES};
use super::journal::{JournalFile, Position, failed};
use super::queue::Entry;
use super::walk::Commit;
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::sync::Arc;

/// Begins the incarnation of `next`, the position behind the last commit; `unproven` are the last
/// commits, of which nobody says that they are durable. The commit thread's state and those commits
/// where they are now.
///
/// # Errors
/// `Full`, `Unavailable` the disk refused; `Corrupt` a commit cannot be read again.
pub(crate) fn restart(
    engine: &Arc<Engine>,
    next: Position,
    unproven: Vec<Commit>,
) -> Result<(Committer, Vec<Commit>)> {
    let Some(first) = unproven.first() else {
        return Ok((behind(engine, next)?, Vec::new()));
    };
    let due = Position { lsn: first.at().lsn, ..next };
    let file = free_file(engine, first.bytes(), due)?;
    let mut committer = Committer::new(engine, file, Position { offset: 0, ..due });
    let mut rewritten = Vec::new();
    for commit in unproven {
        if !committer.has_room(commit.bytes()) {
            committer.sync_written().map_err(|e| unwritten(engine, &e))?;
            let file = free_file(engine, commit.bytes(), committer.at())?;
            committer.move_to(file);
        }
        let (entries, total) = (entries_of(&commit)?, commit.bytes());
        let at = committer.at().offset;
        let file = committer.rewrite(&entries, total).map_err(|e| unwritten(engine, &e))?;
        rewritten.push(commit.moved_to(file, at));
    }
    committer.sync_written().map_err(|e| unwritten(engine, &e))?;
    Ok((committer, rewritten))
}

/// A restart record behind the last commit.
fn behind(engine: &Arc<Engine>, next: Position) -> Result<Committer> {
    let current = engine.journal.file(next.file);
    let fits = |f: &Arc<JournalFile>| next.offset + BLOCK_BYTES as u64 <= f.bytes;
    let (file, at) = match current.filter(fits) {
        Some(file) => (file, next),
        None => (free_file(engine, BLOCK_BYTES, next)?, Position { offset: 0, ..next }),
    };
    let mut committer = Committer::new(engine, file, at);
    let restart = [Entry::control(super::frame::RESTART)];
    let begun = committer.rewrite(&restart, BLOCK_BYTES).and_then(|_| committer.sync_written());
    begun.map_err(|e| unwritten(engine, &e))?;
    Ok(committer)
}

/// Makes another file current, a new one when none is free.
fn free_file(engine: &Engine, bytes: usize, due: Position) -> Result<Arc<JournalFile>> {
    let (journal, bytes) = (&engine.journal, bytes as u64);
    if !journal.has_free(bytes) {
        let made = journal.make(bytes.max(engine.options.journal_first_bytes));
        made.map_err(|e| failed("extend", &engine.journal_dir, &e))?;
    }
    let file = journal.switch(bytes, due, false, |_| ());
    file.ok_or_else(|| Error::new(ErrorKind::Internal, "the journal was stopped"))
}

fn unwritten(engine: &Engine, e: &std::io::Error) -> Error {
    failed("write", &engine.journal_dir, e)
}

/// The frames of a commit as they were handed over.
fn entries_of(commit: &Commit) -> Result<Vec<Entry>> {
    let mut entries = Vec::with_capacity(commit.frames.len());
    for (header, offset) in &commit.frames {
        let mut body = vec![0; header.body_bytes as usize];
        let read = commit.file.reader.read_at(&mut body, offset + HEADER_BYTES as u64);
        read.map_err(|e| failed("read", &commit.file.path, &e))?;
        if !header.fits(&body) {
            let path = commit.file.path.display();
            let message = format!("`{path}` offset {offset}: reads differ");
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        entries.push(Entry {
            id: header.log,
            log: None,
            first_ordinal: header.first_ordinal,
            arrival_ms: header.arrival_ms,
            records: header.records,
            body_crc: header.body_crc,
            flags: header.flags & !FLAG_LAST,
            body: Bytes::from(body),
        });
    }
    Ok(entries)
}
