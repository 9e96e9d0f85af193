//! What a server's owner can choose about SNS.

use std::time::Duration;

/// Options of the service.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most topics of an account in a region.
    pub topics_max: usize,
    /// Most subscriptions of a topic.
    pub subscriptions_max: usize,
    /// Most deliveries that wait. An account has at most four fifths.
    pub deliveries_max: usize,
    /// Most bytes of the messages that wait, with 200 for each delivery. An account has at most
    /// four fifths.
    pub outbox_bytes_max: usize,
    /// Most deliveries on their way at once.
    pub posts_max: usize,
    /// Pause after the first failure; each further one doubles it.
    pub retry_first: Duration,
    /// Longest pause between tries.
    pub retry_max: Duration,
    /// Most tries of a delivery.
    pub tries_max: u32,
    /// Oldest that a message gets before its deliveries are given up.
    pub age_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            topics_max: 10_000,
            subscriptions_max: 1000,
            deliveries_max: 100_000,
            outbox_bytes_max: 64 << 20,
            posts_max: 64,
            retry_first: Duration::from_secs(1),
            retry_max: Duration::from_secs(300),
            tries_max: 50,
            age_max: Duration::from_secs(3600),
        }
    }
}
