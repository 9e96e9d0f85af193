//! Many durations in bounded memory, for percentiles.
//!
//! Buckets are 32 to each power of two of microseconds: a percentile is at most 3 % too high.

use std::time::Duration;

const PER_DOUBLING_BITS: u32 = 5;
const BUCKETS: usize = 32 * 60;

/// A histogram of durations.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    counts: Vec<u64>,
    total: u64,
    longest: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, longest: Duration::ZERO }
    }
}

impl Latencies {
    /// Adds one.
    pub(crate) fn add(&mut self, took: Duration) {
        self.counts[bucket(took.as_micros() as u64)] += 1;
        self.total += 1;
        self.longest = self.longest.max(took);
    }

    /// Adds all of another.
    pub(crate) fn merge(&mut self, other: &Latencies) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// How many there are.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The longest.
    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    /// The duration that this part (0 to 1) of all does not exceed.
    pub(crate) fn percentile(&self, part: f64) -> Duration {
        let rank = ((self.total as f64 * part).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper(index)).min(self.longest);
            }
        }
        self.longest
    }
}

fn bucket(micros: u64) -> usize {
    let shift = (64 - micros.leading_zeros()).saturating_sub(PER_DOUBLING_BITS + 1);
    let index = (u64::from(shift) << PER_DOUBLING_BITS) + (micros >> shift);
    (index as usize).min(BUCKETS - 1)
}

/// Largest value of a bucket.
fn upper(index: usize) -> u64 {
    let shift = (index >> PER_DOUBLING_BITS).saturating_sub(1);
    let mantissa = index - (shift << PER_DOUBLING_BITS);
    ((mantissa as u64 + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_their_values() {
        for micros in (0..100_000).chain([1 << 30, (1 << 40) + 12345]) {
            let high = upper(bucket(micros));
            assert!(high >= micros && high - micros <= micros / 31, "{micros} {high}");
        }
    }

    #[test]
    fn percentiles_are_close() {
        let mut some = Latencies::default();
        for ms in 1..=50 {
            some.add(Duration::from_millis(ms));
        }
        let mut more = Latencies::default();
        for ms in 51..=100 {
            more.add(Duration::from_millis(ms));
        }
        some.merge(&more);
        let p50 = some.percentile(0.5).as_micros();
        assert!((50_000..=51_600).contains(&p50), "{p50}");
        assert_eq!(some.percentile(1.0), Duration::from_millis(100));
        assert_eq!((some.total(), some.longest()), (100, Duration::from_millis(100)));
        assert_eq!(Latencies::default().percentile(0.99), Duration::ZERO);
    }
}
