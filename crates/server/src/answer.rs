//! Answers: status, headers and body of what a service said or why nothing was asked of it.

use crate::ids::{ID2_TEXT_BYTES, RequestIds};
use crate::io::InFlight;
use crate::route::Shape;
use crate::shared::Stopping;
use base::RequestId;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use wire::{BoxFuture, EventFrames, Format, Refusal};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ID2: HeaderName = HeaderName::from_static("x-amz-id-2");
/// Length of a request id's text.
const REQUEST_ID_BYTES: usize = 36;
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("application/vnd.amazon.eventstream");

/// Frames that are ready go out even while stopping, since the client has a token for each and need
/// not read them again; a reader far behind always has more of them, so they are counted.
const LAST_FRAMES_MAX: u32 = 4;

/// An answer's body.
pub(crate) enum AnswerBody {
    /// All of it; taken when sent.
    Whole(Option<Bytes>),
    /// Frames of an event stream, until it ends or the server stops.
    Events(Events),
}

/// An event stream on its way out; dropped when the client goes away.
pub(crate) struct Events {
    frames: EventFrames,
    stopping: Stopping,
    /// Frames that may still go out once the server stops.
    last_frames: u32,
    stopped: BoxFuture<'static, ()>,
    /// Keeps the connection from counting as idle.
    _in_flight: InFlight,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Events(events) => {
                if events.stopping.now() {
                    if events.last_frames == 0 {
                        return Poll::Ready(None);
                    }
                    events.last_frames -= 1;
                }
                let next = events.frames.as_mut().poll_next(cx);
                match next {
                    Poll::Ready(next) => Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes)))),
                    Poll::Pending => events.stopped.as_mut().poll(cx).map(|()| None),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Events(_) => SizeHint::default(),
        }
    }
}

/// What to send, but for the request's ids.
pub(crate) type Reply = Response<AnswerBody>;

/// A body in the request's format; an empty one has no content type to tell.
pub(crate) fn whole(format: Format, body: Bytes) -> Reply {
    text(StatusCode::OK, HeaderValue::from_static(format.content_type()), body)
}

/// Any whole body.
pub(crate) fn text(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Reply {
    let body = Some(body).filter(|body| !body.is_empty());
    let mut reply = Response::new(AnswerBody::Whole(body));
    *reply.status_mut() = status;
    reply.headers_mut().reserve(4);
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}

/// An event stream.
pub(crate) fn events(frames: EventFrames, stopping: &Stopping, mut in_flight: InFlight) -> Reply {
    in_flight.stream();
    let stopped = stopping.clone().wait();
    let events = Events {
        frames,
        stopping: stopping.clone(),
        last_frames: LAST_FRAMES_MAX,
        stopped: Box::pin(stopped),
        _in_flight: in_flight,
    };
    let mut reply = Response::new(AnswerBody::Events(events));
    reply.headers_mut().reserve(4);
    reply.headers_mut().insert(CONTENT_TYPE, EVENT_STREAM);
    reply
}

/// An error, written as `shape` says.
pub(crate) fn refused(refusal: &Refusal, shape: Shape) -> Reply {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    match shape {
        Shape::Body(format) => {
            text(status, HeaderValue::from_static(format.content_type()), refusal.body(format))
        }
        Shape::Wrapped => {
            let code = refusal.code;
            let body = format!(
                "{{\"Output\":{{\"__type\":\"com.amazon.coral.service#{code}\",\"message\":null}},\
                 \"Version\":\"1.0\"}}"
            );
            text(StatusCode::OK, HeaderValue::from_static("application/json"), body.into())
        }
        Shape::Xml => {
            let mut reply = Response::new(AnswerBody::Whole(Some(xml(refusal).into())));
            *reply.status_mut() = status;
            reply
        }
    }
}

fn xml(refusal: &Refusal) -> String {
    let Refusal { code, message, .. } = refusal;
    if message.is_empty() {
        return format!("<{code}/>\n");
    }
    format!("<{code}>\n  <Message>{message}</Message>\n</{code}>\n")
}

/// Adds the ids that every answer carries. Both texts share one allocation.
pub(crate) fn identify(reply: &mut Reply, ids: &RequestIds, id: RequestId) {
    let mut text = BytesMut::with_capacity(REQUEST_ID_BYTES + ID2_TEXT_BYTES);
    write!(text, "{id}").expect("a buffer of bytes grows as needed");
    let mut id2 = [0; ID2_TEXT_BYTES];
    ids.put_id2(&mut id2);
    text.put_slice(&id2);
    let mut text = text.freeze();
    let id2 = text.split_off(REQUEST_ID_BYTES);
    for (name, bytes) in [(REQUEST_ID, text), (ID2, id2)] {
        let value = HeaderValue::from_maybe_shared(bytes);
        reply.headers_mut().insert(name, value.expect("ids are printable ASCII"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Activity;
    use futures_util::stream;
    use http_body_util::BodyExt;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_stream_that_never_pauses_ends_with_the_server() {
        let (stop, stopping) = Stopping::new();
        let frames = Box::pin(stream::repeat(Bytes::from_static(b"x")));
        let mut reply = events(frames, &stopping, Arc::new(Activity::default()).begin());
        for _ in 0..100 {
            assert!(reply.body_mut().frame().await.is_some());
        }
        stop.send_replace(true);
        let rest = reply.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(rest.len(), LAST_FRAMES_MAX as usize);
    }

    #[test]
    fn errors_without_a_format() {
        let refusal = Refusal::client("AccessDeniedException", "No.");
        let want = "<AccessDeniedException>\n  <Message>No.</Message>\n</AccessDeniedException>\n";
        assert_eq!(xml(&refusal), want);
        assert_eq!(xml(&Refusal::client("A", "")), "<A/>\n");
    }
}
