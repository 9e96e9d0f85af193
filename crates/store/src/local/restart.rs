//! The begin of an incarnation: what the journal ends with is made certain, what lies behind is
//! void.
//!
//! ```text
//! the last commit is certain --> a restart record behind it, or in the place of the last one
//! it is not: nobody says that its sync succeeded --> the same frames under the same number and the
//!   new incarnation to the start of another file, synced: from now on that file counts; behind
//!   them a restart record
//! it is not, and no file is free --> everything to the segments, as a clean shutdown does, and a
//!   restart record behind the end: a server that is killed again and again uses up no disk
//! ```
//!
//! Why not sync the file again: after a kill -9 the tail is whole in the page cache but perhaps not
//! on the disk; if the sync failed then, the kernel takes the lost pages for clean and a second
//! sync succeeds without saving anything. Why not write it again in place: a block that holds
//! acknowledged bytes is never rewritten.

use super::ballast::Ballast;
use super::commit::Committer;
use super::engine::Engine;
use super::frame::{BLOCK_BYTES, FLAG_LAST, HEADER_BYTES, RESTART};
use super::journal::{JournalFile, Position, failed};
use super::queue::Entry;
use super::shard::LocalLog;
use super::walk::Commit;
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::sync::Arc;

/// Files that a journal needs to go on while one is being freed.
const FILES_MIN: usize = 3;

/// Begins the incarnation of `next`, the position behind the last commit; `unproven` are the last
/// commits, of which nobody says that they are durable. The committer and those commits
/// where they are now. A file that fails is left, as a running engine leaves it: once.
///
/// # Errors
/// `Full`, `Unavailable` the disk refused; `Corrupt` a commit cannot be read again.
pub(crate) fn restart(
    engine: &Arc<Engine>,
    next: Position,
    unproven: &[Commit],
) -> Result<(Committer, Vec<Commit>)> {
    let begun = match unproven.first() {
        None => behind(engine, next).map(|committer| (committer, Vec::new())),
        Some(_) => copy(engine, next, unproven),
    };
    match begun {
        Err(e) if e.kind() == ErrorKind::Unavailable => {
            tracing::error!(error = %e, "a journal file failed: beginning in another one");
            engine.journal.abandon();
            let next = Position { incarnation: next.incarnation + 1, ..next };
            match unproven.first() {
                None => elsewhere(engine, next).map(|committer| (committer, Vec::new())),
                Some(_) => copy(engine, next, unproven),
            }
        }
        begun => begun,
    }
}

/// Writes commits again in other files.
fn copy(
    engine: &Arc<Engine>,
    next: Position,
    unproven: &[Commit],
) -> Result<(Committer, Vec<Commit>)> {
    let due = Position { lsn: unproven[0].at().lsn, offset: 0, ..next };
    let places = places(engine, due, unproven)?;
    let mut committer = Committer::new(engine, Arc::clone(&places[0].0), due);
    let mut rewritten = Vec::new();
    // Why from back to front, each file's first commit after the others are on the disk: as soon as
    // a file's first commit is whole, the file counts in the place of what it was copied from.
    for (commit, (file, offset)) in unproven.iter().zip(places).rev() {
        let (entries, total) = (entries_of(commit)?, commit.bytes());
        let begins = offset == 0;
        let followed = rewritten.last().is_some_and(|next: &Commit| next.lies_in(&file));
        if begins && followed {
            file.writer.sync_data().map_err(|e| unwritten(engine, &e))?;
        }
        let written = committer.rewrite(&entries, total, &file, Position { offset, ..commit.at() });
        let synced = written.and_then(|()| if begins { file.writer.sync_data() } else { Ok(()) });
        synced.map_err(|e| unwritten(engine, &e))?;
        rewritten.push(commit.clone().moved_to(file, offset));
    }
    rewritten.reverse();
    let last = rewritten.last().expect("there are commits to rewrite");
    committer.go_on_behind(last);
    restart_record(engine, &mut committer)?;
    Ok((committer, rewritten))
}

