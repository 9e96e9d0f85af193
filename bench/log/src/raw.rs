//! The floor: one thread, pwrite + fdatasync around a zero-written file.

use crate::system;
use anyhow::Result;
use base::env::Open;
use std::path::Path;
use std::time::Duration;

/// Bytes of the file that is written around.
const FILE_BYTES: u64 = 256 << 20;
const BLOCK_BYTES: usize = 4096;

/// What the disk gives.
pub(crate) struct Raw {
    pub(crate) syncs_per_second: f64,
}

/// Writes and syncs `bytes`, rounded up to blocks, again and again.
pub(crate) fn run(dir: &Path, bytes: usize, time: Duration, direct: bool) -> Result<Raw> {
    let env = system::env();
    let how = if direct { Open::WriteDirect } else { Open::Write };
    let file = env.disk.open(&dir.join("raw"), how)?;
    let bytes = bytes.next_multiple_of(BLOCK_BYTES).max(BLOCK_BYTES);
    let mut memory = vec![0_u8; bytes.max(1 << 20) + BLOCK_BYTES];
    let start = memory.as_ptr().align_offset(BLOCK_BYTES);
    for offset in (0..FILE_BYTES).step_by(1 << 20) {
        file.write_at(&memory[start..start + (1 << 20)], offset)?;
    }
    file.sync_data()?;
    memory.fill(7);
    let began = env.clock.monotonic();
    let (mut syncs, mut offset) = (0_u64, 0);
    while env.clock.monotonic().saturating_sub(began) < time {
        if offset + bytes as u64 > FILE_BYTES {
            offset = 0;
        }
        file.write_at(&memory[start..start + bytes], offset)?;
        file.sync_data()?;
        offset += bytes as u64;
        syncs += 1;
    }
    let passed = env.clock.monotonic().saturating_sub(began);
    Ok(Raw { syncs_per_second: syncs as f64 / passed.as_secs_f64() })
}
