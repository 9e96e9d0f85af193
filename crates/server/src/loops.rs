//! The threads that serve connections: each runs an event loop of its own, and a connection stays
//! on the loop that it came to.
//!
//! Why not one runtime over all processors: there a task that is woken may run anywhere, so with
//! each wake from another thread the runtime wakes a second thread that looks for work. A request
//! that waits for the disk paid for eight wakes instead of three.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

/// Loops on a machine with one processor: one can be blocked, see [`LoopThread::set_blocked`].
const LOOPS_MIN: usize = 2;

/// See the module. They end when it is dropped, and what runs on them is cut; but a thread that is
/// blocked then ends when it no longer is.
pub struct Loops(Vec<EventLoop>);

struct EventLoop {
    handle: Handle,
    load: Arc<Load>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Load {
    /// Connections, HTTP/2 ones twice, as they have more to do than one request.
    connections: AtomicUsize,
    blocked: AtomicBool,
}

/// A connection's place on a loop, held as long as it lives.
pub(crate) struct Seat {
    handle: Handle,
    load: Arc<Load>,
}

/// The thread of a loop.
pub struct LoopThread(Arc<Load>);

impl Loops {
    /// Starts a thread for each of so many processors.
    ///
    /// # Errors
    /// The operating system's.
    pub fn start(processors: usize) -> io::Result<Self> {
        let count = processors.max(LOOPS_MIN);
        (0..count).map(EventLoop::start).collect::<io::Result<_>>().map(Self)
    }

    /// The threads, and where to spawn what each of them needs.
    pub fn threads(&self) -> impl Iterator<Item = (LoopThread, &Handle)> {
        self.0.iter().map(|one| (LoopThread(Arc::clone(&one.load)), &one.handle))
    }

    /// A place on the loop that has the least to do.
    pub(crate) fn seat(&self) -> Seat {
        let least = self.0.iter().min_by_key(|one| one.load.key()).expect("there are some");
        Seat::new(least.handle.clone(), Arc::clone(&least.load))
    }
}

impl LoopThread {
    /// Whether the loop serves one connection with one request at a time and nothing else.
    pub fn may_block(&self) -> bool {
        self.0.connections.load(Ordering::Relaxed) <= 1
    }

    /// Tells that the thread waits for something, or no more: meanwhile new connections go
    /// elsewhere.
    pub fn set_blocked(&self, blocked: bool) {
        self.0.blocked.store(blocked, Ordering::Relaxed);
    }
}

impl Load {
    fn key(&self) -> (bool, usize) {
        (self.blocked.load(Ordering::Relaxed), self.connections.load(Ordering::Relaxed))
    }
}

impl Seat {
    fn new(handle: Handle, load: Arc<Load>) -> Self {
        load.connections.fetch_add(1, Ordering::Relaxed);
        Self { handle, load }
    }

    /// The loop.
    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Another one beside it, for what a connection does at the same time.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.handle.clone(), Arc::clone(&self.load))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.load.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl EventLoop {
    fn start(number: usize) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::sync_channel(1);
        let thread = Builder::new().name(format!("connections-{number}")).spawn(move || {
            // Here, as a runtime may not be dropped within another one if this thread cannot start.
            let built = runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match built {
                Ok(runtime) => runtime,
                Err(error) => return drop(tell.send(Err(error))),
            };
            drop(tell.send(Ok(runtime.handle().clone())));
            // An error says that the sender is gone, which is as good a stop.
            drop(runtime.block_on(stopped));
        })?;
        let handle = told.recv().unwrap_or_else(|gone| Err(io::Error::other(gone)))?;
        Ok(Self { handle, load: Arc::default(), stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A thread that waits for the disk is left behind.
        let thread = self.thread.take().filter(|_| !self.load.blocked.load(Ordering::Relaxed));
        if let Some(thread) = thread {
            // A loop does not panic: its tasks' panics are caught.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_go_where_the_least_is_to_do() {
        let loops = Loops::start(3).unwrap();
        let load = || loops.0.iter().map(|one| one.load.key().1).collect::<Vec<_>>();
        let seats: Vec<_> = (0..7).map(|_| loops.seat()).collect();
        assert_eq!(load(), [3, 2, 2]);
        drop(seats);
        assert_eq!(load(), [0, 0, 0]);
        // An HTTP/2 connection counts twice.
        let http2 = loops.seat();
        let _streams = http2.another();
        assert_eq!(load(), [2, 0, 0]);
    }

    #[test]
    fn nobody_comes_to_a_blocked_thread() {
        let loops = Loops::start(1).unwrap();
        let threads: Vec<_> = loops.threads().map(|(thread, _)| thread).collect();
        assert_eq!(threads.len(), LOOPS_MIN);
        let first = loops.seat();
        assert!(threads[0].may_block());
        threads[0].set_blocked(true);
        let others: Vec<_> = (0..3).map(|_| loops.seat()).collect();
        assert_eq!(loops.0[0].load.key(), (true, 1));
        threads[0].set_blocked(false);
        let beside = loops.seat();
        assert!(!threads[0].may_block());
        drop((first, others));
        assert!(threads[0].may_block());
        drop(beside);
    }

    #[test]
    fn a_dropped_loop_ends_its_thread_and_what_runs_there() {
        let loops = Loops::start(2).unwrap();
        let (held, told) = oneshot::channel::<()>();
        let (_, handle) = loops.threads().next().unwrap();
        handle.spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        drop(loops);
        assert!(told.blocking_recv().is_err());
    }
}
