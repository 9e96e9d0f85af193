//! The system's time and randomness behind the seams of `base::env`.

use base::Env;
use base::env::{Clock, OsDisk, Rng, Sleep};
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The system's clocks; `sleep` needs a tokio runtime.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place behind the `Clock` seam")]
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place behind the `Clock` seam")]
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

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The system's secure random source.
#[derive(Clone, Debug)]
pub struct SystemRng(SystemRandom);

impl Default for SystemRng {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("the kernel's random source cannot fail once it is seeded");
    }
}

/// Real time, randomness and files.
pub fn system_env() -> Env {
    Env {
        clock: Arc::new(SystemClock::default()),
        rng: Arc::new(SystemRng::default()),
        disk: Arc::new(OsDisk),
        turns: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_there() {
        let env = system_env();
        assert!(env.clock.now_ms() > 1_700_000_000_000);
        let before = env.clock.monotonic();
        assert!(env.clock.monotonic() >= before);
        assert_ne!(env.rng.bytes16(), env.rng.bytes16());
    }
}
