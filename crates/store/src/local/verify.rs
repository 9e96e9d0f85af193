//! Checks every checksum of a data directory, offline and without changing anything.
//!
//! ```text
//! checkpoint copies, roster --> journal: the walk of a start, then every byte past its end
//!   --> each log's segments: frames, bodies, footers, dense ordinals up to the checkpoint's,
//!       and nothing behind the end of the log
//! ```

use super::checkpoint::{Checkpoint, Row};
use super::engine;
use super::frame::{BLOCK_BYTES, FLAG_CONTROL, FLAG_GAP, HEADER_BYTES, Header, Salt};
use super::index::Index;
use super::journal::{Journal, JournalFile, failed};
use super::recovery;
use super::remains::{self, Known};
use super::roster::Roster;
use super::scan::{CHUNK_BYTES, Scan, Seen, Window};
use super::segment::{Segment, dir_of};
use super::walk::Walk;
use crate::data_dir::DataDir;
use crate::{Damage, ErrorKind, LogId, Result};
use base::Env;
use base::env::{DiskFile, Open};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Whole batches of the journal.
    pub journal_batches: u64,
    /// Whole batches of segments.
    pub segment_batches: u64,
    /// Records in segments.
    pub segment_records: u64,
    /// Bytes of torn commits at the end of the journal: dropped at the next start, not damage.
    pub torn_bytes: u64,
    /// Logs that hold records, or did.
    pub logs: BTreeSet<LogId>,
    /// Everything that is not what was written.
    pub damages: Vec<Damage>,
}

/// How far `verify` is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The file that comes next.
    pub path: &'a Path,
    /// Bytes read so far.
    pub bytes: u64,
}

