//! The engine's metric handles; names are those of the product's metric list.

use base::metrics::{Counter, Gauge, Histogram, Registry};

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
            fsync: registry.histogram(
                "millweir_storage_fsync_seconds",
                "Duration of a journal commit's fdatasync.",
                &[],
            ),
            wal_bytes: registry.gauge(
                "millweir_storage_wal_bytes",
                "Journal bytes that are not yet in segments and checkpointed.",
                &[],
            ),
            segments: registry.gauge(
                "millweir_storage_segment_count",
                "Segment files of all logs.",
                &[],
            ),
            disk_free: registry.gauge(
                "millweir_storage_disk_free_bytes",
                "Bytes free on the data directory's file system.",
                &[],
            ),
            checksum_failures: registry.counter(
                "millweir_storage_checksum_failures_total",
                "Blocks read back that are not what was written.",
                &[],
            ),
            recovery: registry.gauge(
                "millweir_storage_recovery_seconds",
                "Duration of the last start's recovery.",
                &[],
            ),
            truncated: registry.counter(
                "millweir_storage_truncated_bytes_total",
                "Bytes of torn, never acknowledged commits that recovery dropped.",
                &[],
            ),
        }
    }
}
