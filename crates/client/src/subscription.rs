//! The events of one fan-out subscription.

use crate::{Error, ErrorKind};
use api::kinesis::{Error as Refused, SubscribeToShardEvent, SubscribeToShardEventStream};
use api::{EventShape as _, EventStream};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::future::poll_fn;
use wire::event_stream::{Decoder, Message};
use wire::{ErrorBody, Format};

/// An open subscription; dropping it ends it.
pub struct Subscription {
    source: Source,
    over: bool,
}

/// Where events come from.
enum Source {
    Body(Incoming, Decoder),
    /// A service in this process.
    Events(EventStream<SubscribeToShardEventStream, Refused>),
}

impl Subscription {
    pub(crate) fn new(body: Incoming) -> Self {
        Self { source: Source::Body(body, Decoder::new()), over: false }
    }

    pub(crate) fn of_events(events: EventStream<SubscribeToShardEventStream, Refused>) -> Self {
        Self { source: Source::Events(events), over: false }
    }

    /// The next event; `None` when the server ended the subscription in good order.
    ///
    /// # Errors
    /// What the server ended it with; `Broken` when the connection was cut; `Malformed` when frames
    /// cannot be read. Nothing comes after an error.
    /// # Cancel safety
    /// Safe: what was read of a frame is kept.
    pub async fn next(&mut self) -> Option<Result<SubscribeToShardEvent, Error>> {
        while !self.over {
            let step = match &mut self.source {
                Source::Events(events) => {
                    let next = poll_fn(|cx| events.as_mut().poll_next(cx)).await;
                    self.over |= next.is_none();
                    next.map(|event| match event {
                        Ok(SubscribeToShardEventStream::SubscribeToShardEvent(event)) => Ok(event),
                        Err(e) => Err(Error::refused(e.status(), e.code(), e.message())),
                    })
                }
                Source::Body(body, decoder) => match decoder.next_message() {
                    Ok(Some(message)) => event_of(&message).transpose(),
                    Ok(None) => fill(body, decoder, &mut self.over).await.err().map(Err),
                    Err(e) => Some(Err(Error::local(ErrorKind::Malformed, e.to_string()))),
                },
            };
            if let Some(step) = step {
                self.over |= step.is_err();
                return Some(step);
            }
        }
        None
    }
}

/// Reads more bytes, or notes the end of the body.
async fn fill(body: &mut Incoming, decoder: &mut Decoder, over: &mut bool) -> Result<(), Error> {
    match body.frame().await {
        Some(Ok(frame)) => {
            if let Ok(bytes) = frame.into_data() {
                decoder.push(&bytes);
            }
            Ok(())
        }
        None if decoder.pending_bytes() == 0 => {
            *over = true;
            Ok(())
        }
        None => Err(Error::local(ErrorKind::Broken, "the subscription broke off in a frame")),
        Some(Err(e)) => {
            let text = format!("the subscription broke off: {}", crate::transport::chain(&e));
            Err(Error::local(ErrorKind::Broken, text))
        }
    }
}

/// The event in a frame; none in `initial-response` and in frames of kinds not known yet.
fn event_of(message: &Message) -> Result<Option<SubscribeToShardEvent>, Error> {
    if let Some(exception) = message.exception_type() {
        let body = ErrorBody::read(Format::Json, message.payload.clone()).unwrap_or_default();
        let text = if body.message.is_empty() {
            message.header(":error-message").unwrap_or_default()
        } else {
            &body.message
        };
        return Err(Error::coded(exception, text));
    }
    let Some(event_type) = message.event_type() else { return Ok(None) };
    let read = SubscribeToShardEventStream::read(event_type, Format::Json, message.payload.clone());
    let event = read.map_err(|e| {
        Error::local(ErrorKind::Malformed, format!("unreadable event: {}", e.message))
    })?;
    Ok(event.map(|SubscribeToShardEventStream::SubscribeToShardEvent(event)| event))
}
