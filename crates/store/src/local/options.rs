//! What an owner may set; every default is a named constant with its unit.

use super::frame::BLOCK_BYTES;
use super::journal::Sizes;
use super::key_ring::KeyRing;
use crate::{Error, ErrorKind, Result};
use base::env::{Open, Space};
use base::metrics::Registry;
use std::fmt;
use std::sync::Arc;

/// When an append counts as done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// After fdatasync. The default.
    #[default]
    Always,
    /// After the write; fdatasync follows within [`RELAXED_SYNC_MS`]. A crash of the machine (not
    /// of the process) may lose what was acknowledged since the last one.
    Relaxed,
}

/// Bytes of the first journal file: zero-written before an empty directory serves.
pub const JOURNAL_FIRST_BYTES: u64 = 16 << 20;
/// Which part of the disk the first journal file takes at most: on a small one it is smaller.
pub const JOURNAL_FIRST_PART: u64 = 32;
/// Bytes of the first journal file on the smallest disk.
pub const JOURNAL_FIRST_BYTES_MIN: u64 = 1 << 20;
/// Which part of the disk the journal takes at most, but for three files of the first one's size
/// and one for the largest batch.
pub const JOURNAL_PART: u64 = 4;
/// Bytes of the largest journal files; each new file is twice as large as the last up to here.
pub const JOURNAL_FILE_BYTES_MAX: u64 = 256 << 20;
/// Most journal files; new ones are made when the load uses up the free ones.
pub const JOURNAL_FILES_MAX: usize = 8;
/// Most that this may be set to: one block lists them and those that large batches take beside.
pub const JOURNAL_FILES_LIMIT: usize = 256;
/// Body bytes gathered into one commit; a larger single batch is a commit of its own.
pub const COMMIT_BYTES_MAX: usize = 4 << 20;
/// Body bytes of one batch.
pub const BATCH_BYTES_MAX: usize = 12 << 20;
/// Bytes that wait for their commit; past it appends are `Unavailable`.
pub const QUEUE_BYTES_MAX: usize = 64 << 20;
/// Bytes of the newest batches kept in memory.
pub const CACHE_BYTES_MAX: usize = 256 << 20;
/// Unspilled bytes of one log at which it is written to its segment.
pub const SPILL_BYTES: u64 = 1 << 20;
/// Bytes at which a segment is sealed.
pub const SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// Age at which a segment is sealed: an eighth of the shortest retention.
pub const SEGMENT_AGE_MAX_MS: i64 = 3 * 3600 * 1000;
/// Segments kept open with their index.
pub const OPEN_SEGMENTS_MAX: usize = 1024;
/// Threads that read older data.
pub const READERS: usize = 2;
/// Reads that wait for a reader; past it they are `Unavailable`.
pub const READS_QUEUED_MAX: usize = 4096;
/// Used part of the disk, in percent, at which the owner is asked to trim early.
pub const LOW_SPACE_PERCENT: u64 = 90;
/// Used part of the disk, in percent, at which appends are `Full`.
pub const NO_SPACE_PERCENT: u64 = 95;
/// Longest time between a write and its fdatasync under [`Durability::Relaxed`].
pub const RELAXED_SYNC_MS: u64 = 100;

/// Asked when the disk passes [`Options::low_space_percent`], again and again until it is below.
#[derive(Clone)]
pub struct LowSpaceHook(pub Arc<dyn Fn(Space) + Send + Sync>);

impl fmt::Debug for LowSpaceHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LowSpaceHook")
    }
}

