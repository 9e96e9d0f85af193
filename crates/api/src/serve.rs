//! One operation of a service behind the wire: decode and check, act, encode.

use wire::{Answer, BoxFuture, Refusal};

/// Answers an operation that has an output.
macro_rules! answer_body {
    ($service:ident, $call:ident, $method:ident, $input:expr, $output:ident $(, $hint:ident)?) => {
        Box::pin(async move {
            let input = $input;
            let output: $output = $service.$method(&$call.cx, input).await?;
            let mut w = $call.writer(&ROUTES, bytes_hint!(output $(, $hint)?));
            output.write(&mut w);
            Ok($call.answer(&ROUTES, w))
        })
    };
}

/// Answers an operation whose output is not all in the body.
#[allow(unused_macros, reason = "only services of REST-JSON have such")]
macro_rules! answer_located {
    ($service:ident, $call:ident, $method:ident, $input:expr) => {
        Box::pin(async move {
            let input = $input;
            let output = $service.$method(&$call.cx, input).await?;
            Ok(output.into_answer(&$call, &ROUTES))
        })
    };
}

/// Answers an operation without output members.
macro_rules! answer_nothing {
    ($service:ident, $call:ident, $method:ident, $input:expr) => {
        Box::pin(async move {
            let input = $input;
            $service.$method(&$call.cx, input).await?;
            Ok($call.nothing(&ROUTES))
        })
    };
}

/// Answers an operation with an event stream.
macro_rules! answer_events {
    ($service:ident, $call:ident, $method:ident, $input:expr) => {
        Box::pin(async move {
            let input = $input;
            let events = $service.$method(&$call.cx, input).await?;
            $crate::events::answer(events, (&$call, &ROUTES))
        })
    };
}

/// The answer to an index that the service's routes do not have.
pub(crate) fn unknown_operation<'a>() -> BoxFuture<'a, Result<Answer, Refusal>> {
    Box::pin(async { Err(crate::handle::unknown()) })
}
