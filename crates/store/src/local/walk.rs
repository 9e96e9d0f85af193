//! Walks the journal from commit to commit, and tells a torn tail from damage.
//!
//! ```text
//! position --> commit h inline? or at the start of a file, with a higher incarnation? --> h + 1
//! ...
//!          --> neither: the end. Then look past it: a later commit that was written when h was
//!              already synced means that h was acknowledged and is damaged
//! ```
//!
//! A commit is taken whole or not at all. Numbers never repeat within an incarnation; frames of a
//! file's former life have lower numbers, frames behind a dropped tail a lower incarnation. Within
//! one commit the disk may persist blocks in any order, so whole frames behind a torn one are no
//! proof: only a frame that says that h was synced is.

use super::frame::{BLOCK_BYTES, FLAG_CONTROL, FLAG_LAST, HEADER_BYTES, Header, RESTART, Salt};
use super::journal::{JournalFile, Position, failed};
use super::scan::{Window, find_in};
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// Bytes per read.
const WALK_BYTES: usize = 4 << 20;

/// A whole commit.
#[derive(Clone)]
pub(crate) struct Commit {
    pub(crate) file: Arc<JournalFile>,
    lsn: u64,
    incarnation: u32,
    start: u64,
    /// Headers with the offset of their frame.
    pub(crate) frames: Vec<(Header, u64)>,
    end: u64,
}

impl Commit {
    /// Where it lies.
    pub(crate) fn at(&self) -> Position {
        let (lsn, incarnation) = (self.lsn, self.incarnation);
        Position { file: self.file.number, offset: self.start, lsn, incarnation }
    }

    /// Whether it is in this file.
    pub(crate) fn lies_in(&self, file: &JournalFile) -> bool {
        self.file.number == file.number
    }

    /// Whether it is a restart record, which holds nothing.
    pub(crate) fn is_restart(&self) -> bool {
        self.frames.iter().all(|(header, _)| header.is(FLAG_CONTROL) && header.log == RESTART)
    }

    /// Bytes up to where the next one goes.
    pub(crate) fn bytes(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// The newest commit that this one says is durable.
    pub(crate) fn synced_lsn(&self) -> u64 {
        self.frames.first().map_or(0, |(header, _)| header.synced_lsn())
    }

    /// The same commit after it was written to another place.
    pub(crate) fn moved_to(mut self, file: Arc<JournalFile>, start: u64) -> Self {
        for (_, offset) in &mut self.frames {
            *offset = *offset - self.start + start;
        }
        Self { file, end: start + (self.end - self.start), start, ..self }
    }
}

/// See the module.
pub(crate) struct Walk {
    files: Vec<Arc<JournalFile>>,
    /// The first header of each file, by its LSN; of equal ones the highest incarnation first. The
    /// others count as long as that one is torn.
    heads: HashMap<u64, Vec<(u32, Arc<JournalFile>)>>,
    salt: Salt,
    /// The commit that is due, with the incarnation of the last one.
    at: Position,
    incarnation_max: u32,
    /// Loaded bytes of the current file, which is `at.file`.
    window: (u64, Bytes),
}

/// What lies behind the end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    /// Bytes of whole frames that were never acknowledged.
    pub(crate) torn_bytes: u64,
    /// A frame that proves damage: file and offset.
    pub(crate) proof: Option<(std::path::PathBuf, u64)>,
}

impl Walk {
    /// A walk over `files` from a position.
    ///
    /// # Errors
    /// `Corrupt` the file of the position is missing; `Unavailable` a file cannot be read.
    pub(crate) fn new(files: &[Arc<JournalFile>], salt: Salt, at: Position) -> Result<Self> {
        let mut walk = Self {
            files: files.to_vec(),
            heads: HashMap::new(),
            salt,
            at,
            incarnation_max: at.incarnation,
            window: (0, Bytes::new()),
        };
        walk.file(at.file)?;
        for file in files {
            let head = read_header(file, 0, salt).map_err(|e| failed("read", &file.path, &e))?;
            let Some(head) = head else { continue };
            walk.incarnation_max = walk.incarnation_max.max(head.incarnation);
            let heads = walk.heads.entry(head.lsn).or_default();
            let before = heads.partition_point(|(incarnation, _)| *incarnation > head.incarnation);
            heads.insert(before, (head.incarnation, Arc::clone(file)));
        }
        Ok(walk)
    }

    /// Where the next commit is, or would be.
    pub(crate) fn at(&self) -> Position {
        self.at
    }

    /// Moves the end behind what was found without walking to it.
    pub(crate) fn went_to(&mut self, lsn_max: u64, incarnation_max: u32) {
        self.at.lsn = self.at.lsn.max(lsn_max + 1);
        self.incarnation_max = self.incarnation_max.max(incarnation_max);
    }

    /// The highest incarnation seen anywhere.
    pub(crate) fn incarnation_max(&self) -> u32 {
        self.incarnation_max
    }

