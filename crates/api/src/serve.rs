//! One operation of a service behind the wire: decode and check, act, encode.

use wire::{Answer, BoxFuture, Refusal};

/// Answers an operation that has an output.
macro_rules! answer_body {
    ($service:ident, $call:ident, $method:ident, $input:ident, $output:ident $(, $hint:ident)?) => {
        Box::pin(async move {
            let input = wire::decode($call.format, $call.body, $input::read)?;
            let output: $output = $service.$method(&$call.cx, input).await?;
            let mut w = wire::Writer::answer($call.format, bytes_hint!(output $(, $hint)?));
            output.write(&mut w);
            Ok(w.finish_answer())
        })
    };
}

/// Answers an operation without output members: AWS sends an empty body, not `{}`.
macro_rules! answer_nothing {
    ($service:ident, $call:ident, $method:ident, $input:ident) => {
        Box::pin(async move {
            let input = wire::decode($call.format, $call.body, $input::read)?;
            $service.$method(&$call.cx, input).await?;
            Ok(wire::Answer::Body(bytes::Bytes::new()))
        })
    };
}

/// Answers an operation with an event stream.
macro_rules! answer_events {
    ($service:ident, $call:ident, $method:ident, $input:ident) => {
        Box::pin(async move {
            let input = wire::decode($call.format, $call.body, $input::read)?;
            let events = $service.$method(&$call.cx, input).await?;
            Ok(wire::Answer::Events($crate::events::frames(events, $call.format)))
        })
    };
}

/// The answer to an index that the service's routes do not have.
pub(crate) fn unknown_operation<'a>() -> BoxFuture<'a, Result<Answer, Refusal>> {
    Box::pin(async { Err(Refusal::client("UnknownOperationException", "")) })
}
