//! The real world behind the seams.

#![expect(clippy::disallowed_methods, reason = "the clock of a measurement is the real one")]

use base::Env;
use base::env::{Clock, OsDisk, Rng, Sleep};
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

struct System(Instant);

impl Clock for System {
    fn now_ms(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

struct Random(SystemRandom);

impl Rng for Random {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("the system has randomness");
    }
}

/// The operating system's clock, randomness and files.
pub(crate) fn env() -> Env {
    Env {
        clock: Arc::new(System(Instant::now())),
        rng: Arc::new(Random(SystemRandom::new())),
        disk: Arc::new(OsDisk),
        turns: None,
    }
}
