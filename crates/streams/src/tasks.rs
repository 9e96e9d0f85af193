//! The tasks of the service: every one has this owner, which ends them when the service closes.

use parking_lot::Mutex;
use std::future::Future;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Running tasks; dropping it stops them where they wait. They run where the service was opened,
/// not on the loop that a request came to: that has its own work, and may wait for the disk.
pub(crate) struct Tasks {
    set: Mutex<Option<JoinSet<()>>>,
    runtime: Handle,
}

impl Tasks {
    /// No tasks yet; they will run on this runtime.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn new() -> Self {
        Self { set: Mutex::new(Some(JoinSet::new())), runtime: Handle::current() }
    }

    /// Starts a task; not any more once the service closed.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(set) = self.set.lock().as_mut() {
            while set.try_join_next().is_some() {}
            set.spawn_on(task, &self.runtime);
        }
    }

    /// Runs `work` to its end even if the caller goes away meanwhile: half a change (in the catalog
    /// but not in memory) must not depend on a client's patience. `None` once the service closed.
    pub(crate) async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, answer) = oneshot::channel();
        self.spawn(async move {
            // The caller may be gone; the work is done all the same.
            let _gone = done.send(work.await);
        });
        answer.await.ok()
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
}
