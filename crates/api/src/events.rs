//! Event streams: typed events in, frames out.

use bytes::Bytes;
use futures_core::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};
use wire::{EventFrames, Format, Refusal, event_stream};

/// Events until the end, or until an error that ends the stream.
pub type EventStream<T, E> = Pin<Box<dyn Stream<Item = Result<T, E>> + Send>>;

/// The events of one event stream shape.
pub trait EventShape: Sized {
    /// The event as a whole frame.
    fn frame(&self, format: Format) -> Bytes;
    /// Reads an event's payload; None when the model does not know the event.
    ///
    /// # Errors
    /// `SerializationException` when the payload is no such event.
    fn read(event_type: &str, format: Format, payload: Bytes) -> Result<Option<Self>, Refusal>;
}

/// Frames of a stream: `initial-response`, the events, an exception when the stream ends with one.
pub fn frames<T, E>(events: EventStream<T, E>, format: Format) -> EventFrames
where
    T: EventShape + 'static,
    E: Into<Refusal> + 'static,
{
    Box::pin(Frames { events: Some(events), format, begun: false })
}

struct Frames<T, E> {
    /// None once the stream has ended.
    events: Option<EventStream<T, E>>,
    format: Format,
    begun: bool,
}

impl<T: EventShape, E: Into<Refusal>> Stream for Frames<T, E> {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let format = self.format;
        if !self.begun {
            self.begun = true;
            return Poll::Ready(Some(event_stream::initial_response(format)));
        }
        let Some(events) = &mut self.events else {
            return Poll::Ready(None);
        };
        let next = std::task::ready!(events.as_mut().poll_next(cx));
        Poll::Ready(match next {
            Some(Ok(event)) => Some(event.frame(format)),
            Some(Err(error)) => {
                self.events = None;
                let refusal = error.into();
                Some(event_stream::exception(refusal.code, &refusal.message, format))
            }
            None => {
                self.events = None;
                None
            }
        })
    }
}
