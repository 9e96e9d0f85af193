//! Rates: what a shard takes and gives per second.
//!
//! Token buckets with exact integer levels: a level is units times 10^9, so that a nanosecond of
//! refill is the rate itself and nothing is ever rounded. Time is the monotonic clock of the
//! environment; a wall clock that jumps changes nothing here.
//!
//! A bucket that is not in debt may be overdrawn where AWS allows it (a record above 1 MiB, a read
//! of 10 MiB); it then refuses until it is paid back.

use std::time::Duration;

/// Data and partition keys a shard takes per second.
pub(crate) const WRITE_BYTES: Rate = Rate::per_second(1 << 20);
/// Records a shard takes per second.
pub(crate) const WRITE_RECORDS: Rate = Rate::per_second(1000);
/// Data a shard gives to all pollers per second, and a subscription to its consumer.
pub(crate) const READ_BYTES: Rate = Rate::per_second(2 << 20);
/// `GetRecords` calls a shard answers per second.
pub(crate) const READ_CALLS: Rate = Rate::per_second(5);
/// `GetShardIterator` calls a shard answers per second.
pub(crate) const ITERATOR_CALLS: Rate = Rate::per_second(5);
/// How long a granted `SubscribeToShard` keeps others of its consumer and shard away.
pub(crate) const SUBSCRIBE_PAUSE: Duration = Duration::from_secs(5);

/// Units per second; a bucket holds one second's worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rate(i64);

const NANOS: i64 = 1_000_000_000;

impl Rate {
    const fn per_second(units: i64) -> Self {
        Self(units)
    }

    const fn full(self) -> i64 {
        self.0 * NANOS
    }

    /// Units in this time.
    pub(crate) fn over(self, time: Duration) -> u64 {
        self.0.unsigned_abs() * time.as_millis() as u64 / 1000
    }
}

/// Which limit refused; the `limit` label of the throttle counters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exceeded {
    Bytes,
    Records,
    Calls,
}

/// One token bucket; its rate is named at each use, so that an idle shard keeps few bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bucket {
    /// Units left times 10^9; negative = in debt.
    level: i64,
    /// When `level` was true, in nanoseconds of the monotonic clock.
    at_ns: u64,
}

impl Bucket {
    /// A full bucket.
    pub(crate) const fn full(rate: Rate) -> Self {
        Self { level: rate.full(), at_ns: 0 }
    }

    /// Adds what time gave. A clock that stands still or is read out of order adds nothing.
    fn refill(&mut self, rate: Rate, now: Duration) {
        // A debt is at most 10 MiB and a rate at least a tenth of that, so a minute refills any
        // bucket; the bound keeps the product below in range.
        const PAUSE_NS_MAX: u64 = 60 * NANOS as u64;
        let now_ns = now.as_nanos() as u64;
        let pause = now_ns.saturating_sub(self.at_ns).min(PAUSE_NS_MAX) as i64;
        self.level = (self.level + pause * rate.0).min(rate.full());
        self.at_ns = self.at_ns.max(now_ns);
    }

    /// Whether `units` are there. More than a second's worth is there when the bucket is full.
    fn holds(&self, rate: Rate, units: usize) -> bool {
        self.level >= scaled(units).min(rate.full())
    }

    fn take(&mut self, units: usize) {
        self.level -= scaled(units);
    }

    /// Takes `units` if they are there.
    fn try_take(&mut self, rate: Rate, units: usize, now: Duration) -> bool {
        self.refill(rate, now);
        let holds = self.holds(rate, units);
        if holds {
            self.take(units);
        }
        holds
    }

    /// How long until the bucket is out of debt; zero when it is.
    pub(crate) fn debt(&mut self, rate: Rate, now: Duration) -> Duration {
        self.refill(rate, now);
        let nanos = self.level.min(0).unsigned_abs().div_ceil(rate.0.unsigned_abs());
        Duration::from_nanos(nanos)
    }

    /// Takes `units` whether or not they are there: what was read is read. A read above a second's
    /// worth pays for all of itself, so that 10 MiB stop a shard for five seconds (model).
    pub(crate) fn charge(&mut self, rate: Rate, units: usize, now: Duration) {
        self.refill(rate, now);
        if scaled(units) > rate.full() {
            self.level = self.level.min(0);
        }
        self.take(units);
    }
}

fn scaled(units: usize) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX / NANOS).min(i64::MAX / NANOS / 2) * NANOS
}

/// What came for a shard since it was opened, refused records included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    /// Records among them that were refused.
    pub(crate) refused: u64,
}

/// What a shard still takes in this second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WriteBudget {
    bytes: Bucket,
    records: Bucket,
    arrived: Arrived,
}

impl Default for WriteBudget {
    fn default() -> Self {
        Self {
            bytes: Bucket::full(WRITE_BYTES),
            records: Bucket::full(WRITE_RECORDS),
            arrived: Arrived::default(),
        }
    }
}

impl WriteBudget {
    /// Takes one record of `bytes` of data and partition key, or nothing.
    ///
    /// A record above 1 MiB needs a full second's allowance and leaves a debt (model: large records
    /// draw on a burst that refills).
    pub(crate) fn take(&mut self, bytes: usize, now: Duration) -> Result<(), Exceeded> {
        let outcome = self.try_take(bytes, now);
        self.arrived.bytes += bytes as u64;
        self.arrived.records += 1;
        self.arrived.refused += u64::from(outcome.is_err());
        outcome
    }

    /// What came so far.
    pub(crate) fn arrived(&self) -> Arrived {
        self.arrived
    }

