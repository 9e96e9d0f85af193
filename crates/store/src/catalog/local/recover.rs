//! From the files of a catalog to its rows, or to the reason why not. Reads only.
//!
//! ```text
//! newest whole snapshot (sequence s) --> frames s+1, s+2, ... of the logs, without a gap --> rows
//!   --> at least up to what the witness says
//! ```
//!
//! What is provable: every snapshot names its last frame, every log its first one, and sequences
//! are dense. A frame is written only after the one before it was synced, so a whole frame beyond a
//! damaged one shows that the damaged one had been acknowledged: that is corruption. Damage that
//! nothing whole follows is the torn end of the log, which nobody was told about, unless one of the
//! frame's two copies is whole, or the witness knows of it.
//!
//! A log begins behind the last frame that counts: what an older log holds from there on is of a
//! commit whose sync failed, and void.

use super::files::{self, Listing};
use super::format::{
    self, BLOCK_BYTES, FILE_HEADER_BYTES, FORMAT, FRAMES_AT, FileHeader, FileKind, HeaderError,
};
use super::witness::{self, Said};
use crate::catalog::rows::Rows;
use crate::{Damage, Error, ErrorKind, Result};
use base::env::{Disk, Open};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the files say.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    pub(super) rows: Rows,
    /// Sequence of the last frame in `rows`.
    pub(super) sequence: u64,
    /// Sequence of the snapshot that they were built on; `None` when from the beginning.
    pub(super) snapshot: Option<u64>,
    /// Whether frames were added to that snapshot.
    pub(super) replayed: bool,
    /// What is not as it was written, though nothing is missing from the rows.
    pub(super) damages: Vec<Damage>,
    /// Files with bytes that could not be read: kept, whatever happens.
    pub(super) unreadable: BTreeSet<PathBuf>,
    /// What the witness says; `None` without one.
    pub(super) said: Option<Said>,
    /// Whether `snapshot` was made beside a witness.
    witnessed: bool,
}

impl Recovered {
    /// Whether every frame of the rows is known to be durable: the last one may be of a commit
    /// whose sync failed, and then in the page cache only, unless a snapshot has it, which is
    /// synced before it gets its name.
    pub(super) fn is_proven(&self) -> bool {
        let said = self.said.map_or(0, |said| said.sequence);
        self.sequence <= said || self.snapshot == Some(self.sequence)
    }

    /// The frame behind which everything is void when the last one cannot be proven: nobody was
    /// told of it. `None` when it counts all the same.
    pub(super) fn void_after(&self) -> Option<u64> {
        let said = self.said?.sequence;
        self.snapshot.is_none_or(|snapshot| snapshot <= said).then_some(said)
    }
}

/// Why the rows cannot be known, with all damage that was met.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) error: Error,
    /// Damage that was met, and last the one that could not be repaired.
    pub(super) damages: Vec<Damage>,
}

/// How much of the directory is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Depth {
    /// What the rows need.
    Needed,
    /// The older generation too, to find damage before it is needed.
    Everything,
}

/// Reads a catalog's directory; frames behind `last` are left out.
pub(super) fn recover(
    disk: &dyn Disk,
    dir: &Path,
    (depth, last): (Depth, u64),
) -> std::result::Result<Recovered, Box<Refused>> {
    let mut recovery = Recovery { disk, depth, last, state: Recovered::default(), last_bad: None };
    match recovery.run(dir) {
        Ok(()) => Ok(recovery.state),
        Err(error) => {
            let mut damages = recovery.state.damages;
            damages.extend(recovery.last_bad.filter(|bad| !damages.contains(bad)));
            Err(Box::new(Refused { error, damages }))
        }
    }
}

struct Recovery<'a> {
    disk: &'a dyn Disk,
    depth: Depth,
    last: u64,
    state: Recovered,
    /// Where frames may have been lost, for the message when they turn out to be needed.
    last_bad: Option<Damage>,
}

