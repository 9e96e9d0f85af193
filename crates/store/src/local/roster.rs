//! The roster: which journal files there are, how long they are, and how far the journal is known
//! to be durable. It vouches for what a walk cannot miss by itself: a newest file that is gone, a
//! tail that reads as zeros.
//!
//! ```text
//! make a file --> roster --> use it         free a file for good --> roster --> remove it
//! every second, if commits were synced since --> roster: the newest of them
//! ```
//!
//! So everything it says is true at any moment, also after a crash at any point: a listed file was
//! whole when it was listed, and a commit that it calls durable was synced before. A start that
//! finds less than that has lost something. Only a commit younger than the last note is not vouched
//! for: damaged, it cannot be told from one that was never whole.
//!
//! One file of two slots of 4 KiB, the same content twice, each written in place and synced before
//! the other: a torn slot leaves the other whole, and a full disk cannot refuse it. All numbers
//! little endian.
//!
//! | offset | bytes | field of a slot |
//! | --- | --- | --- |
//! | 0 | 8 | magic `MWROSTR1` |
//! | 8 | 4 | CRC-32C of everything from 12 |
//! | 12 | 4 | 1 commits were acknowledged before they were synced, 2 logs may be lost whole |
//! | 16 | 8 | sequence number: the higher one is newer |
//! | 24 | 8 | LSN of the newest commit known to be durable |
//! | 32 | 4 | files, then 12 bytes for each: |
//! | 0 | 4 | number |
//! | 4 | 8 | bytes |

use super::buffer::Buffer;
use super::frame::BLOCK_BYTES;
use super::journal::{JournalFile, failed};
use crate::{Error, ErrorKind, Result};
use base::Env;
use base::env::{DiskFile, Open};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NAME: &str = "roster";
const MAGIC: [u8; 8] = *b"MWROSTR1";
const HEAD_BYTES: usize = 36;
const FILE_BYTES: usize = 12;
const FILES_MAX: usize = (BLOCK_BYTES - HEAD_BYTES) / FILE_BYTES;
const SLOTS: u64 = 2;

/// What the roster says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Roster {
    pub(crate) sequence: u64,
    /// Commits were acknowledged before they were synced: the newest may be lost.
    pub(crate) relaxed: bool,
    /// Logs may have been lost whole, and their owner not yet have opened all of them since.
    pub(crate) lacks_logs: bool,
    /// Commits up to this one are durable, unless a checkpoint begins behind it.
    pub(crate) durable_lsn: u64,
    /// Bytes of each file, by its number.
    pub(crate) files: BTreeMap<u32, u64>,
}

impl Roster {
    fn encode(&self, slot: &mut [u8]) {
        slot.fill(0);
        slot[..8].copy_from_slice(&MAGIC);
        let flags = u32::from(self.relaxed) | u32::from(self.lacks_logs) << 1;
        slot[12..16].copy_from_slice(&flags.to_le_bytes());
        slot[16..24].copy_from_slice(&self.sequence.to_le_bytes());
        slot[24..32].copy_from_slice(&self.durable_lsn.to_le_bytes());
        slot[32..36].copy_from_slice(&(self.files.len() as u32).to_le_bytes());
        for ((number, bytes), at) in
            self.files.iter().zip(slot[HEAD_BYTES..].chunks_exact_mut(FILE_BYTES))
        {
            at[..4].copy_from_slice(&number.to_le_bytes());
            at[4..].copy_from_slice(&bytes.to_le_bytes());
        }
        let crc = crc32c::crc32c(&slot[12..]);
        slot[8..12].copy_from_slice(&crc.to_le_bytes());
    }

