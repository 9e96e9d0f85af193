//! The event loops whose tasks append: how they are woken, and when they commit for themselves.
//!
//! ```text
//! a task waits --> Wakes, by the event loop of its thread
//! commit thread --> each loop's Relay --> RelayTask (a task of that loop) --> every waiting task
//! ```
//!
//! Why: a wake from a thread outside of an event loop takes that loop's lock and a system call, the
//! same wake from within is a push to the loop's own queue. So the commit thread wakes one task of
//! each loop and that task wakes the others.
//!
//! A loop on which nothing else could happen meanwhile saves both wakes, its own and that of the
//! commit thread, which take a third of the time of a lone append: it commits on its own thread.

use parking_lot::Mutex;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

thread_local! {
    /// The relay of this thread's event loop, when it has one.
    static RELAY: RefCell<Option<Arc<Relay>>> = const { RefCell::new(None) };
}

/// Fewer tasks than this are woken by the commit thread itself: one hop less.
const DIRECT_WAKES_MAX: usize = 2;

/// Tasks to wake, by the relay that does it.
#[derive(Default)]
pub(crate) struct Wakes(Vec<(Option<Arc<Relay>>, Vec<Waker>)>);

/// Where a waker lies among others.
#[derive(Clone, Copy)]
pub(crate) struct Place(usize, usize);

impl Wakes {
    /// Adds a task that waits; where its waker lies.
    pub(crate) fn add(&mut self, waiter: Waiter) -> Place {
        let Waiter { waker, relay } = waiter;
        let same = |of: &Option<Arc<Relay>>| match (of, &relay) {
            (Some(of), Some(relay)) => Arc::ptr_eq(of, relay),
            (of, relay) => of.is_none() && relay.is_none(),
        };
        let at = self.0.iter().position(|(of, _)| same(of)).unwrap_or_else(|| {
            self.0.push((relay, Vec::new()));
            self.0.len() - 1
        });
        let wakers = &mut self.0[at].1;
        wakers.push(waker);
        Place(at, wakers.len() - 1)
    }

    /// The waker at a place, to be exchanged.
    pub(crate) fn at(&mut self, place: Place) -> &mut Waker {
        &mut self.0[place.0].1[place.1]
    }

    /// Wakes all.
    pub(crate) fn wake(self) {
        for (relay, wakers) in self.0 {
            match relay {
                Some(relay) if wakers.len() >= DIRECT_WAKES_MAX => relay.pass_on(wakers),
                _ => wakers.into_iter().for_each(Waker::wake),
            }
        }
    }
}

/// A task that waits, and the relay that wakes it.
pub(crate) struct Waiter {
    waker: Waker,
    relay: Option<Arc<Relay>>,
}

impl Waiter {
    /// The task that is polled here.
    pub(crate) fn here(waker: &Waker) -> Self {
        Self { waker: waker.clone(), relay: RELAY.with_borrow(Clone::clone) }
    }

    /// The waker, to be exchanged.
    pub(crate) fn waker(&mut self) -> &mut Waker {
        &mut self.waker
    }
}

/// The thread of an event loop, as its owner sees it.
pub trait LoopThread: Send + Sync + 'static {
    /// Whether nothing else on the loop has to wait when its thread waits for the disk.
    fn may_block(&self) -> bool;

    /// Tells that it does so now, or no more.
    fn set_blocked(&self, blocked: bool);
}

/// Whether this thread may wait for the disk.
pub(crate) fn may_block() -> bool {
    RELAY.with_borrow(|relay| relay.as_ref().is_some_and(|relay| relay.thread.may_block()))
}

/// Does work that waits for the disk, if this thread may wait for it.
pub(crate) fn block(work: impl FnOnce()) {
    let Some(relay) = RELAY.with_borrow(Clone::clone).filter(|r| r.thread.may_block()) else {
        return;
    };
    let _blocked = Blocked::new(&*relay.thread);
    work();
}

/// Until it is dropped, also by a panic.
struct Blocked<'a>(&'a dyn LoopThread);

impl<'a> Blocked<'a> {
    fn new(thread: &'a dyn LoopThread) -> Self {
        thread.set_blocked(true);
        Self(thread)
    }
}

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        self.0.set_blocked(false);
    }
}

