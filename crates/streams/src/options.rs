//! What a server's owner can choose about Data Streams.

use std::time::Duration;

/// Which per-shard rates are enforced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Limits {
    /// AWS's: 1 MiB/s and 1,000 records/s in, 2 MiB/s and 5 reads/s out, per shard.
    #[default]
    Aws,
    /// Whatever the machine gives; sizes of requests and records stay AWS's.
    Hardware,
}

/// How long streams and consumers stay in their passing states.
///
/// AWS takes seconds to a minute; tests and development want it short. Zero: what was asked for is
/// done before the answer, and nobody sees the passing state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifecycle {
    /// `CREATING` to `ACTIVE`, of streams and consumers.
    pub creating: Duration,
    /// `UPDATING` to `ACTIVE`.
    pub updating: Duration,
    /// `DELETING` to gone, of streams and consumers.
    pub deleting: Duration,
}

impl Default for Lifecycle {
    fn default() -> Self {
        let short = Duration::from_millis(20);
        Self { creating: short, updating: short, deleting: short }
    }
}

/// Options of the service.
#[derive(Clone, Debug)]
pub struct Options {
    /// Per-shard rates.
    pub limits: Limits,
    /// Length of the passing states.
    pub lifecycle: Lifecycle,
    /// Most open shards of one account and region; `DescribeLimits` shows it.
    pub shards_max: u32,
    /// Most open shards of one stream.
    pub stream_shards_max: u32,
    /// Most on-demand streams of one account and region; `DescribeLimits` shows it.
    pub on_demand_streams_max: u32,
    /// Whether changes are rationed as AWS does: `UpdateShardCount` to at most double and at least
    /// half, ten times a day, two mode switches and 25 key changes a day, five streams in
    /// `CREATING` or `DELETING` and five consumers in `CREATING` at once.
    pub scaling_limits: bool,
    /// Longest fan-out subscription; AWS ends it after five minutes.
    pub subscription: Duration,
    /// How often expired records and shards are looked for, and whether on-demand streams must
    /// grow.
    pub upkeep_period: Duration,
    /// Most shards of a stream that get metrics of their own; the shards of a larger one share
    /// them.
    pub shard_metrics_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::Aws,
            lifecycle: Lifecycle::default(),
            shards_max: 20_000,
            stream_shards_max: 10_000,
            on_demand_streams_max: 1_000,
            scaling_limits: true,
            subscription: Duration::from_mins(5),
            upkeep_period: Duration::from_secs(10),
            shard_metrics_max: 100,
        }
    }
}
