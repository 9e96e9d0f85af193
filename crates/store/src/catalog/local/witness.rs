//! How far the catalog goes, said beside the records: `journal/catalog`.
//!
//! A catalog that was cut, rolled back or put back from an older copy is whole in itself. What lies
//! in another directory, and was written after each frame became durable and before anybody heard
//! of it, tells: fewer frames than it says are a loss; more are what nobody was told of.
//!
//! Four places of two equal blocks of 4096 bytes, written in turn. A block, the rest of it zeros:
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | `MWCATEND` |
//! | 8 | 4 | CRC-32C of bytes 0..8 and 16..32 |
//! | 12 | 4 | 0 |
//! | 16 | 8 | turn: how often it was written; the highest counts |
//! | 24 | 8 | sequence of the last durable frame |
//!
//! After a failed sync the newest place may be in the page cache only, so a start says the same
//! again in a new file. Without room for one it says so in the next place: those before it stay.

use super::files;
use crate::{Error, ErrorKind, Result};
use base::env::{Disk, DiskFile, Open};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NAME: &str = "catalog";
/// Beside the journal's own unfinished files, which every start removes.
const UNFINISHED: &str = "catalog.new";
const MAGIC: &[u8; 8] = b"MWCATEND";
const BLOCK_BYTES: usize = 4096;
const PLACES: u64 = 4;
const PLACE_BYTES: usize = 2 * BLOCK_BYTES;

/// What was said last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Said {
    turn: u64,
    /// Every frame up to this one was durable.
    pub(super) sequence: u64,
}

/// What a witness file holds.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) said: Said,
    /// Offsets of blocks that are not what was written.
    pub(super) damaged: Vec<usize>,
}

/// The witness of a catalog that is open.
pub(super) struct Witness {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    turn: u64,
}

/// Where the witness of the catalog in `dir` lies.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.with_file_name(crate::data_dir::RECORDS).join(NAME)
}

/// Whether a file beside the journal's is the witness, finished or not.
pub(super) fn is_part(path: &Path) -> bool {
    path.ends_with(NAME) || path.ends_with(UNFINISHED)
}

/// Reads a witness; `None` when there is none.
///
/// # Errors
/// `Corrupt` nothing in it is whole; `Unavailable` it cannot be read.
pub(super) fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Seen>> {
    let failed = |e: io::Error| files::failed("read", path, &e);
    if !disk.exists(path).map_err(failed)? {
        return Ok(None);
    }
    let mut bytes = vec![0; PLACES as usize * PLACE_BYTES];
    let file = disk.open(path, Open::Read).map_err(failed)?;
    file.read_at(&mut bytes, 0).map_err(failed)?;
    let seen = Seen::of(&bytes).ok_or_else(|| {
        let message = format!("`{}` offset 0: nothing in it is intact", path.display());
        Error::new(ErrorKind::Corrupt, message)
    })?;
    Ok(Some(seen))
}

impl Said {
    fn encode(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[16..24].copy_from_slice(&self.turn.to_le_bytes());
        bytes[24..].copy_from_slice(&self.sequence.to_le_bytes());
        let crc = crc_of(&bytes);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(block: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = block.first_chunk()?;
        let field = |at: usize| bytes[at..].first_chunk().copied().map(u64::from_le_bytes);
        let said = Self { turn: field(16)?, sequence: field(24)? };
        (said.encode() == *bytes).then_some(said)
    }
}

fn crc_of(bytes: &[u8; 32]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..8]), &bytes[16..])
}

impl Seen {
    fn of(bytes: &[u8]) -> Option<Self> {
        let blocks: Vec<_> = bytes.chunks(BLOCK_BYTES).map(Said::decode).collect();
        let said = blocks.iter().flatten().max().copied()?;
        let next = ((said.turn + 1) % PLACES) as usize;
        let mut damaged = Vec::new();
        for (n, place) in blocks.chunks(2).enumerate() {
            let at = n * PLACE_BYTES;
            let written = bytes[at..at + PLACE_BYTES].iter().any(|byte| *byte != 0);
            // A write that a power failure cut leaves neither block of the place that was due.
            let is_torn = n == next && place == [None, None];
            let bad = place.iter().enumerate().filter(|(_, block)| block.is_none());
            if written && !is_torn {
                damaged.extend(bad.map(|(twin, _)| at + twin * BLOCK_BYTES));
            }
        }
        Some(Self { said, damaged })
    }
}

impl Witness {
    /// Says `sequence` in a new file in the place of what was `seen`.
    ///
    /// # Errors
    /// `Full`, `Unavailable` the disk refused.
    pub(super) fn begin(
        disk: &dyn Disk,
        dir: &Path,
        seen: Option<Said>,
        sequence: u64,
    ) -> Result<Self> {
        let path = path(dir);
        let said = Said { turn: seen.map_or(0, |seen| seen.turn + 1), sequence };
        match (make(disk, &path, said), seen) {
            (Err(e), Some(seen)) if e.kind() == ErrorKind::Full => {
                let file = disk.open(&path, Open::Write);
                let file = file.map_err(|e| files::failed("open", &path, &e))?;
                let known = disk.sync_dir(path.parent().unwrap_or(&path));
                known.map_err(|e| files::failed("sync", &path, &e))?;
                let mut witness = Self { file, path, turn: seen.turn };
                witness.say(sequence)?;
                Ok(witness)
            }
            (made, _) => Ok(Self { file: made?, path, turn: said.turn }),
        }
    }