/// Passes wakes from the commit thread on to one event loop.
pub(crate) struct Relay {
    ripe: Mutex<Ripe>,
    thread: Box<dyn LoopThread>,
}

#[derive(Default)]
struct Ripe {
    wakers: Vec<Waker>,
    /// None before the relay's task ran and after it was dropped.
    task: Option<Waker>,
}

impl Relay {
    fn pass_on(&self, mut wakers: Vec<Waker>) {
        let mut ripe = self.ripe.lock();
        let Some(task) = ripe.task.clone() else {
            drop(ripe);
            return wakers.into_iter().for_each(Waker::wake);
        };
        ripe.wakers.append(&mut wakers);
        drop(ripe);
        task.wake();
    }
}

/// What an event loop of one thread needs for fast appends, to be spawned on it: passes wake-ups on
/// from within, and lets lone tasks commit on `thread`. Optional; never resolves.
pub fn relay(thread: impl LoopThread) -> impl Future<Output = ()> + Send + 'static {
    RelayTask::new(Box::new(thread))
}

struct RelayTask(Arc<Relay>);

impl RelayTask {
    fn new(thread: Box<dyn LoopThread>) -> Self {
        Self(Arc::new(Relay { ripe: Mutex::default(), thread }))
    }
}

impl Future for RelayTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let wakers = {
            let mut ripe = self.0.ripe.lock();
            match &mut ripe.task {
                Some(task) => task.clone_from(cx.waker()),
                None => {
                    ripe.task = Some(cx.waker().clone());
                    RELAY.set(Some(Arc::clone(&self.0)));
                }
            }
            std::mem::take(&mut ripe.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
        Poll::Pending
    }
}

impl Drop for RelayTask {
    fn drop(&mut self) {
        RELAY.with_borrow_mut(|relay| {
            relay.take_if(|relay| Arc::ptr_eq(relay, &self.0));
        });
        let ripe = std::mem::take(&mut *self.0.ripe.lock());
        ripe.wakers.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    /// A thread on which others would have to wait.
    struct Shared;

    impl LoopThread for Shared {
        fn may_block(&self) -> bool {
            false
        }

        fn set_blocked(&self, _: bool) {
            panic!("the thread must not wait");
        }
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Count {
        fn seen(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn wakes(count: &Arc<Count>, tasks: usize) -> Wakes {
        let mut wakes = Wakes::default();
        for _ in 0..tasks {
            wakes.add(Waiter::here(&Waker::from(Arc::clone(count))));
        }
        wakes
    }

    fn poll(task: &mut RelayTask, of_task: &Arc<Count>) {
        let waker = Waker::from(Arc::clone(of_task));
        assert!(Pin::new(task).poll(&mut Context::from_waker(&waker)).is_pending());
    }

    #[test]
    fn without_a_relay_every_task_is_woken_at_once() {
        let waiters = Arc::default();
        wakes(&waiters, 5).wake();
        assert_eq!(waiters.seen(), 5);
    }

    #[test]
    fn a_relay_wakes_the_tasks_of_its_thread() {
        let (here, elsewhere, of_task) = (Arc::default(), Arc::default(), Arc::<Count>::default());
        let mut task = RelayTask::new(Box::new(Shared));
        let mut both = std::thread::scope(|s| s.spawn(|| wakes(&elsewhere, 3)).join().unwrap());
        poll(&mut task, &of_task);
        both.0.append(&mut wakes(&here, 4).0);
        both.wake();
        assert_eq!((here.seen(), elsewhere.seen(), of_task.seen()), (0, 3, 1));
        poll(&mut task, &of_task);
        assert_eq!(here.seen(), 4);
        // One task is woken without the detour.
        wakes(&here, 1).wake();
        assert_eq!((here.seen(), of_task.seen()), (5, 1));
    }

    #[test]
    fn a_dropped_relay_strands_nobody() {
        let (waiters, of_task) = (Arc::default(), Arc::default());
        let mut task = RelayTask::new(Box::new(Shared));
        poll(&mut task, &of_task);
        let later = wakes(&waiters, 4);
        wakes(&waiters, 4).wake();
        assert_eq!(waiters.seen(), 0);
        drop(task);
        assert_eq!(waiters.seen(), 4);
        later.wake();
        assert_eq!(waiters.seen(), 8);
    }
}
