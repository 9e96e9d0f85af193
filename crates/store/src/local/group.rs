//! What the batches of one commit share: one outcome and one list of who waits for it.
//!
//! ```text
//! append --> Ticket --poll--> waker kept in the group
//! commit thread --resolve--> wakers --> Acker (a task of the runtime) --> every waiting task
//! ```
//!
//! Cost per record: one `Arc` increment for the ticket and 16 bytes of waker; no allocation of its
//! own, no channel. Why the acker: a wake from a thread outside the runtime takes the runtime's
//! shared queue lock and often a futex call, the same wake from within the runtime is a push to the
//! worker's own queue. So the commit thread wakes one task and that task wakes the others.

use crate::{Error, Result};
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

/// The shared fate of a commit's batches.
#[derive(Default)]
pub(crate) struct Group {
    outcome: OnceLock<Result<()>>,
    waiting: Mutex<Vec<Waker>>,
}

impl Group {
    /// Decides the outcome and hands back who waits for it. The first decision stands.
    fn decide(&self, outcome: Result<()>) -> Vec<Waker> {
        let mut waiting = self.waiting.lock();
        // Under the lock: a ticket that saw no outcome has put its waker in before this.
        drop(self.outcome.set(outcome));
        std::mem::take(&mut *waiting)
    }
}

/// A batch's view of its group.
pub(crate) struct Ticket {
    group: Arc<Group>,
    place: Option<usize>,
}

impl Ticket {
    pub(crate) fn of(group: &Arc<Group>) -> Self {
        Self { group: Arc::clone(group), place: None }
    }

    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<()>> {
        if let Some(outcome) = self.group.outcome.get() {
            return Poll::Ready(outcome.clone());
        }
        let mut waiting = self.group.waiting.lock();
        if let Some(outcome) = self.group.outcome.get() {
            return Poll::Ready(outcome.clone());
        }
        match self.place {
            Some(place) if waiting[place].will_wake(cx.waker()) => {}
            Some(place) => waiting[place].clone_from(cx.waker()),
            None => {
                self.place = Some(waiting.len());
                waiting.push(cx.waker().clone());
            }
        }
        Poll::Pending
    }
}

impl Future for Ticket {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Ticket::poll(&mut self, cx)
    }
}

/// Fewer waiters than this are woken by the commit thread itself: one hop less.
const DIRECT_WAKES_MAX: usize = 2;

/// Passes wakes from the commit thread to the runtime.
#[derive(Default)]
pub(crate) struct Acker {
    attached: AtomicBool,
    ripe: Mutex<Ripe>,
}

#[derive(Default)]
struct Ripe {
    wakers: Vec<Waker>,
    task: Option<Waker>,
}

impl Acker {
    /// Decides a group and wakes its waiters, through the acker task when there is one.
    pub(crate) fn resolve(&self, group: &Group, outcome: Result<()>) {
        let wakers = group.decide(outcome);
        if wakers.len() < DIRECT_WAKES_MAX || !self.attached.load(Ordering::Acquire) {
            wakers.into_iter().for_each(Waker::wake);
            return;
        }
        self.hand_over(wakers);
    }

    fn hand_over(&self, mut wakers: Vec<Waker>) {
        let mut ripe = self.ripe.lock();
        match &ripe.task {
            Some(_) => {
                ripe.wakers.append(&mut wakers);
                let task = ripe.task.clone();
                drop(ripe);
                task.into_iter().for_each(Waker::wake);
            }
            // The task ended between the look at `attached` and here.
            None => {
                drop(ripe);
                wakers.into_iter().for_each(Waker::wake);
            }
        }
    }

    /// The acker task: never resolves; when it is dropped, wakes come from the commit thread again.
    pub(crate) fn task(self: &Arc<Self>) -> AckerTask {
        AckerTask(Arc::clone(self))
    }
}

/// See [`Acker::task`].
pub(crate) struct AckerTask(Arc<Acker>);

