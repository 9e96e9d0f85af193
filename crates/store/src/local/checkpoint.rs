//! Checkpoints: from which commit on the journal is needed, and what the segments hold before it.
//!
//! Two copies, `checkpoint.0` and `checkpoint.1`, each written whole under another name, synced and
//! renamed; journal files are recycled only after both. So one damaged copy costs nothing, and a
//! crash between the two leaves an older one whose journal is still there.
//!
//! All numbers little endian.
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 8 | magic `MWCHKPT1` |
//! | 8 | 4 | CRC-32C of everything from 12 |
//! | 12 | 4 | lowest incarnation of the commit at the position |
//! | 16 | 8 | sequence number: the higher one is newer |
//! | 24 | 8 | salt of frame headers, see `frame` |
//! | 32 | 4 | 1 after a clean shutdown: nothing was ever written behind the position |
//! | 36 | 4 | journal file of the position |
//! | 40 | 8 | offset in it |
//! | 48 | 8 | LSN of the first commit needed |
//! | 56 | 8 | logs, then 48 bytes for each: |
//! | 0 | 8 | log id |
//! | 8 | 8 | oldest ordinal kept |
//! | 16 | 8 | ordinals below are in segments, durable |
//! | 24 | 8 | arrival time of the newest of them |
//! | 32 | 8 | first ordinal of the segment that grows |
//! | 40 | 4 | its bytes, 0 when a new one is to be started |
//! | 44 | 4 | segments |

use super::frame::Salt;
use super::journal::{Position, failed};
use crate::{Error, ErrorKind, LogId, Result};
use base::Env;
use base::env::Open;
use std::io;
use std::path::Path;

const MAGIC: [u8; 8] = *b"MWCHKPT1";
const HEAD_BYTES: usize = 64;
const ROW_BYTES: usize = 48;
const COPIES: [&str; 2] = ["checkpoint.0", "checkpoint.1"];

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Checkpoint {
    pub(crate) sequence: u64,
    pub(crate) salt: Salt,
    pub(crate) clean: bool,
    pub(crate) at: Position,
    pub(crate) rows: Vec<Row>,
}

/// What is durable of one log outside the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) id: LogId,
    pub(crate) first_ordinal: u64,
    pub(crate) spilled_to: u64,
    pub(crate) last_arrival_ms: i64,
    pub(crate) active_first: u64,
    pub(crate) active_bytes: u32,
    pub(crate) segments: u32,
}

/// Takes numbers off the front of bytes.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

impl Checkpoint {
    fn encode(&self) -> Vec<u8> {
        let mut b = Vec::with_capacity(HEAD_BYTES + self.rows.len() * ROW_BYTES);
        b.extend_from_slice(&MAGIC);
        b.extend_from_slice(&[0; 4]);
        b.extend_from_slice(&self.at.incarnation.to_le_bytes());
        b.extend_from_slice(&self.sequence.to_le_bytes());
        b.extend_from_slice(&self.salt.0.to_le_bytes());
        b.extend_from_slice(&u32::from(self.clean).to_le_bytes());
        b.extend_from_slice(&self.at.file.to_le_bytes());
        b.extend_from_slice(&self.at.offset.to_le_bytes());
        b.extend_from_slice(&self.at.lsn.to_le_bytes());
        b.extend_from_slice(&(self.rows.len() as u64).to_le_bytes());
        for row in &self.rows {
            b.extend_from_slice(&row.id.0.to_le_bytes());
            b.extend_from_slice(&row.first_ordinal.to_le_bytes());
            b.extend_from_slice(&row.spilled_to.to_le_bytes());
            b.extend_from_slice(&row.last_arrival_ms.to_le_bytes());
            b.extend_from_slice(&row.active_first.to_le_bytes());
            b.extend_from_slice(&row.active_bytes.to_le_bytes());
            b.extend_from_slice(&row.segments.to_le_bytes());
        }
        let crc = crc32c::crc32c(&b[12..]);
        b[8..12].copy_from_slice(&crc.to_le_bytes());
        b
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader(bytes);
        let whole = r.take()? == MAGIC && r.u32()? == crc32c::crc32c(bytes.get(12..)?);
        if !whole {
            return None;
        }
        let incarnation = r.u32()?;
        let (sequence, salt, clean) = (r.u64()?, Salt(r.u64()?), r.u32()? == 1);
        let at = Position { incarnation, file: r.u32()?, offset: r.u64()?, lsn: r.u64()? };
        let rows = r.u64()?;
        let mut checkpoint = Self { sequence, salt, clean, at, rows: Vec::new() };
        for _ in 0..rows {
            checkpoint.rows.push(Row {
                id: LogId(r.u64()?),
                first_ordinal: r.u64()?,
                spilled_to: r.u64()?,
                last_arrival_ms: r.u64()?.cast_signed(),
                active_first: r.u64()?,
                active_bytes: r.u32()?,
                segments: r.u32()?,
            });
        }
        r.0.is_empty().then_some(checkpoint)
    }

