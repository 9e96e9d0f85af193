//! A few threads for blocking work, with a bounded queue.
//!
//! ```text
//! run(closure) --queue--> thread --answer--> waker of the one who asked
//! ```

use crate::{Error, ErrorKind, Result};
use base::Env;
use base::env::{Gate, Thread};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

type Work = Box<dyn FnOnce() + Send>;

/// The threads and their queue.
pub(crate) struct Pool {
    name: &'static str,
    queue: Arc<Queue>,
    threads: Mutex<Vec<Thread<()>>>,
    env: Env,
    threads_max: usize,
    queued_max: usize,
}

struct Queue {
    state: Mutex<State>,
    ready: Gate,
}

#[derive(Default)]
struct State {
    work: VecDeque<Work>,
    idle: usize,
    stopped: bool,
}

impl Pool {
    /// A pool that starts its threads, of this name, when there is work.
    pub(crate) fn new(
        env: &Env,
        name: &'static str,
        threads_max: usize,
        queued_max: usize,
    ) -> Self {
        let queue = Arc::new(Queue { state: Mutex::default(), ready: env.gate() });
        let (threads, env) = (Mutex::default(), env.clone());
        Self { name, queue, threads, env, threads_max: threads_max.max(1), queued_max }
    }

    /// Runs `work` on a thread of the pool.
    ///
    /// # Errors
    /// `Unavailable` too much waits already, or the pool has stopped; `Internal` the work panicked.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let slot = Arc::new(Mutex::new(Slot { answer: None, waker: None }));
        // Dropped with the work, run or not, so that the asker always hears.
        let mut reply = Reply(Some(Arc::clone(&slot)));
        let run = Box::new(move || {
            // A panic must not take the thread away from others.
            let outcome = std::panic::catch_unwind(AssertUnwindSafe(work));
            let broken = || Err(Error::new(ErrorKind::Internal, "work for the disk panicked"));
            reply.send(outcome.unwrap_or_else(|_| broken()));
        });
        self.push(run);
        Answer(slot)
    }

    fn push(&self, work: Work) {
        let start = {
            let mut state = self.queue.state.lock();
            if state.stopped || state.work.len() >= self.queued_max {
                drop(state);
                return drop(work);
            }
            state.work.push_back(work);
            state.idle < state.work.len()
        };
        self.queue.ready.notify_one();
        let mut threads = self.threads.lock();
        if start && threads.len() < self.threads_max {
            let queue = Arc::clone(&self.queue);
            let name = format!("{}-{}", self.name, threads.len());
            let env = self.env.clone();
            match self.env.spawn(name, move || queue.serve(&env)) {
                Ok(thread) => threads.push(thread),
                Err(e) if threads.is_empty() => {
                    tracing::error!(error = %e, "cannot start a thread");
                    self.queue.state.lock().work.clear();
                }
                Err(e) => tracing::warn!(error = %e, "cannot start another thread"),
            }
        }
    }

    /// Ends the threads after their current work; what waits is `Unavailable`.
    pub(crate) fn stop(&self) {
        let dropped = {
            let mut state = self.queue.state.lock();
            state.stopped = true;
            std::mem::take(&mut state.work)
        };
        drop(dropped);
        self.queue.ready.notify_all();
        for thread in self.threads.lock().drain(..) {
            // The last handle may be dropped by work that runs on this very thread.
            if !thread.is_here() {
                drop(thread.join());
            }
        }
    }
}

impl Queue {
    fn serve(&self, env: &Env) {
        let mut state = self.state.lock();
        loop {
            if let Some(work) = state.work.pop_front() {
                drop(state);
                env.pass();
                work();
                state = self.state.lock();
            } else if state.stopped {
                return;
            } else {
                state.idle += 1;
                self.ready.wait(&mut state);
                state.idle -= 1;
            }
        }
    }
}

struct Slot<T> {
    answer: Option<Result<T>>,
    waker: Option<Waker>,
}

struct Reply<T>(Option<Arc<Mutex<Slot<T>>>>);

impl<T> Reply<T> {
    fn send(&mut self, answer: Result<T>) {
        if let Some(slot) = self.0.take() {
            let mut slot = slot.lock();
            slot.answer = Some(answer);
            let waker = slot.waker.take();
            drop(slot);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        self.send(Err(Error::new(ErrorKind::Unavailable, "too much waits for the disk")));
    }
}

/// What the work returned.
pub(crate) struct Answer<T>(Arc<Mutex<Slot<T>>>);

impl<T> Future for Answer<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let mut slot = self.0.lock();
        match slot.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::block_on;

    #[test]
    fn work_runs_and_panics_stay_inside() {
        let pool = Pool::new(&crate::local::testing::os_env(), "test", 1, 10);
        assert_eq!(block_on(pool.run(|| Ok(5))).unwrap(), 5);
        let broken = block_on(pool.run(|| -> Result<()> { panic!("on purpose") }));
        assert_eq!(broken.unwrap_err().kind(), ErrorKind::Internal);
        assert_eq!(block_on(pool.run(|| Ok(6))).unwrap(), 6);
        pool.stop();
        let refused = block_on(pool.run(|| Ok(7)));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn a_full_queue_refuses() {
        let pool = Pool::new(&crate::local::testing::os_env(), "test", 1, 1);
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock();
        let inside = Arc::clone(&gate);
        let first = pool.run(move || {
            drop(inside.lock());
            Ok(1)
        });
        // Wait until the thread holds the first one, so that the queue is empty again.
        while !pool.queue.state.lock().work.is_empty() {
            std::thread::yield_now();
        }
        let second = pool.run(|| Ok(2));
        let refused = block_on(pool.run(|| Ok(3)));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unavailable);
        drop(held);
        assert_eq!((block_on(first).unwrap(), block_on(second).unwrap()), (1, 2));
        pool.stop();
    }
}