/// Where each commit goes, with room for a restart record behind it. Before any of them is written,
/// so that a disk without room changes nothing.
fn places(
    engine: &Engine,
    due: Position,
    commits: &[Commit],
) -> Result<Vec<(Arc<JournalFile>, u64)>> {
    let mut places: Vec<(Arc<JournalFile>, u64)> = Vec::with_capacity(commits.len());
    let mut end = 0;
    for commit in commits {
        let bytes = (commit.bytes() + BLOCK_BYTES) as u64;
        let place = match places.last() {
            Some((file, _)) if end + bytes <= file.bytes => (Arc::clone(file), end),
            _ => (free_file(engine, bytes, Position { lsn: commit.at().lsn, ..due })?, 0),
        };
        end = place.1 + commit.bytes() as u64;
        places.push(place);
    }
    Ok(places)
}

/// A restart record behind the last commit.
fn behind(engine: &Arc<Engine>, next: Position) -> Result<Committer> {
    let current = engine.journal.file(next.file);
    let fits = |f: &Arc<JournalFile>| next.offset + BLOCK_BYTES as u64 <= f.bytes;
    let Some(file) = current.filter(fits) else { return elsewhere(engine, next) };
    let mut committer = Committer::new(engine, file, next);
    restart_record(engine, &mut committer)?;
    Ok(committer)
}

/// Says that everything before it is durable.
fn restart_record(engine: &Engine, committer: &mut Committer) -> Result<()> {
    let written = committer.write_synced(&[Entry::control(RESTART)], BLOCK_BYTES);
    written.map_err(|e| unwritten(engine, &e))
}

/// A restart record at the start of another file.
///
/// # Errors
/// As [`restart`].
pub(crate) fn elsewhere(engine: &Arc<Engine>, next: Position) -> Result<Committer> {
    let file = free_file(engine, BLOCK_BYTES as u64, next)?;
    let at = Position { file: file.number, offset: 0, ..next };
    let mut committer = Committer::new(engine, file, at);
    restart_record(engine, &mut committer)?;
    Ok(committer)
}

/// Whether the last commits should go to the segments because the journal has no file for them:
/// only when it has as many as it needs, and the disk has room.
///
/// # Errors
/// `Unavailable` the disk refused to tell its room.
pub(crate) fn needs_room(engine: &Engine, unproven: &[Commit]) -> Result<bool> {
    let Some(first) = unproven.first() else { return Ok(false) };
    let journal = &engine.journal;
    if journal.has_free((first.bytes() + BLOCK_BYTES) as u64) || journal.all().len() < FILES_MIN {
        return Ok(false);
    }
    let dir = &engine.segments_dir;
    let space = engine.env.disk.space(dir).map_err(|e| failed("read the room of", dir, &e))?;
    Ok(space.free_bytes > journal.live_bytes() + engine.options.journal_first_bytes)
}

/// Adds a gap to every log and makes it durable.
///
/// # Errors
/// `Full`, `Unavailable` the disk refused.
pub(crate) fn write_gaps(engine: &Arc<Engine>, committer: &mut Committer) -> Result<()> {
    let mut logs: Vec<_> = engine.logs.lock().values().cloned().collect();
    logs.sort_by_key(|log| log.id);
    for some in logs.chunks((engine.options.commit_bytes_max / HEADER_BYTES).max(1)) {
        let gap = |log: &Arc<LocalLog>| Entry::gap(log, &log.state.lock());
        let entries: Vec<Entry> = some.iter().map(gap).collect();
        let total = (entries.len() * HEADER_BYTES).next_multiple_of(BLOCK_BYTES);
        if !committer.has_room(total) {
            committer.go_to(free_file(engine, total as u64, committer.at())?);
        }
        committer.write_shown(some, entries, total).map_err(|e| unwritten(engine, &e))?;
    }
    Ok(())
}

/// Makes another file current, a new one when none is free: on a full disk a small one, in the room
/// that is kept for that, since an engine that does not start can never free anything.
fn free_file(engine: &Engine, bytes: u64, due: Position) -> Result<Arc<JournalFile>> {
    let (journal, first_bytes) = (&engine.journal, engine.options.journal_first_bytes);
    let make = |bytes| {
        let made = journal.make(bytes);
        made.map_err(|e| failed("extend", &engine.journal_dir, &e))
    };
    if !journal.has_free(bytes) {
        match make(bytes.max(first_bytes)) {
            Err(e) if e.kind() == ErrorKind::Full => {
                let mut ballast = Ballast::new(&engine.env, &engine.journal_dir, first_bytes);
                ballast.make_room(|| make(bytes))?;
            }
            made => made?,
        }
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
