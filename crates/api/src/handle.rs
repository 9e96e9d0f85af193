//! A service in this process, called with its shapes and without the wire.

use base::Cx;
use std::any::Any;
use wire::{BoxFuture, Refusal};

/// A shape whose type its operation tells.
pub type Boxed = Box<dyn Any + Send>;

/// A service as others in this process call it: as clients do, but nothing is encoded, signed or
/// checked against the model. `cx` says who asks.
pub trait Handle: Send + Sync + 'static {
    /// Does one operation: its input in, its output out: nothing where it has none, events where it
    /// streams them.
    ///
    /// # Errors
    /// What the operation refuses with; `UnknownOperationException` a name, or an input, that is
    /// none of the service.
    fn call<'a>(
        &'a self,
        cx: &'a Cx,
        operation: &'a str,
        input: Boxed,
    ) -> BoxFuture<'a, Result<Boxed, Refusal>>;
}

/// Calls a method of a service with the input that it wants.
macro_rules! handle {
    ($service:ident, $cx:ident, $boxed:ident, $method:ident, $input:ident) => {
        Box::pin(async move {
            let input = $boxed.downcast::<$input>().map_err(|_| $crate::handle::unknown())?;
            let output = $service.$method($cx, *input).await?;
            Ok(Box::new(output) as $crate::Boxed)
        })
    };
}

/// The answer to what the service does not have.
pub(crate) fn unknown() -> Refusal {
    Refusal::client("UnknownOperationException", "")
}
