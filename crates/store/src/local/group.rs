//! What the batches of one commit share: one outcome and one list of who waits for it.
//!
//! ```text
//! append --> Ticket --poll--> waker kept in the group
//!                       \--> or the commit itself, where the thread may wait for it
//! commit --resolve--> outcome, then every waiting task is woken
//! ```
//!
//! Cost per record: one `Arc` increment for the ticket and 16 bytes of waker; no allocation of its
//! own, no channel.

use super::engine::Engine;
use super::wakes::{Place, Waiter, Wakes};
use crate::{Error, Result};
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

/// The shared fate of a commit's batches.
#[derive(Default)]
pub(crate) struct Group {
    outcome: OnceLock<Result<()>>,
    waiting: Mutex<Wakes>,
}

impl Group {
    /// Decides the outcome and wakes who waits for it. The first decision stands.
    pub(crate) fn resolve(&self, outcome: Result<()>) {
        let mut waiting = self.waiting.lock();
        // Under the lock: a ticket that saw no outcome has put its waker in before this.
        drop(self.outcome.set(outcome));
        let wakes = std::mem::take(&mut *waiting);
        drop(waiting);
        wakes.wake();
    }
}

/// A batch's view of its group.
pub(crate) struct Ticket {
    group: Arc<Group>,
    place: Option<Place>,
    /// Set when the commit thread sleeps and was not told of the batch: whoever polls commits it.
    untold: Option<Arc<Engine>>,
}

impl Ticket {
    pub(crate) fn new(group: &Arc<Group>, untold: Option<Arc<Engine>>) -> Self {
        Self { group: Arc::clone(group), place: None, untold }
    }

    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<()>> {
        if let Some(outcome) = self.group.outcome.get() {
            return Poll::Ready(outcome.clone());
        }
        if let Some(engine) = self.untold.take() {
            engine.commit_here();
        }
        let mut waiting = self.group.waiting.lock();
        if let Some(outcome) = self.group.outcome.get() {
            return Poll::Ready(outcome.clone());
        }
        match self.place {
            Some(place) => waiting.at(place).clone_from(cx.waker()),
            None => self.place = Some(waiting.add(Waiter::here(cx.waker()))),
        }
        Poll::Pending
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(engine) = self.untold.take() {
            engine.queue.tell();
        }
    }
}

impl Future for Ticket {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Ticket::poll(&mut self, cx)
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
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

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
        let (group, count) = (Arc::new(Group::default()), Arc::default());
        let mut tickets: Vec<_> = (0..3).map(|_| Ticket::new(&group, None)).collect();
        for ticket in &mut tickets {
            assert!(poll(ticket, &count).is_pending());
            assert!(poll(ticket, &count).is_pending());
        }
        group.resolve(Err(Error::new(ErrorKind::Full, "x")));
        assert_eq!(count.0.load(Ordering::Relaxed), 3);
        for ticket in &mut tickets {
            let Poll::Ready(Err(e)) = poll(ticket, &count) else { panic!("not resolved") };
            assert_eq!(e.kind(), ErrorKind::Full);
        }
    }
}