    /// Says that every frame up to `sequence` is durable; durable itself when it returns.
    ///
    /// # Errors
    /// `Full`, `Unavailable` the disk refused: it may or may not say so.
    pub(super) fn say(&mut self, sequence: u64) -> Result<()> {
        // A place that was not written whole is the next one's again.
        let said = Said { turn: self.turn + 1, sequence };
        let written = write(&*self.file, said);
        written.map_err(|e| files::failed("write", &self.path, &e))?;
        self.turn = said.turn;
        Ok(())
    }
}

fn write(file: &dyn DiskFile, said: Said) -> io::Result<()> {
    let mut place = [0; PLACE_BYTES];
    for block in place.chunks_mut(BLOCK_BYTES) {
        block[..32].copy_from_slice(&said.encode());
    }
    let at = (said.turn % PLACES) * PLACE_BYTES as u64;
    file.write_at(&place, at).and_then(|()| file.sync_data())
}

/// Makes the file whole under another name, and then known.
fn make(disk: &dyn Disk, path: &Path, said: Said) -> Result<Arc<dyn DiskFile>> {
    let unfinished = path.with_file_name(UNFINISHED);
    let fill = || {
        if disk.exists(&unfinished)? {
            disk.remove(&unfinished)?;
        }
        let file = disk.open(&unfinished, Open::CreateNew)?;
        file.write_at(&vec![0; PLACES as usize * PLACE_BYTES], 0)?;
        write(&*file, said)?;
        Ok(file)
    };
    let file = fill().map_err(|e: io::Error| {
        drop(disk.remove(&unfinished));
        files::failed("make", path, &e)
    })?;
    let known =
        disk.rename(&unfinished, path).and_then(|()| disk.sync_dir(path.parent().unwrap_or(path)));
    known.map_err(|e| {
        Error::new(ErrorKind::Unavailable, files::failed("make", path, &e).to_string())
    })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::SimDisk;

    const DIR: &str = "/data/catalog";

    fn disk() -> Arc<SimDisk> {
        let disk = SimDisk::new(1);
        disk.create_dir_all(Path::new("/data/journal")).unwrap();
        disk
    }

    fn seen(disk: &SimDisk) -> Seen {
        read(disk, &path(Path::new(DIR))).unwrap().unwrap()
    }

    #[test]
    fn the_last_word_counts() {
        let disk = disk();
        assert!(read(&*disk, &path(Path::new(DIR))).unwrap().is_none());
        let mut witness = Witness::begin(&*disk, Path::new(DIR), None, 0).unwrap();
        for sequence in 1..=9 {
            witness.say(sequence).unwrap();
            assert_eq!(seen(&disk).said.sequence, sequence);
        }
        // The same sequence again, after a start.
        let said = seen(&disk).said;
        Witness::begin(&*disk, Path::new(DIR), Some(said), 9).unwrap();
        assert_eq!(seen(&disk).said, Said { turn: said.turn + 1, sequence: 9 });
    }

    #[test]
    fn one_flip_costs_nothing_and_shows() {
        let disk = disk();
        let mut witness = Witness::begin(&*disk, Path::new(DIR), None, 0).unwrap();
        (1..=7).for_each(|sequence| witness.say(sequence).unwrap());
        assert_eq!(seen(&disk).damaged, [0; 0]);
        let file = path(Path::new(DIR));
        for block in 0..8 {
            for byte in (0..12).chain(16..32) {
                let bit = (block * BLOCK_BYTES + byte) as u64 * 8;
                disk.flip_bit(&file, bit);
                let seen = seen(&disk);
                assert_eq!((seen.said.sequence, &*seen.damaged), (7, &[block * BLOCK_BYTES][..]));
                disk.flip_bit(&file, bit);
            }
        }
    }

    #[test]
    fn a_place_that_is_cut_while_it_is_written_is_no_damage() {
        let disk = disk();
        let mut witness = Witness::begin(&*disk, Path::new(DIR), None, 0).unwrap();
        (1..=7).for_each(|sequence| witness.say(sequence).unwrap());
        let file = path(Path::new(DIR));
        let mut bytes = disk.bytes(&file);
        let due = (seen(&disk).said.turn + 1) % PLACES;
        let due = due as usize * PLACE_BYTES;
        (bytes[due], bytes[due + BLOCK_BYTES]) = (0, 0);
        disk.plant(&file, &bytes);
        assert_eq!((seen(&disk).said.sequence, seen(&disk).damaged), (7, vec![]));
        let nothing = vec![9; bytes.len()];
        disk.plant(&file, &nothing);
        assert_eq!(read(&*disk, &file).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
