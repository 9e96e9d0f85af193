//! The real clock and randomness behind `base::env`.

#![expect(clippy::disallowed_methods, reason = "this is the one place behind the `Clock` seam")]

use base::Env;
use base::env::{Clock, OsDisk, Rng, Sleep};
use ring::rand::{SecureRandom, SystemRandom};
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The system's clocks, with sleeps by tokio's timer.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    start: Instant,
    /// What `uptime` was then.
    uptime: Duration,
    /// How long the machine had slept until then.
    slept: Duration,
}

impl TokioClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { start: Instant::now(), uptime: read(ClockId::Boottime), slept: slept() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        }
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn uptime(&self) -> Duration {
        // Why not BOOTTIME alone: rustix asks the kernel, and `Instant` and `SystemTime` ask libc.
        // A library that sets the clocks of a program (libfaketime) would reach only those.
        self.uptime + self.monotonic() + slept().saturating_sub(self.slept)
    }

    fn boot(&self) -> Option<u128> {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        u128::from_str_radix(&text.trim().replace('-', ""), 16).ok()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// How long the machine has slept since its start.
fn slept() -> Duration {
    // In this order no time that passes in between counts as slept.
    let with_sleep = read(ClockId::Boottime);
    with_sleep.saturating_sub(read(ClockId::Monotonic))
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// The system's randomness.
#[derive(Clone, Debug)]
pub struct SystemRng(SystemRandom);

impl SystemRng {
    /// Opens the system's source.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemRng {
    fn default() -> Self {
        Self::new()
    }
}

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("the system gives random bytes once it has started");
    }
}

/// The real world: system clocks, randomness and files.
pub fn system_env() -> Env {
    Env {
        clock: Arc::new(TokioClock::new()),
        rng: Arc::new(SystemRng::new()),
        disk: Arc::new(OsDisk),
        turns: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_from_one_start_of_the_machine() {
        let clock = TokioClock::new();
        let (before, boot) = (clock.uptime(), clock.boot());
        assert!(before > clock.monotonic(), "the machine was there before");
        assert!(clock.uptime() >= before);
        assert!(boot.is_some_and(|boot| boot > 0));
        assert_eq!(boot, TokioClock::new().boot());
    }
}
