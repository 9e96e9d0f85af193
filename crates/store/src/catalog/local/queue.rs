//! Transactions on their way to the commit thread, and answers on their way back.

use super::format;
use crate::catalog::{CLOSED, Transaction};
use crate::{Error, ErrorKind, Result};
use base::Env;
use base::env::Gate;
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A bounded queue that the commit thread empties in one go.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Gate,
    waiting_bytes_max: usize,
}

#[derive(Default)]
struct State {
    waiting: Vec<Request>,
    waiting_bytes: usize,
    closed: bool,
    /// Set once nobody takes what waits; with why, when that was not asked for.
    ended: Option<Result<()>>,
}

/// A transaction that waits for its answer.
pub(super) struct Request {
    pub(super) transaction: Transaction,
    answer: Arc<Mutex<Slot>>,
}

#[derive(Default)]
struct Slot {
    result: Option<Result<()>>,
    waker: Option<Waker>,
}

impl Queue {
    pub(super) fn new(env: &Env, waiting_bytes_max: usize) -> Self {
        Self { state: Mutex::default(), changed: env.gate(), waiting_bytes_max }
    }

    pub(super) fn push(&self, transaction: Transaction) -> Result<Answer> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::new(ErrorKind::Unavailable, CLOSED));
        }
        let bytes = cost_bytes(&transaction);
        if state.waiting_bytes > 0 && state.waiting_bytes + bytes > self.waiting_bytes_max {
            let message = format!("{} bytes wait for the catalog already", state.waiting_bytes);
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        state.waiting_bytes += bytes;
        let answer = Arc::default();
        state.waiting.push(Request { transaction, answer: Arc::clone(&answer) });
        drop(state);
        self.changed.notify_one();
        Ok(Answer(answer))
    }

    /// Waits for transactions and takes all; `None` once the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Request>> {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            if state.closed {
                state.ended = Some(Ok(()));
                return None;
            }
            self.changed.wait(&mut state);
        }
        state.waiting_bytes = 0;
        Some(std::mem::take(&mut state.waiting))
    }

    /// Refuses what comes from now on; what waits is still done, and the answer comes behind it.
    ///
    /// # Errors
    /// `Internal` the commit thread is gone.
    pub(super) fn close(&self) -> Result<Option<Answer>> {
        let mut state = self.state.lock();
        state.closed = true;
        if let Some(ended) = &state.ended {
            return ended.clone().map(|()| None);
        }
        let answer = Arc::default();
        let transaction = Transaction::default();
        state.waiting.push(Request { transaction, answer: Arc::clone(&answer) });
        drop(state);
        self.changed.notify_one();
        Ok(Some(Answer(answer)))
    }

    /// Why nothing is taken any more.
    pub(super) fn trouble(&self) -> Option<String> {
        let state = self.state.lock();
        match &state.ended {
            Some(Err(e)) => Some(e.to_string()),
            _ => state.closed.then(|| CLOSED.to_owned()),
        }
    }

    /// Refuses what comes from now on and what waits, as the commit thread is gone.
    pub(super) fn abort(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.closed = true;
            state.ended.get_or_insert_with(|| Err(gone()));
            std::mem::take(&mut state.waiting)
        };
        drop(waiting);
    }
}

/// What a transaction counts towards the bounds, in bytes: its rows, what it checks, and a little.
pub(super) fn cost_bytes(transaction: &Transaction) -> usize {
    let writes = transaction.writes.iter().map(|(k, v)| format::row_bytes(k, v.as_deref()));
    let checks = transaction.checks.iter().map(|(k, v)| format::row_bytes(k, v.as_deref()));
    64 + writes.chain(checks).sum::<usize>()
}

impl Request {
    pub(super) fn answer(self, result: Result<()>) {
        let waker = {
            let mut slot = self.answer.lock();
            slot.result = Some(result);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Internal, "the catalog's commit thread is gone")
}

impl Drop for Request {
    /// A request that the commit thread dropped (it panicked) must not wait forever.
    fn drop(&mut self) {
        let mut slot = self.answer.lock();
        if slot.result.is_none() && Arc::strong_count(&self.answer) > 1 {
            slot.result = Some(Err(gone()));
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }
}

/// Resolves when the commit thread has answered.
pub(super) struct Answer(Arc<Mutex<Slot>>);

impl Future for Answer {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut slot = self.0.lock();
        if let Some(result) = slot.result.clone() {
            return Poll::Ready(result);
        }
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
