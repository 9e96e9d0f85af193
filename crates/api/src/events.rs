//! Event streams: typed events in, frames out.

use bytes::Bytes;
use futures_core::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};
use wire::{Answer, ByteStream, Call, Format, Protocol, Refusal, Routes, event_stream};

/// Events until the end, or until an error that ends the stream.
pub type EventStream<T, E> = Pin<Box<dyn Stream<Item = Result<T, E>> + Send>>;

/// The events of one event stream shape.
pub trait EventShape: Sized {
    /// The event as a whole frame.
    fn frame(&self, protocol: Protocol) -> Bytes;
    /// Reads an event's payload; None when the model does not know the event.
    ///
    /// # Errors
    /// `SerializationException` when the payload is no such event.
    fn read(event_type: &str, format: Format, payload: Bytes) -> Result<Option<Self>, Refusal>;
}

/// The answer that streams events.
///
/// # Errors
/// `InvalidAction`: the query protocol has no streams.
///
/// Source: ours.
pub(crate) fn answer<T, E>(
    events: EventStream<T, E>,
    (call, routes): (&Call, &Routes),
) -> Result<Answer, Refusal>
where
    T: EventShape + 'static,
    E: Into<Refusal> + 'static,
{
    if call.protocol == Protocol::Query {
        let text = "The operation streams events, which this protocol cannot.";
        return Err(Refusal::client("InvalidAction", text));
    }
    Ok(call.event_answer(routes, frames(events, call.protocol)))
}

/// Frames of a stream: `initial-response` (which only REST-JSON has not), the events, an exception
/// when the stream ends with one.
pub fn frames<T, E>(events: EventStream<T, E>, protocol: Protocol) -> ByteStream
where
    T: EventShape + 'static,
    E: Into<Refusal> + 'static,
{
    Box::pin(Frames { events: Some(events), protocol, begun: protocol == Protocol::RestJson })
}

struct Frames<T, E> {
    /// None once the stream has ended.
    events: Option<EventStream<T, E>>,
    protocol: Protocol,
    begun: bool,
}

impl<T: EventShape, E: Into<Refusal>> Stream for Frames<T, E> {
    type Item = Result<Bytes, Refusal>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let protocol = self.protocol;
        if !self.begun {
            self.begun = true;
            return Poll::Ready(Some(Ok(event_stream::initial_response(protocol))));
        }
        let Some(events) = &mut self.events else {
            return Poll::Ready(None);
        };
        let next = std::task::ready!(events.as_mut().poll_next(cx));
        Poll::Ready(match next {
            Some(Ok(event)) => Some(Ok(event.frame(protocol))),
            Some(Err(error)) => {
                self.events = None;
                let refusal = error.into();
                Some(Ok(event_stream::exception(refusal.code, &refusal.message, protocol)))
            }
            None => {
                self.events = None;
                None
            }
        })
    }
}
