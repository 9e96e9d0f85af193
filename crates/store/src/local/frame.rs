//! Frames: a batch as it lies in the journal and in a segment, byte for byte the same in both.
//!
//! All numbers little endian. A frame starts at a multiple of 8, a commit at a multiple of 4 KiB.
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 4 | magic `MWF1`: what this is and its version |
//! | 4 | 4 | CRC-32C of bytes 8..64, begun with the upper half of the salt |
//! | 8 | 4 | CRC-32C of the body, made outside any lock |
//! | 12 | 4 | body length in bytes |
//! | 16 | 4 | incarnation: grows with every start and every abandoned file; 0 in a segment |
//! | 20 | 4 | records in the body |
//! | 24 | 8 | LSN: number of the commit that wrote the frame, dense, from 1; 0 in a segment |
//! | 32 | 8 | log id |
//! | 40 | 8 | ordinal of the first record |
//! | 48 | 8 | arrival time of the records, ms since the epoch |
//! | 56 | 2 | flags: 1 last of its commit, 2 encrypted, 4 control, 8 gap |
//! | 58 | 2 | commits before this one that were not yet synced when it was written |
//! | 60 | 4 | lower half of the salt |
//! | 64 | n | body, then zeros up to a multiple of 8 |
//!
//! Body, repeated per record: key length (u16), data length (u32), key, data. Encrypted body: key
//! id length (u8), key id, life (16), nonce (12), AES-256-GCM of the plain body with its tag (16);
//! the additional data is the log id (8), the ordinal of the first record (8) and the key id.
//! Control body: empty. A control frame with the reserved log id [`RESTART`] says that a new
//! incarnation begins, or only asks for a sync; with any other, that the log was removed. Gap body:
//! empty; its ordinals have no records and never will: acknowledged ones that were lost may have
//! had them, and no other record may take their names.
//!
//! The salt is 64 random bits of the data directory. Why: after damage the engine looks for the
//! next header among arbitrary bytes, and a client must not be able to plant one inside a record.

use crate::LogId;
use bytes::Bytes;

/// Bytes before a body.
pub(crate) const HEADER_BYTES: usize = 64;
/// Frames start at multiples of this.
pub(crate) const ALIGN_BYTES: usize = 8;
/// Commits start at multiples of this: a block that holds acknowledged bytes is never rewritten.
pub(crate) const BLOCK_BYTES: usize = 4096;

/// Set on the last frame of a commit: without it the commit is torn.
pub(crate) const FLAG_LAST: u16 = 1;
/// The body is encrypted.
pub(crate) const FLAG_ENCRYPTED: u16 = 2;
/// No records: an event of the engine.
pub(crate) const FLAG_CONTROL: u16 = 4;

/// Ordinals without records.
pub(crate) const FLAG_GAP: u16 = 8;

/// The flags that say what a body is, wherever it lies.
pub(crate) const BODY_FLAGS: u16 = FLAG_ENCRYPTED | FLAG_GAP;

/// Ordinals of one gap: more than a log can have lost, as a journal has fewer records. Only the
/// largest that [`super::Options`] allows, full of the smallest records, could have more.
pub(crate) const GAP_ORDINALS: u32 = u32::MAX;

/// The log id of control frames that begin an incarnation; no log may have it.
pub(crate) const RESTART: LogId = LogId(u64::MAX);

const MAGIC: [u8; 4] = *b"MWF1";

/// Random bits of a data directory that every header carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Salt(pub(crate) u64);

impl Salt {
    pub(crate) fn crc(self, bytes: &[u8]) -> u32 {
        crc32c::crc32c_append((self.0 >> 32) as u32, bytes)
    }

    fn tag(self) -> u32 {
        self.0 as u32
    }
}

/// What stands before a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) body_crc: u32,
    pub(crate) body_bytes: u32,
    pub(crate) incarnation: u32,
    pub(crate) records: u32,
    pub(crate) lsn: u64,
    pub(crate) log: LogId,
    pub(crate) first_ordinal: u64,
    pub(crate) arrival_ms: i64,
    pub(crate) flags: u16,
    pub(crate) behind: u16,
}

fn u16_at(b: &[u8; HEADER_BYTES], at: usize) -> u16 {
    u16::from_le_bytes([b[at], b[at + 1]])
}

fn u32_at(b: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}

fn u64_at(b: &[u8; HEADER_BYTES], at: usize) -> u64 {
    u64::from(u32_at(b, at)) | u64::from(u32_at(b, at + 4)) << 32
}

/// `bytes` rounded up to where the next frame may start.
pub(crate) const fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGN_BYTES)
}

impl Header {
    /// Bytes of the header with its checksum.
    pub(crate) fn encode(&self, salt: Salt) -> [u8; HEADER_BYTES] {
        let mut b = [0; HEADER_BYTES];
        b[0..4].copy_from_slice(&MAGIC);
        b[8..12].copy_from_slice(&self.body_crc.to_le_bytes());
        b[12..16].copy_from_slice(&self.body_bytes.to_le_bytes());
        b[16..20].copy_from_slice(&self.incarnation.to_le_bytes());
        b[20..24].copy_from_slice(&self.records.to_le_bytes());
        b[24..32].copy_from_slice(&self.lsn.to_le_bytes());
        b[32..40].copy_from_slice(&self.log.0.to_le_bytes());
        b[40..48].copy_from_slice(&self.first_ordinal.to_le_bytes());
        b[48..56].copy_from_slice(&self.arrival_ms.to_le_bytes());
        b[56..58].copy_from_slice(&self.flags.to_le_bytes());
        b[58..60].copy_from_slice(&self.behind.to_le_bytes());
        b[60..64].copy_from_slice(&salt.tag().to_le_bytes());
        let crc = salt.crc(&b[8..]);
        b[4..8].copy_from_slice(&crc.to_le_bytes());
        b
    }

