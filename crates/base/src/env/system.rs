//! The system's clocks and randomness.

#![expect(clippy::disallowed_methods, reason = "this is the one place behind the `Clock` seam")]

use super::{Clock, Env, OsDisk, Rng, Sleep};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
    /// What `uptime` was then.
    uptime: Duration,
    /// How long the machine had slept until then.
    slept: Duration,
    sleep: fn(Duration) -> Sleep,
}

impl SystemClock {
    /// A clock whose monotonic time starts now. `sleep`: by the runtime's timer.
    pub fn new(sleep: fn(Duration) -> Sleep) -> Self {
        Self { start: Instant::now(), uptime: read(ClockId::Boottime), slept: slept(), sleep }
    }
}

impl Clock for SystemClock {
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
        (self.sleep)(duration)
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

/// The system's secure randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            match getrandom(&mut *bytes, GetRandomFlags::empty()) {
                Ok(count) => bytes = &mut bytes[count..],
                // A signal came before it was seeded.
                Err(Errno::INTR) => {}
                Err(e) => panic!("the system gives no randomness: {e}"),
            }
        }
    }
}

impl Env {
    /// The real world. `sleep`: by the runtime's timer.
    pub fn system(sleep: fn(Duration) -> Sleep) -> Self {
        Self {
            clock: Arc::new(SystemClock::new(sleep)),
            rng: Arc::new(SystemRng),
            disk: Arc::new(OsDisk),
            turns: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        Env::system(|_| Box::pin(std::future::pending()))
    }

    #[test]
    fn time_passes_from_one_start_of_the_machine() {
        let clock = env().clock;
        assert!(clock.now_ms() > 1_700_000_000_000);
        let (before, boot) = (clock.uptime(), clock.boot());
        assert!(before > clock.monotonic(), "the machine was there before");
        assert!(clock.uptime() >= before);
        assert!(boot.is_some_and(|boot| boot > 0));
        assert_eq!(boot, env().clock.boot());
    }

    #[test]
    fn randomness_fills_all_of_it() {
        let mut bytes = [0; 4096];
        SystemRng.fill(&mut bytes);
        assert!(bytes.chunks(64).all(|part| part.iter().any(|b| *b != 0)));
        assert_ne!(SystemRng.bytes16(), SystemRng.bytes16());
    }
}