    fn decode(slot: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_le_bytes(*slot.get(at..)?.first_chunk()?));
        let long = |at: usize| Some(u64::from_le_bytes(*slot.get(at..)?.first_chunk()?));
        if slot.len() != BLOCK_BYTES
            || slot[..8] != MAGIC
            || number(8)? != crc32c::crc32c(&slot[12..])
        {
            return None;
        }
        let count = number(32)? as usize;
        let file = |n: usize| {
            let at = HEAD_BYTES + n * FILE_BYTES;
            Some((number(at)?, long(at + 4)?))
        };
        let files = (0..count).map(file).collect::<Option<BTreeMap<_, _>>>()?;
        let flags = number(12).filter(|flags| *flags < 4)?;
        let (relaxed, lacks_logs) = (flags & 1 != 0, flags & 2 != 0);
        let (sequence, durable_lsn) = (long(16)?, long(24)?);
        let roster = Self { sequence, relaxed, lacks_logs, durable_lsn, files };
        (count <= FILES_MAX).then_some(roster)
    }

    /// What is written down in the journal's directory; None when there is no roster.
    ///
    /// # Errors
    /// `Corrupt` no slot is intact; `Unavailable` the disk refused.
    pub(crate) fn load(env: &Env, dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(NAME);
        let read = |e: io::Error| failed("read", &path, &e);
        if !env.disk.exists(&path).map_err(read)? {
            return Ok(None);
        }
        let slots = slots(env, &path).map_err(read)?;
        let newest = slots.into_iter().flatten().max_by_key(|roster| roster.sequence);
        newest.map(Some).ok_or_else(|| {
            let message = format!("`{}` offset 0: no slot of the roster is intact", path.display());
            Error::new(ErrorKind::Corrupt, message)
        })
    }

    /// The file, and the offsets of slots that are not intact.
    pub(crate) fn check(env: &Env, dir: &Path) -> io::Result<(PathBuf, Vec<u64>)> {
        let path = dir.join(NAME);
        let slots = slots(env, &path)?;
        let damaged = (0..SLOTS).zip(&slots).filter(|(_, slot)| slot.is_none());
        let damaged = damaged.map(|(n, _)| n * BLOCK_BYTES as u64).collect();
        Ok((path, damaged))
    }

    /// Refuses files that are not what was listed.
    ///
    /// # Errors
    /// `Corrupt` naming the file that is missing or too short.
    pub(crate) fn refuse_missing(&self, dir: &Path, files: &[Arc<JournalFile>]) -> Result<()> {
        for (number, listed) in &self.files {
            let path = super::journal::path_of(dir, *number);
            let found = files.iter().find(|file| file.number == *number).map(|file| file.bytes);
            let what = match found {
                Some(bytes) if bytes >= *listed => continue,
                Some(bytes) => format!("has {bytes} bytes of {listed}"),
                None => "is missing".to_owned(),
            };
            let message = format!("`{}` {what}: it may hold acknowledged records", path.display());
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        Ok(())
    }
}

fn slots(env: &Env, path: &Path) -> io::Result<Vec<Option<Roster>>> {
    let file = env.disk.open(path, Open::Read)?;
    let mut slot = [0; BLOCK_BYTES];
    let mut slots = Vec::new();
    for n in 0..SLOTS {
        let read = file.read_at(&mut slot, n * BLOCK_BYTES as u64)?;
        slots.push(Roster::decode(&slot[..read]));
    }
    Ok(slots)
}

/// The roster as it is kept while the journal is open.
#[derive(Default)]
pub(crate) struct Keep {
    pub(crate) now: Roster,
    file: Option<Arc<dyn DiskFile>>,
    buffer: Buffer,
    /// Whether the page cache is used.
    buffered: bool,
}

impl Keep {
    /// With no roster yet; `direct` as of the journal's files.
    pub(crate) fn new(direct: bool) -> Self {
        Self { buffered: !direct, ..Self::default() }
    }