/// Walks an open data directory, writing nothing.
///
/// `progress` is called before each file.
///
/// # Errors
/// `Corrupt` when no copy of the checkpoint is intact: without it nothing else can be told apart;
/// `Unavailable` the disk refused. Damage is no error but in the report.
pub fn verify(directory: &DataDir, mut progress: impl FnMut(Progress<'_>)) -> Result<Report> {
    let (dir, env) = (directory.path(), directory.env());
    let journal_dir = engine::journal_dir(dir);
    let mut check =
        Check { env, salt: Salt(0), report: Report::default(), progress: &mut progress };
    let Some(checkpoint) = Checkpoint::load(env, &journal_dir)? else {
        check.nothing(&journal_dir)?;
        return Ok(check.report);
    };
    check.salt = checkpoint.salt;
    check.copies(&journal_dir)?;
    // As `Logs::written`: those that are not empty but for a gap.
    let written = checkpoint.rows.iter().filter(|row| row.last_arrival_ms > 0);
    check.report.logs = written.map(|row| row.id).collect();
    let tails = check.journal(&journal_dir, &checkpoint)?;
    check.segments(&engine::segments_dir(dir), &checkpoint.rows, &tails)?;
    Ok(check.report)
}

/// What the journal says of the logs.
#[derive(Default)]
struct Tails {
    next_ordinals: BTreeMap<LogId, u64>,
    removed: HashSet<LogId>,
    /// Segments may know more.
    relaxed: bool,
}

impl Tails {
    fn note(&mut self, header: &Header, control: bool) {
        if control {
            self.next_ordinals.remove(&header.log);
            self.removed.insert(header.log);
        } else {
            let next = self.next_ordinals.entry(header.log).or_default();
            *next = header.end_ordinal().max(*next);
        }
    }
}

struct Check<'a> {
    env: &'a Env,
    salt: Salt,
    report: Report,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Check<'_> {
    fn damage(&mut self, path: &Path, offset: u64, what: impl Into<String>) {
        self.report.damages.push(Damage { file: path.to_owned(), offset, what: what.into() });
    }

    fn begin(&mut self, path: &Path, file_bytes: u64) {
        (self.progress)(Progress { path, bytes: self.report.bytes });
        self.report.files += 1;
        self.report.bytes += file_bytes;
    }

    /// Without a checkpoint there must be nothing yet.
    fn nothing(&mut self, dir: &Path) -> Result<()> {
        let files = match self.env.disk.exists(dir) {
            Ok(true) => Journal::new(self.env, dir.to_owned(), false).peek(),
            Ok(false) => Ok(Vec::new()),
            Err(e) => Err(e),
        };
        let files = files.map_err(|e| failed("read", dir, &e))?;
        match recovery::refuse_used(self.env, dir, &files) {
            Err(e) if e.kind() == ErrorKind::Corrupt => self.damage(dir, 0, e.to_string()),
            refused => refused?,
        }
        Ok(())
    }

    fn copies(&mut self, dir: &Path) -> Result<()> {
        let (damaged, _) = Checkpoint::check(self.env, dir).map_err(|e| failed("read", dir, &e))?;
        for path in damaged {
            self.damage(&path, 0, "the copy of the checkpoint is not intact");
        }
        Ok(())
    }

    /// Walks the journal.
    fn journal(&mut self, dir: &Path, checkpoint: &Checkpoint) -> Result<Tails> {
        let journal = Journal::new(self.env, dir.to_owned(), false);
        let files = journal.peek().map_err(|e| failed("read", dir, &e))?;
        for file in &files {
            self.begin(&file.path, file.bytes);
        }
        let roster = self.roster(dir, &files)?;
        let mut tails = Tails { relaxed: roster.relaxed, ..Tails::default() };
        let walk = Walk::new(&files, self.salt, checkpoint.at);
        let mut walk = match walk {
            Ok(walk) => walk,
            Err(e) => {
                self.damage(dir, 0, e.to_string());
                return Ok(Tails { relaxed: true, ..tails });
            }
        };
        while let Some(commit) = walk.next()? {
            for (header, _) in &commit.frames {
                let control = header.is(FLAG_CONTROL);
                self.report.journal_batches += u64::from(!control);
                tails.note(header, control);
                match control {
                    true => _ = self.report.logs.remove(&header.log),
                    false if header.is(FLAG_GAP) => {}
                    false => _ = self.report.logs.insert(header.log),
                }
            }
        }
        let past = walk.look_past(true)?;
        self.report.torn_bytes = past.torn_bytes;
        let known =
            past.proof.map(|(proof, offset)| format!("`{}` offset {offset}", proof.display()));
        let vouched = roster.durable_lsn >= walk.at().lsn;
        if let Some(known) = known.or(vouched.then(|| "the roster".to_owned())) {
            let at = walk.at();
            let path = files.iter().find(|f| f.number == at.file).map(|f| f.path.clone());
            let what = format!("commit {} is damaged or missing: {known} knew it", at.lsn);
            self.damage(&path.unwrap_or_default(), at.offset, what);
            // What the segments have behind it is told already.
            tails.relaxed = true;
        }
        Ok(tails)
    }

    /// The roster; what is wrong with it, and with the files that it lists.
    fn roster(&mut self, dir: &Path, files: &[Arc<JournalFile>]) -> Result<Roster> {
        let read = |e: std::io::Error| failed("read the roster in", dir, &e);
        let found = recovery::roster_of(self.env, dir, files);
        match &found {
            Err(e) if e.kind() == ErrorKind::Corrupt => self.damage(dir, 0, e.to_string()),
            Err(e) => return Err(e.clone()),
            Ok(_) => {
                let (path, damaged) = Roster::check(self.env, dir).map_err(read)?;
                for offset in damaged {
                    self.damage(&path, offset, "this slot of the roster is not intact");
                }
            }
        }
        Ok(found.unwrap_or_default())
    }

    fn segments(&mut self, dir: &Path, rows: &[Row], tails: &Tails) -> Result<()> {
        let mut rows: BTreeMap<LogId, Row> = rows.iter().map(|row| (row.id, *row)).collect();
        rows.retain(|id, _| !tails.removed.contains(id));
        for row in rows.values() {
            self.log(&dir_of(dir, row.id), row)?;
        }
        if tails.relaxed {
            return Ok(());
        }
        let logs = remains::logs_in(self.env, dir).map_err(|e| failed("list", dir, &e))?;
        for (id, log_dir) in logs {
            let mut known = rows.get(&id).map(Known::of_row).unwrap_or_default();
            let next_ordinal = tails.next_ordinals.get(&id).copied();
            if known == Known::default() && next_ordinal.is_none() {
                // Removed, as far as this can be told here.
                continue;
            }
            known.next_ordinal = known.next_ordinal.max(next_ordinal.unwrap_or_default());
            let found = remains::look(self.env, self.salt, (id, &log_dir), &known);
            for remain in found.map_err(|e| failed("read", &log_dir, &e))? {
                self.damage(&remain.path, remain.offset, remain.what);
            }
        }
        Ok(())
    }

    fn log(&mut self, dir: &Path, row: &Row) -> Result<()> {
        let exists = self.env.disk.exists(dir).map_err(|e| failed("read", dir, &e))?;
        let listed = if exists { self.env.disk.list(dir) } else { Ok(Vec::new()) };
        let listed = listed.map_err(|e| failed("list", dir, &e))?;
        let mut list: Vec<Segment> = listed.iter().filter_map(|p| Segment::parse(p)).collect();
        list.sort_by_key(|s| s.first_ordinal);
        // Remains of a spill that the checkpoint does not know: the journal has their records.
        list.retain(|s| s.first_ordinal < row.spilled_to);
        let mut next = row.first_ordinal.min(row.spilled_to);
        for (n, segment) in list.iter().enumerate() {
            let end = list.get(n + 1).map_or(row.spilled_to, |s| s.first_ordinal);
            if end <= row.first_ordinal {
                // Trimmed, not yet removed; what follows it may have been trimmed unwritten.
                continue;
            }
            if segment.first_ordinal > next {
                let what = format!("ordinals {next} to {} are missing", segment.first_ordinal - 1);
                self.damage(&dir.join(segment.name()), 0, what);
            }
            self.segment(&dir.join(segment.name()), row, *segment, end)?;
            next = end.max(next);
        }
        if next < row.spilled_to {
            let what = format!("ordinals {next} to {} are missing", row.spilled_to - 1);
            self.damage(dir, 0, what);
        }
        Ok(())
    }

    fn segment(&mut self, path: &Path, row: &Row, segment: Segment, end: u64) -> Result<()> {
        let read = |e: std::io::Error| failed("read", path, &e);
        let file = self.env.disk.open(path, Open::Read).map_err(read)?;
        let len = file.len().map_err(read)?;
        self.begin(path, len);
        let frames_end = self.frames_end(&*file, len).map_err(read)?;
        let mut next = segment.first_ordinal;
        let mut scan =
            Scan::new(Window::new(&*file, frames_end, CHUNK_BYTES), 0, self.salt, row.id);
        let mut at = 0;
        while next < end {
            match scan.next().map_err(read)? {
                Some(Seen::Frame { offset, header, body }) => {
                    at = offset + header.frame_bytes() as u64;
                    if header.first_ordinal > next {
                        let what =
                            format!("ordinals {next} to {} are missing", header.first_ordinal - 1);
                        self.damage(path, offset, what);
                    }
                    if header.fits(&body) {
                        self.report.segment_batches += 1;
                        let gap = header.is(FLAG_GAP);
                        self.report.segment_records += u64::from(header.records) * u64::from(!gap);
                    } else {
                        let ordinal = header.first_ordinal;
                        self.damage(
                            path,
                            offset,
                            format!("the batch of ordinal {ordinal} is altered"),
                        );
                    }
                    next = header.end_ordinal();
                }
                Some(Seen::Damage { offset }) => {
                    self.damage(path, offset, "these bytes are no batch");
                }
                None => {
                    self.damage(path, at, format!("ordinals {next} to {} are missing", end - 1));
                    break;
                }
            }
        }
        let is_last = end == row.spilled_to;
        if !is_last {
            self.footer(path, &*file, len).map_err(read)?;
        }
        Ok(())
    }

    fn frames_end(&self, file: &dyn DiskFile, len: u64) -> std::io::Result<u64> {
        Ok(Index::read_footer(file, self.salt)?.map_or(len, |footer| footer.end_offset))
    }

    /// A sealed segment may have lost its footer to a crash; one that is there must be intact.
    fn footer(&mut self, path: &Path, file: &dyn DiskFile, len: u64) -> std::io::Result<()> {
        let present = !len.is_multiple_of(BLOCK_BYTES as u64) && len > HEADER_BYTES as u64;
        if present && Index::read_footer(file, self.salt)?.is_none() {
            self.damage(path, len, "the index is damaged (it is made anew when it is needed)");
        }
        Ok(())
    }
}