    fn try_take(&mut self, bytes: usize, now: Duration) -> Result<(), Exceeded> {
        self.bytes.refill(WRITE_BYTES, now);
        self.records.refill(WRITE_RECORDS, now);
        if !self.records.holds(WRITE_RECORDS, 1) {
            return Err(Exceeded::Records);
        }
        if !self.bytes.holds(WRITE_BYTES, bytes) {
            return Err(Exceeded::Bytes);
        }
        self.records.take(1);
        self.bytes.take(bytes);
        Ok(())
    }
}

/// What a shard still gives in this second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReadBudget {
    bytes: Bucket,
    calls: Bucket,
    iterators: Bucket,
}

impl Default for ReadBudget {
    fn default() -> Self {
        Self {
            bytes: Bucket::full(READ_BYTES),
            calls: Bucket::full(READ_CALLS),
            iterators: Bucket::full(ITERATOR_CALLS),
        }
    }
}

impl ReadBudget {
    /// Takes one `GetRecords` call; its bytes are charged when they are known.
    pub(crate) fn take_call(&mut self, now: Duration) -> Result<(), Exceeded> {
        if !self.bytes.debt(READ_BYTES, now).is_zero() {
            return Err(Exceeded::Bytes);
        }
        if self.calls.try_take(READ_CALLS, 1, now) { Ok(()) } else { Err(Exceeded::Calls) }
    }

    /// Takes what a `GetRecords` call returned.
    pub(crate) fn charge(&mut self, bytes: usize, now: Duration) {
        self.bytes.charge(READ_BYTES, bytes, now);
    }

    /// Takes one `GetShardIterator` call.
    pub(crate) fn take_iterator(&mut self, now: Duration) -> Result<(), Exceeded> {
        if self.iterators.try_take(ITERATOR_CALLS, 1, now) { Ok(()) } else { Err(Exceeded::Calls) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: usize = 1 << 20;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_thousand_records_then_one_per_millisecond() {
        let mut budget = WriteBudget::default();
        for _ in 0..1000 {
            assert_eq!(budget.take(10, ms(5000)), Ok(()));
        }
        assert_eq!(budget.take(10, ms(5000)), Err(Exceeded::Records));
        assert_eq!(budget.take(10, ms(5001)), Ok(()));
        assert_eq!(budget.take(10, ms(5001)), Err(Exceeded::Records));
    }

    #[test]
    fn a_mebibyte_then_nothing_until_it_refills() {
        let mut budget = WriteBudget::default();
        assert_eq!(budget.take(MIB, ms(0)), Ok(()));
        assert_eq!(budget.take(1, ms(0)), Err(Exceeded::Bytes));
        assert_eq!(budget.take(MIB / 2, ms(499)), Err(Exceeded::Bytes));
        assert_eq!(budget.take(MIB / 2, ms(500)), Ok(()));
    }

    #[test]
    fn a_large_record_needs_a_full_bucket_and_leaves_a_debt() {
        let mut budget = WriteBudget::default();
        assert_eq!(budget.take(1, ms(0)), Ok(()));
        assert_eq!(budget.take(10 * MIB, ms(0)), Err(Exceeded::Bytes));
        assert_eq!(budget.take(10 * MIB, ms(1)), Ok(()));
        assert_eq!(budget.take(1, ms(9000)), Err(Exceeded::Bytes));
        assert_eq!(budget.take(1, ms(9002)), Ok(()));
    }

    #[test]
    fn ten_mebibytes_stop_readers_for_five_seconds() {
        let mut budget = ReadBudget::default();
        assert_eq!(budget.take_call(ms(100)), Ok(()));
        budget.charge(10 * MIB, ms(100));
        assert_eq!(budget.take_call(ms(5099)), Err(Exceeded::Bytes));
        assert_eq!(budget.take_call(ms(5100)), Ok(()));
    }

    #[test]
    fn two_mebibytes_a_second_go_on_for_ever() {
        let mut budget = ReadBudget::default();
        for i in 0..100 {
            assert_eq!(budget.take_call(ms(200 * i)), Ok(()));
            budget.charge(2 * MIB / 5, ms(200 * i));
        }
    }

    #[test]
    fn five_calls_a_second() {
        let mut budget = ReadBudget::default();
        for _ in 0..5 {
            assert_eq!(budget.take_call(ms(0)), Ok(()));
            assert_eq!(budget.take_iterator(ms(0)), Ok(()));
        }
        assert_eq!(budget.take_call(ms(199)), Err(Exceeded::Calls));
        assert_eq!(budget.take_iterator(ms(199)), Err(Exceeded::Calls));
        assert_eq!(budget.take_call(ms(200)), Ok(()));
        assert_eq!(budget.take_iterator(ms(200)), Ok(()));
    }

    proptest! {
        /// Over any span a shard takes at most a full bucket and what refills in the span.
        #[test]
        fn never_above_the_rate(
            steps in prop::collection::vec((0..400u64, 0..300_000usize), 1..200),
        ) {
            let mut budget = WriteBudget::default();
            let (mut now_ms, mut bytes, mut records) = (0, 0, 0);
            for (pause, size) in steps {
                now_ms += pause;
                if budget.take(size, ms(now_ms)).is_ok() {
                    bytes += size as u64;
                    records += 1;
                }
                prop_assert!(bytes <= (1 << 20) * (1000 + now_ms) / 1000 + 1);
                prop_assert!(records <= 1000 + now_ms);
            }
        }

        /// A clock that is read out of order neither gives nor panics.
        #[test]
        fn time_out_of_order(steps in prop::collection::vec((any::<u32>(), any::<u32>()), 1..50)) {
            let mut budget = WriteBudget::default();
            for (at, size) in steps {
                let _outcome = budget.take(size as usize, ms(u64::from(at)));
                prop_assert!(budget.bytes.level <= WRITE_BYTES.full());
            }
        }
    }
}
