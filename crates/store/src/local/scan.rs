//! Reads a file from front to back in large pieces and finds the frames in it.

use super::frame::{ALIGN_BYTES, BLOCK_BYTES, HEADER_BYTES, Header, Salt, find_header};
use super::spare::Spare;
use crate::LogId;
use base::env::DiskFile;
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// Bytes per read.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// A moving view of a file.
pub(crate) struct Window<'a> {
    file: &'a dyn DiskFile,
    /// Bytes at and after this offset are not looked at.
    end: u64,
    start: u64,
    bytes: Bytes,
    chunk_bytes: usize,
    spare: Arc<Spare>,
}

impl<'a> Window<'a> {
    /// A view of the file's first `end` bytes.
    pub(crate) fn new(file: &'a dyn DiskFile, end: u64, chunk_bytes: usize) -> Self {
        Self { file, end, start: 0, bytes: Bytes::new(), chunk_bytes, spare: Arc::default() }
    }

    /// Takes its memory from there.
    pub(crate) fn with_spare(self, spare: &Arc<Spare>) -> Self {
        Self { spare: Arc::clone(spare), ..self }
    }

    /// The bytes at `offset`: `len` of them, or fewer at the end.
    pub(crate) fn get(&mut self, offset: u64, len: usize) -> io::Result<Bytes> {
        let inside = |w: &Self| {
            let at = offset.checked_sub(w.start)? as usize;
            (at + len <= w.bytes.len()).then(|| w.bytes.slice(at..at + len))
        };
        if let Some(bytes) = inside(self) {
            return Ok(bytes);
        }
        self.load(offset, len)?;
        let rest = self.bytes.slice(self.at(offset)..);
        Ok(rest.slice(..len.min(rest.len())))
    }

    /// Everything that is loaded from `offset` on, at least a chunk when there is one.
    pub(crate) fn rest(&mut self, offset: u64) -> io::Result<Bytes> {
        self.load(offset, self.chunk_bytes)?;
        Ok(self.bytes.slice(self.at(offset)..))
    }

    /// What is loaded from `offset` on, or as `rest` when that is less than a header.
    fn loaded(&mut self, offset: u64) -> io::Result<Bytes> {
        let end = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + HEADER_BYTES as u64 > end {
            return self.rest(offset);
        }
        Ok(self.bytes.slice(self.at(offset)..))
    }

    /// Where `offset` is in what was just loaded for it.
    fn at(&self, offset: u64) -> usize {
        ((offset - self.start) as usize).min(self.bytes.len())
    }

    /// Takes over what another view of the same file had loaded.
    pub(crate) fn resume(&mut self, loaded: (u64, Bytes)) {
        (self.start, self.bytes) = loaded;
    }

    /// What is loaded, for a later view of the same file.
    pub(crate) fn suspend(self) -> (u64, Bytes) {
        (self.start, self.bytes)
    }

    /// Loads whole blocks around `len` bytes at `offset`: a handle past the page cache will do.
    fn load(&mut self, offset: u64, len: usize) -> io::Result<()> {
        let start = offset / BLOCK_BYTES as u64 * BLOCK_BYTES as u64;
        let left = self.end.saturating_sub(start);
        let want = ((offset - start) as usize + len).max(self.chunk_bytes) as u64;
        let want = (want.min(left) as usize).next_multiple_of(BLOCK_BYTES);
        // Before more is borrowed: its memory comes back unless a record still points into it.
        self.bytes = Bytes::new();
        self.start = start;
        if want == 0 {
            return Ok(());
        }
        let mut chunk = self.spare.lend(want);
        let read = self.file.read_at(chunk.as_mut(), start)?;
        chunk.truncate(read.min(left as usize));
        self.bytes = Bytes::from_owner(chunk);
        Ok(())
    }

    /// The frame at `offset`: its header and its whole body, intact or not.
    pub(crate) fn frame(&mut self, offset: u64, salt: Salt) -> io::Result<Option<(Header, Bytes)>> {
        let Some(header) = Header::decode(&self.get(offset, HEADER_BYTES)?, salt) else {
            return Ok(None);
        };
        let whole = self.get(offset, HEADER_BYTES + header.body_bytes as usize)?;
        Ok(Some((header, whole.slice(HEADER_BYTES.min(whole.len())..))))
    }
}

/// The next intact header of a file at or after `from`, a multiple of 8, with its offset.
pub(crate) fn find_in(
    window: &mut Window<'_>,
    mut from: u64,
    salt: Salt,
) -> io::Result<Option<(u64, Header)>> {
    while from + HEADER_BYTES as u64 <= window.end {
        let chunk = window.loaded(from)?;
        if let Some((found, header)) = find_header(&chunk, 0, salt) {
            return Ok(Some((from + found as u64, header)));
        }
        if chunk.len() < HEADER_BYTES {
            break;
        }
        from += (chunk.len() - (HEADER_BYTES - ALIGN_BYTES)) as u64 / 8 * 8;
    }
    Ok(None)
}

