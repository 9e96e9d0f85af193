//! Pauses between attempts.

use crate::Retry;
use base::Env;
use std::time::Duration;

/// Counts attempts and pauses between them.
pub(crate) struct Attempts<'a> {
    retry: Retry,
    env: &'a Env,
    done: u32,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(retry: Retry, env: &'a Env) -> Self {
        Self { retry, env, done: 0 }
    }

    /// Pauses before the next attempt; false, at once, when there is none left.
    pub(crate) async fn pause(&mut self) -> bool {
        self.done += 1;
        if self.done >= self.retry.attempts_max {
            return false;
        }
        self.env.clock.sleep(self.length()).await;
        true
    }

    /// Why half of it is random: clients that were refused together must not come back together.
    fn length(&self) -> Duration {
        let doubled = self.retry.pause.saturating_mul(1 << (self.done - 1).min(20));
        let longest = doubled.min(self.retry.pause_max);
        let mut byte = [0];
        self.env.rng.fill(&mut byte);
        longest.mul_f64(0.5 + f64::from(byte[0]) / 512.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let env = crate::system_env();
        let retry = Retry { attempts_max: 9, ..Retry::default() };
        let mut attempts = Attempts::new(retry, &env);
        for (done, longest_ms) in [(1, 50), (2, 100), (3, 200), (8, 2000), (40, 2000)] {
            attempts.done = done;
            let ms = attempts.length().as_millis();
            assert!((longest_ms / 2..=longest_ms).contains(&ms), "attempt {done}: {ms} ms");
        }
    }
}
