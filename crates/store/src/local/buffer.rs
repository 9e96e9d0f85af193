//! A byte buffer that starts at a multiple of 4 KiB, as direct I/O wants it.

use super::frame::BLOCK_BYTES;

/// Grows, never shrinks by itself; its content is lost when it grows.
#[derive(Default)]
pub(crate) struct Buffer {
    raw: Vec<u8>,
    start: usize,
}

impl Buffer {
    /// Memory for so many bytes.
    pub(crate) fn of(bytes: usize) -> Self {
        let raw = vec![0; bytes + BLOCK_BYTES];
        let start = raw.as_ptr().align_offset(BLOCK_BYTES);
        Self { raw, start }
    }

    /// `bytes` bytes with unspecified content.
    pub(crate) fn take(&mut self, bytes: usize) -> &mut [u8] {
        if self.raw.len() < self.start + bytes {
            // Why a new one: growing in place would copy content that nobody needs.
            *self = Self::of(bytes.next_power_of_two());
        }
        &mut self.raw[self.start..self.start + bytes]
    }

    /// The first `bytes` bytes, which were taken before.
    pub(crate) fn filled(&self, bytes: usize) -> &[u8] {
        &self.raw[self.start..self.start + bytes]
    }

    /// Frees the memory when it holds more than this.
    pub(crate) fn shrink_above(&mut self, bytes: usize) {
        if self.raw.len() > bytes.next_power_of_two() + BLOCK_BYTES {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_aligned() {
        let mut buffer = Buffer::default();
        for bytes in [1, 4096, 5000, 100, 1 << 20] {
            let slice = buffer.take(bytes);
            assert_eq!((slice.len(), slice.as_ptr().addr() % BLOCK_BYTES), (bytes, 0));
        }
        buffer.shrink_above(4096);
        assert!(buffer.raw.is_empty());
    }
}
