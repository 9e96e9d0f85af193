//! The tasks of the service: every one has this owner, which ends them when the service closes.

use parking_lot::Mutex;
use std::future::Future;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Running tasks; dropping it stops them where they wait.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<Option<JoinSet<()>>>);

impl Tasks {
    /// No tasks yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Some(JoinSet::new())))
    }

    /// Starts a task; not any more once the service closed.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(set) = self.0.lock().as_mut() {
            while set.try_join_next().is_some() {}
            set.spawn(task);
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
        let set = self.0.lock().take();
        if let Some(mut set) = set {
            set.shutdown().await;
        }
    }
}
