//! What a server's owner can choose about CloudWatch Logs.

use std::time::Duration;

/// Options of the service.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most groups of an account in a region.
    pub groups_max: usize,
    /// Most streams of all groups together. An account has at most four fifths.
    pub streams_max: usize,
    /// Most bytes of events: beyond it the oldest of the account that has most go.
    pub bytes_max: usize,
    /// Most bytes that wait for a subscription filter's destination: beyond it the oldest go.
    pub filter_bytes_max: usize,
    /// Pause after the first failure of a delivery; each further one doubles it.
    pub retry_first: Duration,
    /// Longest pause between tries.
    pub retry_max: Duration,
    /// Oldest that an event gets before its delivery is given up.
    pub age_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            groups_max: 10_000,
            streams_max: 100_000,
            bytes_max: 8 << 30,
            filter_bytes_max: 256 << 20,
            retry_first: Duration::from_secs(1),
            retry_max: Duration::from_secs(60),
            age_max: Duration::from_secs(86_400),
        }
    }
}