    /// The header at the start of `bytes`, if there is one and its checksum holds.
    pub(crate) fn decode(bytes: &[u8], salt: Salt) -> Option<Self> {
        let b: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        if b[0..4] != MAGIC || u32_at(b, 60) != salt.tag() || salt.crc(&b[8..]) != u32_at(b, 4) {
            return None;
        }
        Some(Self {
            body_crc: u32_at(b, 8),
            body_bytes: u32_at(b, 12),
            incarnation: u32_at(b, 16),
            records: u32_at(b, 20),
            lsn: u64_at(b, 24),
            log: LogId(u64_at(b, 32)),
            first_ordinal: u64_at(b, 40),
            arrival_ms: u64_at(b, 48).cast_signed(),
            flags: u16_at(b, 56),
            behind: u16_at(b, 58),
        })
    }

    /// Bytes from this frame's start to the next one's.
    pub(crate) fn frame_bytes(&self) -> usize {
        padded(HEADER_BYTES + self.body_bytes as usize)
    }

    /// Ordinal after the last record.
    pub(crate) fn end_ordinal(&self) -> u64 {
        self.first_ordinal.saturating_add(u64::from(self.records))
    }

    /// The newest commit that was known to be durable when this frame was written.
    pub(crate) fn synced_lsn(&self) -> u64 {
        self.lsn.saturating_sub(1 + u64::from(self.behind))
    }

    pub(crate) fn is(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Whether `body` is the one this header was written for.
    pub(crate) fn fits(&self, body: &[u8]) -> bool {
        body.len() == self.body_bytes as usize && crc32c::crc32c(body) == self.body_crc
    }
}

/// Offset of the next intact header at or after `from`, a multiple of [`ALIGN_BYTES`].
pub(crate) fn find_header(bytes: &[u8], from: usize, salt: Salt) -> Option<(usize, Header)> {
    (from..bytes.len().saturating_sub(HEADER_BYTES - 1))
        .step_by(ALIGN_BYTES)
        .filter(|at| bytes[*at..].starts_with(&MAGIC))
        .find_map(|at| Header::decode(&bytes[at..], salt).map(|header| (at, header)))
}

/// Takes the next record off a plain body; `None` when the rest is not one.
pub(crate) fn next_record(body: &Bytes, at: &mut usize) -> Option<(Bytes, Bytes)> {
    let head = body.get(*at..*at + 6)?;
    let key_at = *at + 6;
    let data_at = key_at + usize::from(u16::from_le_bytes([head[0], head[1]]));
    let end =
        data_at.checked_add(u32::from_le_bytes([head[2], head[3], head[4], head[5]]) as usize)?;
    if end > body.len() {
        return None;
    }
    *at = end;
    Some((body.slice(key_at..data_at), body.slice(data_at..end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchBuilder;

    const SALT: Salt = Salt(0x1122_3344_5566_7788);

    fn sample() -> Header {
        Header {
            body_crc: crc32c::crc32c(b"body"),
            body_bytes: 4,
            incarnation: 0x0102_0304,
            records: 5,
            lsn: u64::MAX / 3,
            log: LogId(77),
            first_ordinal: 1 << 60,
            arrival_ms: -5,
            flags: FLAG_LAST | FLAG_ENCRYPTED,
            behind: 9,
        }
    }

    #[test]
    fn header_survives_the_trip() {
        let bytes = sample().encode(SALT);
        assert_eq!(Header::decode(&bytes, SALT), Some(sample()));
        for other in [SALT.0 ^ 1, SALT.0 ^ 1 << 63] {
            assert_eq!(Header::decode(&bytes, Salt(other)), None);
        }
        assert!(sample().fits(b"body") && !sample().fits(b"bodz") && !sample().fits(b"bod"));
        assert_eq!(sample().frame_bytes(), 72);
        assert_eq!(sample().synced_lsn(), u64::MAX / 3 - 10);
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_seen() {
        for bit in 0..HEADER_BYTES * 8 {
            let mut bytes = sample().encode(SALT);
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bytes, SALT), None, "bit {bit}");
        }
    }

    #[test]
    fn headers_are_found_at_their_alignment_only() {
        let mut bytes = vec![0; 400];
        bytes[84..148].copy_from_slice(&sample().encode(SALT));
        assert_eq!(find_header(&bytes, 0, SALT), None);
        bytes[160..224].copy_from_slice(&sample().encode(SALT));
        assert_eq!(find_header(&bytes, 0, SALT), Some((160, sample())));
        assert_eq!(find_header(&bytes[..223], 0, SALT), None);
    }

    #[test]
    fn records_come_back_and_cut_bodies_do_not() {
        let mut batch = BatchBuilder::default();
        batch.push(b"k", b"data");
        batch.push(b"", b"");
        let body = Bytes::from(batch.into_body());
        let mut at = 0;
        let (key, data) = next_record(&body, &mut at).unwrap();
        assert_eq!((&key[..], &data[..]), (&b"k"[..], &b"data"[..]));
        assert_eq!(next_record(&body, &mut at), Some((Bytes::new(), Bytes::new())));
        assert_eq!(at, body.len());
        assert_eq!(next_record(&body, &mut at), None);
        for cut in 0..11 {
            assert_eq!(next_record(&body.slice(..cut), &mut 0), None, "{cut}");
        }
    }
}