    fn file(&self, number: u32) -> Result<Arc<JournalFile>> {
        self.files.iter().find(|f| f.number == number).cloned().ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, format!("journal file {number:04} is missing"))
        })
    }

    /// The next commit; None at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Commit>> {
        let inline = self.file(self.at.file)?;
        let heads = self.heads.get(&self.at.lsn).cloned().unwrap_or_default();
        let later = heads.partition_point(|(incarnation, _)| *incarnation > self.at.incarnation);
        let start = |(_, file): &(u32, Arc<JournalFile>)| (Arc::clone(file), 0);
        let places = heads[..later].iter().map(start);
        let places =
            places.chain([(inline, self.at.offset)]).chain(heads[later..].iter().map(start));
        for (file, offset) in places {
            if let Some(commit) = self.read_commit(&file, offset)? {
                return Ok(Some(self.take(commit)));
            }
        }
        Ok(None)
    }

    fn take(&mut self, commit: Commit) -> Commit {
        if commit.file.number != self.at.file {
            self.window = (0, Bytes::new());
        }
        self.incarnation_max = self.incarnation_max.max(commit.incarnation);
        self.at = Position { offset: commit.end, lsn: commit.lsn + 1, ..commit.at() };
        commit
    }

    /// The commit that is due, when it lies whole at this place.
    fn read_commit(&mut self, file: &Arc<JournalFile>, offset: u64) -> Result<Option<Commit>> {
        let read = |e: io::Error| failed("read", &file.path, &e);
        let mut window = Window::new(&*file.writer, file.bytes, WALK_BYTES);
        if file.number == self.at.file {
            window.resume(std::mem::take(&mut self.window));
        }
        let (mut frames, mut at): (Vec<(Header, u64)>, u64) = (Vec::new(), offset);
        let whole = loop {
            let Some((header, body)) = window.frame(at, self.salt).map_err(read)? else {
                break None;
            };
            let due = match frames.first() {
                None => header.lsn == self.at.lsn && header.incarnation >= self.at.incarnation,
                Some((first, _)) => {
                    header.lsn == first.lsn && header.incarnation == first.incarnation
                }
            };
            if !due || !header.fits(&body) {
                break None;
            }
            frames.push((header, at));
            at += header.frame_bytes() as u64;
            if header.is(FLAG_LAST) {
                break Some(header.incarnation);
            }
        };
        if file.number == self.at.file {
            self.window = window.suspend();
        }
        let end = at.next_multiple_of(BLOCK_BYTES as u64);
        let (file, lsn) = (Arc::clone(file), self.at.lsn);
        Ok(whole.map(|incarnation| Commit { file, incarnation, lsn, frames, start: offset, end }))
    }

    /// Looks past the end for what must not be there: at the whole rest of the file that the walk
    /// ended in, and at every other file that does not begin with a commit from before the end. A
    /// file that does holds what the walk went through, or a former life. `every`: at every byte.
    ///
    /// Why so much: any part of a file may have been lost, and what lies behind it alone tells.
    pub(crate) fn look_past(&mut self, every: bool) -> Result<Past> {
        let mut past = Past::default();
        for file in self.files.clone() {
            let read = |e: io::Error| failed("read", &file.path, &e);
            let head = read_header(&file, 0, self.salt).map_err(read)?;
            let start = match head {
                _ if file.number == self.at.file => self.at.offset,
                // Its first block is whole, so its commits are where the walk would have gone,
                // unless the first is damaged behind its header: the one that is due, or a copy
                // that outranks what the walk found.
                Some(head)
                    if !every
                        && head.lsn != self.at.lsn
                        && head.incarnation <= self.at.incarnation =>
                {
                    self.judge(&head, &file, 0, &mut past);
                    continue;
                }
                _ => 0,
            };
            self.look_in(&file, start, &mut past).map_err(read)?;
        }
        Ok(past)
    }

    fn look_in(&mut self, file: &Arc<JournalFile>, start: u64, past: &mut Past) -> io::Result<()> {
        let mut window = Window::new(&*file.writer, file.bytes, WALK_BYTES);
        let mut from = start;
        while let Some((offset, header)) = find_in(&mut window, from, self.salt)? {
            self.judge(&header, file, offset, past);
            from = offset + HEADER_BYTES as u64;
        }
        Ok(())
    }

    fn judge(&mut self, header: &Header, file: &JournalFile, offset: u64, past: &mut Past) {
        self.incarnation_max = self.incarnation_max.max(header.incarnation);
        if header.incarnation < self.at.incarnation || header.lsn < self.at.lsn {
            return;
        }
        if header.synced_lsn() >= self.at.lsn {
            past.proof.get_or_insert_with(|| (file.path.clone(), offset));
        } else {
            past.torn_bytes += header.frame_bytes() as u64;
        }
    }
}

/// The header at an offset of a journal file.
pub(crate) fn read_header(
    file: &JournalFile,
    offset: u64,
    salt: Salt,
) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER_BYTES];
    let read = file.reader.read_at(&mut bytes, offset)?;
    Ok(Header::decode(&bytes[..read], salt))
}
