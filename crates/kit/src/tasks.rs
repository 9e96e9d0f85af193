//! The tasks of a service: every one has this owner, which ends them when the service closes.

use parking_lot::Mutex;
use std::future::Future;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// Running tasks; dropping it stops them where they wait. They run where the service was opened,
/// not on the loop that a request came to: that has its own work, and may wait for the disk.
pub struct Tasks {
    set: Mutex<Option<JoinSet<()>>>,
    runtime: Handle,
}

impl Tasks {
    /// No tasks yet; they will run on this runtime.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[expect(clippy::new_without_default, reason = "it depends on the runtime around it")]
    pub fn new() -> Self {
        Self { set: Mutex::new(Some(JoinSet::new())), runtime: Handle::current() }
    }

    /// Starts a task; not any more once the service closed.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(set) = self.set.lock().as_mut() {
            while set.try_join_next().is_some() {}
            set.spawn_on(task, &self.runtime);
        }
    }

    /// Stops every task where it waits and starts none any more.
    pub async fn close(&self) {
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
    use tokio::sync::oneshot;

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
    async fn a_close_stops_them_and_takes_no_more() {
        let tasks = Tasks::new();
        let (held, dropped) = oneshot::channel::<()>();
        tasks.spawn(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        tasks.close().await;
        assert!(dropped.await.is_err(), "its future is gone");
        let (late, refused) = oneshot::channel::<()>();
        tasks.spawn(async move { late.send(()).unwrap() });
        assert!(refused.await.is_err());
    }
}
