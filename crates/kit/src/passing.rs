//! Passing states (`CREATING`, `DELETING`): what is not over when its request is answered.
//!
//! The state is in the catalog, so that a restart goes on with it; a task ends it in due time.

use base::env::Clock;
use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// Sleeps, without holding the service, then does `work`, again and again until it succeeds or the
/// service is gone.
///
/// It must look again at what is true: meanwhile other changes were made.
pub async fn end<S, F>(
    service: Weak<S>,
    clock: Arc<dyn Clock>,
    mut delay: Duration,
    work: impl Fn(Arc<S>) -> F,
) where
    F: Future<Output = store::Result<()>>,
{
    let mut pause = RETRY_FIRST;
    loop {
        if !delay.is_zero() {
            clock.sleep(delay).await;
        }
        let Some(service) = service.upgrade() else { return };
        match work(service).await {
            Ok(()) => return,
            Err(e) => warn(&e),
        }
        delay = pause;
        pause = (pause * 2).min(RETRY_MAX);
    }
}

/// Tells the owner of a change that could not be finished yet.
pub fn warn(e: &store::Error) {
    tracing::warn!(kind = ?e.kind(), "unfinished change, will try again: {e}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use parking_lot::Mutex;
    use store::{Error, ErrorKind};
    use testkit::fake_env;

    /// Milliseconds at which work is done that fails so many times.
    fn tries(delay: Duration, failures: usize, lives_ms: u64) -> Vec<u64> {
        let fake = fake_env(1);
        let clock: Arc<dyn Clock> = fake.clock.clone();
        let began = clock.monotonic();
        let service = Arc::new(Mutex::new(Vec::new()));
        let mut task = Box::pin(end(Arc::downgrade(&service), clock.clone(), delay, |done| {
            let at = clock.monotonic().saturating_sub(began);
            let mut done = done.lock();
            done.push(at.as_millis() as u64);
            let fails = done.len() <= failures;
            let refused = || Error::new(ErrorKind::Full, "no room on the disk");
            std::future::ready(if fails { Err(refused()) } else { Ok(()) })
        }));
        let mut ended = None;
        for _ in 0..lives_ms / 100 {
            ended = (&mut task).now_or_never();
            if ended.is_some() {
                break;
            }
            fake.clock.advance(Duration::from_millis(100));
        }
        let done = service.lock().clone();
        drop(service);
        fake.clock.advance(RETRY_MAX);
        let ended = ended.or_else(|| task.now_or_never());
        assert_eq!(ended, Some(()), "it ends with the service at the latest");
        done
    }

    #[test]
    fn it_is_tried_until_it_succeeds() {
        assert_eq!(tries(Duration::ZERO, 0, 1000), [0]);
        assert_eq!(tries(Duration::from_millis(500), 3, 5000), [500, 600, 800, 1200]);
        let all = tries(Duration::ZERO, 100, 200_000);
        assert_eq!(all[all.len() - 1] - all[all.len() - 2], 30_000, "the longest pause");
    }
}
