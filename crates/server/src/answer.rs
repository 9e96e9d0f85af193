//! Answers: status, headers and body of what a service said or why nothing was asked of it.

use crate::ids::{ID2_TEXT_BYTES, RequestIds};
use crate::io::InFlight;
use crate::route::Shape;
use crate::shared::Stopping;
use crate::stall::Pulls;
use crate::unsent::{self, Held, Kept};
use base::RequestId;
use base::budget::Room;
use base::metrics::Counter;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use std::any::Any;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use wire::{BoxFuture, ByteStream, LongBody, Protocol, Refusal};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
pub(crate) const ID2: HeaderName = HeaderName::from_static("x-amz-id-2");
/// Length of a request id's text.
const REQUEST_ID_BYTES: usize = 36;

/// Frames that are ready go out even while stopping, since the client has a token for each and need
/// not read them again; a reader far behind always has more of them, so they are counted.
const LAST_FRAMES_MAX: u32 = 4;

/// An answer's body.
pub(crate) enum AnswerBody {
    /// All of it; taken when sent.
    Whole(Option<Bytes>),
    /// What is left of a large one over HTTP/2, in pieces.
    Sliced(Bytes, Arc<Pulls>),
    /// A long one, in pieces that are made when they are taken.
    Long(Long),
    /// A stream, until it ends or the server stops.
    Stream(Streamed),
}

/// Why an answer ends before its end: what made it failed.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what made the answer failed")
    }
}

impl std::error::Error for Cut {}

/// A long answer on its way out.
pub(crate) struct Long {
    body: LongBody,
    /// Goes with the last piece.
    held: Arc<Held>,
    pulls: Arc<Pulls>,
}

/// A stream on its way out; dropped when the client goes away.
pub(crate) struct Streamed {
    pieces: ByteStream,
    stopping: Stopping,
    /// Pieces that may still go out once the server stops.
    last_pieces: u32,
    stopped: BoxFuture<'static, ()>,
    pulls: Arc<Pulls>,
    panics: Counter,
    /// What HTTP may hold of it.
    _room: Option<Room>,
    /// Keeps the connection from counting as idle.
    _in_flight: InFlight,
}

/// Largest piece of a large answer: over HTTP/2 progress is seen by the piece.
const SLICE_BYTES: usize = 64 << 10;

impl AnswerBody {
    /// An answer that goes out at once.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// An answer that is not empty, of which every piece is seen to be taken.
    pub(crate) fn sliced(bytes: Bytes) -> Self {
        Self::Sliced(bytes, Pulls::watch())
    }

    /// An answer that is made as it is taken; `held` goes with its last piece.
    pub(crate) fn long(body: LongBody, held: Held) -> Self {
        Self::Long(Long { body, held: Arc::new(held), pulls: Pulls::watch() })
    }
}

/// Length of the next piece when so many bytes are left. The last is one byte: it is asked for when
/// all before it may be sent, so the task that watches the answer lives until then.
fn slice_bytes(bytes_left: usize) -> usize {
    match bytes_left {
        0 | 1 => bytes_left,
        _ => SLICE_BYTES.min(bytes_left - 1),
    }
}

impl Long {
    /// The next piece, when there is one.
    fn next(&mut self) -> Bytes {
        let piece = self.body.next_piece(slice_bytes(self.body.bytes_left()));
        self.pulls.note(true);
        unsent::piece(piece, &self.held)
    }
}

impl Streamed {
    /// The next piece, or the end: that of the stream, of the server, or of what failed.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        if self.stopping.now() {
            if self.last_pieces == 0 {
                return Poll::Ready(None);
            }
            self.last_pieces -= 1;
        }
        let pieces = self.pieces.as_mut();
        let next = catch_unwind(AssertUnwindSafe(|| pieces.poll_next(cx)));
        let next = next.unwrap_or_else(|panic| {
            self.panics.add(1);
            tracing::error!(panic = panic_text(&*panic), "a stream ended in a panic");
            self.last_pieces = 0;
            self.pieces = Box::pin(stream::empty());
            Poll::Ready(None)
        });
        match next {
            Poll::Pending => self.stopped.as_mut().poll(cx).map(|()| None),
            Poll::Ready(Some(Err(refusal))) => {
                tracing::debug!(code = refusal.code, text = &*refusal.message, "a stream failed");
                Poll::Ready(Some(Err(Cut)))
            }
            Poll::Ready(Some(Ok(bytes))) => Poll::Ready(Some(Ok(bytes))),
            Poll::Ready(None) => Poll::Ready(None),
        }
    }
}

