//! Streams of HTTP/2 that nobody pulls.
//!
//! What moves on the socket of an HTTP/2 connection says nothing of one of its streams: pings and
//! other streams move while a client holds one answer for ever. So each long answer notes when it
//! is pulled, and the task that sends it ends once that has not happened for `idle_timeout`, which
//! resets the stream and frees what it held.
//!
//! hyper polls a body no further than one piece ahead of what it may send, so the task itself must
//! look: the executor wraps it. A short answer costs a task-local place that stays empty; neither
//! timer nor allocation.

use base::env::Clock;
use hyper::rt::Executor;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

tokio::task_local! {
    /// The long answer that this task sends.
    static ANSWER: RefCell<Option<Arc<Pulls>>>;
}

/// How one answer is taken.
#[derive(Debug, Default)]
pub(crate) struct Pulls {
    count: AtomicU64,
    /// It is our turn: there was nothing to send at the last pull.
    ours: AtomicBool,
}

impl Pulls {
    /// The answer that the current task sends; one of HTTP/1.1 is seen to by its connection.
    pub(crate) fn watch() -> Arc<Self> {
        let pulls = Arc::new(Self::default());
        // An error says that no executor of ours runs the task.
        drop(ANSWER.try_with(|answer| answer.replace(Some(Arc::clone(&pulls)))));
        pulls
    }

    /// Notes a pull, and whether there was something to send.
    pub(crate) fn note(&self, given: bool) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.ours.store(!given, Ordering::Relaxed);
    }
}

/// Looks at an answer so many times in `idle_timeout`.
const LOOKS: u32 = 4;

/// Runs the streams of HTTP/2 connections. Their requests are joined through `Flights`.
#[derive(Clone)]
pub(crate) struct Streams {
    clock: Arc<dyn Clock>,
    idle_timeout: Duration,
}

impl Streams {
    pub(crate) fn new(clock: Arc<dyn Clock>, idle_timeout: Duration) -> Self {
        Self { clock, idle_timeout }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let mut watch = Watch { streams: self.clone(), sleep: None, seen: 0, looks: 0 };
        let watched = async move {
            let mut stream = pin!(stream);
            poll_fn(|cx| {
                if stream.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                watch.poll_stalled(cx)
            })
            .await;
        };
        tokio::spawn(ANSWER.scope(RefCell::default(), watched));
    }
}

struct Watch {
    streams: Streams,
    sleep: Option<base::env::Sleep>,
    /// Pulls at the last look.
    seen: u64,
    /// Looks that found none since.
    looks: u32,
}

impl Watch {
    /// Resolves once the answer was not pulled for too long.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(pulls) = ANSWER.with(|answer| answer.borrow().clone()) else {
            return Poll::Pending;
        };
        loop {
            let Streams { clock, idle_timeout } = &self.streams;
            let sleep = self.sleep.get_or_insert_with(|| clock.sleep(*idle_timeout / LOOKS));
            ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
            let count = pulls.count.load(Ordering::Relaxed);
            let moved = count != self.seen || pulls.ours.load(Ordering::Relaxed);
            (self.seen, self.looks) = (count, if moved { 0 } else { self.looks + 1 });
            if self.looks >= LOOKS {
                tracing::debug!("a stream that nobody takes was reset");
                return Poll::Ready(());
            }
        }
    }
}
