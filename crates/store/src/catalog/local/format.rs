//! Bytes of the catalog's files: headers, frames and rows; no I/O. All numbers are little-endian.
//!
//! File header, the same 64 bytes in every version:
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | `MWCATLOG` or `MWCATSNP` |
//! | 8 | 4 | format version |
//! | 12 | 4 | CRC-32C of bytes 0..12 and 16..64 |
//! | 16 | 8 | log: incarnation, random; snapshot: 0 |
//! | 24 | 8 | log: sequence of its first frame; snapshot: sequence of the last frame in it |
//! | 32 | 8 | log: 0; snapshot: bytes of rows |
//! | 40 | 4 | log: 0; snapshot: CRC-32C of the rows |
//! | 44 | 4 | 1 when it was made beside a [`witness`](super::witness), as all are now |
//! | 48 | 16 | 0 |
//!
//! Log: header at 0 and again at 4096, zeros to 8192, then frames, each written twice in a row and
//! padded to a multiple of 4096; zeros after the last one. Snapshot: header, then rows.
//!
//! Frame:
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 4 | `MCF1` |
//! | 4 | 4 | CRC-32C of bytes 8..40 |
//! | 8 | 8 | incarnation of the log |
//! | 16 | 8 | sequence: dense from 1, over all logs |
//! | 24 | 4 | bytes of rows |
//! | 28 | 4 | CRC-32C of the rows |
//! | 32 | 8 | 0 |
//! | 40 | | rows, in the order of their writes |
//!
//! Row: key bytes (u32), value bytes (u32; `u32::MAX` removes the key), key, value.

use crc32c::crc32c;

/// The newest format that this program reads, and the one that it writes.
pub(super) const FORMAT: u32 = 1;
/// Frames start and end on multiples of this, so that no block with acknowledged bytes is written
/// again.
pub(super) const BLOCK_BYTES: usize = 4096;
/// Where a log's first frame starts.
pub(super) const FRAMES_AT: usize = 2 * BLOCK_BYTES;
pub(super) const FILE_HEADER_BYTES: usize = 64;
const FRAME_HEADER_BYTES: usize = 40;
const FRAME_MAGIC: &[u8; 4] = b"MCF1";
const REMOVED: u32 = u32::MAX;

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileKind {
    Log,
    Snapshot,
}

impl FileKind {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Log => b"MWCATLOG",
            Self::Snapshot => b"MWCATSNP",
        }
    }
}

/// The fields of a file header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct FileHeader {
    pub(super) incarnation: u64,
    pub(super) sequence: u64,
    pub(super) body_bytes: u64,
    pub(super) body_crc: u32,
    pub(super) witnessed: bool,
}

/// Why a header was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum HeaderError {
    /// Not what was written.
    Damaged,
    /// Whole, and of a later version of the program.
    Newer(u32),
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn header_crc(header: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c(&header[..12]), &header[16..FILE_HEADER_BYTES])
}

impl FileHeader {
    pub(super) fn encode(&self, kind: FileKind) -> [u8; FILE_HEADER_BYTES] {
        let mut bytes = [0; FILE_HEADER_BYTES];
        bytes[..8].copy_from_slice(kind.magic());
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.incarnation.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.body_crc.to_le_bytes());
        bytes[44..48].copy_from_slice(&u32::from(self.witnessed).to_le_bytes());
        let crc = header_crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8], kind: FileKind) -> Result<Self, HeaderError> {
        let header = bytes.get(..FILE_HEADER_BYTES).ok_or(HeaderError::Damaged)?;
        let whole =
            header.starts_with(kind.magic()) && u32_at(header, 12) == Some(header_crc(header));
        match u32_at(header, 8) {
            Some(version) if whole && version > FORMAT => Err(HeaderError::Newer(version)),
            Some(FORMAT) if whole => Self::fields(header).ok_or(HeaderError::Damaged),
            _ => Err(HeaderError::Damaged),
        }
    }

    fn fields(header: &[u8]) -> Option<Self> {
        Some(Self {
            incarnation: u64_at(header, 16)?,
            sequence: u64_at(header, 24)?,
            body_bytes: u64_at(header, 32)?,
            body_crc: u32_at(header, 40)?,
            witnessed: u32_at(header, 44)? == 1,
        })
    }
}

/// Bytes of a frame with this many bytes of rows, padding included.
pub(super) fn frame_bytes(body_bytes: usize) -> usize {
    (FRAME_HEADER_BYTES + body_bytes).next_multiple_of(BLOCK_BYTES)
}

/// A frame as it lies in the log: twice, padded.
pub(super) fn encode_frame(incarnation: u64, sequence: u64, body: &[u8]) -> Vec<u8> {
    let len = frame_bytes(body.len());
    let mut frame = Vec::with_capacity(2 * len);
    frame.extend_from_slice(FRAME_MAGIC);
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(&incarnation.to_le_bytes());
    frame.extend_from_slice(&sequence.to_le_bytes());
    frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
    frame.extend_from_slice(&crc32c(body).to_le_bytes());
    frame.extend_from_slice(&[0; 8]);
    let crc = crc32c(&frame[8..FRAME_HEADER_BYTES]);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
    frame.extend_from_slice(body);
    frame.resize(len, 0);
    frame.extend_from_within(..);
    frame
}