impl Future for AckerTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let wakers = {
            let mut ripe = self.0.ripe.lock();
            ripe.task = Some(cx.waker().clone());
            std::mem::take(&mut ripe.wakers)
        };
        self.0.attached.store(true, Ordering::Release);
        wakers.into_iter().for_each(Waker::wake);
        Poll::Pending
    }
}

impl Drop for AckerTask {
    fn drop(&mut self) {
        self.0.attached.store(false, Ordering::Release);
        let ripe = std::mem::take(&mut *self.0.ripe.lock());
        ripe.wakers.into_iter().for_each(Waker::wake);
    }
}

/// The error of batches whose commit failed: they may or may not be on the disk.
pub(crate) fn outcome_unknown(cause: &dyn std::fmt::Display) -> Error {
    Error::new(
        crate::ErrorKind::Unavailable,
        format!("the commit failed and its outcome is unknown: {cause}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll(ticket: &mut Ticket, count: &Arc<Count>) -> Poll<Result<()>> {
        ticket.poll(&Context::from_waker(&Waker::from(Arc::clone(count))))
    }

    #[test]
    fn every_waiter_is_woken_once_and_sees_the_outcome() {
        let (group, acker, count) = (Arc::new(Group::default()), Acker::default(), Arc::default());
        let mut tickets: Vec<_> = (0..3).map(|_| Ticket::of(&group)).collect();
        for ticket in &mut tickets {
            assert!(poll(ticket, &count).is_pending());
            assert!(poll(ticket, &count).is_pending());
        }
        acker.resolve(&group, Err(Error::new(ErrorKind::Full, "x")));
        assert_eq!(count.0.load(Ordering::Relaxed), 3);
        for ticket in &mut tickets {
            let Poll::Ready(Err(e)) = poll(ticket, &count) else { panic!("not resolved") };
            assert_eq!(e.kind(), ErrorKind::Full);
        }
    }

    #[test]
    fn the_acker_task_wakes_for_the_commit_thread() {
        let (group, acker) = (Arc::new(Group::default()), Arc::new(Acker::default()));
        let (waiters, of_task) = (Arc::<Count>::default(), Arc::<Count>::default());
        let mut task = acker.task();
        let waker = Waker::from(Arc::clone(&of_task));
        let poll_task = |task: &mut AckerTask| {
            assert!(Pin::new(task).poll(&mut Context::from_waker(&waker)).is_pending());
        };
        poll_task(&mut task);
        let mut tickets: Vec<_> = (0..4).map(|_| Ticket::of(&group)).collect();
        for ticket in &mut tickets {
            assert!(poll(ticket, &waiters).is_pending());
        }
        acker.resolve(&group, Ok(()));
        let woken = |c: &Count| c.0.load(Ordering::Relaxed);
        assert_eq!((woken(&waiters), woken(&of_task)), (0, 1));
        poll_task(&mut task);
        assert_eq!(woken(&waiters), 4);
    }

    #[test]
    fn a_dropped_acker_task_strands_nobody() {
        let (acker, waiters) = (Arc::new(Acker::default()), Arc::<Count>::default());
        let mut task = acker.task();
        assert!(Pin::new(&mut task).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        for dropped in [false, true] {
            let group = Arc::new(Group::default());
            let mut tickets: Vec<_> = (0..4).map(|_| Ticket::of(&group)).collect();
            for ticket in &mut tickets {
                assert!(poll(ticket, &waiters).is_pending());
            }
            if dropped {
                assert_eq!(waiters.0.load(Ordering::Relaxed), 4);
            }
            acker.resolve(&group, Ok(()));
            if !dropped {
                // Handed to the task, which is dropped before it ran.
                drop(std::mem::replace(&mut task, Arc::new(Acker::default()).task()));
            }
        }
        assert_eq!(waiters.0.load(Ordering::Relaxed), 8);
    }
}