/// What a panic says of itself.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text")
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Sliced(rest, pulls) => {
                let slice = rest.split_to(slice_bytes(rest.len()));
                pulls.note(true);
                Poll::Ready((!slice.is_empty()).then(|| Ok(Frame::data(slice))))
            }
            Self::Long(long) => {
                Poll::Ready((long.body.bytes_left() > 0).then(|| Ok(Frame::data(long.next()))))
            }
            Self::Stream(streamed) => {
                let next = streamed.poll_next(cx);
                streamed.pulls.note(next.is_ready());
                next.map(|next| next.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Sliced(rest, _) => rest.is_empty(),
            Self::Long(long) => long.body.bytes_left() == 0,
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Sliced(rest, _) => SizeHint::with_exact(rest.len() as u64),
            Self::Long(long) => SizeHint::with_exact(long.body.bytes_left() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// What to send, but for the request's ids.
pub(crate) type Reply = Response<AnswerBody>;

/// What a service's answer has beside its body.
pub(crate) struct AnswerHead {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// A service's answer in the request's protocol.
pub(crate) fn of_protocol(protocol: Protocol, head: AnswerHead, body: AnswerBody) -> Reply {
    let status = StatusCode::from_u16(head.status).unwrap_or(StatusCode::OK);
    if status == StatusCode::NO_CONTENT {
        let mut reply = empty();
        *reply.status_mut() = status;
        put_headers(&mut reply, protocol, head.headers);
        return reply;
    }
    let is_nothing = protocol == Protocol::RpcCbor && body.is_end_stream();
    let mut reply = of_type(status, HeaderValue::from_static(protocol.content_type()), body);
    if is_nothing {
        reply.headers_mut().remove(CONTENT_TYPE);
    }
    put_headers(&mut reply, protocol, head.headers);
    reply
}

/// A page of a site, whose headers tell its type.
pub(crate) fn of_site(
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    body: AnswerBody,
) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    add_headers(&mut reply, headers);
    reply
}

/// Adds headers; a value that no header can have is left out.
fn add_headers(reply: &mut Reply, headers: Vec<(&'static str, String)>) {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            reply.headers_mut().insert(name, value);
        }
    }
}

/// Adds a protocol's headers and further ones.
fn put_headers(reply: &mut Reply, protocol: Protocol, further: Vec<(&'static str, String)>) {
    let headers = reply.headers_mut();
    for (name, value) in protocol.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    add_headers(reply, further);
}

/// No body, and nothing said of it.
pub(crate) fn empty() -> Reply {
    Response::new(AnswerBody::whole(Bytes::new()))
}

/// That there is no room for an answer.
pub(crate) fn empty_unavailable() -> Reply {
    let mut reply = empty();
    *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    reply
}

/// Any whole body.
pub(crate) fn text(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Reply {
    of_type(status, content_type, AnswerBody::whole(body))
}

fn of_type(status: StatusCode, content_type: HeaderValue, body: AnswerBody) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply.headers_mut().reserve(4);
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}

/// Exchanges a whole body for what `change` makes of it.
pub(crate) fn try_map_whole<E>(
    reply: Reply,
    change: impl FnOnce(Bytes) -> Result<AnswerBody, E>,
) -> Result<Reply, E> {
    let (head, body) = reply.into_parts();
    let body = match body {
        AnswerBody::Whole(Some(bytes)) => change(bytes)?,
        other => other,
    };
    Ok(Response::from_parts(head, body))
}

/// A body that streams.
pub(crate) fn stream(
    pieces: ByteStream,
    stopping: &Stopping,
    panics: &Counter,
    Kept { room, mut in_flight }: Kept,
) -> AnswerBody {
    in_flight.stream();
    let stopped = stopping.clone().wait();
    AnswerBody::Stream(Streamed {
        pieces,
        stopping: stopping.clone(),
        last_pieces: LAST_FRAMES_MAX,
        stopped: Box::pin(stopped),
        pulls: Pulls::watch(),
        panics: panics.clone(),
        _room: room,
        _in_flight: in_flight,
    })
}

/// An error, written as `shape` says.
pub(crate) fn refused(refusal: &Refusal, shape: Shape, id: RequestId) -> Reply {
    let status = |status: u16| StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let plain = status(refusal.status);
    match shape {
        Shape::Body(protocol, space) => {
            let status = status(protocol.error_status(refusal));
            let content_type = HeaderValue::from_static(protocol.content_type());
            // Few protocols tell it in the body.
            let id = if protocol == Protocol::Query { id.to_string() } else { String::new() };
            let mut reply = text(status, content_type, protocol.error_body(refusal, &id, space));
            put_headers(&mut reply, protocol, protocol.error_headers(refusal));
            reply
        }
        Shape::Wrapped => {
            let code = refusal.code;
            let message = refusal.message_key();
            let body = format!(
                "{{\"Output\":{{\"__type\":\"com.amazon.coral.service#{code}\",\"{message}\":null}},\
                 \"Version\":\"1.0\"}}"
            );
            text(StatusCode::OK, HeaderValue::from_static("application/json"), body.into())
        }
        Shape::Foreign(form) => form.error(refusal, id).map(AnswerBody::whole),
        Shape::Xml => {
            let mut reply = Response::new(AnswerBody::Whole(Some(xml(refusal).into())));
            *reply.status_mut() = plain;
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
    use futures_util::StreamExt;
    use http_body_util::BodyExt;

    fn kept() -> Kept {
        Kept { room: None, in_flight: Arc::new(Activity::default()).begin() }
    }

    #[tokio::test]
    async fn a_panic_ends_its_stream_and_is_counted() {
        let (_stop, stopping) = Stopping::new();
        let frames = stream::iter([1, 2]).map(|n| match n {
            1 => Ok(Bytes::from_static(b"one")),
            _ => panic!("as asked"),
        });
        let panics = Counter::default();
        let body = super::stream(Box::pin(frames), &stopping, &panics, kept());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "one");
        assert_eq!(panics.get(), 1);
    }

    #[tokio::test]
    async fn a_stream_that_fails_is_cut() {
        let (_stop, stopping) = Stopping::new();
        let pieces = stream::iter([Ok(Bytes::from_static(b"one")), Err(Refusal::internal())]);
        let mut body = super::stream(Box::pin(pieces), &stopping, &Counter::default(), kept());
        assert!(body.frame().await.unwrap().is_ok());
        assert!(body.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn large_answers_go_out_in_pieces() {
        let check = async |length: usize, want: &[usize]| {
            let mut body = AnswerBody::sliced(Bytes::from(vec![7; length]));
            let mut lengths = Vec::new();
            while !body.is_end_stream() {
                lengths.push(body.frame().await.unwrap().unwrap().into_data().unwrap().len());
            }
            assert_eq!(lengths, want, "{length}");
        };
        check(1, &[1]).await;
        check(1024, &[1023, 1]).await;
        check(SLICE_BYTES, &[SLICE_BYTES - 1, 1]).await;
        check(2 * SLICE_BYTES + 5, &[SLICE_BYTES, SLICE_BYTES, 4, 1]).await;
    }

    #[tokio::test]
    async fn a_stream_that_never_pauses_ends_with_the_server() {
        let (stop, stopping) = Stopping::new();
        let pieces = Box::pin(stream::repeat_with(|| Ok(Bytes::from_static(b"x"))));
        let mut body = super::stream(pieces, &stopping, &Counter::default(), kept());
        for _ in 0..100 {
            assert!(body.frame().await.is_some());
        }
        stop.send_replace(true);
        let rest = body.collect().await.unwrap().to_bytes();
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
