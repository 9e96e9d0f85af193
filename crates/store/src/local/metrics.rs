//! The engine's metric handles; names are those of the product's metric list.

use base::metrics::{Counter, Definition, Gauge, Histogram, Registry};

static FSYNC_SECONDS: Definition =
    Definition::ours("millweir_storage_fsync_seconds", "Duration of a journal commit's fdatasync.");
static WAL_BYTES: Definition = Definition::ours(
    "millweir_storage_wal_bytes",
    "Journal bytes that are not yet in segments and checkpointed.",
);
static SEGMENT_COUNT: Definition =
    Definition::ours("millweir_storage_segment_count", "Segment files of all logs.");
static DISK_FREE_BYTES: Definition = Definition::ours(
    "millweir_storage_disk_free_bytes",
    "Bytes free on the data directory's file system.",
);
static CHECKSUM_FAILURES_TOTAL: Definition = Definition::ours(
    "millweir_storage_checksum_failures_total",
    "Blocks read back that are not what was written.",
);
static RECOVERY_SECONDS: Definition =
    Definition::ours("millweir_storage_recovery_seconds", "Duration of the last start's recovery.");
static TRUNCATED_BYTES_TOTAL: Definition = Definition::ours(
    "millweir_storage_truncated_bytes_total",
    "Bytes of torn, never acknowledged commits that recovery dropped.",
);

/// Found once, at open.
pub(crate) struct Metrics {
    pub(crate) fsync: Histogram,
    pub(crate) wal_bytes: Gauge,
    pub(crate) segments: Gauge,
    pub(crate) disk_free: Gauge,
    pub(crate) checksum_failures: Counter,
    pub(crate) recovery: Gauge,
    pub(crate) truncated: Counter,
}

impl Metrics {
    pub(crate) fn of(registry: &Registry) -> Self {
        Self {
            fsync: registry.histogram(&FSYNC_SECONDS, &[]),
            wal_bytes: registry.gauge(&WAL_BYTES, &[]),
            segments: registry.gauge(&SEGMENT_COUNT, &[]),
            disk_free: registry.gauge(&DISK_FREE_BYTES, &[]),
            checksum_failures: registry.counter(&CHECKSUM_FAILURES_TOTAL, &[]),
            recovery: registry.gauge(&RECOVERY_SECONDS, &[]),
            truncated: registry.counter(&TRUNCATED_BYTES_TOTAL, &[]),
        }
    }
}