    /// Writes both copies.
    pub(crate) fn save(&self, env: &Env, dir: &Path) -> io::Result<()> {
        let bytes = self.encode();
        for copy in COPIES {
            let fresh = dir.join("checkpoint.new");
            let file = env.disk.open(&fresh, Open::Write)?;
            file.set_len(0)?;
            file.write_at(&bytes, 0)?;
            file.sync_data()?;
            env.disk.rename(&fresh, &dir.join(copy))?;
            env.disk.sync_dir(dir)?;
        }
        Ok(())
    }

    /// Whether both copies say this.
    pub(crate) fn is_twice(&self, env: &Env, dir: &Path) -> bool {
        let says = |copy| read_all(env, &dir.join(copy)).ok().as_deref().and_then(Self::decode);
        COPIES.iter().all(|copy| says(copy).as_ref() == Some(self))
    }

    /// The newer intact copy; None when there never was one.
    ///
    /// # Errors
    /// `Corrupt` there are copies but none is intact; `Unavailable` the same, and one cannot be
    /// read.
    pub(crate) fn load(env: &Env, dir: &Path) -> Result<Option<Self>> {
        let mut newest: Option<Self> = None;
        let (mut damaged, mut unreadable) = (Vec::new(), None);
        for copy in COPIES {
            let path = dir.join(copy);
            if !env.disk.exists(&path).map_err(|e| failed("read", &path, &e))? {
                continue;
            }
            let read = read_all(env, &path);
            let bytes = read.map_err(|e| unreadable = Some(failed("read", &path, &e)));
            match bytes.ok().as_deref().and_then(Self::decode) {
                Some(c) if newest.as_ref().is_none_or(|n| c.sequence > n.sequence) => {
                    newest = Some(c);
                }
                Some(_) => {}
                None => damaged.push(path),
            }
        }
        match (&newest, damaged.first()) {
            // The disk may be of another mind later.
            (None, Some(_)) if let Some(e) = unreadable => Err(e),
            (None, Some(path)) => Err(Error::new(
                ErrorKind::Corrupt,
                format!("`{}` offset 0: no copy of the checkpoint is intact", path.display()),
            )),
            (Some(_), Some(path)) => {
                let file = path.display();
                tracing::warn!(%file, "a checkpoint copy is damaged: using the other");
                Ok(newest)
            }
            _ => Ok(newest),
        }
    }

    /// The copies that exist but are not intact, and how many are.
    pub(crate) fn check(env: &Env, dir: &Path) -> io::Result<(Vec<std::path::PathBuf>, usize)> {
        let (mut damaged, mut intact) = (Vec::new(), 0);
        for path in COPIES.map(|copy| dir.join(copy)) {
            if !env.disk.exists(&path)? {
                continue;
            }
            match read_all(env, &path).ok().as_deref().and_then(Self::decode) {
                Some(_) => intact += 1,
                None => damaged.push(path),
            }
        }
        Ok((damaged, intact))
    }
}

fn read_all(env: &Env, path: &Path) -> io::Result<Vec<u8>> {
    let file = env.disk.open(path, Open::Read)?;
    let mut bytes = vec![0; file.len()? as usize];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(sequence: u64) -> Checkpoint {
        let row = Row {
            id: LogId(3),
            first_ordinal: 4,
            spilled_to: 5,
            last_arrival_ms: -6,
            active_first: 4,
            active_bytes: 7,
            segments: 8,
        };
        Checkpoint {
            sequence,
            salt: Salt(0x1234_5678_9abc_def0),
            clean: true,
            at: Position { file: 1, offset: 4096, lsn: 77, incarnation: 9 },
            rows: vec![row; 3],
        }
    }

    #[test]
    fn it_survives_the_trip_and_every_bit_counts() {
        let bytes = sample(1).encode();
        assert_eq!(Checkpoint::decode(&bytes), Some(sample(1)));
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Checkpoint::decode(&changed), None, "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(Checkpoint::decode(&bytes[..cut]), None, "cut {cut}");
        }
    }

    #[test]
    fn one_damaged_copy_is_survived_and_two_are_told() {
        let fake = testkit::fake_env(1);
        let (env, dir) = (fake.env(), Path::new("/j"));
        env.disk.create_dir_all(dir).unwrap();
        assert_eq!(Checkpoint::load(&env, dir).unwrap(), None);
        sample(1).save(&env, dir).unwrap();
        sample(2).save(&env, dir).unwrap();
        fake.disk.flip_bit(&dir.join(COPIES[0]), 99);
        assert_eq!(Checkpoint::load(&env, dir).unwrap(), Some(sample(2)));
        fake.disk.flip_bit(&dir.join(COPIES[1]), 999);
        let told = Checkpoint::load(&env, dir).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::Corrupt);
        assert!(told.to_string().contains("/j/checkpoint.0"), "{told}");
    }
}
