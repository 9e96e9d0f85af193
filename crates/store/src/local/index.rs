//! The sparse index of a segment: derived from its frames, never evidence about the log.
//!
//! In memory one mark per 32 KiB; at the seal it is written behind the frames as a footer, from the
//! next multiple of 4 KiB on. A footer that is absent or bad costs one scan of the segment. All
//! numbers little endian.
//!
//! | offset | bytes | footer field |
//! | --- | --- | --- |
//! | 0 | 24 n | marks: ordinal (8), arrival ms (8), offset (8) |
//! | 24 n | 8 | magic `MWINDEX1` |
//! | +8 | 4 | CRC-32C of the marks and of everything after this field, begun with the salt |
//! | +12 | 4 | marks |
//! | +16 | 8 | end of the frames |
//! | +24 | 8 | ordinal after the last record |

use super::frame::{BLOCK_BYTES, Header, Salt};
use super::scan::{CHUNK_BYTES, Scan, Seen, Window};
use crate::LogId;
use base::env::DiskFile;
use std::io;

/// Bytes of frames between two marks.
const MARK_BYTES: u64 = 32 << 10;
const MARK_ENCODED_BYTES: usize = 24;
const TRAILER_BYTES: usize = 32;
const MAGIC: [u8; 8] = *b"MWINDEX1";

/// A frame to start reading at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) ordinal: u64,
    pub(crate) arrival_ms: i64,
    pub(crate) offset: u64,
}

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Index {
    marks: Vec<Mark>,
    /// Where the frames end.
    pub(crate) end_offset: u64,
    /// Ordinal after the last record.
    pub(crate) end_ordinal: u64,
    /// Up to which ordinal frames were looked for; above `end_ordinal` when some are missing.
    pub(crate) looked_to: u64,
}

impl Index {
    /// The index of a segment that has no frames yet.
    pub(crate) fn starting_at(first_ordinal: u64) -> Self {
        Self { end_ordinal: first_ordinal, looked_to: first_ordinal, ..Self::default() }
    }

    /// Adds the frame at `offset`; frames come in order.
    pub(crate) fn note(&mut self, header: &Header, offset: u64) {
        if self.marks.last().is_none_or(|m| offset - m.offset >= MARK_BYTES) {
            let (ordinal, arrival_ms) = (header.first_ordinal, header.arrival_ms);
            self.marks.push(Mark { ordinal, arrival_ms, offset });
        }
        self.end_offset = offset + header.frame_bytes() as u64;
        self.end_ordinal = header.end_ordinal();
        self.looked_to = self.looked_to.max(self.end_ordinal);
    }

    /// Offset of a frame at or before the one that holds `ordinal`.
    pub(crate) fn before_ordinal(&self, ordinal: u64) -> u64 {
        let after = self.marks.partition_point(|m| m.ordinal <= ordinal);
        after.checked_sub(1).map_or(0, |at| self.marks[at].offset)
    }

    /// A frame at or before the first one that arrived at or after `arrival_ms`; None: the first
    /// one.
    pub(crate) fn before_arrival(&self, arrival_ms: i64) -> Option<Mark> {
        let after = self.marks.partition_point(|m| m.arrival_ms < arrival_ms);
        after.checked_sub(1).map(|at| self.marks[at])
    }

    /// What a record takes in the segment, on average.
    pub(crate) fn record_bytes(&self) -> usize {
        let records = self.marks.first().map_or(0, |m| self.end_ordinal.saturating_sub(m.ordinal));
        self.end_offset.div_ceil(records.max(1)) as usize
    }

    /// Where the footer goes: in a block of its own, as the last block of the frames may be the
    /// only place where they are.
    pub(crate) fn footer_offset(&self) -> u64 {
        self.end_offset.next_multiple_of(BLOCK_BYTES as u64)
    }

    /// The footer, to be written at `footer_offset`.
    pub(crate) fn footer(&self, salt: Salt) -> Vec<u8> {
        let mut b = Vec::with_capacity(self.marks.len() * MARK_ENCODED_BYTES + TRAILER_BYTES);
        for mark in &self.marks {
            b.extend_from_slice(&mark.ordinal.to_le_bytes());
            b.extend_from_slice(&mark.arrival_ms.to_le_bytes());
            b.extend_from_slice(&mark.offset.to_le_bytes());
        }
        let mut tail = (self.marks.len() as u32).to_le_bytes().to_vec();
        tail.extend_from_slice(&self.end_offset.to_le_bytes());
        tail.extend_from_slice(&self.end_ordinal.to_le_bytes());
        let crc = crc32c::crc32c_append(salt.crc(&b), &tail);
        b.extend_from_slice(&MAGIC);
        b.extend_from_slice(&crc.to_le_bytes());
        b.extend_from_slice(&tail);
        b
    }

