//! The tasks of the service: every one has this owner, which ends them when the service closes.

use parking_lot::Mutex;
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

/// Changes on their way at once. They go on when their clients leave, each with what it was sent,
/// so nothing else bounds them.
const CHANGES_MAX: usize = 512;

/// Running tasks; dropping it stops them where they wait. They run where the service was opened,
/// not on the loop that a request came to: that has its own work, and may wait for the disk.
pub(crate) struct Tasks {
    set: Mutex<Option<JoinSet<()>>>,
    runtime: Handle,
    changes: Arc<Semaphore>,
}

/// Why work was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Undone {
    /// The service closed.
    Closed,
    /// Too much is on its way.
    Busy,
}

impl Tasks {
    /// No tasks yet; they will run on this runtime.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn new() -> Self {
        Self {
            set: Mutex::new(Some(JoinSet::new())),
            runtime: Handle::current(),
            changes: Arc::new(Semaphore::new(CHANGES_MAX)),
        }
    }

    /// Starts a task; not any more once the service closed.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(set) = self.set.lock().as_mut() {
            while set.try_join_next().is_some() {}
            set.spawn_on(task, &self.runtime);
        }
    }

    /// Runs `work` to its end even if the caller goes away meanwhile: half a change (in the catalog
    /// but not in memory) must not depend on a client's patience.
    pub(crate) async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Undone> {
        let place = self.changes.clone().try_acquire_owned().map_err(|_| Undone::Busy)?;
        let (done, answer) = oneshot::channel();
        self.spawn(async move {
            // The caller may be gone; the work is done all the same.
            let _gone = done.send(work.await);
            drop(place);
        });
        answer.await.map_err(|_| Undone::Closed)
    }

    /// Stops every task where it waits and starts none any more.
    pub(crate) async fn close(&self) {
        let set = self.set.lock().take();
        if let Some(mut set) = set {
            set.shutdown().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use tokio::runtime::Builder;

    #[test]
    fn tasks_run_where_they_were_opened() {
        let build = || Builder::new_current_thread().build().unwrap();
        let (home, elsewhere) = (build(), build());
        let tasks = home.block_on(async { Tasks::new() });
        let (done, answer) = oneshot::channel();
        elsewhere.block_on(async {
            tasks.spawn(async move { done.send(Handle::current().id()).unwrap() });
        });
        drop(elsewhere);
        assert_eq!(home.block_on(answer), Ok(home.handle().id()));
    }

    #[tokio::test]
    async fn changes_are_bounded_even_when_nobody_waits_for_them() {
        let (tasks, go) = (Tasks::new(), Arc::new(Semaphore::new(0)));
        let change = || {
            let go = go.clone();
            async move { drop(go.acquire_owned().await) }
        };
        for _ in 0..CHANGES_MAX {
            assert_eq!(tasks.finish(change()).now_or_never(), None, "waits, and is left");
        }
        assert_eq!(tasks.finish(change()).await, Err(Undone::Busy));
        go.add_permits(1);
        while tasks.changes.available_permits() < CHANGES_MAX {
            tokio::task::yield_now().await;
        }
        assert_eq!(tasks.finish(change()).await, Ok(()));
    }
}