/// Settings of [`super::Local`].
#[derive(Clone, Debug)]
pub struct Options {
    /// When an append counts as done.
    pub durability: Durability,
    /// Bytes of the first journal file, rounded up to 4 KiB.
    pub journal_first_bytes: u64,
    /// Bytes of the largest journal files.
    pub journal_file_bytes_max: u64,
    /// Most journal files, at least 3.
    pub journal_files_max: usize,
    /// Whether writes bypass the page cache, where the file system allows it.
    pub direct: bool,
    /// Body bytes gathered into one commit.
    pub commit_bytes_max: usize,
    /// Body bytes of one batch.
    pub batch_bytes_max: usize,
    /// Bytes that wait for their commit.
    pub queue_bytes_max: usize,
    /// Bytes of the newest batches kept in memory.
    pub cache_bytes_max: usize,
    /// Unspilled bytes of one log at which it is written to its segment.
    pub spill_bytes: u64,
    /// Bytes at which a segment is sealed; at most 2 GiB, as of the journal's files.
    pub segment_bytes_max: u64,
    /// Age at which a segment is sealed, in milliseconds.
    pub segment_age_max_ms: i64,
    /// Segments kept open with their index.
    pub open_segments_max: usize,
    /// Threads that read older data.
    pub readers: usize,
    /// Reads that wait for a reader.
    pub reads_queued_max: usize,
    /// Used part of the disk at which the owner is asked to trim early.
    pub low_space_percent: u64,
    /// Used part of the disk at which appends are `Full`.
    pub no_space_percent: u64,
    /// Who is asked to trim early.
    pub low_space_hook: Option<LowSpaceHook>,
    /// Keys of encrypted logs.
    pub keys: Arc<KeyRing>,
    /// Where the engine's metrics are kept.
    pub metrics: Registry,
    /// Start on a damaged journal all the same and give up what lies behind the damage.
    pub cut_damaged_journal: bool,
}

/// Largest file: offsets in them are kept in 32 bits.
const FILE_BYTES_MAX: u64 = 2 << 30;

impl Options {
    /// Keeps the first journal file within a small disk.
    pub(crate) fn fit(&mut self, space: Space) {
        let share = space.total_bytes / JOURNAL_FIRST_PART;
        let share = (share / BLOCK_BYTES as u64 * BLOCK_BYTES as u64).max(JOURNAL_FIRST_BYTES_MIN);
        self.journal_first_bytes = self.journal_first_bytes.min(share);
    }

    /// How large the journal may become on a disk of this size.
    pub(crate) fn journal_sizes(&self, space: Option<Space>) -> Sizes {
        let first = self.journal_first_bytes;
        let journal_max = space.map_or(u64::MAX, |space| space.total_bytes / JOURNAL_PART);
        let (file_max, files_max) =
            (self.journal_file_bytes_max.max(first), self.journal_files_max);
        Sizes { first, file_max, files_max, journal_max }
    }

    /// How files are opened that whole blocks are written to.
    pub(crate) fn open_blocks(&self) -> Open {
        if self.direct { Open::WriteDirect } else { Open::Write }
    }

    /// Files kept open until they are synced, where that is done one by one.
    pub(crate) fn unsynced_files_max(&self) -> usize {
        (self.open_segments_max / 4).max(1)
    }

    /// Refuses sizes that files cannot have.
    ///
    /// # Errors
    /// `Invalid` naming the option.
    pub fn check(&self) -> Result<()> {
        for (name, bytes) in [
            ("a segment", self.segment_bytes_max),
            ("the first journal file", self.journal_first_bytes),
            ("a journal file", self.journal_file_bytes_max),
        ] {
            if !(BLOCK_BYTES as u64..=FILE_BYTES_MAX).contains(&bytes) {
                let message =
                    format!("{name} has {BLOCK_BYTES} to {FILE_BYTES_MAX} bytes, not {bytes}");
                return Err(Error::new(ErrorKind::Invalid, message));
            }
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            journal_first_bytes: JOURNAL_FIRST_BYTES,
            journal_file_bytes_max: JOURNAL_FILE_BYTES_MAX,
            journal_files_max: JOURNAL_FILES_MAX,
            direct: true,
            commit_bytes_max: COMMIT_BYTES_MAX,
            batch_bytes_max: BATCH_BYTES_MAX,
            queue_bytes_max: QUEUE_BYTES_MAX,
            cache_bytes_max: CACHE_BYTES_MAX,
            spill_bytes: SPILL_BYTES,
            segment_bytes_max: SEGMENT_BYTES_MAX,
            segment_age_max_ms: SEGMENT_AGE_MAX_MS,
            open_segments_max: OPEN_SEGMENTS_MAX,
            readers: READERS,
            reads_queued_max: READS_QUEUED_MAX,
            low_space_percent: LOW_SPACE_PERCENT,
            no_space_percent: NO_SPACE_PERCENT,
            low_space_hook: None,
            keys: Arc::default(),
            metrics: Registry::default(),
            cut_damaged_journal: false,
        }
    }
}