    /// The footer at the end of a sealed segment; None when there is none or it is bad.
    pub(crate) fn read_footer(file: &dyn DiskFile, salt: Salt) -> io::Result<Option<Self>> {
        let len = file.len()?;
        let mut trailer = [0; TRAILER_BYTES];
        let Some(at) = len.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
        if file.read_at(&mut trailer, at)? < TRAILER_BYTES || trailer[..8] != MAGIC {
            return Ok(None);
        }
        let u64_at =
            |at: usize| trailer[at..at + 8].iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
        let (crc, count) = (u64_at(8) as u32, (u64_at(8) >> 32) as usize);
        let (end_offset, end_ordinal) = (u64_at(16), u64_at(24));
        let marks_bytes = count * MARK_ENCODED_BYTES;
        let start = end_offset.checked_next_multiple_of(BLOCK_BYTES as u64);
        let Some(start) = start.filter(|start| start.checked_add(marks_bytes as u64) == Some(at))
        else {
            return Ok(None);
        };
        let mut marks = vec![0; marks_bytes];
        let read = file.read_at(&mut marks, start)?;
        if read < marks_bytes || crc32c::crc32c_append(salt.crc(&marks), &trailer[12..]) != crc {
            return Ok(None);
        }
        let marks = marks.chunks_exact(MARK_ENCODED_BYTES).map(Mark::decode).collect();
        Ok(Some(Self { marks, end_offset, end_ordinal, looked_to: end_ordinal }))
    }

    /// Makes the index from the frames in the file's first `end` bytes, up to ordinal `limit`.
    pub(crate) fn build(file: &dyn DiskFile, of: &Source) -> io::Result<Self> {
        let mut index = Self::starting_at(of.first_ordinal);
        let window = Window::new(file, of.end.min(file.len()?), CHUNK_BYTES);
        let mut scan = Scan::new(window, 0, of.salt, of.log);
        while let Some(seen) = scan.next()? {
            // Damage is told when it is read; the index only has to lead around it.
            let Seen::Frame { offset, header, .. } = seen else { continue };
            if header.end_ordinal() > of.limit || header.first_ordinal < index.end_ordinal {
                continue;
            }
            index.note(&header, offset);
            if index.end_ordinal == of.limit {
                break;
            }
        }
        index.looked_to = of.limit;
        Ok(index)
    }
}

impl Mark {
    fn decode(b: &[u8]) -> Self {
        let u64_at = |at: usize| b[at..at + 8].iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
        Self { ordinal: u64_at(0), arrival_ms: u64_at(8).cast_signed(), offset: u64_at(16) }
    }
}

/// What a segment is expected to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) salt: Salt,
    pub(crate) log: LogId,
    pub(crate) first_ordinal: u64,
    /// Records from this ordinal on are somewhere else.
    pub(crate) limit: u64,
    /// Bytes from this offset on are not frames.
    pub(crate) end: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::env::Open;
    use std::path::Path;

    const SALT: Salt = Salt(5 << 40);

    fn sample() -> Index {
        let mut index = Index::starting_at(100);
        for n in 0..100 {
            let header = Header {
                body_crc: 0,
                body_bytes: 8000,
                incarnation: 0,
                records: 10,
                lsn: 0,
                log: LogId(1),
                first_ordinal: 100 + n * 10,
                arrival_ms: 1000 + (n / 2) as i64,
                flags: 0,
                behind: 0,
            };
            index.note(&header, n * header.frame_bytes() as u64);
        }
        index
    }

    #[test]
    fn marks_lead_to_a_frame_at_or_before() {
        let index = sample();
        assert_eq!((index.end_ordinal, index.end_offset), (1100, 806_400));
        assert_eq!(index.before_ordinal(0), 0);
        for ordinal in [100, 109, 150, 151, 777, 1099, 5000] {
            let frame = (ordinal.min(1099) - 100) / 10 * 8064;
            let at = index.before_ordinal(ordinal);
            assert!(at <= frame && frame - at < MARK_BYTES + 8064, "{ordinal}: {at} {frame}");
        }
        for arrival in [0, 1000, 1001, 1025, 1049, 9000] {
            let first = ((arrival - 1000).clamp(0, 50) * 2) as u64 * 8064;
            assert!(index.before_arrival(arrival).map_or(0, |m| m.offset) <= first, "{arrival}");
        }
    }

    #[test]
    fn a_footer_comes_back_and_a_bad_one_does_not() {
        let env = testkit::fake_env(1).env();
        let file = env.disk.open(Path::new("/f"), Open::Write).unwrap();
        assert_eq!(Index::read_footer(&*file, SALT).unwrap(), None);
        let (index, footer) = (sample(), sample().footer(SALT));
        file.write_at(&footer, index.footer_offset()).unwrap();
        assert_eq!(Index::read_footer(&*file, SALT).unwrap(), Some(index.clone()));
        assert_eq!(Index::read_footer(&*file, Salt(1)).unwrap(), None);
        for at in 0..footer.len() {
            let mut bad = footer.clone();
            bad[at] ^= 16;
            file.write_at(&bad, index.footer_offset()).unwrap();
            assert_eq!(Index::read_footer(&*file, SALT).unwrap(), None, "byte {at}");
        }
    }
}
