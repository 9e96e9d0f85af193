//! Changes of what a service has: one after another, each to its end.

use crate::Tasks;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard, Semaphore, oneshot};

/// Changes on their way at once. They go on when their clients leave, each with what it was sent,
/// so nothing else bounds them.
const CHANGES_MAX: usize = 512;

/// The changes of one service.
#[derive(Clone)]
pub struct Changes {
    lock: Arc<Mutex<()>>,
    places: Arc<Semaphore>,
}

/// Why a change was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undone {
    /// The service closed.
    Closed,
    /// Too much is on its way.
    Busy,
}

impl Default for Changes {
    fn default() -> Self {
        Self { lock: Arc::default(), places: Arc::new(Semaphore::new(CHANGES_MAX)) }
    }
}

impl Changes {
    /// Waits until nobody else changes anything, and keeps it so.
    pub async fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().await
    }

    /// Makes a change when its turn comes, to its end, even if the caller goes away meanwhile: half
    /// a change (in the catalog but not in memory) must not depend on a client's patience.
    ///
    /// # Errors
    /// [`Undone`]; the change was not begun, or the service closed under it.
    pub async fn make<T: Send + 'static>(
        &self,
        tasks: &Tasks,
        change: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Undone> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Undone::Busy)?;
        let (done, answer) = oneshot::channel();
        let lock = Arc::clone(&self.lock);
        tasks.spawn(async move {
            let one_at_a_time = lock.lock().await;
            let made = change.await;
            drop(one_at_a_time);
            // The caller may be gone; the change is made all the same.
            let _gone = done.send(made);
            drop(place);
        });
        answer.await.map_err(|_| Undone::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn changes_are_bounded_even_when_nobody_waits_for_them() {
        let (tasks, changes) = (Tasks::new(), Changes::default());
        let held = changes.lock().await;
        for _ in 0..CHANGES_MAX {
            let left = changes.make(&tasks, async {}).now_or_never();
            assert_eq!(left, None, "waits, and is left");
        }
        assert_eq!(changes.make(&tasks, async {}).await, Err(Undone::Busy));
        drop(held);
        while changes.places.available_permits() < CHANGES_MAX {
            tokio::task::yield_now().await;
        }
        assert_eq!(changes.make(&tasks, async { 7 }).await, Ok(7));
    }

    #[tokio::test]
    async fn one_comes_after_another() {
        let (tasks, changes) = (Tasks::new(), Changes::default());
        let (go, wait) = oneshot::channel::<()>();
        let mut first = Box::pin(changes.make(&tasks, async { drop(wait.await) }));
        assert_eq!((&mut first).now_or_never(), None);
        tokio::task::yield_now().await;
        let mut second = Box::pin(changes.make(&tasks, async {}));
        for _ in 0..10 {
            assert_eq!((&mut second).now_or_never(), None);
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
        assert_eq!((first.await, second.await), (Ok(()), Ok(())));
    }

    #[tokio::test]
    async fn a_service_that_closes_says_so() {
        let (tasks, changes) = (Tasks::new(), Changes::default());
        let mut begun = Box::pin(changes.make(&tasks, std::future::pending::<()>()));
        assert_eq!((&mut begun).now_or_never(), None);
        tasks.close().await;
        assert_eq!(begun.await, Err(Undone::Closed));
        assert_eq!(changes.make(&tasks, async {}).await, Err(Undone::Closed));
    }
}