impl Recovery<'_> {
    fn run(&mut self, dir: &Path) -> Result<()> {
        let listing = files::list(self.disk, dir)?;
        self.hear_witness(&witness::path(dir))?;
        let newest = self.load_snapshot(&listing)?;
        let base = self.state.sequence;
        if listing.logs.is_empty() && listing.snapshots.is_empty() {
            return self.refuse_lost(dir);
        }
        self.need_log(dir, &listing, base + 1)?;
        // A snapshot ends where a log ends: logs that start before its end hold nothing beyond it.
        for (n, (start, path)) in listing.logs.iter().enumerate() {
            let end = listing.logs.get(n + 1).map_or(u64::MAX, |(next, _)| *next);
            if *start > base || self.depth == Depth::Everything {
                self.replay_log((*start, end), path, base)?;
            }
        }
        self.state.replayed = self.state.sequence > base;
        let known = self.state.said.map_or(0, |said| said.sequence).max(newest);
        if self.state.sequence < known {
            let missing = damage(&files::log_path(dir, base + 1), 0, "the log is missing");
            self.last_bad.get_or_insert(missing);
            return Err(self.lost(known + 1));
        }
        Ok(())
    }

    fn hear_witness(&mut self, path: &Path) -> Result<()> {
        let heard = witness::read(self.disk, path).inspect_err(|e| {
            self.state.damages.push(damage(path, 0, &e.to_string()));
        })?;
        let Some(seen) = heard else { return Ok(()) };
        for at in seen.damaged {
            let what = "one of two copies of where the catalog ends is damaged";
            self.state.damages.push(damage(path, at, what));
        }
        self.state.said = Some(seen.said);
        Ok(())
    }

    /// A catalog is there before the records are: none beside them was lost, and a new one would
    /// name logs by numbers that others had.
    fn refuse_lost(&mut self, dir: &Path) -> Result<()> {
        let records = dir.with_file_name(crate::data_dir::RECORDS);
        let is_new = self.state.said.is_none_or(|said| said.sequence == 0);
        let exists = self.disk.exists(&records).and_then(|there| match there {
            true => self.disk.list(&records).map(|all| !all.iter().all(|p| witness::is_part(p))),
            false => Ok(false),
        });
        if is_new && !exists.map_err(|e| files::failed("read", &records, &e))? {
            return Ok(());
        }
        let what = format!(
            "the catalog of `{}` is missing: put back a copy of the directory",
            records.display()
        );
        self.state.damages.push(damage(dir, 0, &what));
        Err(Error::new(ErrorKind::Corrupt, format!("`{}`: {what}", dir.display())))
    }

    /// Loads the newest whole snapshot; answers the sequence of the newest one there is.
    fn load_snapshot(&mut self, listing: &Listing) -> Result<u64> {
        let newest = listing.snapshots.last().map_or(0, |(sequence, _)| *sequence);
        for (sequence, path) in listing.snapshots.iter().rev() {
            let loaded = self.state.snapshot.is_some();
            if loaded && self.depth == Depth::Needed {
                break;
            }
            match self.read_snapshot(*sequence, path)? {
                Some((rows, header)) if !loaded => {
                    self.state.rows = rows;
                    self.state.sequence = *sequence;
                    self.state.snapshot = Some(*sequence);
                    self.state.witnessed = header.witnessed;
                }
                _ => {}
            }
        }
        Ok(newest)
    }

    fn read_snapshot(&mut self, sequence: u64, path: &Path) -> Result<Option<(Rows, FileHeader)>> {
        let Some(bytes) = self.read(path) else {
            return Ok(None);
        };
        let header = match FileHeader::decode(&bytes, FileKind::Snapshot) {
            Ok(header) if header.sequence == sequence => header,
            Err(HeaderError::Newer(version)) => return Err(newer(path, version)),
            _ => {
                self.unreadable(path, 0, "the snapshot's header is damaged");
                return Ok(None);
            }
        };
        let body = &bytes[FILE_HEADER_BYTES..];
        let mut rows = Rows::default();
        let whole = body.len() as u64 == header.body_bytes
            && crc32c::crc32c(body) == header.body_crc
            && format::decode_rows(body, |key, value| rows.set(key, value));
        if !whole {
            self.unreadable(path, FILE_HEADER_BYTES, "the snapshot's rows are damaged");
        }
        Ok(whole.then_some((rows, header)))
    }

    /// Without a witness every state has a log that starts right after it, made before the snapshot
    /// was; with one a missing log is told by what it held.
    fn need_log(&mut self, dir: &Path, listing: &Listing, start: u64) -> Result<()> {
        let witnessed = self.state.witnessed || self.state.said.is_some();
        if witnessed || listing.logs.iter().any(|(first, _)| *first == start) {
            return Ok(());
        }
        let missing = damage(&files::log_path(dir, start), 0, "the log is missing");
        self.last_bad.get_or_insert(missing);
        Err(self.lost(start + 1))
    }

    /// A log that was made beside a witness whose witness is gone: nobody can tell where it ends.
    fn need_witness(&mut self, path: &Path) -> Result<()> {
        if self.state.said.is_some() {
            return Ok(());
        }
        let witness = witness::path(path.parent().unwrap_or(path));
        let what = format!(
            "it says where the catalog ends and is missing beside `{}`: put back a copy of the \
             directory",
            path.display()
        );
        self.state.damages.push(damage(&witness, 0, &what));
        Err(Error::new(ErrorKind::Corrupt, format!("`{}`: {what}", witness.display())))
    }

    fn replay_log(&mut self, (start, end): (u64, u64), path: &Path, base: u64) -> Result<()> {
        if start > self.state.sequence + 1 {
            return Err(self.lost(start));
        }
        let Some(bytes) = self.read(path) else {
            return self.give_up_log(start, base);
        };
        let Some(header) = self.read_log_header(start, path, &bytes)? else {
            return self.give_up_log(start, base);
        };
        if header.witnessed {
            self.need_witness(path)?;
        }
        let mut walk = Walk { bytes: &bytes, at: FRAMES_AT, next: start, header };
        let mut walked_to = walk.at;
        while let Some(step) = walk.step() {
            let sequence = step.frame.sequence;
            if sequence >= end || sequence > self.last {
                break;
            }
            match step.bad_at {
                Some(at) if step.lost => {
                    self.unreadable(path, at, &format!("frames before {sequence} are damaged"));
                }
                Some(at) => {
                    let what = format!("one of two copies of frame {sequence} is damaged");
                    self.state.damages.push(damage(path, at, &what));
                }
                None => {}
            }
            self.apply(step.frame, base, path, step.at)?;
            walked_to = walk.at;
        }
        self.last_bad = Some(damage(path, walked_to, "the log ends here, too early"));
        Ok(())
    }

    /// A log that cannot be read at all: fine only when the snapshot holds all that it held.
    fn give_up_log(&self, start: u64, base: u64) -> Result<()> {
        if start > base { Err(self.lost(start + 1)) } else { Ok(()) }
    }

    fn read_log_header(
        &mut self,
        start: u64,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Option<FileHeader>> {
        let mut found = None;
        for at in [0, BLOCK_BYTES] {
            match FileHeader::decode(bytes.get(at..).unwrap_or_default(), FileKind::Log) {
                Ok(header) if header.sequence == start => found = Some(header),
                Err(HeaderError::Newer(version)) => return Err(newer(path, version)),
                _ => {
                    let what = "one of two copies of the log's header is damaged";
                    self.state.damages.push(damage(path, at, what));
                }
            }
        }
        if found.is_none() {
            self.unreadable(path, 0, "the log's header is damaged in both copies");
        }
        Ok(found)
    }

    fn apply(&mut self, frame: format::Frame<'_>, base: u64, path: &Path, at: usize) -> Result<()> {
        let wanted = self.state.sequence + 1;
        if frame.sequence <= base {
            return Ok(());
        }
        if frame.sequence > wanted {
            return Err(self.lost(frame.sequence));
        }
        let rows = &mut self.state.rows;
        if frame.sequence < wanted || !format::decode_rows(frame.body, |k, v| rows.set(k, v)) {
            self.last_bad = Some(damage(path, at, "a whole frame does not belong here"));
            return Err(self.lost(wanted + 1));
        }
        self.state.sequence = wanted;
        Ok(())
    }

    /// The error for missing frames up to `before`, exclusive.
    fn lost(&self, before: u64) -> Error {
        let first = self.state.sequence + 1;
        let bad = self.last_bad.clone().unwrap_or_else(|| damage(Path::new(""), 0, "nothing"));
        let message = format!(
            "catalog file `{}` is corrupt at offset {}: {}; the acknowledged transactions of frames \
             {first} to {} are not there: put back a copy of the file",
            bad.file.display(),
            bad.offset,
            bad.what,
            before - 1
        );
        Error::new(ErrorKind::Corrupt, message)
    }

    fn read(&mut self, path: &Path) -> Option<Vec<u8>> {
        match read_file(self.disk, path) {
            Ok(bytes) => Some(bytes),
            Err(e) => {
                self.unreadable(path, 0, &format!("cannot be read: {e}"));
                None
            }
        }
    }

    fn unreadable(&mut self, path: &Path, at: usize, what: &str) {
        let bad = damage(path, at, what);
        self.state.unreadable.insert(path.to_owned());
        self.state.damages.push(bad.clone());
        self.last_bad = Some(bad);
    }
}

