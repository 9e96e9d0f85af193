//! Memory that segments are read into, used again once no record points into it.
//!
//! Why: a fresh megabyte is cleared once by us and once, page by page, by the kernel, which costs
//! as much again as copying what was read.

use super::buffer::Buffer;
use super::scan::CHUNK_BYTES;
use parking_lot::Mutex;
use std::sync::Arc;

/// Most chunks that are kept for the next reads.
const KEPT_MAX: usize = 32;
/// What is read in smaller pieces does not hold a chunk's memory for as long as a reader is slow.
const SMALL_BYTES: usize = CHUNK_BYTES / 4;

/// See the module.
#[derive(Default)]
pub(crate) struct Spare(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    buffers: Vec<Buffer>,
    /// The fewest that there were since the last look.
    unused: usize,
}

impl Spare {
    /// Memory of `bytes` bytes with unspecified content, which starts at a multiple of 4 KiB.
    pub(crate) fn lend(self: &Arc<Self>, bytes: usize) -> Chunk {
        let is_chunk = bytes > SMALL_BYTES && bytes <= CHUNK_BYTES;
        let kept = if is_chunk { self.0.lock().take() } else { None };
        let fresh = || Buffer::of(if is_chunk { CHUNK_BYTES } else { bytes });
        let buffer = kept.unwrap_or_else(fresh);
        Chunk { buffer, bytes, home: is_chunk.then(|| Arc::clone(self)) }
    }

    /// Frees what no read needed since the last call.
    pub(crate) fn shrink(&self) {
        let mut kept = self.0.lock();
        let needed = kept.buffers.len() - kept.unused;
        let freed = kept.buffers.split_off(needed);
        kept.unused = needed;
        drop(kept);
        drop(freed);
    }
}

impl Kept {
    fn take(&mut self) -> Option<Buffer> {
        let buffer = self.buffers.pop();
        self.unused = self.unused.min(self.buffers.len());
        buffer
    }
}

/// A piece of a file in memory; its memory goes back when it is dropped.
pub(crate) struct Chunk {
    buffer: Buffer,
    bytes: usize,
    home: Option<Arc<Spare>>,
}

impl Chunk {
    /// All of it, to be filled.
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        self.buffer.take(self.bytes)
    }

    /// Keeps the first bytes only.
    pub(crate) fn truncate(&mut self, bytes: usize) {
        self.bytes = self.bytes.min(bytes);
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self.buffer.filled(self.bytes)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else { return };
        let mut kept = home.0.lock();
        if kept.buffers.len() < KEPT_MAX {
            kept.buffers.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn memory_comes_back_when_the_last_record_is_gone() {
        let spare = Arc::new(Spare::default());
        let mut chunk = spare.lend(CHUNK_BYTES);
        chunk.as_mut().fill(7);
        chunk.truncate(10);
        let bytes = Bytes::from_owner(chunk);
        let record = bytes.slice(2..5);
        drop(bytes);
        assert!(spare.0.lock().buffers.is_empty());
        assert_eq!(record, [7; 3].as_slice());
        let at = record.as_ptr().addr();
        drop(record);
        let mut again = spare.lend(CHUNK_BYTES / 2);
        assert_eq!(
            (again.as_mut().len(), again.as_mut().as_ptr().addr() + 2),
            (CHUNK_BYTES / 2, at)
        );
    }

    #[test]
    fn what_is_kept_is_bounded_and_goes() {
        let spare = Arc::new(Spare::default());
        let kept = || spare.0.lock().buffers.len();
        drop((spare.lend(1), spare.lend(CHUNK_BYTES + 1)));
        assert_eq!(kept(), 0);
        let lent: Vec<_> = (0..KEPT_MAX + 5).map(|_| spare.lend(CHUNK_BYTES)).collect();
        drop(lent);
        assert_eq!(kept(), KEPT_MAX);
        spare.shrink();
        drop([(); 5].map(|()| spare.lend(CHUNK_BYTES)));
        assert_eq!(kept(), KEPT_MAX);
        spare.shrink();
        assert_eq!(kept(), 5);
        spare.shrink();
        assert_eq!(kept(), 0);
    }
}
