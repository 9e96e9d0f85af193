//! Disks that do not answer: how long something has been waited for.

use base::env::Clock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// From when on it is told: far above what a busy disk takes for a sync.
const LATE: Duration = Duration::from_secs(1);

/// What one thread at a time waits for.
#[derive(Debug, Default)]
pub(crate) struct Overdue {
    /// Monotonic milliseconds and one; 0 while nothing is waited for.
    since: AtomicU64,
}

/// The wait; it ends when this is dropped.
pub(crate) struct Wait<'a>(&'a Overdue);

impl Overdue {
    /// Begins to wait.
    pub(crate) fn wait(&self, clock: &dyn Clock) -> Wait<'_> {
        self.since.store(millis(clock) + 1, Ordering::Relaxed);
        Wait(self)
    }

    /// What is late, `what` as its name.
    pub(crate) fn trouble(&self, clock: &dyn Clock, what: &str) -> Option<String> {
        let since = self.since.load(Ordering::Relaxed).checked_sub(1)?;
        let passed = Duration::from_millis(millis(clock).saturating_sub(since));
        let seconds = passed.as_secs();
        (passed >= LATE).then(|| format!("the disk has not finished {what} for {seconds} s"))
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.0.since.store(0, Ordering::Relaxed);
    }
}

fn millis(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.monotonic().as_millis()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_second_is_told_until_it_ends() {
        let fake = testkit::fake_env(1);
        let overdue = Overdue::default();
        let trouble = || overdue.trouble(&*fake.clock, "a write");
        assert_eq!(trouble(), None);
        let wait = overdue.wait(&*fake.clock);
        fake.clock.advance(Duration::from_millis(999));
        assert_eq!(trouble(), None);
        fake.clock.advance(Duration::from_millis(6_001));
        assert_eq!(trouble().unwrap(), "the disk has not finished a write for 7 s");
        drop(wait);
        assert_eq!(trouble(), None);
    }
}