fn damage(path: &Path, at: usize, what: &str) -> Damage {
    Damage { file: path.to_owned(), offset: at as u64, what: what.to_owned() }
}

fn newer(path: &Path, version: u32) -> Error {
    let message = format!(
        "catalog file `{}` has format {version}, this program reads up to {FORMAT}: use the program \
         that wrote it, or a later one",
        path.display()
    );
    Error::new(ErrorKind::Invalid, message)
}

fn read_file(disk: &dyn Disk, path: &Path) -> std::io::Result<Vec<u8>> {
    let file = disk.open(path, Open::Read)?;
    let mut bytes = vec![0; usize::try_from(file.len()?).map_err(std::io::Error::other)?];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// A walk over the frames of one log.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    next: u64,
    header: FileHeader,
}

struct Step<'a> {
    frame: format::Frame<'a>,
    at: usize,
    /// Where a copy is damaged.
    bad_at: Option<usize>,
    /// Whether frames before this one are lost.
    lost: bool,
}

impl<'a> Walk<'a> {
    fn frame_at(&self, at: usize) -> Option<format::Frame<'a>> {
        format::decode_frame(self.bytes.get(at..)?, self.header.incarnation)
    }

    fn step(&mut self) -> Option<Step<'a>> {
        let start = self.at;
        let at = (start..self.bytes.len())
            .step_by(BLOCK_BYTES)
            .find(|at| self.frame_at(*at).is_some_and(|frame| frame.sequence >= self.next))?;
        let frame = self.frame_at(at)?;
        let len = format::frame_bytes(frame.body.len());
        let lost = frame.sequence > self.next;
        let twin = self.frame_at(at + len) == Some(frame);
        let bad_at = match (at > start, twin) {
            (true, _) => Some(start),
            (false, false) => Some(at + len),
            (false, true) => None,
        };
        // A frame without a twin that does not start where it should is a second copy.
        self.at = if twin || at == start { at + 2 * len } else { at + len };
        self.next = frame.sequence + 1;
        Some(Step { frame, at, bad_at, lost })
    }
}