/// A frame found in a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame<'a> {
    pub(super) sequence: u64,
    pub(super) body: &'a [u8],
}

/// The frame at the start of `bytes`, if a whole one of this incarnation is there.
pub(super) fn decode_frame(bytes: &[u8], incarnation: u64) -> Option<Frame<'_>> {
    let header = bytes.get(..FRAME_HEADER_BYTES)?;
    let whole = header.starts_with(FRAME_MAGIC)
        && u32_at(header, 4)? == crc32c(&header[8..])
        && u64_at(header, 8)? == incarnation;
    if !whole {
        return None;
    }
    let body = bytes[FRAME_HEADER_BYTES..].get(..u32_at(header, 24)? as usize)?;
    (u32_at(header, 28)? == crc32c(body)).then_some(Frame { sequence: u64_at(header, 16)?, body })
}

/// Adds a row: a write of a transaction, or a row of a snapshot.
pub(super) fn encode_row(into: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    into.extend_from_slice(&(key.len() as u32).to_le_bytes());
    into.extend_from_slice(&value.map_or(REMOVED, |v| v.len() as u32).to_le_bytes());
    into.extend_from_slice(key);
    into.extend_from_slice(value.unwrap_or_default());
}

/// Bytes that [`encode_row`] adds.
pub(super) fn row_bytes(key: &[u8], value: Option<&[u8]>) -> usize {
    8 + key.len() + value.map_or(0, <[u8]>::len)
}

type Row<'a> = (&'a [u8], Option<&'a [u8]>);

/// Takes the first row off `bytes`; `None` when that is none.
fn decode_row<'a>(bytes: &mut &'a [u8]) -> Option<Row<'a>> {
    let key_bytes = u32_at(bytes, 0)? as usize;
    let value_bytes = u32_at(bytes, 4)?;
    let (key, rest) = bytes[8..].split_at_checked(key_bytes)?;
    if value_bytes == REMOVED {
        *bytes = rest;
        return Some((key, None));
    }
    let (value, rest) = rest.split_at_checked(value_bytes as usize)?;
    *bytes = rest;
    Some((key, Some(value)))
}

/// Gives every row of a body to `each`; false when the body is not made of rows.
#[must_use]
pub(super) fn decode_rows(mut body: &[u8], mut each: impl FnMut(&[u8], Option<&[u8]>)) -> bool {
    while !body.is_empty() {
        let Some((key, value)) = decode_row(&mut body) else {
            return false;
        };
        each(key, value);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Vec<u8> {
        let mut body = Vec::new();
        encode_row(&mut body, b"key", Some(b"value"));
        encode_row(&mut body, b"", Some(b""));
        encode_row(&mut body, b"gone", None);
        body
    }

    #[test]
    fn rows_come_back() {
        let mut rows = Vec::new();
        let whole = decode_rows(&body(), |k, v| rows.push((k.to_vec(), v.map(<[u8]>::to_vec))));
        assert!(whole);
        let want = vec![
            (b"key".to_vec(), Some(b"value".to_vec())),
            (vec![], Some(vec![])),
            (b"gone".to_vec(), None),
        ];
        assert_eq!(rows, want);
        let bytes: usize = want.iter().map(|(key, value)| row_bytes(key, value.as_deref())).sum();
        assert_eq!(bytes, body().len());
        for cut in 1..body().len() {
            // A cut body decodes up to the cut and says so, unless the cut is between rows.
            let whole = decode_rows(&body()[..cut], |_, _| ());
            assert_eq!(whole, cut == 16 || cut == 24, "cut at {cut}");
        }
    }

    #[test]
    fn frames_come_back_and_every_flip_shows() {
        let body = body();
        let bytes = encode_frame(7, 42, &body);
        assert_eq!(bytes.len(), 2 * BLOCK_BYTES);
        let frame = decode_frame(&bytes, 7).unwrap();
        assert_eq!((frame.sequence, frame.body), (42, body.as_slice()));
        assert_eq!(decode_frame(&bytes[BLOCK_BYTES..], 7), Some(frame));
        assert_eq!(decode_frame(&bytes, 8), None);
        for bit in 0..(FRAME_HEADER_BYTES + body.len()) * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode_frame(&bytes, 7), None, "bit {bit}");
        }
    }

    #[test]
    fn headers_come_back_and_every_flip_shows() {
        let header =
            FileHeader { incarnation: 1, sequence: 2, body_bytes: 3, body_crc: 4, witnessed: true };
        let bytes = header.encode(FileKind::Snapshot);
        assert_eq!(FileHeader::decode(&bytes, FileKind::Snapshot), Ok(header));
        assert_eq!(FileHeader::decode(&bytes, FileKind::Log), Err(HeaderError::Damaged));
        for bit in 0..FILE_HEADER_BYTES * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            let damaged = FileHeader::decode(&bytes, FileKind::Snapshot);
            assert_eq!(damaged, Err(HeaderError::Damaged), "bit {bit}");
        }
    }

    #[test]
    fn a_newer_header_is_told_from_damage() {
        let mut bytes = FileHeader::default().encode(FileKind::Log);
        bytes[8] = 2;
        let crc = header_crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(FileHeader::decode(&bytes, FileKind::Log), Err(HeaderError::Newer(2)));
    }
}
