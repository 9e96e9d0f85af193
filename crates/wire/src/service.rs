//! What `server` sees of a service: a route table and one boxed call.

use crate::{Format, LongBody, Refusal};
use base::Cx;
use bytes::Bytes;
use futures_core::Stream;
use std::future::Future;
use std::pin::Pin;

/// A boxed future that may borrow.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Encoded event-stream frames, each ready to be sent as it is. Dropping it ends the subscription.
pub type EventFrames = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// One operation of a service.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// AWS's name, as in `X-Amz-Target` behind the dot.
    pub name: &'static str,
    /// Largest request body accepted, in bytes.
    pub body_bytes_max: usize,
}

/// The operations of one service; indexes into `operations` name an operation.
#[derive(Debug)]
pub struct Routes {
    /// Name in a signature's scope, as `kinesis`.
    pub signing_name: &'static str,
    /// What stands before the dot in `X-Amz-Target`, as `Kinesis_20131202`.
    pub target_prefix: &'static str,
    /// Sorted by name.
    pub operations: &'static [Operation],
}

impl Routes {
    /// Index of the operation of this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.operations.binary_search_by(|op| op.name.cmp(name)).ok()
    }
}

/// A request whose signature has been checked.
#[derive(Debug)]
pub struct Call {
    /// Who asks.
    pub cx: Cx,
    /// Index into [`Routes::operations`].
    pub operation: usize,
    /// How `body` is written and the answer will be.
    pub format: Format,
    /// The whole body.
    pub body: Bytes,
}

/// What a service says to a call that succeeded.
pub enum Answer {
    /// A whole body; empty for operations without output members.
    Body(Bytes),
    /// A long body, never empty.
    Long(LongBody),
    /// Event-stream frames, `initial-response` first.
    Events(EventFrames),
}

/// A service behind the AWS port. Object safe, so that `server` never recompiles with a service.
pub trait Service: Send + Sync + 'static {
    /// The operations.
    fn routes(&self) -> &'static Routes;
    /// Decodes, does and encodes one operation.
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer, Refusal>>;
}