/// What stands next in a segment.
pub(crate) enum Seen {
    /// A frame; only its header was checked.
    Frame { offset: u64, header: Header, body: Bytes },
    /// Bytes that are no frame; the scan goes on at the next one.
    Damage { offset: u64 },
}

/// Walks the frames of one log's segment.
pub(crate) struct Scan<'a> {
    window: Window<'a>,
    at: u64,
    salt: Salt,
    log: LogId,
}

impl<'a> Scan<'a> {
    /// From `at` up to `end`.
    pub(crate) fn new(window: Window<'a>, at: u64, salt: Salt, log: LogId) -> Self {
        Self { window, at, salt, log }
    }

    /// The next frame or damage; None at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Seen>> {
        loop {
            if self.at + HEADER_BYTES as u64 > self.window.end {
                return Ok(None);
            }
            let offset = self.at;
            if let Some((header, body)) = self.window.frame(offset, self.salt)?
                && header.log == self.log
            {
                self.at += header.frame_bytes() as u64;
                return Ok(Some(Seen::Frame { offset, header, body }));
            }
            let block = offset.next_multiple_of(BLOCK_BYTES as u64);
            let padding = self.window.get(offset, (block - offset) as usize)?;
            if padding.iter().all(|b| *b == 0) && offset != block {
                self.at = block;
                continue;
            }
            self.resync(offset)?;
            return Ok(Some(Seen::Damage { offset }));
        }
    }

    /// Moves to the next header of this log after `offset`, or to the end.
    fn resync(&mut self, offset: u64) -> io::Result<()> {
        let mut from = offset + ALIGN_BYTES as u64;
        while let Some((found, header)) = find_in(&mut self.window, from, self.salt)? {
            if header.log == self.log {
                self.at = found;
                return Ok(());
            }
            from = found + ALIGN_BYTES as u64;
        }
        self.at = self.window.end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::env::Open;
    use std::path::Path;
    use std::sync::Arc;

    const SALT: Salt = Salt(42);

    fn frame(log: u64, ordinal: u64, body: &[u8]) -> Vec<u8> {
        let header = Header {
            body_crc: crc32c::crc32c(body),
            body_bytes: body.len() as u32,
            incarnation: 0,
            records: 1,
            lsn: 0,
            log: LogId(log),
            first_ordinal: ordinal,
            arrival_ms: 0,
            flags: 0,
            behind: 0,
        };
        let mut bytes = header.encode(SALT).to_vec();
        bytes.extend_from_slice(body);
        bytes.resize(header.frame_bytes(), 0);
        bytes
    }

    fn file(bytes: &[u8]) -> Arc<dyn DiskFile> {
        let env = testkit::fake_env(1).env();
        let file = env.disk.open(Path::new("/f"), Open::Write).unwrap();
        file.write_at(bytes, 0).unwrap();
        file
    }

    /// Ordinals of the frames, `u64::MAX` for damage.
    fn scan(bytes: &[u8], chunk_bytes: usize) -> Vec<u64> {
        let file = file(bytes);
        let window = Window::new(&*file, bytes.len() as u64, chunk_bytes);
        let mut scan = Scan::new(window, 0, SALT, LogId(1));
        let mut seen = Vec::new();
        while let Some(next) = scan.next().unwrap() {
            seen.push(match next {
                Seen::Frame { header, body, .. } => {
                    assert!(header.fits(&body));
                    header.first_ordinal
                }
                Seen::Damage { .. } => u64::MAX,
            });
        }
        seen
    }

    #[test]
    fn frames_are_found_over_padding_damage_and_chunk_ends() {
        let mut bytes = [frame(1, 0, &[7; 100]), frame(1, 1, &[8; 3000])].concat();
        bytes.resize(4096, 0);
        let damaged_at = bytes.len();
        bytes.extend(frame(1, 2, &[9; 10]));
        bytes.extend(frame(1, 3, &[10; 10_000]));
        for chunk_bytes in [64, 1000, 1 << 20] {
            assert_eq!(scan(&bytes, chunk_bytes), [0, 1, 2, 3], "{chunk_bytes}");
            let mut damaged = bytes.clone();
            damaged[damaged_at + 20] ^= 4;
            assert_eq!(scan(&damaged, chunk_bytes), [0, 1, u64::MAX, 3], "{chunk_bytes}");
        }
    }

    #[test]
    fn frames_of_another_log_are_damage() {
        let bytes = [frame(1, 0, b"a"), frame(2, 1, b"b"), frame(1, 2, b"c")].concat();
        assert_eq!(scan(&bytes, 64), [0, u64::MAX, 2]);
    }
}