    /// Writes down what `change` makes of it.
    ///
    /// # Errors
    /// The disk's; `InvalidInput` too many files. What is on the disk then is the old roster or the
    /// new one, and the next change writes both slots anew.
    pub(crate) fn change(
        &mut self,
        env: &Env,
        dir: &Path,
        change: impl FnOnce(&mut Roster),
    ) -> io::Result<()> {
        let mut next = self.now.clone();
        change(&mut next);
        next.sequence += 1;
        if next.files.len() > FILES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many journal files"));
        }
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => self.open(env, dir)?,
        };
        // Counted on also when it fails: a slot of that number may be on the disk.
        self.now.sequence = next.sequence;
        let slot = self.buffer.take(BLOCK_BYTES);
        next.encode(slot);
        for n in 0..SLOTS {
            file.write_at(slot, n * BLOCK_BYTES as u64)?;
            file.sync_data()?;
        }
        self.now = next;
        Ok(())
    }

    fn open(&mut self, env: &Env, dir: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let how = if self.buffered { Open::Write } else { Open::WriteDirect };
        let file = env.disk.open(&dir.join(NAME), how)?;
        env.disk.sync_dir(dir)?;
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIR: &str = "/j";

    fn sample(files: u32) -> Roster {
        let files = (0..files).map(|n| (n, 1 << 20)).collect();
        Roster { sequence: 7, relaxed: true, lacks_logs: true, durable_lsn: 99, files }
    }

    #[test]
    fn it_survives_the_trip_and_every_bit_counts() {
        let mut slot = [0; BLOCK_BYTES];
        for files in [0, 3, FILES_MAX as u32] {
            sample(files).encode(&mut slot);
            assert_eq!(Roster::decode(&slot), Some(sample(files)));
        }
        for bit in 0..slot.len() * 8 {
            let mut changed = slot;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Roster::decode(&changed), None, "bit {bit}");
        }
        assert_eq!(Roster::decode(&slot[..BLOCK_BYTES - 1]), None);
    }

    #[test]
    fn a_power_cut_at_any_change_leaves_the_old_or_the_new_one() {
        for seed in 0..40 {
            let fake = testkit::fake_env(seed);
            let (env, dir) = (fake.env(), Path::new(DIR));
            env.disk.create_dir_all(dir).unwrap();
            let mut keep = Keep::default();
            keep.change(&env, dir, |roster| roster.durable_lsn = 1).unwrap();
            env.disk.sync_dir(Path::new("/")).unwrap();
            fake.disk.power_off_after(seed % 5);
            let changed = keep.change(&env, dir, |roster| roster.durable_lsn = 2).is_ok();
            fake.disk.crash(seed);
            let found = Roster::load(&fake.env(), dir).unwrap().unwrap().durable_lsn;
            assert!(found == 2 || !changed && found == 1, "seed {seed}: {found} {changed}");
        }
    }

    #[test]
    fn a_failed_change_leaves_it_as_it_was_and_the_next_one_wins() {
        use testkit::sim_disk::{Fault, Op};
        let fake = testkit::fake_env(1);
        let (env, dir) = (fake.env(), Path::new(DIR));
        env.disk.create_dir_all(dir).unwrap();
        let mut keep = Keep::default();
        keep.change(&env, dir, |roster| roster.durable_lsn = 1).unwrap();
        fake.disk.fail(Fault::io(Op::Sync).on("roster"));
        keep.change(&env, dir, |roster| roster.durable_lsn = 2).unwrap_err();
        assert_eq!(keep.now.durable_lsn, 1);
        keep.change(&env, dir, |roster| roster.relaxed = true).unwrap();
        let found = Roster::load(&env, dir).unwrap().unwrap();
        assert_eq!((found.durable_lsn, found.relaxed), (1, true));
        assert!(Roster::check(&env, dir).unwrap().1.is_empty());
    }

    #[test]
    fn one_damaged_slot_is_survived_and_two_are_told() {
        let fake = testkit::fake_env(1);
        let (env, dir) = (fake.env(), Path::new(DIR));
        env.disk.create_dir_all(dir).unwrap();
        assert_eq!(Roster::load(&env, dir).unwrap(), None);
        Keep::default().change(&env, dir, |roster| *roster = sample(2)).unwrap();
        fake.disk.flip_bit(&dir.join(NAME), 9);
        assert_eq!(Roster::load(&env, dir).unwrap().unwrap().files.len(), 2);
        assert_eq!(Roster::check(&env, dir).unwrap().1, [0]);
        fake.disk.flip_bit(&dir.join(NAME), 4096 * 8 + 9);
        let told = Roster::load(&env, dir).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::Corrupt);
        assert!(told.to_string().contains("/j/roster"), "{told}");
    }
}
