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
                // Frames that are ready go out even while stopping: the client has a token for
                // each and need not read them again.
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
    let events = Events { frames, stopped: Box::pin(stopped), _in_flight: in_flight };
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
            let body = match format {
                Format::Json => json(refusal),
                Format::Cbor => cbor(refusal),
            };
            text(status, HeaderValue::from_static(format.content_type()), body)
        }
        Shape::Wrapped => {
            let (code, key) = (refusal.code, message_key(refusal));
            let body = format!(
                "{{\"Output\":{{\"__type\":\"com.amazon.coral.service#{code}\",\"{key}\":null}},\
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

fn message_key(refusal: &Refusal) -> &'static str {
    if refusal.code == "SerializationException" { "Message" } else { "message" }
}

fn json(refusal: &Refusal) -> Bytes {
    let code = refusal.code;
    if refusal.message.is_empty() {
        return format!("{{\"__type\":\"{code}\"}}").into();
    }
    let (key, message) = (message_key(refusal), quoted(&refusal.message));
    format!("{{\"__type\":\"{code}\",\"{key}\":{message}}}").into()
}

/// A text as JSON writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn cbor(refusal: &Refusal) -> Bytes {
    const MAP: u8 = 5 << 5;
    let with_message = !refusal.message.is_empty();
    let mut out = BytesMut::with_capacity(64 + refusal.message.len());
    out.put_u8(MAP | (1 + u8::from(with_message)));
    put_cbor_text(&mut out, "__type");
    put_cbor_text(&mut out, refusal.code);
    if with_message {
        put_cbor_text(&mut out, message_key(refusal));
        put_cbor_text(&mut out, &refusal.message);
    }
    out.freeze()
}

fn put_cbor_text(out: &mut BytesMut, text: &str) {
    const TEXT: u8 = 3 << 5;
    // The lower bits announce a length of one, two or four bytes.
    const LENGTHS: [u8; 3] = [0x18, 0x19, 0x1a];
    match text.len() {
        n @ 0..24 => out.put_u8(TEXT | n as u8),
        n @ 24..0x100 => out.extend([TEXT | LENGTHS[0], n as u8]),
        n @ 0x100..0x1_0000 => {
            out.put_u8(TEXT | LENGTHS[1]);
            out.put_u16(n as u16);
        }
        n => {
            out.put_u8(TEXT | LENGTHS[2]);
            out.put_u32(n as u32);
        }
    }
    out.put_slice(text.as_bytes());
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

    #[test]
    fn errors_in_json() {
        let check = |refusal: Refusal, want: &str| assert_eq!(json(&refusal), want);
        check(
            Refusal::validation("a \"b\"\\\n\u{1}é"),
            r#"{"__type":"ValidationException","message":"a \"b\"\\\n\u0001é"}"#,
        );
        check(Refusal::serialization("x"), r#"{"__type":"SerializationException","Message":"x"}"#);
        check(
            Refusal::client("UnknownOperationException", ""),
            r#"{"__type":"UnknownOperationException"}"#,
        );
    }

    #[test]
    fn errors_in_cbor() {
        let got = cbor(&Refusal::client("AB", "c".repeat(300)));
        let mut want = b"\xa2\x66__type\x62AB\x67message\x79\x01\x2c".to_vec();
        want.extend([b'c'; 300]);
        assert_eq!(got, want);
        assert_eq!(cbor(&Refusal::client("AB", "")), &b"\xa1\x66__type\x62AB"[..]);
        let serialization = cbor(&Refusal::serialization("x"));
        assert_eq!(serialization, &b"\xa2\x66__type\x76SerializationException\x67Message\x61x"[..]);
    }

    #[test]
    fn errors_without_a_format() {
        let refusal = Refusal::client("AccessDeniedException", "No.");
        let want = "<AccessDeniedException>\n  <Message>No.</Message>\n</AccessDeniedException>\n";
        assert_eq!(xml(&refusal), want);
        assert_eq!(xml(&Refusal::client("A", "")), "<A/>\n");
    }
}
